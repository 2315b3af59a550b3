"""Django's SQLite backend on DoltLite, with a repository on its connection."""

from contextlib import closing
from pathlib import Path
from typing import Any

from django.db import DatabaseError, OperationalError
from django.db.backends.sqlite3 import base
from django.utils.functional import cached_property

from versioning.backends.binding import DEFAULT, Binding, VersionedConnection
from versioning.backends.doltlite.creation import DatabaseCreation
from versioning.backends.doltlite.moments import Operations
from versioning.backends.doltlite.repository import DoltLiteRepository
from versioning.backends.doltlite.schema import SchemaEditor
from versioning.backends.errors import (
    BranchNotFound,
    CannotBeShown,
    EngineBusy,
    EngineError,
    EngineUnavailable,
    ReadOnlyState,
    SerializationFailure,
    UnknownRef,
)
from versioning.backends.translation import TranslatesErrors
from versioning.backends.turns import WritesInTurn

# Tables that are committed, of whose violations the connection knows no list.
_UNLISTED = """
    SELECT 1 FROM sqlite_master m WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
    AND NOT EXISTS (
        SELECT 1 FROM pragma_module_list l
        WHERE l.name = 'dolt_constraint_violations_' || m.name
    )
    AND NOT EXISTS (SELECT 1 FROM dolt_status s WHERE s.table_name = m.name)
"""


class DatabaseWrapper(
    VersionedConnection, WritesInTurn, TranslatesErrors, base.DatabaseWrapper
):
    #: Name of the file's default branch, once it was asked for.
    default_branch = ""

    SchemaEditorClass = SchemaEditor
    creation_class = DatabaseCreation
    ops_class = Operations

    @cached_property
    def repository(self) -> DoltLiteRepository:
        return DoltLiteRepository(self)

    @property
    def path(self) -> str:
        """The database file's name, without a branch."""
        return str(self.settings_dict["NAME"])

    def get_connection_params(self) -> dict[str, Any]:
        params = super().get_connection_params()
        # A transaction that reads first and writes later would meet another
        # one's commit; and a fast-forward compares the head under this lock.
        self.transaction_mode = "IMMEDIATE"
        # Values as they are stored, as every other state's are read: a converter
        # of sqlite3 knows nothing of those, and makes None of what is no date.
        # Models convert what they read: see ``moments``.
        params["detect_types"] = 0
        place = self._wanted
        if place.at is not None and not self.repository.is_hash(place.at):
            raise UnknownRef(place.at)
        if place.branch is not None and "\0" in place.branch:  # no path has it
            raise BranchNotFound(place.branch)
        ref = place.at or place.branch
        if ref is not None:
            # Only an existing file: else one named "data.db@branch" is made.
            if not Path(self.path).exists():
                raise EngineUnavailable(f"There is no database file {self.path}.")
            params["database"] = f"{params['database']}@{ref}"
        return params

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        place = self._wanted
        connection = super().get_new_connection(conn_params)
        # The branch that it was opened on, for good: none at a commit.
        (active,) = connection.execute("SELECT active_branch()").fetchone()
        # A tag, HEAD and main~1 can be opened in the same way.
        if place.branch is not None and active != place.branch:
            connection.close()
            raise BranchNotFound(place.branch)
        if place == DEFAULT:
            self.default_branch = active
        self._note_place(place, home=active if place == DEFAULT else None)
        return connection

    def is_usable(self) -> bool:
        # One that was kept goes on reading a file that has been deleted since,
        # and stays on the branch that was the default one when it was made.
        if not Path(self.path).exists():
            return False
        return self._home is None or self.ask_default_branch() == self._home

    def ask_default_branch(self) -> str:
        """
        Where a connection is that nobody bound. ``dolt_default_branch()`` says so
        in 0.02 ms, but waits for whoever writes to the file: then it is a new
        connection, in 0.8.
        """
        own = self.connection
        with self.wrap_database_errors, self._without_waiting(own.execute):
            try:
                (found,) = own.execute("SELECT dolt_default_branch()").fetchone()
            except self.Database.OperationalError:
                with closing(self.repository.open()) as unbound:
                    (found,) = unbound.execute("SELECT active_branch()").fetchone()
        self.default_branch = str(found)
        return self.default_branch

    def unbind(self) -> None:
        super().unbind()
        # What they have read is kept with them: 100 MB after a large export.
        self.repository.close_readers()

    def know_all_tables(self) -> None:
        """
        Open the connection anew if somebody made a table since it was: what lists
        the rows that break a rule is made where a connection is opened.
        """
        self.ensure_connection()
        with self.wrap_database_errors:
            knows_all = self.connection.execute(_UNLISTED).fetchone() is None
        if not knows_all:
            self._switch(self._wanted)

    def _switch(self, place: Binding) -> None:
        # Never dolt_connect_branch(): a rollback after it writes the old
        # branch's rows into the new one. A new connection takes 1 to 5 ms.
        self.close()
        with self.wrap_database_errors:
            self.connect()

    def _leave(self) -> None:
        self.close()

    def close(self) -> None:
        self.repository.close_readers()
        super().close()
        if self.connection is None:
            self._note_place(None)

    def translate_error(self, error: DatabaseError) -> Exception | None:
        if not isinstance(error, OperationalError) or isinstance(error, EngineError):
            return None
        text = str(error)
        name = getattr(error.__cause__, "sqlite_errorname", "")
        place = self._wanted
        if text.startswith(("cannot write: branch", "branch or revision")):
            if place.at:
                return UnknownRef(place.at)
            return BranchNotFound(place.branch or "")
        if name == "SQLITE_BUSY_SNAPSHOT" or text.startswith("commit conflict"):
            return SerializationFailure(text)
        if text.startswith(("database is locked", "database is busy")):
            return EngineBusy(text)
        if text.startswith(("unable to open database file", "disk I/O error")):
            return EngineUnavailable(text)
        if text.startswith("Could not decode to UTF-8"):
            return CannotBeShown(
                "A row that belongs here holds a text whose bytes are no UTF-8. "
                "Another program wrote it, and can put it right; the log says in which "
                "column."
            )
        if place.at and text.startswith("attempt to write a readonly database"):
            return ReadOnlyState(place.at)
        return None

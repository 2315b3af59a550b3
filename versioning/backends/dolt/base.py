"""Django's MySQL backend on a Dolt server, with a repository on its connection."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import DatabaseError, IntegrityError
from django.db.backends.mysql import base
from django.utils.functional import cached_property

from versioning.backends.binding import DEFAULT, Binding, VersionedConnection
from versioning.backends.dolt.moments import CONVERSIONS, Operations
from versioning.backends.dolt.patterns import without_unreadable
from versioning.backends.dolt.repository import DoltRepository
from versioning.backends.dolt.schema import SchemaEditor
from versioning.backends.errors import (
    BranchNotFound,
    CannotBeShown,
    EngineError,
    EngineUnavailable,
    ReadOnlyState,
    SerializationFailure,
    UnknownRef,
)
from versioning.backends.translation import TranslatesErrors

# The server isn't there, or the connection to it died.
_GONE = frozenset({1040, 1053, 2002, 2003, 2005, 2006, 2013, 2055, 4031})
# It is there, and lets nobody of this name into this database.
_SHUT = frozenset({1044, 1045})


#: To this collation case and accents make no difference. Lookups that want that
#: name it, and no column has it: what differs in nothing else would be the same to
#: the engine, and neither be written over the other, nor shown, nor merged.
BLIND = "utf8mb4_0900_ai_ci"


def _blind(operators: dict[str, str]) -> dict[str, str]:
    return {
        lookup: f"{sql} COLLATE {BLIND}" if lookup.startswith("i") else sql
        for lookup, sql in operators.items()
    }


class DatabaseWrapper(VersionedConnection, TranslatesErrors, base.DatabaseWrapper):
    #: Name of the server's default branch, once it was asked for.
    default_branch: str | None = None

    SchemaEditorClass = SchemaEditor
    ops_class = Operations
    operators = _blind(base.DatabaseWrapper.operators)
    pattern_ops = _blind(base.DatabaseWrapper.pattern_ops)

    @cached_property
    def repository(self) -> DoltRepository:
        return DoltRepository(self)

    def get_connection_params(self) -> dict[str, Any]:
        params = super().get_connection_params()
        params["conv"] = {**params["conv"], **CONVERSIONS}
        return params

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        connection = super().get_new_connection(conn_params)
        self._note_place(DEFAULT)
        return connection

    @contextmanager
    def _nodb_cursor(self) -> Iterator[Any]:
        """Of no database, so on no branch: it makes and drops those of tests."""
        with super()._nodb_cursor() as cursor, cursor.db.writing():
            yield cursor

    def _switch(self, place: Binding) -> None:
        try:
            self._go(place)
        except EngineUnavailable:
            raise
        except DatabaseError:
            if self._actual == DEFAULT:
                raise
            # The branch that it was on has been deleted by force: there is no
            # way from there but a new connection.
            self.close()
            self.connect()
            self._go(place)

    def _go(self, place: Binding) -> None:
        default = self.repository.default_branch()
        if place.at is not None:
            self.repository.use(place.at)
        else:
            # By dolt_checkout on the base database: on "db/branch" ROLLBACK TO
            # SAVEPOINT keeps the inner writes.
            self.repository.checkout(place.branch or default)
            # Known from here on: the engine was asked where it is.
            self._home = default

    def _leave(self) -> None:
        """Back to the default branch: one that a connection is on can't go."""
        if self.connection is None:
            return
        try:
            self.ensure_connection()
        except DatabaseError:
            self.close()

    def close(self) -> None:
        super().close()
        if self.connection is None:
            self._note_place(None)

    def _guard(
        self, execute: Any, sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        if "LIKE" in sql and not many and params:
            sql, params = without_unreadable(sql, params)
        return super()._guard(execute, sql, params, many, context)

    def translate_error(self, error: DatabaseError) -> Exception | None:
        if isinstance(error, EngineError) or not error.args:
            return None
        number, text = error.args[0], str(error.args[-1])
        if number in _GONE or (number == 0 and not text.strip()):
            self._note_loss()
            return EngineUnavailable(text)
        if number in _SHUT or text.startswith("Access denied for user"):
            return EngineUnavailable(text)
        if number == 1213 or "dangling ref" in text:
            return SerializationFailure(text)
        if text.startswith("ambiguous column name") and "[dolt_" in text:
            return CannotBeShown(
                "A table here has a column in its key that is called “commit”, "
                "“commit_date” or “diff_type”, and the server can’t tell that from one "
                "of its own. Give it another name."
            )
        if text.startswith("Check constraint ") and text.endswith(" violated"):
            return IntegrityError(number, text)  # the engine has no number for it
        place = self._wanted
        if number == 1049 or text == "branch not found":
            if place.at:
                return UnknownRef(place.at)
            if number == 1049:
                self._note_loss()  # its branch went: there is no way from there
            if place.branch:
                return BranchNotFound(place.branch)
            if number == 1049:
                return EngineUnavailable(text)
        if place.at and text.endswith("is read-only."):
            return ReadOnlyState(place.at)
        return None

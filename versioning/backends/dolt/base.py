"""Django's MySQL backend on a Dolt server, with a repository on its connection."""

from typing import Any

from django.db import DatabaseError
from django.db.backends.mysql import base
from django.utils.functional import cached_property

from versioning.backends.binding import DEFAULT, Binding, VersionedConnection
from versioning.backends.dolt.repository import DoltRepository
from versioning.backends.errors import (
    BranchNotFound,
    EngineError,
    EngineUnavailable,
    SerializationFailure,
    UnknownRef,
)
from versioning.backends.translation import TranslatesErrors

# The server isn't there, or the connection to it died.
_GONE = frozenset({1040, 1053, 2002, 2003, 2005, 2006, 2013, 2055, 4031})


class DatabaseWrapper(VersionedConnection, TranslatesErrors, base.DatabaseWrapper):
    #: Name of the server's default branch, once it was asked for.
    default_branch: str | None = None

    @cached_property
    def repository(self) -> DoltRepository:
        return DoltRepository(self)

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        connection = super().get_new_connection(conn_params)
        self._note_place(DEFAULT)
        return connection

    def _switch(self, place: Binding) -> None:
        repository = self.repository
        if self.default_branch is None:
            repository.default_branch()
        if place.at is not None:
            repository.use(place.at)
        else:
            # By dolt_checkout on the base database: on "db/branch" ROLLBACK TO
            # SAVEPOINT keeps the inner writes.
            repository.checkout(place.branch or repository.default_branch())

    def _leave(self) -> None:
        """Back to the default branch: one that a connection is on can't go."""
        if self.connection is None:
            return
        try:
            self.ensure_connection()
        except DatabaseError:
            # The branch was deleted by force, or the server is gone: either
            # way this connection is of no more use.
            self.close()

    def close(self) -> None:
        super().close()
        if self.connection is None:
            self._note_place(None)

    def translate_error(self, error: DatabaseError) -> EngineError | None:
        if isinstance(error, EngineError) or not error.args:
            return None
        number, text = error.args[0], str(error.args[-1])
        if number in _GONE:
            return EngineUnavailable(text)
        if number == 1213 or "dangling ref" in text:
            return SerializationFailure(text)
        if number == 1049:
            if self._wanted.at:
                return UnknownRef(self._wanted.at)
            if self._wanted.branch:
                return BranchNotFound(self._wanted.branch)
            return EngineUnavailable(text)
        return None

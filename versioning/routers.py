"""Keeps what is branched apart from what must not be."""

from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Model

from versioning.conf import options


class VersionedRouter:
    """
    Sends the apps of ``VERSIONING["APPS"]`` to the versioned database, all
    others to the default one.

    Other routers go before it; where they answer, theirs holds.
    """

    def _alias(self, app_label: str) -> str | None:
        return options().database if app_label in options().apps else None

    def db_for_read(self, model: type[Model], **hints: Any) -> str | None:
        if alias := self._alias(model._meta.app_label):
            return alias
        # Unanswered, Django would look for a row's relations where the row is:
        # for the author of a versioned row, in the versioned database.
        row = hints.get("instance")
        if row is not None and row._state.db == options().database:
            return DEFAULT_DB_ALIAS
        return None

    db_for_write = db_for_read

    def allow_relation(self, one: Model, other: Model, **hints: Any) -> bool | None:
        """
        Rows may refer from one database into the other, to a user for one,
        where the key has no constraint (see the check ``versioning.E010``).
        """
        sides = {self._alias(side._meta.app_label) for side in (one, other)}
        return True if len(sides) == 2 else None

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        alias = self._alias(app_label)
        if alias is not None:
            return db == alias
        return False if db == options().database else None

"""Whether the state that is bound has the migrations that the code has."""

from dataclasses import dataclass

from django.db import DatabaseError
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from versioning.conf import connection, options


@dataclass(frozen=True, slots=True)
class Difference:
    """Names "app.0002_name": ``missing`` in the state, or ``unknown`` to the code."""

    missing: tuple[str, ...]
    unknown: tuple[str, ...]


def difference() -> Difference | None:
    """
    Compare the migrations of the versioned apps, as the code has them and as
    the state that the connection is bound to has them. None if they agree or
    the state can't be asked.
    """
    apps = options().apps
    on_disk = {
        key
        for key in MigrationLoader(None, ignore_no_migrations=True).disk_migrations
        if key[0] in apps
    }
    try:
        applied = {
            key
            for key in MigrationRecorder(connection()).applied_migrations()
            if key[0] in apps
        }
    except DatabaseError:
        return None
    if applied == on_disk:
        return None
    return Difference(
        missing=tuple(".".join(key) for key in sorted(on_disk - applied)),
        unknown=tuple(".".join(key) for key in sorted(applied - on_disk)),
    )

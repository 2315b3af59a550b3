"""The engines. All SQL that names a ``dolt_`` thing is below this package."""

from django.db import DatabaseError, InterfaceError, OperationalError

from versioning.backends.errors import EngineUnavailable

# Error numbers of the MySQL client for a server that isn't there (2002, 2003,
# 2005), went away (2006, 2013, 2055, 4031) or has no such database (1049), and
# for one that is full or shutting down (1040, 1053).
_SERVER_GONE = frozenset({1040, 1049, 1053, 2002, 2003, 2005, 2006, 2013, 2055, 4031})
_FILE_GONE = ("unable to open database file", "disk i/o error", "database is locked")


def is_unavailable(error: DatabaseError) -> bool:
    """
    Whether a database error says that the database itself can't be had.

    For the default database too, which has Django's own backend.
    """
    if isinstance(error, EngineUnavailable | InterfaceError):
        return True
    if not isinstance(error, OperationalError) or not error.args:
        return False
    first = error.args[0]
    if isinstance(first, int):
        return first in _SERVER_GONE
    return str(first).lower().startswith(_FILE_GONE)

"""
Disk space that superseded rows take up, given back.

Every write to a DoltLite file leaves the pages it replaced behind, some 7 kB a
write (measured): sessions and receipts too, in a default database that was made
as such a file. Collecting them loses nothing, also while other processes write
(``tests/contract/test_garbage.py``).
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from django.db import connections

#: A file is collected when it has doubled since, and this many bytes on top:
#: so that a year of votes costs a share of the writes, however large the data.
#: Not more, as every process reads the pages that others left behind: 0.3 ms
#: after 700 commits, 1 ms after 2,000.
SLACK = 4 * 1024 * 1024
TIMEOUT = 0.2  # seconds to wait for writers

_kept: dict[str, int] = {}  # bytes just after collecting, by file, in this process


def collect() -> list[str]:
    """Collect where it is due, in all databases; returns the files' names."""
    return [path for path in _files() if _is_due(path) and _collect(path)]


def _files() -> list[str]:
    return [
        str(settings["NAME"])
        for settings in connections.settings.values()
        if "sqlite" in settings["ENGINE"] or "doltlite" in settings["ENGINE"]
    ]


def _is_due(path: str) -> bool:
    try:
        size = Path(path).stat().st_size
    except OSError:  # in memory, or not made yet
        return False
    return size > 2 * _kept.get(path, 0) + SLACK


def _collect(path: str) -> bool:
    with closing(sqlite3.connect(path, timeout=TIMEOUT)) as connection:
        try:
            connection.execute("SELECT dolt_gc()").fetchone()
            done = True
        except sqlite3.OperationalError:
            # Busy, or a file in SQLite's own format: asked again when it has
            # grown by as much once more.
            done = False
    _kept[path] = Path(path).stat().st_size
    return done

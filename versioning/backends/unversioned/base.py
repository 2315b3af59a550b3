"""
Django's SQLite backend for the database beside an embedded DoltLite one.

With DoltLite loaded, a new file would be a DoltLite file too, and pay for
versions that nobody asks for: 7 kB more at every write, and 3 ms before a
write if another process wrote meanwhile. The engine leaves files in SQLite's
own format as they are, so this makes a new one in that format. A DoltLite file
that is there already is used as it is.
"""

import os
import struct
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.db.backends.sqlite3 import base

from versioning.backends.turns import WritesInTurn

PAGE = 4096  # bytes


class DatabaseWrapper(WritesInTurn, base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        if not self.is_in_memory_db():
            _make_empty(Path(self.settings_dict["NAME"]))
        return super().get_new_connection(conn_params)


def _make_empty(path: Path) -> None:
    """Make an empty database, whole at once, unless there is a file."""
    if path.exists():
        return
    # What keeps it from being made keeps it from being opened: the engine says.
    with suppress(OSError), tempfile.NamedTemporaryFile(dir=path.parent) as file:
        file.write(empty_database())
        file.flush()
        os.link(file.name, path)  # not if somebody else was faster


def empty_database() -> bytes:
    """
    A database without a table, in the format that sqlite.org/fileformat2.html
    describes: a header and the root page of the schema.

    With a write-ahead log, in which readers and a writer do not meet.
    """
    write_ahead = 2
    header = struct.pack(
        ">16sH6B12I20x2I",
        b"SQLite format 3\0",
        PAGE,
        write_ahead,
        write_ahead,
        0,  # bytes at the end of each page for others
        *(64, 32, 32),  # fractions of a page, which the format fixes
        1,  # changes so far
        1,  # pages
        *(0, 0),  # free pages: the first, how many
        1,  # changes of the schema so far
        4,  # the schema's format
        0,  # pages kept in memory: as the engine likes
        0,  # vacuumed by hand
        1,  # UTF-8
        *(0, 0, 0),  # of the application's own, and vacuumed not even in part
        1,  # changes so far, when the version that follows was written
        3_037_000,  # of SQLite, which knows this format
    )
    table_leaf = 13
    root = struct.pack(">BHHHB", table_leaf, 0, 0, PAGE, 0)
    return (header + root).ljust(PAGE, b"\0")

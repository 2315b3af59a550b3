"""Writers of one SQLite or DoltLite file, in turn."""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.db import OperationalError

TIMEOUT = 5.0  # seconds to wait for another writer, as sqlite3 does
ASKED_EVERY = 0.002  # seconds

# Of each file, by name: who may ask for it next, of this process's threads.
_turns: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

_ANY_READ = "SELECT 1 FROM sqlite_master LIMIT 1"
_BUSY = ("database is locked", "database is busy")


def turn(name: str | Path) -> threading.Lock:
    """The right to ask for a file next, among this process's threads."""
    return _turns[str(name)]


class WritesInTurn:
    """
    Mixin for a ``DatabaseWrapper`` of SQLite's, before Django's own class:
    transactions that write begin as soon as nobody else does.

    The engine sleeps longer each time that it finds a file taken, up to 100 ms:
    of four people who vote at once, one would wait two seconds for writers of
    5 ms each. Here one thread of a process asks, every 2 ms.
    """

    settings_dict: dict[str, Any]
    cursor: Any
    Database: Any
    wrap_database_errors: Any

    @property
    def _timeout(self) -> float:
        """Seconds to wait for another writer."""
        return float(self.settings_dict["OPTIONS"].get("timeout", TIMEOUT))

    @contextmanager
    def _without_waiting(self, execute: Callable[[str], Any]) -> Iterator[None]:
        """Have the engine say at once that somebody else writes."""
        execute("PRAGMA busy_timeout = 0")
        try:
            yield
        finally:
            execute(f"PRAGMA busy_timeout = {round(self._timeout * 1000)}")

    def _start_transaction_under_autocommit(self) -> None:
        deadline = time.monotonic() + self._timeout
        mine = turn(self.settings_dict["NAME"])
        if not mine.acquire(timeout=self._timeout):
            with self.wrap_database_errors:
                raise self.Database.OperationalError("database is locked")
        try:
            with self.cursor() as cursor, self._without_waiting(cursor.execute):
                while not self._could_begin(cursor, deadline):
                    time.sleep(ASKED_EVERY)
        finally:
            mine.release()

    def _could_begin(self, cursor: Any, deadline: float) -> bool:
        try:
            # DoltLite takes in what others wrote in 0.1 to 1 ms for a statement
            # that reads; for BEGIN IMMEDIATE in 3, with the file locked.
            cursor.execute(_ANY_READ).fetchone()
            cursor.execute("BEGIN IMMEDIATE")
        except OperationalError as error:
            if not str(error).startswith(_BUSY) or time.monotonic() >= deadline:
                raise
            return False
        return True

"""What a test needs of the engine that it runs on, besides the repository."""

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from django.db import connections

ENGINE = os.environ["POLLARD_ENGINE"]
MAIN = "main"


class Stranger(Protocol):
    """Another client of the database, which knows nothing of Pollard."""

    def execute(
        self, branch: str, sql: str, *, commit: str | None = None
    ) -> list[tuple[Any, ...]]:
        """Run a statement on a branch; with ``commit``, commit it at once."""

    def leave_merge(self, branch: str, theirs: str) -> None:
        """Merge ``theirs`` into a branch, and go with nothing settled; or raise."""

    def branch(self, name: str) -> None:
        """Make a branch of ``main``, with whatever name the engine takes."""

    def tag(self, name: str) -> None:
        """Tag the head of ``main``."""

    def delete_branch_unforced(self, name: str) -> None:
        """Delete a branch as one does that nobody is on, or raise."""


def connection() -> Any:
    found = connections["versioned"]
    name = str(found.settings_dict["NAME"])
    assert "test" in name, f"{name} is no test's database"
    return found


class DoltLite:
    """A database file; a fresh copy of a migrated one for each test."""

    def __init__(self) -> None:
        self.path = Path(connection().settings_dict["NAME"])
        self.template = self.path.with_suffix(".template")

    def keep(self) -> None:
        connection().close()
        shutil.copyfile(self.path, self.template)

    def reset(self) -> None:
        connection().unbind()
        connection().close()
        shutil.copyfile(self.template, self.path)

    def execute(
        self, branch: str, sql: str, *, commit: str | None = None
    ) -> list[tuple[Any, ...]]:
        import sqlite3

        client = sqlite3.connect(f"{self.path}@{branch}", isolation_level=None)
        try:
            rows = client.execute(sql).fetchall()
            if commit:
                client.execute("SELECT dolt_commit('-A', '-m', ?)", [commit])
            return rows
        finally:
            client.close()

    def leave_merge(self, branch: str, theirs: str) -> None:
        import sqlite3

        client = sqlite3.connect(f"{self.path}@{branch}", isolation_level=None)
        try:
            client.execute("BEGIN IMMEDIATE")
            # That there are conflicts is said by an error, and they are there.
            with suppress(sqlite3.OperationalError):
                client.execute("SELECT dolt_merge(?)", [theirs])
            client.execute("COMMIT")
        finally:
            client.close()

    def branch(self, name: str) -> None:
        import sqlite3

        client = sqlite3.connect(self.path, isolation_level=None)
        try:
            client.execute("SELECT dolt_branch('--', ?)", [name])
        finally:
            client.close()

    def tag(self, name: str) -> None:
        self.execute(MAIN, f"SELECT dolt_tag('{name}')")

    def delete_branch_unforced(self, name: str) -> None:
        self.execute(MAIN, f"SELECT dolt_branch('-d', '{name}')")


class Dolt:
    """A database on the run's server, put back after each test."""

    def __init__(self) -> None:
        self.base = ""

    def _client(self) -> Any:
        import MySQLdb

        given = connection().get_connection_params()
        given.pop("conv", None)
        return MySQLdb.connect(
            host=given["host"],
            port=given["port"],
            user=given["user"],
            password=given["password"],
            database=connection().settings_dict["NAME"],
            charset="utf8mb4",
            autocommit=True,
        )

    def _run(self, work: Callable[[Any], Any]) -> Any:
        client = self._client()
        try:
            return work(client.cursor())
        finally:
            client.close()

    def keep(self) -> None:
        self.base = connection().repository.head(MAIN)

    def reset(self) -> None:
        connection().unbind()
        connection().close()
        self._run(self._put_back)

    def _put_back(self, cursor: Any) -> None:
        cursor.execute("SELECT name, hash, dirty FROM dolt_branches")
        branches = cursor.fetchall()
        for name, _, _ in branches:
            if name != MAIN:
                cursor.execute("CALL dolt_branch('-D', '--', %s)", [name])
        cursor.execute("SELECT tag_name FROM dolt_tags")
        for (name,) in cursor.fetchall():
            cursor.execute("CALL dolt_tag('-d', '--', %s)", [name])
        cursor.execute("CALL dolt_reset('--hard', %s)", [self.base])

    def execute(
        self, branch: str, sql: str, *, commit: str | None = None
    ) -> list[tuple[Any, ...]]:
        def work(cursor: Any) -> list[tuple[Any, ...]]:
            cursor.execute("CALL dolt_checkout(%s)", [branch])
            cursor.fetchall()
            cursor.execute(sql)
            rows = list(cursor.fetchall())
            if commit:
                cursor.execute("CALL dolt_commit('-A', '-m', %s)", [commit])
            return rows

        found: list[tuple[Any, ...]] = self._run(work)
        return found

    def leave_merge(self, branch: str, theirs: str) -> None:
        def work(cursor: Any) -> None:
            cursor.execute("CALL dolt_checkout(%s)", [branch])
            cursor.fetchall()
            cursor.execute("SET @@dolt_force_transaction_commit = 1")
            cursor.execute("CALL dolt_merge(%s)", [theirs])

        self._run(work)

    def branch(self, name: str) -> None:
        self._run(lambda cursor: cursor.execute("CALL dolt_branch('--', %s)", [name]))

    def tag(self, name: str) -> None:
        self.execute(MAIN, f"CALL dolt_tag('{name}')")

    def delete_branch_unforced(self, name: str) -> None:
        self.execute(MAIN, f"CALL dolt_branch('-d', '{name}')")


def engine() -> DoltLite | Dolt:
    return DoltLite() if ENGINE == "doltlite" else Dolt()

"""Version control on an embedded DoltLite file."""

import fcntl
import hashlib
import os
import re
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from django.db import DatabaseError, OperationalError, transaction

from versioning.backends.doltlite.history import Heights
from versioning.backends.errors import (
    BranchExists,
    BranchMoved,
    BranchNotFound,
    ConflictsRemain,
    EngineBusy,
    EngineError,
    InvalidBranchName,
    MergeBlocked,
    UncommittedRows,
    UnknownTable,
)
from versioning.backends.repository import (
    Author,
    Commit,
    Features,
    Key,
    MergeStatus,
    SchemaChange,
)
from versioning.backends.sql import SqlRepository, utc

_heights = Heights()

READERS = 4  # connections kept open at other commits
_HASH = re.compile(r"[0-9a-f]{40}\Z")


class DoltLiteRepository(SqlRepository):
    OWN_TABLES = frozenset({"sqlite_sequence", "sqlite_stat1", "sqlite_stat4"})

    def __init__(self, connection: Any):
        super().__init__(connection)
        self._readers: dict[str, sqlite3.Connection] = {}
        self._primary: dict[tuple[str, str], Key] = {}

    @property
    def features(self) -> Features:
        row = self._one("SELECT dolt_version()")
        assert row is not None
        return Features(
            engine="DoltLite",
            version=str(row[0]).removeprefix("v"),
            merges_json_by_key=False,
            reports_dropped_column_as_conflict=False,
            commit_dates_have_milliseconds=False,
            schema_changes_roll_back=True,
        )

    def _quote(self, name: str) -> str:
        return '"' + name.replace('"', '""') + '"'

    # Reading another commit ----------------------------------------------------

    def _reader(self, at: str) -> sqlite3.Connection:
        """
        A connection that is at a commit and stays there.

        DoltLite's table functions show only the columns that the connection's
        own branch has, so a state is read from a connection that is in it. It
        takes 0.3 ms to open, and gives the driver's plain values.
        """
        if at in self._readers:
            self._readers[at] = self._readers.pop(at)
            return self._readers[at]
        self._known(at)
        reader = sqlite3.connect(
            f"{self.connection.path}@{at}",
            isolation_level=None,
            check_same_thread=False,
            timeout=20,
        )
        self._readers[at] = reader
        while len(self._readers) > READERS:
            self._readers.pop(next(iter(self._readers))).close()
        return reader

    def close_readers(self) -> None:
        for reader in self._readers.values():
            reader.close()
        self._readers.clear()

    def _read(
        self, at: str, sql: str, params: Sequence[Any] = ()
    ) -> tuple[list[str], list[tuple[Any, ...]]]:
        with self.connection.wrap_database_errors:
            cursor = self._reader(at).execute(_question_marks(sql), list(params))
            names = [column[0] for column in cursor.description or ()]
            return names, cursor.fetchall()

    # Branches ------------------------------------------------------------------

    def default_branch(self) -> str:
        row = self._one("SELECT dolt_default_branch()")
        assert row is not None
        return str(row[0])

    def create_branch(self, name: str, at: str) -> None:
        self._outside_atomic()
        start = self.resolve(at)
        if any(b.name.lower() == name.lower() for b in self.branches()):
            raise BranchExists(name)
        self._branch_call(name, "--", name, start)

    def rename_branch(self, old: str, new: str) -> None:
        self._outside_atomic()
        self._require_branch(old)
        self._refuse_default(old)
        if any(b.name.lower() == new.lower() != old.lower() for b in self.branches()):
            raise BranchExists(new)
        self._branch_call(new, "-m", "--", old, new)

    def delete_branch(self, name: str, *, expected_head: str | None = None) -> str:
        self._outside_atomic()
        self._refuse_default(name)
        head = self.head(name)
        if expected_head is not None and head != expected_head:
            raise BranchMoved(name, expected_head, head)
        if self.connection.binding.branch == name:
            self.connection.unbind()
        self._branch_call(name, "-D", "--", name)
        return head

    def _branch_call(self, name: str, *args: str) -> None:
        marks = ", ".join(["%s"] * len(args))
        try:
            self._fetch(f"SELECT dolt_branch({marks})", args)
        except OperationalError as error:
            text = str(error)
            if text.startswith(("invalid branch name", "branch name required")):
                raise InvalidBranchName(name) from error
            if text.startswith("branch already exists"):
                raise BranchExists(name) from error
            if text.startswith("branch not found"):
                raise BranchNotFound(name) from error
            raise

    # Commits -------------------------------------------------------------------

    def is_hash(self, text: str) -> bool:
        return _HASH.match(text) is not None

    def _exists(self, hash: str) -> bool:
        try:
            row = self._one("SELECT dolt_hashof(%s)", [hash])
        except OperationalError as error:
            if isinstance(error, EngineError):
                raise
            return False
        return row is not None and row[0] == hash

    def _log(self, refs: Sequence[str], limit: int) -> list[Commit]:
        rows = self._fetch(
            "SELECT commit_hash, committer, email, date, message FROM dolt_log(%s) "
            f"LIMIT {int(limit)}",
            refs,
        )
        parents = self._parents_of([row[0] for row in rows])
        return [
            Commit(hash, Author(name, email), utc(date), message, parents[hash])
            for hash, name, email, date, message in rows
        ]

    def _parents_of(self, hashes: Sequence[str]) -> dict[str, tuple[str, ...]]:
        found: dict[str, list[str]] = {hash: [] for hash in hashes}
        for start in range(0, len(hashes), 500):
            batch = list(hashes[start : start + 500])
            marks = ", ".join(["%s"] * len(batch))
            for child, parent in self._fetch(
                "SELECT commit_hash, parent_hash FROM dolt_commit_ancestors "
                f"WHERE commit_hash IN ({marks}) ORDER BY commit_hash, parent_index",
                batch,
            ):
                if parent is not None:
                    found[child].append(parent)
        return {child: tuple(parents) for child, parents in found.items()}

    def _log_from(self, starts: Sequence[str], limit: int) -> list[Commit]:
        _heights.learn(starts, self._parents_of, self._parents)
        order = _heights.first(starts, limit)
        found: dict[str, tuple[Any, ...]] = {}
        for start in starts:
            if all(hash in found for hash, _ in order):
                break
            found |= self._described(start, limit)
        # A commit may be further down in the engine's order than in ours.
        for hash, _ in order:
            if hash not in found:
                found |= self._described(hash, 1)
        return [
            Commit(hash, Author(name, email), utc(date), message, parents)
            for hash, parents in order
            for _, name, email, date, message in [found[hash]]
        ]

    def _described(self, start: str, limit: int) -> dict[str, tuple[Any, ...]]:
        rows = self._fetch(
            "SELECT commit_hash, committer, email, date, message FROM dolt_log(%s) "
            f"LIMIT {int(limit)}",
            [start],
        )
        return {row[0]: row for row in rows}

    def merge_base(self, one: str, other: str) -> str | None:
        self._known(one)
        self._known(other)
        row = self._one("SELECT dolt_merge_base(%s, %s)", [one, other])
        return None if row is None or row[0] is None else str(row[0])

    # Tables --------------------------------------------------------------------

    def tables(self, at: str | None = None) -> list[str]:
        sql = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
        rows = self._fetch(sql) if at is None else self._read(at, sql)[1]
        return [row[0] for row in rows if not self._own(row[0])]

    def _info(self, table: str, at: str | None) -> list[tuple[Any, ...]]:
        if table not in self.tables(at):
            raise UnknownTable(table)
        sql = "SELECT name, pk FROM pragma_table_info(%s) ORDER BY cid"
        return (
            self._fetch(sql, [table]) if at is None else self._read(at, sql, [table])[1]
        )

    def columns(self, table: str, at: str | None = None) -> list[str]:
        return [name for name, _ in self._info(table, at)]

    def primary_key(self, table: str, at: str | None = None) -> Key:
        info = self._info(table, at)
        keyed = sorted((number, name) for name, number in info if number)
        return tuple(name for _, name in keyed)

    def _as_of(self, table: str, at: str) -> tuple[str, list[Any]]:
        return f"{self._name('dolt_at_', table)}(%s)", [at]

    # Diffs ---------------------------------------------------------------------

    def _diff_source(
        self, table: str, before: str, after: str
    ) -> tuple[str, list[Any]]:
        return f"{self._name('dolt_diff_', table)}(%s, %s)", [before, after]

    def _diff_read(
        self, table: str, before: str, after: str, sql: str, params: list[Any]
    ) -> tuple[list[str], list[tuple[Any, ...]]]:
        if after == "WORKING":
            with self._engine(), self.connection.cursor() as cursor:
                cursor.execute(sql, params)
                names = [column[0] for column in cursor.description]
                return names, list(cursor.fetchall())
        at = after if table in self.tables(after) else before
        return self._read(at, sql, params)

    def schema_changes(self, before: str, after: str) -> list[SchemaChange]:
        self._known(before)
        self._known(after)
        tables = {
            change.table
            for change in self.diff_summary(before, after)
            if change.schema_changed or change.kind != "changed"
        }
        rows = self._fetch(
            "SELECT from_table_name, to_table_name, from_create_statement, "
            "to_create_statement FROM dolt_schema_diff(%s, %s)",
            [before, after],
        )
        return sorted(
            (
                SchemaChange(new or old, before_sql or "", after_sql or "")
                for old, new, before_sql, after_sql in rows
                if (new or old) in tables
            ),
            key=lambda change: change.table,
        )

    # Writing -------------------------------------------------------------------

    def commit_all(self, message: str, author: Author) -> str | None:
        by = self._check_commit(message, author)
        self._in_outermost_atomic()
        args = ["-A", "-m", message, "--author", by]
        if not self._is_merging():
            args.append("--skip-empty")
        marks = ", ".join(["%s"] * len(args))
        try:
            row = self._one(f"SELECT dolt_commit({marks})", args)
        except OperationalError as error:
            if str(error).startswith("cannot commit: unresolved"):
                raise ConflictsRemain(str(error)) from error
            raise
        assert row is not None
        return row[0] or None

    def _is_merging(self) -> bool:
        row = self._one("SELECT is_merging FROM dolt_merge_status")
        return bool(row and row[0])

    def start_merge(self, theirs: str) -> MergeStatus:
        self._in_outermost_atomic()
        self._known(theirs)
        try:
            row = self._one("SELECT dolt_merge('--no-ff', '--no-commit', %s)", [theirs])
        except DatabaseError as error:
            text = str(error)
            if text.startswith(("Merge has", "Merge resulted in")):
                return MergeStatus.CONFLICTS
            if text.startswith("cannot merge:"):
                raise MergeBlocked(
                    text.removeprefix("cannot merge:").strip()
                ) from error
            if text.startswith(("uncommitted changes", "local changes")):
                left = self.uncommitted()
                raise UncommittedRows(left.tables if left else ()) from error
            raise
        assert row is not None
        if str(row[0]).startswith("Already up to date"):
            return MergeStatus.UP_TO_DATE
        return MergeStatus.MERGED

    def fast_forward(self, branch: str, *, expected: str, to: str) -> None:
        self._outside_atomic()
        self._known(to)
        # BEGIN IMMEDIATE holds the file's only write lock, so the head that is
        # read within it is the head that is moved.
        with (
            self.connection.writing(),
            transaction.atomic(using=self.connection.alias, durable=True),
        ):
            self._require_head(branch, expected)
            if left := self.uncommitted():
                raise UncommittedRows(left.tables)
            self._fetch("SELECT dolt_merge(%s)", [to])
        self._require_head(branch, to)

    # Locks ---------------------------------------------------------------------

    @contextmanager
    def write_lock(self, branch: str, *, timeout: float = 20.0) -> Iterator[None]:
        yield

    @contextmanager
    def landing_lock(self, branch: str, *, timeout: float = 20.0) -> Iterator[None]:
        digest = hashlib.sha256(branch.encode()).hexdigest()[:16]
        deadline = time.monotonic() + timeout
        handle = os.open(
            f"{self.connection.path}.landing-{digest}", os.O_CREAT | os.O_RDWR, 0o600
        )
        try:
            while True:
                with suppress(BlockingIOError):
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                if time.monotonic() >= deadline:
                    raise EngineBusy("Another landing on this branch is under way.")
                time.sleep(0.02)
            yield
        finally:
            os.close(handle)


def _question_marks(sql: str) -> str:
    """``%s`` and ``%%`` as the plain driver spells them."""
    return sql.replace("%s", "?").replace("%%", "%")

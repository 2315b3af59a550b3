"""Version control on a Dolt SQL server."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from django.db import DatabaseError, OperationalError

from versioning.backends.errors import (
    BranchExists,
    BranchIsDefault,
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
    ChangeKind,
    Commit,
    Features,
    Key,
    MergeStatus,
    SchemaChange,
    TableChange,
)
from versioning.backends.sql import SqlRepository, utc

_HASH = re.compile(r"[0-9a-v]{32}\Z")
_PRIMARY_KEY = re.compile(r"PRIMARY KEY \((.*?)\)(?:,|\n|$)", re.M)
_COLUMN = re.compile(r"`((?:[^`]|``)*)`")


class DoltRepository(SqlRepository):
    @property
    def features(self) -> Features:
        row = self._one("SELECT dolt_version()")
        assert row is not None
        return Features(
            engine="Dolt",
            version=str(row[0]),
            merges_json_by_key=True,
            reports_dropped_column_as_conflict=True,
            commit_dates_have_milliseconds=True,
            schema_changes_roll_back=False,
        )

    def _quote(self, name: str) -> str:
        return "`" + name.replace("`", "``") + "`"

    # Place ---------------------------------------------------------------------

    def checkout(self, branch: str) -> None:
        """
        Put the connection on a branch that exists.

        ``dolt_checkout`` takes a table's name too, and then restores the
        table: never give it a name that is not known to be a branch's.
        """
        # A connection at a commit can list branches, but only from its base.
        self._fetch(f"USE {self._name(self._database)}")
        self._require_branch(branch)
        if branch.startswith("-"):
            # dolt_checkout would read an option, whatever comes before it.
            variable = self._name(self._database, "_head_ref")
            self._fetch(f"SET @@{variable} = %s", [f"refs/heads/{branch}"])
        else:
            self._fetch("CALL dolt_checkout(%s)", [branch])

    def use(self, at: str) -> None:
        """Put the connection at a commit, for reading."""
        self._fetch(f"USE {self._name(self._database)}")
        self._known(at)
        self._fetch(f"USE {self._name(self._database, '/', at)}")

    @contextmanager
    def _from_base(self) -> Iterator[None]:
        """
        Ask from the base database: a user who is no administrator may not
        call ``dolt_log()`` on a connection that is at a commit.
        """
        at = self.connection.binding.at
        if at is None:
            yield
            return
        self._fetch(f"USE {self._name(self._database)}")
        try:
            yield
        finally:
            self._fetch(f"USE {self._name(self._database, '/', at)}")

    @property
    def _database(self) -> str:
        return str(self.connection.settings_dict["NAME"])

    # Branches ------------------------------------------------------------------

    def default_branch(self) -> str:
        if self.connection.default_branch is None:
            row = self._one(
                f"SELECT @@GLOBAL.{self._name(self._database, '_default_branch')}"
            )
            name = str(row[0] or "") if row else ""
            if not name:
                row = self._one("SELECT active_branch()")
                name = str(row[0]) if row else "main"
            self.connection.default_branch = name.removeprefix("refs/heads/")
        return str(self.connection.default_branch)

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
        if self.connection.binding.branch == old:
            self.connection.unbind()
        # By force: other connections that idle on it do not keep it.
        self._branch_call(new, "-m", "-f", "--", old, new)

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
            self._fetch(f"CALL dolt_branch({marks})", args)
        except DatabaseError as error:
            text = str(error)
            if "is an invalid branch name" in text or "cannot branch empty" in text:
                raise InvalidBranchName(name) from error
            if "already exists" in text:
                raise BranchExists(name) from error
            if "branch not found" in text:
                raise BranchNotFound(name) from error
            if "default branch" in text:
                raise BranchIsDefault(name) from error
            raise

    # Commits -------------------------------------------------------------------

    def is_hash(self, text: str) -> bool:
        return _HASH.match(text) is not None

    def _exists(self, hash: str) -> bool:
        try:
            row = self._one("SELECT dolt_hashof(%s)", [hash])
        except DatabaseError as error:
            if isinstance(error, EngineError):
                raise
            return False
        return row is not None and row[0] == hash

    def _log(self, refs: Sequence[str], limit: int) -> list[Commit]:
        marks = ", ".join(["%s"] * len(refs))
        with self._from_base():
            rows = self._fetch(
                "SELECT commit_hash, committer, email, date, message, parents "
                f"FROM dolt_log({marks}, '--parents') LIMIT {int(limit)}",
                refs,
            )
        return [
            Commit(
                hash,
                Author(name, email),
                utc(date),
                message,
                tuple(part for part in (parents or "").split(", ") if part),
            )
            for hash, name, email, date, message, parents in rows
        ]

    def count_between(self, exclude: str, include: str) -> int:
        with self._from_base():
            return super().count_between(exclude, include)

    def _log_from(self, starts: Sequence[str], limit: int) -> list[Commit]:
        return self._log(starts, limit)

    def merge_base(self, one: str, other: str) -> str | None:
        self._known(one)
        self._known(other)
        try:
            row = self._one("SELECT dolt_merge_base(%s, %s)", [one, other])
        except DatabaseError as error:
            if "no common ancestor" in str(error):
                return None
            raise
        return None if row is None or row[0] is None else str(row[0])

    # Tables --------------------------------------------------------------------

    def tables(self, at: str | None = None) -> list[str]:
        if at is None:
            rows = self._fetch("SHOW FULL TABLES WHERE table_type = 'BASE TABLE'")
        else:
            rows = self._fetch("SHOW TABLES AS OF %s", [at])
        return sorted(row[0] for row in rows if not self._own(row[0]))

    def columns(self, table: str, at: str | None = None) -> list[str]:
        if table not in self.tables(at):
            raise UnknownTable(table)
        source, params = self._as_of(table, at)
        with self._engine(), self.connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM {source} LIMIT 0", params)
            return [column[0] for column in cursor.description]

    def primary_key(self, table: str, at: str | None = None) -> Key:
        if table not in self.tables(at):
            raise UnknownTable(table)
        source, params = self._as_of(table, at)
        row = self._one(f"SHOW CREATE TABLE {source}", params)
        assert row is not None
        match = _PRIMARY_KEY.search(row[1])
        if match is None:
            return ()
        return tuple(name.replace("``", "`") for name in _COLUMN.findall(match[1]))

    def _as_of(self, table: str, at: str | None) -> tuple[str, list[Any]]:
        if at is None:
            return self._name(table), []
        return f"{self._name(table)} AS OF %s", [at]

    # Diffs ---------------------------------------------------------------------

    def _diff_source(
        self, table: str, before: str, after: str
    ) -> tuple[str, list[Any]]:
        return "dolt_diff(%s, %s, %s)", [before, after, table]

    def _diff_read(
        self, table: str, before: str, after: str, sql: str, params: list[Any]
    ) -> tuple[list[str], list[tuple[Any, ...]]]:
        with self._engine(), self.connection.cursor() as cursor:
            cursor.execute(sql, params)
            names = [column[0] for column in cursor.description]
            return names, list(cursor.fetchall())

    def _summary(self, before: str, after: str) -> list[TableChange]:
        """
        Without changes of a definition that are none: the engine counts the
        next number of an AUTO_INCREMENT as a part of it, so that every new
        row would be reported as a new definition.
        """
        changes = super()._summary(before, after)
        if not any(c.schema_changed and c.kind is ChangeKind.CHANGED for c in changes):
            return changes
        redefined = {
            new or old
            for old, new in self._fetch(
                "SELECT from_table_name, to_table_name FROM dolt_schema_diff(%s, %s)",
                [before, after],
            )
        }
        checked = [
            replace(change, schema_changed=change.table in redefined)
            if change.kind is ChangeKind.CHANGED
            else change
            for change in changes
        ]
        return [
            change
            for change in checked
            if change.data_changed
            or change.schema_changed
            or change.kind is not ChangeKind.CHANGED
        ]

    def schema_changes(self, before: str, after: str) -> list[SchemaChange]:
        self._known(before)
        self._known(after)
        return sorted(
            (
                SchemaChange(new or old, before_sql or "", after_sql or "")
                for old, new, before_sql, after_sql in self._fetch(
                    "SELECT from_table_name, to_table_name, from_create_statement, "
                    "to_create_statement FROM dolt_schema_diff(%s, %s)",
                    [before, after],
                )
                if not self._own(new or old)
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
            row = self._one(f"CALL dolt_commit({marks})", args)
        except OperationalError as error:
            if "in conflict" in str(error) or "constraint violations" in str(error):
                raise ConflictsRemain(str(error)) from error
            raise
        return str(row[0]) if row else None

    def _is_merging(self) -> bool:
        row = self._one("SELECT is_merging FROM dolt_merge_status")
        return bool(row and row[0])

    def start_merge(self, theirs: str) -> MergeStatus:
        self._in_outermost_atomic()
        self._known(theirs)
        try:
            row = self._one("CALL dolt_merge('--no-ff', '--no-commit', %s)", [theirs])
        except OperationalError as error:
            if isinstance(error, EngineError):
                raise
            text = str(error)
            if "would be stomped" in text:
                left = self.uncommitted()
                raise UncommittedRows(left.tables if left else ()) from error
            raise MergeBlocked(str(error.args[-1])) from error
        assert row is not None
        _, _, conflicts, message = row
        if conflicts:
            return MergeStatus.CONFLICTS
        if message and ("up-to-date" in message or "ahead of" in message):
            return MergeStatus.UP_TO_DATE
        return MergeStatus.MERGED

    def fast_forward(self, branch: str, *, expected: str, to: str) -> None:
        self._outside_atomic()
        self._known(to)
        self._require_head(branch, expected)
        try:
            # Atomic: refused if the head is no ancestor of ``to`` any more,
            # whoever moved it. That it is ``expected`` follows from ``to``
            # having no other descendants of ``expected`` below it.
            self._fetch("CALL dolt_merge('--ff-only', %s)", [to])
        except OperationalError as error:
            text = str(error)
            if "Not possible to fast-forward" in text:
                raise BranchMoved(branch, expected, self.head(branch)) from error
            if "would be stomped" in text:
                left = self.uncommitted()
                raise UncommittedRows(left.tables if left else ()) from error
            raise
        found = self.head(branch)
        if found != to:
            raise BranchMoved(branch, expected, found)

    # Locks ---------------------------------------------------------------------

    @contextmanager
    def write_lock(self, branch: str, *, timeout: float = 20.0) -> Iterator[None]:
        with self._named_lock("write", branch, timeout):
            yield

    @contextmanager
    def landing_lock(self, branch: str, *, timeout: float = 20.0) -> Iterator[None]:
        with self._named_lock("land", branch, timeout):
            yield

    @contextmanager
    def _named_lock(self, kind: str, branch: str, timeout: float) -> Iterator[None]:
        digest = hashlib.sha256(f"{kind} {self._database} {branch}".encode())
        name = f"pollard-{digest.hexdigest()[:40]}"
        row = self._one("SELECT GET_LOCK(%s, %s)", [name, timeout])
        if not row or row[0] != 1:
            raise EngineBusy("The lock was not free in time.")
        holder = self.connection.connection
        try:
            yield
        finally:
            # A connection that died has lost the lock with it.
            if self.connection.connection is holder and holder is not None:
                self._release(name)

    def _release(self, name: str) -> None:
        try:
            self._one("SELECT RELEASE_LOCK(%s)", [name])
        except DatabaseError:
            self.connection.close()

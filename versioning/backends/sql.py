"""What both engines' repositories share: the same SQL, spelled in two dialects."""

import json
import re
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from django.db.transaction import TransactionManagementError

from versioning.backends.errors import (
    BranchIsDefault,
    BranchMoved,
    BranchNotFound,
    ConflictsRemain,
    UnknownRef,
    UnknownTable,
)
from versioning.backends.repository import (
    Author,
    Branch,
    ChangeKind,
    Commit,
    ConflictCount,
    ConflictRow,
    Key,
    Repository,
    Row,
    RowChange,
    RowWrite,
    SchemaConflict,
    TableChange,
    TableStat,
    Uncommitted,
    Violation,
    ViolationKind,
)

KEYS_AT_ONCE = 200
FETCHED_AT_ONCE = 500
PAGE = 5000  # rows of a diff read at a time
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_CONTROL_IN_MESSAGE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_KINDS = {
    "added": ChangeKind.ADDED,
    "removed": ChangeKind.REMOVED,
    "modified": ChangeKind.CHANGED,
    "dropped": ChangeKind.REMOVED,
    "renamed": ChangeKind.RENAMED,
}


class SqlRepository(Repository):
    """
    Statements that both engines take, over a few that each spells its own way.
    """

    #: The engine's own tables, besides those that begin with ``dolt_``.
    OWN_TABLES: frozenset[str] = frozenset()

    # Asking --------------------------------------------------------------------

    def _fetch(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self._engine(), self.connection.cursor() as cursor:
            cursor.execute(sql, list(params))
            return list(cursor.fetchall())

    def _one(self, sql: str, params: Sequence[Any] = ()) -> tuple[Any, ...] | None:
        rows = self._fetch(sql, params)
        return rows[0] if rows else None

    def _dicts(
        self, sql: str, params: Sequence[Any] = (), connection: Any = None
    ) -> Iterator[dict[str, Any]]:
        connection = connection or self.connection
        with self._engine(), connection.cursor() as cursor:
            cursor.execute(sql, list(params))
            names = [column[0] for column in cursor.description]
            while rows := cursor.fetchmany(FETCHED_AT_ONCE):
                for row in rows:
                    yield dict(zip(names, row, strict=True))

    @contextmanager
    def _engine(self) -> Iterator[None]:
        """Statements of the repository itself may be ones that write."""
        with self.connection.writing():
            yield

    def _name(self, *parts: str) -> str:
        """
        An identifier, quoted for this engine and for a statement with
        parameters. The parts are known names, or checked to exist.
        """
        return self._quote("".join(parts)).replace("%", "%%")

    def _outside_atomic(self) -> None:
        if self.connection.in_atomic_block:
            raise TransactionManagementError(
                "The engine commits here, so this can't be done within atomic()."
            )

    def _in_outermost_atomic(self) -> None:
        if not self.connection.in_atomic_block or self.connection.savepoint_ids:
            raise TransactionManagementError(
                "This belongs into the outermost atomic() and into no savepoint."
            )

    @abstractmethod
    def _quote(self, name: str) -> str:
        """An identifier as the engine reads it, whatever is in it."""

    def ping(self) -> None:
        self._fetch("SELECT 1")

    # Branches ------------------------------------------------------------------

    def branches(self) -> list[Branch]:
        return [self._branch(row) for row in self._fetch(self._BRANCHES)]

    def branch(self, name: str) -> Branch:
        rows = self._fetch(f"{self._BRANCHES_PLAIN} WHERE name = %s", [name])
        for row in rows:
            if row[0] == name:  # whatever the collation calls equal
                return self._branch(row)
        raise BranchNotFound(name)

    def head(self, branch: str) -> str:
        for name, hash in self._fetch(
            "SELECT name, hash FROM dolt_branches WHERE name = %s", [branch]
        ):
            if name == branch:
                return str(hash)
        raise BranchNotFound(branch)

    _BRANCHES_PLAIN = (
        "SELECT name, hash, latest_committer, latest_committer_email, "
        "latest_commit_date, latest_commit_message, dirty FROM dolt_branches"
    )
    _BRANCHES = _BRANCHES_PLAIN + " ORDER BY name"

    def _branch(self, row: tuple[Any, ...]) -> Branch:
        name, head, author, email, date, message, dirty = row
        return Branch(
            name, head, Author(author, email), utc(date), message, bool(dirty)
        )

    def _require_branch(self, name: str) -> None:
        self.head(name)

    # Refs ----------------------------------------------------------------------

    @abstractmethod
    def is_hash(self, text: str) -> bool:
        """Whether a text has the form of this engine's full hashes."""

    def _known(self, hash: str) -> None:
        """Raises ``UnknownRef`` unless this is the hash of a commit."""
        if not self.is_hash(hash) or not self._exists(hash):
            raise UnknownRef(hash)

    @abstractmethod
    def _exists(self, hash: str) -> bool: ...

    def resolve(self, ref: str) -> str:
        for name, hash in self._fetch(
            "SELECT name, hash FROM dolt_branches WHERE name = %s", [ref]
        ):
            if name == ref:
                return str(hash)
        for name, hash in self._fetch(
            "SELECT tag_name, tag_hash FROM dolt_tags WHERE tag_name = %s", [ref]
        ):
            if name == ref:
                return str(hash)
        self._known(ref)
        return ref

    # Commits -------------------------------------------------------------------

    @abstractmethod
    def _log(self, refs: Sequence[str], limit: int) -> list[Commit]:
        """Commits of a log of these refs or of one range ``a..b``."""

    @abstractmethod
    def _log_from(self, starts: Sequence[str], limit: int) -> list[Commit]:
        """``log()`` from hashes that are known to exist."""

    def count_between(self, exclude: str, include: str) -> int:
        self._known(exclude)
        self._known(include)
        found = self._one(
            "SELECT count(*) FROM dolt_log(%s)", [f"{exclude}..{include}"]
        )
        assert found is not None
        return int(found[0])

    def commits_between(
        self, exclude: str, include: str, *, limit: int
    ) -> list[Commit]:
        self._known(exclude)
        self._known(include)
        return self._log([f"{exclude}..{include}"], limit)

    def log(self, starts: Sequence[str], *, limit: int) -> list[Commit]:
        for start in starts:
            self._known(start)
        return self._log_from(list(dict.fromkeys(starts)), limit) if starts else []

    def commit(self, hash: str) -> Commit:
        self._known(hash)
        return self._log([hash], 1)[0]

    def merge_bases(self, one: str, other: str) -> list[str]:
        """
        Walks the parents: a common ancestor is best unless another common
        ancestor descends from it.
        """
        self._known(one)
        self._known(other)
        if self.merge_base(one, other) in (one, other, None):
            base = self.merge_base(one, other)
            return [] if base is None else [base]
        parents = self._parents()
        common = _reachable(parents, [one]) & _reachable(parents, [other])
        below = _reachable(parents, [p for c in common for p in parents.get(c, ())])
        return sorted(common - below)

    def children(self, hash: str) -> list[str]:
        rows = self._fetch(
            "SELECT commit_hash FROM dolt_commit_ancestors WHERE parent_hash = %s",
            [hash],
        )
        return sorted(row[0] for row in rows)

    def _parents(self) -> dict[str, tuple[str, ...]]:
        """The parents of every commit. Takes the whole history's length in time."""
        found: dict[str, list[str]] = {}
        for child, parent in self._fetch(
            "SELECT commit_hash, parent_hash FROM dolt_commit_ancestors "
            "ORDER BY commit_hash, parent_index"
        ):
            found.setdefault(child, [])
            if parent is not None:
                found[child].append(parent)
        return {child: tuple(parents) for child, parents in found.items()}

    # Tables and rows -----------------------------------------------------------

    def _own(self, table: str) -> bool:
        return table in self.OWN_TABLES or table.startswith("dolt_")

    def rows(self, table: str, keys: Sequence[Key], *, at: str) -> dict[Key, Row]:
        self._known(at)
        primary = self.primary_key(table, at)
        found: dict[Key, Row] = {}
        source, params = self._as_of(table, at)
        for batch in _batches(list(dict.fromkeys(keys))):
            where, values = self._key_in([self._name(c) for c in primary], batch)
            for row in self._dicts(
                f"SELECT * FROM {source} WHERE {where}", [*params, *values]
            ):
                found[tuple(row[column] for column in primary)] = row
        return found

    def _key_in(
        self, columns: Sequence[str], keys: Sequence[Key]
    ) -> tuple[str, list[Any]]:
        """A condition that a row has one of these keys; columns are SQL."""
        if not keys:
            return "1 = 0", []
        if len(columns) == 1:
            marks = ", ".join(["%s"] * len(keys))
            return f"{columns[0]} IN ({marks})", [key[0] for key in keys]
        one = "(" + " AND ".join(f"{column} = %s" for column in columns) + ")"
        return (
            "(" + " OR ".join([one] * len(keys)) + ")",
            [part for key in keys for part in key],
        )

    @staticmethod
    def _key_after(columns: Sequence[str], key: Key) -> tuple[str, list[Any]]:
        """A condition that a row comes after a key, in the order of the columns."""
        parts, params = [], []
        for number, column in enumerate(columns):
            equal = [f"{c} = %s" for c in columns[:number]]
            parts.append("(" + " AND ".join([*equal, f"{column} > %s"]) + ")")
            params += [*key[:number], key[number]]
        return "(" + " OR ".join(parts) + ")", params

    # Diffs ---------------------------------------------------------------------

    def diff_summary(self, before: str, after: str) -> list[TableChange]:
        self._known(before)
        self._known(after)
        return self._summary(before, after)

    def _summary(self, before: str, after: str) -> list[TableChange]:
        found = []
        for old, new, kind, data, schema in self._fetch(
            "SELECT from_table_name, to_table_name, diff_type, data_change, "
            "schema_change FROM dolt_diff_summary(%s, %s)",
            [before, after],
        ):
            table = new or old
            if not self._own(table):
                found.append(
                    TableChange(
                        table, _KINDS[kind], old or new, bool(data), bool(schema)
                    )
                )
        return sorted(found, key=lambda change: change.table)

    def diff_stat(self, before: str, after: str) -> list[TableStat]:
        self._known(before)
        self._known(after)
        return self._stat(before, after)

    def _stat(self, before: str, after: str) -> list[TableStat]:
        found = []
        for table, *counts in self._fetch(
            "SELECT table_name, rows_added, rows_deleted, rows_modified, "
            "cells_modified, old_row_count, new_row_count "
            "FROM dolt_diff_stat(%s, %s)",
            [before, after],
        ):
            added, removed, changed, cells, old, new = (int(c or 0) for c in counts)
            if not self._own(table) and added + removed + changed:
                found.append(TableStat(table, added, removed, changed, cells, old, new))
        return sorted(found, key=lambda stat: stat.table)

    def diff_rows(
        self,
        table: str,
        before: str,
        after: str,
        *,
        since: Key | None = None,
        limit: int | None = None,
        kinds: Sequence[ChangeKind] = (),
        keys: Sequence[Key] | None = None,
    ) -> Iterator[RowChange]:
        self._known(before)
        self._known(after)
        there = table in self.tables(after)
        if not there and table not in self.tables(before):
            raise UnknownTable(table)
        primary = self.primary_key(table, after if there else before)
        primary = primary or tuple(self.columns(table, after if there else before))
        return self._changes(table, before, after, primary, since, limit, kinds, keys)

    def _changes(
        self,
        table: str,
        before: str,
        after: str,
        primary: Key,
        since: Key | None,
        limit: int | None,
        kinds: Sequence[ChangeKind],
        keys: Sequence[Key] | None,
    ) -> Iterator[RowChange]:
        """Page by page, so that no cursor stays open while the caller works."""
        if keys is not None:
            yield from self._changes_of(table, before, after, primary, keys, kinds)
            return
        left = limit
        while left is None or left > 0:
            size = PAGE if left is None else min(left, PAGE)
            page = list(
                self._change_page(table, before, after, primary, since, size, kinds)
            )
            yield from page
            if len(page) < size:
                return
            since = page[-1].key
            left = None if left is None else left - size

    def _change_page(
        self,
        table: str,
        before: str,
        after: str,
        primary: Key,
        since: Key | None,
        limit: int,
        kinds: Sequence[ChangeKind],
    ) -> Iterator[RowChange]:
        order = [
            f"coalesce({self._name('to_', c)}, {self._name('from_', c)})"
            for c in primary
        ]
        where, params = self._kinds(kinds)
        if since is not None:
            condition, more = self._key_after(order, since)
            where.append(condition)
            params += more
        yield from self._read_changes(
            table, before, after, primary, where, params, order, limit
        )

    def _changes_of(
        self,
        table: str,
        before: str,
        after: str,
        primary: Key,
        keys: Sequence[Key],
        kinds: Sequence[ChangeKind],
    ) -> Iterator[RowChange]:
        """
        Two questions, not one with OR: that takes Dolt 1.5 s at a million rows.
        """
        found: list[RowChange] = []
        for batch in _batches(list(dict.fromkeys(keys))):
            for side in ("to_", "from_"):
                where, params = self._kinds(kinds)
                condition, more = self._key_in(
                    [self._name(side, c) for c in primary], batch
                )
                where.append(condition)
                params += more
                if side == "from_":
                    where.append("diff_type = 'removed'")
                found += self._read_changes(
                    table, before, after, primary, where, params, [], None
                )
        yield from sorted(found, key=lambda change: change.key)

    @staticmethod
    def _kinds(kinds: Sequence[ChangeKind]) -> tuple[list[str], list[Any]]:
        if not kinds:
            return [], []
        spelled = {kind: word for word, kind in _KINDS.items() if word != "dropped"}
        marks = ", ".join(["%s"] * len(kinds))
        return [f"diff_type IN ({marks})"], [spelled[kind] for kind in kinds]

    def _read_changes(
        self,
        table: str,
        before: str,
        after: str,
        primary: Key,
        where: list[str],
        params: list[Any],
        order: list[str],
        limit: int | None,
    ) -> Iterator[RowChange]:
        source, first = self._diff_source(table, before, after)
        sql = f"SELECT * FROM {source}"
        if where:
            sql += " WHERE " + " AND ".join(where)
        if order:
            sql += " ORDER BY " + ", ".join(order)
        if limit is not None:
            sql += f" LIMIT {int(limit)}"
        names, rows = self._diff_read(table, before, after, sql, [*first, *params])
        to_end = names.index("to_commit_date") - 1
        from_start = to_end + 2
        from_end = len(names) - 3
        for row in rows:
            kind = _KINDS[row[-1]]
            after_row = {
                name.removeprefix("to_"): value
                for name, value in zip(names[:to_end], row[:to_end], strict=True)
            }
            before_row = {
                name.removeprefix("from_"): value
                for name, value in zip(
                    names[from_start:from_end], row[from_start:from_end], strict=True
                )
            }
            keyed = before_row if kind is ChangeKind.REMOVED else after_row
            yield RowChange(
                kind,
                tuple(keyed.get(column) for column in primary),
                None if kind is ChangeKind.ADDED else before_row,
                None if kind is ChangeKind.REMOVED else after_row,
            )

    @abstractmethod
    def _diff_source(
        self, table: str, before: str, after: str
    ) -> tuple[str, list[Any]]:
        """The engine's table function of a diff, and its parameters."""

    @abstractmethod
    def _diff_read(
        self, table: str, before: str, after: str, sql: str, params: list[Any]
    ) -> tuple[list[str], list[tuple[Any, ...]]]: ...

    @abstractmethod
    def _as_of(self, table: str, at: str) -> tuple[str, list[Any]]: ...

    # The working set -----------------------------------------------------------

    def uncommitted(self) -> Uncommitted | None:
        rows = self._fetch("SELECT DISTINCT table_name FROM dolt_status")
        return Uncommitted(tuple(sorted(row[0] for row in rows))) if rows else None

    def _check_commit(self, message: str, author: Author) -> str:
        if not message.strip():
            raise ValueError("A commit needs a message.")
        if _CONTROL_IN_MESSAGE.search(message):
            raise ValueError("A commit message can\u2019t hold control characters.")
        text = f"{author.name}{author.email}"
        if (
            not author.name.strip()
            or not author.email.strip()
            or (_CONTROL.search(text) or set(text) & set("<>()"))
        ):
            raise ValueError(f"This can\u2019t be an author: {author}")
        return f"{author.name} <{author.email}>"

    # Merging -------------------------------------------------------------------

    def conflict_counts(self) -> list[ConflictCount]:
        rows = self._fetch(
            f"SELECT {self._name('table')}, num_conflicts FROM dolt_conflicts"
        )
        return sorted(
            (
                ConflictCount(table, int(count))
                for table, count in rows
                if not self._own(table) and int(count)
            ),
            key=lambda count: count.table,
        )

    def conflicts(
        self,
        table: str,
        *,
        since: Key | None = None,
        limit: int | None = None,
        keys: Sequence[Key] | None = None,
    ) -> list[ConflictRow]:
        self._require_table(table)
        primary = self.primary_key(table)
        order = [self._conflict_key(column) for column in primary]
        where: list[str] = []
        params: list[Any] = []
        if since is not None:
            condition, more = self._key_after(order, since)
            where.append(condition)
            params += more
        if keys is not None:
            found = []
            for batch in _batches(list(dict.fromkeys(keys))):
                condition, more = self._key_in(order, batch)
                found += self._read_conflicts(
                    table, primary, [*where, condition], [*params, *more], order, limit
                )
            return sorted(found, key=lambda row: row.key)[:limit]
        return self._read_conflicts(table, primary, where, params, order, limit)

    def _conflict_key(self, column: str) -> str:
        names = (self._name(side, column) for side in ("base_", "our_", "their_"))
        return f"coalesce({', '.join(names)})"

    def _read_conflicts(
        self,
        table: str,
        primary: Key,
        where: list[str],
        params: list[Any],
        order: list[str],
        limit: int | None,
    ) -> list[ConflictRow]:
        sql = f"SELECT * FROM {self._name('dolt_conflicts_', table)}"
        if where:
            sql += " WHERE " + " AND ".join(where)
        sql += " ORDER BY " + ", ".join(order)
        if limit is not None:
            sql += f" LIMIT {int(limit)}"
        found = []
        for row in self._dicts(sql, params):
            base, ours, theirs = (
                {
                    name.removeprefix(side): value
                    for name, value in row.items()
                    if name.startswith(side) and name != f"{side}diff_type"
                }
                for side in ("base_", "our_", "their_")
            )
            versions = {
                "base": None
                if all(base.get(column) is None for column in primary)
                else base,
                "ours": None if row["our_diff_type"] == "removed" else ours,
                "theirs": None if row["their_diff_type"] == "removed" else theirs,
            }
            some = versions["base"] or versions["ours"] or versions["theirs"]
            assert some is not None
            found.append(
                ConflictRow(
                    table, tuple(some[column] for column in primary), **versions
                )
            )
        return found

    def schema_conflicts(self) -> list[SchemaConflict]:
        return [
            SchemaConflict(*(str(part or "") for part in row))
            for row in self._fetch(
                "SELECT table_name, base_schema, our_schema, their_schema, "
                "description FROM dolt_schema_conflicts ORDER BY table_name"
            )
        ]

    def violations(self, *, limit: int | None = None) -> list[Violation]:
        tables = self._fetch(
            f"SELECT {self._name('table')}, num_violations "
            "FROM dolt_constraint_violations"
        )
        found: list[Violation] = []
        for table in sorted(row[0] for row in tables if int(row[1])):
            if limit is not None and len(found) >= limit:
                break
            found += self._violations_of(
                table, None if limit is None else limit - len(found)
            )
        return found

    def _violations_of(self, table: str, limit: int | None) -> list[Violation]:
        primary = self.primary_key(table)
        order = ", ".join(self._name(column) for column in primary) or "violation_type"
        sql = (
            f"SELECT * FROM {self._name('dolt_constraint_violations_', table)} "
            f"ORDER BY {order}"
        )
        if limit is not None:
            sql += f" LIMIT {int(limit)}"
        columns = self.columns(table)
        found = []
        for row in self._dicts(sql):
            raw = row["violation_info"]
            info = json.loads(raw) if isinstance(raw, str | bytes) else raw or {}
            named = info.get("Columns") or []
            found.append(
                Violation(
                    table=table,
                    kind=ViolationKind(row["violation_type"]),
                    key=tuple(row[column] for column in primary),
                    row={column: row[column] for column in columns if column in row},
                    columns=tuple(named) if isinstance(named, list) else (),
                    referenced_table=str(info.get("ReferencedTable") or ""),
                    detail=json.dumps(info),
                )
            )
        return found

    def merged_summary(self) -> list[TableChange]:
        return self._summary("HEAD", "WORKING")

    def merged_stat(self) -> list[TableStat]:
        return self._stat("HEAD", "WORKING")

    def merged_rows(
        self,
        table: str,
        *,
        since: Key | None = None,
        limit: int | None = None,
        keys: Sequence[Key] | None = None,
    ) -> Iterator[RowChange]:
        primary = self.primary_key(table) or tuple(self.columns(table))
        return self._changes(table, "HEAD", "WORKING", primary, since, limit, (), keys)

    def write_rows(self, table: str, writes: Sequence[RowWrite]) -> None:
        self._require_table(table)
        primary = self.primary_key(table)
        columns = [self._name(column) for column in primary]
        quoted = self._name(table)
        gone = [write.key for write in writes if write.values is None]
        for batch in _batches(gone):
            where, params = self._key_in(columns, batch)
            self._fetch_nothing(f"DELETE FROM {quoted} WHERE {where}", params)
        groups: dict[tuple[str, ...], list[RowWrite]] = {}
        for write in writes:
            if write.values is not None:
                groups.setdefault(tuple(write.values), []).append(write)
        there = self._existing(
            table, primary, [w.key for g in groups.values() for w in g]
        )
        for names, group in groups.items():
            self._update(quoted, primary, names, [w for w in group if w.key in there])
            self._insert(
                quoted, primary, names, [w for w in group if w.key not in there]
            )

    def _existing(self, table: str, primary: Key, keys: Sequence[Key]) -> set[Key]:
        columns = [self._name(column) for column in primary]
        found: set[Key] = set()
        for batch in _batches(list(keys)):
            where, params = self._key_in(columns, batch)
            found |= {
                tuple(row)
                for row in self._fetch(
                    f"SELECT {', '.join(columns)} FROM {self._name(table)} "
                    f"WHERE {where}",
                    params,
                )
            }
        return found

    def _update(
        self, table: str, primary: Key, names: Sequence[str], writes: list[RowWrite]
    ) -> None:
        names = [name for name in names if name not in primary]
        if not writes or not names:
            return
        changes = ", ".join(f"{self._name(name)} = %s" for name in names)
        where = " AND ".join(f"{self._name(column)} = %s" for column in primary)
        self._execute_many(
            f"UPDATE {table} SET {changes} WHERE {where}",
            [
                [*(w.values[name] for name in names), *w.key]  # type: ignore[index]
                for w in writes
            ],
        )

    def _insert(
        self, table: str, primary: Key, names: Sequence[str], writes: list[RowWrite]
    ) -> None:
        if not writes:
            return
        names = list(dict.fromkeys([*primary, *names]))
        quoted = ", ".join(self._name(name) for name in names)
        marks = ", ".join(["%s"] * len(names))
        self._execute_many(
            f"INSERT INTO {table} ({quoted}) VALUES ({marks})",
            [
                [
                    {**dict(zip(primary, w.key, strict=True)), **(w.values or {})}[name]
                    for name in names
                ]
                for w in writes
            ],
        )

    def _execute_many(self, sql: str, rows: list[list[Any]]) -> None:
        with self._engine(), self.connection.cursor() as cursor:
            cursor.executemany(sql, rows)

    def _fetch_nothing(self, sql: str, params: Sequence[Any]) -> int:
        with self._engine(), self.connection.cursor() as cursor:
            cursor.execute(sql, list(params))
            return int(cursor.rowcount)

    def settle_conflicts(self, table: str, keys: Sequence[Key]) -> None:
        """By primary key: DoltLite numbers its conflict ids anew at each delete."""
        self._require_table(table)
        order = [self._conflict_key(column) for column in self.primary_key(table)]
        wanted = list(dict.fromkeys(keys))
        settled = 0
        for batch in _batches(wanted):
            listed = self.conflicts(table, keys=batch)
            if len(listed) != len(batch):
                raise ConflictsRemain(
                    f"{table}: not all of these rows are in conflict."
                )
            where, params = self._key_in(order, batch)
            self._fetch_nothing(
                f"DELETE FROM {self._name('dolt_conflicts_', table)} WHERE {where}",
                params,
            )
            if self.conflicts(table, keys=batch):
                raise ConflictsRemain(f"{table}: rows stayed in conflict.")
            settled += len(batch)

    def settle_violations(self, table: str) -> None:
        self._require_table(table)
        self._fetch_nothing(
            f"DELETE FROM {self._name('dolt_constraint_violations_', table)}", []
        )

    def _require_table(self, table: str) -> None:
        if table not in self.tables():
            raise UnknownTable(table)

    # Constraints ---------------------------------------------------------------

    def broken_constraints(self) -> list[Violation]:
        self._outside_atomic()
        found: list[Violation] = []
        with self.connection.cursor() as cursor:
            for table in self.tables():
                constraints = self.connection.introspection.get_constraints(
                    cursor, table
                )
                for constraint in constraints.values():
                    if constraint["foreign_key"]:
                        found += self._orphans(table, constraint)
                    elif constraint["unique"] and not constraint["primary_key"]:
                        found += self._duplicates(table, constraint)
        return found

    def _orphans(self, table: str, constraint: dict[str, Any]) -> list[Violation]:
        parent, column = constraint["foreign_key"]
        (child,) = constraint["columns"]
        condition = (
            f"SELECT c.* FROM {self._name(table)} c "
            f"LEFT JOIN {self._name(parent)} p "
            f"ON p.{self._name(column)} = c.{self._name(child)} "
            f"WHERE c.{self._name(child)} IS NOT NULL "
            f"AND p.{self._name(column)} IS NULL LIMIT 100"
        )
        return self._faults(
            table, ViolationKind.FOREIGN_KEY, condition, (child,), parent
        )

    def _duplicates(self, table: str, constraint: dict[str, Any]) -> list[Violation]:
        columns = constraint["columns"]
        if not columns or None in columns:  # an index on an expression
            return []
        names = ", ".join(self._name(column) for column in columns)
        same = " AND ".join(
            f"c.{self._name(column)} = d.{self._name(column)}" for column in columns
        )
        condition = (
            f"SELECT c.* FROM {self._name(table)} c JOIN (SELECT {names} "
            f"FROM {self._name(table)} GROUP BY {names} HAVING count(*) > 1) d "
            f"ON {same} LIMIT 100"
        )
        return self._faults(table, ViolationKind.UNIQUE, condition, tuple(columns), "")

    def _faults(
        self,
        table: str,
        kind: ViolationKind,
        sql: str,
        columns: tuple[str, ...],
        parent: str,
    ) -> list[Violation]:
        primary = self.primary_key(table)
        return [
            Violation(
                table,
                kind,
                tuple(row[column] for column in primary),
                row,
                columns,
                parent,
                "",
            )
            for row in self._dicts(sql)
        ]

    def _require_head(self, branch: str, expected: str) -> None:
        found = self.head(branch)
        if found != expected:
            raise BranchMoved(branch, expected, found)

    def _refuse_default(self, name: str) -> None:
        if name == self.default_branch():
            raise BranchIsDefault(name)


def utc(date: Any) -> datetime:
    """A commit's date, which the engines give without a zone, in UTC."""
    if isinstance(date, str):
        date = datetime.fromisoformat(date)
    return date.replace(tzinfo=UTC)


def _batches(items: list[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(items), KEYS_AT_ONCE):
        yield items[start : start + KEYS_AT_ONCE]


def _reachable(parents: dict[str, tuple[str, ...]], starts: Sequence[str]) -> set[str]:
    found: set[str] = set()
    waiting = list(starts)
    while waiting:
        hash = waiting.pop()
        if hash not in found:
            found.add(hash)
            waiting += parents.get(hash, ())
    return found

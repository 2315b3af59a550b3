"""Reading an embedded DoltLite file: commits, tables as of a commit, diffs."""

import re
import sqlite3
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import count, groupby, islice, pairwise, zip_longest
from operator import itemgetter
from typing import Any

from django.db.backends.sqlite3.base import SQLiteCursorWrapper
from django.db.backends.utils import CursorWrapper

from versioning.backends.doltlite.definitions import checks_in, index_in
from versioning.backends.doltlite.renamed import (
    Keyed,
    after_key,
    keyless_changes,
    ordered_by,
    row_changes,
)
from versioning.backends.errors import UnknownTable
from versioning.backends.repository import (
    Author,
    ChangeKind,
    Commit,
    Key,
    RowChange,
)
from versioning.backends.spelling import folded, readable
from versioning.backends.sql import SqlRepository
from versioning.backends.sql.constraints import EVERY_ROW, Part, UniqueIndex
from versioning.backends.sql.export import STREAMED_AT_ONCE
from versioning.backends.sql.rules import columns_in
from versioning.backends.sql.statements import Table, batches, escaped, utc
from versioning.backends.sql.tables import Diff, Schema

KEPT = 2000  # KiB of the file's pages, by a connection that reads a stream
READERS = 4  # connections kept open at other commits
# The parents one by one, each by its key: as a join this takes O(n²).
_LOG = (
    "SELECT commit_hash, committer, email, date, message, "
    "(SELECT group_concat(parent_hash) FROM (SELECT parent_hash "
    "FROM dolt_commit_ancestors a WHERE a.commit_hash = l.commit_hash "
    "ORDER BY parent_index)) FROM dolt_log(%s) l"
)
_INFO = 'p.name, p.type, p."notnull", p.dflt_value, p.hidden, p.pk'
_HASH = re.compile(r"[0-9a-f]{40}\Z")


class Reading(SqlRepository):
    OWN_TABLES = frozenset({"sqlite_sequence", "sqlite_stat1", "sqlite_stat4"})

    def __init__(self, connection: Any):
        super().__init__(connection)
        self._readers: dict[str, sqlite3.Connection] = {}

    def _quote(self, name: str) -> str:
        return '"' + name.replace('"', '""') + '"'

    def _place(self) -> str:
        return str(self.connection.path)

    # Reading another commit --------------------------------------------------

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
        reader = self._readers[at] = self.open(at)
        while len(self._readers) > READERS:
            self._readers.pop(next(iter(self._readers))).close()
        return reader

    def open(self, at: str = "") -> sqlite3.Connection:
        """A new connection, at a hash or on the default branch."""
        opened = sqlite3.connect(
            f"{self.connection.path}@{at}" if at else self.connection.path,
            isolation_level=None,
            check_same_thread=False,
            timeout=20,
        )
        opened.create_function("versioning_holds", 3, _holds, deterministic=True)
        return opened

    def close_readers(self) -> None:
        for reader in self._readers.values():
            reader.close()
        self._readers.clear()

    def _table_at(self, at: str, sql: str, params: Sequence[Any] = ()) -> Table:
        with self._cursor(self._reader(at)) as cursor:
            cursor.execute(sql, list(params))
            names = [column[0] for column in cursor.description or ()]
            return names, cursor.fetchall()

    def _cursor(self, reader: sqlite3.Connection) -> CursorWrapper:
        """A cursor whose statements pass whatever watches the connection’s own."""
        own = self.connection
        make = own.make_debug_cursor if own.queries_logged else own.make_cursor
        found: CursorWrapper = make(reader.cursor(SQLiteCursorWrapper))
        return found

    # Commits -----------------------------------------------------------------

    def is_hash(self, text: str) -> bool:
        return _HASH.match(text) is not None

    def _log(self, start: str, limit: int) -> list[Commit]:
        return self._read_commits(f"{_LOG} LIMIT {int(limit)}", [start])

    def _log_where(
        self, within: str, where: str, params: Sequence[str]
    ) -> list[Commit]:
        return self._read_commits(f"{_LOG} WHERE {where}", [within, *params])

    def _each(self, hashes: Sequence[str]) -> list[Commit]:
        one = f"SELECT * FROM ({_LOG} LIMIT 1)"
        return self._read_commits(" UNION ALL ".join([one] * len(hashes)), hashes)

    def _read_commits(self, sql: str, params: Sequence[str]) -> list[Commit]:
        return self._meet(
            [
                Commit(
                    hash,
                    Author(name, email),
                    utc(date),
                    message,
                    tuple(parents.split(",")) if parents else (),
                )
                for hash, name, email, date, message, parents in self._fetch(
                    sql, params
                )
            ]
        )

    def _log_from(self, starts: Sequence[str], limit: int) -> list[Commit]:
        """
        ``dolt_log()`` takes one start; several need to know who descends from
        whom, far below what is listed. It orders as ``Ancestry`` does, but for
        commits of one height and second: then a page must not rely on it, as
        the next one starts elsewhere and would meet them in another order.
        """
        page: list[Commit] = []
        if len(starts) == 1:
            page = self._log(starts[0], limit + 1)
            if not any(_tied(one, next_) for one, next_ in pairwise(page)):
                return page[:limit]
        ancestry = self._ancestry(*starts, ordered=True)
        walk = list(islice(ancestry.walk(starts), limit))
        found = {commit.hash: commit for commit in page}
        for batch in batches([hash for hash in walk if hash not in found]):
            found |= {commit.hash: commit for commit in self._each(batch)}
        return [found[hash] for hash in walk]

    def _engines_base(self, one: str, other: str) -> str | None:
        # The engine takes 15 µs for each commit between the two.
        bases = self._ancestry(one, other).best_common([one], other)
        if len(bases) < 2:
            return bases[0] if bases else None
        found = self._value("SELECT dolt_merge_base(%s, %s)", [one, other])
        return None if found is None else str(found)

    # Tables ------------------------------------------------------------------

    def _tables(self) -> list[str]:
        sql = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
        return [row[0] for row in self._fetch(sql) if not self._own(row[0])]

    def _read_schema(self, at: str | None) -> Schema:
        sql = (
            f"SELECT m.name, {_INFO} FROM sqlite_master m, "
            "pragma_table_xinfo(m.name) p "
            "WHERE m.type = 'table' ORDER BY m.name, p.cid"
        )
        found: dict[str, list[Any]] = {}
        rows = self._fetch(sql) if at is None else self._table_at(at, sql)[1]
        for table, *column in rows:
            if not self._own(table):
                found.setdefault(table, []).append(tuple(column))
        return found

    def _columns(self, table: str, at: str | None) -> list[str]:
        return [name for name, *_, hidden, _ in self._info(table, at) if not hidden]

    def _generated(self, table: str, at: str | None) -> frozenset[str]:
        columns = self._info(table, at)
        return frozenset(name for name, *_, hidden, _ in columns if hidden)

    def column_definitions(self, table: str, at: str) -> dict[str, str]:
        self._require_table(table, at)
        return {name: repr(rest) for name, *rest in self._info(table, at)}

    def _primary_key(self, table: str, at: str | None) -> Key:
        keyed = sorted((number, name) for name, *_, number in self._info(table, at))
        return tuple(name for number, name in keyed if number)

    def _key_kinds(
        self, table: str, at: str | None, definition: str = ""
    ) -> Sequence[tuple[str, str]]:
        types = {name: str(kind).lower() for name, kind, *_ in self._info(table, at)}
        return [(name, types[name]) for name in self._primary_key(table, at)]

    def _info(self, table: str, at: str | None) -> Sequence[tuple[Any, ...]]:
        """
        Columns in order: name, …, whether generated, and place in the primary
        key or 0.
        """
        if not self._is_open(at):
            return self._schema(at).get(table, ())
        return self._fetch(
            f"SELECT {_INFO} FROM pragma_table_xinfo(%s) p ORDER BY p.cid", [table]
        )

    def _table_of_state(self, table: str) -> str:
        return f"{self._name('dolt_at_', table)}(%s)"

    def _read_at(self, at: str, table: str, where: str, params: Sequence[Any]) -> Table:
        return self._ask_at(at, table, f"SELECT * FROM {{}} WHERE {where}", params)

    def _ask_at(self, at: str, table: str, sql: str, params: Sequence[Any]) -> Table:
        return self._table_at(at, sql.replace("{}", self._name(table), 1), params)

    def _finding(self, column: str, text: str, is_document: bool) -> tuple[str, str]:
        # The engine's own LIKE knows the case of A to Z alone. As bytes, since a
        # function is not called with a text that is no UTF-8.
        value = f"CAST({self._name(column)} AS BLOB)"
        return f"versioning_holds({value}, %s, {int(is_document)})", folded(text)

    def _ranges(self, table: str) -> Mapping[str, tuple[int, int]]:
        """The driver fails with others, whatever a column is declared as."""
        return dict.fromkeys(self._columns(table, None), (-(2**63), 2**63 - 1))

    # Diffs -------------------------------------------------------------------

    def _former_name(self, table: str, before: str, after: str) -> str:
        if table in self.tables(self._state(before)):
            return ""
        found = (
            change.old_table
            for change in self._summary(before, after)
            if change.table == table and change.kind is ChangeKind.RENAMED
        )
        former = next(found, "")
        if former and self._goes_on(former, table, before, after):
            return former
        return ""  # no row of one state is the same row in the other

    def _goes_on(self, old: str, new: str, before: str, after: str) -> bool:
        ends = (old, self._state(before)), (new, self._state(after))
        return super()._goes_on(old, new, before, after) and (
            len({len(self._primary_key(*end)) for end in ends}) == 1
        )

    def _changes(
        self,
        diff: Diff,
        since: Key | None,
        limit: int | None,
        kinds: Sequence[ChangeKind],
        keys: Sequence[Key] | None,
    ) -> Iterator[RowChange]:
        if not diff.former:
            return super()._changes(diff, since, limit, kinds, keys)
        sides = (
            (diff.former, self._state(diff.before)),
            (diff.table, self._state(diff.after)),
        )
        if not diff.primary:
            found = keyless_changes(
                *(self._rows_where(*side, "1 = 1", []) for side in sides)
            )
            wanted = (one for one in found if not kinds or one.kind in kinds)
            return self._in_their_order(wanted, since, limit, keys)
        if keys is None and diff.after != "WORKING":
            changes = self._differing(diff, since)
        else:
            changes = row_changes(*(self._keyed(*side, since, keys) for side in sides))
        wanted = (one for one in changes if not kinds or one.kind in kinds)
        return islice(wanted, limit)

    def _differing(self, diff: Diff, since: Key | None) -> Iterator[RowChange]:
        """What differs in a table with a ``Diff.former`` name, after a key."""
        old = diff.former, str(self._state(diff.before))
        new = diff.table, str(self._state(diff.after))
        befores, afters = self._not_in(old, new, since), self._not_in(new, old, since)
        with closing(befores), closing(afters):
            yield from row_changes(befores, afters)

    def _not_in(
        self, side: tuple[str, str], other: tuple[str, str], since: Key | None
    ) -> Generator[Keyed, None, None]:
        """
        Rows of a table as of a hash, in order of key, that another has not just so.

        What is the same, which is most of it, never comes into Python. A part of a
        key is compared twice: first as its index does, which may be blind to case.
        """
        table, at = side
        primary = self._primary_key(table, at)
        order = ordered_by([self._name(column) for column in primary])
        where, params = self._key_after(order, since) if since else ("1 = 1", [])
        # By place, and of what only one of them has, whether it holds nothing.
        pairs = zip_longest(self._columns(*other), self._columns(*side))
        same = [
            f"o.{self._name(one)} IS n.{self._name(key)}"
            for one, key in zip(self._primary_key(*other), primary, strict=True)
        ]
        same += [
            " IS ".join(
                f"+{name}.{self._name(column)}" if column else "NULL"
                for name, column in zip("on", pair, strict=True)
            )
            + " COLLATE BINARY"
            for pair in pairs
        ]
        sql = (
            f"SELECT * FROM main.{self._name(table)} n WHERE {where} AND NOT EXISTS "
            f"(SELECT 1 FROM other.{self._name(other[0])} o "
            f"WHERE {' AND '.join(same)}) ORDER BY {', '.join(order)}"
        )
        for part in self._stream(at, sql, params, other=other[1]):
            for row in self._as_rows(table, at, part):
                yield tuple(row[column] for column in primary), row

    def _stream(
        self, at: str, sql: str, params: Sequence[Any], *, other: str = ""
    ) -> Iterator[Table]:
        """
        What a statement gives at a hash, part by part. Another hash's tables are
        there as those of the database ``other``.
        """
        with self.connection.wrap_database_errors, closing(self.open(at)) as reader:
            # It comes by each page once. The engine keeps 64 MB of them, and takes
            # longer the more it keeps.
            reader.execute(f"PRAGMA cache_size = -{KEPT}")
            if other:
                attached = f"{self.connection.path}@{other}"
                reader.execute("ATTACH ? AS other", [attached])
            cursor = self._cursor(reader)
            cursor.execute(sql, list(params))
            names = [column[0] for column in cursor.description or ()]
            while rows := cursor.fetchmany(STREAMED_AT_ONCE):
                yield names, rows

    def _keyed(
        self,
        table: str,
        at: str | None,
        since: Key | None,
        keys: Sequence[Key] | None,
    ) -> Iterator[Keyed]:
        """All rows of a state after a key, or those of ``keys``, in their order."""
        if keys is not None:
            yield from after_key(self.rows(table, keys, at=at), since)
            return
        primary = self._primary_key(table, at)
        order = ordered_by([self._name(column) for column in primary])
        while True:
            where, params = self._key_after(order, since) if since else ("1 = 1", [])
            where += f" ORDER BY {', '.join(order)} LIMIT {STREAMED_AT_ONCE}"
            rows = self._rows_where(table, at, where, params)
            for row in rows:
                since = tuple(row[column] for column in primary)
                yield since, row
            if len(rows) < STREAMED_AT_ONCE:
                return

    def _diff(self, diff: Diff, tail: str, params: Sequence[Any]) -> Table:
        sql, params = self._diff_sql(diff, tail, params)
        if diff.after == "WORKING":
            return self._table(sql, params)
        there = diff.table in self.tables(diff.after)
        return self._table_at(diff.after if there else diff.before, sql, params)

    def _diff_sql(
        self, diff: Diff, tail: str, params: Sequence[Any]
    ) -> tuple[str, list[Any]]:
        sql = f"SELECT * FROM {self._name('dolt_diff_', diff.table)}(%s, %s){tail}"
        return sql, [diff.before, diff.after, *params]

    def _way(self, diff: Diff, where: str, params: Sequence[Any], limit: int) -> Table:
        sql = (
            f"SELECT * FROM {self._name('dolt_diff_', diff.table)} WHERE {where} "
            f"ORDER BY to_commit_date DESC LIMIT {int(limit)}"
        )
        return self._table_at(diff.after, sql, params)

    def _spelled(
        self, table: str, at: str | None, own: frozenset[str]
    ) -> Mapping[str, str]:
        # With the first number that makes it no other column's name.
        columns = self._columns(table, at)
        taken = {column.lower() for column in columns}
        return {
            column: next(
                name
                for number in count(1)
                if (name := f"{column}_{number}").lower() not in taken
            )
            for column in columns
            if column.lower() in own
        }

    def _complete(self, diff: Diff, changes: list[RowChange]) -> list[RowChange]:
        """
        With the columns that only the earlier state has: the engine leaves
        them out where it reads with the later one's schema.
        """
        before, after = self._state(diff.before), self._state(diff.after)
        keys = [change.key for change in changes if change.before is not None]
        if not keys or not diff.primary or diff.table not in self.tables(before):
            return changes
        if diff.table not in self.tables(after):
            return changes
        if self._columns(diff.table, before) == self._columns(diff.table, after):
            return changes
        try:
            earlier = self.rows(diff.table, keys, at=before)
        except UnknownTable:
            return changes
        return [
            replace(change, before=earlier.get(change.key))
            if change.before is not None
            else change
            for change in changes
        ]

    # Constraints: Django's introspection reads a table's SQL here, which the
    # engine writes in its own way, and misses some.

    def _foreign_key_columns(
        self, at: str | None
    ) -> Iterable[tuple[str, Any, str, str, str | None]]:
        sql = (
            'SELECT m.name, k.id, k."from", k."table", k."to" '
            "FROM sqlite_master m, pragma_foreign_key_list(m.name) k "
            "WHERE m.type = 'table' ORDER BY m.name, k.id, k.seq"
        )
        return self._fetch(sql) if at is None else self._table_at(at, sql)[1]

    def _unique_indexes(self) -> Iterable[tuple[str, UniqueIndex]]:
        rows = self._fetch(
            "SELECT m.name, i.name, x.sql, c.name, c.coll FROM sqlite_master m, "
            "pragma_index_list(m.name) i, pragma_index_xinfo(i.name) c "
            "LEFT JOIN sqlite_master x ON x.type = 'index' AND x.name = i.name "
            "WHERE m.type = 'table' AND i.\"unique\" AND i.origin <> 'pk' AND c.key "
            "ORDER BY m.name, i.name, c.seqno"
        )
        for (table, _, sql), of_index in groupby(rows, key=itemgetter(0, 1, 2)):
            written, where = index_in(sql) if sql else ((), "")
            parts, about = [], []
            for place, (*_, column, collation) in enumerate(of_index):
                compared = self._name(column) if column else escaped(written[place])
                parts.append(Part(compared, f" COLLATE {self._name(collation)}"))
                if column:
                    about.append(column)
                else:
                    about += columns_in(compared, self._columns(table, None))
            where = escaped(where) or EVERY_ROW
            yield table, UniqueIndex(tuple(parts), tuple(about), where)

    def _check_clauses(self) -> Iterable[tuple[str, str, str]]:
        tables = self._fetch("SELECT name, sql FROM sqlite_master WHERE type = 'table'")
        return [
            (table, name, clause)
            for table, sql in tables
            for name, clause in checks_in(sql or "")
        ]

    def _required_columns(self) -> Iterable[tuple[str, str]]:
        return self._fetch(
            "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c "
            "WHERE m.type = 'table' AND c.\"notnull\" ORDER BY m.name, c.cid"
        )


def _holds(value: bytes | None, wanted: str, is_document: bool) -> bool:
    """Whether a value holds a text that is ``folded()``."""
    if value is None:
        return False
    text = value.decode(errors="replace")
    return wanted in folded(readable(text) if is_document else text)


def _tied(one: Commit, next_: Commit) -> bool:
    """Whether nothing but chance can have put these two in this order."""
    return one.date == next_.date and next_.hash not in one.parents

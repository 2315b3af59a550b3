"""Tables, rows and diffs, in the SQL that both engines take."""

import re
from abc import abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from typing import Any, cast

from django.db import DatabaseError

from versioning.backends.errors import EngineError, UnknownTable
from versioning.backends.repository import (
    ChangeKind,
    Key,
    KeyChange,
    Row,
    RowChange,
    SchemaChange,
    TableChange,
    TableStat,
)
from versioning.backends.sql.statements import Statements, Table, batches

PAGE = 5000  # rows of a diff read at a time
STATES_AT_ONCE = 50  # two hundred take Dolt 4.6 s, fifty 0.03 s
KINDS = {
    "added": ChangeKind.ADDED,
    "removed": ChangeKind.REMOVED,
    "modified": ChangeKind.CHANGED,
    "dropped": ChangeKind.REMOVED,
    "renamed": ChangeKind.RENAMED,
}
_SPELLED = {
    ChangeKind.ADDED: "added",
    ChangeKind.REMOVED: "removed",
    ChangeKind.CHANGED: "modified",
    ChangeKind.RENAMED: "renamed",
}
MAKES_TABLE = re.compile(r"\s*CREATE TABLE\b", re.I)
MAKES_INDEX = re.compile(r"\s*CREATE\s+(?:UNIQUE\s+)?INDEX\b", re.I)


#: By table: what the engine says of it, in a form of its own.
Schema = Mapping[str, Sequence[Any]]

#: What ``_always()`` says of the working set's rows.
STATUS = ("status", None)
_OF_WORKING_SET = (("differences", None, None), ("stat", None, None), STATUS)

_Differences = tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]


#: The engines' own columns beside those of a table, in diffs.
OF_DIFFS = frozenset({"commit", "commit_date"})


@dataclass(frozen=True, slots=True)
class Diff:
    """One table between two refs: hashes, or HEAD and WORKING."""

    table: str
    before: str
    after: str
    primary: Key  # () if the table has no primary key
    generated: frozenset[str] = frozenset()  # columns, left out of its rows
    #: Columns that the engine calls something else in its diffs, and what.
    spelled: Mapping[str, str] = field(default_factory=dict)
    former: str = ""  # its name before, where the engine's diffs do not know of it
    #: The key's columns before, if the table was renamed and they were, too.
    primary_before: Key = ()


class Tables(Statements):
    # Tables -------------------------------------------------------------------

    def tables(self, at: str | None = None) -> list[str]:
        if self._is_open(at):
            return self._tables()
        return sorted(self._schema(at))

    @abstractmethod
    def _tables(self) -> list[str]:
        """``tables()`` where the connection is."""

    # Definitions --------------------------------------------------------------

    def _is_open(self, at: str | None) -> bool:
        """Whether what is asked of a state has to be asked each time."""
        return at is None and self._look is None

    def _schema(self, at: str | None) -> Schema:
        """What defines each table of a hash, or within ``one_look()`` of None."""
        return self._always("schema", at, ask=lambda: self._ask_schema(at))

    def _ask_schema(self, at: str | None) -> Schema:
        twin = self._peek("twin", at) if at else None
        if twin and (known := self._peek("schema", twin)):
            return cast(Schema, known)
        schema = self._read_schema(at)
        # Most states are defined alike: the same object serves them all.
        content = tuple((table, *schema[table]) for table in sorted(schema))
        return self._always("defined", *map(str, content), ask=lambda: schema)

    def _note_twins(self, one: str, other: str) -> None:
        """Two hashes whose tables are defined alike."""
        for at, twin in ((one, other), (other, one)):
            self._always("twin", at, ask=partial(str, twin))

    @abstractmethod
    def _read_schema(self, at: str | None) -> Schema:
        """``_schema()`` in one statement. Raises ``UnknownRef``."""

    # Rows ---------------------------------------------------------------------

    def columns(self, table: str, at: str | None = None) -> list[str]:
        self._require_table(table, at)
        return self._columns(table, at)

    def generated_columns(self, table: str, at: str | None = None) -> frozenset[str]:
        self._require_table(table, at)
        return self._generated(table, at)

    def primary_key(self, table: str, at: str | None = None) -> Key:
        self._require_table(table, at)
        return self._primary_key(table, at)

    @abstractmethod
    def _columns(self, table: str, at: str | None) -> list[str]:
        """``columns()`` of a table that is known to be there."""

    @abstractmethod
    def _generated(self, table: str, at: str | None) -> frozenset[str]:
        """``generated_columns()`` of a table that is known to be there."""

    def _as_rows(self, table: str, at: str | None, found: Table) -> list[Row]:
        """What ``SELECT *`` of a table gave, without generated columns."""
        names, rows = found
        if not rows:
            return []
        generated = self._generated(table, at)
        return [row_of(names, values, generated) for values in rows]

    @abstractmethod
    def _primary_key(self, table: str, at: str | None) -> Key:
        """``primary_key()`` of a table that is known to be there."""

    @abstractmethod
    def _read_at(self, at: str, table: str, where: str, params: Sequence[Any]) -> Table:
        """Whole rows of a table as of a hash."""

    def rows(
        self,
        table: str,
        keys: Sequence[Key],
        *,
        at: str | None,
        by: str | None = None,
    ) -> dict[Key, Row]:
        primary = self.primary_key(table, at)
        if by is not None:
            if by not in self.columns(table, at):
                return {}
            primary = (by,)
        found: dict[Key, Row] = {}
        for batch in batches(keys):
            where, params = self._key_in([self._name(c) for c in primary], batch)
            for row in self._rows_where(table, at, where, params):
                found[tuple(row[column] for column in primary)] = row
        return found

    def state_rows(
        self, table: str, *, at: str | None, since: Key | None = None, limit: int
    ) -> list[Row]:
        if at is not None:
            self._known(at)
        primary = self.primary_key(table, at)
        if not primary:
            raise ValueError(f"“{table}” has no primary key to page by.")
        keys = [self._name(column) for column in primary]
        where, params = self._key_after(keys, since) if since else ("1 = 1", [])
        where += f" ORDER BY {', '.join(keys)} LIMIT {int(limit)}"
        return self._rows_where(table, at, where, params)

    def _rows_where(
        self, table: str, at: str | None, where: str, params: Sequence[Any]
    ) -> list[Row]:
        if at is not None:
            read = self._read_at(at, table, where, params)
        else:
            sql = f"SELECT * FROM {self._name(table)} WHERE {where}"
            read = self._table(sql, params)
        return self._as_rows(table, at, read)

    def row_count(self, table: str, *, at: str) -> int:
        self._known(at)
        self._require_table(table, at)
        _, rows = self._ask_at(at, table, "SELECT count(*) FROM {}", [])
        return int(rows[0][0])

    def highest_key(self, table: str, *, at: str | None) -> int | None:
        (column,) = self.primary_key(table, at)
        where = f"1 = 1 ORDER BY {self._name(column)} DESC LIMIT 1"
        if at is None:
            sql = f"SELECT * FROM {self._name(table)} WHERE {where}"
            names, rows = self._table(sql)
        else:
            self._known(at)
            names, rows = self._read_at(at, table, where, [])
        return int(rows[0][names.index(column)]) if rows else None

    @abstractmethod
    def _ask_at(self, at: str, table: str, sql: str, params: Sequence[Any]) -> Table:
        """
        A statement about one table as of a hash; ``{}`` in it, before any
        parameter, stands for the table.
        """

    def columns_at(
        self, table: str, columns: Sequence[str], hashes: Iterable[str]
    ) -> dict[str, list[tuple[Any, ...]]]:
        states = list(dict.fromkeys(hashes))
        self._known(*states)
        found: dict[str, list[tuple[Any, ...]]] = {}
        for start in range(0, len(states), STATES_AT_ONCE):
            batch = states[start : start + STATES_AT_ONCE]
            found |= self._columns_of_states(table, columns, batch)
        return found

    def _columns_of_states(
        self, table: str, columns: Sequence[str], states: Sequence[str]
    ) -> dict[str, list[tuple[Any, ...]]]:
        one = f"SELECT %s, {self._names(columns)} FROM {self._table_of_state(table)}"
        params = [part for state in states for part in (state, state)]
        found: dict[str, list[tuple[Any, ...]]] = {state: [] for state in states}
        try:
            for state, *values in self._fetch(
                " UNION ALL ".join([one] * len(states)), params
            ):
                found[state].append(tuple(values))
        except EngineError:
            raise
        except DatabaseError:
            # One of them lacks the table, and the engine does not say which.
            return {
                state: self._columns_of_state(table, columns, state) for state in states
            }
        return found

    def _columns_of_state(
        self, table: str, columns: Sequence[str], state: str
    ) -> list[tuple[Any, ...]]:
        if table not in self.tables(state):
            return []
        names, rows = self._read_at(state, table, "1 = 1", [])
        places = [names.index(column) for column in columns]
        return [tuple(row[place] for place in places) for row in rows]

    @abstractmethod
    def _table_of_state(self, table: str) -> str:
        """A table as of a hash, as SQL that takes the hash for a parameter."""

    # What differs ------------------------------------------------------------

    def diff_summary(self, before: str, after: str) -> list[TableChange]:
        self._known(before, after)
        return self._summary(before, after)

    def _summary(self, before: str, after: str) -> list[TableChange]:
        found = []
        for old, new, kind, data, schema in self._differences(before, after)[0]:
            table = new or old
            if not self._own(table):
                change = TableChange(
                    table, KINDS[kind], old or new, bool(int(data)), bool(int(schema))
                )
                found.append(change)
        return sorted(found, key=lambda change: change.table)

    def diff_stat(self, before: str, after: str) -> list[TableStat]:
        self._known(before, after)
        return self._stat(before, after)

    def _stat(self, before: str, after: str) -> list[TableStat]:
        found = []

        def ask() -> list[tuple[Any, ...]]:
            return self._ask_stat(before, after)

        for table, *counts in self._always("stat", *self._ends(before, after), ask=ask):
            added, removed, changed, cells, old, new = (int(c or 0) for c in counts)
            if not self._own(table) and added + removed + changed:
                found.append(TableStat(table, added, removed, changed, cells, old, new))
        return sorted(found, key=lambda stat: stat.table)

    def _ask_stat(self, *which: str) -> list[tuple[Any, ...]]:
        """Counts between two refs, of all tables or of the one that follows."""
        marks = ", ".join(["%s"] * len(which))
        with self._history():
            return self._fetch(
                "SELECT table_name, rows_added, rows_deleted, rows_modified, "
                "cells_modified, old_row_count, new_row_count "
                f"FROM dolt_diff_stat({marks})",
                which,
            )

    def schema_changes(self, before: str, after: str) -> list[SchemaChange]:
        self._known(before, after)
        return self._schema_changes(before, after)

    def _schema_changes(self, before: str, after: str) -> list[SchemaChange]:
        return _schema_changes(self._definitions(before, after))

    def index_changes(self, before: str, after: str) -> list[SchemaChange]:
        self._known(before, after)
        return self._index_changes(before, after)

    def _index_changes(self, before: str, after: str) -> list[SchemaChange]:
        return _schema_changes(self._definitions(before, after, MAKES_INDEX))

    def key_changes(self, before: str, after: str) -> list[KeyChange]:
        self._known(before, after)
        return self._key_changes(before, after)

    def _key_changes(self, before: str, after: str) -> list[KeyChange]:
        """Seen nowhere but here: both engines leave the table out of a summary."""
        found = []
        listed = {change.table for change in self._summary(before, after)}
        for old, new, earlier, later in self._definitions(before, after):
            if earlier and later:
                one = self._defined_key(old, self._state(before), earlier)
                other = self._defined_key(new, self._state(after), later)
                then = self._key_kinds(old, self._state(before), earlier)
                now = self._key_kinds(new, self._state(after), later)
                is_another = then != now and not self._goes_on(old, new, before, after)
                if is_another or new not in listed:  # of another collation, say
                    found.append(KeyChange(new, old, one, other))
        return sorted(found, key=lambda change: change.table)

    def _goes_on(self, old: str, new: str, before: str, after: str) -> bool:
        """
        Whether the rows of a table with another name are the same still, although
        what tells them apart has another name, too.
        """
        return old != new and any(
            change.table == new and change.kind is ChangeKind.RENAMED
            for change in self._summary(before, after)
        )

    def _state(self, ref: str) -> str | None:
        """The hash that a diff's HEAD stands for, None for its WORKING."""
        if ref == "WORKING":
            return None
        return self._head() if ref == "HEAD" else ref

    def _defined_key(self, table: str, at: str | None, definition: str) -> Key:
        """The primary key of a table whose definition is at hand."""
        return self._primary_key(table, at)

    @abstractmethod
    def _key_kinds(
        self, table: str, at: str | None, definition: str = ""
    ) -> Sequence[tuple[str, str]]:
        """
        A primary key's columns with their types; ``definition`` is the table's, if
        it is at hand. Where a type is another one, as after BigAutoField has taken
        the place of AutoField, both engines leave the table out of what they list
        as different, and give no rows, or wrong ones.
        """

    def _definitions(
        self, before: str, after: str, made: re.Pattern[str] = MAKES_TABLE
    ) -> list[tuple[str, str, str, str]]:
        """
        Tables whose definitions differ: both names, both definitions, "" where
        there is none. DoltLite also lists indexes, views and triggers, under
        their own names: ``made`` tells which are asked for.
        """
        return [
            (old or "", new or "", earlier or "", later or "")
            for old, new, earlier, later in self._differences(before, after)[1]
            if not self._own(new or old) and made.match(later or earlier or "")
        ]

    def _differences(self, before: str, after: str) -> _Differences:
        """
        The engine's summary, and the definitions that differ: asked at once, as
        most that need one need both.
        """

        def ask() -> _Differences:
            with self._history():
                rows = self._fetch(
                    "SELECT from_table_name, to_table_name, diff_type, data_change, "
                    "schema_change, '', '' FROM dolt_diff_summary(%s, %s) UNION ALL "
                    "SELECT from_table_name, to_table_name, '', 0, 0, "
                    "from_create_statement, to_create_statement "
                    "FROM dolt_schema_diff(%s, %s)",
                    [before, after] * 2,
                )
            definitions = [(*row[:2], *row[5:]) for row in rows if not row[2]]
            if not definitions and None not in ends:
                self._note_twins(before, after)
            return [row[:5] for row in rows if row[2]], definitions

        ends = self._ends(before, after)
        return self._always("differences", *ends, ask=ask)

    def _ends(self, before: str, after: str) -> tuple[str | None, str | None]:
        """The two, for ``_always()``: what is no hash does not last."""
        one, other = (ref if self.is_hash(ref) else None for ref in (before, after))
        return one, other

    def _rows_change(self) -> None:
        """What differs in the working set is asked anew."""
        for what in _OF_WORKING_SET:
            self._no_longer(*what)

    # Rows that differ --------------------------------------------------------

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
        self._known(before, after)
        diff = self._diff_of(table, before, after)
        if self._has_another_key(diff):
            return iter(())
        return self._changes(diff, since, limit, kinds, keys)

    def _has_another_key(self, diff: Diff) -> bool:
        """
        Whether a table of both states had another key before: DoltLite lists all
        of its rows, or some, and Dolt fails or lists none.
        """
        if diff.table in self.tables(diff.before):
            return diff.table in self.tables(diff.after) and self._key_kinds(
                diff.table, diff.before
            ) != self._key_kinds(diff.table, diff.after)
        return self._replacement(diff.table, diff.before, diff.after) is not None

    def _replacement(self, table: str, before: str, after: str) -> KeyChange | None:
        """How a table of the later state went by another key before, if it did."""
        changes = self._key_changes(before, after)
        return next((change for change in changes if change.table == table), None)

    def _diff_of(self, table: str, before: str, after: str) -> Diff:
        at = after if table in self.tables(after) else before
        if at == before and table not in self.tables(before):
            raise UnknownTable(table)
        diff = self._diff_as_of(at, table, before, after)
        return replace(
            diff,
            former=self._former_name(table, before, after),
            primary_before=self._primary_before(diff),
        )

    def _primary_before(self, diff: Diff) -> Key:
        """``Diff.primary_before``."""
        if diff.table in self.tables(self._state(diff.before)):
            return ()
        for old, new, earlier, later in self._definitions(diff.before, diff.after):
            if new == diff.table and earlier and later:
                return self._defined_key(old, self._state(diff.before), earlier)
        return ()

    def _former_name(self, table: str, before: str, after: str) -> str:
        """
        What a table was called before, where the engine's own list of its rows
        that differ takes it for a new one. (Dolt's does not.)
        """
        return ""

    def _diff_as_of(self, at: str | None, table: str, before: str, after: str) -> Diff:
        """As the table is defined at a hash, or where the connection is."""
        return Diff(
            table,
            before,
            after,
            self._primary_key(table, at),
            self._generated(table, at),
            self._spelled(table, at, OF_DIFFS),
        )

    def _spelled(
        self, table: str, at: str | None, own: frozenset[str]
    ) -> Mapping[str, str]:
        """
        What the engine calls the columns of a table in a list of its own that has
        columns of the same names, ``own`` in lower case. (Dolt: the same.)
        """
        return {}

    def _changes(
        self,
        diff: Diff,
        since: Key | None,
        limit: int | None,
        kinds: Sequence[ChangeKind],
        keys: Sequence[Key] | None,
    ) -> Iterator[RowChange]:
        if not diff.primary:
            return self._keyless_changes(diff, since, limit, kinds, keys)
        if keys is not None:
            found = self._changes_of(diff, keys, kinds)
            if since is not None:
                found = [change for change in found if change.key > since]
            return islice(found, limit)
        return self._paged_changes(diff, since, limit, kinds)

    def _paged_changes(
        self,
        diff: Diff,
        since: Key | None,
        limit: int | None,
        kinds: Sequence[ChangeKind],
    ) -> Iterator[RowChange]:
        """Page by page, so that no cursor stays open while the caller works."""
        order = [
            f"coalesce({self._name('to_', now)}, {self._name('from_', then)})"
            for now, then in zip(
                spelled_key(diff), spelled_key(diff, "from_"), strict=True
            )
        ]
        while limit is None or limit > 0:
            size = PAGE if limit is None else min(limit, PAGE)
            where, params = self._kinds(kinds)
            if since is not None:
                condition, more = self._key_after(order, since)
                where.append(condition)
                params += more
            page = self._read_changes(diff, where, params, order, size)
            yield from page
            if len(page) < size:
                return
            since = page[-1].key
            limit = None if limit is None else limit - size

    def _changes_of(
        self, diff: Diff, keys: Sequence[Key], kinds: Sequence[ChangeKind]
    ) -> list[RowChange]:
        """
        Two questions, not one with OR: that takes Dolt 1.5 s at a million rows.
        """
        found: list[RowChange] = []
        for batch in batches(keys):
            for side in ("to_", "from_"):
                where, params = self._kinds(kinds)
                condition, more = self._key_in(
                    [self._name(side, c) for c in spelled_key(diff, side)], batch
                )
                where.append(condition)
                if side == "from_":
                    where.append("diff_type = 'removed'")
                found += self._read_changes(diff, where, [*params, *more])
        return sorted(found, key=lambda change: change.key)

    def _keyless_changes(
        self,
        diff: Diff,
        since: Key | None,
        limit: int | None,
        kinds: Sequence[ChangeKind],
        keys: Sequence[Key] | None,
    ) -> Iterator[RowChange]:
        """
        All columns are the key, NULL among them: they are read at once and put
        in order here. Of rows that repeat each but the first has its number
        behind its key, so that a page can end between them.
        """
        where, params = self._kinds(kinds)
        changes = self._read_changes(diff, where, params)
        return self._in_their_order(changes, since, limit, keys)

    @staticmethod
    def _in_their_order(
        changes: Iterable[RowChange],
        since: Key | None,
        limit: int | None,
        keys: Sequence[Key] | None,
    ) -> Iterator[RowChange]:
        found = _numbered(
            sorted(changes, key=lambda change: (_sortable(change.key), change.kind))
        )
        if keys is not None:
            found = [change for change in found if change.key in set(keys)]
        if since is not None:
            found = [c for c in found if _sortable(c.key) > _sortable(since)]
        return islice(found, limit)

    @staticmethod
    def _kinds(kinds: Sequence[ChangeKind]) -> tuple[list[str], list[Any]]:
        if not kinds:
            return [], []
        marks = ", ".join(["%s"] * len(kinds))
        return [f"diff_type IN ({marks})"], [_SPELLED[kind] for kind in kinds]

    def _read_changes(
        self,
        diff: Diff,
        where: Sequence[str],
        params: Sequence[Any],
        order: Sequence[str] = (),
        limit: int | None = None,
    ) -> list[RowChange]:
        tail = ""
        if where:
            tail += " WHERE " + " AND ".join(where)
        if order:
            tail += " ORDER BY " + ", ".join(order)
        if limit is not None:
            tail += f" LIMIT {int(limit)}"
        return self._complete(diff, changes_of(self._diff(diff, tail, params), diff))

    @abstractmethod
    def _diff(self, diff: Diff, tail: str, params: Sequence[Any]) -> Table:
        """What the question of ``_diff_sql()`` gives."""

    @abstractmethod
    def _diff_sql(
        self, diff: Diff, tail: str, params: Sequence[Any]
    ) -> tuple[str, list[Any]]:
        """
        A question to the engine's table function of a diff; ``tail`` is the
        rest of the statement, with ``params``.
        """

    def _complete(self, diff: Diff, changes: list[RowChange]) -> list[RowChange]:
        """The changes with all columns of both sides, where an engine omits some."""
        return changes


def _schema_changes(
    definitions: Iterable[tuple[str, str, str, str]],
) -> list[SchemaChange]:
    changes = [
        SchemaChange(new or old, earlier, later)
        for old, new, earlier, later in definitions
    ]
    return sorted(changes, key=lambda change: change.table)


def changes_of(table: Table, diff: Diff) -> list[RowChange]:
    """
    Rows of ``to_…, to_commit, to_commit_date, from_…, from_commit,
    from_commit_date, diff_type`` as changes. By place, as a table's own
    columns may be called ``commit_date``.
    """
    names, rows = table
    middle = len(names) - 1 - names[::-1].index("to_commit_date")
    to_names = _names("to_", names[: middle - 1], diff.spelled)
    from_names = _names("from_", names[middle + 1 : -3], diff.spelled)
    found = []
    for row in rows:
        kind = KINDS[row[-1]]
        before = after = None
        if kind is not ChangeKind.ADDED:
            before = row_of(from_names, row[middle + 1 : -3], diff.generated)
        if kind is not ChangeKind.REMOVED:
            after = row_of(to_names, row[: middle - 1], diff.generated)
        keyed, primary = after, diff.primary
        if keyed is None:
            keyed, primary = before, diff.primary_before or diff.primary
        assert keyed is not None
        key = tuple(keyed.get(column) for column in primary or keyed)
        found.append(RowChange(kind, key, before, after))
    return found


def _names(side: str, names: Sequence[str], spelled: Mapping[str, str]) -> list[str]:
    """A table's own names for its columns in one side of a diff."""
    own = {there: column for column, there in spelled.items()}
    found = (name.removeprefix(side) for name in names)
    return [own.get(name, name) for name in found]


def spelled_key(diff: Diff, side: str = "to_") -> list[str]:
    """The primary key's columns as the engine’s diffs call them, on one side."""
    key = diff.primary
    if side == "from_" and diff.primary_before:
        key = diff.primary_before
    return [diff.spelled.get(column, column) for column in key]


def row_of(
    names: Sequence[str], row: Sequence[Any], generated: frozenset[str]
) -> dict[str, Any]:
    """A row by the names of its columns, without generated ones."""
    found = dict(zip(names, row, strict=True))
    for column in generated:
        found.pop(column, None)
    return found


def _numbered(changes: Sequence[RowChange]) -> list[RowChange]:
    """Sorted changes, each with a key of its own."""
    seen: Counter[Key] = Counter()
    found = []
    for change in changes:
        seen[change.key] += 1
        if (number := seen[change.key]) > 1:
            change = replace(change, key=(*change.key, number))
        found.append(change)
    return found


def _sortable(key: Key) -> tuple[tuple[bool, str, Any], ...]:
    """A key whose parts may be NULL or of different types, to sort by."""
    return tuple((part is not None, type(part).__name__, part) for part in key)

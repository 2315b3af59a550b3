"""The working set, and a merge that lives in it, in the SQL that both engines take."""

import json
import re
from abc import abstractmethod
from collections import defaultdict
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from django.db import OperationalError

from versioning.backends.errors import ConflictsRemain, MergeBlocked, MergeRefused
from versioning.backends.repository import (
    Author,
    ConflictCount,
    ConflictRow,
    Key,
    KeyChange,
    Row,
    RowChange,
    SchemaChange,
    SchemaConflict,
    TableChange,
    TableStat,
    Uncommitted,
    Violation,
    ViolationKind,
)
from versioning.backends.sql.rules import columns_in
from versioning.backends.sql.statements import batches
from versioning.backends.sql.tables import STATUS
from versioning.backends.sql.writing import Writing

# Lists that the engines make when they merge, and that rows written since do not
# alter: within one look they are asked for once.
_CONFLICTS = ("conflicts", None)
_VIOLATIONS = ("violations", None)

#: The engines' own columns beside those of each side, in lists of conflicts.
OF_CONFLICTS = frozenset({"diff_type"})


class Merging(Writing):
    #: How the engine says, at a commit, that a merge has something left to settle.
    _unsettled: re.Pattern[str]

    def commit_all(self, message: str, author: Author) -> str | None:
        by = self._check_commit(message, author)
        self._in_outermost_atomic()
        args = ["-A", "-m", message, "--author", by]
        try:
            return str(self._value(self._call("dolt_commit", len(args)), args))
        except OperationalError as error:
            text = str(error.args[-1])
            if text.startswith("nothing to commit"):
                return None  # no merge either: --skip-empty would lose that
            if self._unsettled.search(text):
                raise ConflictsRemain(text) from error
            raise

    def reword(self, message: str, author: Author) -> str:
        by = self._check_commit(message, author)
        self._in_outermost_atomic()
        args = ["--amend", "-m", message, "--author", by]
        return str(self._value(self._call("dolt_commit", len(args)), args))

    def uncommitted(self) -> Uncommitted | None:
        sql = "SELECT DISTINCT table_name FROM dolt_status"
        rows = self._always(*STATUS, ask=lambda: self._fetch(sql))
        if not rows:
            return None
        tables = sorted(row[0] for row in rows)
        # The engine's own come along with others, and nobody wrote to them.
        return Uncommitted(tuple(t for t in tables if not self._own(t)) or (*tables,))

    def head_and_uncommitted(self) -> tuple[str, Uncommitted | None]:
        [(head, is_dirty)] = self._fetch(
            "SELECT dolt_hashof('HEAD'), EXISTS (SELECT 1 FROM dolt_status)"
        )
        return str(head), self.uncommitted() if is_dirty else None

    def working_hash(self) -> str:
        # Not of 'WORKING', which DoltLite does not always know: see _working().
        return str(self._value("SELECT dolt_hashof_db()"))

    # Conflicts ---------------------------------------------------------------

    def unsettled(self) -> list[str]:
        name = self._name("table")
        rows = self._fetch(
            f"SELECT {name} FROM dolt_conflicts WHERE num_conflicts > 0 UNION "
            f"SELECT {name} FROM dolt_constraint_violations WHERE num_violations > 0"
        )
        return sorted(str(table) for (table,) in rows)

    def conflict_counts(self) -> list[ConflictCount]:
        sql = f"SELECT {self._name('table')}, num_conflicts FROM dolt_conflicts"
        rows = self._always(*_CONFLICTS, ask=lambda: self._fetch(sql))
        if own := sorted(t for t, n in rows if int(n) and t.startswith("dolt_")):
            raise MergeRefused(
                f"Both branches changed {' and '.join(own)}, which the engine keeps "
                "beside the data and nobody can settle here. Give both branches the "
                "same rows of it first; then look again."
            )
        counts = sorted(
            (
                ConflictCount(table, int(n))
                for table, n in rows
                if int(n) and not self._own(table)
            ),
            key=lambda count: count.table,
        )
        if counts and (gone := {c.table for c in counts} - set(self.tables())):
            raise self._in_no_table(sorted(gone))
        return counts

    def _in_no_table(self, names: Sequence[str]) -> MergeBlocked:
        """
        For conflicts that can't be settled, as there are no tables of these names:
        DoltLite lists them where one side renamed what the other changed rows of.
        """
        return MergeBlocked(
            f"rows of {', '.join(names)} were changed on one side, and the other has "
            "no table of that name any more"
        )

    def conflicts(
        self,
        table: str,
        *,
        since: Key | None = None,
        limit: int | None = None,
        keys: Sequence[Key] | None = None,
    ) -> list[ConflictRow]:
        primary = self.primary_key(table)
        if table not in {count.table for count in self.conflict_counts()}:
            return []  # Dolt has no list of conflicts for a table without any
        self._require_key(table, primary)
        spelled = self._spelled(table, None, OF_CONFLICTS)
        order = self._conflict_order(primary, spelled)
        columns = partial(
            _ConflictColumns, table, primary, self._generated(table, None), spelled
        )
        where: list[str] = []
        params: list[Any] = []
        if since is not None:
            condition, more = self._key_after(order, since)
            where.append(condition)
            params += more
        if keys is None:
            return self._read_conflicts(table, columns, where, params, order, limit)
        found = []
        for batch in batches(keys):
            condition, more = self._key_in(order, batch)
            found += self._read_conflicts(
                table, columns, [*where, condition], [*params, *more], order, limit
            )
        return sorted(found, key=lambda row: row.key)[:limit]

    def each_conflict(
        self, table: str, *, at_once: int
    ) -> Generator[list[ConflictRow], None, None]:
        primary = self.primary_key(table)
        if not self._conflicting(table):
            return
        self._require_key(table, primary)
        generated = self._generated(table, None)
        spelled = self._spelled(table, None, OF_CONFLICTS)
        order = self._conflict_order(primary, spelled)
        sql = self._conflicts_sql(table, (), order)
        with self._engine(), self._cursor_as_they_come() as cursor:
            cursor.execute(sql, [])
            names = [column[0] for column in cursor.description]
            columns = _ConflictColumns(table, primary, generated, spelled, names)
            while rows := cursor.fetchmany(at_once):
                yield [columns.read(row) for row in rows]

    @staticmethod
    def _require_key(table: str, primary: Key) -> None:
        if not primary:
            raise MergeRefused(
                f"Both branches changed rows of “{table}” that are alike, and the "
                "table has no primary key by which to tell them apart, so nobody can "
                "decide about one of them. Change the rows on one branch so that it "
                "has them as the other has; then look again."
            )

    def _conflict_order(self, primary: Key, spelled: Mapping[str, str]) -> list[str]:
        """SQL of the primary key's columns, whichever side has the row."""
        found = []
        for column in primary:
            there = spelled.get(column, column)
            sides = (("base_", column), ("our_", there), ("their_", there))
            names = ", ".join(self._name(*side) for side in sides)
            found.append(f"coalesce({names})")
        return found

    def _read_conflicts(
        self,
        table: str,
        columns: Callable[[Sequence[str]], "_ConflictColumns"],
        where: Sequence[str],
        params: Sequence[Any],
        order: Sequence[str],
        limit: int | None,
    ) -> list[ConflictRow]:
        sql = self._conflicts_sql(table, where, order)
        if limit is not None:
            sql += f" LIMIT {int(limit)}"
        names, rows = self._table(sql, params)
        read = columns(names).read
        return [read(row) for row in rows]

    def _conflicts_sql(
        self, table: str, where: Sequence[str], order: Sequence[str]
    ) -> str:
        sql = f"SELECT * FROM {self._name('dolt_conflicts_', table)}"
        if where:
            sql += " WHERE " + " AND ".join(where)
        return sql + " ORDER BY " + ", ".join(order)

    def schema_conflicts(self) -> list[SchemaConflict]:
        return [
            SchemaConflict(*(str(part or "") for part in row))
            for row in self._fetch(
                "SELECT table_name, base_schema, our_schema, their_schema, "
                "description FROM dolt_schema_conflicts ORDER BY table_name"
            )
        ]

    def settle_conflicts(self, table: str, *, rows: int) -> None:
        if self._conflicting(table) != rows:
            raise ConflictsRemain(f"{table}: other rows are in conflict.")
        if rows:
            self._clear_conflicts(table)
            self._no_longer(*_CONFLICTS)
            if self._conflicting(table):
                raise ConflictsRemain(f"{table}: rows stayed in conflict.")

    def _conflicting(self, table: str) -> int:
        """How many rows of a table are in conflict."""
        return sum(c.rows for c in self.conflict_counts() if c.table == table)

    @abstractmethod
    def _clear_conflicts(self, table: str) -> None:
        """Empty the list of a table that has one, and leave its rows alone."""

    # Violations --------------------------------------------------------------

    def violations(self, *, limit: int | None = None) -> list[Violation]:
        found: list[Violation] = []
        for table in self._violated():
            left = None if limit is None else limit - len(found)
            if left is None or left > 0:
                found += self._violations_of(table, left)
        return found

    def _violated(self) -> list[str]:
        name = self._name("table")
        sql = f"SELECT {name}, num_violations FROM dolt_constraint_violations"
        rows = self._always(*_VIOLATIONS, ask=lambda: self._fetch(sql))
        return sorted(table for table, count in rows if int(count))

    def _violations_of(self, table: str, limit: int | None) -> list[Violation]:
        primary = self.primary_key(table)
        if not primary:
            raise self._unlisted(
                table,
                "it has no primary key by which to tell its rows apart, so none of "
                "them can be mended here",
            )
        sql = (
            f"SELECT * FROM {self._name('dolt_constraint_violations_', table)} "
            f"ORDER BY {self._names(primary)}"
        )
        if limit is not None:
            sql += f" LIMIT {int(limit)}"
        columns = self._columns(table, None)
        names, rows = self._table(sql)
        return [_violation(table, primary, columns, names, row) for row in rows]

    @staticmethod
    def _unlisted(table: str, why: str) -> MergeRefused:
        """For rows that break a rule and that nobody can be shown."""
        return MergeRefused(
            f"Rows of “{table}” would break a rule of their table, and {why}. Change "
            "the rows on one of the branches, so that they keep the rule when both "
            "come together; then look again."
        )

    def settle_violations(self, table: str) -> None:
        self._require_table(table)
        if table in self._violated():
            self._execute(
                f"DELETE FROM {self._name('dolt_constraint_violations_', table)}"
            )
            self._no_longer(*_VIOLATIONS)

    def unwritten(self, listed: Sequence[Violation]) -> dict[tuple[str, Key], Row]:
        missing: dict[str, list[Violation]] = defaultdict(list)
        for violation in listed:
            if violation.kind is ViolationKind.NOT_NULL:
                missing[violation.table].append(violation)
        found: dict[tuple[str, Key], Row] = {}
        for table, violations in missing.items():
            now = self.rows(table, [v.key for v in violations], at=None)
            for violation in violations:
                row = now.get(violation.key)
                if row is None or all(row[c] is not None for c in violation.columns):
                    found[table, violation.key] = violation.row
        return found

    # The result --------------------------------------------------------------

    def _working(self) -> str:
        """The working set as a ref; the head's hash where nobody wrote to it."""
        return "WORKING"

    def merged_summary(self) -> list[TableChange]:
        return self._summary("HEAD", self._working())

    def merged_stat(self) -> list[TableStat]:
        return self._stat("HEAD", self._working())

    def merged_key_changes(self) -> list[KeyChange]:
        return self._key_changes("HEAD", self._working())

    def merged_schema_changes(self) -> list[SchemaChange]:
        return self._schema_changes("HEAD", self._working())

    def merged_index_changes(self) -> list[SchemaChange]:
        return self._index_changes("HEAD", self._working())

    def merged_rows(
        self,
        table: str,
        *,
        since: Key | None = None,
        limit: int | None = None,
        keys: Sequence[Key] | None = None,
        before: str | None = None,
    ) -> Iterator[RowChange]:
        there = table in self.tables()
        at = None if there else before or self._head()
        if not there:
            self._require_table(table, at)
        ends = before or "HEAD", self._working()
        diff = self._diff_as_of(at, table, *ends)
        diff = replace(diff, former=self._former_name(table, *ends))
        return self._changes(diff, since, limit, (), keys)


@dataclass(frozen=True, slots=True)
class _Side:
    """Where one version of a row stands in a row of a list of conflicts."""

    columns: Sequence[tuple[str, int]]  # and where they are
    keys: Sequence[int]  # where the primary key's columns are
    has_key: bool  # all of them

    def version(self, row: tuple[Any, ...]) -> Row | None:
        if not self.has_key:
            return None
        for place in self.keys:
            if row[place] is None:  # a row that isn't there has no key
                return None
        return {name: row[place] for name, place in self.columns}


class _ConflictColumns:
    """
    Where a list of conflicts has what: ``from_root_ish, base_…, our_…,
    our_diff_type, their_…, their_diff_type, dolt_conflict_id``. By place, as a
    table's own columns may be called ``diff_type``; and found once, not by row.
    """

    def __init__(
        self,
        table: str,
        primary: Key,
        generated: frozenset[str],
        spelled: Mapping[str, str],
        names: Sequence[str],
    ):
        self._table = table
        self._own = {there: column for column, there in spelled.items()}
        self._primary = primary
        self._generated = generated
        ours = next(i for i, name in enumerate(names[1:], 1) if name.startswith("our_"))
        theirs = len(names) - names[::-1].index("our_diff_type")
        end = len(names) - 2
        self._base = self._side("base_", names, 1, ours)
        self._ours = self._side("our_", names, ours, theirs - 1)
        self._theirs = self._side("their_", names, theirs, end)
        self._ours_fate, self._theirs_fate = theirs - 1, end

    def _side(self, prefix: str, names: Sequence[str], start: int, stop: int) -> _Side:
        own = [name.removeprefix(prefix) for name in names[start:stop]]
        if prefix != "base_":
            own = [self._own.get(name, name) for name in own]
        keys = [start + own.index(c) for c in self._primary if c in own]
        columns = [
            (name, place)
            for place, name in enumerate(own, start)
            if name not in self._generated
        ]
        return _Side(columns, keys, len(keys) == len(self._primary))

    def read(self, row: tuple[Any, ...]) -> ConflictRow:
        base = self._base.version(row)
        ours = theirs = None
        if row[self._ours_fate] != "removed":
            ours = self._ours.version(row)
        if row[self._theirs_fate] != "removed":
            theirs = self._theirs.version(row)
        some = base or ours or theirs
        assert some is not None
        key = tuple([some[column] for column in self._primary])
        return ConflictRow(self._table, key, base, ours, theirs)


def _violation(
    table: str,
    primary: Key,
    columns: Sequence[str],
    names: Sequence[str],
    held: Sequence[Any],
) -> Violation:
    """
    A row of ``[from_root_ish,] violation_type, …, violation_info``. By place, as a
    table's own columns may be called so.
    """
    start = names.index("violation_type") + 1
    kind = ViolationKind(held[start - 1])
    info = _info(held[-1])
    row = dict(zip(names[start:-1], held[start:-1], strict=True))
    named = info.get("Columns") or columns_in(info.get("Expression") or "", columns)
    return Violation(
        table=table,
        kind=kind,
        key=tuple(row[column] for column in primary),
        row={name: value for name, value in row.items() if name in columns},
        columns=tuple(named) if isinstance(named, list | tuple) else (),
        referenced_table=str(info.get("ReferencedTable") or ""),
        detail=json.dumps(info),
        rule=str(info.get("Name") or "") if kind is ViolationKind.CHECK else "",
    )


def _info(raw: Any) -> dict[str, Any]:
    """What the engine says of a constraint. DoltLite escapes no quote in a name."""
    if not isinstance(raw, str | bytes):
        return raw or {}
    try:
        return dict(json.loads(raw))
    except ValueError:
        return {}

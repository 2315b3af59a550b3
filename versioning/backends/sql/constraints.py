"""
Whether committed rows keep the constraints of their tables, asked in plain SQL.

The engines commit orphans and duplicates once the list of violations has been
emptied, and Dolt's own check harms the next write when it finds something
within a transaction that is rolled back.
"""

from abc import abstractmethod
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from versioning.backends.repository import Key, Row, Violation, ViolationKind
from versioning.backends.sql.rules import Rule, Rules
from versioning.backends.sql.statements import batches

FAULTS_SHOWN = 100  # rows for each constraint


@dataclass(frozen=True, slots=True)
class ForeignKey:
    column: str
    parent: str  # table
    parent_column: str


class Constraints(Rules):
    # Of all tables at once: asked one by one, what a server knows of its
    # schema costs the more, the more tables there are.

    @abstractmethod
    def _foreign_key_columns(self) -> Iterable[tuple[str, Any, str, str, str | None]]:
        """
        Table, what tells its keys apart, column, parent table and column (None
        for the parent's primary key).
        """

    @abstractmethod
    def _unique_columns(self) -> Iterable[tuple[str, str, str | None]]:
        """
        Table, index and column (None for an expression), in order, of the
        unique indexes that hold for every row, besides the primary key.
        """

    def _foreign_keys(self) -> Mapping[str, Sequence[ForeignKey]]:
        """By table; those of one column, as all of Django's are."""
        keys: dict[tuple[str, Any], list[tuple[str, str, str | None]]]
        keys = defaultdict(list)
        for table, key, column, parent, to in self._foreign_key_columns():
            keys[table, key].append((column, parent, to))
        found: dict[str, list[ForeignKey]] = defaultdict(list)
        for (table, _), of_key in keys.items():
            if len(of_key) == 1:
                column, parent, to = of_key[0]
                to = to or str(self._primary_key(parent, None)[0])
                found[table].append(ForeignKey(column, parent, to))
        return found

    def _unique(self) -> Mapping[str, Sequence[tuple[str, ...]]]:
        """By table, columns of the unique indexes that hold for every row."""
        indexes: dict[tuple[str, str], list[str | None]] = defaultdict(list)
        for table, index, column in self._unique_columns():
            indexes[table, index].append(column)
        found: dict[str, list[tuple[str, ...]]] = defaultdict(list)
        for (table, _), columns in indexes.items():
            named = tuple(column for column in columns if column is not None)
            if len(named) == len(columns):
                found[table].append(named)
        return found

    def broken_constraints(
        self, tables: Sequence[str] | None = None
    ) -> list[Violation]:
        found: list[Violation] = []
        foreign_keys, unique = self._foreign_keys(), self._unique()
        rules = self._rules()
        for table in self.tables():
            if tables is not None and table not in tables:
                continue
            for key in foreign_keys.get(table, ()):
                found += self._faults(
                    table,
                    ViolationKind.FOREIGN_KEY,
                    self._orphans(table, key.column, key.parent, key.parent_column),
                    (key.column,),
                    key.parent,
                )
            for columns in unique.get(table, ()):
                sql = self._duplicates(table, columns)
                found += self._faults(table, ViolationKind.UNIQUE, sql, columns, "")
            found += self._against(table, rules.get(table, ()))
        return found

    def faults_of(
        self, table: str, keys: Sequence[Key], *, written: bool = False
    ) -> list[Violation]:
        self._require_table(table)
        found: dict[tuple[Any, ...], Violation] = {}
        primary = self._primary_key(table, None)
        foreign_keys = self._foreign_keys()
        own = foreign_keys.get(table, ())
        indexes = () if written else self._unique().get(table, ())
        rules = () if written else self._rules().get(table, ())
        for batch in batches(keys):
            where, params = self._key_in([f"c.{self._name(c)}" for c in primary], batch)
            for fault in (
                *self._without_parent(table, own, where, params),
                *(
                    fault
                    for columns in indexes
                    for fault in self._shared(table, primary, batch, columns)
                ),
                *self._against(table, rules, f" AND {where}", params),
                *self._left_behind(table, primary, batch, foreign_keys),
            ):
                which = (fault.table, fault.key, fault.kind, fault.columns, fault.rule)
                found[which] = fault
        return list(found.values())

    def refusals_of(self, table: str, key: Key, row: Row) -> list[Violation]:
        self._require_table(table)
        primary = self._primary_key(table, None)
        found = list(self._broken_by(table, key, row, self._rules().get(table, ())))
        for columns in self._unique().get(table, ()):
            if not row.keys() >= set(columns):
                continue  # of a generated column: what it would hold is not known
            for sharing in self._holding(
                table, columns, [tuple(row[c] for c in columns)]
            ):
                holders = {
                    tuple(other[c] for c in primary): other for other in sharing
                } | {key: row}
                if len(holders) > 1:
                    found += [
                        Violation(
                            table, ViolationKind.UNIQUE, holder, values, columns, "", ""
                        )
                        for holder, values in holders.items()
                    ]
        if not any(fault.key == key for fault in found):
            found.append(Violation(table, ViolationKind.CHECK, key, row, (), "", ""))
        return found

    def _against(
        self,
        table: str,
        rules: Sequence[Rule],
        condition: str = "",
        params: Sequence[Any] = (),
    ) -> list[Violation]:
        """Rows of a table that break rules about a row by itself."""
        return [
            replace(fault, rule=rule.name)
            for rule in rules
            for fault in self._faults(
                table,
                rule.kind,
                f"SELECT c.* FROM {self._name(table)} c "
                f"WHERE ({rule.broken}){condition}",
                rule.columns,
                "",
                params,
            )
        ]

    def _without_parent(
        self, table: str, keys: Sequence[ForeignKey], where: str, params: Sequence[Any]
    ) -> Iterator[Violation]:
        for key in keys:
            sql = self._orphans(table, key.column, key.parent, key.parent_column)
            yield from self._faults(
                table,
                ViolationKind.FOREIGN_KEY,
                f"{sql} AND {where}",
                (key.column,),
                key.parent,
                params,
            )

    def _shared(
        self, table: str, primary: Key, keys: Sequence[Key], columns: tuple[str, ...]
    ) -> Iterator[Violation]:
        """Rows that share values of a unique index with those of ``keys``."""
        quoted = self._name(table)
        where, params = self._key_in([self._name(c) for c in primary], keys)
        values = self._fetch(
            f"SELECT {self._names(columns)} FROM {quoted} WHERE {where}", params
        )
        for sharing in self._holding(table, columns, values):
            if len(sharing) < 2:
                continue
            for row in sharing:
                key = tuple(row[column] for column in primary)
                yield Violation(table, ViolationKind.UNIQUE, key, row, columns, "", "")

    def _holding(
        self,
        table: str,
        columns: tuple[str, ...],
        values: Sequence[tuple[Any, ...]],
    ) -> Iterator[list[Row]]:
        """
        Rows that hold the same of these values, together.

        Asked without the index: while duplicates are in the table, a lookup
        in it may find one of them alone (Dolt, as the planner pleases).
        """
        quoted = self._name(table)
        wanted = [value for value in values if None not in value]
        scanned = [f"coalesce({self._name(c)}, {self._name(c)})" for c in columns]
        for batch in batches(wanted):
            # Which values are alike is for the database's collation to say.
            equal = " AND ".join(f"{column} = %s" for column in scanned)
            number = " ".join(f"WHEN {equal} THEN {n}" for n in range(len(batch)))
            where, params = self._key_in(scanned, batch)
            names, rows = self._table(
                f"SELECT CASE {number} END, {quoted}.* FROM {quoted} WHERE {where}",
                [*(part for value in batch for part in value), *params],
            )
            alike: dict[Any, list[Row]] = defaultdict(list)
            found = self._as_rows(table, None, (names[1:], [row[1:] for row in rows]))
            for (which, *_), row in zip(rows, found, strict=True):
                alike[which].append(row)
            yield from alike.values()

    def _left_behind(
        self,
        table: str,
        primary: Key,
        keys: Sequence[Key],
        foreign_keys: Mapping[str, Sequence[ForeignKey]],
    ) -> Iterator[Violation]:
        """Rows of any table that point to one of these keys, which is not there."""
        if len(primary) != 1:
            return
        for child, of_child in sorted(foreign_keys.items()):
            for key in of_child:
                if (key.parent, key.parent_column) != (table, primary[0]):
                    continue
                where, params = self._key_in([f"c.{self._name(key.column)}"], keys)
                sql = self._orphans(child, key.column, table, key.parent_column)
                yield from self._faults(
                    child,
                    ViolationKind.FOREIGN_KEY,
                    f"{sql} AND {where}",
                    (key.column,),
                    table,
                    params,
                )

    def _orphans(self, table: str, child: str, parent: str, column: str) -> str:
        return (
            f"SELECT c.* FROM {self._name(table)} c "
            f"LEFT JOIN {self._name(parent)} p "
            f"ON p.{self._name(column)} = c.{self._name(child)} "
            f"WHERE c.{self._name(child)} IS NOT NULL "
            f"AND p.{self._name(column)} IS NULL"
        )

    def _duplicates(self, table: str, columns: Sequence[str]) -> str:
        same = " AND ".join(
            f"c.{self._name(column)} = d.{self._name(column)}" for column in columns
        )
        return (
            f"SELECT c.* FROM {self._name(table)} c "
            f"JOIN (SELECT {self._names(columns)} FROM {self._name(table)} "
            f"GROUP BY {self._names(columns)} HAVING count(*) > 1) d ON {same}"
        )

    def _faults(
        self,
        table: str,
        kind: ViolationKind,
        sql: str,
        columns: tuple[str, ...],
        parent: str,
        params: Sequence[Any] = (),
    ) -> list[Violation]:
        primary = self._primary_key(table, None)
        read = self._table(f"{sql} LIMIT {FAULTS_SHOWN}", params)
        found = []
        for row in self._as_rows(table, None, read):
            key = tuple(row[column] for column in primary)
            found.append(Violation(table, kind, key, row, columns, parent, ""))
        return found

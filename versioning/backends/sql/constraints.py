"""
Whether committed rows keep the constraints of their tables, asked in plain SQL.

The engines commit orphans and duplicates once the list of violations has been
emptied, and Dolt's own check harms the next write when it finds something
within a transaction that is rolled back.
"""

from abc import abstractmethod
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from versioning.backends.repository import Key, Violation, ViolationKind
from versioning.backends.sql.statements import batches
from versioning.backends.sql.tables import Tables

FAULTS_SHOWN = 100  # rows for each constraint


@dataclass(frozen=True, slots=True)
class ForeignKey:
    column: str
    parent: str  # table
    parent_column: str


class Constraints(Tables):
    @abstractmethod
    def _foreign_keys(self, table: str) -> list[ForeignKey]:
        """Those of one column, as all of Django's are."""

    @abstractmethod
    def _unique(self, table: str) -> list[tuple[str, ...]]:
        """Columns of the unique indexes that hold for every row."""

    def broken_constraints(
        self, tables: Sequence[str] | None = None
    ) -> list[Violation]:
        found: list[Violation] = []
        for table in self.tables():
            if tables is not None and table not in tables:
                continue
            for key in self._foreign_keys(table):
                found += self._faults(
                    table,
                    ViolationKind.FOREIGN_KEY,
                    self._orphans(table, key.column, key.parent, key.parent_column),
                    (key.column,),
                    key.parent,
                )
            for columns in self._unique(table):
                sql = self._duplicates(table, columns)
                found += self._faults(table, ViolationKind.UNIQUE, sql, columns, "")
        return found

    def faults_of(
        self, table: str, keys: Sequence[Key], *, unique: bool = True
    ) -> list[Violation]:
        self._require_table(table)
        found: dict[tuple[Any, ...], Violation] = {}
        primary = self._primary_key(table, None)
        for batch in batches(keys):
            own = self._own_faults(table, primary, batch, unique)
            for fault in (*own, *self._left_behind(table, primary, batch)):
                found[fault.table, fault.key, fault.kind, fault.columns] = fault
        return list(found.values())

    def _own_faults(
        self, table: str, primary: Key, keys: Sequence[Key], unique: bool
    ) -> Iterator[Violation]:
        """What the rows with these keys break themselves, with who is in it."""
        where, params = self._key_in([f"c.{self._name(c)}" for c in primary], keys)
        for key in self._foreign_keys(table):
            sql = self._orphans(table, key.column, key.parent, key.parent_column)
            yield from self._faults(
                table,
                ViolationKind.FOREIGN_KEY,
                f"{sql} AND {where}",
                (key.column,),
                key.parent,
                params,
            )
        if unique:
            for columns in self._unique(table):
                yield from self._shared(table, primary, keys, columns)

    def _shared(
        self, table: str, primary: Key, keys: Sequence[Key], columns: tuple[str, ...]
    ) -> Iterator[Violation]:
        """
        Rows that share values of a unique index with those of ``keys``.

        Asked without the index: while duplicates are in the table, a lookup
        in it may find one of them alone (Dolt, as the planner pleases).
        """
        quoted = self._name(table)
        where, params = self._key_in([self._name(c) for c in primary], keys)
        values = self._fetch(
            f"SELECT {self._names(columns)} FROM {quoted} WHERE {where}", params
        )
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
            alike: dict[Any, list[dict[str, Any]]] = defaultdict(list)
            for which, *found in rows:
                alike[which].append(dict(zip(names[1:], found, strict=True)))
            for sharing in alike.values():
                if len(sharing) < 2:
                    continue
                for row in sharing:
                    key = tuple(row[column] for column in primary)
                    yield Violation(
                        table, ViolationKind.UNIQUE, key, row, columns, "", ""
                    )

    def _left_behind(
        self, table: str, primary: Key, keys: Sequence[Key]
    ) -> Iterator[Violation]:
        """Rows of any table that point to one of these keys, which is not there."""
        if len(primary) != 1:
            return
        for child in self.tables():
            for key in self._foreign_keys(child):
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
        names, rows = self._table(f"{sql} LIMIT {FAULTS_SHOWN}", params)
        found = []
        for values in rows:
            row = dict(zip(names, values, strict=True))
            key = tuple(row[column] for column in primary)
            found.append(Violation(table, kind, key, row, columns, parent, ""))
        return found

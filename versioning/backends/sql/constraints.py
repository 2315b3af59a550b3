"""
Whether committed rows keep the constraints of their tables, asked in plain SQL.

The engines commit orphans and duplicates once the list of violations has been
emptied, and Dolt's own check harms the next write when it finds something
within a transaction that is rolled back.
"""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any

from versioning.backends.repository import Violation, ViolationKind
from versioning.backends.sql.tables import Tables

FAULTS_SHOWN = 100  # rows for each constraint


class Constraints(Tables):
    def broken_constraints(
        self, tables: Sequence[str] | None = None
    ) -> list[Violation]:
        self._outside_atomic()
        found: list[Violation] = []
        for table in self.tables():
            if tables is None or table in tables:
                for constraint in self._constraints(table):
                    found += self._broken(table, constraint)
        return found

    def _constraints(self, table: str) -> Iterator[dict[str, Any]]:
        """A table's constraints as Django's introspection gives them."""
        with self.connection.cursor() as cursor:
            found = self.connection.introspection.get_constraints(cursor, table)
        partial = self._partial_indexes(table)
        for name, constraint in found.items():
            if name not in partial and None not in constraint["columns"]:
                yield constraint

    @abstractmethod
    def _partial_indexes(self, table: str) -> set[str]:
        """Names of the indexes that hold for some rows only."""

    def _broken(self, table: str, constraint: dict[str, Any]) -> list[Violation]:
        columns = tuple(constraint["columns"])
        if constraint["foreign_key"] and len(columns) == 1:
            parent, column = constraint["foreign_key"]
            sql = self._orphans(table, columns[0], parent, column)
            return self._faults(table, ViolationKind.FOREIGN_KEY, sql, columns, parent)
        if constraint["unique"] and not constraint["primary_key"] and columns:
            sql = self._duplicates(table, columns)
            return self._faults(table, ViolationKind.UNIQUE, sql, columns, "")
        return []

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
    ) -> list[Violation]:
        primary = self._primary_key(table, None)
        names, rows = self._table(f"{sql} LIMIT {FAULTS_SHOWN}")
        found = []
        for values in rows:
            row = dict(zip(names, values, strict=True))
            key = tuple(row[column] for column in primary)
            found.append(Violation(table, kind, key, row, columns, parent, ""))
        return found

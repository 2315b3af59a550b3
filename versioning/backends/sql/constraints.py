"""
Whether committed rows keep the constraints of their tables, asked in plain SQL.

The engines commit orphans and duplicates once the list of violations has been
emptied, and Dolt's own check harms the next write when it finds something
within a transaction that is rolled back.
"""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from versioning.backends.repository import Violation, ViolationKind
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
        self._outside_atomic()
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

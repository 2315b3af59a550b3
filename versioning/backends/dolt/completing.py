"""
What Dolt leaves out of a merge in which each side gave a table new columns.

It compares rows by their bytes, which do not say of which column they are. If
ours holds in its new column what theirs holds in its own, as flags do, a row is
the same on both sides, and stays as ours has it: without theirs' value.
"""

from collections.abc import Sequence

from versioning.backends.dolt.export import Exporting
from versioning.backends.repository import MergeSides


class Completing(Exporting):
    def fill_new_columns(self, sides: MergeSides) -> None:
        ours, theirs = (
            {change.table for change in self.schema_changes(sides.base, side)}
            for side in (sides.ours, sides.theirs)
        )
        for table in sorted(ours & theirs):
            if columns := self._columns_of_theirs(table, sides):
                self._take_over(table, columns, sides.theirs)

    def _columns_of_theirs(self, table: str, sides: MergeSides) -> list[str]:
        """
        Those that only theirs added, where ours added some too. Behind all that
        there were: a column that was renamed stays where it is.
        """
        ends = (sides.base, sides.ours, sides.theirs)
        if any(table not in self.tables(at=at) for at in (*ends, None)):
            return []
        base, ours, theirs = (self.columns(table, at) for at in ends)
        if set(ours) <= set(base):
            return []
        known = {*base, *ours, *self.generated_columns(table, sides.theirs)}
        result = self.columns(table)
        return [c for c in theirs[len(base) :] if c in result and c not in known]

    def _take_over(self, table: str, columns: Sequence[str], theirs: str) -> None:
        key = self.primary_key(table)
        if not key or key != self.primary_key(table, theirs):
            return
        same_row = [self._on_both(column, "=") for column in key]
        alike = [self._on_both(column, "<=>") for column in columns]
        taken = [self._on_both(column, "=") for column in columns]
        self._rows_change()
        with self._unchecked():
            self._execute(
                f"UPDATE {self._name(table)} AS here, "
                f"{self._table_of_state(table)} AS there SET {', '.join(taken)} "
                f"WHERE {' AND '.join(same_row)} AND NOT ({' AND '.join(alike)})",
                [theirs],
            )

    def _on_both(self, column: str, operator: str) -> str:
        name = self._name(column)
        return f"here.{name} {operator} there.{name}"

"""
What Dolt puts into new columns in a merge of a table that each side redefined.

It compares rows by their bytes, which do not say of which column they are. Where
the last value is in one column on this side and in another on that one, as where
each added a flag, a row may be the same on both sides, and counts as changed in
one way: theirs' value is left out, or stands in a column that it is not of.
"""

from collections.abc import Sequence

from versioning.backends.dolt.export import Exporting
from versioning.backends.dolt.reading import exactly_same
from versioning.backends.repository import MergeSides


class Completing(Exporting):
    def fill_new_columns(self, sides: MergeSides) -> None:
        ours, theirs = (
            {change.table for change in self.schema_changes(sides.base, side)}
            for side in (sides.ours, sides.theirs)
        )
        ends = (sides.base, sides.ours, sides.theirs)
        for table in sorted(ours & theirs):
            if not all(table in self.tables(at=at) for at in (*ends, None)):
                continue
            keys = {self.primary_key(table, at) for at in (*ends, None)}
            if len(keys) == 1 and keys != {()}:
                self._fill(table, sides.theirs, sides.ours, sides.base)
                self._fill(table, sides.ours, sides.theirs, sides.base)

    def _fill(self, table: str, side: str, other: str, base: str) -> None:
        """
        Give each row what a side holds in columns that only that side has. What
        stands behind all that there were is new, as a renamed column stays where
        it is. Any other may be a renamed one, in which the other side may have
        changed something: so only in rows that the other side has as they were,
        or as this side has them.
        """
        before, there, others = (self.columns(table, at) for at in (base, side, other))
        known = {*before, *others, *self.generated_columns(table, side)}
        result = self.columns(table)
        own = [column for column in there if column in result and column not in known]
        new = [column for column in there[len(before) :] if column in own]
        states = [side, other, base]
        self._take_over(table, new, ["TRUE"], states)
        unchanged = [
            self._same("other", "was", column)
            if column not in there
            else f"({self._same('other', 'was', column)} OR "
            f"{self._same('other', 'there', column)})"
            for column in before
            if column in others
        ]
        self._take_over(table, [c for c in own if c not in new], unchanged, states)

    def _take_over(
        self,
        table: str,
        columns: Sequence[str],
        conditions: Sequence[str],
        states: Sequence[str],
    ) -> None:
        """
        Write what the first of three states (hashes) holds in some columns. In the
        conditions, which are SQL, those are called ``there``, ``other`` and ``was``.
        """
        if not columns:
            return
        state = self._table_of_state(table)
        taken = [f"here.{self._name(c)} = there.{self._name(c)}" for c in columns]
        alike = " AND ".join(self._same("here", "there", column) for column in columns)
        self._rows_change()
        with self._unchecked():
            self._execute(
                f"UPDATE {self._name(table)} AS here "
                f"JOIN {state} AS there ON {self._same_row(table, 'there')} "
                f"JOIN {state} AS other ON {self._same_row(table, 'other')} "
                f"LEFT JOIN {state} AS was ON {self._same_row(table, 'was')} "
                f"SET {', '.join(taken)} "
                f"WHERE NOT ({alike}) AND {' AND '.join(conditions)}",
                states,
            )

    def _same(self, one: str, other: str, column: str) -> str:
        name = self._name(column)
        return exactly_same(f"{one}.{name}", f"{other}.{name}")

    def _same_row(self, table: str, alias: str) -> str:
        key = [self._name(column) for column in self.primary_key(table)]
        return " AND ".join(f"here.{column} = {alias}.{column}" for column in key)

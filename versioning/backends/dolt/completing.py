"""
What Dolt leaves out in a merge of a table that a side redefined: of new columns,
and of new indexes.

It compares rows by their bytes, which do not say of which column they are. Where
the last value is in one column on this side and in another on that one, as where
each added a flag, a row may be the same on both sides, and counts as changed in
one way: theirs' value is left out, or stands in a column that it is not of.

And a unique index that a merge builds, as ours has none of that name or another
one, gets no row that has NULL in one of its columns: those are looked for when
duplicates are, and passed over for good. By such an index they are not found.
"""

import re
from collections.abc import Iterable, Sequence

from versioning.backends.dolt.export import Exporting
from versioning.backends.dolt.reading import exactly_same
from versioning.backends.repository import MergeSides

_UNIQUE = re.compile(r"^\s*(UNIQUE KEY .*?),?$", re.M)


class Completing(Exporting):
    def fill_new_columns(self, sides: MergeSides) -> None:
        ours, theirs = self._tables_redefined(sides)
        ends = (sides.base, sides.ours, sides.theirs)
        for table in sorted(ours & theirs):
            if not all(table in self.tables(at=at) for at in (*ends, None)):
                continue
            keys = {self.primary_key(table, at) for at in (*ends, None)}
            if len(keys) == 1 and keys != {()}:
                self._fill(table, sides.theirs, sides.ours, sides.base)
                self._fill(table, sides.ours, sides.theirs, sides.base)

    def _tables_redefined(self, sides: MergeSides) -> tuple[set[str], set[str]]:
        """The tables that each side defines otherwise than the merge base."""
        ours, theirs = (
            {change.table for change in self.schema_changes(sides.base, side)}
            for side in (sides.ours, sides.theirs)
        )
        return ours, theirs

    def fill_new_indexes(self, sides: MergeSides) -> None:
        ours, theirs = self._tables_redefined(sides)
        redefined = ours | theirs
        if not redefined:
            return
        unique, required = self._unique(), set(self._required_columns())
        for table in sorted(redefined & set(self.tables())):
            may_be_null = {
                column
                for index in unique.get(table, ())
                for column in index.columns
                if (table, column) not in required
            }
            if (
                may_be_null
                and self.primary_key(table)
                and self._may_be_built(table, sides)
            ):
                self._index_anew(table, sorted(may_be_null))

    def _may_be_built(self, table: str, sides: MergeSides) -> bool:
        """
        Whether the merge may have built unique indexes of a table, and not only
        added to those that ours has: all of them where a column's type differs.
        """
        ours, theirs = sides.ours, sides.theirs
        if not all(table in self.tables(at=at) for at in (ours, theirs)):
            return True
        here, there = (self.column_definitions(table, at) for at in (ours, theirs))
        if any(here[column] != there[column] for column in here.keys() & there.keys()):
            return True
        found, before = (
            set(_UNIQUE.findall(self._create_statement(table, at)))
            for at in (None, ours)
        )
        return not found <= before

    def _index_anew(self, table: str, columns: Iterable[str]) -> None:
        """
        Index the rows that have NULL in one of the columns, but for those that
        break a rule: no index takes them before they are mended. Of an UPDATE that
        changes nothing the engine makes nothing; this one it writes.
        """
        generated = self.generated_columns(table)
        names = [self._name(c) for c in self.columns(table) if c not in generated]
        # Not by the index: see ``Part.scanned``.
        nulls = [f"coalesce({c}, {c}) IS NULL" for c in map(self._name, columns)]
        where = f"({' OR '.join(nulls)})"
        primary = [self._name(column) for column in self.primary_key(table)]
        if table in self._violated():
            key = ", ".join(primary)
            broken = self._name("dolt_constraint_violations_", table)
            where += f" AND ({key}) NOT IN (SELECT {key} FROM {broken})"
        name, listed = self._name(table), ", ".join(names)
        with self._unchecked():
            self._execute(
                f"INSERT INTO {name} ({listed}) SELECT * FROM "
                f"(SELECT {listed} FROM {name} WHERE {where}) AS found "
                f"ON DUPLICATE KEY UPDATE {name}.{primary[0]} = {name}.{primary[0]}"
            )

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

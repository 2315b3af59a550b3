"""
Merges of a table that one side defined anew, looked at for values that got lost.

Engines merge rows by the columns that a table has, and are silent where these
differ in ways of their own: a value goes with a column that only the other side
dropped, or stays under a name that means another column there. So each row that
one side changed is looked up in the result, wherever the other side defined its
table anew.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, time
from functools import cached_property
from itertools import islice

from versioning import values
from versioning.backends.errors import MergeRefused
from versioning.backends.repository import (
    ChangeKind,
    Key,
    MergeSides,
    Repository,
    Row,
    RowChange,
)
from versioning.merging import VIOLATIONS_LISTED
from versioning.merging.dropped import is_empty
from versioning.values import same

BATCH = 500  # rows


def require_nothing_lost(merge: Repository, sides: MergeSides) -> None:
    """
    Raise ``MergeRefused`` if the result that the engine made, of a merge under
    way, lacks a value or brings back a row, where tables are defined otherwise
    on one side than before. Takes work in proportion to the rows that changed
    in such tables, and asks two questions where there are none.
    """
    for shaped, plain in (
        (sides.theirs, sides.ours),
        (sides.ours, sides.theirs),
    ):
        changed = merge.schema_changes(sides.base, shaped)
        if not changed or merge.schema_conflicts():
            continue  # definitions come first, and nothing lands before
        listed = merge.violations(limit=VIOLATIONS_LISTED + 1)
        if len(listed) > VIOLATIONS_LISTED:
            return  # nor does it with so many
        missing = {(v.table, v.key) for v in listed}
        names = {
            change.old_table: change.table
            for change in merge.diff_summary(sides.base, shaped)
            if change.kind is ChangeKind.RENAMED
        }
        there = merge.tables(at=sides.base)
        tables = {change.table for change in changed} | names.keys()
        for table in sorted(tables.intersection(there)):
            name = names.get(table, table)
            told = frozenset(key for of, key in missing if of == name)
            _Reshaped(merge, sides.base, shaped, plain, table, name, told).check()


@dataclass(frozen=True)
class _Reshaped:
    """A table that ``shaped`` defines otherwise than ``base``, a merge under way."""

    merge: Repository
    base: str  # hashes
    shaped: str
    plain: str  # the other side
    table: str  # as base calls it
    name: str  # as the shaped side calls it
    told: frozenset[Key]  # rows that the engine says something of by itself

    def check(self) -> None:
        if self.name not in self.merge.tables():
            self._require_no_changes("the other has no such table any more")
        elif not self._key:
            self._require_no_changes("no primary key tells which they are by now")
        elif self._key != self.merge.primary_key(self.name):
            self._require_no_changes("the other tells its rows apart otherwise")
        else:
            self._require_columns()
            for changes in _batches(self._changes()):
                self._require_all(changes)
            self._require_nothing_else()

    @property
    def _spoken(self) -> str:
        return f"“{values.table_name(self.table)}”"

    def _values_of(self, column: str) -> str:
        names = values.TableValues(self.table, self.merge.connection)
        return f"values of “{names.column_name(column)}”"

    @cached_property
    def _key(self) -> Key:
        return self.merge.primary_key(self.table, self.base)

    @cached_property
    def _is_there(self) -> bool:
        """Whether the plain side has the table, by the name that base has for it."""
        return self.table in self.merge.tables(at=self.plain)

    @cached_property
    def _is_shaped(self) -> bool:
        """Whether the shaped side has the table still."""
        return self.name in self.merge.tables(at=self.shaped)

    def _changes(self, keys: Sequence[Key] | None = None) -> Iterator[RowChange]:
        """Rows that the plain side changed."""
        if not self._is_there:
            return iter(())
        return self.merge.diff_rows(self.table, self.base, self.plain, keys=keys)

    def _require_no_changes(self, why: str) -> None:
        if next(self._changes(), None) is not None:
            raise _refused(f"One branch changed rows of {self._spoken}, and {why}.")

    def _require_columns(self) -> None:
        """Dolt leaves out a column that took the name of one that was renamed."""
        columns = self.merge.columns
        if self._is_there and self._is_shaped:
            gone = {*columns(self.table, self.base)} - {
                *columns(self.table, self.plain)
            }
            wanted = {*columns(self.name, self.shaped)} - gone
            if not wanted.issubset(columns(self.name)):
                raise self._misplaced()

    def _require_all(self, changes: Sequence[RowChange]) -> None:
        keys = [change.key for change in changes]
        found = self.merge.rows(self.name, keys, at=None)
        other = self._shaped_rows(keys)
        disputed = self._disputed(keys)
        for change in changes:
            if change.key in disputed:
                continue
            if lost := self._lost(change, found.get(change.key), other.get(change.key)):
                raise _refused(
                    f"One branch changed {lost} in {self._spoken}, and that would be "
                    "lost, as the table has other columns on the other branch."
                )

    def _shaped_rows(self, keys: Sequence[Key]) -> Mapping[Key, Row]:
        if not self._is_shaped:
            return {}
        return self.merge.rows(self.name, keys, at=self.shaped)

    def _disputed(self, keys: Sequence[Key]) -> frozenset[Key]:
        """Those that a person decides about, or has to mend."""
        if self.name not in {count.table for count in self.merge.conflict_counts()}:
            return self.told
        return self.told.union(
            row.key for row in self.merge.conflicts(self.name, keys=keys)
        )

    def _lost(self, change: RowChange, result: Row | None, other: Row | None) -> str:
        """What of a row is not in the result, in words; "" if all is."""
        if change.after is None:
            return "" if result is None else "which rows there are"
        if result is None:
            return "rows"
        new = [column for column in result if column not in change.after]
        for column, value in change.after.items():
            before = (change.before or {}).get(column)
            if same(value, before) if change.before else is_empty(value):
                continue
            if any(alike(result[name], value) for name in new):
                continue  # it has another name, or moved there
            if column not in result or not alike(result[column], value):
                return self._values_of(column)
            if (
                change.before is not None
                and other is not None
                and column in other
                and not alike(other[column], before)
                and not alike(other[column], value)
            ):
                return self._values_of(column)  # both did: one of them is gone
        return ""

    def _require_nothing_else(self) -> None:
        """Rows that the plain side left alone are as the shaped side has them."""
        differ = self.merge.merged_rows(self.name, before=self.shaped)
        for changes in _batches(c for c in differ if self._is_other(c)):
            keys = [change.key for change in changes]
            touched = {change.key for change in self._changes(keys)}
            touched |= self._disputed(keys)
            if not touched.issuperset(keys):
                raise self._misplaced()

    def _misplaced(self) -> MergeRefused:
        return _refused(
            f"One branch gave {self._spoken} other columns, and values would end up in "
            "columns that they are not of."
        )

    @staticmethod
    def _is_other(change: RowChange) -> bool:
        """Whether the result has something else than the shaped side."""
        if change.before is None or change.after is None:
            return True
        return any(
            column not in change.after or not alike(change.after[column], value)
            for column, value in change.before.items()
        )


def _refused(what: str) -> MergeRefused:
    return MergeRefused(
        f"{what} Give both branches the same tables first, where the rows are; then "
        "look again."
    )


def _batches(changes: Iterable[RowChange]) -> Iterator[list[RowChange]]:
    changes = iter(changes)
    while batch := list(islice(changes, BATCH)):
        yield batch


def alike(one: object, other: object) -> bool:
    """Whether two columns, which may be of different types, hold the same."""
    if same(one, other):
        return True
    for text, value in ((one, other), (other, one)):
        # DoltLite gives times where the connection is, and text of other states.
        if isinstance(text, str) and isinstance(value, date | time):
            with suppress(ValueError):
                return type(value).fromisoformat(text) == value
    if one is None or other is None or type(one) is type(other):
        return False
    return str(one) == str(other)

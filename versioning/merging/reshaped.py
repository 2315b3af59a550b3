"""
Merges of a table that one side defined anew, looked at for values that got lost.

Engines merge rows by the columns that a table has, and are silent where these
differ in ways of their own: a value goes with a column that only the other side
dropped, or stays under a name that means another column there. So each row that
one side changed is looked up in the result, wherever the other side defined its
table anew.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import Any

from versioning import values
from versioning.backends.equality import alike
from versioning.backends.errors import COMMIT_BY_COMMIT, MergeRefused
from versioning.backends.repository import (
    ChangeKind,
    ConflictRow,
    Key,
    MergeSides,
    Repository,
    Row,
    RowChange,
)
from versioning.merging import VIOLATIONS_LISTED
from versioning.merging.dropped import is_empty
from versioning.merging.whereabouts import Whereabouts, is_there, whereabouts
from versioning.values import same

BATCH = 500  # rows
ASKED = 1000  # rows of a table, at most, that the engine should have asked about


#: Rows that one side deleted and the other changed, by table.
Unnoticed = Mapping[str, frozenset[Key]]


def unnoticed(merge: Repository, sides: MergeSides) -> Unnoticed:
    """
    Rows that the engine deleted in a merge under way, as one side did, though the
    other had changed them, where tables are defined otherwise than before: they
    are to be asked about. Raises ``MergeRefused`` if its result lacks another value
    or brings back a row. Takes work in proportion to the rows that changed in such
    tables.
    """
    by_theirs, by_ours = (
        merge.schema_changes(sides.base, side) for side in (sides.theirs, sides.ours)
    )
    if by_theirs and by_ours:
        _require_one_name(merge, sides)
    listed = merge.violations(limit=VIOLATIONS_LISTED + 1)
    if len(listed) > VIOLATIONS_LISTED:
        return {}  # nothing lands with so many
    missing = {(v.table, v.key) for v in listed}
    there = merge.tables(at=sides.base)
    ours, theirs = (
        renamed_tables(merge, sides.base, side) for side in (sides.ours, sides.theirs)
    )
    found: dict[str, frozenset[Key]] = {}
    for changed, is_theirs in ((by_theirs, True), (by_ours, False)):
        names, others = (theirs, ours) if is_theirs else (ours, theirs)
        tables = {change.table for change in changed} | names.keys()
        for table in sorted(tables.intersection(there)):
            name, other = (called.get(table, table) for called in (names, others))
            told = frozenset(key for of, key in missing if of == name)
            one = _Reshaped(merge, sides, is_theirs, table, name, other, told)
            one.check()
            if one.asked:
                found[table] = found.get(table, frozenset()) | frozenset(one.asked)
    return found


def renamed_tables(merge: Repository, base: str, side: str) -> dict[str, str]:
    """Names of tables on a side, by what they were called before."""
    return {
        change.old_table: change.table
        for change in merge.diff_summary(base, side)
        if change.kind is ChangeKind.RENAMED
    }


def _require_one_name(merge: Repository, sides: MergeSides) -> None:
    """
    Both engines take a table that both sides renamed for a new one, of which each
    has rows of its own: one that the other deleted comes back.
    """
    base, ours, theirs = (
        set(merge.tables(at=at)) for at in (sides.base, sides.ours, sides.theirs)
    )
    gone = base - ours - theirs
    for name in sorted((ours & theirs) - base if gone else ()):
        one_sided = merge.diff_rows(
            name, sides.ours, sides.theirs, kinds=[ChangeKind.ADDED, ChangeKind.REMOVED]
        )
        for changes in _batches(one_sided):
            keys = [change.key for change in changes]
            if any(_has_some(merge, table, sides.base, name, keys) for table in gone):
                raise MergeRefused(
                    f"Both branches gave a table the name “{values.table_name(name)}”, "
                    "and one deleted rows of it, which would come back. "
                    f"{COMMIT_BY_COMMIT}"
                )


def _has_some(
    merge: Repository, table: str, at: str, name: str, keys: Sequence[Key]
) -> bool:
    """Whether a table had some rows of what may be its new name."""
    if merge.primary_key(table, at) != merge.primary_key(name):
        return False
    return bool(merge.rows(table, keys, at=at))


@dataclass(frozen=True)
class _Reshaped:
    """A table that one side defines otherwise than the base, in a merge under way."""

    merge: Repository
    sides: MergeSides
    by_theirs: bool  # who defines it so; the other side may have, too
    table: str  # as base calls it
    name: str  # as the shaped side calls it
    other: str  # as the plain side calls it
    told: frozenset[Key]  # rows that the engine says something of by itself
    asked: list[Key] = field(default_factory=list)  # rows that it should have

    def check(self) -> None:
        if self.name not in self.merge.tables():
            if self._has_other_columns and self._may_be_called_otherwise:
                raise self._refused(
                    f"One branch gave {self._spoken} other columns, and the other "
                    "branch another name."
                )
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
    def base(self) -> str:
        return self.sides.base

    @property
    def shaped(self) -> str:
        return self.sides.theirs if self.by_theirs else self.sides.ours

    @property
    def plain(self) -> str:
        return self.sides.ours if self.by_theirs else self.sides.theirs

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
        """Whether the plain side has the table still."""
        return self.other in self.merge.tables(at=self.plain)

    @cached_property
    def _is_shaped(self) -> bool:
        """Whether the shaped side has the table still."""
        return self.name in self.merge.tables(at=self.shaped)

    @property
    def _has_other_columns(self) -> bool:
        columns = self.merge.columns
        return self._is_shaped and (
            columns(self.table, self.base) != columns(self.name, self.shaped)
        )

    @property
    def _may_be_called_otherwise(self) -> bool:
        """
        Whether a new table of the plain side may be this one: DoltLite says so only
        while their rows are the same, and puts values into any columns.
        """
        new = {*self.merge.tables(at=self.plain)} - {*self.merge.tables(at=self.base)}
        return not self._is_there and any(
            self.merge.primary_key(table, self.plain) == self._key
            and self._base_columns.intersection(self.merge.columns(table, self.plain))
            for table in new
        )

    def _changes(self, keys: Sequence[Key] | None = None) -> Iterator[RowChange]:
        """Rows that the plain side changed."""
        if not self._is_there:
            return iter(())
        return self.merge.diff_rows(self.other, self.base, self.plain, keys=keys)

    def _require_no_changes(self, why: str) -> None:
        if next(self._changes(), None) is not None:
            raise self._refused(
                f"One branch changed rows of {self._spoken}, and {why}."
            )

    def _require_columns(self) -> None:
        """Dolt leaves out a column that took the name of one that was renamed."""
        columns = self.merge.columns
        if self._is_there and self._is_shaped:
            gone = {*columns(self.table, self.base)} - {
                *columns(self.other, self.plain)
            }
            wanted = {*columns(self.name, self.shaped)} - gone
            if not wanted.issubset(columns(self.name)):
                raise self._misplaced()

    def _require_all(self, changes: Sequence[RowChange]) -> None:
        keys = [change.key for change in changes]
        found = self.merge.rows(self.name, keys, at=None)
        other = self._shaped_rows(keys)
        disputed = self._in_conflict(keys)
        for change in changes:
            if change.key in self.told:
                continue
            if not self._taken.isdisjoint(_written(change)):
                raise self._misplaced()
            if row := disputed.get(change.key):
                offered, shaped = row.ours, row.theirs
                if not self.by_theirs:
                    offered, shaped = shaped, offered
                lost = self._left_out(change, offered, is_whole=shaped is None)
            else:
                key = change.key
                lost = self._lost(change, found.get(key), other.get(key))
                if lost and key not in found and self._can_ask(change):
                    self.asked.append(key)
                    continue
            if lost:
                raise self._refused(
                    f"One branch changed {lost} in {self._spoken}, and that would be "
                    "lost, as the table has other columns on the other branch."
                )

    @cached_property
    def _columns(self) -> Whereabouts:
        """Where the base's columns are now."""
        if not self._is_shaped:
            return {}
        return whereabouts(self.merge, self.table, self.base, self.name, self.shaped)

    @cached_property
    def _taken(self) -> frozenset[str]:
        """Columns with the name of another, which was renamed before."""
        there = self.merge.columns(self.name, self.shaped) if self._columns else ()
        return frozenset(
            column
            for column in there
            if column not in self._columns.get(column, [column])
        )

    def _shaped_rows(self, keys: Sequence[Key]) -> Mapping[Key, Row]:
        if not self._is_shaped:
            return {}
        return self.merge.rows(self.name, keys, at=self.shaped)

    def _in_conflict(self, keys: Sequence[Key]) -> dict[Key, ConflictRow]:
        """Those that a person decides about."""
        if self.name not in {count.table for count in self.merge.conflict_counts()}:
            return {}
        return {row.key: row for row in self.merge.conflicts(self.name, keys=keys)}

    def _left_out(
        self, change: RowChange, offered: Row | None, *, is_whole: bool
    ) -> str:
        """
        What of a row in conflict can't be chosen, in words; "" if all can. One that
        the shaped side deleted is chosen as a whole, with what nobody changed in it.
        """
        kept = self.merge.columns(self.name)
        offered = offered or {}
        for column, value in _held(change) if is_whole else _set(change):
            if column not in kept:
                may_move = is_whole and self._may_be_renamed(column)
                if may_move and column in offered:
                    return self._values_of(column)
                # See ``without_dropped()``; else it was dropped for all rows.
                unchanged = is_whole and column not in _written(change)
                if not may_move and (column in offered or unchanged):
                    continue
            if not self._has(offered, column, value, change):
                return self._values_of(column)
        return ""

    def _may_be_renamed(self, column: str) -> bool:
        """Whether a column that is not called so any more has another name."""
        if column in self._columns:
            return bool(self._columns[column])
        return not self._base_columns.issuperset(self.merge.columns(self.name))

    def _has(self, row: Row, column: str, value: Any, change: RowChange) -> bool:
        """Whether a row has a value where the column is now."""
        if column not in self._base_columns and column in row:
            # Nobody else can have renamed it. Dolt may leave its value out.
            return is_there(value, row, [column])
        if column in self._columns:
            return is_there(value, row, self._columns[column])
        new = row.keys() - (change.after or {}).keys()
        if column in self._base_columns:
            if not self.merge.features.knows_what_was_renamed:
                return False  # nobody can tell which it is
            new = self._may_have_become(column, new)
        return is_there(value, row, {*new, column})

    def _may_have_become(self, column: str, new: Iterable[str]) -> set[str]:
        """
        Those of the ``new`` columns that an empty one may be, by its definition;
        none if that may be said of more columns than there are such, as all of
        them may hold the same.
        """
        before, after = self._definitions
        others = frozenset().union(*self._columns.values())
        found = {one for one in new if after.get(one) == before[column]} - others
        empty = [
            one
            for one, definition in before.items()
            if definition == before[column] and one not in {*self._columns, *after}
        ]
        return found if len(empty) <= len(found) else set()

    @cached_property
    def _definitions(self) -> tuple[Mapping[str, str], Mapping[str, str]]:
        """Of the columns, as of the base and on the shaped side."""
        before = self.merge.column_definitions(self.table, self.base)
        if not self._is_shaped:
            return before, {}
        return before, self.merge.column_definitions(self.name, self.shaped)

    @cached_property
    def _base_columns(self) -> frozenset[str]:
        return frozenset(self.merge.columns(self.table, self.base))

    def _lost(self, change: RowChange, result: Row | None, other: Row | None) -> str:
        """What of a row is not in the result, in words; "" if all is."""
        if change.after is None:
            return "" if result is None else "which rows there are"
        if result is None:
            return "" if self._is_only_filled(change) else "rows"
        for column, value in _set(change):
            if not self._has(result, column, value, change):
                return self._values_of(column)
            before = (change.before or {}).get(column)
            if (
                change.before is not None
                and other is not None
                and column in other
                and alike(result.get(column), value)
                and not alike(other[column], before)
                and not alike(other[column], value)
            ):
                return self._values_of(column)  # both did: one of them is gone
        return ""

    def _can_ask(self, change: RowChange) -> bool:
        """Whether a person can decide about a row that was changed, and is gone."""
        return (
            change.before is not None
            and change.after is not None
            and self._is_shaped
            and self.table == self.name == self.other
            and change.after.keys() <= {*self.merge.columns(self.name)}
            and len(self.asked) < ASKED
        )

    def _is_only_filled(self, change: RowChange) -> bool:
        """
        Whether all that a side did to a row, which the other deleted, is what each
        row gets with new columns, which the other has as well.
        """
        return change.before is not None and all(
            column in self._fills
            and same((change.after or {})[column], self._fills[column])
            for column in _written(change)
        )

    @cached_property
    def _fills(self) -> Mapping[str, Any]:
        """What most rows of the shaped side got in columns that both sides added."""
        both = {*self.merge.columns(self.name, self.shaped)}.intersection(
            self.merge.columns(self.other, self.plain)
        )
        changed = self.merge.diff_rows(
            self.name,
            self.base,
            self.shaped,
            kinds=[ChangeKind.CHANGED],
            limit=BATCH,
        )
        rows = [change.after for change in changed if change.after is not None]
        found: dict[str, Any] = {}
        for column in both - self._base_columns if rows else ():
            [(value, count)] = Counter(row[column] for row in rows).most_common(1)
            if 2 * count > len(rows):
                found[column] = value
        return found

    def _require_nothing_else(self) -> None:
        """What the plain side left alone is as the shaped side has it."""
        differ = self.merge.merged_rows(self.name, before=self.shaped)
        for changes in _batches(c for c in differ if self._is_other(c)):
            keys = [change.key for change in changes]
            by_plain = {change.key: change for change in self._changes(keys)}
            aside = self.told | self._in_conflict(keys).keys()
            for change in changes:
                if change.key not in aside and not self._is_of(
                    by_plain.get(change.key), change
                ):
                    raise self._misplaced()

    def _misplaced(self) -> MergeRefused:
        return self._refused(
            f"One branch gave {self._spoken} other columns, and values would end up in "
            "columns that they are not of."
        )

    def _is_of(self, by_plain: RowChange | None, change: RowChange) -> bool:
        """Whether what became of a row of the shaped side can be the plain side's."""
        if by_plain is None:
            return False
        result = change.after or {}
        other = [
            column
            for column, value in (change.before or {}).items()
            if column in result and not alike(result[column], value)
        ]
        if self.merge.features.knows_what_was_renamed:
            # But not that another column has the name of that now.
            return self._taken.isdisjoint(other)
        new = [(by_plain.after or {})[column] for column in _written(by_plain)]
        return all(any(alike(result[column], one) for one in new) for column in other)

    def _refused(self, what: str) -> MergeRefused:
        if self._are_alike:
            return MergeRefused(f"{what} {COMMIT_BY_COMMIT}")
        return MergeRefused(
            f"{what} Give both branches the same tables first, where the rows are; "
            "then look again."
        )

    @property
    def _are_alike(self) -> bool:
        """Whether both sides define the table alike by now."""
        return (
            self._is_there
            and self._is_shaped
            and self.merge.columns(self.other, self.plain)
            == self.merge.columns(self.name, self.shaped)
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


def _written(change: RowChange) -> Iterator[str]:
    """Columns of a row that a side put something into, be it empty text."""
    for column, value in (change.after or {}).items():
        if not same(value, (change.before or {}).get(column)):
            yield column


def _held(change: RowChange) -> Iterator[tuple[str, Any]]:
    """What a row holds on the side that changed it: columns and values."""
    return (
        (column, value)
        for column, value in (change.after or {}).items()
        if value is not None
    )


def _set(change: RowChange) -> Iterator[tuple[str, Any]]:
    """What a side set in a row, and somebody would miss: columns and values."""
    for column in _written(change):
        value = (change.after or {})[column]
        if change.before or not is_empty(value):
            yield column, value


def _batches(changes: Iterable[RowChange]) -> Iterator[list[RowChange]]:
    changes = iter(changes)
    while batch := list(islice(changes, BATCH)):
        yield batch

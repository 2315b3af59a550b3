"""
Counters that both sides changed alike.

An engine sees 5 → 6 on one side and 5 → 6 on the other as one change and
merges 6, without a conflict: a vote is lost. These are found from the two
diffs against the merge base, in step, by primary key; as one SQL join the
same takes a hundred times as long on both engines (measured).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from versioning import policies
from versioning.backends.repository import (
    ChangeKind,
    Key,
    MergeSides,
    Repository,
    RowChange,
)
from versioning.merging.resolution import counter_sum
from versioning.values import same

BATCH = 500  # rows looked up at a time


@dataclass(frozen=True, slots=True)
class EqualChange:
    """A counter that both sides changed from ``base`` to ``both``."""

    table: str
    key: Key
    column: str
    base: int
    both: int

    @property
    def sum(self) -> int:
        total = counter_sum(self.base, self.both, self.both)
        assert total is not None
        return total


def equal_changes(repository: Repository, sides: MergeSides) -> Iterator[EqualChange]:
    """
    Counters that both sides changed to the same value, by table and key, also
    on rows that are in conflict for another column's sake. Reads what changed,
    not what the tables hold.
    """
    counting = policies.counting_tables()
    if not counting:
        return
    on_both = _changed_tables(repository, sides.base, sides.ours) & _changed_tables(
        repository, sides.base, sides.theirs
    )
    for table in sorted(on_both & counting.keys()):
        yield from _of_table(repository, sides, table, sorted(counting[table]))


def _changed_tables(repository: Repository, base: str, side: str) -> set[str]:
    return {change.table for change in repository.diff_summary(base, side)}


def _of_table(
    repository: Repository, sides: MergeSides, table: str, columns: list[str]
) -> Iterator[EqualChange]:
    ours = (
        change
        for change in repository.diff_rows(
            table, sides.base, sides.ours, kinds=[ChangeKind.CHANGED]
        )
        if any(_moved(change, column) for column in columns)
    )
    while batch := list(islice(ours, BATCH)):
        yield from _in_step(repository, sides, table, columns, batch)


def equal_changes_of(
    repository: Repository, sides: MergeSides, table: str, keys: Sequence[Key]
) -> list[EqualChange]:
    """``equal_changes()`` for some rows of one table."""
    columns = sorted(policies.counters_of(table))
    if not columns or not keys:
        return []
    ours = repository.diff_rows(
        table, sides.base, sides.ours, kinds=[ChangeKind.CHANGED], keys=keys
    )
    return list(_in_step(repository, sides, table, columns, list(ours)))


def _in_step(
    repository: Repository,
    sides: MergeSides,
    table: str,
    columns: list[str],
    ours: list[RowChange],
) -> Iterator[EqualChange]:
    """Put the other side's changes of the same rows beside ours."""
    if not ours:
        return
    theirs = {
        change.key: change
        for change in repository.diff_rows(
            table,
            sides.base,
            sides.theirs,
            kinds=[ChangeKind.CHANGED],
            keys=[change.key for change in ours],
        )
    }
    for change in ours:
        if other := theirs.get(change.key):
            yield from _of_row(table, change, other, columns)


def _of_row(
    table: str, ours: RowChange, theirs: RowChange, columns: list[str]
) -> Iterator[EqualChange]:
    for column in columns:
        base, one, two = (
            _value(ours.before, column),
            _value(ours.after, column),
            _value(theirs.after, column),
        )
        if (
            one is not None
            and same(one, two)
            and not same(base, one)
            and counter_sum(base, one, two) is not None
        ):
            yield EqualChange(table, ours.key, column, base or 0, one)


def _moved(change: RowChange, column: str) -> bool:
    return not same(_value(change.before, column), _value(change.after, column))


def _value(row: Any, column: str) -> Any:
    return None if row is None else row.get(column)

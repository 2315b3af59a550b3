"""
One commit's changes, or their reversal, laid over another state.

The engines' own revert and cherry-pick commit at once where nothing is in the
way, and so can't be looked at first. What they do is worked out here from the
diff between two states: row by row, with the rules that merges have, and in
proportion to what that commit changed.
"""

from collections import defaultdict
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

from versioning import policies
from versioning.backends.errors import MergeBlocked, MergeRefused
from versioning.backends.repository import (
    ConflictCount,
    ConflictRow,
    Key,
    MergeSides,
    Repository,
    Row,
    RowWrite,
    SchemaConflict,
    Violation,
)
from versioning.merging.counters import CounterSum
from versioning.merging.dropped import that_fit
from versioning.merging.effects import in_doubt
from versioning.merging.paging import in_parts
from versioning.merging.resolution import Cell, CellState, resolve
from versioning.values import same

BATCH = 500  # rows


@dataclass(frozen=True, slots=True)
class _Judged:
    """A row that the change makes another of, as it will be unless it asks."""

    row: ConflictRow
    asks: bool  # whether a person has to decide something about it
    result: Row | None
    cells: tuple[Cell, ...] = ()


class Transplant:
    """
    The change from ``sides.base`` to ``sides.theirs``, under way on ``ours``.

    Stands in for a repository with a merge under way: what it does not do
    otherwise itself, the repository does. To be made inside the outermost
    ``atomic()``, on a branch whose head is ``sides.ours``.
    """

    def __init__(self, repository: Repository, sides: MergeSides):
        self._repository = repository
        self.sides = sides
        self._in_doubt = in_doubt(repository, sides)
        #: Rows as the change makes them, which the engine did not take.
        self._refused: dict[tuple[str, Key], Row] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._repository, name)

    def start(self) -> None:
        """
        Write every row that needs no decision into the working set, but for
        those that the engine refuses: they are among the violations. Raises
        ``MergeBlocked`` for a change of definitions, ``MergeRefused`` where the
        branch has no place for what the change is about.
        """
        ends = self.sides.base, self.sides.theirs
        changed = self._repository.schema_changes(*ends)
        changed += self._repository.index_changes(*ends)
        if changed:
            names = ", ".join(change.table for change in changed)
            raise MergeBlocked(f"the commit changed the definition of {names}")
        for table in self._tables():
            for judged in self._judged(table):
                writes = [
                    RowWrite(one.row.key, one.result) for one in judged if not one.asks
                ]
                for refused in self._repository.try_rows(table, writes):
                    assert refused.values is not None
                    self._refused[table, refused.key] = refused.values
        self._try_again()

    def _try_again(self) -> None:
        """What was in the way of a row may have been written after it."""
        by_table: dict[str, list[RowWrite]] = defaultdict(list)
        for (table, key), row in self._refused.items():
            by_table[table].append(RowWrite(key, row))
        self._refused = {
            (table, refused.key): refused.values or {}
            for table, writes in by_table.items()
            for refused in self._repository.try_rows(table, writes)
        }

    def _tables(self) -> list[str]:
        summary = self._repository.diff_summary(self.sides.base, self.sides.theirs)
        changed = [change.table for change in summary if change.data_changed]
        there = self._repository.tables(at=self.sides.ours)
        for table in changed:
            if table not in there:
                raise _refused(
                    table,
                    "there is no table of that name on the branch: it was dropped or "
                    "renamed since, or was never made there",
                )
            key, now = (
                self._repository.primary_key(table, at)
                for at in (self.sides.base, self.sides.ours)
            )
            if not key:
                raise _refused(
                    table,
                    "that table has no primary key by which to tell its rows apart",
                )
            if key != now:
                raise _refused(
                    table,
                    "that table has another primary key on the branch, so which rows "
                    "are the same can’t be told",
                )
        return changed

    def _gone_columns(self, table: str) -> frozenset[str]:
        """Columns that the change may be about, and the branch has no more."""
        before, now = (
            self._repository.columns(table, at)
            for at in (self.sides.base, self.sides.ours)
        )
        return frozenset(before) - frozenset(now)

    def _judged(
        self, table: str, since: Key | None = None, keys: Sequence[Key] | None = None
    ) -> Iterator[list[_Judged]]:
        """Rows that the change makes another of, in order of key, in batches."""
        sides = self.sides
        counters = policies.counters_of(table)
        changes = that_fit(
            table,
            self._repository.diff_rows(
                table, sides.base, sides.theirs, since=since, keys=keys
            ),
            self._gone_columns(table),
        )
        while batch := list(islice(changes, BATCH)):
            ours = self._repository.rows(
                table, [change.key for change in batch], at=sides.ours
            )
            rows = (
                ConflictRow(
                    table,
                    one.key,
                    one.before,
                    ours.get(one.key),
                    one.after,
                    doubtful=counters if self._in_doubt else frozenset(),
                )
                for one in batch
            )
            yield [judged for row in rows if (judged := _judge(row, counters))]

    # What a repository says of a merge ----------------------------------------

    def conflict_counts(self) -> list[ConflictCount]:
        total: dict[str, int] = defaultdict(int)
        for table in self._tables():
            for judged in self._judged(table):
                total[table] += sum(one.asks for one in judged)
        return [ConflictCount(table, n) for table, n in sorted(total.items()) if n]

    def conflicts(
        self,
        table: str,
        *,
        since: Key | None = None,
        limit: int | None = None,
        keys: Sequence[Key] | None = None,
    ) -> list[ConflictRow]:
        if table not in self._tables():
            return []
        found = (
            one.row
            for judged in self._judged(table, since, keys)
            for one in judged
            if one.asks
        )
        return list(islice(found, limit))

    def each_conflict(
        self, table: str, *, at_once: int
    ) -> Generator[list[ConflictRow], None, None]:
        return in_parts(partial(self.conflicts, table), at_once=at_once)

    def settle_conflicts(self, table: str, *, rows: int) -> None:
        """Nothing: the engine has no list of them."""

    def schema_conflicts(self) -> list[SchemaConflict]:
        return []

    def violations(self, *, limit: int | None = None) -> list[Violation]:
        """What rows break that were written by themselves, or could not be."""
        return list(islice(self._violations(), limit))

    def _violations(self) -> Iterator[Violation]:
        for (table, key), row in self._refused.items():
            yield from self._repository.refusals_of(table, key, row)
        for table in self._tables():
            for judged in self._judged(table):
                keys = [one.row.key for one in judged]
                yield from self._repository.faults_of(table, keys, written=True)

    def unwritten(self, listed: Sequence[Violation]) -> dict[tuple[str, Key], Row]:
        return dict(self._refused)

    def settle_violations(self, table: str) -> None:
        """Nothing: the engine has no list of them."""

    def sums(self) -> Iterator[CounterSum]:
        """Counters that were added up, on rows without a conflict."""
        for table in self._tables():
            for judged in self._judged(table):
                for one in judged:
                    if not one.asks:
                        yield from _sums(one)


def _refused(table: str, why: str) -> MergeRefused:
    return MergeRefused(
        f"That commit changed rows of {table}, and {why}. What is still needed of that "
        "change has to be made by hand."
    )


def _sums(judged: _Judged) -> Iterator[CounterSum]:
    row = judged.row
    for cell in judged.cells:
        if cell.state is CellState.COUNTED:
            yield CounterSum(
                row.table, row.key, cell.column, cell.base or 0, cell.ours, cell.theirs
            )


def _judge(row: ConflictRow, counters: frozenset[str]) -> _Judged | None:
    """What the change makes of a row of ours; None if it leaves it as it is."""
    if row.ours is None and row.theirs is None:
        return None
    if row.theirs is None:
        return _Judged(row, not _same(row.ours, row.base), None)
    if row.ours is None:
        return _Judged(row, row.base is not None, row.theirs)
    if _same(row.ours, row.theirs) and row.base is None:
        return None
    judged = resolve(row, {}, counters)
    if judged.pending:
        return _Judged(row, True, None)
    if _same(judged.result, row.ours):
        return None
    return _Judged(row, False, judged.result, judged.cells)


def _same(one: Row | None, other: Row | None) -> bool:
    if one is None or other is None:
        return one is other
    # A column that one of them got since, as by a migration, and that is empty, is
    # no difference.
    return all(
        same(one.get(column), other.get(column)) for column in one.keys() | other.keys()
    )

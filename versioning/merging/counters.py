"""
Counters: what a merge makes of them, whatever the history.

What must hold is that a count is the sum of the changes that commits made to
it, each counted once. So a merge gives *ours + theirs − common*, where common
is what the commits that both sides hold add up to. An engine does otherwise
in two ways. It sees 5 → 6 on one side and 5 → 6 on the other as one change and
merges 6, without a conflict. And after criss-cross merges there are several
best merge bases, of which it takes one, so that the others' changes would be
counted twice.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

from versioning import policies
from versioning.backends.repository import (
    ChangeKind,
    ConflictRow,
    Key,
    MergeSides,
    Repository,
    Row,
)
from versioning.merging.counted_from import CountedFrom, Counts
from versioning.merging.resolution import counter_sum
from versioning.values import same

BATCH = 500  # rows looked up at a time

_CHANGED = (ChangeKind.CHANGED, ChangeKind.ADDED)


@dataclass(frozen=True, slots=True)
class CounterSum:
    """A counter that adds up to something else than the engine merges."""

    table: str
    key: Key
    column: str
    common: int  # what the sides' common history adds up to
    ours: int
    theirs: int

    @property
    def sum(self) -> int:
        return self.ours + self.theirs - self.common


class CommonHistory:
    """
    What two sides' common history adds up to, as a sum over commits.

    With one merge base that is its own count. With several it is theirs, less
    what those have in common in turn, and so on: every commit counts once.
    """

    def __init__(self, repository: Repository, sides: MergeSides):
        self._repository = repository
        self.sides = sides
        self._counted: dict[str, CountedFrom] = {}

    @cached_property
    def terms(self) -> Mapping[str, int]:
        """How often to take the count as of each commit (a hash)."""
        if not self.sides.is_merge:
            return {self.sides.base: 1}
        bases = self._repository.merge_bases(self.sides.ours, self.sides.theirs)
        return self._united(tuple(bases))

    def _united(self, heads: tuple[str, ...]) -> Counter[str]:
        """The terms of all commits that any of ``heads`` descends from."""
        terms: Counter[str] = Counter()
        for number, head in enumerate(heads):
            terms[head] += 1
            if before := heads[:number]:
                shared = self._repository.common_ancestors(before, head)
                terms.subtract(self._united(tuple(shared)))
        return Counter({commit: times for commit, times in terms.items() if times})

    @property
    def is_one_commit(self) -> bool:
        """Whether the engine's own merge base says it all."""
        return self.terms == {self.sides.base: 1}

    def says_it_all(self, table: str) -> bool:
        """Whether a table's rows at the engine's merge base do, as that has them."""
        return self.is_one_commit and self.of(table).is_plain(self.sides.base)

    def rows(self, table: str, keys: Sequence[Key]) -> list[tuple[int, Counts]]:
        """
        The counters as of each of ``terms``, with how often to take them. Raises
        ``MergeRefused`` where nobody can tell.
        """
        counted = self.of(table)
        return [(times, counted.rows(keys, at)) for at, times in self.terms.items()]

    def of(self, table: str) -> CountedFrom:
        if table not in self._counted:
            self._counted[table] = CountedFrom(self._repository, self.sides, table)
        return self._counted[table]


def with_common_counts(
    repository: Repository, sides: MergeSides, rows: Sequence[ConflictRow]
) -> list[ConflictRow]:
    """
    Rows in conflict, of one table, with what their counters count from, where
    that is not the count at the engine's merge base.
    """
    columns = policies.counters_of(rows[0].table) if rows else frozenset()
    if not columns:
        return list(rows)
    history = CommonHistory(repository, sides)
    if history.says_it_all(rows[0].table):
        return list(rows)
    states = history.rows(rows[0].table, [row.key for row in rows])
    return [
        row._replace(
            common={column: _common(states, row.key, column) for column in columns},
        )
        for row in rows
    ]


def _common(states: list[tuple[int, Counts]], key: Key, column: str) -> int:
    """A row that is not there, or holds nothing, counts nought."""
    return sum(times * (_value(rows.get(key), column) or 0) for times, rows in states)


def counter_sums(repository: Repository, sides: MergeSides) -> Iterator[CounterSum]:
    """
    Counters that the engine would not add up by itself, by table, each once;
    also on rows that are in conflict. Reads what changed, not what the tables
    hold.
    """
    if not policies.counting_tables():
        return
    history = CommonHistory(repository, sides)
    for table, states in _states_that_differ(repository, history).items():
        for keys in _suspects(repository, history, table, states):
            yield from _sums(repository, history, table, keys)


def counter_sums_of(
    repository: Repository, sides: MergeSides, table: str, keys: Sequence[Key]
) -> list[CounterSum]:
    """``counter_sums()`` for some rows of one table."""
    if not policies.counters_of(table) or not keys:
        return []
    return list(_sums(repository, CommonHistory(repository, sides), table, keys))


def _states_that_differ(
    repository: Repository, history: CommonHistory
) -> dict[str, list[str]]:
    """
    By table, the commits whose changes since the merge base tell which
    counters may have to be added up.

    With one merge base both sides must have changed a row, so the side that
    changed fewer tells. With several, the states that the sides have in common
    may differ in a row that neither changed since the base the engine takes.
    """
    sides = history.sides
    changed = {
        state: _counting_tables_changed(repository, sides.base, state)
        for state in (sides.ours, sides.theirs, *history.terms)
        if state != sides.base
    }
    if history.is_one_commit:
        ours, theirs = changed.get(sides.ours, set()), changed.get(sides.theirs, set())
        return _side_changed_less(repository, sides, ours & theirs)
    return {
        table: [state for state, tables in changed.items() if table in tables]
        for table in sorted({table for tables in changed.values() for table in tables})
    }


def _counting_tables_changed(repository: Repository, base: str, state: str) -> set[str]:
    summary = repository.diff_summary(base, state)
    return policies.counting_tables().keys() & {change.table for change in summary}


def _side_changed_less(
    repository: Repository, sides: MergeSides, tables: Set[str]
) -> dict[str, list[str]]:
    """For each of some tables, the side with fewer rows to look at."""
    if not tables:
        return {}  # to count rows takes an engine long where many changed
    ours, theirs = (
        {
            stat.table: stat.rows_added + stat.rows_changed
            for stat in repository.diff_stat(sides.base, side)
        }
        for side in (sides.ours, sides.theirs)
    )
    return {
        table: [
            sides.ours if ours.get(table, 0) <= theirs.get(table, 0) else sides.theirs
        ]
        for table in sorted(tables)
    }


def _suspects(
    repository: Repository, history: CommonHistory, table: str, states: Sequence[str]
) -> Iterator[list[Key]]:
    """Keys of rows whose counters changed between the base and ``states``, once."""
    sides, columns = history.sides, policies.counters_of(table)
    counted = history.of(table)
    is_renamed = not all(counted.is_plain(at) for at in (sides.base, *states))
    for number, state in enumerate(states):
        changes = (
            change.key
            for change in repository.diff_rows(table, sides.base, state, kinds=_CHANGED)
            if is_renamed
            or any(
                not same(_value(change.before, column), _value(change.after, column))
                for column in columns
            )
        )
        while keys := list(islice(changes, BATCH)):
            for earlier in states[:number]:
                listed = {
                    change.key
                    for change in repository.diff_rows(
                        table, sides.base, earlier, kinds=_CHANGED, keys=keys
                    )
                }
                keys = [key for key in keys if key not in listed]
            yield keys


def _sums(
    repository: Repository, history: CommonHistory, table: str, keys: Sequence[Key]
) -> Iterator[CounterSum]:
    sides = history.sides
    if not keys or not all(
        table in repository.tables(at=side) for side in (sides.ours, sides.theirs)
    ):
        return
    theirs = repository.rows(table, keys, at=sides.theirs)
    keys = [key for key in keys if key in theirs]
    ours = repository.rows(table, keys, at=sides.ours)
    states = history.rows(table, keys)
    plain = history.says_it_all(table)
    bases = states[0][1] if plain else _at_base(history, table, keys)
    counted = history.of(table)
    for key in keys:
        if key not in ours:
            continue
        here = counted.on_side(ours[key], sides.ours)
        there = counted.on_side(theirs[key], sides.theirs)
        for column in sorted(policies.counters_of(table)):
            one, two = _value(here, column), _value(there, column)
            common = _common(states, key, column)
            total = counter_sum(common, one, two)
            if not counted.is_called_so(column):
                if total is not None and common not in (one, two):
                    raise counted.refused_name(column)
                continue
            merged = _merged(bases.get(key), column, one, two)
            if total is not None and merged is not _CONFLICT and merged != total:
                yield CounterSum(table, key, column, common, one, two)


def _at_base(
    history: CommonHistory, table: str, keys: Sequence[Key]
) -> Mapping[Key, Row]:
    repository, base = history._repository, history.sides.base
    if table not in repository.tables(at=base):
        return {}
    return repository.rows(table, keys, at=base)


_CONFLICT = object()


def _merged(base: Row | None, column: str, ours: Any, theirs: Any) -> Any:
    """What the engine makes of a cell by itself."""
    if same(ours, theirs):
        return ours
    if base is None:
        return _CONFLICT
    if same(base.get(column), ours):
        return theirs
    return ours if same(base.get(column), theirs) else _CONFLICT


def _value(row: Any, column: str) -> Any:
    return None if row is None else row.get(column)

"""
What counters count from, where the sides' common history has them under another
name, or not at all.

A table or a column that is called otherwise there is looked up by that name. One
that came to both sides since they parted, as by a migration that ran on each, may
have begun with other numbers than nought, for each row by itself: so it counts
from what it held in the commit that brought it.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from versioning import policies, values
from versioning.backends.errors import COMMIT_BY_COMMIT, MergeRefused
from versioning.backends.repository import (
    ChangeKind,
    Key,
    MergeSides,
    Repository,
    Row,
)
from versioning.merging.whereabouts import whereabouts
from versioning.values import same

#: Counters of some rows, by key and by the column's name in the model.
Counts = Mapping[Key, Row]


class CountedFrom:
    """The counters of one table, in states of both sides' common history."""

    def __init__(self, repository: Repository, sides: MergeSides, table: str):
        self._repository = repository
        self._sides = sides
        self._table = table
        self._counters = sorted(policies.counters_of(table))

    def is_plain(self, at: str) -> bool:
        """Whether a state (a hash) has the table, and in it all counters."""
        return all(self._has(counter, at) for counter in self._counters)

    def rows(self, keys: Sequence[Key], at: str) -> Counts:
        """
        Of rows as of a state (a hash); one that is not there counts from nought.
        Raises ``MergeRefused`` where nobody can tell.
        """
        if self.is_plain(at):
            return self._repository.rows(self._table, keys, at=at)
        table = self._former_table(at)
        if table is None:
            begun = {counter: self._starts(counter, keys) for counter in self._counters}
            return {
                key: {counter: starts.get(key) for counter, starts in begun.items()}
                for key in keys
            }
        found = self._repository.rows(table, keys, at=at)
        counts: dict[Key, dict[str, Any]] = {key: {} for key in found}
        for counter in self._counters:
            name = self._former_column(table, counter, at)
            starts = {} if name else self._starts(counter, list(found))
            for key, row in found.items():
                counts[key][counter] = row[name] if name else starts.get(key)
        return counts

    def on_side(self, row: Row, side: str) -> Row:
        """A row of a side (its hash), with the counters that it calls otherwise."""
        if self.is_plain(side):
            return row
        named = {counter: self._name_on(side, counter) for counter in self._counters}
        return {
            **row,
            **{c: row[name] for c, name in named.items() if name is not None},
        }

    def is_called_so(self, counter: str) -> bool:
        """Whether both sides have a counter under the name that its model gives it."""
        return all(
            self._has(counter, side) for side in (self._sides.ours, self._sides.theirs)
        )

    def refused_name(self, counter: str) -> MergeRefused:
        return MergeRefused(
            f"One branch gave {self._spoken(counter)} another name, and both branches "
            "counted since, which would count as one. Give both branches the same "
            "tables first; then look again."
        )

    def _name_on(self, side: str, counter: str) -> str | None:
        columns = self._repository.columns(self._table, side)
        table = self._former_table(self._sides.base)
        if counter in columns or table is None:
            return counter if counter in columns else None
        if counter not in self._repository.columns(table, self._sides.base):
            before = self._former_column(table, counter, self._sides.base)
            return before if before in columns else None
        found = self._whereabouts(table, self._sides.base, side).get(counter, ())
        return next(iter(found)) if len(found) == 1 else None

    def _former_table(self, at: str) -> str | None:
        if self._table in self._repository.tables(at=at):
            return self._table
        names = {
            change.old_table
            for side in (self._sides.ours, self._sides.theirs)
            for change in self._repository.diff_summary(at, side)
            if change.kind is ChangeKind.RENAMED and change.table == self._table
        }
        return names.pop() if len(names) == 1 else None

    def _former_column(self, table: str, counter: str, at: str) -> str | None:
        if counter in self._repository.columns(table, at):
            return counter
        names = {
            column
            for side in (self._sides.ours, self._sides.theirs)
            for column, found in self._whereabouts(table, at, side).items()
            if found == {counter}
        }
        return names.pop() if len(names) == 1 else None

    def _whereabouts(
        self, table: str, at: str, side: str
    ) -> Mapping[str, frozenset[str]]:
        if self._table not in self._repository.tables(at=side):
            return {}
        return whereabouts(self._repository, table, at, self._table, side)

    # Of what came since -------------------------------------------------------

    def _starts(self, counter: str, keys: Sequence[Key]) -> Mapping[Key, Any]:
        """
        Counts of rows in the commits that brought a counter to the sides; of one
        that only one side has, nothing was counted twice.
        """
        brought = [
            self._brought(counter, side)
            for side in (self._sides.ours, self._sides.theirs)
        ]
        if not all(brought):
            return {}
        ours, theirs = (
            self._repository.rows(self._table, keys, at=at) for at in brought
        )
        found = {}
        for key in keys:
            one, two = (rows.get(key, {}).get(counter) for rows in (ours, theirs))
            if not same(one, two):
                raise self._refused_starts(counter)
            found[key] = one
        return found

    def _brought(self, counter: str, side: str) -> str:
        """
        The first commit of a side that has a counter; "" if the side has none.
        Which a branch has once, it keeps: so it is looked for along first parents,
        and where a merge brought it, along those of what was merged.
        """
        at = side if self._has(counter, side) else ""
        while at:
            chain = [at]
            while before := self._parents(chain[-1])[:1]:
                chain += before
            lacking = bisect_left(
                chain, True, key=lambda one: not self._has(counter, one)
            )
            at = chain[lacking - 1]
            merged = [one for one in self._parents(at)[1:] if self._has(counter, one)]
            if not merged:
                return at
            at = merged[0]
        return ""

    def _has(self, counter: str, at: str) -> bool:
        tables = self._repository.tables(at=at)
        return self._table in tables and counter in self._repository.columns(
            self._table, at
        )

    def _parents(self, at: str) -> tuple[str, ...]:
        """Of a commit beyond the merge base, those that are, too; () of any other."""
        return self._beyond.get(at, ())

    @cached_property
    def _beyond(self) -> Mapping[str, tuple[str, ...]]:
        """The commits of the sides that the merge base lacks, with parents of these."""
        heads = {self._sides.ours, self._sides.theirs}
        beyond = self._repository.beyond({self._sides.base}, heads)
        hashes = list({at for each in beyond.values() for at in each})
        found = {one.hash: one.parents for one in self._repository.commits(hashes)}
        return {
            at: tuple(one for one in parents if one in found)
            for at, parents in found.items()
        }

    def _refused_starts(self, counter: str) -> MergeRefused:
        return MergeRefused(
            f"Both branches got {self._spoken(counter)} since they parted, and not "
            "with the same numbers, so nobody can tell what was counted since. "
            f"{COMMIT_BY_COMMIT}"
        )

    def _spoken(self, counter: str) -> str:
        names = values.TableValues(self._table, self._repository.connection)
        name = names.column_name(counter)
        return f"“{name}” of “{values.table_name(self._table)}”"

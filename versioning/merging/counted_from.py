"""
What counters count from, where the sides' common history has them under another
name, or not at all.

A table or a column that is called otherwise there is looked up by that name. One
that came to both sides since they parted, as by a migration that ran on each, may
have begun with other numbers than nought, for each row by itself: so it counts
from what it held in the commit that brought it.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from versioning import policies, values
from versioning.backends.errors import MergeRefused
from versioning.backends.repository import (
    ChangeKind,
    Key,
    MergeSides,
    Repository,
    Row,
)
from versioning.merging.reshaped import COMMIT_BY_COMMIT
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
        tables = self._repository.tables(at=at)
        return self._table in tables and set(self._counters).issubset(
            self._repository.columns(self._table, at)
        )

    def rows(self, keys: Sequence[Key], at: str) -> Counts:
        """
        Of rows as of a state (a hash); one that is not there counts from nought.
        Raises ``MergeRefused`` where nobody can tell.
        """
        if self.is_plain(at):
            return self._repository.rows(self._table, keys, at=at)
        table = self._former_table(at)
        if table is None:
            return {key: self._begun(key, row) for key, row in self._starts(keys)}
        names = {
            counter: self._former_column(table, counter, at)
            for counter in self._counters
        }
        found = self._repository.rows(table, keys, at=at)
        begun = dict(self._starts(list(found))) if None in names.values() else {}
        return {
            key: {
                counter: row[name] if name else self._one_start(counter, begun[key])
                for counter, name in names.items()
            }
            for key, row in found.items()
        }

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
            counter in self._repository.columns(self._table, side)
            for side in (self._sides.ours, self._sides.theirs)
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

    def _starts(self, keys: Sequence[Key]) -> list[tuple[Key, tuple[Any, Any]]]:
        """Rows as they were in the commits that brought the counters to the sides."""
        ours, theirs = (
            self._repository.rows(self._table, keys, at=at) if at else {}
            for at in self._brought
        )
        return [
            (key, (ours.get(key), theirs.get(key)))
            for key in keys
            if key in ours or key in theirs
        ]

    @cached_property
    def _brought(self) -> tuple[str, str]:
        """The first commits of both sides that have all counters."""
        ours, theirs = self._sides.ours, self._sides.theirs
        beyond = self._repository.beyond({self._sides.base}, {ours, theirs})
        return self._first(beyond[ours]), self._first(beyond[theirs])

    def _first(self, hashes: Sequence[str]) -> str:
        """Of commits, the newest first; "" if none has them."""
        low, high = 0, len(hashes)
        while low < high:
            middle = (low + high) // 2
            if self.is_plain(hashes[middle]):
                low = middle + 1
            else:
                high = middle
        return hashes[low - 1] if low else ""

    def _begun(self, key: Key, rows: tuple[Any, Any]) -> Row:
        return {counter: self._one_start(counter, rows) for counter in self._counters}

    def _one_start(self, counter: str, rows: tuple[Any, Any]) -> Any:
        ours, theirs = (None if row is None else row.get(counter) for row in rows)
        if not same(ours, theirs):
            raise MergeRefused(
                f"Both branches got {self._spoken(counter)} since they parted, and not "
                "with the same numbers, so nobody can tell what was counted since. "
                f"{COMMIT_BY_COMMIT}"
            )
        return ours

    def _spoken(self, counter: str) -> str:
        names = values.TableValues(self._table, self._repository.connection)
        name = names.column_name(counter)
        return f"“{name}” of “{values.table_name(self._table)}”"

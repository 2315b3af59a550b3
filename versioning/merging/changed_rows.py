"""Which rows a merge changes on the side that takes it in."""

from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import chain, islice

from versioning.backends.repository import MergeSides, Repository, RowChange

KEPT = 500  # rows, at most: those of further tables are read again


class ChangedRows:
    """
    What a merge makes of the rows of ours.

    ``result`` is the merge's hash, or None for the working set of one that is
    under way; the connection is to be there, and nothing is to be written while
    this is asked.
    """

    def __init__(self, repository: Repository, sides: MergeSides, result: str | None):
        self.repository = repository
        self.sides = sides
        self.result = result
        self._kept: dict[str, list[RowChange]] = {}

    @cached_property
    def tables(self) -> frozenset[str]:
        """Those of whose rows some are changed."""
        summary = (
            self.repository.merged_summary()
            if self.result is None
            else self.repository.diff_summary(self.sides.ours, self.result)
        )
        return frozenset(change.table for change in summary if change.data_changed)

    def of(self, table: str) -> Iterable[RowChange]:
        """Those of one table; the few of most merges are asked for once."""
        if table not in self._kept:
            changes = self._read(table)
            room = KEPT - sum(map(len, self._kept.values()))
            first = list(islice(changes, room + 1))
            if len(first) > room:
                return chain(first, changes)
            self._kept[table] = first
        return self._kept[table]

    def _read(self, table: str) -> Iterator[RowChange]:
        if self.result is None:
            return self.repository.merged_rows(table)
        return self.repository.diff_rows(table, self.sides.ours, self.result)

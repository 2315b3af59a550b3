"""Rows of a merge's result, written where the engine takes them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from versioning.backends.repository import (
    Key,
    MergeSides,
    Repository,
    Row,
    RowWrite,
    Violation,
)
from versioning.merging.dropped import cut

#: New keys of rows of theirs, by table and old key.
NewKeys = Mapping[str, Mapping[Key, Key]]


class Unclear(NamedTuple):
    """Why nobody can tell whose a row is."""

    columns: tuple[str, ...]  # that leave it open
    is_kept: bool  # both of it were to be kept, and what its key is from was not


class ResultWriter:
    """
    Writes into the working set of a merge under way.

    A row that the engine refuses, as it breaks a rule or lacks a value, is no
    error here: it is kept aside, as it should become, and is a fault of the
    result until somebody mends it, or what was in its way.
    """

    def __init__(
        self, repository: Repository, sides: MergeSides, listed: Sequence[Violation]
    ):
        self._repository = repository
        self.sides = sides
        self.keys: dict[str, set[Key]] = defaultdict(set)  # written, by table
        #: Rows as they should become, which the engine did not take.
        self.unwritten: dict[tuple[str, Key], Row] = repository.unwritten(listed)
        #: Rows of theirs that have another key in the result: see ``copies``.
        self.new_keys: dict[str, dict[Key, Key]] = {}
        #: Rows that may be either side's.
        self.unclear: dict[tuple[str, Key], Unclear] = {}
        #: Whether rows came or went unasked: see ``pairs`` and ``parts``.
        self.went_along = False
        self.left_open = 0  # rows in conflict whose decisions are not all made

    def rows(self, table: str, keys: Sequence[Key]) -> dict[Key, Row]:
        """Rows as they are now, or should become."""
        found = self._repository.rows(table, keys, at=None)
        return found | {
            key: self.unwritten[table, key]
            for key in keys
            if (table, key) in self.unwritten
        }

    def write(self, table: str, writes: Sequence[RowWrite]) -> None:
        """
        Some or all columns of rows; ``values`` of None for no row. A side's row
        may have columns that the result has no more: these are left out.
        """
        if not writes:
            return
        kept = frozenset(self._repository.columns(table))
        some = [w.key for w in writes if w.values and not kept <= w.values.keys()]
        now = self.rows(table, some) if some else {}
        whole = [
            write
            if write.values is None
            else RowWrite(
                write.key, cut({**now.get(write.key, {}), **write.values}, kept)
            )
            for write in writes
        ]
        self._try(table, whole)

    def write_what_was_refused(self) -> None:
        """Once more, as what was in the way may be gone by now."""
        by_table: dict[str, list[RowWrite]] = defaultdict(list)
        for (table, key), row in self.unwritten.items():
            by_table[table].append(RowWrite(key, row))
        for table, writes in by_table.items():
            self._try(table, writes)

    def _try(self, table: str, writes: Sequence[RowWrite]) -> None:
        refused = self._repository.try_rows(table, writes)
        for write in writes:
            self.keys[table].add(write.key)
            self.unwritten.pop((table, write.key), None)
        for write in refused:
            assert write.values is not None
            self.keys[table].discard(write.key)
            self.unwritten[table, write.key] = write.values

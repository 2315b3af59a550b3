"""The same choice as before, for values that are no longer those it was made on."""

from collections.abc import Mapping
from typing import Any

from versioning.backends.repository import Row
from versioning.merging.copies import can_keep_both
from versioning.merging.drafts import choice_of
from versioning.merging.resolution import (
    ABSENT,
    WHOLE_ROW,
    Cell,
    Choice,
    RowResolution,
    RowState,
    Take,
)
from versioning.models import Decision
from versioning.values import decode, same

PLACES = {Take.BASE: 0, Take.OURS: 1, Take.THEIRS: 2}  # in ``Decision.seen``


def row_then(column: str, encoded: Mapping[str, Any]) -> Row | None:
    """
    One of the three versions that a decision about a column, or the row, was
    made on: as much of it as was kept. None where there was no such row.
    """
    if encoded == {"row": None}:
        return None
    if column == WHOLE_ROW:
        return {name: decode(value) for name, value in encoded.items()}
    return {column: decode(encoded["value"])} if "value" in encoded else {}


def same_again(row: RowResolution, decision: Decision) -> Choice | None:
    """
    What comes to the same as an outdated decision about a row in conflict did:
    the value that was taken then, from wherever it is now, or as a value of its
    own. None if nothing does.
    """
    if not row.asks(decision.column):
        return None
    chosen = choice_of(decision)
    if row.decided_as_a_whole:
        return chosen if _gone_then(decision) is _gone_now(row) else None
    cell = next(c for c in row.cells if c.column == decision.column)
    if chosen.take is Take.SUM:
        return chosen if cell.sum is not None else None
    if chosen.take is Take.BOTH:
        return chosen if can_keep_both(row) else None
    value = chosen.value
    if chosen.take in PLACES:
        encoded = decision.seen[PLACES[chosen.take]]
        if "value" not in encoded:
            return None
        value = decode(encoded["value"])
    there = _values(row, cell)
    for take in (chosen.take, *there):
        if take in there and same(there[take], value):
            return Choice(take)
    return Choice(Take.VALUE, value)


def _values(row: RowResolution, cell: Cell) -> dict[Take, Any]:
    """What can be taken for a cell, without typing it."""
    values = {Take.OURS: cell.ours, Take.THEIRS: cell.theirs}
    if row.state is RowState.CHANGED_BOTH:
        values[Take.BASE] = cell.base
    return {take: value for take, value in values.items() if value is not ABSENT}


def _gone_then(decision: Decision) -> Take:
    """The side that had no such row when it was decided whether to keep it."""
    _, ours, _ = decision.seen
    return Take.OURS if ours == {"row": None} else Take.THEIRS


def _gone_now(row: RowResolution) -> Take:
    return Take.OURS if row.state is RowState.DELETED_HERE else Take.THEIRS

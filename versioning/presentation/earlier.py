"""
Decisions to look at again: what was chosen, for which values, and what those
have become. Sides are called by their branches' names here.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from versioning.backends.repository import MergeSides, Repository, Row
from versioning.merging.again import PLACES, row_then, same_again
from versioning.merging.drafts import JudgedRow, choice_of
from versioning.merging.resolution import (
    ABSENT,
    WHOLE_ROW,
    RowResolution,
    RowState,
    Take,
)
from versioning.models import Decision
from versioning.presentation.cells import HIDDEN, Shown, show, told_apart, with_marks
from versioning.presentation.cells import related as related_cell
from versioning.presentation.choices import Said, said
from versioning.presentation.conflicts import Card, Line, Names
from versioning.presentation.snapshot import Snapshot
from versioning.values import TableValues, same
from versioning.visibility import hidden_among

#: The values by stored value and column, as ``Snapshot.related_names()``.
Related = Mapping[str, Mapping[Any, str]]


@dataclass(frozen=True, slots=True)
class Then:
    """A value as it was when something was decided, and as it is now."""

    name: str  # "Before", a branch's, or, for a whole row, a column's
    column: str  # its raw name
    then: Shown | None  # None where there was no such row or column
    now: Shown | None
    moved: bool


@dataclass(frozen=True, slots=True)
class Earlier:
    """A decision on values that are no longer there."""

    decision: Decision
    chosen: Said
    values: tuple[Then, ...]
    can_be_again: bool  # whether a choice comes to the same now
    is_on_no_side: bool  # and would be a value of its own


def with_earlier(
    repository: Repository,
    sides: MergeSides,
    names: Names,
    judged: Sequence[JudgedRow],
    cards: Sequence[Card],
) -> list[Card]:
    """The cards of some rows, with what is to be looked at again on them."""
    snapshots = (Snapshot(repository, sides.theirs), Snapshot(repository, sides.ours))
    return [
        _card(repository, snapshots, names, row, card) if row.outdated else card
        for row, card in zip(judged, cards, strict=True)
    ]


def _card(
    repository: Repository,
    snapshots: Iterable[Snapshot],
    names: Names,
    judged: JudgedRow,
    card: Card,
) -> Card:
    related: dict[str, dict[Any, str]] = {}
    for snapshot in snapshots:
        rows = list(_rows(judged))
        for column, by_value in snapshot.related_names(card.table, rows).items():
            related[column] = related.get(column, {}) | by_value
    values = TableValues(card.table, repository.connection)
    shown = _Row(values, related, names, judged.resolution)

    def line_with(line: Line) -> Line:
        if line.outdated is None or line.is_hidden:
            return line
        return replace(line, earlier=shown.earlier(line.outdated))

    return replace(
        card,
        lines=tuple(line_with(line) for line in card.lines),
        whole=card.whole and line_with(card.whole),
    )


def _rows(judged: JudgedRow) -> Iterator[Row]:
    """The row's versions, those of now and those that decisions were made on."""
    for side in ("base", "ours", "theirs"):
        cells = ((c.column, getattr(c, side)) for c in judged.resolution.cells)
        yield {column: value for column, value in cells if value is not ABSENT}
    for column, decision in judged.outdated.items():
        for encoded in decision.seen:
            yield row_then(column, encoded) or {}


def _have_parted(old: Any, now: Any) -> bool:
    if old is ABSENT or now is ABSENT:
        return old is not now
    return not same(old, now)


class _Row:
    """One row in conflict, with what is shown of earlier decisions about it."""

    def __init__(
        self, values: TableValues, related: Related, names: Names, row: RowResolution
    ):
        self._values = values
        self._related = related
        self._names = names
        self._row = row
        columns = {cell.column for cell in row.cells}
        self._hidden = hidden_among(values.table, columns)

    def earlier(self, decision: Decision) -> Earlier:
        column = decision.column
        versions = [row_then(column, encoded) for encoded in decision.seen]
        choice = choice_of(decision)
        chosen = said(self._values, column, choice, decision.seen, self._names)
        if chosen.shown is not None:
            raw = choice.value
            if choice.take in PLACES:
                raw = (versions[PLACES[choice.take]] or {}).get(column)
            chosen = replace(chosen, shown=self._show(column, raw))
        again = same_again(self._row, decision)
        of = self._of_row if column == WHOLE_ROW else self._of_cell
        return Earlier(
            decision=decision,
            chosen=chosen,
            values=tuple(of(column, versions)),
            can_be_again=again is not None,
            is_on_no_side=again is not None
            and again.take is Take.VALUE
            and choice.take is not Take.VALUE,
        )

    def _of_cell(self, column: str, then: Sequence[Row | None]) -> Iterator[Then]:
        cell = next(c for c in self._row.cells if c.column == column)
        sides = ("Before", self._names.ours, self._names.theirs)
        now = (cell.base, cell.ours, cell.theirs)
        for name, version, value in zip(sides, then, now, strict=True):
            old = ABSENT if version is None else version.get(column, ABSENT)
            if value is None and name == "Before" and self._is_added:
                value = ABSENT
            yield self._then(name, column, old, value)

    def _of_row(self, _column: str, then: Sequence[Row | None]) -> Iterator[Then]:
        """What has changed in the row, on the side that still has it."""
        _, ours, theirs = then
        is_ours = self._row.state is RowState.DELETED_THERE
        kept = ours if is_ours else theirs
        for cell in self._row.cells:
            old = (kept or {}).get(cell.column, ABSENT)
            one = self._then(
                self._values.column_name(cell.column),
                cell.column,
                old,
                cell.ours if is_ours else cell.theirs,
            )
            if one.moved:
                yield one

    def _then(self, name: str, column: str, old: Any, now: Any) -> Then:
        moved = _have_parted(old, now)
        before, after = self._show(column, old), self._show(column, now)
        if moved and before is not None and after is not None:
            before, after = with_marks(*told_apart([before, after]))
        return Then(name, column, before, after, moved)

    def _show(self, column: str, raw: Any) -> Shown | None:
        if raw is ABSENT:
            return None
        if column in self._hidden:
            return HIDDEN
        if name := self._related.get(column, {}).get(raw):
            return related_cell(name, raw)
        return show(
            self._values.to_field(column, raw), self._values.field(column), raw=raw
        )

    @property
    def _is_added(self) -> bool:
        return self._row.state is RowState.ADDED_BOTH

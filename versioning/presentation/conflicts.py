"""
Rows in conflict as cards: three versions, what is to be decided, what results.

Sides are called by their branches' names here, never "ours" and "theirs".
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django import forms

from versioning.backends.repository import Key, MergeSides, Repository, Row
from versioning.merging.choices import texts_to_choose, typing_field
from versioning.merging.copies import can_keep_both
from versioning.merging.counters import CounterSum
from versioning.merging.drafts import JudgedRow
from versioning.merging.parts import Deleted, deleted_along
from versioning.merging.resolution import (
    ABSENT,
    Cell,
    CellState,
    Choice,
    RowResolution,
    RowState,
    Take,
)
from versioning.models import Decision
from versioning.presentation.cells import (
    HIDDEN,
    Shown,
    opened_apart,
    show,
    told_apart,
    with_marks,
)
from versioning.presentation.cells import related as related_cell
from versioning.presentation.documents import with_halves_escaped
from versioning.presentation.snapshot import Snapshot
from versioning.values import TableValues, key_text, table_name
from versioning.visibility import hidden_among, hidden_columns

_WORD = re.compile(r"\w")

if TYPE_CHECKING:
    from versioning.presentation.clashes import Clash
    from versioning.presentation.earlier import Earlier


@dataclass(frozen=True, slots=True)
class Names:
    """What the sides of a merge are called on the page."""

    ours: str  # the target branch
    theirs: str  # the source branch


@dataclass(frozen=True, slots=True)
class Option:
    """A value that can be taken for a cell, or an answer for a row."""

    take: Take
    label: str
    shown: Shown | None  # None where the side has no such row
    chosen: bool


@dataclass(frozen=True, slots=True)
class Line:
    """A cell that needs a decision, or that adds up."""

    column: str
    name: str
    before: Shown | None
    options: tuple[Option, ...]
    typed: str | None  # what a person typed; None if they did not
    may_type: bool
    is_sum: bool
    reason: str  # "5 + 1 + 1 = 7", for a sum
    result: Shown | None  # None while it is not decided
    decision: Decision | None
    outdated: Decision | None
    error: str = ""  # why what was typed can't be taken
    in_doubt: bool = False  # a count that was taken over from one side already
    is_hidden: bool = False  # from the reader, who can't decide it either
    waits: bool = False  # hidden, and not decided by anybody
    earlier: Earlier | None = None  # what is outdated, where that can be shown
    #: What can be typed, and how it is called, where that is one of a few.
    texts: tuple[tuple[str, str], ...] = ()

    @property
    def is_of_texts(self) -> bool:
        """Whether what was typed is one of those."""
        return any(text == self.typed for text, _ in self.texts)

    @property
    def is_sum_taken(self) -> bool:
        """Whether both sides' counts are added, as they are unless decided."""
        return any(o.chosen and o.take is Take.SUM for o in self.options)

    @property
    def is_open(self) -> bool:
        """Whether the decision is still missing."""
        if self.is_hidden:
            return self.waits
        return not any(option.chosen for option in self.options) and (
            self.typed is None or bool(self.error)
        )


@dataclass(frozen=True, slots=True)
class Settled:
    """A cell that nobody has to decide, and why."""

    column: str
    name: str
    shown: Shown
    why: str  # "" where it did not change
    before: Shown | None = None  # where it changed


@dataclass(frozen=True, slots=True)
class Card:
    anchor: str  # id of the element, the same for the same row
    table: str
    table_name: str
    key: str  # as ``values.key_text()`` writes it
    heading: str
    situation: str  # what happened to the row, in a sentence; "" for cells
    lines: tuple[Line, ...]
    agreed: tuple[Settled, ...]
    whole: Line | None  # the question whether the row stays, if that is it
    required: int
    pending: int
    along: tuple[str, ...] = ()  # what was deleted with the row, in sentences
    can_keep_both: bool = False  # each side's row, theirs under another key
    keeps_both: bool = False
    clash: Clash | None = None  # with what was sent just now

    @property
    def must_be_seen(self) -> bool:
        """Whether what was sent is still to be answered on the card."""
        return self.clash is not None or any(
            line.error or line.earlier for line in self.lines
        )

    @property
    def can_settle_at_once(self) -> bool:
        """Whether one answer for the row as such saves anything."""
        return self.whole is None and (self.required > 1 or self.can_keep_both)

    @property
    def is_settled(self) -> bool:
        return self.pending == 0

    @property
    def changed(self) -> tuple[Settled, ...]:
        """
        What changes without a question; in a row that one side deleted, what the
        other changed.
        """
        return tuple(cell for cell in self.agreed if cell.before is not None)

    @property
    def others(self) -> tuple[Settled, ...]:
        return tuple(cell for cell in self.agreed if cell.before is None)

    @property
    def others_are_the_same(self) -> bool:
        """Whether the others are what they were, as far as they were there."""
        return not any(cell.why for cell in self.others)

    @property
    def decided(self) -> tuple[Line, ...]:
        """Lines whose decision the reader can take back by itself."""
        if self.keeps_both:  # all of it at once, if it may be seen
            return () if any(line.is_hidden for line in self.lines) else self.lines[:1]
        return tuple(
            line for line in self.asked if line.decision and not line.is_hidden
        )

    @property
    def asked(self) -> tuple[Line, ...]:
        """All lines of the card, the row's own first."""
        return ((self.whole,) if self.whole else ()) + self.lines


@dataclass(frozen=True, slots=True)
class SumLine:
    """A counter that adds up, on a row without conflict."""

    table_name: str
    heading: str
    name: str
    reason: str


def anchor(table: str, key: str) -> str:
    """An id for a row's card that is safe in HTML and in addresses."""
    return "row-" + hashlib.sha256(f"{table} {key}".encode()).hexdigest()[:12]


def cards(
    repository: Repository,
    sides: MergeSides,
    names: Names,
    judged: Sequence[JudgedRow],
) -> list[Card]:
    """
    Cards for rows in conflict, in their order. Reads names as of the sides'
    commits, in bulk. Outside the merge's transaction.
    """
    made: dict[tuple[str, Key], Card] = {}
    by_table: dict[str, list[JudgedRow]] = {}
    for row in judged:
        by_table.setdefault(row.resolution.table, []).append(row)
    for table, rows in by_table.items():
        writer = _TableCards(repository, sides, names, table, rows)
        for row in rows:
            made[table, row.resolution.key] = writer.card(row)
    return [made[row.resolution.table, row.resolution.key] for row in judged]


class _TableCards:
    """The cards of one table's rows; what they refer to is read once."""

    def __init__(
        self,
        repository: Repository,
        sides: MergeSides,
        names: Names,
        table: str,
        rows: Sequence[JudgedRow],
    ):
        self.names = names
        self.table = table
        self.values = TableValues(table, repository.connection)
        self.hidden = hidden_among(
            table, {cell.column for row in rows for cell in row.resolution.cells}
        )
        ours, theirs = (
            Snapshot(repository, sides.ours),
            Snapshot(repository, sides.theirs),
        )
        here, there = {}, {}
        kept_here, kept_there = {}, {}  # by the one side, and deleted by the other
        for row in rows:
            versions = _versions(row.resolution)
            if versions["ours"] is not None:
                here[row.resolution.key] = versions["ours"]
            else:
                there[row.resolution.key] = versions["theirs"] or {}
            if versions["theirs"] is None and versions["ours"] is not None:
                kept_here[row.resolution.key] = versions["ours"]
            elif versions["ours"] is None and versions["theirs"] is not None:
                kept_there[row.resolution.key] = versions["theirs"]
        self.headings = ours.labels(table, here) | theirs.labels(table, there)
        before = [_before(row) for row in rows]
        self.related = _merged_names(
            theirs.related_names(table, [*before, *(_row(r, "theirs") for r in rows)]),
            ours.related_names(table, [*before, *(_row(r, "ours") for r in rows)]),
        )

        self.along: dict[Key, list[Deleted]] = {}
        for kept, deleter, keeper in (
            (kept_here, sides.theirs, sides.ours),
            (kept_there, sides.ours, sides.theirs),
        ):
            if kept:
                self.along |= deleted_along(
                    repository,
                    table,
                    kept,
                    base=sides.base,
                    deleter=deleter,
                    keeper=keeper,
                )

    def card(self, judged: JudgedRow) -> Card:
        resolution = judged.resolution
        key = key_text(resolution.key)
        whole = None
        lines: list[Line] = []
        agreed: list[Settled] = []
        if resolution.decided_as_a_whole:
            whole = self._whole(judged)
            agreed = [self._of_one_side(resolution, cell) for cell in resolution.cells]
        else:
            for cell in resolution.cells:
                if cell.state in (CellState.DISPUTED, CellState.COUNTED):
                    lines.append(self._line(judged, cell))
                else:
                    agreed.append(self._settled(cell, cell.result))
        return Card(
            anchor=anchor(self.table, key),
            table=self.table,
            table_name=table_name(self.table),
            key=key,
            heading=self.headings[resolution.key],
            situation=self._situation(resolution.state),
            lines=tuple(lines),
            agreed=tuple(agreed),
            whole=whole,
            along=tuple(self._along(resolution)),
            required=resolution.required,
            pending=resolution.pending,
            can_keep_both=bool(resolution.required)
            and can_keep_both(resolution)
            and not any(line.waits for line in lines),
            keeps_both=resolution.keeps_both,
        )

    def _situation(self, state: RowState) -> str:
        ours, theirs = self.names.ours, self.names.theirs
        match state:
            case RowState.DELETED_THERE:
                return f"Changed on {ours}, deleted on {theirs}."
            case RowState.DELETED_HERE:
                return f"Deleted on {ours}, changed on {theirs}."
            case RowState.ADDED_BOTH:
                return f"Added on both {ours} and {theirs} with the same key."
        return ""

    def _along(self, resolution: RowResolution) -> Iterator[str]:
        there = resolution.state is RowState.DELETED_THERE
        deleter = self.names.theirs if there else self.names.ours
        found = self.along.get(resolution.key, ())
        parts = [table_name(one.table) for one in found if one.is_part and one.rows]
        if parts:
            yield (
                f"Its values in {' and '.join(parts)} were deleted on {deleter}, too. "
                "Keep the row, and they are kept with it."
            )
        others = [_how_many(one) for one in found if not one.is_part]
        if others:
            yield (
                f"Deleted on {deleter} with it: {', '.join(others)}. "
                "To keep the row does not bring these back."
            )

    def _why(self, cell: Cell) -> str:
        match cell.state:
            case CellState.OURS:
                return f"changed on {self.names.ours} only"
            case CellState.THEIRS:
                return f"changed on {self.names.theirs} only"
        if cell.base is ABSENT or self._same_as_before(cell):
            return ""
        return "changed alike on both"

    @staticmethod
    def _same_as_before(cell: Cell) -> bool:
        return bool(cell.base == cell.ours)

    def _of_one_side(self, resolution: RowResolution, cell: Cell) -> Settled:
        """A cell of a row that the other side deleted."""
        here = resolution.state is RowState.DELETED_THERE
        return self._settled(cell, cell.ours if here else cell.theirs)

    def _settled(self, cell: Cell, result: Any) -> Settled:
        """A cell that is not asked about, beside what it was if it changed."""
        shown, before, why = self._show(cell.column, result), None, self._why(cell)
        if why and cell.base is not ABSENT:
            before, shown = with_marks(
                *told_apart([self._show(cell.column, cell.base), shown])
            )
        name = self.values.column_name(cell.column)
        return Settled(cell.column, name, shown, why, before)

    def _whole(self, judged: JudgedRow) -> Line:
        resolution = judged.resolution
        deleted_there = resolution.state is RowState.DELETED_THERE
        keep, drop = (
            (Take.OURS, Take.THEIRS) if deleted_there else (Take.THEIRS, Take.OURS)
        )
        keeper, dropper = (
            (self.names.ours, self.names.theirs)
            if deleted_there
            else (self.names.theirs, self.names.ours)
        )
        chosen = resolution.whole
        return Line(
            column="",
            name="The row",
            before=None,
            options=(
                Option(keep, f"Keep it, as on {keeper}", None, _is(chosen, keep)),
                Option(drop, f"Delete it, as on {dropper}", None, _is(chosen, drop)),
            ),
            typed=None,
            may_type=False,
            is_sum=False,
            reason="",
            result=None,
            decision=judged.decisions.get(""),
            outdated=judged.outdated.get(""),
        )

    def _line(self, judged: JudgedRow, cell: Cell) -> Line:
        if cell.column in self.hidden:
            return self._hidden_line(judged, cell)
        choice = cell.choice
        before = None
        if judged.resolution.state is not RowState.ADDED_BOTH:
            before = self._show(cell.column, cell.base)
        result = None if cell.pending else self._show(cell.column, cell.result)
        ours, theirs, before, result = told_apart(
            [
                self._show(cell.column, cell.ours),
                self._show(cell.column, cell.theirs),
                before,
                result,
            ]
        )
        assert ours is not None and theirs is not None
        ours, theirs, before, result = opened_apart(
            [*_marked(ours, theirs), before, result]
        )
        typed = None
        if choice is not None and choice.take is Take.VALUE:
            typed = self._as_typed(cell.column, choice.value)
        return Line(
            column=cell.column,
            name=self.values.column_name(cell.column),
            before=before,
            options=tuple(self._options(cell, ours, theirs, before)),
            typed=typed,
            may_type=self._may_be_typed(cell.column),
            texts=self._texts(cell.column),
            is_sum=cell.state is CellState.COUNTED,
            reason=sum_reason(cell.base, cell.ours, cell.theirs)
            if cell.sum is not None
            else "",
            in_doubt=cell.in_doubt,
            result=result,
            decision=judged.decisions.get(cell.column),
            outdated=judged.outdated.get(cell.column),
        )

    def _hidden_line(self, judged: JudgedRow, cell: Cell) -> Line:
        return Line(
            column=cell.column,
            name=self.values.column_name(cell.column),
            before=None,
            options=(),
            typed=None,
            may_type=False,
            is_sum=False,
            reason="",
            result=None if cell.pending else HIDDEN,
            decision=judged.decisions.get(cell.column),
            outdated=judged.outdated.get(cell.column),
            is_hidden=True,
            waits=cell.pending,
        )

    def _options(
        self, cell: Cell, ours: Shown | None, theirs: Shown | None, before: Shown | None
    ) -> Iterator[Option]:
        choice = cell.choice
        if cell.sum is not None:
            yield Option(
                Take.SUM,
                "Both counted",
                self._show(cell.column, cell.sum),
                _is(choice, Take.SUM),
            )
        yield Option(Take.OURS, self.names.ours, ours, _is(choice, Take.OURS))
        yield Option(Take.THEIRS, self.names.theirs, theirs, _is(choice, Take.THEIRS))
        if before is not None and cell.base is not ABSENT:
            yield Option(Take.BASE, "As before", before, _is(choice, Take.BASE))

    def _show(self, column: str, raw: Any) -> Shown:
        if column in self.hidden:
            return HIDDEN
        if raw is ABSENT:
            raw = None
        if name := self.related.get(column, {}).get(raw):
            return related_cell(name, raw)
        return show(
            self.values.to_field(column, raw), self.values.field(column), raw=raw
        )

    def _may_be_typed(self, column: str) -> bool:
        field = self.values.field(column)
        return field is not None and typing_field(field) is not None

    def _texts(self, column: str) -> tuple[tuple[str, str], ...]:
        field = self.values.field(column)
        return () if field is None else tuple(texts_to_choose(field).items())

    def _as_typed(self, column: str, raw: Any) -> str:
        field = self.values.field(column)
        form_field = typing_field(field) if field else None
        if raw is None or form_field is None:
            return ""
        return as_typed(form_field, self.values.to_field(column, raw))


def as_typed(form_field: forms.Field, value: Any) -> str:
    """A field's value as its form has it, to be changed there; "" for none."""
    value = form_field.prepare_value(value)
    return "" if value is None else with_halves_escaped(str(value))


def _how_many(deleted: Deleted) -> str:
    name = table_name(deleted.table)
    if not deleted.rows:
        return f"perhaps rows of {name}"
    rows = f"{deleted.rows}{' or more' if deleted.may_be_more else ''}"
    return f"{rows} row{'' if rows == '1' else 's'} of {name}"


def _marked(ours: Shown, theirs: Shown) -> tuple[Shown, Shown]:
    marked = with_marks(ours, theirs)
    return marked if all(map(_has_words_alike, marked)) else (ours, theirs)


def _has_words_alike(shown: Shown) -> bool:
    """Else every word would be marked, which says nothing."""
    return not shown.segments or any(
        not segment.changed and _WORD.search(segment.text) for segment in shown.segments
    )


def _is(choice: Choice | None, take: Take) -> bool:
    return choice is not None and choice.take is take


def _versions(resolution: RowResolution) -> dict[str, Row | None]:
    """The row on either side, from its cells; None where it was deleted."""
    return {
        "ours": None
        if resolution.state is RowState.DELETED_HERE
        else {c.column: c.ours for c in resolution.cells if c.ours is not ABSENT},
        "theirs": None
        if resolution.state is RowState.DELETED_THERE
        else {c.column: c.theirs for c in resolution.cells if c.theirs is not ABSENT},
    }


def _row(judged: JudgedRow, side: str) -> Row:
    return _versions(judged.resolution)[side] or {}


def _before(judged: JudgedRow) -> Row:
    cells = judged.resolution.cells
    return {c.column: c.base for c in cells if c.base is not ABSENT}


def _merged_names(
    one: Mapping[str, dict[Any, str]], other: Mapping[str, dict[Any, str]]
) -> dict[str, dict[Any, str]]:
    return {
        column: one.get(column, {}) | other.get(column, {}) for column in {*one, *other}
    }


def sum_reason(base: Any, ours: Any, theirs: Any) -> str:
    """How a counter's sum comes about: "5 + 1 + 1 = 7", "5 + 3 − 1 = 7"."""
    start = 0 if base is None or base is ABSENT else base
    steps = [_signed(ours - start), _signed(theirs - start)]
    return f"{start} {' '.join(steps)} = {ours + theirs - start}"


def _signed(number: int) -> str:
    return f"− {-number}" if number < 0 else f"+ {number}"


def sum_lines(
    repository: Repository, sides: MergeSides, changes: Sequence[CounterSum]
) -> list[SumLine]:
    """Counters that add up, on rows without conflict, as lines with their reasons."""
    snapshot = Snapshot(repository, sides.ours)
    lines: list[SumLine] = []
    by_table: dict[str, list[CounterSum]] = {}
    for change in changes:
        by_table.setdefault(change.table, []).append(change)
    for table, group in by_table.items():
        values = TableValues(table, repository.connection)
        rows = repository.rows(table, [c.key for c in group], at=sides.ours)
        labels = snapshot.labels(table, rows)
        lines += [
            SumLine(
                table_name(table),
                labels.get(change.key, table),
                values.column_name(change.column),
                HIDDEN.text
                if change.column in hidden_columns(table)
                else sum_reason(change.common, change.ours, change.theirs),
            )
            for change in group
        ]
    return lines

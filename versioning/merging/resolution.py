"""
What a row becomes when two sides changed it. Pure: no engine, no database.

A cell that one side changed is taken as it is. A cell that both changed to
different values needs a decision, unless it is a counter: those add up. All
values are driver values (``versioning.values``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any, Final, NamedTuple

from versioning.backends.repository import ConflictRow, Key, Row
from versioning.values import same


class Take(StrEnum):
    """Which value a decision takes."""

    OURS = "ours"
    THEIRS = "theirs"
    BASE = "base"
    SUM = "sum"
    VALUE = "value"  # one that a person typed
    DROP = "drop"  # no row at all: to mend a result
    BOTH = "both"  # each side's row, theirs under a key of its own


@dataclass(frozen=True, slots=True)
class Choice:
    """A decision as it bears on a cell; ``value`` is for ``Take.VALUE``."""

    take: Take
    value: Any = None


class CellState(StrEnum):
    AGREED = "agreed"  # neither side changed it, or both in the same way
    OURS = "ours"  # only ours changed it
    THEIRS = "theirs"
    COUNTED = "counted"  # a counter that both changed
    DISPUTED = "disputed"  # both changed it, to different values


class RowState(StrEnum):
    CHANGED_BOTH = "changed on both"
    ADDED_BOTH = "added on both"
    DELETED_THERE = "changed here, deleted there"  # theirs has no such row
    DELETED_HERE = "deleted here, changed there"  # ours has no such row


class _Absent:
    """A column that a side's table does not have."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = _Absent()

#: The column of a decision on a row as a whole.
WHOLE_ROW: Final = ""


class Cell(NamedTuple):
    """
    One column of a row in three versions, and what it becomes.

    ``choice`` is the decision in force, a counter's sum if nobody decided
    otherwise, None where none is needed or none was made. ``result`` means
    something unless the cell is ``pending``.
    """

    column: str
    state: CellState
    base: Any
    ours: Any
    theirs: Any
    choice: Choice | None
    is_counter: bool = False
    in_doubt: bool = False  # a counter that nobody but a person can add up

    @property
    def pending(self) -> bool:
        return self.state is CellState.DISPUTED and self.choice is None

    @property
    def sum(self) -> int | None:
        """Ours plus what theirs changed, for a counter; None otherwise."""
        if not self.is_counter:
            return None
        return counter_sum(self.base, self.ours, self.theirs)

    @property
    def result(self) -> Any:
        if self.choice is not None:
            match self.choice.take:
                case Take.OURS:
                    return self.ours
                case Take.THEIRS:
                    return self.theirs
                case Take.BASE:
                    return self.base
                case Take.SUM:
                    return self.sum
                case Take.VALUE:
                    return self.choice.value
        return self.theirs if self.state is CellState.THEIRS else self.ours


@dataclass(frozen=True)
class RowResolution:
    """
    A row in conflict, with the decisions made about it.

    ``whole`` is the decision on the row as such, where one side deleted it.
    """

    table: str
    key: Key
    state: RowState
    cells: tuple[Cell, ...]
    whole: Choice | None

    @property
    def decided_as_a_whole(self) -> bool:
        """Whether the question is to keep the row or not, rather than its cells."""
        return self.state in (RowState.DELETED_HERE, RowState.DELETED_THERE)

    def asks(self, column: str) -> bool:
        """Whether a person may decide about a column, or ``WHOLE_ROW``."""
        if self.decided_as_a_whole:
            return column == WHOLE_ROW
        asked = (CellState.DISPUTED, CellState.COUNTED)
        return any(c.column == column and c.state in asked for c in self.cells)

    @cached_property
    def pending(self) -> int:
        """How many decisions are missing."""
        if self.decided_as_a_whole:
            return int(self.whole is None)
        if self.keeps_both:
            return 0
        return sum(
            cell.pending or (cell.choice is not None and cell.choice.take is Take.BOTH)
            for cell in self.cells
        )

    @cached_property
    def required(self) -> int:
        """How many decisions the row needs from a person in all."""
        if self.decided_as_a_whole:
            return 1
        return sum(cell.state is CellState.DISPUTED for cell in self.cells)

    @cached_property
    def keeps_both(self) -> bool:
        """Whether each side's row stays, theirs under another key."""
        asked = [cell for cell in self.cells if cell.state is CellState.DISPUTED]
        return bool(asked) and all(
            cell.choice is not None and cell.choice.take is Take.BOTH for cell in asked
        )

    @property
    def settled(self) -> bool:
        return self.pending == 0

    @cached_property
    def result(self) -> Row | None:
        """
        The row as it will be, None if it will not be. Raises ``ValueError``
        while decisions are missing.
        """
        if self.pending:
            raise ValueError(f"{self.pending} decisions are missing")
        if self.decided_as_a_whole and self._side_taken_is_gone:
            return None
        if self.keeps_both:
            return {c.column: c.ours for c in self.cells if c.ours is not ABSENT}
        return {cell.column: cell.result for cell in self.cells}

    @property
    def _side_taken_is_gone(self) -> bool:
        assert self.whole is not None
        gone = Take.OURS if self.state is RowState.DELETED_HERE else Take.THEIRS
        return self.whole.take is gone


def counter_sum(base: Any, ours: Any, theirs: Any) -> int | None:
    """
    ``ours + theirs - base``: both sides' changes, each counted once. A row
    that was not there before counts from nought. None if a value is no whole
    number, so that nothing is guessed.
    """
    before = 0 if base is None or base is ABSENT else base
    if not all(isinstance(value, int) for value in (before, ours, theirs)):
        return None
    return int(ours + theirs - before)


def resolve(
    row: ConflictRow,
    choices: Mapping[str, Choice],
    counters: frozenset[str] = frozenset(),
) -> RowResolution:
    """
    Judge a row in conflict by the decisions about it.

    ``choices`` maps columns, or ``WHOLE_ROW``, to decisions; ``counters`` are
    the table's counting columns.
    """
    state = _row_state(row)
    whole = None
    if state in (RowState.DELETED_HERE, RowState.DELETED_THERE):
        whole = choices.get(WHOLE_ROW)
        left = row.ours if row.theirs is None else row.theirs
        assert left is not None
        cells = tuple(_kept(row, column, value) for column, value in left.items())
    else:
        cells = tuple(
            _cell(row, column, choices.get(column), column in counters)
            for column in _columns(row)
        )
    return RowResolution(row.table, row.key, state, cells, whole)


def asked(row: ConflictRow, counters: frozenset[str]) -> tuple[int, int]:
    """
    How many decisions a row in conflict needs and how many counters add up by
    themselves: of ``resolve()`` with no choices, where nothing else is wanted.
    """
    if row.ours is None or row.theirs is None:
        return 1, 0
    disputed = counted = 0
    theirs = row.theirs
    for column, value in row.ours.items():
        if column in counters:
            state = _cell(row, column, None, True).state
        elif column not in theirs or value == theirs[column]:
            continue  # most of them, and they ask nothing
        else:
            base = _value(row.base, column)
            state = _cell_state(row, base, value, theirs[column])
        disputed += state is CellState.DISPUTED
        counted += state is CellState.COUNTED
    return disputed, counted


def _row_state(row: ConflictRow) -> RowState:
    if row.ours is None:
        return RowState.DELETED_HERE
    if row.theirs is None:
        return RowState.DELETED_THERE
    return RowState.ADDED_BOTH if row.base is None else RowState.CHANGED_BOTH


def _columns(row: ConflictRow) -> list[str]:
    """Columns of either side, ours first, in their tables' order."""
    columns = dict.fromkeys(row.ours or ())
    columns |= dict.fromkeys(row.theirs or ())
    return list(columns)


def _value(version: Row | None, column: str) -> Any:
    if version is None:
        return None
    return version.get(column, ABSENT)


def _kept(row: ConflictRow, column: str, value: Any) -> Cell:
    """A cell of the only side that still has the row: taken whole or not at all."""
    base = _value(row.base, column)
    ours, theirs = _value(row.ours, column), _value(row.theirs, column)
    here = row.ours is not None
    if _equal(base, value):
        state = CellState.AGREED
    else:
        state = CellState.OURS if here else CellState.THEIRS
    if not here and state is CellState.AGREED:
        ours = value  # the result of a cell that agreed is read from ours
    return Cell(column, state, base, ours, theirs, None)


def _cell(row: ConflictRow, column: str, choice: Choice | None, counts: bool) -> Cell:
    base = row.common[column] if column in row.common else _value(row.base, column)
    ours, theirs = _value(row.ours, column), _value(row.theirs, column)
    state = _cell_state(row, base, ours, theirs)
    if state is CellState.AGREED and not counts:  # most of them
        return Cell(column, state, base, ours, theirs, None)
    if counts and state in (CellState.AGREED, CellState.DISPUTED):
        both_changed = state is CellState.DISPUTED or not _equal(base, ours)
        if both_changed and counter_sum(base, ours, theirs) is not None:
            is_certain = column not in row.doubtful
            state = CellState.COUNTED if is_certain else CellState.DISPUTED
            choice = choice or (Choice(Take.SUM) if is_certain else None)
    may_be_here = counts and state is CellState.THEIRS and column in row.doubtful
    if may_be_here and counter_sum(base, ours, theirs) is not None:
        state = CellState.DISPUTED
    if state not in (CellState.COUNTED, CellState.DISPUTED):
        choice = None
    in_doubt = state is CellState.DISPUTED and column in row.doubtful
    return Cell(column, state, base, ours, theirs, choice, counts, in_doubt)


def _cell_state(row: ConflictRow, base: Any, ours: Any, theirs: Any) -> CellState:
    if ours is ABSENT:
        return CellState.THEIRS
    if theirs is ABSENT:
        return CellState.OURS
    if same(ours, theirs):
        return CellState.AGREED
    if row.base is not None and base is not ABSENT:
        if same(base, ours):
            return CellState.THEIRS
        if same(base, theirs):
            return CellState.OURS
    return CellState.DISPUTED


def _equal(one: Any, other: Any) -> bool:
    if one is ABSENT or other is ABSENT:
        return one is other
    return same(one, other)

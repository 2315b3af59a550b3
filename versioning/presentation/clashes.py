"""Two people decided about one row: what each chose, side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from versioning.backends.repository import ConflictRow
from versioning.merging import drafts
from versioning.merging.meanwhile import DecidedMeanwhile
from versioning.models import Decision
from versioning.presentation.choices import Said, column_name, said
from versioning.presentation.conflicts import Names
from versioning.values import TableValues


@dataclass(frozen=True, slots=True)
class ClashLine:
    """One cell, or the row; None where that person chose nothing."""

    name: str
    mine: Said | None
    takes_back: bool  # what I chose is to forget the decision
    theirs: Said | None
    decision: Decision | None  # theirs
    is_taken_back: bool  # theirs was there, and is no more

    @property
    def who(self) -> str:
        """Who made theirs."""
        return _name(self.decision) if self.decision else ""


@dataclass(frozen=True, slots=True)
class Clash:
    who: str  # "ida and mo"; "" where all that was done is to take back
    lines: tuple[ClashLine, ...]
    again: tuple[tuple[str, str], ...]  # fields of the form that takes mine after all

    @property
    def has_mine(self) -> bool:
        """Whether what I chose is known, and could be taken after all."""
        return any(line.mine or line.takes_back for line in self.lines)


def clash_of(
    error: DecidedMeanwhile,
    row: ConflictRow,
    names: Names,
    fields: Sequence[tuple[str, str]],
    now: Mapping[str, Decision],
) -> Clash:
    """
    ``fields`` are what the person sent, without what the form had shown;
    ``now``, all decisions about the row, which mine after all has seen.
    """
    columns = dict.fromkeys([*error.wanted, *error.others])
    values = TableValues(row.table)
    people = sorted({_name(d) for d in error.others.values() if d is not None})
    seen = tuple((f"shown:{column}", now[column].stamp) for column in now)
    return Clash(
        " and ".join(people),
        tuple(_line(error, row, names, values, column) for column in columns),
        (*fields, *seen),
    )


def _line(
    error: DecidedMeanwhile,
    row: ConflictRow,
    names: Names,
    values: TableValues,
    column: str,
) -> ClashLine:
    mine, theirs = error.wanted.get(column), error.others.get(column)
    seen = drafts.seen(row, column)
    return ClashLine(
        name=column_name(values, column),
        mine=said(values, column, mine, seen, names) if mine else None,
        takes_back=column in error.wanted and mine is None,
        theirs=_theirs(values, theirs, names) if theirs else None,
        decision=theirs,
        is_taken_back=column in error.others and theirs is None,
    )


def _theirs(values: TableValues, decision: Decision, names: Names) -> Said:
    choice = drafts.choice_of(decision)
    return said(values, decision.column, choice, decision.seen, names)


def _name(decision: Decision) -> str:
    return decision.decided_by_name or "Somebody"

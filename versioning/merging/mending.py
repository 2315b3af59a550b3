"""Rows of a merge's result that break a rule, mended by what people decide."""

from collections.abc import Mapping
from typing import Any

from versioning import policies
from versioning.backends.repository import ConflictRow, Key, MergeSides
from versioning.conf import repository
from versioning.merging import deciding, drafts, preview, trial
from versioning.merging.meanwhile import DecidedMeanwhile
from versioning.merging.resolution import (
    WHOLE_ROW,
    Choice,
    RowResolution,
    RowState,
    Take,
    resolve,
)
from versioning.models import MergeDraft


def row_of(sides: MergeSides, table: str, key: Key) -> ConflictRow | None:
    """A row as the three states hold it; None if none of them has it."""
    at_hand = repository()
    (row,) = preview.versions(at_hand, sides, table, [key])
    return row if row.base or row.ours or row.theirs else None


def copy_of(
    draft: MergeDraft | None, sides: MergeSides, table: str, key: Key
) -> ConflictRow | None:
    """
    A row that is there only as both of another are kept, as the row that it is
    of; None if there is something wrong with no such row. Raises as
    ``preview.preview()``.
    """
    if draft is None:
        return None
    for row in trial.try_out(draft.target, sides, draft).rows:
        if (row.versions.table, row.versions.key) == (table, key):
            return row.versions
    return None


def mend(
    draft: MergeDraft,
    sides: MergeSides,
    row: ConflictRow,
    choices: Mapping[str, Choice | None],
    user: Any,
    *,
    shown: Mapping[str, str] | None = None,
    page: str = "",
) -> None:
    """
    Decide what becomes of any row of a merge; ``row`` as ``row_of()`` gives it,
    ``shown`` and ``page`` as for ``deciding.mend()``.

    On a row in conflict, what answers the conflict's own questions is kept as
    such a decision, so that a cell never has two. None leaves such a one as it
    is: no mend of the row was shown that could be taken back. Raises
    ``DecidedMeanwhile``, ``ValueError`` for what the row does not offer, and as
    ``preview.preview()``.
    """
    found = preview.conflicts_of(draft.target, sides, row.table, [row.key])
    if not found:
        deciding.mend(draft, row, choices, user, shown=shown, page=page)
        return
    (conflict,) = found
    judged = resolve(conflict, {}, policies.counters_of(row.table))
    asked = {column: c for column, c in choices.items() if judged.asks(column)}
    answers = {
        column: _answer(judged, column, choice)
        for column, choice in asked.items()
        if choice is not None
    }
    rest = {column: c for column, c in choices.items() if column not in asked}
    answered = conflict, answers
    deciding.mend(draft, row, rest, user, answers=answered, shown=shown, page=page)


def same_again(
    draft: MergeDraft, row: ConflictRow, column: str, user: Any
) -> dict[str, Choice | None]:
    """
    What was mended in a row when it was another; nothing if the same person
    has mended it again since. Raises ``DecidedMeanwhile`` if somebody else has,
    ``ValueError`` if nothing was.
    """
    made = drafts.made_about(draft, row, mends=True).get(column)
    if made is None:
        raise ValueError("There is nothing to mend again.")
    if not made.outdated:
        if made.decided_by_id == user.pk:
            return {}
        raise DecidedMeanwhile({column: made}, {})
    return {column: drafts.choice_of(made)}


def _answer(judged: RowResolution, column: str, choice: Choice) -> Choice:
    """To drop a row that one side deleted is to take that side."""
    if column != WHOLE_ROW or choice.take is not Take.DROP:
        return choice
    gone = Take.OURS if judged.state is RowState.DELETED_HERE else Take.THEIRS
    return Choice(gone)

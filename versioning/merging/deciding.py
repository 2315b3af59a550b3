"""
Making decisions about a merge, and taking them back, while its draft is open.

What a row does not offer is refused here, whatever a form sends; so are hidden
columns, and what would overwrite somebody's decision unseen.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import connection
from django.utils import timezone

from versioning import policies
from versioning.backends.repository import ConflictRow
from versioning.merging import copies, drafts, meanwhile
from versioning.merging.locking import begin_revision, while_open
from versioning.merging.resolution import (
    ABSENT,
    WHOLE_ROW,
    CellState,
    Choice,
    RowResolution,
    Take,
    resolve,
)
from versioning.models import Decision, MergeDraft, name_of
from versioning.values import encode, key_columns, key_text
from versioning.visibility import require_shown, shown_among

Choices = Mapping[str, Choice]  # by column


def decide(
    draft: MergeDraft,
    row: ConflictRow,
    choices: Mapping[str, Choice | None],
    user: Any,
    *,
    shown: Mapping[str, str] | None = None,
    page: str = "",
) -> None:
    """
    Keep decisions about one row's cells; None takes one back.

    ``shown`` says which decisions the person saw, as ``meanwhile`` has it, and
    ``page`` which page they were at, as ``Revision`` has it.
    Raises ``DecidedMeanwhile``, and keeps nothing, if somebody else decided
    otherwise about these cells since, or ``DraftClosed``. Columns that need no
    decision and are no counter that both changed are refused with
    ``ValueError``, as is a ``take`` that the row does not offer; hidden ones
    (see ``visibility``) with ``PermissionDenied``.
    """
    _check(row, choices)
    require_shown(row.table, choices)
    with while_open(draft):
        if shown is not None:
            made = drafts.made_about(draft, row, mends=False)
            wanted = meanwhile.touched(choices, shown)
            choices = meanwhile.still_to_keep(made, wanted)
            meanwhile.require_seen(made, choices, wanted, shown, user)
        store(draft, [(row, choices)], user, page=page)


def mend(
    draft: MergeDraft,
    row: ConflictRow,
    mends: Mapping[str, Choice | None],
    user: Any,
    *,
    answers: tuple[ConflictRow, Mapping[str, Choice | None]] | None = None,
    shown: Mapping[str, str] | None = None,
    page: str = "",
) -> None:
    """
    Keep what is to be mended in a row of the result, whatever the merge makes
    of it: a side's row or none (``WHOLE_ROW``), or typed values; None takes
    one back. ``row`` is the three states' rows; ``answers``, what is decided
    about the same row as one in conflict, which is kept along.

    ``shown`` and ``page`` as for ``decide()``, ``shown`` of all that was decided
    about the row: what becomes of it depends on all of that. Raises
    ``DecidedMeanwhile``, ``DraftClosed``, ``ValueError`` for what no state offers,
    and ``PermissionDenied`` for a hidden column.
    """
    conflict, decided = answers or (row, {})
    if decided:
        _check(conflict, decided)
    require_shown(row.table, {**decided, **mends})
    for column, choice in mends.items():
        if choice is not None and not can_mend(row, column, choice):
            raise ValueError(f"{row.table}: nothing to mend like this in {column!r}")
    with while_open(draft):
        if shown is not None:
            made = drafts.made_about(draft, row)
            wanted = meanwhile.touched({**decided, **mends}, shown)
            keep = meanwhile.still_to_keep(made, wanted)
            if keep:
                columns = made.keys() | shown.keys()
                meanwhile.require_seen(made, columns, wanted, shown, user)
            decided = {column: c for column, c in decided.items() if column in keep}
            mends = {column: c for column, c in mends.items() if column in keep}
        store(draft, [(conflict, decided)], user, page=page)
        store(draft, [(row, mends)], user, page=page, mends=True)


def take_back_mends(
    draft: MergeDraft,
    row: ConflictRow,
    user: Any,
    *,
    shown: Mapping[str, str] | None = None,
    page: str = "",
) -> None:
    """
    Forget what was to be mended in one row. Raises ``DecidedMeanwhile`` if
    somebody else mended it since it was ``shown``, ``DraftClosed``, and
    ``PermissionDenied`` if a hidden column was mended.
    """
    with while_open(draft):
        made = drafts.made_about(draft, row, mends=True)
        require_shown(row.table, made)
        if shown is not None:
            wanted = dict.fromkeys(made)
            meanwhile.require_seen(made, made, wanted, shown, user)
        if made:
            begin_revision(draft, user, page)
            numbers = [decision.pk for decision in made.values()]
            draft.decisions.filter(pk__in=numbers).delete()


def can_mend(row: ConflictRow, column: str, choice: Choice) -> bool:
    """Whether a row offers this to be mended in it."""
    if column != WHOLE_ROW:
        there = (row.ours or row.theirs or row.base or {}).keys()
        return choice.take is Take.VALUE and column in there - key_columns(row.table)
    sides = {Take.OURS: row.ours, Take.THEIRS: row.theirs}
    return choice.take is Take.DROP or sides.get(choice.take) is not None


def as_a_whole(row: ConflictRow, take: Take) -> dict[str, Choice]:
    """
    One answer to everything that a row asks and the person may see; counters'
    sums stay. Both rows can be kept by somebody only who may see all of it:
    else ``PermissionDenied``. ``ValueError`` for what answers no whole row.
    """
    if take not in (Take.OURS, Take.THEIRS, Take.BOTH):
        raise ValueError(f"{take} answers no whole row")
    judged = resolve(row, {}, policies.counters_of(row.table))
    asked = pending(judged)
    if take is Take.BOTH:
        require_shown(row.table, asked)
    return dict.fromkeys(shown_among(row.table, asked), Choice(take))


def pending(resolution: RowResolution) -> list[str]:
    """Columns (or ``WHOLE_ROW``) of a row that still need a decision."""
    if resolution.decided_as_a_whole:
        return [] if resolution.whole else [WHOLE_ROW]
    return [cell.column for cell in resolution.cells if cell.pending]


def _check(row: ConflictRow, choices: Mapping[str, Choice | None]) -> None:
    resolution = resolve(row, {}, policies.counters_of(row.table))
    cells = {cell.column: cell for cell in resolution.cells}
    for column, choice in choices.items():
        if resolution.decided_as_a_whole:
            fits = column == WHOLE_ROW and (
                choice is None or choice.take in (Take.OURS, Take.THEIRS)
            )
        else:
            cell = cells.get(column)
            fits = cell is not None and cell.state in (
                CellState.DISPUTED,
                CellState.COUNTED,
            )
            if fits and choice is not None and cell is not None:
                if choice.take is Take.SUM:
                    fits = cell.sum is not None
                elif choice.take is Take.BOTH:
                    fits = copies.can_keep_both(resolution)
                elif choice.take is Take.DROP:
                    fits = False
                elif choice.take is Take.BASE:
                    fits = row.base is not None and cell.base is not ABSENT
        if not fits:
            raise ValueError(f"{row.table}: nothing to decide like this in {column!r}")


def store(
    draft: MergeDraft,
    made: Iterable[tuple[ConflictRow, Choices | Any]],
    user: Any,
    *,
    page: str = "",
    mends: bool = False,
) -> None:
    """
    In a few statements, however many decisions: a revision of the draft, unless
    there are none. Within ``while_open()``.
    """
    made = [(row, choices) for row, choices in made if choices]
    if not made:
        return
    revision = begin_revision(draft, user, page)
    new: list[Decision] = []
    now = timezone.now()
    for row, choices in made:
        text, digest = key_text(row.key), drafts.key_hash(row.key)
        required: set[str] = set()
        if not mends:
            required.update(pending(resolve(row, {}, policies.counters_of(row.table))))
        for column, choice in choices.items():
            if choice is None:
                draft.decisions.filter(
                    table=row.table, key_hash=digest, column=column
                ).delete()
                continue
            new.append(
                Decision(
                    draft=draft,
                    table=row.table,
                    key=text,
                    key_hash=digest,
                    column=column,
                    take=choice.take,
                    required=column in required,
                    mends=mends,
                    value=encode(choice.value),
                    seen=drafts.seen(row, column),
                    revision=revision,
                    decided_by=user,
                    decided_by_name=name_of(user),
                    decided_at=now,
                )
            )
    unique = ["draft", "table", "key_hash", "column"]
    # MySQL takes any unique key as the one that is meant, and can't be told.
    named = connection.features.supports_update_conflicts_with_target
    Decision.objects.bulk_create(
        new,
        batch_size=200,
        update_conflicts=True,
        unique_fields=unique if named else None,
        update_fields=[
            "take",
            "required",
            "mends",
            "outdated",
            "needed",
            "value",
            "seen",
            "revision",
            "decided_by",
            "decided_by_name",
            "decided_at",
        ],
    )

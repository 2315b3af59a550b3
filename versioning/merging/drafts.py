"""
Decisions about a merge, kept in the default database until it lands.

A decision holds the three values that it was made on. It counts as long as
those are still the three values of its cell; when a side moves, it is kept,
and shown as one to look at again. ``deciding`` makes them.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from operator import attrgetter
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Count, Q, QuerySet

from versioning import policies
from versioning.backends.repository import ConflictRow, Key, MergeSides, Repository
from versioning.conf import repository
from versioning.merging import preview, sources
from versioning.merging.locking import alone, look_again, one_begins
from versioning.merging.rehearsal import rehearsal
from versioning.merging.resolution import (
    ABSENT,
    WHOLE_ROW,
    Choice,
    RowResolution,
    Take,
    resolve,
)
from versioning.models import Decision, MergeDraft, Revision, name_of
from versioning.values import decode, encode, key_from_text, key_text

BATCH = 200  # decisions judged at a time


@dataclass(frozen=True, slots=True)
class JudgedRow:
    """A row in conflict with the decisions that count, and those that do not."""

    resolution: RowResolution
    decisions: Mapping[str, Decision]  # by column; those that count
    outdated: Mapping[str, Decision]  # made on other values


def open_draft(source: str, target: str) -> MergeDraft | None:
    """The draft that people are at for this pair of branches, if any."""
    return _open(source, target).first()


def _open(source: str, target: str) -> QuerySet[MergeDraft]:
    return MergeDraft.objects.filter(
        source=source, target=target, state=MergeDraft.State.OPEN
    )


def begin(source: str, target: str, sides: MergeSides, user: Any) -> MergeDraft:
    """The open draft for this pair, made if there is none, about these hashes."""
    draft = open_draft(source, target)
    if draft is None:
        required = preview.preview(target, sides).required
        with one_begins(source, target):
            # Somebody else may have begun it since.
            draft = open_draft(source, target)
            if draft is None:
                return MergeDraft.objects.create(
                    source=source,
                    target=target,
                    base=sides.base,
                    ours=sides.ours,
                    theirs=sides.theirs,
                    required=required,
                    created_by=user,
                    created_by_name=name_of(user),
                )
    refresh(draft, sides)
    return draft


def refresh(draft: MergeDraft, sides: MergeSides) -> bool:
    """
    Judge a draft's decisions anew if it was last worked on with other hashes;
    whether that was so.

    Those whose three values are what they were stand; the others are kept and
    marked. Writes nothing if no side moved, once the draft is closed, nor while
    the tables of both can't be merged: no row can be looked at then. Raises as
    ``preview.preview()``.
    """
    if sides_of(draft) == sides:
        return False
    found = preview.preview(draft.target, sides)
    if not found.conflicts:
        return refresh_within(None, found, draft)
    # The merge first, then the draft's lock: so do all who need both.
    with rehearsal(draft.target, sides) as merge:
        return refresh_within(merge, found, draft)


def refresh_within(
    merge: Repository | None, found: preview.Preview, draft: MergeDraft
) -> bool:
    """
    ``refresh()`` to what is found of a merge, within that while it is under way;
    None for one without conflicts.
    """
    sides = found.sides
    if found.blocked or found.schema_conflicts or sides_of(draft) == sides:
        return False
    made = draft.decisions.order_by("mends", "table", "pk")
    with alone(draft):
        look_again(draft)
        if draft.is_closed:  # its decisions are as they were when it was
            return False
        for (mends, table), group in groupby(
            made.iterator(), key=attrgetter("mends", "table")
        ):
            while batch := list(islice(group, BATCH)):
                keys = sorted({key_of(decision) for decision in batch})
                rows: list[ConflictRow] = []
                if mends:
                    rows = preview.versions(repository(), sides, table, keys)
                elif merge is not None:
                    rows = preview.conflicts_within(merge, sides, table, keys)
                _judge_anew(batch, rows)
        draft.base, draft.ours, draft.theirs = sides.base, sides.ours, sides.theirs
        draft.required = found.required
        draft.save(update_fields=["base", "ours", "theirs", "required"])
    return True


def _judge_anew(batch: list[Decision], found: Iterable[ConflictRow]) -> None:
    """``found`` are the rows of these decisions that are there."""
    rows = {_hash(row)[1]: row for row in found}
    changed = []
    for decision in batch:
        row = rows.get(decision.key_hash)
        if decision.mends and _is_of_a_copy(decision, row):
            continue  # judged with the result: no state has its row
        before = decision.outdated, decision.needed
        decision.outdated = row is None or decision.seen != seen(row, decision.column)
        decision.needed = not decision.outdated or _is_asked(row, decision)
        if (decision.outdated, decision.needed) != before:
            changed.append(decision)
    if changed:
        Decision.objects.bulk_update(changed, ["outdated", "needed"])


def _is_of_a_copy(decision: Decision, row: ConflictRow | None) -> bool:
    """Whether a mended row was there only as both of another are kept."""
    if row is not None and (row.base or row.ours or row.theirs):
        return False
    both = decision.draft.decisions.filter(take=Take.BOTH)
    return both.exists()


def _is_asked(row: ConflictRow | None, decision: Decision) -> bool:
    """Whether what an outdated decision is about can still be decided."""
    if row is None:
        return False
    if decision.mends:
        return bool(row.base or row.ours or row.theirs)
    judged = resolve(row, {}, policies.counters_of(row.table))
    return judged.asks(decision.column)


def sides_of(draft: MergeDraft) -> MergeSides:
    """The three hashes that a draft was last worked on with."""
    is_merge = sources.parse(draft.source).is_merge
    return MergeSides(draft.base, draft.ours, draft.theirs, is_merge)


def judge(draft: MergeDraft | None, rows: Sequence[ConflictRow]) -> list[JudgedRow]:
    """Lay the draft's decisions over rows in conflict, in their order."""
    made = made_about_rows(draft, rows, mends=False)
    return [_judge_row(*pair) for pair in zip(rows, made, strict=True)]


def _judge_row(row: ConflictRow, made: Mapping[str, Decision]) -> JudgedRow:
    counting: dict[str, Decision] = {}
    outdated: dict[str, Decision] = {}
    for column, decision in made.items():
        fits = decision.seen == seen(row, column)
        (counting if fits else outdated)[column] = decision
    choices = {column: choice_of(decision) for column, decision in counting.items()}
    resolution = resolve(row, choices, policies.counters_of(row.table))
    return JudgedRow(resolution, counting, outdated)


def key_of(decision: Decision) -> Key:
    """The primary key of the row that a decision is about."""
    return key_from_text(decision.key)


def choice_of(decision: Decision) -> Choice:
    return Choice(Take(decision.take), decode(decision.value))


def made_about(
    draft: MergeDraft, row: ConflictRow, **which: bool
) -> Mapping[str, Decision]:
    """What is decided about one row now, by column; ``which`` narrows it."""
    return made_about_rows(draft, [row], **which)[0]


def made_about_rows(
    draft: MergeDraft | None, rows: Sequence[ConflictRow], **which: bool
) -> list[Mapping[str, Decision]]:
    """The same for each of some rows, in their order; at one go."""
    found: dict[tuple[str, str], dict[str, Decision]] = {}
    if draft is not None and rows:
        tables = {row.table for row in rows}
        hashes = {_hash(row)[1] for row in rows}
        for decision in draft.decisions.filter(
            table__in=tables, key_hash__in=hashes, **which
        ):
            where = (decision.table, decision.key_hash)
            found.setdefault(where, {})[decision.column] = decision
    return [found.get(_hash(row), {}) for row in rows]


@dataclass(frozen=True, slots=True)
class Counts:
    """How many decisions of a draft there are, as last judged."""

    settled: int = 0  # required ones that are made and stand
    outdated: int = 0  # that are needed, and were made on values not there any more
    unneeded: int = 0  # that answer what is not asked any more
    mends: int = 0


def counts(draft: MergeDraft | None) -> Counts:
    """Asked at one go. Of no draft, none."""
    if draft is None:
        return Counts()
    found = draft.decisions.aggregate(**_counted())
    return Counts(*found.values())


def open_and_counted(source: str, target: str) -> tuple[MergeDraft | None, Counts]:
    """``open_draft()`` and its ``counts()``, at one go."""
    counted = _counted("decisions__")
    draft = _open(source, target).annotate(**counted).first()
    if draft is None:
        return None, Counts()
    return draft, Counts(*(getattr(draft, name) for name in counted))


def _counted(path: str = "") -> dict[str, Count]:
    """What ``Counts`` are made of, of the decisions that ``path`` leads to."""

    def count(**which: bool) -> Count:
        condition = Q(**{f"{path}{name}": wanted for name, wanted in which.items()})
        return Count(f"{path}pk", filter=condition)

    return {
        "count_settled": count(required=True, outdated=False),
        "count_outdated": count(outdated=True, needed=True),
        "count_unneeded": count(outdated=True, needed=False),
        "count_mends": count(mends=True),
    }


def have_to_be_looked_at(draft: MergeDraft) -> bool:
    """
    Whether decisions of a draft were made on other values than there are now, as
    a count that somebody typed: without them the merge would do something else.
    """
    return draft.decisions.filter(outdated=True, needed=True).exists()


def changed_since(draft: MergeDraft, revision: int, user: Any, page: str) -> bool:
    """
    Whether something was decided, or taken back, since a draft's ``revision``,
    but by ``user`` at the same ``page`` (see ``Revision``): that they know.
    """
    return _later(draft, revision, user, page).exists()


def _later(
    draft: MergeDraft, revision: int, user: Any, page: str
) -> QuerySet[Revision]:
    later = draft.revisions.filter(number__gt=revision)
    return later.exclude(made_by=user, page=page)


@dataclass(frozen=True, slots=True)
class Since:
    """What was done about a draft after a revision of it, not at the same page."""

    decisions: list[Decision]  # that stand, the oldest first
    are_more: bool
    names: list[str]  # of whose decisions since none stands
    is_own: bool  # whether the same person did all of it, at another page


def since(
    draft: MergeDraft, revision: int, user: Any, page: str, *, limit: int
) -> Since:
    """What ``changed_since()`` is about."""
    later = _later(draft, revision, user, page)
    made = draft.decisions.filter(revision__in=later.values("number"))
    found = list(made.order_by("revision", "pk")[: limit + 1])
    standing = made.filter(decided_by__isnull=False).order_by().values("decided_by")
    others = get_user_model()._default_manager.filter(pk__in=later.values("made_by"))
    names = [name_of(who) for who in others.exclude(pk__in=standing)]
    is_own = not later.exclude(made_by=user).exists()
    return Since(found[:limit], len(found) > limit, names, is_own)


def unneeded(draft: MergeDraft, *, limit: int) -> list[Decision]:
    """Decisions that answer what is not asked any more, the oldest first."""
    found = draft.decisions.filter(outdated=True, needed=False)
    return list(found.order_by("pk")[:limit])


def seen(row: ConflictRow, column: str) -> list[Any]:
    """
    The three values that a decision is about, in a form that can be stored
    and compared: of one column, or of all for a decision on the whole row.
    """
    base = {**(row.base or {}), **row.common} if column in row.common else row.base
    return [_encoded(version, column) for version in (base, row.ours, row.theirs)]


def _encoded(version: Any, column: str) -> Any:
    if version is None:
        return {"row": None}
    if column == WHOLE_ROW:
        return {name: encode(value) for name, value in version.items()}
    value = version.get(column, ABSENT)
    return {"column": None} if value is ABSENT else {"value": encode(value)}


def _hash(row: ConflictRow) -> tuple[str, str]:
    return row.table, key_hash(row.key)


def key_hash(key: Key) -> str:
    """``Decision.key_hash`` of the row with a primary key."""
    return hashlib.sha256(key_text(key).encode()).hexdigest()

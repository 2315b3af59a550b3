"""What was decided about merges: lists of them, and each decision of one."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, F, Max, OuterRef, Q, Subquery, Window
from django.db.models.functions import Coalesce, RowNumber

from versioning.backends.errors import UnknownRef
from versioning.backends.repository import Key, Row
from versioning.conf import repository
from versioning.merging import drafts, endings, sources
from versioning.merging.resolution import WHOLE_ROW, Take
from versioning.merging.standing import Standing, gone, standing
from versioning.models import Decision, MergeDraft
from versioning.presentation.cells import Shown, opened_apart, told_apart
from versioning.presentation.cells import related as related_cell
from versioning.presentation.choices import column_name, row_states, said, shown_of
from versioning.presentation.conflicts import Names, anchor
from versioning.presentation.mends import mend_anchor
from versioning.presentation.snapshot import Snapshot
from versioning.values import TableValues, decode, table_name

#: Names by table and column, by stored value.
Related = dict[tuple[str, str], dict[Any, str]]

LISTED = 50  # merges
PAGE = 50  # decisions


def name_commits(drafts: Iterable[MergeDraft]) -> None:
    """Call drafts that are of a commit by its message, if it is there."""
    of_commits = [
        (draft, source.name)
        for draft in drafts
        if not (source := sources.parse(draft.source)).is_merge
    ]
    subjects = _subjects(list(dict.fromkeys(hash for _, hash in of_commits)))
    for draft, hash in of_commits:
        draft.subject = subjects.get(hash, "")


def _subjects(hashes: Sequence[str]) -> dict[str, str]:
    if not hashes:
        return {}
    try:
        return {found.hash: found.subject for found in repository().commits(hashes)}
    except UnknownRef:  # cleared away, as no branch had it any more
        if len(hashes) == 1:
            return {}
        half = len(hashes) // 2
        return _subjects(hashes[:half]) | _subjects(hashes[half:])


@dataclass(frozen=True, slots=True)
class BeingSettled:
    """An open draft, as far as it is."""

    draft: MergeDraft
    settled: int  # required decisions that are made and stand
    last: datetime | None  # when something was decided last
    standing: Standing
    gone: tuple[str, ...]  # names of its branches that were deleted

    @property
    def is_of_no_use(self) -> bool:
        return self.standing is not Standing.WAITS


def being_settled(heads: Mapping[str, str]) -> list[BeingSettled]:
    """
    Open drafts, the latest first; ``heads`` are all branches' hashes by name.
    """
    found = MergeDraft.objects.filter(state=MergeDraft.State.OPEN).annotate(
        settled=Count(
            "decisions",
            filter=Q(decisions__required=True, decisions__outdated=False),
        ),
        last=Max("decisions__decided_at"),
    )
    at_hand = repository()
    return [
        BeingSettled(
            draft,
            draft.settled,
            draft.last,
            standing(at_hand, draft, heads),
            tuple(gone(draft, heads)),
        )
        for draft in found[:LISTED]
        if not endings.found_landed(draft, heads)
    ]


@dataclass(frozen=True, slots=True)
class Ended:
    """Drafts that are not settled any more, the latest first."""

    landed: Sequence[MergeDraft]  # with ``decided``: how many decisions
    set_aside: Sequence[MergeDraft]


def ended() -> Ended:
    """The latest drafts of either end, asked at one go."""
    by_state: dict[str, list[MergeDraft]] = defaultdict(list)
    # Not counted by a join: Dolt numbers no rows of what is grouped.
    made = Decision.objects.filter(draft=OuterRef("pk"), outdated=False)
    count = made.values("draft").annotate(count=Count("pk")).values("count")
    found = MergeDraft.objects.exclude(state=MergeDraft.State.OPEN).annotate(
        decided=Coalesce(Subquery(count), 0),
        # What was set aside in the project's first days has no date of that.
        ended=Coalesce("landed_at", "abandoned_at", "created_at"),
    )
    latest = [F("ended").desc(), F("created_at").desc(), F("pk").desc()]
    place = Window(RowNumber(), partition_by="state", order_by=latest)
    listed = found.annotate(place=place).filter(place__lte=LISTED)
    for draft in listed.order_by(*latest):
        by_state[draft.state].append(draft)
    return Ended(
        by_state[MergeDraft.State.LANDED], by_state[MergeDraft.State.ABANDONED]
    )


@dataclass(frozen=True, slots=True)
class Share:
    """How much of a draft one person decided."""

    who: str  # "" where nobody knows any more
    decisions: int
    last: datetime


def shares(draft: MergeDraft) -> tuple[Share, ...]:
    """Who decided how much, whoever decided most first."""
    made = (
        draft.decisions.values("decided_by", "decided_by_name")
        .annotate(decisions=Count("pk"), last=Max("decided_at"))
        .order_by("-decisions", "decided_by_name")
    )
    return tuple(
        Share(of["decided_by_name"], of["decisions"], of["last"]) for of in made
    )


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision, as it was made."""

    table_name: str
    heading: str
    column: str  # its raw name; "" for the row as a whole
    name: str
    before: Shown | None  # None where there was no such row, or for a whole row
    ours: Shown | None
    theirs: Shown | None
    states: tuple[str, ...]  # of a whole row, before, here and there; else ()
    taken: str  # in words
    result: Shown | None
    decision: Decision

    @property
    def anchor(self) -> str:
        """The id of its row's card on the page of the merge."""
        of = mend_anchor if self.decision.mends else anchor
        return of(self.decision.table, self.decision.key)

    @property
    def who(self) -> str:
        return self.decision.decided_by_name or "somebody who is gone"


@dataclass(frozen=True, slots=True)
class RecordPage:
    ours: str  # what the sides were called
    theirs: str
    decisions: tuple[Decided, ...]
    next: int | None  # where the next page goes on


def page_of(draft: MergeDraft, *, after: int = 0) -> RecordPage:
    """
    Decisions of a draft, after the one with that number: those that count, and
    all of one that was set aside, as none does.
    """
    made = draft.decisions.filter(pk__gt=after).order_by("pk")
    if draft.state != MergeDraft.State.ABANDONED:
        made = made.filter(outdated=False)
    found = list(made[: PAGE + 1])
    page = found[:PAGE]
    names = names_of(draft)
    return RecordPage(
        names.ours,
        names.theirs,
        decided(draft, page),
        page[-1].pk if len(found) > PAGE else None,
    )


@dataclass(frozen=True, slots=True)
class DecidedSince:
    """What was decided after somebody had looked at a draft, not at that page."""

    decisions: tuple[Decided, ...]
    are_more: bool
    taken_back_by: list[str]
    is_own: bool  # whether the same person did all of it, at another page


def since(draft: MergeDraft, revision: int, user: Any, page: str) -> DecidedSince:
    """What ``drafts.changed_since()`` is about, as it was decided."""
    found = drafts.since(draft, revision, user, page, limit=PAGE)
    return DecidedSince(
        decided(draft, found.decisions), found.are_more, found.names, found.is_own
    )


def names_of(draft: MergeDraft) -> Names:
    return Names(draft.target, sources.parse(draft.source).label)


def decided(draft: MergeDraft, decisions: Sequence[Decision]) -> tuple[Decided, ...]:
    """Some of a draft's decisions, as they were made."""
    at_hand = repository()
    snapshots = [Snapshot(at_hand, at) for at in (draft.ours, draft.theirs, draft.base)]
    headings = _headings(snapshots, decisions)
    related = _related(snapshots, decisions)
    names = names_of(draft)
    return tuple(_decided(one, headings, related, names) for one in decisions)


def _related(snapshots: Sequence[Snapshot], decisions: Sequence[Decision]) -> Related:
    """What the rows are called that values refer to, as the sides had them."""
    rows: dict[str, list[Row]] = defaultdict(list)
    for decision in decisions:
        typed = {"value": decision.value} if decision.take == Take.VALUE else {}
        rows[decision.table] += [
            {decision.column: decode(encoded["value"])}
            for encoded in (*decision.seen, typed)
            if decision.column != WHOLE_ROW and "value" in encoded
        ]
    found: Related = {}
    for snapshot in snapshots:
        with suppress(UnknownRef):  # its branch is gone, and was cleared away
            for table, values in rows.items():
                for column, by_value in snapshot.related_names(table, values).items():
                    known = found.setdefault((table, column), {})
                    found[table, column] = by_value | known
    return found


def _headings(
    snapshots: Sequence[Snapshot], decisions: Sequence[Decision]
) -> dict[tuple[str, Key], str]:
    """Rows by name, as of the side that still had them."""
    at_hand = repository()
    wanted: dict[str, set[Key]] = {}
    for decision in decisions:
        wanted.setdefault(decision.table, set()).add(drafts.key_of(decision))
    found: dict[tuple[str, Key], str] = {}
    for snapshot in snapshots:
        for table, keys in wanted.items():
            missing = [key for key in keys if (table, key) not in found]
            if missing and table in at_hand.tables(at=snapshot.at):
                rows = at_hand.rows(table, missing, at=snapshot.at)
                labels = snapshot.labels(table, rows)
                found |= {(table, key): label for key, label in labels.items()}
    return found


def _decided(
    decision: Decision,
    headings: dict[tuple[str, Key], str],
    related: Related,
    names: Names,
) -> Decided:
    values = TableValues(decision.table)
    column = decision.column
    before, ours, theirs = (shown_of(values, column, seen) for seen in decision.seen)
    taken = said(values, column, drafts.choice_of(decision), decision.seen, names)
    called = related.get((decision.table, column), {})
    before, ours, theirs, result = opened_apart(
        told_apart([_named(one, called) for one in (before, ours, theirs, taken.shown)])
    )
    return Decided(
        table_name(decision.table),
        headings.get(
            (decision.table, drafts.key_of(decision)),
            f"{table_name(decision.table)} {decision.key}",
        ),
        column,
        column_name(values, column),
        before,
        ours,
        theirs,
        () if column else row_states(decision.seen),
        taken.words,
        result,
        decision,
    )


def _named(shown: Shown | None, called: Mapping[Any, str]) -> Shown | None:
    """A value that refers to a row, by that row's name if it is known."""
    if shown and called and (name := called.get(shown.stored)):
        return related_cell(name, shown.stored)
    return shown

"""What a merge's page shows, as data. No HTTP, no templates."""

import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import groupby

from versioning import values
from versioning.backends.repository import Commit, ConflictRow, MergeSides
from versioning.conf import repository as versioned_repository
from versioning.merging import sources
from versioning.merging.alignment import Alignment
from versioning.merging.choices import ChoicesInvalid
from versioning.merging.definitions import TableBlock
from versioning.merging.merged import MergedTable
from versioning.merging.preview import Preview
from versioning.merging.records import Decided
from versioning.merging.sources import Source
from versioning.merging.trial import Trial
from versioning.models import PAGE_LENGTH, MergeDraft
from versioning.presentation.clashes import Clash
from versioning.presentation.conflicts import Card, Names, SumLine, anchor
from versioning.presentation.mends import (
    MendCard,
    MendCards,
    OldFault,
    mend_anchor,
    with_typed,
)

ALL = slice(None)
FIRST = slice(10)  # cards of a page; a browser asks for the rest by itself
REST = slice(FIRST.stop, None)


@dataclass(frozen=True, slots=True)
class Progress:
    settled: int
    required: int
    outdated: int  # decisions made on values that are no longer there

    @property
    def missing(self) -> int:
        return self.required - self.settled

    @property
    def is_complete(self) -> bool:
        return self.missing <= 0


@dataclass(frozen=True, slots=True)
class Unneeded:
    """The first decisions that are of no use as the sides are now."""

    decisions: tuple[Decided, ...] = ()
    are_more: bool = False


@dataclass(frozen=True, slots=True)
class CardGroup:
    """The cards of one table on this page; ``decisions`` are the table's in all."""

    table: str
    name: str
    decisions: int
    cards: tuple[Card, ...]
    goes_on: bool = False  # under a heading that is there already
    has_more: bool = False  # cards of this page that are still to come

    @property
    def anchor(self) -> str:
        """Id of the heading."""
        return anchor(self.table, "")

    @property
    def can_settle_at_once(self) -> bool:
        return self.decisions > 1 and (
            self.has_more or any(card.pending for card in self.cards)
        )


@dataclass(frozen=True, slots=True)
class Cardless:
    """What somebody else decided meanwhile about a row that has no card any more."""

    table: str
    key: str  # as ``values.key_text()`` writes it
    heading: str
    clash: Clash


NO_DRAFT = "-"


@dataclass(frozen=True, slots=True)
class Seen:
    """
    What somebody saw of a draft when a form was made: its id and its revision,
    "" and 0 if there was none, and at which page, as ``Revision`` has it. As text
    in the form.
    """

    draft: str = ""
    revision: int = 0
    page: str = ""

    @classmethod
    def parse(cls, text: str) -> "Seen":
        """Raises ``ValueError`` for what is no such text."""
        if not text:
            return cls()
        draft, revision, page = text.split(" ")
        if draft != NO_DRAFT:
            uuid.UUID(draft)
        if len(page) > PAGE_LENGTH:
            raise ValueError(page)
        return cls("" if draft == NO_DRAFT else draft, int(revision), page)

    def __str__(self) -> str:
        return f"{self.draft or NO_DRAFT} {self.revision} {self.page}"


def new_page() -> str:
    """What tells a page from all others: see ``Revision``."""
    return secrets.token_urlsafe(12)


@dataclass(frozen=True)
class Screen:
    """A merge of one branch into another, as it stands now."""

    source: str  # as ``sources`` writes it
    target: str
    sides: MergeSides | None = None  # None: no shared history, or ``impossible``
    #: None where rows are uncommitted, without shared history, and while awaited.
    found: Preview | None = None
    is_awaited: bool = False  # what the merge would do is still to be found out
    uncommitted: tuple[str, ...] = ()  # tables' names
    impossible: str = ""  # why this can't be brought in at all, in a sentence
    commit: Commit | None = None  # that is undone or picked; None for a merge
    draft: MergeDraft | None = None
    progress: Progress = field(default_factory=lambda: Progress(0, 0, 0))
    unneeded: Unneeded = field(default_factory=Unneeded)
    commits: tuple[Commit, ...] = ()  # that the merge brings, newest first
    commit_count: int = 0
    tables: tuple[MergedTable, ...] = ()
    bookkeeping: tuple[MergedTable, ...] = ()
    sums: tuple[SumLine, ...] = ()
    cards: tuple[Card, ...] = ()
    next: str | None = None  # address part of the next page of cards
    to_come: int = 0  # cards of this page, after these
    goes_on: bool = False  # the first card's table has cards before these
    trial: Trial = field(default_factory=Trial)
    faults: int = 0  # rows that have to be mended first
    revision: int = 0  # of the draft, that is shown
    page: str = ""  # which this is: see ``Seen``
    mends: tuple[MendCard, ...] = ()
    withheld: tuple[str, ...] = ()  # names of tables whose rows the reader may not see
    cardless: Cardless | None = None
    old_faults: tuple[OldFault, ...] = ()
    blocks: tuple[TableBlock, ...] = ()  # tables that keep it from being merged
    alignment: Alignment | None = None  # None with ``found``
    undo: MergeDraft | None = None  # of what the target has by its commits alone
    merged: MergeDraft | None = None  # what brought the target all of it
    problem: str = ""  # why nothing was kept of what was sent just now

    @property
    def seen(self) -> str:
        """Which draft is shown, and as what: a form says so, see ``Seen``."""
        draft = str(self.draft.pk) if self.draft else ""
        return str(Seen(draft, self.revision, self.page))

    @property
    def given(self) -> Source:
        return sources.parse(self.source)

    @property
    def title(self) -> str:
        """What is done when the button is pressed."""
        return sources.title(self.given, self.target, self.commit)

    @property
    def theirs(self) -> str:
        """What the side that is brought in is called."""
        return self.given.label

    @property
    def can_land(self) -> bool:
        return (
            self.found is not None
            and self.found.can_land
            and self.progress.is_complete
            and self.trial.is_fine
        )

    @property
    def is_blocked(self) -> bool:
        """Whether the tables of both sides have to be brought alike first."""
        return self.found is not None and not (
            self.found.can_land or self.found.up_to_date
        )

    @property
    def groups(self) -> list[CardGroup]:
        """The cards by table, in their order."""
        decisions = (
            {t.table: t.decisions for t in self.found.conflicts} if (self.found) else {}
        )
        groups = [
            CardGroup(table, values.table_name(table), decisions.get(table, 0), cards)
            for table, group in groupby(self.cards, key=lambda card: card.table)
            if (cards := tuple(group))
        ]
        if groups and self.goes_on:
            groups[0] = replace(groups[0], goes_on=True)
        if groups and self.to_come:
            groups[-1] = replace(groups[-1], has_more=True)
        return groups

    @property
    def asks_about_rows(self) -> bool:
        """Whether a row that is shown was changed on one side, deleted on the other."""
        return any(card.whole for card in self.cards)

    @property
    def rows_changed(self) -> int:
        """
        How many rows merge by themselves, in the application's tables; where any
        was mended, how many change in all.
        """
        return sum(table.rows for table in self.tables)

    @property
    def rows_removed(self) -> int:
        """How many of those are deleted."""
        return sum(table.stat.rows_removed for table in self.tables if table.stat)


def with_card(shown: Screen, card: Card) -> Screen:
    """The screen with another card for the same row, if it shows that row."""
    return replace(
        shown,
        cards=tuple(card if c.anchor == card.anchor else c for c in shown.cards),
    )


def with_refused_mend(shown: Screen, anchor: str, refused: ChoicesInvalid) -> Screen:
    """The screen with what was typed on one card still in its fields."""
    return _with_mend(shown, anchor, lambda card: with_typed(card, refused))


def with_unanswered_mend(shown: Screen, anchor: str, problem: str) -> Screen:
    """The screen with why nothing was kept, on a row's card or where it has none."""
    if any(card.anchor == anchor for card in shown.mends):
        return _with_mend(shown, anchor, lambda card: replace(card, problem=problem))
    return replace(shown, problem=problem)


def with_clashing_mend(shown: Screen, row: ConflictRow, clash: Clash) -> Screen:
    """
    The screen with what somebody else decided meanwhile on a row's card, or on
    its own, where there is nothing to mend in the row any more.
    """
    key = values.key_text(row.key)
    anchor = mend_anchor(row.table, key)
    if any(card.anchor == anchor for card in shown.mends):
        return _with_mend(shown, anchor, lambda card: replace(card, clash=clash))
    assert shown.sides is not None
    names = Names(shown.target, shown.theirs)
    heading = MendCards(versioned_repository(), shown.sides, names).heading(row)
    return replace(shown, cardless=Cardless(row.table, key, heading, clash))


def _with_mend(
    shown: Screen, anchor: str, change: Callable[[MendCard], MendCard]
) -> Screen:
    mends = (change(c) if c.anchor == anchor else c for c in shown.mends)
    return replace(shown, mends=tuple(mends))

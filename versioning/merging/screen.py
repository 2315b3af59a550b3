"""Everything that the merge page shows, gathered. No HTTP, no templates."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from versioning import values
from versioning.backends.errors import UncommittedRows
from versioning.backends.repository import (
    Commit,
    ConflictRow,
    MergeSides,
    Repository,
    TableChange,
    TableStat,
    Violation,
)
from versioning.conf import repository as versioned_repository
from versioning.cursors import sign_key, unsign_key
from versioning.merging import drafts, endings, preview, records, sources, trial
from versioning.merging.alignment import Alignment, alignment
from versioning.merging.choices import ChoicesInvalid
from versioning.merging.definitions import TableBlock, blocks
from versioning.merging.drafts import JudgedRow
from versioning.merging.preview import Place, Preview
from versioning.merging.records import Decided
from versioning.merging.sources import Impossible, Source
from versioning.merging.trial import Trial
from versioning.merging.validation import InvalidRow
from versioning.models import MergeDraft
from versioning.presentation.clashes import Clash
from versioning.presentation.conflicts import (
    Card,
    Names,
    SumLine,
    anchor,
    cards,
    sum_lines,
)
from versioning.presentation.earlier import with_earlier
from versioning.presentation.mends import (
    BREAKS_HIDDEN,
    MendCard,
    MendCards,
    OldFault,
    mend_anchor,
    with_typed,
)
from versioning.presentation.rows import RowDiff, present_rows
from versioning.presentation.snapshot import Snapshot, spoken_key
from versioning.visibility import hidden_columns

COMMITS_SHOWN = 10
ALL = slice(None)
FIRST = slice(10)  # cards of a page; a browser asks for the rest by itself
REST = slice(FIRST.stop, None)


@dataclass(frozen=True, slots=True)
class MergedTable:
    """A table whose rows merge by themselves, with how many do."""

    change: TableChange
    stat: TableStat | None

    @property
    def table(self) -> str:
        return self.change.table

    @property
    def name(self) -> str:
        return values.table_name(self.table)

    @property
    def rows(self) -> int:
        if self.stat is None:
            return 0
        return self.stat.rows_added + self.stat.rows_removed + self.stat.rows_changed


@dataclass(frozen=True, slots=True)
class BrokenRule:
    """A row of the result that breaks a constraint, in words."""

    table_name: str
    heading: str
    reason: str


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


@dataclass(frozen=True)
class Screen:
    """A merge of one branch into another, as it stands now."""

    source: str  # as ``sources`` writes it
    target: str
    sides: MergeSides | None  # None: no shared history, or ``impossible``
    found: Preview | None  # None: rows are uncommitted, or no shared history
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
    mends: tuple[MendCard, ...] = ()
    cardless: Cardless | None = None
    old_faults: tuple[OldFault, ...] = ()
    blocks: tuple[TableBlock, ...] = ()  # tables that keep it from being merged
    alignment: Alignment | None = None  # None with ``found``

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
    def faults(self) -> int:
        """How many rows have to be mended first."""
        return len(self.trial.faults) + self.trial.unshown

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
    def rows_changed(self) -> int:
        """How many rows merge by themselves, in the application's tables."""
        return sum(table.rows for table in self.tables)


def open_screen(
    source: str, target: str, place: str = "", *, part: slice = ALL
) -> Screen:
    """
    The merge of branch ``source`` into branch ``target``, judged as of now.

    ``place`` is the ``next`` of the page before, ``part`` which of the page's
    cards are wanted. Raises ``BranchNotFound``,
    ``EngineBusy``, ``BadCursor``.
    """
    repository = versioned_repository()
    given = sources.parse(source)
    commit = None if given.is_merge else repository.commit(given.name)
    draft = drafts.open_draft(source, target)
    if draft is not None and endings.found_landed(draft):
        draft = None
    try:
        sides = sources.sides(repository, given, target)
    except Impossible as error:
        return Screen(
            source,
            target,
            None,
            None,
            impossible=str(error),
            commit=commit,
            draft=draft,
        )
    if sides is None:
        return Screen(source, target, None, None, draft=draft)
    names = Names(target, given.label)
    try:
        # A draft is brought up to date first, and its decisions are tried then.
        foresee = trial.foresee if draft is None else None
        found = preview.preview(target, sides, then=foresee)
        if draft is not None:
            drafts.refresh(draft, sides)
        page = preview.conflict_page(target, found, _place(place))
    except UncommittedRows as error:
        return Screen(
            source,
            target,
            sides,
            None,
            uncommitted=tuple(values.table_name(name) for name in error.tables),
            commit=commit,
            draft=draft,
        )
    tables = _tables(found)
    tried = tried_out(target, sides, found, draft)
    mend_cards = MendCards(repository, sides, names)
    rows = page.rows[part]
    start, stop, _ = part.indices(len(page.rows))
    judged = drafts.judge(draft, rows)
    return Screen(
        source=source,
        target=target,
        sides=sides,
        found=found,
        commit=commit,
        draft=draft,
        progress=progress(found, draft, tried),
        unneeded=unneeded(draft, tried),
        commits=(commit,) if commit else _commits(repository, sides),
        commit_count=1
        if commit
        else repository.count_between(sides.ours, sides.theirs),
        tables=tuple(t for t in tables if not values.is_bookkeeping(t.table)),
        bookkeeping=tuple(t for t in tables if values.is_bookkeeping(t.table)),
        sums=tuple(sum_lines(repository, sides, found.sums)),
        cards=tuple(judged_cards(repository, sides, names, judged)),
        next=_place_text(page.next),
        to_come=len(page.rows) - stop,
        goes_on=start > 0
        and rows[:1] != ()
        and (page.rows[start - 1].table == rows[0].table),
        trial=tried,
        mends=tuple(
            mend_cards.cards(
                tried,
                drafts.made_about_rows(draft, [row.versions for row in tried.rows]),
            )
        ),
        old_faults=tuple(mend_cards.old(tried.old)),
        blocks=blocks(repository, found, names),
        alignment=alignment(given, target, sides),
    )


def _commits(repository: Repository, sides: MergeSides) -> tuple[Commit, ...]:
    return tuple(
        repository.commits_between(sides.ours, sides.theirs, limit=COMMITS_SHOWN)
    )


def with_card(shown: Screen, card: Card) -> Screen:
    """The screen with another card for the same row, if it shows that row."""
    return replace(
        shown,
        cards=tuple(card if c.anchor == card.anchor else c for c in shown.cards),
    )


def with_refused_mend(shown: Screen, anchor: str, refused: ChoicesInvalid) -> Screen:
    """The screen with what was typed on one card still in its fields."""
    return _with_mend(shown, anchor, lambda card: with_typed(card, refused))


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


def current_sides(
    repository: Repository, source: str, target: str
) -> MergeSides | None:
    """The three hashes as of now; None if there is nothing to bring in any more."""
    try:
        return sources.sides(repository, sources.parse(source), target)
    except Impossible:
        return None


def tried_out(
    target: str, sides: MergeSides, found: Preview, draft: MergeDraft | None
) -> Trial:
    """
    What the result would break. Asked where something is known to be wrong or
    was mended, and where no decision is missing any more.
    """
    if not found.can_land:
        return Trial()
    is_complete = drafts.counts(draft).settled >= found.required
    if is_complete or found.violations or trial.has_mends(draft):
        return trial.try_out(target, sides, draft)
    return Trial(complete=False)


def progress(
    found: Preview, draft: MergeDraft | None, tried: Trial | None = None
) -> Progress:
    counts = drafts.counts(draft)
    return Progress(
        settled=counts.settled,
        required=found.required,
        outdated=counts.outdated - len(tried.unneeded if tried else ()),
    )


def unneeded(draft: MergeDraft | None, tried: Trial) -> Unneeded:
    """What was decided about what is not asked, or not broken, any more."""
    if draft is None:
        return Unneeded()
    found = [*drafts.unneeded(draft, limit=records.PAGE + 1), *tried.unneeded]
    shown = found[: records.PAGE]
    return Unneeded(records.decided(draft, shown), len(found) > len(shown))


def one_card(
    names: Names, sides: MergeSides, draft: MergeDraft | None, row: ConflictRow
) -> Card:
    """The card of one row in conflict, with the decisions as they stand."""
    repository = versioned_repository()
    return judged_cards(repository, sides, names, drafts.judge(draft, [row]))[0]


def judged_cards(
    repository: Repository, sides: MergeSides, names: Names, judged: Sequence[JudgedRow]
) -> list[Card]:
    """Rows in conflict as cards, with what is to be looked at again."""
    shown = cards(repository, sides, names, judged)
    return with_earlier(repository, sides, names, judged, shown)


@dataclass(frozen=True, slots=True)
class MergedRows:
    """A page of rows that merge by themselves: as they are, and will be."""

    diff: MergedTable
    columns: tuple[tuple[str, str], ...]  # (raw name, verbose name)
    rows: tuple[RowDiff, ...]
    next: str | None  # the cursor of the next page


def merged_rows(
    target: str, sides: MergeSides, table: str, after: str = ""
) -> MergedRows | None:
    """
    Rows of one table that the merge changes by itself; None if it changes
    none there. Raises ``BadCursor``, and as ``preview.preview()``.
    """
    found = preview.preview(target, sides)
    merged = next((t for t in _tables(found) if t.table == table), None)
    if merged is None:
        return None
    since = unsign_key(table, after) if after else None
    rows, more = preview.merged_rows(target, sides, table, since=since)
    repository = versioned_repository()
    shown = present_rows(repository, table, rows, sides.ours, sides.theirs)
    columns = {cell.column: cell.name for row in shown for cell in row.cells}
    return MergedRows(
        merged,
        tuple(columns.items()),
        shown,
        sign_key(table, rows[-1].key) if more else None,
    )


def _tables(found: Preview) -> list[MergedTable]:
    stats = {stat.table: stat for stat in found.stats}
    disputed = {table.table for table in found.conflicts}
    tables = [
        MergedTable(change, stats.get(change.table))
        for change in found.summary
        if change.schema_changed
        or change.table in stats
        or change.table not in disputed
    ]
    return sorted(
        (t for t in tables if t.rows or t.change.schema_changed),
        key=lambda table: table.name.lower(),
    )


def _place(text: str) -> Place | None:
    if not text:
        return None
    table, _, key = text.partition(":")
    return Place(table, unsign_key(table, key) if key else None)


def _place_text(place: Place | None) -> str | None:
    if place is None:
        return None
    key = sign_key(place.table, place.since) if place.since is not None else ""
    return f"{place.table}:{key}"


_RULES = {
    "foreign key": "points to a row that will not be there",
    "unique index": "has the same value as another row, where it must be unique",
    "check constraint": "breaks a check of its table",
    "not null": "lacks a value that must be there",
}


def broken_rules(
    repository: Repository, sides: MergeSides, violations: Sequence[Violation]
) -> list[BrokenRule]:
    """Rows that break a constraint of their table, by name and in words."""
    broken = []
    snapshot = Snapshot(repository, sides.theirs)
    for violation in violations:
        names = values.TableValues(violation.table, repository.connection)
        columns = ", ".join(names.column_name(c) for c in violation.columns)
        reason = _RULES[violation.kind]
        labels = snapshot.labels(violation.table, {violation.key: violation.row})
        broken.append(
            BrokenRule(
                values.table_name(violation.table),
                labels[violation.key],
                f"{columns}: {reason}" if columns else reason,
            )
        )
    return broken


def invalid_rules(rows: Sequence[InvalidRow]) -> list[BrokenRule]:
    """Rows that their model refuses, in words."""
    return [
        BrokenRule(
            values.table_name(row.table),
            f"{values.table_name(row.table)} {spoken_key(row.key)}",
            BREAKS_HIDDEN
            if hidden_columns(row.table) & set(row.columns)
            else " ".join(row.reasons),
        )
        for row in rows
    ]

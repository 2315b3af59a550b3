"""The screen of a merge, gathered: as much of it as a page, or a part, shows."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from urllib.parse import quote, unquote

from versioning import values
from versioning.backends.errors import UncommittedRows
from versioning.backends.repository import Commit, ConflictRow, MergeSides, Repository
from versioning.conf import repository as versioned_repository
from versioning.cursors import sign_key, unsign_key
from versioning.merging import drafts, endings, preview, records, sources, trial
from versioning.merging.alignment import alignment
from versioning.merging.definitions import blocks
from versioning.merging.drafts import Counts, JudgedRow
from versioning.merging.memory import remember
from versioning.merging.merged import foresee_few, merged_tables, with_few
from versioning.merging.preview import Place, Preview
from versioning.merging.screen import ALL, Progress, Screen, Unneeded
from versioning.merging.sources import Impossible
from versioning.merging.trial import Trial, without_tables
from versioning.merging.undone import merging, undoing_merge
from versioning.merging.withheld import withheld
from versioning.models import MergeDraft
from versioning.presentation.conflicts import Card, Names, cards, sum_lines
from versioning.presentation.earlier import with_earlier
from versioning.presentation.mends import MendCard, MendCards

COMMITS_SHOWN = 10

Gather = Callable[[Screen, MergeSides, Preview, Counts], Screen]


def open_screen(
    source: str,
    target: str,
    place: str = "",
    *,
    part: slice = ALL,
    can_follow: bool = False,
) -> Screen:
    """
    The merge of branch ``source`` into branch ``target``, judged as of now.

    ``place`` is the ``next`` of the page before, ``part`` which of the page's
    cards are wanted. Where all of it ``can_follow``, a merge that takes long is
    not begun yet. Raises ``BranchNotFound``, ``EngineBusy``, ``BadCursor``.
    """
    gather = partial(_whole, place=place, part=part)
    return _open(source, target, gather, tries=True, can_follow=can_follow)


def open_cards(
    source: str, target: str, place: str, *, part: slice, faults: int
) -> Screen:
    """
    The same with nothing but cards; ``faults`` is how many the page says that
    they belong to.
    """

    def gather(
        begun: Screen, sides: MergeSides, found: Preview, made: Counts
    ) -> Screen:
        return replace(_with_cards(begun, sides, found, place, part), faults=faults)

    return _open(source, target, gather, tries=False)


def open_answer(
    source: str,
    target: str,
    sides: MergeSides,
    draft: MergeDraft | None,
    row: ConflictRow,
) -> tuple[Card, Screen]:
    """The card of one row in conflict, and the screen that its bar is of."""
    found = preview.preview(target, sides)
    made = drafts.counts(draft)
    begun = Screen(source, target, sides, found, draft=draft)
    tried = _tried_out(begun, sides, found, made)
    judged = drafts.judge(draft, [row])
    (card,) = _judged_cards(versioned_repository(), sides, _names(begun), judged)
    return card, _with_trial(begun, found, made, tried)


def current_sides(
    repository: Repository, source: str, target: str
) -> MergeSides | None:
    """The three hashes as of now; None if there is nothing to bring in any more."""
    try:
        return sources.sides(repository, sources.parse(source), target)
    except Impossible:
        return None


def _open(
    source: str,
    target: str,
    gather: Gather,
    *,
    tries: bool,
    can_follow: bool = False,
) -> Screen:
    """
    What ``gather()`` makes of the merge, or why it can't be looked at;
    ``tries`` if that asks what the result would break. ``can_follow`` as for
    ``open_screen()``.
    """
    repository = versioned_repository()
    given = sources.parse(source)
    commit = None if given.is_merge else repository.commit(given.name)
    ours = sources.head(repository, target)
    draft, made = drafts.open_and_counted(source, target)
    if draft is not None and endings.found_landed(draft, {target: ours}):
        draft, made = None, Counts()
    begun = Screen(source, target, commit=commit, draft=draft)
    try:
        sides = sources.sides(repository, given, target, ours)
    except Impossible as error:
        return replace(begun, impossible=str(error))
    if sides is None:
        return begun
    begun = replace(begun, sides=sides)
    if can_follow and preview.takes_long(repository, sides):
        count = repository.count_between(sides.ours, sides.theirs)
        return replace(begun, is_awaited=True, commit_count=count)

    def while_at_it(merge: Repository, found: Preview) -> None:
        """What is asked next needs no second merge."""
        nonlocal made
        if draft is not None and drafts.refresh_within(merge, found, draft):
            made = drafts.counts(draft)
        if tries:
            foresee_few(merge, found)
        if tries and trial.can_be_tried(found, made):
            trial.foresee(merge, found, draft, made)

    try:
        found = preview.preview(target, sides, then=while_at_it)
        if draft is not None and drafts.refresh(draft, sides):
            made = drafts.counts(draft)
        return gather(replace(begun, found=found), sides, found, made)
    except UncommittedRows as error:
        names = tuple(values.table_name(name) for name in error.tables)
        return replace(begun, uncommitted=names)


def _whole(
    begun: Screen,
    sides: MergeSides,
    found: Preview,
    made: Counts,
    *,
    place: str,
    part: slice,
) -> Screen:
    repository = versioned_repository()
    draft, commit, given = begun.draft, begun.commit, begun.given
    tried = _tried_out(begun, sides, found, made)
    shown = _with_cards(begun, sides, found, place, part)
    tables = merged_tables(found, tried.outcome)
    if found.can_land and tried.outcome is None:
        tables = [*with_few(tables, begun.target, sides)]
    settled_by_hand = [
        *(table.table for table in found.conflicts),
        *(row.versions.table for row in tried.rows),
    ]
    unseen = withheld(sides, settled_by_hand)
    mend_cards = MendCards(repository, sides, _names(begun))
    return replace(
        _with_trial(shown, found, made, tried),
        unneeded=_unneeded(draft, made, tried),
        commits=(commit,) if commit else _commits(repository, sides),
        commit_count=1
        if commit
        else repository.count_between(sides.ours, sides.theirs),
        tables=tuple(t for t in tables if not values.is_bookkeeping(t.table)),
        bookkeeping=tuple(t for t in tables if values.is_bookkeeping(t.table)),
        sums=tuple(sum_lines(repository, sides, found.sums)),
        withheld=tuple(sorted(values.table_name(table) for table in unseen)),
        mends=_mends(mend_cards, draft, without_tables(tried, unseen)),
        old_faults=tuple(mend_cards.old(tried.old)),
        blocks=blocks(repository, found, _names(begun)),
        alignment=alignment(given, begun.target, sides),
        undo=undoing_merge(begun.source, begun.target) if found.up_to_date else None,
        merged=merging(begun.source, begun.target, sides.theirs)
        if found.up_to_date
        else None,
    )


def _names(begun: Screen) -> Names:
    return Names(begun.target, begun.theirs)


def _commits(repository: Repository, sides: MergeSides) -> tuple[Commit, ...]:
    def ask() -> tuple[Commit, ...]:
        # The same commits where nothing else is in common, and read already.
        bases = repository.merge_bases(sides.ours, sides.theirs)
        start = sides.base if bases == [sides.base] else sides.ours
        between = repository.commits_between(start, sides.theirs, limit=COMMITS_SHOWN)
        return tuple(between)

    return remember(("commits", sides.ours, sides.theirs), ask)


# Cards ------------------------------------------------------------------------


def _with_cards(
    begun: Screen, sides: MergeSides, found: Preview, place: str, part: slice
) -> Screen:
    unseen = withheld(sides, [table.table for table in found.conflicts])
    page = preview.conflict_page(begun.target, found, _place(place), without=unseen)
    rows = page.rows[part]
    start, stop, _ = part.indices(len(page.rows))
    judged = drafts.judge(begun.draft, rows)
    shown = _judged_cards(versioned_repository(), sides, _names(begun), judged)
    return replace(
        begun,
        cards=tuple(shown),
        next=_place_text(page.next),
        to_come=len(page.rows) - stop,
        goes_on=start > 0
        and rows[:1] != ()
        and page.rows[start - 1].table == rows[0].table,
    )


def _judged_cards(
    repository: Repository, sides: MergeSides, names: Names, judged: Sequence[JudgedRow]
) -> list[Card]:
    """Rows in conflict as cards, with what is to be looked at again."""
    shown = cards(repository, sides, names, judged)
    return with_earlier(repository, sides, names, judged, shown)


def _place(text: str) -> Place | None:
    if not text:
        return None
    quoted, _, key = text.partition(":")
    table = unquote(quoted)
    return Place(table, unsign_key(table, key) if key else None)


def _place_text(place: Place | None) -> str | None:
    if place is None:
        return None
    key = sign_key(place.table, place.since) if place.since is not None else ""
    return f"{quote(place.table, safe='')}:{key}"  # a name may hold a colon


# What the result would break --------------------------------------------------


def _tried_out(begun: Screen, sides: MergeSides, found: Preview, made: Counts) -> Trial:
    if trial.can_be_tried(found, made):
        return trial.try_out(begun.target, sides, begun.draft, made)
    return Trial(complete=not found.can_land)


def _with_trial(begun: Screen, found: Preview, made: Counts, tried: Trial) -> Screen:
    progress = Progress(
        settled=made.settled,
        required=found.required,
        outdated=made.outdated - len(tried.unneeded),
    )
    faults = len(tried.faults) + tried.unshown
    revision = begun.draft.revision if begun.draft else 0
    return replace(
        begun, progress=progress, trial=tried, faults=faults, revision=revision
    )


def _unneeded(draft: MergeDraft | None, made: Counts, tried: Trial) -> Unneeded:
    """What was decided about what is not asked, or not broken, any more."""
    if draft is None:
        return Unneeded()
    found = [*tried.unneeded]
    if made.unneeded:
        found = [*drafts.unneeded(draft, limit=records.PAGE + 1), *found]
    shown = found[: records.PAGE]
    return Unneeded(records.decided(draft, shown), len(found) > len(shown))


def _mends(
    cards_of: MendCards, draft: MergeDraft | None, tried: Trial
) -> tuple[MendCard, ...]:
    about = drafts.made_about_rows(draft, [row.versions for row in tried.rows])
    return tuple(cards_of.cards(tried, about))

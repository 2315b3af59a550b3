"""A draft that is set aside, that landed or that is landing takes no decision."""

from contextlib import contextmanager

import pytest

import versioning
from polls.models import Choice, Question
from tests.contract.test_landing import (
    CHOICES,
    ERIN,
    change,
    decide,
    hidden,
    sides,
    sky,
)
from tests.contract.work import commit_nothing
from versioning.backends.errors import BranchMoved
from versioning.merging import bulk, deciding, drafts, endings, mending, preview
from versioning.merging.hiding import lock_key
from versioning.merging.landing import land
from versioning.merging.locking import DraftClosed
from versioning.merging.resolution import Choice as Decided
from versioning.merging.resolution import Take
from versioning.models import MergeDraft

pytestmark = pytest.mark.usefixtures("clash")


@pytest.fixture
def clash(poll, summer):
    """The sky has another text on each branch; its key."""
    choice = sky(poll)
    change("main", Choice, choice.pk, text="Heaven")
    change("summer", Choice, choice.pk, text="Skies")
    return (choice.pk,)


@pytest.fixture
def draft(repository, max_, clash):
    """All of it decided for main, by max."""
    return decide(repository, max_, {(CHOICES, clash): {"text": Take.OURS}})


@pytest.fixture
def at_the_lock(repository, monkeypatch):
    """
    ``at_the_lock(work, number=1)``: run it once, as if by somebody who is faster,
    when a draft's lock is asked for the ``number``-th time.
    """
    found = type(repository)
    real = found.write_lock

    def arrange(work, number=1):
        left = [number]

        @contextmanager
        def slower(self, name, **options):
            if name.startswith("draft "):
                left[0] -= 1
                if left[0] == 0:
                    work()
            with real(self, name, **options):
                yield

        monkeypatch.setattr(found, "write_lock", slower)

    return arrange


def row(repository, key):
    (found,) = preview.conflicts_of("main", sides(repository), CHOICES, [key])
    return found


def set_aside(draft, user):
    one = MergeDraft.objects.get(pk=draft.pk)
    endings.abandon(one, user, seen=one.revision)


def press_merge(repository, draft, user):
    one = MergeDraft.objects.get(pk=draft.pk)
    return land("summer", "main", sides(repository), one, user)


def takes(draft):
    made = draft.decisions.order_by("pk")
    return [(decision.column, decision.take, decision.outdated) for decision in made]


AS_DECIDED = [("text", "ours", False)]


# Who is too late ------------------------------------------------------------


def decides(repository, draft, key, user):
    deciding.decide(draft, row(repository, key), {"text": Decided(Take.THEIRS)}, user)


def takes_back(repository, draft, key, user):
    deciding.decide(draft, row(repository, key), {"text": None}, user)


def mends(repository, draft, key, user):
    at = sides(repository)
    found = mending.row_of(at, CHOICES, key)
    assert found is not None
    mending.mend(draft, at, found, {"votes": Decided(Take.VALUE, 7)}, user)


def takes_mends_back(repository, draft, key, user):
    found = mending.row_of(sides(repository), CHOICES, key)
    assert found is not None
    deciding.take_back_mends(draft, found, user)


def decides_the_rest(repository, draft, key, user):
    rows = row(repository, key)
    draft.decisions.all().delete()
    bulk.decide_pending(draft, [[rows]], Take.THEIRS, user)


@pytest.mark.parametrize(
    "late", [decides, takes_back, mends, takes_mends_back, decides_the_rest]
)
def test_once_it_is_set_aside_nothing_is_decided(
    repository,
    draft,
    clash,
    max_,
    at_the_lock,
    late,
):
    at_the_lock(lambda: set_aside(draft, max_))
    with pytest.raises(DraftClosed) as caught:
        late(repository, draft, clash, max_)
    assert caught.value.draft.state == "abandoned"
    assert caught.value.draft.abandoned_by_name == "max"
    assert takes(draft) == ([] if late is decides_the_rest else AS_DECIDED)


@pytest.mark.parametrize("late", [decides, takes_back, mends, takes_mends_back])
def test_once_it_has_landed_nothing_is_decided(
    repository,
    draft,
    clash,
    max_,
    at_the_lock,
    late,
):
    at_the_lock(lambda: press_merge(repository, draft, max_))
    with pytest.raises(DraftClosed) as caught:
        late(repository, draft, clash, max_)
    assert (caught.value.draft.state, caught.value.draft.landed_by_name) == (
        "landed",
        "max",
    )
    assert takes(draft) == AS_DECIDED
    assert Choice.objects.get(pk=clash[0]).text == "Heaven"


def test_all_that_is_left_stops_where_it_was_closed(
    repository,
    poll,
    clash,
    max_,
    at_the_lock,
):
    """What the first page decided was decided before, and stays in the record."""
    change("main", Question, poll.pk, text="What is there?")
    change("summer", Question, poll.pk, text="What is up there?")
    at = sides(repository)
    draft = drafts.begin("summer", "main", at, max_)
    pages = list(preview.each_conflict_page("main", at, [CHOICES, "polls_question"]))
    at_the_lock(lambda: set_aside(draft, max_), number=2)
    with pytest.raises(DraftClosed):
        bulk.decide_pending(draft, pages, Take.THEIRS, max_)
    assert [decision.table for decision in draft.decisions.all()] == [CHOICES]


def test_what_a_closed_draft_decided_is_not_judged_anew(
    repository,
    draft,
    clash,
    max_,
    at_the_lock,
):
    before = drafts.sides_of(draft)
    change("summer", Choice, clash[0], text="Stars")
    at_the_lock(lambda: set_aside(draft, max_))
    drafts.refresh(draft, sides(repository))
    assert takes(draft) == AS_DECIDED
    draft.refresh_from_db()
    assert drafts.sides_of(draft) == before


# While it lands -------------------------------------------------------------


def test_a_decision_after_the_decisions_were_read_stops_the_landing(
    repository,
    draft,
    clash,
    max_,
    at_the_lock,
):
    head = repository.head("main")
    at_the_lock(lambda: decides(repository, draft, clash, max_))
    with pytest.raises(endings.DraftChanged):
        press_merge(repository, draft, max_)
    assert (repository.head("main"), hidden(repository)) == (head, [])
    assert takes(draft) == [("text", "theirs", False)]
    draft.refresh_from_db()
    assert (draft.state, draft.commit) == ("open", "")
    commit = press_merge(repository, draft, max_)
    assert repository.head("main") == commit
    assert Choice.objects.get(pk=clash[0]).text == "Skies"


def test_one_that_is_set_aside_while_it_is_built_does_not_land(
    repository,
    draft,
    max_,
    at_the_lock,
):
    head = repository.head("main")
    at_the_lock(lambda: set_aside(draft, max_))
    with pytest.raises(DraftClosed):
        press_merge(repository, draft, max_)
    assert (repository.head("main"), hidden(repository)) == (head, [])
    draft.refresh_from_db()
    assert (draft.state, draft.commit) == ("abandoned", "")


@pytest.fixture
def at_the_move(repository, monkeypatch):
    """``at_the_move(work)``: run it when the target is just about to move."""
    found = type(repository)
    real = found.fast_forward

    def arrange(work):
        def slower(self, *args, **options):
            work()
            return real(self, *args, **options)

        monkeypatch.setattr(found, "fast_forward", slower)

    return arrange


@pytest.mark.parametrize("late", [decides, takes_back, mends, takes_mends_back])
def test_while_the_target_moves_nothing_is_decided(
    repository,
    draft,
    clash,
    max_,
    at_the_move,
    late,
):
    other = MergeDraft.objects.get(pk=draft.pk)
    rows = row(repository, clash)  # remembered: nothing is merged to look at it
    refused = []

    def try_it():
        assert rows.key == clash
        with pytest.raises(DraftClosed) as caught:
            late(repository, other, clash, max_)
        refused.append(caught.value.draft.is_landing)
        with pytest.raises(DraftClosed):
            set_aside(draft, max_)

    at_the_move(try_it)
    commit = press_merge(repository, draft, max_)
    assert refused == [True]
    draft.refresh_from_db()
    assert (draft.state, draft.commit, draft.landed_by) == ("landed", commit, max_)
    assert takes(draft) == AS_DECIDED


def test_what_did_not_land_after_all_can_be_decided_on(
    repository,
    draft,
    clash,
    max_,
    at_the_move,
):
    def vote():
        with versioning.on_branch("main", author=ERIN, message="Vote"):
            Choice.objects.filter(text="The clouds").update(votes=1)

    at_the_move(vote)
    with pytest.raises(BranchMoved):
        press_merge(repository, draft, max_)
    draft.refresh_from_db()
    assert draft.is_landing
    assert not endings.found_landed(draft)
    draft.refresh_from_db()
    assert (draft.state, draft.commit) == ("open", "")
    decides(repository, draft, clash, max_)
    assert takes(draft) == [("text", "theirs", False)]


def test_a_landing_that_is_under_way_elsewhere_is_left_alone(
    repository,
    other_connection,
    draft,
    clash,
    max_,
):
    MergeDraft.objects.update(commit=sides(repository).theirs)
    draft.refresh_from_db()
    with other_connection.repository.landing_lock(lock_key("main")):
        assert not endings.found_landed(draft)
        draft.refresh_from_db()
        assert draft.is_landing
        with pytest.raises(DraftClosed):
            decides(repository, draft, clash, max_)
    assert not endings.found_landed(draft)
    decides(repository, draft, clash, max_)


def test_a_landing_that_died_before_the_move_does_not_keep_the_next_from_it(
    repository,
    draft,
    max_,
):
    MergeDraft.objects.update(commit=sides(repository).theirs)
    commit = press_merge(repository, draft, max_)
    draft.refresh_from_db()
    assert (draft.state, draft.commit) == ("landed", commit)


def test_one_that_died_after_the_move_is_found_however_long_ago(
    repository, connection, draft, max_
):
    commit = press_merge(repository, draft, max_)
    open_again = {"state": MergeDraft.State.OPEN, "commit": "", "landed_at": None}
    MergeDraft.objects.update(**open_again)
    commit_nothing(connection, "main", 600)
    draft.refresh_from_db()
    assert endings.found_landed(draft)
    draft.refresh_from_db()
    assert (draft.state, draft.commit) == ("landed", commit)


def test_the_merge_is_begun_before_the_draft_is_locked(
    repository,
    connection,
    poll,
    draft,
    clash,
    at_the_lock,
):
    """
    As when all that is left is decided: else the embedded engine would let one
    wait for the other, each with the lock that the other wants.
    """
    change("summer", Choice, clash[0], text="Stars")
    at = sides(repository)
    preview.preview("main", at)  # by another page, which knows no draft
    within = []
    at_the_lock(lambda: within.append(connection.in_atomic_block))
    drafts.refresh(draft, at)
    assert within == [True]
    assert takes(draft) == [("text", "ours", True)]

"""
What was undone or taken over already: it counts once, also where others took it
over, undid it, or took that back; and where nobody can tell, it asks.
"""

import pytest
from django.db.models import F

import versioning
from polls.models import Choice
from tests.contract.test_undoing import Bringing, commit
from versioning.backends.errors import ConflictsRemain
from versioning.merging import preview, sources
from versioning.merging.resolution import Take
from versioning.merging.sources import Impossible, pick, revert

pytestmark = pytest.mark.usefixtures("summer")


@pytest.fixture
def votes(connection):
    """``votes(branch)``: of the choice that all is about, which begins with 5."""

    def ask(branch: str = "main") -> int:
        with connection.bound(branch):
            return Choice.objects.get(text="The sky").votes

    return ask


@pytest.fixture
def bring(repository, max_):
    def land(source: sources.Source | str, target: str = "main") -> str:
        given = sources.parse(source) if isinstance(source, str) else source
        return Bringing(repository, max_, given, target).land()

    return land


def vote(branch: str = "main") -> str:
    choices = Choice.objects.filter(text="The sky")
    return commit(branch, lambda: choices.update(votes=F("votes") + 1), "Vote")


def go_on(branch: str) -> str:
    """Something else, so that a merge is no mere moving forward."""
    return commit(
        branch,
        lambda: Choice.objects.create(
            question_id=Choice.objects.get(text="The sky").question_id, text=branch
        ),
        "Go on",
    )


# The same once more -----------------------------------------------------------


def test_a_vote_is_undone_once(bring, votes):
    one = vote()
    undone = bring(revert(one))
    with pytest.raises(Impossible, match=f"undone on main already, by .* {undone[:7]}"):
        bring(revert(one))
    assert votes() == 5


def test_an_undo_is_undone_once_and_what_it_undid_can_be_undone_again(bring, votes):
    one = vote()
    undone = bring(revert(one))
    bring(revert(undone))
    assert votes() == 6
    with pytest.raises(Impossible, match="undone on main already"):
        bring(revert(undone))
    bring(revert(one))
    assert votes() == 5


def test_a_vote_is_taken_over_once(bring, votes):
    one = vote("summer")
    taken = bring(pick(one))
    with pytest.raises(Impossible, match=f"is on main already, by .* {taken[:7]}"):
        bring(pick(one))
    assert votes() == 6


def test_what_was_taken_over_and_undone_can_be_taken_over_again(bring, votes):
    one = vote("summer")
    bring(revert(bring(pick(one))))
    assert votes() == 5
    bring(pick(one))
    assert votes() == 6


def test_a_row_that_was_taken_over_and_deleted_can_be_taken_over_again(bring):
    one = go_on("summer")
    bring(pick(one))
    commit("main", lambda: Choice.objects.filter(text="summer").delete(), "Delete")
    bring(pick(one))
    assert Choice.objects.filter(text="summer").count() == 1


def test_what_was_taken_over_from_here_is_not_taken_back_over(repository, bring, votes):
    one = vote("summer")
    repository.create_branch("autumn", repository.head("main"))
    taken = bring(pick(one), "autumn")
    with pytest.raises(Impossible, match="is on summer already"):
        bring(pick(taken), "summer")
    assert votes("summer") == 6


def test_a_merge_is_undone_once(bring, votes):
    vote("summer")
    merged = bring("summer")
    bring(revert(merged))
    with pytest.raises(Impossible, match="undone on main already"):
        bring(revert(merged))
    assert votes() == 5


# Parts of it --------------------------------------------------------------------


def test_a_vote_that_was_undone_by_itself_asks_where_its_merge_is_undone(bring, votes):
    one = vote("summer")
    go_on("main")
    merged = bring("summer")
    bring(revert(one))
    assert votes() == 5
    with pytest.raises(ConflictsRemain):
        bring(revert(merged))
    assert votes() == 5


def test_a_vote_whose_merge_was_undone_asks_where_it_is_undone(bring, votes):
    one = vote("summer")
    go_on("main")
    bring(revert(bring("summer")))
    with pytest.raises(ConflictsRemain):
        bring(revert(one))
    assert votes() == 5


@pytest.fixture
def on_both(repository, bring):
    """The merge (a hash) into summer of a vote that was merged into main as well."""
    repository.create_branch("third", repository.head("main"))
    vote("third")
    for branch in ("main", "summer"):
        go_on(branch)
        merged = bring("third", branch)
    return merged


def test_a_merge_of_what_is_here_asks_where_it_is_taken_over(on_both, bring, votes):
    assert (votes(), votes("summer")) == (6, 6)
    with pytest.raises(ConflictsRemain):
        bring(pick(on_both))
    assert votes() == 6


def test_it_asks_also_where_the_count_is_by_chance_what_it_was(on_both, bring, votes):
    choices = Choice.objects.filter(text="The sky")
    commit("main", lambda: choices.update(votes=F("votes") - 1), "Take one back")
    with pytest.raises(ConflictsRemain):
        bring(pick(on_both))
    assert votes() == 5


# Merged afterwards ----------------------------------------------------------------


def test_a_vote_in_a_merge_that_was_taken_over_asks(repository, bring, votes):
    repository.create_branch("third", repository.head("main"))
    vote("third")
    bring(pick(bring("third", "summer")))
    assert votes() == 6
    with pytest.raises(ConflictsRemain):
        bring("third")
    assert votes() == 6


def test_a_vote_that_both_undid_by_merges_of_their_own_asks(repository, bring, votes):
    repository.create_branch("autumn", repository.head("main"))
    vote("summer")
    for branch in ("main", "autumn"):
        go_on(branch)
        bring(revert(bring("summer", branch)), branch)
        assert votes(branch) == 5
    with pytest.raises(ConflictsRemain):
        bring("autumn")
    assert votes() == 5


def test_a_vote_undone_here_by_its_merge_and_there_by_itself_asks(bring, votes):
    one = vote("summer")
    go_on("main")
    bring(revert(bring("summer")))
    bring(revert(one), "summer")
    assert (votes(), votes("summer")) == (5, 5)
    with pytest.raises(ConflictsRemain):
        bring("summer")
    assert votes() == 5


def test_of_a_great_many_that_were_taken_over_all_that_both_changed_asks(
    repository, bring, votes, monkeypatch
):
    monkeypatch.setattr("versioning.merging.picks.ONE_BY_ONE", 1)
    repository.create_branch("third", repository.head("main"))
    vote("third")
    vote("third")
    bring(pick(bring("third", "summer")))
    assert votes() == 7
    with pytest.raises(ConflictsRemain):
        bring("third")
    assert votes() == 7


def test_it_asks_where_the_count_here_is_by_chance_what_it_was(bring, votes):
    one = vote("summer")
    bring(pick(one))
    choices = Choice.objects.filter(text="The sky")
    commit("main", lambda: choices.update(votes=F("votes") - 1), "Take one back")
    with pytest.raises(ConflictsRemain):
        bring("summer")
    assert votes() == 5


# Where nobody can know ------------------------------------------------------------


def test_what_was_undone_on_both_branches_asks_where_an_undo_is_undone(
    repository, bring, votes, max_
):
    one = vote()
    repository.create_branch("autumn", repository.head("main"))
    undone = bring(revert(one))
    bring(revert(one), "autumn")
    go_on("autumn")
    merge = Bringing(repository, max_, sources.parse("autumn"), "main")
    ((key, _),) = [
        (row.key, row)
        for row in preview.conflicts_of(
            "main", merge.sides, "polls_choice", [(Choice.objects.get(votes=5).pk,)]
        )
    ]
    merge.decide("polls_choice", key, votes=Take.OURS)
    merge.land()
    assert votes() == 5
    with pytest.raises(ConflictsRemain):
        bring(revert(undone))
    assert votes() == 5


def test_what_came_from_a_commit_that_is_gone_can_be_undone_once(bring, votes):
    choices = Choice.objects.filter(text="The sky")
    with versioning.on_branch("main", message="Vote") as unit:
        versioning.describe("Vote")
        unit.trailers["Picked-From"] = "a" * len(unit.head_before)
        choices.update(votes=F("votes") + 1)
    assert unit.commit
    bring(revert(unit.commit))
    assert votes() == 5
    with pytest.raises(Impossible, match="undone on main already"):
        bring(revert(unit.commit))

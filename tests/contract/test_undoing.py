"""A commit undone, or taken over to another branch, by the road of a merge."""

import pytest
from django.db.models import F, Value
from django.db.models.functions import Concat

import versioning
from polls.models import Choice, Question
from tests.contract.work import commit_nothing
from versioning.backends.errors import BranchMoved, ConflictsRemain, MergeBlocked
from versioning.backends.repository import Author, MergeSides
from versioning.merging import (
    deciding,
    drafts,
    mending,
    merged,
    picks,
    preview,
    sources,
    trial,
)
from versioning.merging.candidate import NothingToMerge, ViolationsRemain
from versioning.merging.landing import land
from versioning.merging.resolution import WHOLE_ROW, Take
from versioning.merging.resolution import Choice as Decided
from versioning.merging.sources import Impossible

pytestmark = pytest.mark.usefixtures("summer")

ERIN = Author("Erin Editor", "erin@example.org")
LONG_AGO = 2100  # commits since
CHOICES = "polls_choice"
QUESTIONS = "polls_question"


def commit(branch, work, message="Change"):
    with versioning.on_branch(branch, author=ERIN, message=message) as unit:
        work()
    assert unit.commit
    return unit.commit


def change(branch, model, message="Change", /, *, pk, **values):
    found = model.objects.filter(pk=pk)
    return commit(branch, lambda: found.update(**values), message)


def sky():
    return Choice.objects.get(text="The sky")


class Bringing:
    """One source on its way into one branch, as somebody works on it."""

    def __init__(self, repository, user, source, target="main"):
        self.repository, self.user = repository, user
        self.source, self.target = source, target
        sides = sources.sides(repository, source, target)
        assert sides is not None
        self.sides = sides
        self.draft = drafts.begin(str(source), target, self.sides, user)

    @property
    def found(self):
        return preview.preview(self.target, self.sides)

    def decide(self, table, key, **choices):
        (row,) = preview.conflicts_of(self.target, self.sides, table, [key])
        made = {
            WHOLE_ROW if column == "whole" else column: Decided(take)
            for column, take in choices.items()
        }
        deciding.decide(self.draft, row, made, self.user)

    def faults(self):
        found = trial.try_out(self.target, self.sides, self.draft)
        assert found.is_fine is not bool(found.faults)
        return {(t.versions.table, t.versions.key): t for t in found.faults}

    def mend(self, table, key, **choices):
        row = mending.row_of(self.sides, table, key)
        assert row is not None
        made = {
            WHOLE_ROW if column == "whole" else column: Decided(choice)
            if isinstance(choice, Take)
            else Decided(Take.VALUE, choice)
            for column, choice in choices.items()
        }
        mending.mend(self.draft, self.sides, row, made, self.user)

    def land(self):
        return land(str(self.source), self.target, self.sides, self.draft, self.user)


@pytest.fixture
def undo(repository, max_):
    return lambda hash, target="main": Bringing(
        repository, max_, sources.revert(hash), target
    )


@pytest.fixture
def take(repository, max_):
    return lambda hash, target="main": Bringing(
        repository, max_, sources.pick(hash), target
    )


# Undo ---------------------------------------------------------------------------


def test_an_undone_commit_is_one_commit_with_one_parent(repository, poll, undo):
    hash = change("main", Question, "Reword", pk=poll.pk, text="What is up there?")
    later = change("main", Question, pk=poll.pk, details="Look around.")
    work = undo(hash)
    assert (work.found.is_clean, work.found.up_to_date) == (True, False)
    assert [(s.table, s.rows_changed) for s in work.found.stats] == [(QUESTIONS, 1)]
    ((row,), more) = merged.changes("main", work.sides, QUESTIONS)
    assert row.before and row.after
    assert (row.before["text"], row.after["text"], more) == (
        "What is up there?",
        "What’s up?",
        False,
    )
    assert repository.head("main") == later
    landed = repository.commit(work.land())
    assert repository.head("main") == landed.hash
    assert landed.parents == (later,)
    assert landed.message == (
        f"Revert “Reword”\n\nReverts: {hash}\nMerge-Record: {work.draft.pk}"
    )
    assert landed.author.name == "max"
    question = Question.objects.get()
    assert (question.text, question.details) == ("What’s up?", "Look around.")
    assert repository.uncommitted() is None


def test_rows_added_and_deleted_come_and_go_again(repository, poll, undo):
    pk = sky().pk

    def work():
        Choice.objects.filter(pk=pk).delete()
        Choice.objects.create(pk=7000, question=poll, text="The stars", votes=3)

    hash = commit("main", work)
    undo(hash).land()
    assert {(c.pk, c.text, c.votes) for c in Choice.objects.exclude(votes=0)} == {
        (pk, "The sky", 5)
    }


def test_votes_that_came_since_stay(repository, poll, undo):
    pk = sky().pk
    vote = change("main", Choice, "Vote", pk=pk, votes=F("votes") + 1)
    for _ in range(2):
        change("main", Choice, pk=pk, votes=F("votes") + 1)
    work = undo(vote)
    (line,) = work.found.sums
    assert (line.common, line.ours, line.theirs, line.sum) == (6, 8, 5, 7)
    work.land()
    assert sky().votes == 7


def test_what_changed_since_asks(repository, poll, undo):
    hash = change("main", Question, pk=poll.pk, text="First")
    change("main", Question, pk=poll.pk, text="Second")
    work = undo(hash)
    assert work.found.required == 1
    (row,) = preview.conflict_page("main", work.found, None).rows
    assert [v and v["text"] for v in (row.base, row.ours, row.theirs)] == [
        "First",
        "Second",
        "What’s up?",
    ]
    work.decide(QUESTIONS, (poll.pk,), text=Take.THEIRS)
    work.land()
    assert Question.objects.get().text == "What’s up?"


def test_a_row_that_was_added_and_changed_since_asks_as_a_whole(repository, poll, undo):
    hash = commit(
        "main",
        lambda: Choice.objects.create(pk=7000, question=poll, text="Stars"),
    )
    change("main", Choice, pk=7000, votes=F("votes") + 1)
    work = undo(hash)
    assert work.found.required == 1
    work.decide(CHOICES, (7000,), whole=Take.OURS)
    with pytest.raises(NothingToMerge):
        work.land()
    work.decide(CHOICES, (7000,), whole=Take.THEIRS)
    work.land()
    assert not Choice.objects.filter(pk=7000).exists()


def test_a_merge_is_undone_with_what_came_since_kept(repository, poll, undo, max_):
    pk = sky().pk
    change("summer", Choice, pk=pk, votes=F("votes") + 2)
    change("summer", Question, pk=poll.pk, text="Summer?")
    change("main", Choice, pk=pk, votes=F("votes") + 1)
    at = preview.sides_of(
        repository, repository.head("main"), repository.head("summer")
    )
    assert at is not None
    merge = land("summer", "main", at, None, max_)
    assert sky().votes == 8
    change("main", Choice, pk=pk, votes=F("votes") + 1)
    undone = undo(merge).land()
    assert (sky().votes, Question.objects.get().text) == (7, "What’s up?")
    assert repository.commit(undone).subject == (
        "Undo the merge “Merge summer into main”"
    )
    again = undo(undone)
    again.land()
    assert (sky().votes, Question.objects.get().text) == (9, "Summer?")


def test_what_is_undone_already_says_so(repository, poll, undo):
    hash = change("main", Question, pk=poll.pk, text="First")
    undo(hash).land()
    work = undo(hash)
    assert work.found.up_to_date
    with pytest.raises(NothingToMerge):
        work.land()


def test_what_can_not_be_undone(repository, poll, undo):
    elsewhere = change("summer", Question, pk=poll.pk, text="Summer?")
    with pytest.raises(Impossible, match="main lacks this commit"):
        undo(elsewhere)
    first = repository.log([repository.head("main")], limit=1000)[-1]
    with pytest.raises(Impossible, match="first commit"):
        undo(first.hash)


def test_a_row_that_others_point_to_is_not_taken_from_under_them(
    repository, poll, undo
):
    hash = commit("main", lambda: Question.objects.create(pk=7000, text="New"))
    commit("main", lambda: Choice.objects.create(pk=7001, question_id=7000, text="x"))
    work = undo(hash)
    faults = trial.try_out("main", work.sides, work.draft).faults
    assert {t.versions.key for t in faults} == {(7000,), (7001,)}
    with pytest.raises(ViolationsRemain):
        work.land()
    assert Choice.objects.get(pk=7001).question.text == "New"


@pytest.fixture
def taken(repository, poll, undo):
    """To undo “Heaven” would give the row a text that another row has by now."""
    pk = sky().pk
    hash = change("main", Choice, pk=pk, text="Heaven")
    commit("main", lambda: Choice.objects.create(question=poll, text="The sky"))
    return undo(hash), pk, sky().pk


def test_a_value_that_is_taken_by_now_is_named_with_who_has_it(taken):
    work, pk, holder = taken
    assert not work.found.up_to_date
    faults = work.faults()
    assert set(faults) == {(CHOICES, (pk,)), (CHOICES, (holder,))}
    assert faults[CHOICES, (pk,)].result["text"] == "The sky"
    assert faults[CHOICES, (holder,)].versions.base is None
    assert {v.columns for t in faults.values() for v in t.violations} == {
        ("question_id", "text")
    }
    with pytest.raises(ViolationsRemain):
        work.land()


@pytest.mark.parametrize(
    ("which", "choices", "texts"),
    [
        (0, {"text": "Skies"}, ["Skies", "The clouds", "The sky"]),
        (1, {"text": "Skies"}, ["The sky", "The clouds", "Skies"]),
        (1, {"whole": Take.DROP}, ["The sky", "The clouds"]),
        (0, {"whole": Take.DROP}, ["The clouds", "The sky"]),
    ],
)
def test_a_value_that_is_taken_is_mended(taken, which, choices, texts):
    work, *pks = taken
    work.mend(CHOICES, (pks[which],), **choices)
    assert work.faults() == {}
    work.land()
    assert [c.text for c in Choice.objects.order_by("pk")] == texts


def test_a_row_left_as_it_was_is_nothing_to_undo(taken):
    work, pk, _ = taken
    work.mend(CHOICES, (pk,), whole=Take.OURS)
    assert work.faults() == {}
    with pytest.raises(NothingToMerge):
        work.land()


def test_a_mend_that_takes_the_value_again_is_named(taken):
    work, pk, _ = taken
    work.mend(CHOICES, (pk,), text="The clouds")
    clouds = Choice.objects.get(text="The clouds").pk
    assert set(work.faults()) == {(CHOICES, (pk,)), (CHOICES, (clouds,))}


def test_what_is_taken_over_may_have_a_value_that_is_taken(repository, poll, take):
    hash = commit(
        "summer",
        lambda: Choice.objects.create(pk=7001, question=poll, text="Stars", votes=2),
    )
    commit("main", lambda: Choice.objects.create(pk=7002, question=poll, text="Stars"))
    work = take(hash)
    assert set(work.faults()) == {(CHOICES, (7001,)), (CHOICES, (7002,))}
    work.mend(CHOICES, (7001,), text="Planets")
    work.land()
    made = Choice.objects.get(pk=7001)
    assert (made.text, made.votes) == ("Planets", 2)


def test_swapped_values_are_swapped_back(repository, poll, undo):
    one, other = Choice.objects.order_by("pk")

    def swap():
        Choice.objects.filter(pk=one.pk).update(text="—")
        Choice.objects.filter(pk=other.pk).update(text=one.text)
        Choice.objects.filter(pk=one.pk).update(text=other.text)

    work = undo(commit("main", swap))
    assert work.found.is_clean
    work.land()
    assert [c.text for c in Choice.objects.order_by("pk")] == [one.text, other.text]
    assert [c.votes for c in Choice.objects.order_by("pk")] == [5, 0]


def test_a_parent_that_has_got_children_since_is_kept_or_they_go(
    repository, poll, undo
):
    hash = commit("main", lambda: Question.objects.create(pk=70, text="More?"))
    commit("main", lambda: Choice.objects.create(pk=71, question_id=70, text="Yes"))
    work = undo(hash)
    faults = work.faults()
    assert set(faults) == {(QUESTIONS, (70,)), (CHOICES, (71,))}
    assert faults[QUESTIONS, (70,)].result is None
    assert [v.columns for v in faults[CHOICES, (71,)].violations] == [("question_id",)]
    with pytest.raises(ViolationsRemain):
        work.land()
    work.mend(CHOICES, (71,), question_id=poll.pk)
    assert work.faults() == {}
    work.land()
    assert Choice.objects.get(pk=71).question == poll
    assert not Question.objects.filter(pk=70).exists()


def test_a_child_is_taken_over_without_its_parent(repository, poll, take):
    commit("summer", lambda: Question.objects.create(pk=70, text="More?"))
    hash = commit(
        "summer", lambda: Choice.objects.create(pk=71, question_id=70, text="Yes")
    )
    work = take(hash)
    assert (CHOICES, (71,)) in work.faults()
    work.mend(CHOICES, (71,), question_id=poll.pk)
    work.land()
    assert Choice.objects.get(pk=71).question == poll


def test_a_change_of_definitions_is_not_undone_by_choice(repository, poll, undo, write):
    hash = write("main", "ALTER TABLE polls_question ADD COLUMN mood varchar(20)")
    work = undo(hash)
    assert "definition of polls_question" in work.found.blocked
    with pytest.raises(MergeBlocked):
        work.land()


def test_a_target_that_moved_keeps_the_decisions(repository, poll, undo):
    hash = change("main", Question, pk=poll.pk, text="First")
    change("main", Question, pk=poll.pk, text="Second")
    work = undo(hash)
    work.decide(QUESTIONS, (poll.pk,), text=Take.THEIRS)
    change("main", Choice, pk=sky().pk, votes=F("votes") + 1)
    with pytest.raises(BranchMoved):
        work.land()
    again = undo(hash)
    assert again.draft == work.draft
    assert drafts.counts(again.draft).settled == 1
    again.land()
    assert Question.objects.get().text == "What’s up?"


# Take over ----------------------------------------------------------------------


def test_a_commit_is_taken_over_without_those_before_it(repository, poll, take):
    change("summer", Question, pk=poll.pk, text="Not this")
    hash = change("summer", Question, "Explain", pk=poll.pk, details="Look up.")
    head = change("main", Choice, pk=sky().pk, votes=F("votes") + 1)
    work = take(hash)
    landed = repository.commit(work.land())
    assert landed.parents == (head,)
    assert landed.message == (
        f"Explain\n\nPicked-From: {hash}\nMade-By: Erin Editor\n"
        f"Merge-Record: {work.draft.pk}"
    )
    assert landed.author.name == "max"
    question = Question.objects.get()
    assert (question.text, question.details) == ("What’s up?", "Look up.")


def test_who_made_it_is_told_however_often_it_was_taken_over(repository, poll, take):
    repository.create_branch("autumn", repository.head("main"))
    hash = change("summer", Question, "Explain", pk=poll.pk, details="Look up.")
    again = take(take(hash).land(), "autumn").land()
    assert "\nMade-By: Erin Editor\n" in repository.commit(again).message


def test_a_vote_is_taken_over_as_a_vote(repository, poll, take):
    pk = sky().pk
    vote = change("summer", Choice, pk=pk, votes=F("votes") + 1)
    change("main", Choice, pk=pk, votes=F("votes") + 3)
    take(vote).land()
    assert sky().votes == 9


def test_a_vote_that_both_sides_took_over_asks(repository, poll, take, max_):
    """5 → 6 on both by one commit: one vote or two, only a person can know."""
    pk = sky().pk
    vote = change("summer", Choice, "Vote", pk=pk, votes=F("votes") + 1)
    other = change("summer", Choice, pk=pk, text="Skies")
    take(vote).land()
    assert sky().votes == 6
    work = Bringing(repository, max_, sources.parse("summer"))
    assert (work.found.required, work.found.sum_count) == (1, 0)
    (row,) = preview.conflict_page("main", work.found, None).rows
    assert (row.key, row.doubtful) == ((pk,), frozenset({"votes"}))
    with pytest.raises(ConflictsRemain):
        work.land()
    work.decide(CHOICES, (pk,), votes=Take.OURS)
    work.land()
    (choice,) = Choice.objects.filter(pk=pk)
    assert (choice.text, choice.votes) == ("Skies", 6)
    assert repository.commit(repository.head("main")).parents[1] == other


def test_votes_of_their_own_beside_one_taken_over_ask_with_their_sum(
    repository, poll, take, max_
):
    pk = sky().pk
    vote = change("summer", Choice, "Vote", pk=pk, votes=F("votes") + 1)
    change("summer", Choice, pk=pk, votes=F("votes") + 2)
    take(vote).land()
    change("main", Choice, pk=pk, votes=F("votes") + 1)
    work = Bringing(repository, max_, sources.parse("summer"))
    (row,) = preview.conflict_page("main", work.found, None).rows
    assert (row.base and row.base["votes"], row.doubtful) == (5, frozenset({"votes"}))
    work.decide(CHOICES, (pk,), votes=Take.SUM)
    work.land()
    assert sky().votes == 5 + 3 + 2


def test_a_vote_taken_over_from_elsewhere_is_in_no_doubt(repository, poll, take, max_):
    pk = sky().pk
    repository.create_branch("autumn", repository.head("main"))
    vote = change("autumn", Choice, "Vote", pk=pk, votes=F("votes") + 1)
    take(vote).land()
    change("summer", Choice, pk=pk, votes=F("votes") + 1)
    work = Bringing(repository, max_, sources.parse("summer"))
    assert work.found.required == 0
    work.land()
    assert sky().votes == 7


def test_a_vote_taken_over_by_way_of_a_third_branch_asks_as_well(
    repository, poll, max_, take
):
    pk = sky().pk
    repository.create_branch("winter", repository.head("main"))
    vote = change("summer", Choice, "Vote", pk=pk, votes=F("votes") + 1)
    by_way = Bringing(repository, max_, sources.pick(vote), "winter").land()
    take(by_way).land()
    work = Bringing(repository, max_, sources.parse("summer"))
    assert (work.found.required, work.found.sum_count) == (1, 0)
    (row,) = preview.conflict_page("main", work.found, None).rows
    assert (row.key, row.doubtful) == ((pk,), frozenset({"votes"}))


@pytest.fixture
def vote(repository, poll):
    """One more vote on main, which the branches autumn and winter have as well."""
    hash = change("main", Choice, "Vote", pk=sky().pk, votes=F("votes") + 1)
    for branch in ("autumn", "winter"):
        repository.create_branch(branch, hash)
    return hash


def undone_on_main(undo, take, vote):
    undo(vote).land()


def undone_elsewhere_and_taken_over(undo, take, vote):
    take(undo(vote, "winter").land()).land()


@pytest.mark.parametrize("way", [undone_on_main, undone_elsewhere_and_taken_over])
def test_a_vote_that_both_sides_undid_asks(
    repository, poll, vote, undo, take, max_, way
):
    way(undo, take, vote)
    undo(vote, "autumn").land()
    assert sky().votes == 5
    work = Bringing(repository, max_, sources.parse("autumn"))
    assert (work.found.required, work.found.sum_count) == (1, 0)
    with pytest.raises(ConflictsRemain):
        work.land()
    work.decide(CHOICES, (sky().pk,), votes=Take.OURS)
    work.land()
    assert sky().votes == 5


def test_what_both_sides_hold_is_in_no_doubt(repository, vote, undo, take, max_):
    """One commit twice is one, also where an engine takes a base from before it."""
    base = repository.head("summer")
    take(vote, "summer").land()
    undo(vote, "autumn").land()
    for source in ("winter", "autumn"):
        work = Bringing(repository, max_, sources.parse(source), "summer")
        if work.found.required:
            work.decide(CHOICES, (sky().pk,), votes=Take.OURS)
        work.land()
    repository.create_branch("spring", repository.head("summer"))
    heads = [change(b, Choice, b, pk=sky().pk, text=b) for b in ("summer", "spring")]
    assert picks.doubts(repository, MergeSides(base, *heads)) == {}


def test_a_vote_that_one_side_undid_is_in_no_doubt(repository, poll, vote, undo, max_):
    undo(vote).land()
    change("autumn", Choice, "Vote", pk=sky().pk, votes=F("votes") + 2)
    heads = [repository.head(branch) for branch in ("main", "winter")]
    assert picks.doubts(repository, MergeSides(repository.head("summer"), *heads)) == {}
    work = Bringing(repository, max_, sources.parse("autumn"))
    assert work.found.required == 0
    work.land()
    assert sky().votes == 7


def test_a_vote_that_both_sides_took_over_asks_however_long_ago(
    connection, repository, poll, take, max_
):
    vote = change("summer", Choice, "Vote", pk=sky().pk, votes=6)
    repository.create_branch("autumn", repository.head("main"))
    for target in ("main", "autumn"):
        take(vote, target).land()
    commit_nothing(connection, "main", LONG_AGO)
    sides = preview.sides_of(
        repository, repository.head("main"), repository.head("autumn")
    )
    assert sides is not None
    (conflicts,) = preview.preview("main", sides).conflicts
    assert (conflicts.table, conflicts.decisions) == (CHOICES, 1)


def test_what_differs_asks_before_it_is_taken_over(repository, poll, take):
    hash = change("summer", Question, pk=poll.pk, text="Summer?")
    change("main", Question, pk=poll.pk, text="Main?")
    work = take(hash)
    assert work.found.required == 1
    work.decide(QUESTIONS, (poll.pk,), text=Take.THEIRS)
    work.land()
    assert Question.objects.get().text == "Summer?"


def test_what_is_held_already_is_not_taken_over(repository, poll, take):
    with pytest.raises(Impossible, match="main holds this commit already"):
        take(repository.head("main"))
    hash = change("summer", Question, "One", pk=poll.pk, text="Alike")
    change("main", Question, "Another", pk=poll.pk, text="Alike")
    work = take(hash)
    assert work.found.up_to_date
    with pytest.raises(NothingToMerge):
        work.land()


def test_nothing_is_taken_over_to_a_branch_that_nobody_wrote_to(repository, poll, take):
    hash = change("summer", Question, "One", pk=poll.pk, text="Alike")
    change("main", Question, "Another", pk=poll.pk, text="Alike")
    repository.create_branch("autumn", repository.head("main"))
    work = take(hash, "autumn")
    assert work.found.up_to_date
    with pytest.raises(NothingToMerge):
        work.land()


def test_many_rows_are_paged_in_order_without_a_gap(repository, poll, undo):
    # Not from a number of the test's own: Dolt goes on counting where the tests
    # before have left off, and the poll's choices may have any.
    first = poll.choices.latest("pk").pk + 1

    def add():
        Choice.objects.bulk_create(
            Choice(pk=first + n, question=poll, text=str(n)) for n in range(120)
        )

    commit("main", add)
    every = Choice.objects.filter(pk__gte=first)
    reworded = Concat("text", Value("?"))
    hash = commit("main", lambda: every.update(votes=1))
    texts = commit("main", lambda: every.update(text=reworded))
    commit("main", lambda: every.update(text=reworded))
    work = undo(texts)
    assert work.found.required == 120
    seen, place = [], None
    while True:
        page = preview.conflict_page("main", work.found, place)
        seen += [row.key[0] for row in page.rows]
        if page.next is None:
            break
        place = page.next
    assert seen == list(range(first, first + 120))
    assert undo(hash).found.is_clean

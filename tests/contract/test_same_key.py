"""Two rows that were added on both sides under one key."""

from dataclasses import dataclass
from typing import Any

import pytest
from django.db import models

import versioning
from polls.models import Choice, Question
from versioning.backends.repository import Author, MergeSides
from versioning.merging import deciding, drafts, mending, preview, trial
from versioning.merging.landing import land
from versioning.merging.resolution import WHOLE_ROW, Take
from versioning.merging.resolution import Choice as Decided
from versioning.models import MergeDraft

ERIN = Author("Erin Editor", "erin@example.org")
CHOICES, QUESTIONS = "polls_choice", "polls_question"
KEY = 7000


@pytest.fixture
def added(repository):
    """A question under one key on both sides, each with choices of its own."""
    with versioning.on_branch("main", author=ERIN, message="Ask"):
        Question.objects.create(pk=1, text="What’s up?")
    repository.create_branch("summer", repository.head("main"))
    for branch, first in (("main", 100), ("summer", 200)):
        with versioning.on_branch(branch, author=ERIN, message=f"Ask on {branch}"):
            Question.objects.create(pk=KEY, text=f"Asked on {branch}?", details=branch)
            for number in range(2):
                Choice.objects.create(
                    pk=first + number,
                    question_id=KEY,
                    text=f"{branch} {number}",
                    votes=first,
                )


@dataclass(frozen=True)
class Work:
    """The merge of summer into main, as somebody decides about it."""

    sides: MergeSides
    draft: MergeDraft
    user: Any

    def __call__(self, table, key, take=None, **cells):
        (row,) = preview.conflicts_of("main", self.sides, table, [(key,)])
        made = deciding.as_a_whole(row, take) if take else {}
        made |= {column: Decided(one) for column, one in cells.items()}
        deciding.decide(self.draft, row, made, self.user)

    def land(self):
        return land("summer", "main", self.sides, self.draft, self.user)


@pytest.fixture
def work(repository, added, max_):
    sides = preview.sides_of(
        repository, repository.head("main"), repository.head("summer")
    )
    assert sides is not None
    return Work(sides, drafts.begin("summer", "main", sides, max_), max_)


def questions():
    return {q.pk: q.text for q in Question.objects.exclude(pk=1)}


@pytest.mark.parametrize(
    ("take", "text"), [(Take.OURS, "Asked on main?"), (Take.THEIRS, "Asked on summer?")]
)
def test_one_of_them_is_taken(work, take, text):
    work(QUESTIONS, KEY, take)
    work.land()
    assert questions() == {KEY: text}
    assert Choice.objects.filter(question_id=KEY).count() == 4


def test_the_other_gets_no_key_that_was_another_row_s(repository, max_):
    """Not even one's that both sides deleted: it would be shown as that one."""
    with versioning.on_branch("main", author=ERIN, message="Ask"):
        Question.objects.create(pk=KEY + 5, text="Old news?")
    repository.create_branch("summer", repository.head("main"))
    for branch in ("main", "summer"):
        with versioning.on_branch(branch, author=ERIN, message="Ask"):
            Question.objects.all().delete()
            Question.objects.create(pk=KEY, text=f"Asked on {branch}?")
    heads = repository.head("main"), repository.head("summer")
    sides = preview.sides_of(repository, *heads)
    assert sides is not None
    work = Work(sides, drafts.begin("summer", "main", sides, max_), max_)
    work(QUESTIONS, KEY, Take.BOTH)
    work.land()
    assert questions() == {KEY: "Asked on main?", KEY + 6: "Asked on summer?"}


def test_the_other_gets_a_free_key_where_none_is_beyond(repository, max_, new_model):
    # Models of their own, as Dolt counts on from a key that was there once.
    asked = new_model(
        "Asked",
        id=models.BigIntegerField(primary_key=True),
        text=models.CharField(max_length=40),
    )
    answer = new_model(
        "Answer",
        id=models.BigIntegerField(primary_key=True),
        asked=models.ForeignKey(asked, models.CASCADE, db_constraint=False),
        text=models.CharField(max_length=40),
    )
    top = 2**63 - 1
    with versioning.on_branch("main", author=ERIN, message="Ask"):
        asked.objects.create(pk=top - 2, text="Old news?")
    repository.create_branch("summer", repository.head("main"))
    for branch in ("main", "summer"):
        with versioning.on_branch(branch, author=ERIN, message="Ask"):
            for pk, what in ((top, "Top"), (top - 1, "Second")):
                asked.objects.create(pk=pk, text=f"{what} of {branch}?")
            answer.objects.create(pk=top, asked_id=top, text=f"On {branch}")
    heads = repository.head("main"), repository.head("summer")
    sides = preview.sides_of(repository, *heads)
    assert sides is not None
    work = Work(sides, drafts.begin("summer", "main", sides, max_), max_)
    for pk in (top, top - 1):
        work("polls_asked", pk, Take.BOTH)
    work("polls_answer", top, Take.BOTH)
    assert trial.try_out("main", sides, work.draft).is_fine
    work.land()
    found = dict(asked.objects.values_list("pk", "text"))
    assert found.keys() == {top - below for below in range(5)}
    assert sorted(found.values()) == [
        "Old news?",
        "Second of main?",
        "Second of summer?",
        "Top of main?",
        "Top of summer?",
    ]
    pointing = answer.objects.values_list("pk", "text", "asked__text")
    assert set(pointing) == {
        (top, "On main", "Top of main?"),
        (top - 1, "On summer", "Top of summer?"),
    }


def test_a_row_that_both_deleted_is_not_mended(repository, max_, added):
    with versioning.on_branch("main", author=ERIN, message="Delete"):
        Question.objects.filter(pk=1).delete()
    with versioning.on_branch("summer", author=ERIN, message="Delete"):
        Question.objects.filter(pk=1).delete()
    heads = repository.head("main"), repository.head("summer")
    sides = preview.sides_of(repository, *heads)
    assert sides is not None
    draft = drafts.begin("summer", "main", sides, max_)
    row = mending.row_of(sides, QUESTIONS, (1,))
    assert row is not None
    with pytest.raises(ValueError, match="nothing to mend like this"):
        mending.mend(draft, sides, row, {WHOLE_ROW: Decided(Take.OURS)}, max_)


def test_their_cells_are_merged(work):
    work(QUESTIONS, KEY, text=Take.OURS, details=Take.THEIRS)
    # When each was published differs as well, by the clock.
    (row,) = preview.conflicts_of("main", work.sides, QUESTIONS, [(KEY,)])
    (judged,) = drafts.judge(work.draft, [row])
    for column in deciding.pending(judged.resolution):
        work(QUESTIONS, KEY, **{column: Take.OURS})
    work.land()
    question = Question.objects.get(pk=KEY)
    assert (question.text, question.details) == ("Asked on main?", "summer")


def test_both_are_kept_and_what_points_to_theirs_follows(work):
    work(QUESTIONS, KEY, Take.BOTH)
    assert drafts.counts(work.draft).settled == work.draft.required
    assert trial.try_out("main", work.sides, work.draft).is_fine
    work.land()
    assert questions() == {KEY: "Asked on main?", KEY + 1: "Asked on summer?"}
    for pk, branch, votes in ((KEY, "main", 100), (KEY + 1, "summer", 200)):
        choices = Choice.objects.filter(question_id=pk).order_by("pk")
        assert [(c.text, c.votes) for c in choices] == [
            (f"{branch} 0", votes),
            (f"{branch} 1", votes),
        ]


def test_copies_of_copies_point_to_one_another(repository, added, max_):
    """The choices have equal keys, too, and both of each are kept."""
    for branch in ("main", "summer"):
        with versioning.on_branch(branch, author=ERIN, message="Add"):
            Choice.objects.create(
                pk=KEY, question_id=KEY, text=f"Choice of {branch}", votes=1
            )
    sides = preview.sides_of(
        repository, repository.head("main"), repository.head("summer")
    )
    assert sides is not None
    draft = drafts.begin("summer", "main", sides, max_)
    for table in (QUESTIONS, CHOICES):
        (row,) = preview.conflicts_of("main", sides, table, [(KEY,)])
        deciding.decide(draft, row, deciding.as_a_whole(row, Take.BOTH), max_)
    land("summer", "main", sides, draft, max_)
    of_main = Choice.objects.get(text="Choice of main")
    of_summer = Choice.objects.get(text="Choice of summer")
    assert (of_main.pk, of_main.question.text) == (KEY, "Asked on main?")
    assert of_summer.pk != KEY
    assert of_summer.question.text == "Asked on summer?"
    assert (of_main.votes, of_summer.votes) == (1, 1)


def test_both_for_some_cells_alone_is_no_answer(work):
    work(QUESTIONS, KEY, Take.BOTH)
    work(QUESTIONS, KEY, text=Take.OURS)
    (row,) = preview.conflicts_of("main", work.sides, QUESTIONS, [(KEY,)])
    (judged,) = drafts.judge(work.draft, [row])
    assert judged.resolution.pending


def test_both_are_offered_only_where_both_were_added(work, repository, max_):
    with versioning.on_branch("main", author=ERIN, message="Reword"):
        Question.objects.filter(pk=1).update(text="a")
    with versioning.on_branch("summer", author=ERIN, message="Reword"):
        Question.objects.filter(pk=1).update(text="b")
    sides = preview.sides_of(
        repository, repository.head("main"), repository.head("summer")
    )
    assert sides is not None
    (row,) = preview.conflicts_of("main", sides, QUESTIONS, [(1,)])
    draft = drafts.begin("summer", "main", sides, max_)
    with pytest.raises(ValueError):
        deciding.decide(draft, row, deciding.as_a_whole(row, Take.BOTH), max_)

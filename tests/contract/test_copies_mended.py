"""Copies of rows of which both sides' are kept, where the copy breaks a rule."""

import pytest

import versioning
from polls.models import Question
from tests.contract.work import KEY, QUESTIONS, Work
from versioning.backends.errors import VersioningError
from versioning.backends.repository import Author
from versioning.merging import drafts, mending, preview, trial
from versioning.merging.resolution import Choice as Decided
from versioning.merging.resolution import Take

ERIN = Author("Erin Editor", "erin@example.org")
COPY = KEY + 1


@pytest.fixture
def alike(repository, write):
    """Two questions that have a unique text and one key each on both sides."""
    write("main", "CREATE UNIQUE INDEX asked_once ON polls_question (text)")
    repository.create_branch("summer", repository.head("main"))
    for side in ("main", "summer"):
        with versioning.on_branch(side, author=ERIN, message=f"Ask on {side}"):
            Question.objects.create(pk=KEY, text="What’s up?", details=side)
            Question.objects.create(pk=KEY - 9, text=f"Why {side}?", details=side)


@pytest.fixture
def work(repository, alike, max_):
    made = Work(repository, max_)
    made.keep_both(QUESTIONS)
    made.decide(QUESTIONS, KEY - 9, Take.OURS)
    return made


def texts():
    found = Question.objects.order_by("pk")
    return {question.pk: (question.text, question.details) for question in found}


def test_the_copy_is_given_another_value(work):
    assert work.troubles.keys() == {(QUESTIONS, KEY), (QUESTIONS, COPY)}
    work.mend_copy(COPY, text=Decided(Take.VALUE, "What else?"))
    assert work.troubles == {}
    work.land()
    assert texts() == {
        KEY - 9: ("Why main?", "main"),
        KEY: ("What’s up?", "main"),
        COPY: ("What else?", "summer"),
    }


def test_the_copy_is_dropped(work):
    work.mend_copy(COPY, whole=Decided(Take.DROP))
    assert work.troubles == {}
    work.land()
    assert texts().keys() == {KEY - 9, KEY}


def test_the_row_that_kept_its_key_is_mended_instead(work):
    row = mending.row_of(work.sides, QUESTIONS, (KEY,))
    assert row is not None
    made = {"text": Decided(Take.VALUE, "What was up?")}
    mending.mend(work.draft, work.sides, row, made, work.user)
    assert work.troubles == {}
    work.land()
    assert texts()[KEY] == ("What was up?", "main")
    assert texts()[COPY] == ("What’s up?", "summer")


def test_what_was_mended_in_one_copy_is_not_done_to_another(work):
    """Keys of copies are given in the order of their rows."""
    work.mend_copy(COPY, text=Decided(Take.VALUE, "What else?"))
    work.keep_both(QUESTIONS, KEY - 9)  # its copy has that key now
    found = trial.try_out("main", work.sides, work.draft)
    rows = {row.versions.key[0]: row for row in found.rows}
    result, mend = rows[COPY].result, rows[COPY].mend
    assert result is not None
    assert mend is not None
    assert result["text"] == "Why summer?"
    assert [*mend.outdated] == ["text"]
    assert {key for _, key in work.troubles} == {KEY, COPY + 1}
    with pytest.raises(VersioningError):
        work.land()
    work.mend_copy(COPY + 1, text=Decided(Take.VALUE, "What else?"))
    work.land()
    assert texts()[COPY] == ("Why summer?", "summer")
    assert texts()[COPY + 1] == ("What else?", "summer")


def test_what_was_mended_stays_when_a_side_moves(repository, work, max_):
    work.mend_copy(COPY, text=Decided(Take.VALUE, "What else?"))
    with versioning.on_branch("main", author=ERIN, message="Ask more"):
        Question.objects.create(pk=1, text="More?", details="main")
    sides = preview.sides_of(
        repository, repository.head("main"), repository.head("summer")
    )
    assert sides is not None
    work.sides = sides
    work.draft = drafts.begin("summer", "main", sides, max_)
    counted = drafts.counts(work.draft)
    assert (counted.mends, counted.outdated, counted.unneeded) == (1, 0, 0)
    assert work.troubles == {}
    work.land()
    assert texts()[COPY] == ("What else?", "summer")


def test_a_row_that_is_no_copy_is_not_found(work):
    assert mending.copy_of(work.draft, work.sides, QUESTIONS, (12345,)) is None
    assert mending.copy_of(None, work.sides, QUESTIONS, (COPY,)) is None

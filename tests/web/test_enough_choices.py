"""A merge leaves no question with fewer choices than a form would."""

import pytest

import versioning
from polls.models import Choice, Question
from tests.web import seen
from tests.web.fields import press_merge
from tests.web.test_merges import URL, decide, land, pins
from versioning.values import key_text

pytestmark = pytest.mark.usefixtures("enough_choices")

RULE = "A question needs at least 2 choices."


@pytest.fixture
def poll(repository, erin):
    """A question with four choices, on main and on summer."""
    with versioning.on_branch("main", author=erin, message="Ask"):
        question = Question.objects.create(text="What’s up?")
        for text in ("The sky", "The sea", "Rain", "Snow"):
            Choice.objects.create(question=question, text=text)
    repository.create_branch("summer", repository.head("main"))
    return question


def take_away(erin, branch, *texts):
    with versioning.on_branch(branch, author=erin, message="Take away"):
        Choice.objects.filter(text__in=texts).delete()


def test_what_both_took_away_is_to_be_mended(repository, maintainer, erin, poll):
    take_away(erin, "main", "The sky", "The sea")
    take_away(erin, "summer", "Rain", "Snow")
    head = repository.head("main")
    words = seen.main(maintainer.get(URL))
    assert "rows of the result would break a rule" in words
    assert f"Question “What’s up?” to mend {RULE}" in words
    assert land(maintainer, pins(repository)).status_code == 422
    assert repository.head("main") == head


def test_enough_that_is_left_merges_by_itself(repository, maintainer, erin, poll):
    take_away(erin, "main", "The sky")
    take_away(erin, "summer", "Snow")
    press_merge(maintainer, {"source": "summer", "target": "main"})
    assert {c.text for c in Choice.objects.all()} == {"The sea", "Rain"}


def test_a_question_that_is_kept_keeps_its_choices_or_says_so(
    repository, maintainer, erin, poll
):
    """One side deleted it with its choices; the other changed its text alone."""
    with versioning.on_branch("summer", author=erin, message="Delete"):
        Question.objects.get().delete()
    with versioning.on_branch("main", author=erin, message="Reword"):
        Question.objects.update(text="What’s new?")
    row = {
        "scope": "row",
        "table": "polls_question",
        "key": key_text((poll.pk,)),
        "take:": "ours",
    }
    assert decide(maintainer, pins(repository) | row).status_code == 303
    assert RULE in seen.main(maintainer.get(URL))
    assert land(maintainer, pins(repository)).status_code == 422

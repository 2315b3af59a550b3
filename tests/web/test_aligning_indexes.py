"""Migrations of unique rules and of indexed columns on one branch of a merge."""

import pytest

import versioning
from polls.models import Choice, Question
from tests.web import seen
from tests.web.test_aligning import BLOCKED, URL, bring_up
from tests.web.test_merges import land, pins
from tests.web.test_undoing import land as land_from

UNIQUE = {
    "a unique field": "migrations.AddField('choice', 'code', "
    "models.CharField(max_length=9, null=True, unique=True))",
    "a one-to-one": "migrations.AddField('choice', 'like', models.OneToOneField("
    "'polls.Question', models.CASCADE, null=True, related_name='+'))",
    "one less": "migrations.RemoveConstraint('choice', "
    "'polls_choice_once_per_question')",
}
TEXT = "models.CharField(max_length=200, null=True)"
NULLABLE = f"migrations.AlterField('choice', 'text', {TEXT})"


@pytest.fixture
def choices(repository, erin):
    """Three of one question, on both branches."""
    with versioning.on_branch("main", author=erin, message="Ask"):
        question = Question.objects.create(pk=1, text="What’s up?")
        for number in (1, 2, 3):
            Choice.objects.create(pk=number, question=question, text=f"C{number}")
    repository.create_branch("summer", repository.head("main"))
    return Choice.objects.order_by("pk").values_list("pk", "text")


def reword(branch, erin, pk, text):
    with versioning.on_branch(branch, author=erin, message=f"Word {pk}"):
        Choice.objects.filter(pk=pk).update(text=text)


@pytest.mark.parametrize("what", UNIQUE)
def test_another_unique_rule(repository, maintainer, code, choices, erin, what):
    with versioning.on_branch("main", author=erin, message="Vote"):
        Choice.objects.filter(pk=1).update(votes=1)
    code.add("0002_unique", UNIQUE[what])
    code.migrate("summer")
    with versioning.on_branch("summer", author=erin, message="Vote"):
        Choice.objects.filter(pk=2).update(votes=2)
    page = maintainer.get(URL)
    assert page.status_code == 200
    words = seen.main(page)
    assert "Bring main up to date: apply polls.0002_unique" in words
    if BLOCKED in words:
        if repository.features.engine == "DoltLite":  # else it says why itself
            assert "different rules about which values of “polls_choice”" in words
        bring_up(maintainer, "main")
    assert land(maintainer, pins(repository)).status_code == 303
    votes = Choice.objects.order_by("pk").values_list("votes", flat=True)
    assert list(votes) == [1, 2, 0]


def test_an_indexed_column_that_may_be_empty_now(
    repository, maintainer, code, choices, erin
):
    code.add("0002_nullable", NULLABLE)
    code.migrate("main")
    code.migrate("summer")
    reword("main", erin, 1, "Here")
    reword("summer", erin, 2, "There")
    words = seen.main(maintainer.get(URL))
    if BLOCKED in words:
        assert "“polls_choice” got another definition, and rows were changed" in words
        commit = repository.head("summer")
        take = seen.links(maintainer.get(f"/commits/{commit}/"))[
            "Take it over to main…"
        ]
        assert land_from(maintainer, maintainer.get(take)).status_code == 303
    else:
        assert land(maintainer, pins(repository)).status_code == 303
    assert list(choices) == [(1, "Here"), (2, "There"), (3, "C3")]

"""How many questions a page of the history asks of each database."""

import pytest
from django.core.cache import cache
from django.db import connections
from django.test.utils import CaptureQueriesContext

import versioning
from polls.models import Choice, Question

VERSIONED = 8  # and two for each table that is shown
DEFAULT = 4


@pytest.fixture
def history(repository, erin):
    """Twelve branches and tags, a merge, and a run of commits."""
    with versioning.on_branch("main", author=erin, message="Ask"):
        question = Question.objects.create(text="What’s up?")
        Choice.objects.create(question=question, text="The sky")
    asked = repository.head("main")
    for number in range(12):
        repository.create_branch(f"b{number}", "main")
        repository.create_tag(f"t{number}", "main", message="", author=erin)
        with versioning.on_branch(f"b{number}", author=erin, message="On it"):
            Choice.objects.update(votes=number + 100)
        with versioning.on_branch("main", author=erin, message=f"Count {number}"):
            Choice.objects.update(votes=number + 1)
    return asked


@pytest.mark.parametrize(
    ("path", "tables"),
    [
        ("/log/", 0),
        ("/log/?branch=b3", 0),
        ("/log/?branch=t3", 0),
        ("/log/?branch=main&q=count", 0),
        ("/log/?branch=main&table=polls_choice&author=erin", 0),
        ("/tags/", 0),
        ("/tags/new/", 0),
        ("/tags/delete/?name=t3", 0),
        # Each table’s rows, and the names of what they point to; Dolt asks for
        # a table’s key besides.
        ("/commits/{asked}/", 3),
        # Each table’s key, columns, rows, and where the rows go on.
        ("/search/?q=sky", 4),
    ],
)
def test_it_is_bounded_whatever_there_is(maintainer, history, path, tables):
    maintainer.get("/how-this-works/")  # a process's first page sweeps
    cache.clear()
    url = path.format(asked=history)
    with (
        CaptureQueriesContext(connections["versioned"]) as versioned,
        CaptureQueriesContext(connections["default"]) as default,
    ):
        assert maintainer.get(url).status_code == 200
    asked = [query["sql"] for query in versioned.captured_queries if _counts(query)]
    assert len(asked) <= VERSIONED + 2 * tables, "\n".join(asked)
    assert len(default) <= DEFAULT, default.captured_queries


def _counts(query):
    """Binding is not counted: going to a branch, and what that asks."""
    sql = query["sql"].lower()
    return not ("active_branch()" in sql or "dolt_checkout" in sql or sql[:4] == "use ")

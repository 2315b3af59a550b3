"""How many questions a page asks, whatever the data hold."""

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

import versioning
from polls.models import Choice, Question

VERSIONED = 8  # and
A_TABLE = 2  # more for each table that is shown
A_WORKING_TABLE = 8  # whose definition nobody committed, so it can't be kept
DEFAULT = 4

#: What every page asks for its header and footer, and the way to a branch.
FRAME = re.compile(
    r"USE |CALL dolt_checkout|SELECT (active_branch\(\)|dolt_version\(\)|"
    r"dolt_default_branch\(\)|name, hash, latest_committer)"
)


@pytest.fixture
def rows(repository, stranger) -> Question:
    """A row with a long history, and rows of two tables that nobody committed."""
    with versioning.on_branch("main", message="Ask"):
        question = Question.objects.create(text="What’s up?")
        for number in range(70):
            Choice.objects.create(question=question, text=f"Choice {number}")
    for number in range(30):
        with versioning.on_branch("main", message=f"Count to {number}"):
            Choice.objects.update(votes=number + 1)
    repository.create_branch("summer", repository.head("main"))
    stranger.execute("summer", "UPDATE polls_choice SET votes = 99")
    stranger.execute("summer", "UPDATE polls_question SET details = 'x'")
    return question


@contextmanager
def counted() -> Iterator[dict[str, CaptureQueriesContext]]:
    with ExitStack() as stack:
        yield {
            alias: stack.enter_context(CaptureQueriesContext(connections[alias]))
            for alias in ("versioned", "default")
        }


@pytest.mark.parametrize(
    ("path", "more"),
    [
        ("/rows/history/?table=polls_choice&key=[{choice}]", A_TABLE),
        ("/rows/history/?table=polls_question&key=[{question}]", A_TABLE),
        ("/branches/working/?name=summer", 2 * A_WORKING_TABLE),
        ("/branches/working/?name=main", 0),
        ("/branches/working/rows/?name=summer&table=polls_choice", A_WORKING_TABLE),
    ],
)
def test_a_page_asks_no_more_than_it_may(maintainer, rows, path, more):
    choice = rows.choices.all()[0]
    url = path.format(choice=choice.pk, question=rows.pk)
    assert maintainer.get(url).status_code == 200  # what can be kept is kept
    with counted() as asked:
        assert maintainer.get(url).status_code == 200
    said = [
        query["sql"]
        for query in asked["versioned"].captured_queries
        if not FRAME.match(query["sql"])
    ]
    assert len(said) <= VERSIONED + more, "\n".join(said)
    assert len(asked["default"]) <= DEFAULT


@pytest.mark.parametrize("moved", [False, True])
def test_a_page_that_looks_for_news_asks_twice_at_most(
    maintainer, rows, repository, moved
):
    seen = repository.head("main")
    if moved:
        with versioning.on_branch("main", message="Meanwhile"):
            Choice.objects.update(votes=500)
    query = {"branch": ["main", "summer"], "head": [seen, seen]}
    maintainer.post("/branches/switch/", {"name": "summer"})
    with counted() as asked:
        answer = maintainer.get("/live/", query)
    assert answer.status_code == (200 if moved else 204)
    assert len(asked["versioned"]) == (2 if moved else 1)
    assert len(asked["default"]) <= DEFAULT

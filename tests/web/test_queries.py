"""
What a comparison asks of the databases, however much it shows.

Every page's header asks, too: for the branches, and how far each is ahead and
behind. That is left aside, as a page that shows nothing else tells.
"""

import pytest
from django.db import connections, transaction
from django.test.utils import CaptureQueriesContext

import versioning
from polls.models import Choice, Question

VERSIONED = 8  # and two for each table shown
DEFAULT = 4
BINDING = ("CALL dolt_checkout", "USE ")


@pytest.fixture
def grown(repository, erin):
    """A branch on which both tables change, by more and more rows."""
    with versioning.on_branch("main", author=erin, message="Ask"):
        Question.objects.create(text="What’s up?")
    repository.create_branch("summer", repository.head("main"))

    def grow(count: int) -> None:
        with versioning.on_branch("summer", author=erin, message="More") as unit:
            for number in range(count):
                question = Question.objects.create(text=f"Q {number}")
                Choice.objects.create(question=question, text="Yes")
        assert unit.commit

    return grow


@pytest.fixture
def altered(repository, connection, erin):
    """A column more on the branch, as a migration would make it."""

    def alter() -> None:
        with (
            connection.bound("summer"),
            connection.writing(),
            transaction.atomic(using=connection.alias, durable=True),
        ):
            with connection.cursor() as cursor:
                cursor.execute("ALTER TABLE polls_choice ADD COLUMN colour varchar(9)")
                cursor.execute(
                    "INSERT INTO django_migrations (app, name, applied) "
                    "VALUES ('polls', '0002_colour', '2026-11-24 00:00:00')"
                )
            repository.commit_all("Add a column", erin)

    return alter


def asked(client, url):
    """(of the versioned database, of the default one), binding left aside."""
    with (
        CaptureQueriesContext(connections["versioned"]) as versioned,
        CaptureQueriesContext(connections["default"]) as default,
    ):
        response = client.get(url)
        assert response.status_code == 200
        if response.streaming:
            list(response.streaming_content)
    asked = [
        query["sql"]
        for query in versioned.captured_queries
        if not query["sql"].startswith(BINDING)
    ]
    return asked, [query["sql"] for query in default.captured_queries]


def asked_for_it(client, url):
    client.get("/how-this-works/")  # counts of the header, which the cache keeps
    versioned, default = asked(client, url)
    if "export" in url:
        return versioned, default
    header, _ = asked(client, "/how-this-works/")
    for sql in header:
        if sql in versioned:
            versioned.remove(sql)
    return versioned, default


URLS = {
    "/compare/?from=main&to=summer": 2,
    "/compare/?from=main&to=summer&dots=2": 2,
    "/compare/rows/?from=main&to=summer&table=polls_choice": 1,
    "/compare/rows/?from=main&to=summer&table=polls_choice&kind=added&column=text": 1,
    "/compare/export/?from=main&to=summer&table=polls_choice&format=csv": 1,
}


@pytest.mark.parametrize(("url", "tables"), URLS.items())
@pytest.mark.parametrize("count", [1, 30])
def test_a_page_asks_little_whatever_it_shows(editor, grown, url, tables, count):
    grown(count)
    versioned, default = asked_for_it(editor, url)
    assert len(versioned) <= VERSIONED + 2 * tables, "\n".join(versioned)
    assert len(default) <= DEFAULT, "\n".join(default)


def test_definitions_that_differ_cost_little_more(editor, grown, altered):
    grown(3)
    altered()
    versioned, default = asked_for_it(editor, "/compare/?from=main&to=summer")
    assert len(versioned) <= VERSIONED + 2 * 3, "\n".join(versioned)
    assert len(default) <= DEFAULT, "\n".join(default)

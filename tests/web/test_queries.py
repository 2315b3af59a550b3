"""
How often a page asks the databases: every GET address, with little and with
much to show, by somebody who is on a branch and may do everything.

Each is counted twice: when nobody in this process has seen its commits, and when
what never changes of them is known. To bind a connection is not counted.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connections, transaction

import versioning
from polls.models import Choice, Question
from tests.addresses import MAIN, PATHS, POST_ONLY, Things, make_things
from versioning.backends.repository import Author
from versioning.merging import preview

VERSIONED = 8  # and
A_TABLE = 2  # more for each table that is shown
DEFAULT = 4  # session, user, permissions, and one of the page’s own

#: Tables on a page whose rows are shown, with the names of what they point to.
TABLES = {
    "polls:results": 2,
    "versioning:commit": 1,
    "versioning:compare": 2,
    "versioning:compare-table": 1,
    "versioning:compare-value": 1,
    "versioning:merge-value": 1,
    "versioning:branch-working-rows": 1,
    "versioning:row-history": 1,
    "versioning:search": 2,
}

#: What an address can say besides, and the tables that it shows then.
VARIANTS = {
    "/log/?branch={branch}": 0,
    "/log/?branch={tag}": 0,
    "/log/?branch=main&q=count": 0,
    "/log/?branch=main&table=polls_choice&author=erin": 0,
    "/tags/new/": 0,
    "/branches/working/?name={dirty}": 2,
    "/branches/delete/?name={branch}&name={dirty}": 0,
    "/compare/?from=main&to={branch}&dots=2": 2,
    "/compare/?from=main&to={altered}": 3,
    "/compare/rows/?from=main&to={branch}&table=polls_choice&kind=added&column=text": 1,
    "/rows/history/?table=polls_choice&key=[{choice}]": 1,
}

#: Pages that ask more: (versioned, default), at most.
ASK_MORE = {
    "versioning:merge": (112, 17),
    "versioning:merge-rows": (60, DEFAULT),
    "versioning:merges": (VERSIONED, 6),
    "versioning:merge-record": (VERSIONED, 5),
    "versioning:merge-abandon": (VERSIONED, 6),
}

AUTHOR = Author("Erin Editor", "erin@example.org")

# What a transaction is made of, and on a server the way from and to a commit.
_NOT_COUNTED = re.compile(
    r"\s*((USE|SAVEPOINT|RELEASE|ROLLBACK|BEGIN|COMMIT|PRAGMA busy_timeout)\b"
    r"|SELECT 1 FROM sqlite_master LIMIT 1$)",
    re.I,
)


@dataclass
class Asked:
    """The statements that were sent to each database."""

    versioned: list[str]
    default: list[str]


@contextmanager
def asked() -> Iterator[Asked]:
    found = Asked([], [])

    def watch(alias: str, statements: list[str]) -> Any:
        connection = connections[alias]

        def note(execute: Any, sql: str, *args: Any) -> Any:
            binds = getattr(connection, "_moving", False)
            if not binds and not _NOT_COUNTED.match(sql):
                statements.append(sql)
            return execute(sql, *args)

        return connection.execute_wrapper(note)

    with (
        watch("versioned", found.versioned),
        watch("default", found.default),
    ):
        yield found


@pytest.fixture
def things(owner) -> Things:
    found = make_things()
    owner.post("/branches/switch/", {"name": found.branch})
    return found


def grow(repository: Any, things: Things) -> None:
    """More rows than a page shows, more commits, branches and tags."""
    for branch, text in ((MAIN, "Here"), (things.branch, "There")):
        with versioning.on_branch(branch, message=f"Ask {text}"):
            for number in range(60):
                asked = Question.objects.create(text=f"{text} {number}")
                Choice.objects.create(question=asked, text="Which else?")
    for number in range(12):
        repository.create_branch(f"b{number}", MAIN)
        repository.create_tag(f"t{number}", MAIN, message="", author=AUTHOR)
        with versioning.on_branch(f"b{number}", message="On it"):
            Choice.objects.update(votes=number + 100)
        for step in range(5):
            with versioning.on_branch(MAIN, message=f"Count {number}.{step}"):
                Choice.objects.filter(pk=1).update(votes=10 * number + step)


def alter(repository: Any, connection: Any) -> str:
    """A branch with a column more, as a migration would make it."""
    repository.create_branch("altered", repository.head(MAIN))
    with (
        connection.bound("altered"),
        connection.writing(),
        transaction.atomic(using=connection.alias, durable=True),
    ):
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE polls_choice ADD COLUMN colour varchar(9)")
            cursor.execute("UPDATE polls_question SET details = 'New' WHERE id = 1")
            cursor.execute(
                "INSERT INTO django_migrations (app, name, applied) "
                "VALUES ('polls', '0002_colour', '2026-11-24 00:00:00')"
            )
        repository.commit_all("Add a column", AUTHOR)
    return "altered"


def forget(repository: Any) -> None:
    """As a process does not know a commit, and knows its engine."""
    repository.forget()
    repository.facts.forget()
    repository.ancestries.clear()
    preview.forget()
    cache.clear()
    _ = repository.features
    repository.tables(repository.log([repository.head(MAIN)], limit=10_000)[-1].hash)


@pytest.mark.parametrize("is_much", [False, True])
def test_a_page_asks_little_whatever_there_is(
    repository, connection, owner, things, is_much
):
    if is_much:
        grow(repository, things)
    altered = alter(repository, connection)
    choice = Choice.objects.filter(question=things.question)[0].pk
    said = vars(things) | {"altered": altered, "choice": choice}
    bounds = {
        things.path(name): ASK_MORE.get(
            name, (VERSIONED + A_TABLE * TABLES.get(name, 0), DEFAULT)
        )
        for name in PATHS.keys() - POST_ONLY
    } | {
        path.format_map(said): (VERSIONED + A_TABLE * tables, DEFAULT)
        for path, tables in VARIANTS.items()
    }
    over = []
    for path, (versioned, default) in sorted(bounds.items()):
        for first in (True, False):
            if first:
                forget(repository)
            with asked() as found:
                answer = owner.get(path)
                if answer.streaming:
                    list(answer.streaming_content)
            assert answer.status_code in (200, 204), path
            if len(found.versioned) > versioned or len(found.default) > default:
                counts = f"{len(found.versioned)} > {versioned}, {len(found.default)}"
                lines = [*found.versioned, *found.default]
                over.append("\n  ".join((f"{path} ({first=}) {counts}", *lines)))
    assert not over, "\n".join(over)


@pytest.mark.parametrize("moved", [False, True])
def test_a_page_that_looks_for_news_asks_twice_at_most(
    owner, things, repository, moved
):
    seen = repository.head(MAIN)
    if moved:
        with versioning.on_branch(MAIN, message="Meanwhile"):
            Choice.objects.update(votes=500)
    heads = [seen, repository.head(things.branch)]
    query = {"branch": [MAIN, things.branch], "head": heads}
    with asked() as found:
        answer = owner.get("/live/", query)
    assert answer.status_code == (200 if moved else 204)
    assert len(found.versioned) == (2 if moved else 1)
    assert len(found.default) <= DEFAULT

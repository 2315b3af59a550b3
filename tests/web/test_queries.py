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
from html import unescape
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connections, transaction

import versioning
from polls.models import Choice, Question
from tests.addresses import MAIN, PATHS, POST_ONLY, Things, make_things
from tests.web.fields import fields
from versioning.backends.repository import Author
from versioning.merging import memory
from versioning.merging.preview import sides_of

VERSIONED = 8  # and
A_TABLE = 2  # more for each table that is shown
A_HASH = 3  # more for each: is it a branch, a tag, or which commit does it begin
DEFAULT = 4  # session, user with permissions, and two of the page’s own

#: Tables on a page whose rows are shown, with the names of what they point to.
TABLES = {
    "polls:results": 2,
    "versioning:commit": 1,
    "versioning:compare": 2,
    "versioning:compare-table": 1,
    "versioning:compare-value": 1,
    "versioning:merge-value": 1,
    "versioning:decided-value": 1,
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

#: The same with commits by the beginnings of their hashes: tables, and how many.
BY_HASH = {
    "/log/?branch={head:.7}": (0, 1),
    "/compare/?from={base:.7}&to={head:.7}": (2, 2),
}

#: Pages that ask more: (versioned, default), at most. What is to be merged is
#: merged once, and looked at; a draft of other hashes is judged anew.
ASK_MORE = {
    "versioning:merge": (47, 11),
    "versioning:merge-rows": (35, 3),
}

#: The same, once what never changes of their commits is known.
ASK_AGAIN = {
    # Its draft, how much of it is decided, and what is on the cards; the names in
    # the rows that merge by themselves, where they are few.
    "versioning:merge": (3 + A_TABLE, 4),
    "versioning:merge-rows": (5, 3),
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
    memory.forget()
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
    bounds |= {
        path.format_map(said): (VERSIONED + A_TABLE * tables + A_HASH * hashes, DEFAULT)
        for path, (tables, hashes) in BY_HASH.items()
    }
    again = {things.path(name): bound for name, bound in ASK_AGAIN.items()}
    over = []
    for path, bound in sorted(bounds.items()):
        for first in (True, False):
            versioned, default = bound if first else again.get(path, bound)
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


WORDED = {"source": "worded", "target": MAIN}


@pytest.fixture
def worded(repository, owner, things):
    """Two branches that worded all questions otherwise; all is decided."""
    grow(repository, things)
    repository.create_branch("worded", repository.head(MAIN))
    for branch in (MAIN, "worded"):
        with versioning.on_branch(branch, message="Word all"):
            Question.objects.update(details=f"On {branch}")
    at = sides_of(repository, repository.head(MAIN), repository.head("worded"))
    assert at is not None
    pins = {"base": at.base, "ours": at.ours, "theirs": at.theirs}
    owner.post("/merge/decide/", WORDED | pins | {"scope": "all", "take": "ours"})


@pytest.mark.parametrize("first", [True, False])
def test_the_cards_of_a_merge_that_follow_ask_for_nothing_else(
    repository, owner, worded, first
):
    """Neither what the result would break nor sums, commits or migrations."""
    page = owner.get("/merge/", WORDED)
    assert "61 of 61 settled" in page.text
    (address,) = re.findall(r'hx-get="([^"]*cards=rest[^"]*)"', page.text)
    if first:
        forget(repository)
    with asked() as found:
        answer = owner.get(unescape(address), headers={"HX-Request": "true"})
    assert answer.text.count('class="conflict-card"') > 10
    lines = "\n".join([*found.versioned, *found.default])
    assert len(found.versioned) <= (21 if first else 3), lines
    assert len(found.default) <= 4, lines


def test_what_is_decided_is_judged_anew_in_the_merge_that_is_looked_at(
    repository, owner, worded
):
    """Also what is on none of the pages that somebody saw."""
    with versioning.on_branch(MAIN, message="Meanwhile"):
        Choice.objects.update(votes=500)
        Question.objects.filter(text="Here 59").update(details="Otherwise")
    with asked() as found:
        page = owner.get("/merge/", WORDED)
    assert "60 of 61 settled" in page.text
    assert "1 decision to look at again" in page.text
    assert len([sql for sql in found.versioned if "dolt_merge(" in sql]) == 1


def test_the_rule_of_many_rows_asks_as_often_as_that_of_few(
    repository, owner, things, enough_choices
):
    grow(repository, things)
    touched = list(Question.objects.order_by("-pk").values_list("pk", flat=True))
    counts = []
    for name, keys in (("few", touched[:2]), ("many", touched[:60])):
        repository.create_branch(name, repository.head(MAIN))
        with versioning.on_branch(name, message="Word otherwise"):
            Question.objects.filter(pk__in=keys).update(details="Otherwise")
        forget(repository)
        with asked() as found:
            page = owner.get("/merge/", {"source": name, "target": MAIN})
        assert "A question needs at least 2 choices." in page.text
        counts.append(len(found.versioned))
    assert counts[1] <= counts[0], found.versioned


def test_a_row_that_many_merges_left_alone_asks_no_more_than_one_that_few_did(
    connection, repository, owner, things
):
    """It changed on main each time; the branches that were merged changed others."""
    row, other = Choice.objects.filter(question=things.question)[:2]
    query = {"table": "polls_choice", "key": f"[{row.pk}]", "ref": MAIN}
    counts = []
    for number in range(30):
        repository.create_branch(f"b{number}", repository.head(MAIN))
        with versioning.on_branch(f"b{number}", message="Elsewhere"):
            Choice.objects.filter(pk=other.pk).update(votes=100 + number)
        with versioning.on_branch(MAIN, message="Here"):
            Choice.objects.filter(pk=row.pk).update(votes=100 + number)
        with (
            connection.bound(MAIN),
            connection.writing(),
            transaction.atomic(using="versioned", durable=True),
        ):
            repository.start_merge(repository.head(f"b{number}"))
            repository.commit_all("Merge", AUTHOR)
        if number in (2, 29):
            owner.get("/rows/history/", query)  # its commits are known from here on
            with asked() as found:
                page = owner.get("/rows/history/", query)
            assert page.status_code == 200
            counts.append(len(found.versioned))
    assert page.text.count("Here") >= 20
    assert counts[1] <= counts[0] <= VERSIONED + A_TABLE, found.versioned


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


def test_a_vote_asks_little(owner, things):
    """Who votes, and not what they may do; whether it counted already; and votes."""
    choice = Choice.objects.filter(question=things.question)[0]
    owner.post("/branches/switch/", {"name": MAIN})
    page = owner.get(f"/polls/{things.question}/")
    sent = fields(page) | {"choice": choice.pk}
    with asked() as found:
        answer = owner.post(f"/polls/{things.question}/vote/", sent)
    assert answer.status_code == 303
    assert Choice.objects.get(pk=choice.pk).votes == choice.votes + 1
    lines = "\n".join([*found.versioned, *found.default])
    assert "permission" not in lines
    assert len(found.versioned) <= 7, lines
    assert len(found.default) <= DEFAULT, lines

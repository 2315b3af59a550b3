"""A merge page with many rows in conflict: what comes at once, and what after."""

import re
from collections.abc import Callable

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

import versioning
from polls.models import Choice, Question
from tests.web import seen
from tests.web.fields import fields
from versioning.merging import memory, preview, screen
from versioning.models import Decision

URL = "/merge/?source=summer&target=main"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def differing(repository, erin) -> Callable[..., list[int]]:
    """``differing(count)``: questions whose texts differ on main and on summer."""

    def make(count: int, choices: int = 0) -> list[int]:
        with versioning.on_branch("main", author=erin, message="Ask"):
            asked = [Question.objects.create(text=f"Q {n}") for n in range(count)]
            for n in range(choices):
                Choice.objects.create(question=asked[0], text=f"C {n}")
        repository.create_branch("summer", repository.head("main"))
        for branch in ("main", "summer"):
            with versioning.on_branch(branch, author=erin, message="Reword"):
                for question in asked:
                    Question.objects.filter(pk=question.pk).update(
                        text=f"Q of {branch} {question.pk}"
                    )
                for choice in Choice.objects.all():
                    Choice.objects.filter(pk=choice.pk).update(
                        text=f"C of {branch} {choice.pk}"
                    )
        return [question.pk for question in asked]

    return make


def cards(response) -> list[str]:
    found = re.findall(
        r'<article id="([^"]+)" class="conflict-card"', response.content.decode()
    )
    assert len(set(found)) == len(found)
    return found


def address_of_rest(response) -> str:
    found = re.search(r'hx-get="([^"]+cards=rest[^"]*)"', response.content.decode())
    assert found
    return found[1].replace("&amp;", "&")


def merges(asked: CaptureQueriesContext) -> int:
    """How often the engine was told to merge."""
    return sum("--no-commit" in query["sql"] for query in asked.captured_queries)


def test_a_page_begins_with_a_few_cards_and_the_rest_follows(maintainer, differing):
    differing(60)
    page = maintainer.get(URL)
    first = cards(page)
    assert len(first) == screen.FIRST.stop
    assert "Show 40 more rows" in seen.main(page)
    rest = maintainer.get(address_of_rest(page), headers=HTMX)
    assert b"<html" not in rest.content
    assert "Show" not in seen.text(rest).split()
    whole = maintainer.get(f"{URL}&cards=all")
    assert cards(whole) == first + cards(rest)
    assert len(cards(whole)) == preview.PAGE
    last = maintainer.get(seen.links(page)["Next rows"])
    assert len(cards(last)) == 10
    assert "more row" not in seen.main(last)
    assert set(cards(last)).isdisjoint(cards(whole))


@pytest.mark.parametrize("table", ["stock:items", "a%3Ab"])
def test_rows_of_a_table_with_any_name_go_on(
    maintainer, repository, connection, write, table
):
    name = connection.ops.quote_name(table)
    write("main", f"CREATE TABLE {name} (id int PRIMARY KEY, v varchar(9))")
    insert, update = "INSERT INTO {} VALUES {}", "UPDATE {} SET v = '{}'"
    write("main", insert.format(name, ", ".join(f"({n}, 'x')" for n in range(60))))
    repository.create_branch("summer", repository.head("main"))
    for branch in ("main", "summer"):
        write(branch, update.format(name, branch))
    whole = maintainer.get(f"{URL}&cards=all")
    last = maintainer.get(seen.links(whole)["Next rows"])
    assert last.status_code == 200
    assert len(cards(last)) == 10
    assert set(cards(last)).isdisjoint(cards(whole))


def test_a_table_that_goes_on_has_one_heading(maintainer, differing):
    differing(8, choices=8)
    page = maintainer.get(URL)
    rest = maintainer.get(address_of_rest(page), headers=HTMX)
    headings = re.findall(r"<h3 [^>]*>([^<]+)", (page.content + rest.content).decode())
    assert sorted(headings) == ["Choices", "Questions"]
    assert len(cards(page) + cards(rest)) == 16


def test_the_rest_of_a_merge_that_moved_is_the_merge_anew(
    repository, maintainer, differing, erin
):
    differing(12)
    page = maintainer.get(URL)
    with versioning.on_branch("main", author=erin, message="Meanwhile"):
        Question.objects.create(text="Another")
    rest = maintainer.get(address_of_rest(page), headers=HTMX)
    assert rest["HX-Retarget"] == "#merge"
    assert f'name="ours" value="{repository.head("main")}"' in rest.content.decode()
    assert len(cards(rest)) == screen.FIRST.stop


def test_without_htmx_the_whole_page_stays_whole(maintainer, differing):
    differing(12)
    page = maintainer.get(URL)
    assert cards(maintainer.get(address_of_rest(page))) == cards(
        maintainer.get(f"{URL}&cards=all")
    )
    (whole,) = [a for a in seen.addresses(page) if "cards=all" in a]
    sent = fields(maintainer.get(whole)) | {"scope": "all", "take": "ours"}
    response = maintainer.post(reverse("versioning:merge-decide"), sent)
    assert response.status_code == 303
    assert len(cards(maintainer.get(response["Location"]))) == 12
    assert Decision.objects.count() == 12


def test_what_a_page_refuses_is_on_it_though_it_came_later(maintainer, differing):
    differing(12)
    whole = maintainer.get(f"{URL}&cards=all")
    last = cards(whole)[-1]
    form = whole.content.decode().split(f'id="{last}"')[1]
    key = re.search(r'name="key" value="([^"]+)"', form)
    assert key
    sent = fields(maintainer.get(URL)) | {
        "scope": "row",
        "table": "polls_question",
        "key": key[1].replace("&quot;", '"'),
        "take:text": "value",
        "value:text": "x" * 3000,
    }
    response = maintainer.post(reverse("versioning:merge-decide"), sent)
    assert response.status_code == 422
    assert last in cards(response)
    assert b'aria-invalid="true"' in response.content


@pytest.mark.parametrize("count", [0, 3])
def test_a_first_look_merges_once(maintainer, differing, erin, count):
    """On DoltLite a merge takes two seconds for each million rows."""
    differing(count)
    with versioning.on_branch("summer", author=erin, message="More"):
        Question.objects.create(text="In summer")
    memory.forget()
    with CaptureQueriesContext(connections["versioned"]) as asked:
        maintainer.get(URL)
    assert merges(asked) == 1
    with CaptureQueriesContext(connections["versioned"]) as asked:
        page = maintainer.get(URL)
    assert merges(asked) == 0
    assert len(cards(page)) == count


def test_deciding_what_a_page_showed_merges_no_more(maintainer, differing):
    differing(4)
    page = maintainer.get(URL)
    form = page.content.decode().split('class="conflict-card"')[2]
    key = re.search(r'name="key" value="([^"]+)"', form)
    assert key
    sent = fields(page) | {
        "scope": "row",
        "table": "polls_question",
        "key": key[1].replace("&quot;", '"'),
        "take:text": "theirs",
    }
    decide = reverse("versioning:merge-decide")
    with CaptureQueriesContext(connections["versioned"]) as asked:
        response = maintainer.post(decide, sent, headers=HTMX)
    assert "1 of 4 settled" in seen.text(response)
    assert merges(asked) == 0

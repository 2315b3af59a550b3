"""JSON at its edges: halves of signs, numbers that are none, and deep nesting."""

import pytest
from django.db import models

import versioning
from polls.models import Choice, Question
from tests.web import seen
from tests.web.test_merges import decide, pins
from versioning.values import key_text

MERGE = "/merge/?source=summer&target=main"
HALF = '"\\ud800"'  # six signs that any browser sends
DEEP = 3000


@pytest.fixture
def sheet(new_model, repository, erin):
    model = new_model(
        "Sheet", id=models.BigIntegerField(primary_key=True), cells=models.JSONField()
    )
    with versioning.on_branch("main", author=erin, message="Begin"):
        model.objects.create(id=1, cells={"a": 0})
    repository.create_branch("summer", repository.head("main"))
    return model


@pytest.fixture
def clash(sheet, erin):
    for number, branch in enumerate(("main", "summer"), 1):
        with versioning.on_branch(branch, author=erin, message=f"On {branch}"):
            sheet.objects.update(cells={"a": number})


def type_cells(client, repository, text):
    row = {"scope": "row", "table": "polls_sheet", "key": key_text((1,))}
    typed = {"take:cells": "value", "value:cells": text}
    return decide(client, pins(repository) | row | typed)


@pytest.mark.usefixtures("clash")
def test_half_a_sign_that_was_typed_keeps_nobody_from_the_merge(
    repository, maintainer, ida
):
    assert type_cells(maintainer, repository, HALF).status_code == 303
    for reader in (maintainer, ida):
        page = reader.get(MERGE)
        assert page.status_code == 200
        assert HALF in seen.main(page)


@pytest.mark.usefixtures("clash")
@pytest.mark.parametrize("text", ["NaN", '{"a": [-Infinity]}', "1e400"])
def test_a_number_that_is_none_is_refused_where_it_is_typed(
    repository, maintainer, text
):
    answer = type_cells(maintainer, repository, text)
    assert answer.status_code == 422
    assert "JSON has no number" in seen.main(answer)
    assert "0 of 1 settled" in seen.main(maintainer.get(MERGE))


@pytest.mark.parametrize(
    "url",
    [
        "/commits/{}/",
        "/compare/?from=main&to=summer",
        "/compare/rows/?from=main&to=summer&table=polls_sheet",
        "/compare/export/?from=main&to=summer&format=csv&table=polls_sheet",
        "/compare/export/?from=main&to=summer&format=sql",
        "/rows/history/?table=polls_sheet&key=[1]&ref=summer",
        MERGE,
        "/merge/rows/?source=summer&target=main&table=polls_sheet",
    ],
)
@pytest.mark.parametrize("text", ['["\\ud83d"]', "[" * DEEP + "]" * DEEP])
def test_what_a_row_holds_is_shown(sheet, maintainer, connection, erin, url, text):
    with (
        versioning.on_branch("summer", author=erin, message="Odd") as unit,
        connection.cursor() as cursor,
    ):
        cursor.execute("UPDATE polls_sheet SET cells = %s", [text])
    page = maintainer.get(url.format(unit.commit))
    assert page.status_code == 200
    if page.streaming:
        assert b"polls_sheet" in b"".join(page.streaming_content) or "csv" in url


@pytest.mark.parametrize("word", ['say "hi"', "a\\b", "two\nlines"])
def test_a_text_in_one_is_found_as_it_reads(editor, sheet, erin, word):
    with versioning.on_branch("main", author=erin, message="Write"):
        sheet.objects.update(cells={"name": f"they {word} here"})
    page = editor.get("/search/", {"q": word, "ref": "main"})
    assert "Sheet object (1)" in seen.main(page)


def test_a_sum_beyond_every_integer_is_a_row_to_mend(maintainer, repository, erin):
    with versioning.on_branch("main", author=erin, message="Ask"):
        question = Question.objects.create(text="Q?")
        choice = Choice.objects.create(question=question, text="A")
    repository.create_branch("counted", repository.head("main"))
    _, most = repository.connection.ops.integer_field_range("PositiveIntegerField")
    most = most or 2**63 - 1  # a file's columns have no range but that of the engine
    for number, branch in enumerate(("main", "counted"), 1):
        with versioning.on_branch(branch, author=erin, message=f"Count on {branch}"):
            Choice.objects.filter(pk=choice.pk).update(votes=most - number)
    page = maintainer.get("/merge/?source=counted&target=main")
    assert page.status_code == 200
    words = seen.main(page)
    assert "Votes is not what the table allows" in words
    assert "1 row still to mend" in words

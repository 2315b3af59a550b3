"""Values that are not the same never look so, where one is to be told from another."""

import datetime as dt

import pytest
from django.db import models

import versioning
from polls.models import Choice, Question
from tests.web import seen

MERGE = "/merge/?source=summer&target=main&cards=all"
FIRST = dt.datetime(2026, 10, 25, 0, 30, tzinfo=dt.UTC)  # 02:30 in Berlin, and
SECOND = FIRST + dt.timedelta(hours=1)  # so is this, by winter time


@pytest.fixture
def berlin(settings):
    settings.TIME_ZONE = "Europe/Berlin"


def published(branch, author, at):
    with versioning.on_branch(branch, author=author, message="Open it") as unit:
        Question.objects.update(published=at)
    return unit.commit


@pytest.fixture
def question(repository, erin):
    with versioning.on_branch("main", author=erin, message="Ask"):
        return Question.objects.create(text="First?", published=FIRST)


def test_two_rows_of_one_name_are_told_by_their_keys(
    maintainer, repository, erin, question
):
    with versioning.on_branch("main", author=erin, message="Ask again"):
        one, two = (Question.objects.create(text="Again?") for _ in range(2))
        choice = Choice.objects.create(question=question, text="The sky")
    repository.create_branch("summer", repository.head("main"))
    for branch, other in (("main", one), ("summer", two)):
        with versioning.on_branch(branch, author=erin, message="Move") as unit:
            Choice.objects.filter(pk=choice.pk).update(question=other)
    words = seen.main(maintainer.get(MERGE))
    assert f"main Again? ({one.pk}) summer Again? ({two.pk})" in words
    assert "Before First? " in words
    assert "First? Again?" in seen.main(maintainer.get(f"/commits/{unit.commit}/"))
    between = seen.main(maintainer.get("/compare/?from=main&to=summer&dots=2"))
    assert f"Again? ({one.pk}) Again? ({two.pk})" in between


def test_the_hour_that_comes_twice_is_told_by_its_offset(
    berlin, editor, erin, question
):
    later = published("main", erin, SECOND)
    words = seen.main(editor.get(f"/commits/{later}/"))
    assert (
        "25 October 2026, 02:30:00 UTC+02:00 25 October 2026, 02:30:00 UTC+01:00"
    ) in words


def test_so_it_is_where_one_is_chosen(berlin, maintainer, repository, erin, question):
    published("main", erin, FIRST - dt.timedelta(days=1))
    repository.create_branch("summer", repository.head("main"))
    published("main", erin, FIRST)
    published("summer", erin, SECOND)
    words = seen.main(maintainer.get(MERGE))
    assert "Before 24 October 2026, 02:30:00 " in words
    assert "main 25 October 2026, 02:30:00 UTC+02:00" in words
    assert "summer 25 October 2026, 02:30:00 UTC+01:00" in words


@pytest.fixture
def amounts(new_model, write):
    """The commit that changes a number by less than its field shows."""
    new_model(
        "Price",
        id=models.BigAutoField(primary_key=True),
        amount=models.DecimalField(max_digits=6, decimal_places=2),
    )
    write("main", "INSERT INTO polls_price VALUES (1, 1.231), (2, 0.5)")
    return write("main", "UPDATE polls_price SET amount = amount + 0.001")


def test_numbers_that_their_field_rounds_are_shown_as_stored(editor, amounts):
    words = seen.main(editor.get(f"/commits/{amounts}/"))
    assert "Amount 1.231 1.232" in words


def test_a_file_holds_them_as_stored(editor, amounts):
    page = editor.get(f"/commits/{amounts}/")
    before = page.context["overview"].before
    file = editor.get(
        f"/compare/export/?from={before}&to={amounts}&dots=2&format=csv"
        "&table=polls_price"
    )
    lines = b"".join(file.streaming_content).decode().splitlines()
    assert lines[1:] == ["changed,1,1,1.231,1.232", "changed,2,2,0.50,0.501"]


@pytest.mark.parametrize("text", ['{"a": 1, "b": 2}', '{"b":2,"a":1}'])
def test_a_document_that_is_written_otherwise_is_shown_as_stored(
    editor, new_model, write, text
):
    new_model(
        "Sheet", id=models.BigAutoField(primary_key=True), cells=models.JSONField()
    )
    write("main", """INSERT INTO polls_sheet VALUES (1, '{"a":1,"b":2}')""")
    update = "UPDATE polls_sheet SET cells = '{}'"
    after = write("main", update.format(text))
    words = seen.main(editor.get(f"/commits/{after}/")).replace("·", " ")
    assert f'Cells {{"a":1,"b":2}} {text}' in words


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("two words", "two\u200b words", "two words two[U+200B] words"),
        ("café", "cafe\u0301", "caf[U+00E9] cafe[U+0301]"),
        ("abc", "abc\u202e", "abc abc[U+202E]"),
        ("bell", "be\x07ll", "bell be[U+0007]ll"),
        ("né\u200b", "né", "né[U+200B] né"),
    ],
)
def test_signs_that_nobody_sees_are_told_by_their_numbers(
    editor, erin, question, before, after, told
):
    for text in (before, after):
        with versioning.on_branch("main", author=erin, message="Word") as unit:
            Question.objects.update(details=text)
    assert f"Details {told} 2 columns" in seen.main(
        editor.get(f"/commits/{unit.commit}/")
    )


def test_a_text_of_nothing_but_them_is_to_be_seen(editor, erin, question):
    with versioning.on_branch("main", author=erin, message="Word") as unit:
        Question.objects.update(details="\u200b\u2060")
    page = seen.main(editor.get(f"/commits/{unit.commit}/"))
    assert "Details empty text 2 blank characters□□" in page

"""The rows of a diff as HTML, which is not made by a template."""

import sys
from collections.abc import Callable

import pytest
from django.db import transaction
from django.utils import timezone
from django.utils.html import escape

import versioning
from polls.models import Choice, Question
from versioning.backends.repository import Author, ChangeKind, Commit
from versioning.presentation.cells import CellChange, show
from versioning.presentation.rows import RowDiff
from versioning.templatetags.versioning_rows import row_cells
from versioning.values import key_text

AUTHOR = Author("Erin Editor", "erin@example.org")
HOSTILE = "</span><script>alert(\"1\" & '2')</script>"
COLUMN = "<i>a & 'b'</i>"
CALLS = 350  # of Python functions, for one more row of a page


def ask(branch: str, *texts: str) -> list[Question]:
    with versioning.on_branch(branch, message="Ask") as unit:
        found = [Question.objects.create(text=text, details="") for text in texts]
    assert unit.commit
    return found


@pytest.fixture
def add_column(repository, connection) -> Callable[[str], None]:
    def add(branch: str) -> None:
        with (
            connection.bound(branch),
            connection.writing(),
            transaction.atomic(using=connection.alias, durable=True),
        ):
            name = connection.ops.quote_name(COLUMN)
            with connection.cursor() as cursor:
                cursor.execute(f"ALTER TABLE polls_question ADD COLUMN {name} text")
                cursor.execute(
                    f"UPDATE polls_question SET {name} = %s",  # noqa: S608
                    [HOSTILE],
                )
            repository.commit_all("Add a column", AUTHOR)

    return add


def test_what_rows_hold_is_text_and_never_markup(repository, maintainer, add_column):
    ask("main", HOSTILE)
    repository.create_branch("summer", repository.head("main"))
    add_column("summer")
    page = maintainer.get(
        "/compare/", {"from": "main", "to": "summer"}
    ).content.decode()
    rows = page.partition('class="diff diff--rows"')[2].partition("</table>")[0]
    label = f"Question “{escape(HOSTILE)}”"
    assert f"</span> {label} <span" in rows
    assert f'<span class="visually-hidden"> of {label}</span>' in rows
    assert f">{escape(COLUMN)}</th>" in rows
    assert f'<td role="cell" class="new">{escape(HOSTILE)}</td>' in rows
    assert "<script" not in rows and "<i>" not in rows


def test_a_row_leads_to_its_history_and_says_what_is_the_same(repository, maintainer):
    (question,) = ask("main", "What’s up?")
    repository.create_branch("summer", repository.head("main"))
    with versioning.on_branch("summer", message="Reword") as unit:
        Question.objects.update(text="What’s down?")
    page = maintainer.get(f"/commits/{unit.commit}/").content.decode()
    key = key_text((question.pk,))
    address = (
        f"/rows/history/?table=polls_question&amp;key=%5B{question.pk}%5D"
        f"&amp;ref={unit.commit}"
    )
    assert key == f"[{question.pk}]"
    assert f'href="{address}"' in page
    assert maintainer.get(address.replace("&amp;", "&")).status_code == 200
    assert "<summary>2 columns the same</summary>" in page
    assert "<div><dt>Details</dt><dd>" in page
    assert "<dt>Id</dt>" not in page and "<dt>ID</dt>" not in page


def calls(work: Callable[[], object]) -> int:
    """How many Python functions are called, which no other process delays."""
    found = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal found
        found += event == "call"

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(before)
    return found


def test_a_page_of_many_rows_costs_little_for_each(repository, maintainer):
    (question,) = ask("main", "What’s up?")
    repository.create_branch("summer", repository.head("main"))
    took = {}
    for rows in (5, 50):
        with versioning.on_branch("summer", message="Add choices") as unit:
            for number in range(rows):
                text = f"Choice {number} of {rows}"
                Choice.objects.create(question=question, text=text)
        url = f"/commits/{unit.commit}/"
        page = maintainer.get(url).content.decode()
        assert page.count('<tr class="diff__head"') == rows
        took[rows] = calls(lambda: maintainer.get(url))  # noqa: B023
    assert (took[50] - took[5]) / 45 < CALLS


@pytest.mark.parametrize("parents", [(), ("b" * 40,)])
def test_a_long_value_of_the_first_commit_has_no_other_to_stand_beside(parents):
    long = show("word " * 5_000)
    cell = CellChange("details", "Details", None, long, changed=True)
    row = RowDiff(ChangeKind.ADDED, "1", "", (cell,), key_text="[1]")
    commit = Commit("a" * 40, AUTHOR, timezone.now(), "Import", parents)
    html = row_cells(row, "polls_question", commit)
    assert "25,000 characters" in html
    assert ("/compare/value/" in html) is bool(parents)

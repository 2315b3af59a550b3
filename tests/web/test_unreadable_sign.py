"""
The sign U+FFFD, which stands where nothing could be read: in what is looked for, as
of an address in another encoding, and in what is found.
"""

import pytest

import versioning
from polls.models import Choice, Question
from tests.web import seen


@pytest.fixture(autouse=True)
def polls(repository, erin):
    with versioning.on_branch("main", author=erin, message="Ask"):
        for text in ("A Caf\ufffd, or tea?", "Plain 100% tea\nin two lines?"):
            question = Question.objects.create(text=text)
            Choice.objects.create(question=question, text="Yes")


@pytest.mark.parametrize("query", ["q=%EF%BF%BD", "q=%E9t%E9"])  # the latter Latin-1
@pytest.mark.parametrize("url", ["/", "/search/", "/log/"])
def test_it_can_be_looked_for_wherever_something_is(editor, url, query):
    assert editor.get(f"{url}?{query}").status_code == 200


def test_a_row_that_holds_it_is_found_by_it_whatever_the_case(client, editor):
    for browser, url in ((client, "/"), (editor, "/search/")):
        page = seen.main(browser.get(url, {"q": "a caf\ufffd,"}))
        assert "A Caf\ufffd, or tea?" in page
        assert "Plain" not in page


def test_other_rows_are_found_as_ever(client):
    page = seen.main(client.get("/", {"q": "100% TEA"}))
    assert "Plain 100% tea" in page
    assert "or tea?" not in page


@pytest.mark.parametrize(
    ("lookup", "pattern", "count"),
    [
        ("contains", "Caf\ufffd", 1),
        ("icontains", "caf\ufffd, OR", 1),
        ("startswith", "A Caf\ufffd", 1),
        ("istartswith", "caf\ufffd", 0),
        ("iendswith", "\ufffd, or tea?", 1),
        ("iexact", "a caf\ufffd, or tea?", 1),
        ("icontains", "C_f\ufffd", 0),
        ("icontains", "%\ufffd", 0),
        ("endswith", "Caf\ufffd", 0),
    ],
)
def test_lookups_take_it_as_any_other_sign(lookup, pattern, count):
    assert Question.objects.filter(**{f"text__{lookup}": pattern}).count() == count

"""Rows found by a text, as of a branch, a tag or a commit."""

import pytest

import versioning
from polls.models import Choice, Question
from tests.web import seen
from versioning import row_search


@pytest.fixture
def poll(repository, erin):
    with versioning.on_branch("main", author=erin, message="Ask"):
        question = Question.objects.create(
            text="What’s <b>up</b>?", details="Look at the sky. " * 20 + "No end."
        )
        Choice.objects.create(question=question, text="The sky")
        Choice.objects.create(question=question, text="100 %")
    return question


def found(client, **given):
    response = client.get("/search/", given)
    assert response.status_code == 200
    return seen.main(response)


def test_rows_of_all_tables_with_the_text_marked(editor, poll):
    response = editor.get("/search/", {"q": "SKY"})
    page = seen.main(response)
    assert "Choices Choice “The sky” of “What’s <b>up</b>?”" in page
    assert "Questions Question “What’s <b>up</b>?”" in page
    assert "Details Look at the sky. Look at" in page
    html = response.content.decode()
    assert "The <mark>sky</mark>" in html
    assert "<b>" not in html
    only = found(editor, q="sky", table="polls_choice")
    assert "The sky" in only
    assert "Details" not in only


def test_a_row_leads_to_its_history_where_it_was_found(editor, repository, erin, poll):
    repository.create_branch("summer", repository.head("main"))
    with versioning.on_branch("main", author=erin, message="Drop it"):
        Choice.objects.all().delete()
    answer = editor.get("/search/", {"q": "sky", "ref": "summer"})
    link = seen.links(answer)["Choice “The sky” of “What’s <b>up</b>?”"]
    history = seen.main(editor.get(link))
    assert "Choice “The sky”" in history
    assert "Drop it" not in history


def test_as_of_an_earlier_commit_a_branch_and_a_tag(editor, repository, erin, poll):
    before = repository.head("main")
    repository.create_tag("asked", before, message="", author=erin)
    with versioning.on_branch("main", author=erin, message="Drop it"):
        Choice.objects.all().delete()
        Question.objects.update(text="What now?", details="")
    assert "No row holds “sky”" in found(editor, q="sky")
    for ref in (before, before[:7], "asked"):
        assert "Choice “The sky” of “What’s <b>up</b>?”" in found(
            editor, q="sky", ref=ref
        )
    assert "Find rows as of here" in seen.links(editor.get(f"/commits/{before}/"))


@pytest.mark.parametrize(
    ("text", "is_there"), [("0 %", True), ("%%", False), ("_", False), ("'; --", False)]
)
def test_a_text_is_no_pattern(editor, poll, text, is_there):
    page = found(editor, q=text, table="polls_choice")
    assert ("Choice “100 %”" in page) is is_there


def test_tables_go_on_by_key_and_within_bounds(editor, erin, poll, monkeypatch):
    monkeypatch.setattr(row_search, "PER_TABLE", 2)
    with versioning.on_branch("main", author=erin, message="More"):
        for number in range(5):
            Choice.objects.create(question=poll, text=f"Cloud {number}")
    texts, url = "", "/search/?q=cloud&ref=main"
    for _ in range(3):
        response = editor.get(url)
        texts += seen.main(response)
        url = seen.links(response).get("More of Choices", "")
    assert not url
    for number in range(5):
        assert texts.count(f"Choice “Cloud {number}”") == 1
    monkeypatch.setattr(row_search, "SCANNED", 2)
    response = editor.get("/search/?q=cloud&ref=main")
    assert "None among the rows looked at so far." in seen.main(response)
    url = seen.links(response)["Look through more of Choices"]
    assert "Choice “Cloud 0”" in seen.main(editor.get(url))


def test_tables_beyond_the_first_are_on_a_page_of_their_own(editor, poll, monkeypatch):
    monkeypatch.setattr(row_search, "TABLES", 1)
    page = editor.get("/search/?q=no+end&ref=main")
    words = seen.main(page)
    assert "No row of the first 1 table holds “no end”" in words
    assert "main has 1 more table that text is kept in." in words
    rest = editor.get(seen.links(page)["Look in the other 1 table"])
    assert "Questions Question “What’s <b>up</b>?”" in seen.main(rest)
    assert not any("other" in words for words in seen.links(rest))
    nothing = seen.main(editor.get("/search/?q=nowhere&ref=main&past=polls_choice"))
    assert "No row of the other tables holds “nowhere”" in nothing


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ("q=x&ref=nowhere", 404),
        ("q=x&table=auth_user", 404),
        ("q=x&table=django_migrations", 404),
        ("q=x&table=polls_choice&after=x", 400),
        ("", 200),
    ],
)
def test_what_is_not_there(editor, given, status):
    assert editor.get(f"/search/?{given}").status_code == status


def test_the_choice_of_columns_is_one_functions(editor, poll, monkeypatch):
    monkeypatch.setattr(row_search, "searched_columns", lambda table: ["text"])
    page = found(editor, q="Look at the sky")
    assert "No row holds" in page


def test_a_name_that_is_not_there_is_said_in_the_form_that_named_it(editor, add):
    add("main", "Tea or coffee?")
    response = editor.get("/search/?q=coffee&ref=nowhere&table=polls_question")
    assert response.status_code == 404
    assert "There is no branch, tag or commit “nowhere”." in seen.main(response)
    page = response.content.decode()
    assert 'name="ref" value="nowhere"' in page
    assert 'name="q" value="coffee"' in page
    assert '<option value="polls_question" selected>' in page
    assert "Tea or" not in seen.main(response)

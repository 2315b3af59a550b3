"""Pages with nothing to show: what would be there, why it is not, what to do."""

import re

import pytest

import versioning
from polls.models import Choice, Question
from tests.engines import ENGINE
from tests.web import seen
from versioning.backends.repository import Author

ERIN = Author("Erin Editor", "erin@example.org")


@pytest.fixture
def poll(repository) -> Question:
    with versioning.on_branch("main", author=ERIN, message="Add a poll"):
        question = Question.objects.create(text="What’s up?")
        Choice.objects.create(question=question, text="The sky", votes=5)
    repository.create_branch("summer", repository.head("main"))
    return question


def vote(branch: str, votes: int) -> None:
    with versioning.on_branch(branch, author=ERIN, message=f"{votes} votes"):
        Choice.objects.update(votes=votes)


def empty(client, path: str, **query: str) -> tuple[str, str]:
    """What the page says instead of a list, and where its button leads."""
    page = client.get(path, query)
    assert page.status_code == 200
    html = page.content.decode()
    _, _, part = html.partition('class="empty"')
    assert part, seen.main(page)
    part = re.split(r"</section>|</div>", part)[0]
    (href,) = re.findall(r'class="button" href="([^"]*)"', part)
    href = href.replace("&amp;", "&")
    assert client.get(href).status_code == 200
    words = re.sub(r"<[^>]*>", " ", part.partition(">")[2])
    return " ".join(words.split()), href


def test_no_branch_is_called_so(editor, poll):
    said, href = empty(editor, "/branches/", q="winter")
    assert "None of the 2 branches has “winter” in its name." in said
    assert href == "/branches/"


def test_no_branch_was_deleted_yet(repository, poll, maintainer, editor):
    said = "Branches that are deleted will be listed here, to be brought back."
    assert said in seen.main(maintainer.get("/branches/"))
    assert said not in seen.main(editor.get("/branches/"))  # who can delete none
    pin = {"name": "summer", "head": repository.head("summer")}
    maintainer.post("/branches/delete/", pin)
    repository.create_branch("autumn", "main")
    page = seen.main(maintainer.get("/branches/"))
    assert said not in page
    assert "Branches deleted lately (1)" in page


def test_no_tags_yet(editor, poll):
    said, href = empty(editor, "/tags/")
    assert "A tag marks a state that somebody will want again" in said
    assert href == "/tags/new/"


def test_no_tags_yet_for_those_who_make_none(repository, poll, nobody, editor):
    from django.contrib.auth.models import Permission, User

    reader = User.objects.get(username="nell")
    reader.user_permissions.add(Permission.objects.get(codename="view_history"))
    said, href = empty(nobody, "/tags/")
    assert "Who may make branches can make one." in said
    assert href == "/log/"


def test_no_more_tags(editor, poll):
    said, href = empty(editor, "/tags/", after="zzz")
    assert "No more tags" in said
    assert href == "/tags/"


def test_no_commit_fits(editor, poll, monkeypatch):
    said, href = empty(editor, "/log/", branch="main", q="No such words")
    assert "None of the commits of main does." in said
    assert href == "/log/?branch=main"
    monkeypatch.setattr("versioning.history.SCANNED", 1)
    said, _ = empty(editor, "/log/", branch="main", q="No such words")
    assert "None of the newest 1 that were looked at does." in said


def test_two_names_of_one_commit(editor, poll):
    said, href = empty(editor, "/compare/", **{"from": "main", "to": "summer"})
    assert "Both names lead to one commit" in said
    assert href == "/branches/"
    said, _ = empty(editor, "/compare/", **{"from": "main", "to": "main"})
    assert "This is one state, held against itself." in said


def test_a_branch_that_changed_nothing_since(editor, poll):
    vote("main", 6)
    said, href = empty(editor, "/compare/", **{"from": "main", "to": "summer"})
    assert "summer changed nothing since it parted from main." in said
    assert href == "/compare/?from=summer&to=main&dots=3"
    vote("summer", 7)
    vote("summer", 5)
    said, _ = empty(editor, "/compare/", **{"from": "main", "to": "summer"})
    assert "summer ended where it began since it parted from main." in said


def test_what_was_changed_back(editor, poll):
    vote("summer", 7)
    vote("summer", 5)
    page = seen.main(editor.get("/compare/", {"from": "main", "to": "summer"}))
    assert "are the same: what was changed on the way was changed back." in page


def test_no_row_of_a_table_fits(editor, poll):
    vote("summer", 7)
    query = {"from": "main", "to": "summer", "table": "polls_choice"}
    said, href = empty(editor, "/compare/rows/", **query, kind="removed")
    assert "Rows of Choices differ between these two, but none was removed." in said
    assert "1 changed" in seen.main(editor.get(href))
    assert "kind=" not in href
    said, _ = empty(editor, "/compare/rows/", **query, column="text")
    assert "but none has another value in that column." in said


def test_no_row_holds_it(editor, poll):
    said, href = empty(editor, "/search/", q="rain", table="polls_choice")
    assert "In that table of main, that is." in said
    assert href == "/search/?q=rain&ref=main"
    said, href = empty(editor, "/search/", q="rain")
    assert "name it above" in said
    assert href == "/log/?branch=main&q=rain"


def test_the_first_commit(repository, editor, poll):
    first = repository.log([repository.head("main")], limit=1000)[-1].hash
    said, href = empty(editor, f"/commits/{first}/")
    assert "Nothing came before it" in said
    assert href == "/log/"


def test_a_commit_without_a_change(repository, editor, poll, stranger):
    verb = "CALL" if ENGINE == "dolt" else "SELECT"
    stranger.execute("main", f"{verb} dolt_commit('--allow-empty', '-m', 'Nothing')")
    page = seen.main(editor.get(f"/commits/{repository.head('main')}/"))
    assert "No difference" in page
    assert "this commit has a message and no change" in page

"""A page that has gone stale says so, and nothing else happens to it."""

import html
import re

import pytest

from tests.web import seen


@pytest.fixture
def summer(repository, add):
    add("main", "Tea or coffee?")
    repository.create_branch("summer", repository.head("main"))
    add("summer", "Lake or pool?")
    return "summer"


def asked_by(response):
    """Where a page asks whether it has gone stale."""
    found = re.search(r'data-live="\d+" hx-get="([^"]+)"', response.content.decode())
    assert found is not None
    return html.unescape(found[1])


PAGES = [
    "/log/",
    "/log/?branch=summer",
    "/branches/",
    "/compare/?from=main&to=summer",
    "/merge/?source=summer&target=main",
]


@pytest.mark.parametrize("path", PAGES)
def test_a_fresh_page_has_no_news(editor, summer, path):
    answer = editor.get(asked_by(editor.get(path)))
    assert (answer.status_code, answer.content) == (204, b"")
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize("path", PAGES)
def test_a_stale_page_is_told_what_is_new(editor, summer, add, path):
    url = asked_by(editor.get(path))
    branch = "summer" if path == "/log/?branch=summer" else "main"
    add(branch, "Cat or dog?")
    add(branch, "Sun or rain?")
    current = f"http://testserver{path}"
    headers = {"HX-Request": "true", "HX-Current-URL": current}
    answer = editor.get(url, headers=headers)
    assert answer.status_code == 200
    said = seen.text(answer)
    if path == "/branches/":
        assert said == "The branches have changed. Show them"
    else:
        assert said == f"2 new commits on {branch}. Show them"
    assert seen.links(answer)["Show them"] == path
    assert "<html" not in answer.content.decode()


@pytest.mark.parametrize("branch", ["autumn", "main"])
def test_a_head_of_several_branches_hears_of_each(editor, repository, add, branch):
    add("main", "Tea or coffee?")
    repository.create_branch("autumn", repository.head("main"))
    url = asked_by(editor.get(f"/commits/{repository.head('main')}/"))
    add(branch, "Cat or dog?")
    assert seen.text(editor.get(url)) == f"1 new commit on {branch}. Show it"


def test_a_commit_that_is_a_head_hears_of_the_next(editor, repository, summer, add):
    page = editor.get("/log/")
    first = repository.head("main")
    url = f"/live/?branch=main&head={first}"
    assert page.status_code == 200
    add("main", "Cat or dog?")
    assert seen.text(editor.get(url)) == "1 new commit on main. Show it"


def test_both_sides_of_a_comparison_are_watched(editor, summer, add):
    url = asked_by(editor.get("/compare/?from=main&to=summer"))
    add("main", "Cat or dog?")
    add("summer", "Sun or rain?")
    assert "1 new commit on main, 1 new commit on summer." in seen.text(editor.get(url))


def test_a_branch_that_is_gone_is_news(editor, repository, summer):
    url = asked_by(editor.get("/log/?branch=summer"))
    repository.delete_branch("summer")
    assert "summer is not what it was." in seen.text(editor.get(url))


@pytest.mark.parametrize("head", ["x", "0" * 32, "0" * 40, "main", "--all", "'"])
def test_a_hash_that_is_none_is_news_without_a_number(editor, summer, head):
    answer = editor.get("/live/", {"branch": "main", "head": head})
    assert answer.status_code == 200
    assert "main is not what it was." in seen.text(answer)


def test_who_may_not_know_is_told_nothing(nobody, client, repository, summer, add):
    url = f"/live/?branch=main&head={repository.head('main')}"
    add("main", "Cat or dog?")
    for person in (nobody, client):
        answer = person.get(url)
        assert (answer.status_code, answer.content) == (204, b"")


def test_a_damaged_address_is_refused(editor, summer):
    assert editor.get("/live/?branch=main").status_code == 400
    assert editor.get("/live/?" + "branch=b&head=h&" * 9).status_code == 400

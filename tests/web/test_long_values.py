"""A value that is too long for a card of a merge is on a page of its own."""

from dataclasses import replace

import pytest

import versioning
from polls.models import Question
from tests.web import seen
from versioning import policies
from versioning.merging.preview import sides_of

URL = "/merge/?source=summer&target=main"
LONG = "word " * 5_000


@pytest.fixture
def poll(repository, erin):
    """A poll whose details are long: others on each branch, and other than before."""
    with versioning.on_branch("main", author=erin, message="Ask"):
        question = Question.objects.create(text="What?", details=f"{LONG}before")
    repository.create_branch("summer", repository.head("main"))
    for branch in ("main", "summer"):
        with versioning.on_branch(branch, author=erin, message=f"Word on {branch}"):
            Question.objects.update(details=f"{LONG}{branch}")
    return question


def values(answer):
    """Addresses of whole values that a page leads to."""
    return [url for url in seen.addresses(answer) if url.startswith("/merge/value/")]


def pins(repository):
    sides = sides_of(repository, repository.head("main"), repository.head("summer"))
    assert sides is not None
    return {"base": sides.base, "ours": sides.ours, "theirs": sides.theirs}


@pytest.fixture
def address(repository, poll):
    return {
        "source": "summer",
        "target": "main",
        **pins(repository),
        "table": "polls_question",
        "key": f"[{poll.pk}]",
        "column": "details",
    }


def test_each_long_value_on_a_card_leads_to_all_of_it(editor, poll):
    page = editor.get(URL)
    assert "word word" in seen.main(page)
    assert "25,004 characters Show all" in seen.main(page)
    assert len(page.content) < 60_000
    assert len(values(page)) == 3  # before, and both sides
    (url,) = set(values(page))
    answer = editor.get(url)
    words = seen.main(answer)
    assert words.startswith("The merge Details Question “What?”, as each side of the")
    for side, text in (("Before", "before"), ("main", "main"), ("summer", "summer")):
        assert f'Details, {side}">{LONG}{text}</pre>' in answer.text
    assert seen.links(answer)["The merge"] == "/merge/?source=summer&target=main"


def test_it_is_of_the_commits_that_the_card_showed(repository, editor, poll, erin):
    (url,) = set(values(editor.get(URL)))
    with versioning.on_branch("summer", author=erin, message="Reword"):
        Question.objects.update(details="short")
    repository.delete_branch("summer")
    assert f"{LONG}summer</pre>" in editor.get(url).text


def test_a_longer_one_goes_on(editor, address, erin, repository):
    longest = "0123456789" * 6_000
    with versioning.on_branch("summer", author=erin, message="Reword"):
        Question.objects.update(details=f"{longest}END")
    page = editor.get("/merge/value/", address | pins(repository))
    assert "END" not in page.text
    assert f'Details, main">{LONG}main</pre>' in page.text
    on = seen.links(page)["Read on from character 50000"]
    last = editor.get(on)
    assert f'Details, summer">{"0123456789" * 1_000}END</pre>' in last.text
    assert 'Details, main"></pre>' in last.text
    assert "Read on" not in seen.main(last)


def test_a_settled_value_and_one_that_only_one_side_changed_lead_there_too(
    editor, maintainer, poll, erin, repository
):
    for branch in ("main", "summer"):
        with versioning.on_branch(branch, author=erin, message="Reword"):
            Question.objects.update(text=f"What on {branch}?")
    with versioning.on_branch("main", author=erin, message="As before"):
        Question.objects.update(details=f"{LONG}before")
    page = editor.get(URL)
    assert "changed on summer only" in seen.main(page)
    (url,) = values(page)
    assert f"{LONG}summer</pre>" in editor.get(url).text
    with versioning.on_branch("main", author=erin, message="Otherwise"):
        Question.objects.update(details=f"{LONG}main")
    fields = {"source": "summer", "target": "main", **pins(repository)}
    fields |= {"scope": "row", "table": "polls_question", "key": f"[{poll.pk}]"}
    answer = maintainer.post(
        "/merge/decide/",
        fields | {"take:details": "theirs"},
        headers={"HX-Request": "true"},
    )
    assert answer.status_code == 200
    assert len(values(answer)) == 4  # the result, too


def test_a_side_without_the_row_has_no_such_value(editor, poll, address, erin):
    with versioning.on_branch("summer", author=erin, message="Delete"):
        Question.objects.all().delete()
    page = editor.get(URL)
    (url,) = values(page)
    words = seen.main(editor.get(url))
    assert "summer There is no such value." in words


def test_short_and_empty_values_are_exact_too(editor, address):
    page = editor.get("/merge/value/", address | {"column": "text"})
    assert ', main">What?</pre>' in page.text


def test_a_hidden_column_stays_hidden(editor, owner, address, monkeypatch):
    policy = replace(policies.for_model(Question), hidden=frozenset({"details"}))
    monkeypatch.setitem(policies._policies, Question, policy)
    answer = editor.get("/merge/value/", address)
    assert answer.status_code == 404
    assert "word" not in seen.main(answer)
    assert values(editor.get(URL)) == []
    assert f"{LONG}summer</pre>" in owner.get("/merge/value/", address).text


def test_what_is_not_there_or_damaged(editor, nobody, client, address):
    def ask(person=editor, **query):
        return person.get("/merge/value/", address | query).status_code

    assert ask() == 200
    assert ask(column="nothing") == 404
    assert ask(key="[-1]") == 404
    assert ask(key="x") == 400
    assert ask(key="[1, 2]") == 400
    assert ask(table="auth_user") == 404
    assert ask(theirs="f" * len(address["theirs"])) == 404
    assert ask(theirs="summer") == 400
    assert ask(base="") == 400
    assert ask(start="-1") == 400
    assert ask(nobody) == 403
    assert ask(client) == 302

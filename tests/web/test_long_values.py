"""A value that is too long for a card of a merge is on a page of its own."""

import re
from dataclasses import replace
from uuid import uuid4

import pytest

import versioning
from polls.models import Question
from tests.web import seen
from tests.web.test_drafts_together import HTMX
from tests.web.test_mending import form as mend_form
from tests.web.test_mending import mend
from versioning import policies
from versioning.merging.preview import sides_of
from versioning.models import MergeDraft

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
    (url,) = set(values(page))  # of what it was, and of what it is
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


def test_a_row_that_merges_by_itself_leads_there_too(editor, poll, erin, repository):
    with versioning.on_branch("main", author=erin, message="As before"):
        Question.objects.update(details=f"{LONG}before")
    rows = "/merge/rows/?source=summer&target=main&table=polls_question"
    (url,) = set(values(editor.get(rows)))
    page = editor.get(url)
    assert f'Details, main">{LONG}before</pre>' in page.text
    assert f'Details, summer">{LONG}summer</pre>' in page.text


def test_a_side_without_the_row_has_no_such_value(editor, poll, address, erin):
    with versioning.on_branch("summer", author=erin, message="Delete"):
        Question.objects.all().delete()
    page = editor.get(URL)
    (url,) = set(values(page))  # as it was, and as it is
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


# What was decided -----------------------------------------------------------------


@pytest.fixture
def decide(repository, poll):
    """``decide(client, **fields)``: about the poll, as a form sends it."""

    def send(client, **fields):
        about = {"source": "summer", "target": "main", **pins(repository)}
        about |= {"scope": "row", "table": "polls_question", "key": f"[{poll.pk}]"}
        fields = {name.replace("__", ":"): value for name, value in fields.items()}
        answer = client.post("/merge/decide/", about | fields, headers=HTMX)
        assert answer.status_code in (200, 409), answer.text
        return answer

    return send


def decided(answer):
    """Addresses of values that were decided, in full, that a page leads to."""
    return [url for url in seen.addresses(answer) if "/values/" in url]


def test_a_record_leads_to_all_of_what_was_decided(editor, maintainer, poll, decide):
    decide(maintainer, take__details="value", value__details=f"{LONG}typed")
    draft = MergeDraft.objects.get()
    record = editor.get(f"/merges/{draft.pk}/")
    assert len(decided(record)) == 4  # before, both sides, and what was typed
    (url,) = set(decided(record))
    page = editor.get(url)
    assert "Question “What?”, as each side of the merge had it when mo decided" in (
        seen.main(page)
    )
    for side, text in (
        ("Before", "before"),
        ("main", "main"),
        ("summer", "summer"),
        ("Typed by mo", "typed"),
    ):
        assert f'Details, {side}">{LONG}{text}</pre>' in page.text
    assert seen.links(page)["What was decided"] == f"/merges/{draft.pk}/"


def test_folded_texts_open_where_they_part(editor, maintainer, poll, decide, erin):
    """They begin alike, and so would look alike until each is unfolded."""
    for branch in ("main", "summer"):
        with versioning.on_branch(branch, author=erin, message="Shorten"):
            Question.objects.update(details=f"{LONG[:1000]}as {branch} has it")
    card = seen.main(editor.get(URL))
    assert "word as main has it" in card
    decide(maintainer, take__details="theirs")
    openings = re.findall(r"<summary>(…[^<]*)</summary>", editor.get(URL).text)
    assert {opening.partition(" as ")[2] for opening in openings} >= {
        "main has it",
        "summer has it",
    }
    draft = MergeDraft.objects.get()
    record = editor.get(f"/merges/{draft.pk}/").text
    openings = re.findall(r"<summary>(…[^<]*)</summary>", record)
    assert [opening.partition(" as ")[2] for opening in openings] == [
        "main has it",
        "summer has it",
        "summer has it",  # taken
    ]


def test_what_was_taken_from_a_side_is_not_shown_twice(editor, maintainer, decide):
    decide(maintainer, take__details="theirs")
    draft = MergeDraft.objects.get()
    (url,) = set(decided(editor.get(f"/merges/{draft.pk}/")))
    page = editor.get(url)
    assert page.text.count("<pre") == 3
    assert "Typed" not in seen.main(page)


def test_a_card_leads_to_all_of_what_was_typed(editor, maintainer, decide):
    answer = decide(maintainer, take__details="value", value__details=f"{LONG}typed")
    (url,) = decided(answer)
    assert f"{LONG}typed</pre>" in editor.get(url).text
    answer = decide(maintainer, take__details="theirs")
    assert decided(answer) == []
    assert len(values(answer)) == 4


def test_a_longer_one_that_was_typed_goes_on(editor, maintainer, decide):
    longest = "0123456789" * 6_000 + "END"
    answer = decide(maintainer, take__details="value", value__details=longest)
    (url,) = decided(answer)
    page = editor.get(url)
    assert "END" not in page.text
    last = editor.get(seen.links(page)["Read on from character 50000"])
    assert f'Typed by mo">{"0123456789" * 1_000}END</pre>' in last.text


def test_values_of_then_and_of_now_are_there_in_full(
    editor, maintainer, poll, decide, erin
):
    decide(maintainer, take__details="theirs")
    with versioning.on_branch("summer", author=erin, message="Reword"):
        Question.objects.update(details=f"{LONG}autumn")
    page = editor.get(URL)
    assert "Look again." in seen.main(page)
    (then,) = set(decided(page))
    assert f'Details, summer">{LONG}summer</pre>' in editor.get(then).text
    assert len(decided(page)) == 4  # before, both sides, and what was chosen
    assert len(values(page)) == 4  # before, both sides, and summer’s as it is now
    (now,) = set(values(page))
    assert f'Details, summer">{LONG}autumn</pre>' in editor.get(now).text


def test_so_are_those_of_a_row_that_was_to_be_kept(
    editor, maintainer, poll, decide, erin
):
    with versioning.on_branch("main", author=erin, message="Delete"):
        Question.objects.all().delete()
    decide(maintainer, **{"take:": "theirs"})
    with versioning.on_branch("summer", author=erin, message="Reword"):
        Question.objects.update(details=f"{LONG}autumn")
    page = editor.get(URL)
    assert "Look again." in seen.main(page)
    (then,) = set(decided(page))
    words = editor.get(then)
    assert f'Details, summer">{LONG}summer</pre>' in words.text
    assert "main There is no such value." in seen.main(words)
    assert f"{LONG}autumn</pre>" in editor.get(values(page)[0]).text
    assert editor.get(then.replace("details", "nothing")).status_code == 404
    assert editor.get(then.partition("?")[0]).status_code == 404


def test_what_somebody_else_typed_meanwhile_is_there_in_full(
    editor, maintainer, owner, decide
):
    decide(owner, take__details="value", value__details=f"{LONG}typed")
    answer = decide(maintainer, take__details="ours")
    assert answer.status_code == 409
    urls = decided(answer)
    assert len(urls) == 2  # beside what I chose, and as what the value will be
    assert f"{LONG}typed</pre>" in editor.get(urls[0]).text


def test_what_is_no_longer_needed_is_there_in_full(
    editor, maintainer, poll, decide, erin
):
    decide(maintainer, take__details="value", value__details=f"{LONG}typed")
    with versioning.on_branch("main", author=erin, message="As on summer"):
        Question.objects.update(details=f"{LONG}summer")
    page = editor.get(URL)
    assert "1 decision no longer needed" in seen.main(page)
    (url,) = decided(page)
    assert f"{LONG}typed</pre>" in editor.get(url).text


def test_what_was_mended_in_another_row_is_there_in_full(
    repository, editor, maintainer, orphan, erin
):
    fields = {"take": "theirs", "value__details": f"{LONG}typed", "was__details": ""}
    made = mend_form(repository, "polls_question", orphan.question_id, **fields)
    assert mend(maintainer, made).status_code == 303
    with versioning.on_branch("summer", author=erin, message="Reword"):
        Question.objects.filter(pk=orphan.question_id).update(text="Otherwise?")
        Question.objects.filter(pk=orphan.question_id).update(details="Otherwise.")
    page = editor.get(URL)
    assert "Look again. mo mended this just now" in seen.main(page)
    (url,) = decided(page)
    assert f"{LONG}typed</pre>" in editor.get(url).text


def test_a_hidden_column_that_was_decided_stays_hidden(
    editor, owner, decide, monkeypatch
):
    decide(owner, take__details="value", value__details=f"{LONG}typed")
    draft = MergeDraft.objects.get()
    (url,) = set(decided(owner.get(f"/merges/{draft.pk}/")))
    policy = replace(policies.for_model(Question), hidden=frozenset({"details"}))
    monkeypatch.setitem(policies._policies, Question, policy)
    answer = editor.get(url)
    assert answer.status_code == 404
    assert "word" not in seen.main(answer)
    assert decided(editor.get(f"/merges/{draft.pk}/")) == []
    assert f"{LONG}typed</pre>" in owner.get(url).text


def test_a_decision_that_is_not_of_that_record(editor, nobody, maintainer, decide):
    decide(maintainer, take__details="theirs")
    draft = MergeDraft.objects.get()
    (url,) = set(decided(editor.get(f"/merges/{draft.pk}/")))
    assert editor.get(url.replace(str(draft.pk), str(uuid4()))).status_code == 404
    assert editor.get(f"{url}?start=x").status_code == 400
    assert nobody.get(url).status_code == 403

"""Columns that are not for everybody: what reaches whom, page by page."""

from dataclasses import replace

import pytest
from django.contrib.auth.models import Permission
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.urls import reverse

import versioning
from polls.models import Choice, Question
from tests.web import seen
from tests.web.fields import fields as form_fields
from tests.web.test_merges import about, decide, land, pins
from versioning import policies, visibility
from versioning.conf import repository as at_hand
from versioning.models import Decision, MergeDraft
from versioning.values import key_text

MERGE = "/merge/?source=summer&target=main"
SECRETS = ("Whispered", "Murmured", "Muttered", "31337", "31417", "31519")


@pytest.fixture(autouse=True)
def hidden(monkeypatch):
    """A question's details and a choice's votes are hidden."""
    for model, column in ((Question, "details"), (Choice, "votes")):
        policy = replace(policies.for_model(model), hidden=frozenset({column}))
        if model is Question:
            # A label that quotes what is hidden must not give it away.
            policy = replace(policy, label=lambda q: f"{q.text} ({q.details})")
        monkeypatch.setitem(policies._policies, model, policy)


@pytest.fixture
def poll(repository, erin):
    """Both branches changed what is hidden, and a text that is not."""
    with versioning.on_branch("main", author=erin, message="Ask"):
        question = Question.objects.create(text="What’s up?", details="Whispered")
        Choice.objects.create(question=question, text="The sky", votes=31337)
    repository.create_branch("summer", repository.head("main"))
    for branch, details, text, votes in (
        ("main", "Murmured", "Heaven", 31417),
        ("summer", "Muttered", "Skies", 31519),
    ):
        with versioning.on_branch(branch, author=erin, message="Reword"):
            Question.objects.update(details=details)
            Choice.objects.update(text=text, votes=votes)
    return question


def pages():
    """Addresses that show the change on summer."""
    head = at_hand().head("summer")
    ends = "from=main&to=summer"
    yield f"/compare/?{ends}&dots=2"
    yield f"/compare/?{ends}&dots=3"
    for table in ("polls_question", "polls_choice"):
        yield f"/compare/rows/?{ends}&dots=2&table={table}"
        yield f"/compare/export/?{ends}&dots=2&format=csv&table={table}"
    yield f"/compare/export/?{ends}&dots=2&format=sql"
    yield f"/commits/{head}/"
    for table, model in (("polls_question", Question), ("polls_choice", Choice)):
        key = key_text((model.objects.get().pk,))
        yield f"/rows/history/?table={table}&key={key}&ref=summer"
    yield MERGE


def body(response):
    if response.streaming:
        return b"".join(response.streaming_content).decode()
    return response.content.decode()


def test_no_page_and_no_file_holds_what_is_hidden(blind, sighted, poll):
    for url in pages():
        response = blind.get(url)
        assert response.status_code == 200, url
        text = body(response)
        assert [s for s in SECRETS if s in text] == [], url
        text = body(sighted.get(url))
        assert [s for s in SECRETS if s in text] != [], url


def test_the_page_says_that_something_is_hidden(blind, sighted, poll):
    page = seen.main(blind.get("/compare/?from=main&to=summer&dots=2"))
    assert "Details hidden hidden" in page
    assert "Choice Heaven Skies" in page
    page = seen.main(sighted.get("/compare/?from=main&to=summer&dots=2"))
    assert "Details Murmured Muttered" in page
    assert "What’s up? (Muttered)" in page


def test_rows_are_not_found_by_a_hidden_column(blind, sighted, poll):
    url = "/compare/rows/?from=main&to=summer&table=polls_question&column=details"
    assert blind.get(url).status_code == 404
    assert sighted.get(url).status_code == 200


def test_no_page_of_a_single_hidden_value_is_there(blind, sighted, poll):
    key = key_text((poll.pk,))
    url = "/compare/value/?from=main&to=summer&dots=2&table=polls_question"
    url += f"&column=details&key={key}"
    assert blind.get(url).status_code == 404
    assert "Murmured" in seen.main(sighted.get(url))


def test_a_search_does_not_look_into_what_is_hidden(blind, sighted, poll):
    for word in ("Muttered", "utter"):
        page = seen.main(blind.get(f"/search/?q={word}&ref=summer"))
        assert f"No row holds “{word}”" in page
        assert "Muttered" in seen.main(
            sighted.get(f"/search/?q={word}&ref=summer")
        ).replace(" ", "")
    found = seen.main(blind.get("/search/?q=Skies&ref=summer"))
    assert "Choice “Skies”" in found
    assert "Muttered" not in found


def test_a_file_says_what_was_left_out(blind, poll):
    sql = body(blind.get("/compare/export/?from=main&to=summer&dots=2&format=sql"))
    assert "-- Left out of polls_question: details." in sql
    assert "Skies" in sql
    csv = body(
        blind.get(
            "/compare/export/?from=main&to=summer&dots=2&format=csv&table=polls_choice"
        )
    )
    assert "text before" in csv
    assert "votes" not in csv


# Merging ----------------------------------------------------------------------


def about_question(poll, **decisions):
    return about(poll, **decisions) | {"table": "polls_question"}


def test_who_does_not_see_a_conflict_does_not_settle_it(
    repository, blind, sighted, poll
):
    page = seen.main(blind.get(MERGE))
    assert "This column is hidden from you. Somebody who may see it has to" in page
    fields = pins(repository) | about_question(poll, take__details="ours")
    assert decide(blind, fields).status_code == 403
    assert not Decision.objects.exists()
    # Everything at once leaves it to others.
    decide(blind, pins(repository) | {"scope": "all", "take": "theirs"})
    assert [d.column for d in Decision.objects.all()] == ["text"]
    assert land(blind, pins(repository)).status_code == 422
    assert decide(sighted, fields).status_code == 303
    answer = blind.get(MERGE)
    page = seen.main(answer)
    assert "Somebody who may see it has chosen." in page
    assert not [secret for secret in SECRETS if secret in page]
    shown = {"seen": form_fields(answer)["seen"]}
    assert land(blind, pins(repository) | shown).status_code == 303
    assert Question.objects.get().details == "Murmured"
    assert Choice.objects.get().votes == 31337 + 80 + 182


@pytest.mark.parametrize("take", ["value", "base", "sum"])
def test_a_hidden_count_is_not_overruled_by_whom_it_is_hidden_from(
    repository, blind, poll, take
):
    choice = Choice.objects.get()
    fields = about(choice, take__votes=take, value__votes="1")
    assert decide(blind, pins(repository) | fields).status_code == 403
    assert not Decision.objects.exists()


def test_one_answer_for_a_row_leaves_out_what_is_hidden(repository, blind, poll):
    choice = Choice.objects.get()
    fields = pins(repository) | about(choice) | {"row": "theirs"}
    assert decide(blind, fields).status_code == 303
    assert [d.column for d in Decision.objects.all()] == ["text"]


def test_a_row_is_not_mended_where_it_is_hidden(repository, blind, sighted, poll):
    fields = pins(repository) | {
        "table": "polls_question",
        "key": key_text((poll.pk,)),
        "take": "",
        "value:details": "Mine",
        "was:details": "",
    }
    url = reverse("versioning:merge-mend")
    assert blind.post(url, fields).status_code == 403
    assert sighted.post(url, fields).status_code == 303


def test_a_record_keeps_it_hidden(repository, blind, sighted, poll):
    fields = pins(repository) | about_question(poll, take__details="ours")
    decide(sighted, fields)
    decide(sighted, pins(repository) | {"scope": "all", "take": "theirs"})
    assert land(sighted, pins(repository)).status_code == 303
    url = f"/merges/{MergeDraft.objects.get().pk}/"
    page = seen.main(blind.get(url))
    assert not [secret for secret in SECRETS if secret in page]
    assert "hidden" in page
    assert "Murmured" in seen.main(sighted.get(url))


# What hides -------------------------------------------------------------------


def test_no_label_asks_for_what_is_hidden(blind, poll, monkeypatch):
    """Its query would go round all that is hidden, and to rows of another state."""

    def label(question):
        votes = (str(choice.votes) for choice in question.choices.all())
        return f"{question.text}: {', '.join(votes)}"

    policy = replace(policies.for_model(Question), label=label)
    monkeypatch.setitem(policies._policies, Question, policy)
    page = blind.get("/compare/?from=main&to=summer&dots=2")
    assert f"Question {poll.pk}" in seen.main(page)
    assert [secret for secret in SECRETS if secret in body(page)] == []


def test_a_receipt_names_nothing_hidden(client, poll, monkeypatch):
    """Of a choice whose name holds what is hidden of its question."""
    policy = replace(policies.for_model(Choice), hidden=frozenset())
    monkeypatch.setitem(policies._policies, Choice, policy)
    monkeypatch.setattr(
        Choice, "__str__", lambda self: f"{self.text} ({self.question.details})"
    )
    form = form_fields(client.get(reverse("polls:detail", args=[poll.pk])))
    chosen = {"choice": Choice.objects.get().pk}
    voted = client.post(reverse("polls:vote", args=[poll.pk]), form | chosen)
    page = client.get(f"/receipts/{voted['Location'].partition('receipt=')[2]}/")
    assert "Heaven ()" in seen.main(page)


def test_outside_a_request_nobody_sees_it(db, django_user_model):
    assert visibility.hidden_columns("polls_question") == {"details"}
    assert visibility.hidden_columns("polls_elsewhere") == set()
    with pytest.raises(PermissionDenied):
        visibility.require_shown("polls_question", ["details"])
    user = django_user_model.objects.create_user("u", password="x")
    with visibility.shown_to(user):
        assert visibility.hidden_columns("polls_question") == {"details"}
    user.user_permissions.add(Permission.objects.get(codename="view_hidden"))
    user = django_user_model.objects.get(pk=user.pk)
    with visibility.shown_to(user):
        assert visibility.hidden_columns("polls_question") == set()
    assert visibility.hidden_columns("polls_question") == {"details"}


@pytest.mark.parametrize("name", ["id", "nothing", "choices"])
def test_a_key_or_no_column_can_not_be_hidden(monkeypatch, name):
    monkeypatch.setattr(policies, "_policies", dict(policies._policies))
    with pytest.raises(ImproperlyConfigured):
        versioning.register(Question, hidden=[name])
    versioning.register(Question, hidden=["text"])
    assert policies.hidden_of("polls_question") == {"text"}


def test_nothing_hidden_is_shown_of_what_was_decided_before(
    repository, blind, sighted, poll, erin
):
    row = {"scope": "row", "table": "polls_question", "key": key_text((poll.pk,))}
    given = {"take:details": "value", "value:details": "Shouted"}
    assert decide(sighted, pins(repository) | row | given).status_code == 303
    with versioning.on_branch("summer", author=erin, message="Reword"):
        Question.objects.update(details="Mumbled")
    words = seen.main(sighted.get(MERGE))
    assert "sam chose: Shouted typed" in words
    page = blind.get(MERGE)
    assert "Look again: decided for other values by sam" in seen.main(page)
    assert "Choose the same again" not in seen.main(page)
    for secret in ("Shouted", "Mumbled", "Muttered", "Murmured"):
        assert secret not in page.content.decode()
    fields = pins(repository) | row | {"again": "details"}
    assert decide(blind, fields).status_code == 403
    with versioning.on_branch("summer", author=erin, message="As on main"):
        Question.objects.update(details="Murmured")
    assert "Details: Shouted typed, by sam" in seen.main(sighted.get(MERGE))
    page = blind.get(MERGE)
    assert "Details: hidden typed, by sam" in seen.main(page)
    assert "Shouted" not in page.content.decode()

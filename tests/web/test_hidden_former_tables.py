"""Hidden columns, read where their table has another name than its model's now."""

from dataclasses import replace
from itertools import pairwise

import pytest
from django.db import connections

import versioning
from polls.models import Question
from tests.web import seen
from tests.web.fields import fields as form_fields
from tests.web.test_hidden import body
from tests.web.test_merges import decide, land, pins
from versioning import policies, visibility
from versioning.models import Decision, MergeDraft

SECRETS = ("Whispered", "Murmured", "Muttered", "Mumbled", "Shouted")
MERGE = "/merge/?source=summer&target=main"
ROW = {"scope": "row", "table": "polls_old", "key": "[1]"}


@pytest.fixture(autouse=True)
def hidden(monkeypatch):
    """A question's details are hidden."""
    policy = replace(policies.for_model(Question), hidden=frozenset({"details"}))
    monkeypatch.setitem(policies._policies, Question, policy)


@pytest.fixture
def sql(erin):
    """``sql(branch, *statements)``: run them, as one commit; its hash."""

    def run(branch, *statements):
        with (
            versioning.on_branch(branch, author=erin, message="By SQL") as unit,
            connections["versioned"].cursor() as cursor,
        ):
            for statement in statements:
                cursor.execute(statement)
        return unit.commit

    return run


@pytest.fixture
def past(sql):
    """
    Commits of a table that is renamed in the third, as when a model is. The
    column that is hidden had another name at first.
    """
    sql(
        "main",
        "ALTER TABLE polls_question RENAME TO polls_old",
        "ALTER TABLE polls_old RENAME COLUMN details TO secret",
    )
    return [
        sql(
            "main",
            "INSERT INTO polls_old (id, text, secret, published) "
            "VALUES (1, 'Seen', 'Whispered', '2026-01-01 00:00:00')",
        ),
        sql("main", "UPDATE polls_old SET secret = 'Murmured' WHERE id = 1"),
        sql("main", "ALTER TABLE polls_old RENAME COLUMN secret TO details"),
        sql("main", "UPDATE polls_old SET details = 'Mumbled' WHERE id = 1"),
        sql("main", "ALTER TABLE polls_old RENAME TO polls_question"),
        sql("main", "UPDATE polls_question SET details = 'Muttered' WHERE id = 1"),
    ]


def pages(past):
    for at in past:
        yield f"/commits/{at}/"
    for one, other in pairwise(past):
        for before, after in ((one, other), (other, one), (past[0], other)):
            ends = f"from={before}&to={after}&dots=2"
            yield f"/compare/?{ends}"
            yield f"/compare/export/?{ends}&format=sql"
            for table in ("polls_old", "polls_question"):
                yield f"/compare/rows/?{ends}&table={table}"
                yield f"/compare/export/?{ends}&format=csv&table={table}"
                for column in ("secret", "details"):
                    one_row = f"{ends}&table={table}&column={column}"
                    yield f"/compare/rows/?{one_row}"
                    yield f"/compare/value/?{one_row}&key=[1]"
    for at in past:
        for table in ("polls_old", "polls_question"):
            yield f"/rows/history/?table={table}&key=[1]&ref={at}"
        yield f"/search/?q=Mu&ref={at}"


def test_no_page_of_the_past_holds_what_is_hidden(blind, sighted, past):
    shown = 0
    for url in pages(past):
        text = body(blind.get(url))
        assert [s for s in SECRETS if s in text] == [], url
        text = body(sighted.get(url))
        shown += any(s in text for s in SECRETS)
    assert shown > 40


def test_the_page_says_what_is_hidden_and_shows_the_rest(blind, past):
    page = seen.main(blind.get(f"/commits/{past[0]}/"))
    assert "Seen secret nothing hidden" in page
    assert "Seen" in page
    ends = f"from={past[0]}&to={past[1]}&dots=2&format=sql"
    script = body(blind.get(f"/compare/export/?{ends}"))
    assert "-- Left out of polls_old: secret." in script


# Merging, and what nobody committed -------------------------------------------


@pytest.fixture
def conflict(repository, sql):
    """Both branches changed a row of a table that no model has."""
    sql(
        "main",
        "ALTER TABLE polls_question RENAME TO polls_old",
        "INSERT INTO polls_old (id, text, details, published) "
        "VALUES (1, 'Seen', 'Whispered', '2026-01-01 00:00:00'), "
        "(2, 'Also', 'Whispered', '2026-01-01 00:00:00')",
    )
    repository.create_branch("summer", repository.head("main"))
    change = "UPDATE polls_old SET details = '{}', text = '{}' WHERE id = 1"
    sql("main", change.format("Murmured", "Here"))
    sql("summer", change.format("Muttered", "There"))
    sql("summer", "UPDATE polls_old SET details = 'Mumbled' WHERE id = 2")


def test_a_merge_neither_shows_nor_takes_it(repository, blind, sighted, conflict):
    page = blind.get(MERGE)
    assert "This column is hidden from you." in seen.main(page)
    assert [s for s in SECRETS if s in body(page)] == []
    assert "Murmured" in body(sighted.get(MERGE))
    value = MERGE.replace("/merge/", "/merge/value/") + "&table=polls_old&key=[1]"
    value += "".join(f"&{name}={at}" for name, at in pins(repository).items())
    assert blind.get(f"{value}&column=details").status_code == 404
    fields = pins(repository) | ROW | {"take:details": "ours"}
    assert decide(blind, fields).status_code == 403
    decide(blind, pins(repository) | {"scope": "all", "take": "theirs"})
    assert [d.column for d in Decision.objects.all()] == ["text"]
    assert land(blind, pins(repository)).status_code == 422
    assert decide(sighted, fields).status_code == 303
    shown = {"seen": form_fields(sighted.get(MERGE))["seen"]}
    assert land(sighted, pins(repository) | shown).status_code == 303
    record = f"/merges/{MergeDraft.objects.get().pk}/"
    page = blind.get(record)
    assert [s for s in SECRETS if s in body(page)] == []
    assert "details" in seen.main(page)
    assert "Murmured" in body(sighted.get(record))


def test_rows_that_nobody_committed_keep_it_hidden(blind, sighted, conflict, stranger):
    stranger.execute("summer", "UPDATE polls_old SET details = 'Shouted' WHERE id = 1")
    for url in (
        "/branches/working/?name=summer",
        "/branches/working/rows/?name=summer&table=polls_old",
    ):
        assert [s for s in SECRETS if s in body(blind.get(url))] == []
        assert "Shouted" in body(sighted.get(url))


# What hides -------------------------------------------------------------------


def test_a_table_of_no_model_may_be_any_model_s_former_one(db):
    hidden = visibility.hidden_among("polls_old", ["id", "text", "details", "what"])
    assert hidden == {"details", "what"}
    assert visibility.hidden_among("polls_choice", ["votes", "details"]) == set()
    assert visibility.hidden_among("django_migrations", ["name", "app"]) == set()


def test_where_nothing_is_hidden_anywhere_no_table_hides(db, monkeypatch):
    monkeypatch.setattr(policies, "_policies", {})
    assert visibility.hidden_among("polls_old", ["id", "details", "what"]) == set()

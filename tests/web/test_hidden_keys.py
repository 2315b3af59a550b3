"""Rows that go by a column which is hidden: a key says what it holds."""

import base64
import re
import urllib.parse
from dataclasses import replace

import pytest
from django.db import models
from django.utils.http import urlencode

import versioning
from polls.models import Question
from tests.web import seen
from tests.web.fields import fields as form_fields
from tests.web.test_hidden import MERGE, body
from tests.web.test_merges import decide, land, pins
from versioning import policies
from versioning.models import Decision, MergeDraft
from versioning.values import key_text

SECRET = "@secret.example"
ROWS = 60  # more than a page
MEMBER = "INSERT INTO members VALUES ('{}', '{}')"
QUESTION = (
    "INSERT INTO polls_question (id, text, details, published) "
    "VALUES (7, '{}', '', '2026-01-01 00:00:00')"
)
FORMER = "INSERT INTO polls_question VALUES ('{}', {}, 'Noted')"
WITHHELD = "go by a column that you may not see"


@pytest.fixture(autouse=True)
def hidden(monkeypatch):
    """A question's details are hidden, so what no model has may be those."""
    policy = replace(policies.for_model(Question), hidden=frozenset({"details"}))
    monkeypatch.setitem(policies._policies, Question, policy)


@pytest.fixture(params=["by their e-mail", "without a key"])
def table(request, write):
    """A table of no model, whose rows are told apart by what is hidden; its name."""
    key = ", PRIMARY KEY (email)" if request.param == "by their e-mail" else ""
    write("main", f"CREATE TABLE members (email varchar(40), text varchar(40){key})")
    return "members"


def rows(text):
    return [MEMBER.format(f"{n:02}{SECRET}", text) for n in range(ROWS)]


@pytest.fixture
def apart(repository, table, write):
    """A branch on which rows were added."""
    repository.create_branch("summer", repository.head("main"))
    write("main", QUESTION.format("Here"))
    return write("summer", *rows("Seen"))


@pytest.fixture
def conflict(repository, write):
    """Both branches changed rows that go by what is hidden."""
    write(
        "main",
        "CREATE TABLE members (email varchar(40) PRIMARY KEY, text varchar(40))",
        *rows("Seen"),
    )
    repository.create_branch("summer", repository.head("main"))
    write("main", "UPDATE members SET text = 'Here'")
    write("summer", "UPDATE members SET text = 'There'")


def holds(text):
    """Whether a page holds what is hidden, be it in an address' own spelling."""
    found = [text]
    for token in re.findall(r"[\w-]{12,}", text):
        padded = token + "=" * (-len(token) % 4)
        try:
            found.append(base64.urlsafe_b64decode(padded).decode(errors="replace"))
        except ValueError:
            continue
    return any(SECRET in one or SECRET.replace("@", "%40") in one for one in found)


def pages(head):
    ends = "from=main&to=summer"
    yield f"/commits/{head}/"
    for dots in (2, 3):
        yield f"/compare/?{ends}&dots={dots}"
        yield f"/compare/rows/?{ends}&dots={dots}&table=members"
        yield f"/compare/rows/?{ends}&dots={dots}&table=members&column=text"
        yield f"/compare/export/?{ends}&dots={dots}&format=csv&table=members"
        yield f"/compare/export/?{ends}&dots={dots}&format=sql"
    yield MERGE
    yield "/merge/rows/?source=summer&target=main&table=members"
    yield f"/search/?q=0&ref={head}"


def test_no_page_holds_a_key_that_is_hidden(blind, sighted, apart):
    told = 0
    for url in pages(apart):
        page = blind.get(url)
        assert page.status_code == 200, url
        assert not holds(body(page)), url
        told += holds(body(sighted.get(url)))
    assert told >= 9


def test_the_page_says_why_it_shows_no_rows(blind, sighted, apart):
    for url in (
        f"/commits/{apart}/",
        "/compare/?from=main&to=summer",
        "/compare/rows/?from=main&to=summer&table=members",
        "/merge/rows/?source=summer&target=main&table=members",
    ):
        page = seen.main(blind.get(url))
        assert WITHHELD in page, url
        assert "Seen" not in page, url
        assert WITHHELD not in seen.main(sighted.get(url))


def test_no_page_of_one_row_says_whether_it_is_there(
    repository, blind, sighted, conflict
):
    there, nowhere = f"01{SECRET}", f"99{SECRET}"
    for address in (
        "/compare/value/?from=main&to=summer&table=members&column=text&",
        f"/merge/value/?{urlencode(pins(repository))}&table=members&column=text&",
        "/rows/history/?ref=summer&table=members&",
    ):
        for key in (there, nowhere):
            url = address + urlencode({"key": key_text((key,))})
            assert blind.get(url).status_code == 404, url
        url = address + urlencode({"key": key_text((there,))})
        assert sighted.get(url).status_code == 200, url


def test_rows_that_nobody_committed_are_withheld(blind, sighted, table, stranger):
    for row in rows("Left"):
        stranger.execute("main", row)
    for url in (
        "/branches/working/?name=main",
        "/branches/working/rows/?name=main&table=members",
    ):
        page = blind.get(url)
        assert not holds(body(page)), url
        assert WITHHELD in seen.main(page)
        assert holds(body(sighted.get(url))), url


def test_conflicts_wait_for_somebody_who_may_see_them(
    repository, blind, sighted, conflict
):
    page = blind.get(MERGE)
    assert not holds(body(page))
    assert "Rows of members are hidden from you" in seen.main(page)
    assert "60 decisions still missing" in seen.main(page)
    assert holds(body(sighted.get(MERGE)))
    key = key_text((f"01{SECRET}",))
    row = {"scope": "row", "table": "members", "key": key, "take:text": "theirs"}
    assert decide(blind, pins(repository) | row).status_code == 404
    decide(blind, pins(repository) | {"scope": "all", "take": "theirs"})
    assert not Decision.objects.exists()
    assert decide(sighted, pins(repository) | row).status_code == 303
    decide(sighted, pins(repository) | {"scope": "all", "take": "theirs"})
    assert Decision.objects.count() == ROWS
    shown = {"seen": form_fields(sighted.get(MERGE))["seen"]}
    assert land(sighted, pins(repository) | shown).status_code == 303
    record = f"/merges/{MergeDraft.objects.get().pk}/"
    assert not holds(body(blind.get(record)))
    assert holds(body(sighted.get(record)))


def test_conflicts_in_other_tables_are_settled_all_the_same(
    repository, write, blind, conflict
):
    for branch in ("main", "summer"):
        write(branch, QUESTION.format(branch))
    page = blind.get(MERGE)
    assert "Added on both main and summer with the same key." in seen.main(page)
    assert not holds(body(page))
    decide(blind, pins(repository) | {"scope": "all", "take": "theirs"})
    assert {d.table for d in Decision.objects.all()} == {"polls_question"}


def test_rows_to_mend_wait_for_somebody_who_may_see_them(
    repository, write, blind, sighted
):
    write(
        "main",
        "CREATE TABLE members (email varchar(40) PRIMARY KEY, text varchar(40) UNIQUE)",
    )
    repository.create_branch("summer", repository.head("main"))
    one, other = f"01{SECRET}", f"02{SECRET}"
    write("main", MEMBER.format(one, "Alike"))
    write("summer", MEMBER.format(other, "Alike"))
    page = blind.get(MERGE)
    assert not holds(body(page))
    assert "Rows of members are hidden from you" in seen.main(page)
    assert "2 rows of the result would break a rule" in seen.main(page)
    assert holds(body(sighted.get(MERGE)))
    drop = {"table": "members", "key": key_text((other,)), "take": "drop"}
    drop = pins(repository) | drop
    assert blind.post("/merge/mend/", drop).status_code == 403
    assert sighted.post("/merge/mend/", drop).status_code == 303
    assert "2 rows" not in seen.main(blind.get(MERGE))
    shown = {"seen": form_fields(sighted.get(MERGE))["seen"]}
    assert land(sighted, pins(repository) | shown).status_code == 303
    record = f"/merges/{MergeDraft.objects.get().pk}/"
    assert not holds(body(blind.get(record)))
    assert holds(body(sighted.get(record)))


def test_a_table_whose_rows_went_by_what_is_hidden_now(write, blind, sighted):
    then = write(
        "main",
        "DROP TABLE polls_choice",
        "DROP TABLE polls_question",
        "CREATE TABLE polls_question "
        "(details varchar(40) PRIMARY KEY, id int, text varchar(40))",
        *(FORMER.format(f"{n:02}{SECRET}", n) for n in range(ROWS)),
    )
    for url in (f"/commits/{then}/", f"/search/?q=Noted&ref={then}"):
        assert not holds(body(blind.get(url))), url
        assert holds(body(sighted.get(url))), url


@pytest.mark.parametrize(
    "change", ["DELETE FROM members", "UPDATE members SET text = 'Gone'"]
)
def test_sql_holds_no_row_that_goes_by_what_is_hidden(
    repository, write, blind, sighted, table, change
):
    write("main", MEMBER.format(f"a{SECRET}", "Here"))
    repository.create_branch("summer", repository.head("main"))
    write("summer", change)
    url = "/compare/export/?from=main&to=summer&format=sql"
    assert "Left out" not in body(sighted.get(url))
    file = body(blind.get(url))
    assert SECRET not in file
    assert re.search("^-- Left out: .*members,", file, re.M)
    assert "UPDATE" not in file
    assert "DELETE" not in file


def test_a_name_of_several_lines_stays_in_a_comment_of_the_file(
    repository, write, blind, connection
):
    name = connection.ops.quote_name("a\nDROP TABLE polls_question; -- ")
    repository.create_branch("summer", repository.head("main"))
    write(
        "summer",
        f"CREATE TABLE members (id int PRIMARY KEY, {name} varchar(9))",
        "INSERT INTO members VALUES (1, 'x')",
    )
    file = body(blind.get("/compare/export/?from=main&to=summer&format=sql"))
    comments, _, _ = file.partition("CREATE TABLE")
    assert "-- Left out of members: a DROP TABLE polls_question; -- ." in comments
    assert "\nDROP TABLE" not in comments


def test_a_row_s_history_leads_to_no_key_that_is_hidden(write, blind, sighted):
    table = "CREATE TABLE members (id int NOT NULL, email varchar(40) NOT NULL, {})"
    row = MEMBER.format(1, f"a{SECRET}")
    write("main", table.format("PRIMARY KEY (email)"), row)
    after = write("main", "DROP TABLE members", table.format("PRIMARY KEY (id)"), row)
    url = f"/rows/history/?table=members&key=[1]&ref={after}"
    assert SECRET in urllib.parse.unquote(body(sighted.get(url)))
    page = blind.get(url)
    assert "told apart by email." in seen.main(page)
    assert SECRET not in urllib.parse.unquote(body(page))


# By who points to it -------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "/compare/?from=main&to=summer",
        "/compare/export/?from=main&to=summer&format=csv&table=polls_note",
        "/compare/export/?from=main&to=summer&format=sql",
        "/rows/history/?table=polls_note&key=[1]&ref=summer",
        "/merge/rows/?source=summer&target=main&table=polls_note",
    ],
)
def test_what_points_to_a_row_by_a_hidden_column_is_hidden_too(
    new_model, repository, erin, blind, url
):
    member = new_model(
        "Member",
        id=models.BigIntegerField(primary_key=True),
        email=models.CharField(max_length=50, unique=True),
    )
    note = new_model(
        "Note",
        id=models.BigIntegerField(primary_key=True),
        member=models.ForeignKey(
            member,
            models.CASCADE,
            to_field="email",
            db_constraint=False,
            related_name="+",
        ),
    )
    versioning.register(member, hidden=["email"])
    repository.create_branch("summer", repository.head("main"))
    with versioning.on_branch("summer", author=erin, message="Join"):
        member.objects.create(id=1, email=f"ada{SECRET}")
        note.objects.create(id=1, member_id=f"ada{SECRET}")
    answer = blind.get(url)
    assert answer.status_code == 200
    assert SECRET not in body(answer)

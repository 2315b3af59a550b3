"""Keys and numbers in addresses and forms that none of ours holds."""

import json
from urllib.parse import urlencode

import pytest
from django.db import models
from django.urls import reverse

from tests.web import seen
from tests.web.test_merges import about, decide, pins
from versioning.backends.repository import MergeSides
from versioning.merging import drafts
from versioning.models import Decision, MergeDraft

KEYS = [
    "[" * 3000,
    "[NaN]",
    "[Infinity]",
    "[1e400]",
    "[true]",
    '["\\ud800"]',
    '["\\u0000"]',
    "[123456789012345678901234567890]",
    '[{"$":"int","v":"-9223372036854775809"}]',
    '[{"$":"int","v":"18446744073709551616"}]',
    '[{"$":"microseconds","v":"99999999999999999999999"}]',
    '[{"$":"decimal","v":"NaN"}]',
    '[{"$":"decimal","v":"sNaN"}]',
    '[{"$":"decimal","v":"1E+999999"}]',
    '[{"$":"float","v":"inf"}]',
    '[{"$":"float","v":"nan"}]',
    '[{"$":"uuid","v":"00000000-0000-0000-0000-000000000000"}]',
    '[{"$":"datetime","v":"0001-01-01T00:00:00"}]',
    '[{"$":["x"],"v":"1"}]',
    '"x"',
    "{}",
    "1",
    "",
]
NUMBERS = ["9" * 30, "9" * 5000, "-1", "1.5", "٣", "1e3", "x", ""]


@pytest.fixture
def visitor(maintainer):
    maintainer.raise_request_exception = False
    return maintainer


@pytest.fixture
def max_draft(repository, django_user_model):
    """A merge that is in the other database, where nothing is branched."""
    head = repository.head("main")
    return drafts.begin(
        "autumn", "main", MergeSides(head, head, head), django_user_model.objects.get()
    )


@pytest.mark.parametrize("key", KEYS, ids=range(len(KEYS)))
def test_a_key_that_no_row_has_is_refused(repository, visitor, heaven, key):
    cell = {"table": "polls_choice", "column": "text", "key": key}
    between = {"from": "main", "to": "summer", "dots": "2"}
    for path, query in (
        ("/rows/history/", {"ref": "summer"}),
        ("/compare/value/", between),
        ("/merge/value/", pins(repository)),
    ):
        answer = visitor.get(f"{path}?{urlencode(query | cell)}")
        assert answer.status_code in (400, 404), path
    for name, choice in (
        ("merge-decide", {"scope": "row", "take:text": "ours"}),
        ("merge-mend", {"take": "drop"}),
    ):
        form = pins(repository) | {"table": "polls_choice", "key": key} | choice
        answer = visitor.post(reverse(f"versioning:{name}"), form)
        assert answer.status_code in (400, 404), name
    assert not Decision.objects.exists()


@pytest.mark.parametrize("number", NUMBERS, ids=range(len(NUMBERS)))
def test_a_number_that_none_of_ours_is_is_refused(repository, visitor, heaven, number):
    decide(visitor, pins(repository) | about(heaven, take__text="theirs"))
    draft, decision = MergeDraft.objects.get(), Decision.objects.get()
    cell = {"table": "polls_choice", "column": "text", "key": json.dumps([heaven.pk])}
    between = {"from": "main", "to": "summer", "dots": "2"}
    for path, query in (
        (f"/merges/{draft.pk}/", {"after": number}),
        (f"/merges/{draft.pk}/values/{decision.pk}/", {"start": number} | cell),
        ("/compare/value/", between | cell | {"start": number}),
        ("/merge/value/", pins(repository) | cell | {"start": number}),
        ("/branches/", {"deleted": number}),
    ):
        answer = visitor.get(f"{path}?{urlencode(query)}")
        assert answer.status_code in (400, 404), path
    for name, args, form in (
        ("merge-abandon", [draft.pk], {"seen": number}),
        ("branch-restore", [], {"deleted": number}),
    ):
        answer = visitor.post(reverse(f"versioning:{name}", args=args), form)
        assert answer.status_code == 400, name
    draft.refresh_from_db()
    assert draft.state == MergeDraft.State.OPEN


def test_a_branch_whose_name_no_engine_takes_is_not_found(visitor, repository):
    for path in ("/branches/working/", "/branches/rename/", "/branches/delete/"):
        answer = visitor.get(f"{path}?name=%00")
        assert answer.status_code == 404, path


def test_a_text_that_is_none_is_said_to_be_so(repository, visitor, write, caplog):
    """Other clients can write it. Dolt reads it somehow, DoltLite’s driver does not."""
    table = "CREATE TABLE things (id int PRIMARY KEY, a varchar(20))"
    write("main", table, "INSERT INTO things VALUES (1, 'x'), (2, 'y')")
    repository.create_branch("summer", repository.head("main"))
    is_dolt = repository.features.engine == "Dolt"
    text = f"CAST(X'C328' AS {'CHAR' if is_dolt else 'TEXT'})"
    head = write("summer", f"UPDATE things SET a = {text} WHERE id = 1")  # noqa: S608
    between = "from=main&to=summer&dots=2"
    for path in (
        f"/commits/{head}/",
        f"/compare/?{between}",
        f"/compare/rows/?{between}&table=things",
        "/rows/history/?table=things&key=[1]&ref=summer",
        "/merge/rows/?source=summer&target=main&table=things",
    ):
        answer = visitor.get(path)
        assert answer.status_code == (200 if is_dolt else 409), path
        if not is_dolt:
            assert "This can’t be shown" in seen.main(answer)
            assert "no UTF-8" in seen.main(answer)
    assert is_dolt or "column 'to_a'" in caplog.text
    # What holds none of it is as ever.
    assert visitor.get("/log/?branch=summer").status_code == 200


def test_a_reference_into_the_other_database_that_is_none(
    repository, visitor, new_model, write, max_draft
):
    """The others of its page are named all the same."""
    draft = models.ForeignKey(
        MergeDraft, models.DO_NOTHING, db_constraint=False, related_name="+"
    )
    new_model("Note", id=models.BigAutoField(primary_key=True), draft=draft)
    insert = "INSERT INTO polls_note (id, draft_id) VALUES ({}, '{}')"
    notes = [insert.format(1, "xyz"), insert.format(2, max_draft.pk.hex)]
    head = write("main", *notes)
    page = visitor.get(f"/commits/{head}/")
    assert page.status_code == 200
    assert "xyz" in seen.main(page)
    assert str(max_draft) in seen.main(page)


@pytest.mark.parametrize("name", ["commit", "commit_date", "diff_type"])
def test_a_key_with_a_name_of_the_engines(repository, visitor, write, caplog, name):
    """Of a table that no model has, so that no check has said it."""
    table = f"CREATE TABLE things (`{name}` varchar(20) PRIMARY KEY, a varchar(20))"
    write("main", table, "INSERT INTO things VALUES ('k1', 'x'), ('k2', 'y')")
    repository.create_branch("summer", repository.head("main"))
    for branch in ("main", "summer"):
        change = f"UPDATE things SET a = '{branch}' WHERE `{name}` = 'k1'"  # noqa: S608
        write(branch, change)
    is_dolt = repository.features.engine == "Dolt"
    between = "from=main&to=summer&dots=2"
    of_diffs = (
        f"/commits/{repository.head('summer')}/",
        f"/compare/rows/?{between}&table=things",
        "/rows/history/?table=things&key=[%22k1%22]&ref=summer",
    )
    of_conflicts = ("/merge/?source=summer&target=main",)
    for path in of_diffs + of_conflicts:
        answer = visitor.get(path)
        can = not is_dolt or (path in of_conflicts) != (name == "diff_type")
        assert answer.status_code == (200 if can else 409), path
        if not can:
            assert "Give it another name." in seen.main(answer)
            assert "ambiguous column name" in caplog.text

"""Rows with a primary key of any type: decided, merged, followed, exported, undone."""

import datetime as dt
import html
import re
import uuid
from decimal import Decimal
from typing import Any

import pytest
from django.db import models

import versioning
from tests.engines import ENGINE
from tests.web import seen
from tests.web.fields import forms, press_merge

MERGE, DECIDE = "/merge/", "/merge/decide/"
UTC = dt.UTC
WORDS = [
    *("a", "ö", "½", "x y", "tail ", " lead", "", "\t", "line\nbreak", "😀"),
    *("'q'", '"dq"', "a/b", "a,b", "a:b", "a;b", "#", "?x=1&y=2", "%s", "a\\b"),
    *("[1]", "null", "true", "1", "01", "<b>"),
]

#: A kind of field, and some keys: no more than a page shows cards of at once.
KEYS: list[tuple[Any, list[Any]]] = [
    *(
        (models.CharField(max_length=60, primary_key=True), WORDS[start : start + 9])
        for start in range(0, len(WORDS), 9)
    ),
    (models.BigIntegerField(primary_key=True), [2**63 - 1, -(2**63), 2**53 + 1, 0, -1]),
    (models.BooleanField(primary_key=True), [True, False]),
    (
        models.DateField(primary_key=True),
        [dt.date(2026, 1, 1), dt.date(9999, 12, 31)],
    ),
    (
        models.DateTimeField(primary_key=True),
        [
            dt.datetime(2026, 1, 1, tzinfo=UTC),
            dt.datetime(2026, 1, 1, microsecond=1, tzinfo=UTC),
            dt.datetime(9999, 12, 31, 23, 59, 59, 999999, UTC),
        ],
    ),
    (
        models.DecimalField(max_digits=12, decimal_places=4, primary_key=True),
        [Decimal("1.5"), Decimal("-0.0001"), Decimal(0), Decimal("12345678.1234")],
    ),
    (
        models.DurationField(primary_key=True),
        [dt.timedelta(0), dt.timedelta(-1, microseconds=1)],
    ),
    (models.FloatField(primary_key=True), [0.1, 1e22, -2.5, 3.0, 5e-324]),
    (models.GenericIPAddressField(primary_key=True), ["127.0.0.1", "::1"]),
    (
        models.TimeField(primary_key=True),
        [dt.time(0), dt.time(1, 2, 3), dt.time(23, 59, 59, 999999)],
    ),
    (
        models.UUIDField(primary_key=True),
        [uuid.UUID(int=0), uuid.UUID(int=2**128 - 1)],
    ),
]
if ENGINE == "doltlite":  # MySQL has no such keys
    KEYS.append((models.BinaryField(primary_key=True), [b"", b"\x00\xff", b"abc"]))


@pytest.mark.parametrize(
    ("field", "keys"), KEYS, ids=[type(field).__name__ for field, _ in KEYS]
)
def test_rows_are_told_apart_by_it(field, keys, new_model, repository, owner):
    things = new_model("Keyed", id=field, text=models.CharField(max_length=30)).objects
    table = things.model._meta.db_table

    def write(word):
        for number, key in enumerate(keys):
            assert things.filter(pk=key).update(text=f"{word} {number}") == 1

    def texts():
        with versioning.on_branch("main"):
            found = dict(things.values_list("pk", "text"))
        return {bytes(k) if isinstance(k, memoryview) else k: found[k] for k in found}

    with versioning.on_branch("main", message="Write"):
        things.bulk_create([things.model(pk=key, text="base") for key in keys])
    base = repository.head("main")
    repository.create_branch("summer", base)
    for branch in ("main", "summer"):
        with versioning.on_branch(branch, message=f"Word them on {branch}"):
            write(branch)
    ours, before = repository.head("main"), texts()

    decide_in_turn(owner, len(keys))
    press_merge(owner, {"source": "summer", "target": "main"})
    merged = repository.head("main")
    sides = sorted(text.partition(" ")[0] for text in texts().values())
    assert sides == ["main"] * -(-len(keys) // 2) + ["summer"] * (len(keys) // 2)
    assert {key: text.partition(" ")[2] for key, text in texts().items()} == {
        key: str(number) for number, key in enumerate(keys)
    }

    page = owner.get(f"/commits/{ours}/")
    histories = set(re.findall(r'href="(/rows/history/[^"]*)"', page.text))
    assert len(histories) == len(keys)
    for address in histories:
        assert "base" in seen.main(owner.get(html.unescape(address)))
    for form in ("csv", "sql"):
        query = {"from": base, "to": merged, "format": form, "table": table}
        file = b"".join(owner.get("/compare/export/", query)).decode()
        assert file.count("main ") + file.count("summer ") == len(keys)

    press_merge(owner, {"source": f"revert {merged}", "target": "main"})
    assert texts() == before


def decide_in_turn(client, count):
    """Take ours, theirs, ours… of rows in conflict, page by page as they come."""
    taken = 0
    while taken < count:
        page = client.get(MERGE, {"source": "summer", "target": "main"})
        open_ones = [
            form
            for form in forms(page)
            if form.action == DECIDE
            and form.fields.get("scope") == "row"
            and not form.offered.keys() <= form.fields.keys()
        ]
        assert open_ones, seen.main(page)
        for form in open_ones:
            take = ("ours", "theirs")[taken % 2]
            sent = form.fields | dict.fromkeys(form.offered, take)
            assert client.post(DECIDE, sent).status_code == 303
            taken += 1

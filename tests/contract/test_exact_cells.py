"""
Every type that Django has a field for, at its edges: written on a branch,
compared, exported, merged with a conflict in each cell, and read back.
"""

import csv
import datetime as dt
import ipaddress
import uuid
from decimal import Decimal
from io import StringIO

import pytest
from django.apps import apps
from django.db import connections, models, transaction

import versioning
from tests.engines import ENGINE
from versioning import diffs, exporting
from versioning.backends.repository import Author
from versioning.merging import bulk, drafts, preview
from versioning.merging.landing import land
from versioning.merging.resolution import Take

# Dolt reads a document's numbers as floats when it is written: see below.
LARGE = 2**53 + 1 if ENGINE == "doltlite" else 2**53 - 1


def utc(text):
    return dt.datetime.fromisoformat(f"{text}+00:00")


#: (the first state, main's, the branch's), by field.
CELLS = {
    "text": ("", " \t\r\n ", "e\u0301 é 😀 \U0001d4b3\n\0 it's \\ %s \u202e"),
    "char": (None, "NULL", ""),
    "big": (0, 2**63 - 1, -(2**63)),
    "exact": (Decimal("1.5000"), Decimal("12345678.9000"), Decimal("-0.0001")),
    "real": (0.0, 1e308, 5e-324),
    "whole_real": (2.0**53, 1.0, 1e22),
    "raw": (None, b"", bytes(range(256))),
    "yes": (None, True, False),
    "day": (dt.date(2026, 1, 1), dt.date(1000, 1, 1), dt.date(9999, 12, 31)),
    "clock": (dt.time(0, 0), dt.time(23, 59, 59, 999999), dt.time(0, 0, 0, 1)),
    "moment": (
        utc("2026-01-01 00:00:00"),
        utc("2026-01-01 00:00:00.000001"),
        utc("9999-12-31 23:59:59.999999"),
    ),
    "span": (
        dt.timedelta(0),
        dt.timedelta(days=-999, microseconds=1),
        dt.timedelta(days=100000, microseconds=999999),
    ),
    "uid": (uuid.UUID(int=0), uuid.UUID(int=2**128 - 1), uuid.UUID(int=255)),
    "address": ("127.0.0.1", "::1", str(ipaddress.ip_address("2001:db8::ff"))),
    "document": (
        None,
        {"b": [LARGE, 1.5, None, "\0"], "a": {"z": True, "é": "😀"}},
        {"b": [-LARGE, 0.1, "", []], "a": {}},
    ),
}


@pytest.fixture
def kinds(db, connection, repository):
    """A model of the polls' app with a field of every type, for one test."""

    class Kinds(models.Model):
        text = models.TextField(blank=True)
        char = models.CharField(max_length=20, null=True, blank=True)  # noqa: DJ001
        big = models.BigIntegerField()
        exact = models.DecimalField(max_digits=12, decimal_places=4)
        real = models.FloatField()
        whole_real = models.FloatField()
        raw = models.BinaryField(null=True, blank=True)
        yes = models.BooleanField(null=True)
        day = models.DateField()
        clock = models.TimeField()
        moment = models.DateTimeField()
        span = models.DurationField()
        uid = models.UUIDField()
        address = models.GenericIPAddressField()
        document = models.JSONField(null=True, blank=True)

        class Meta:
            app_label = "polls"

        def __str__(self) -> str:
            return f"Row {self.pk}"

    try:
        with connection.bound("main"), connection.writing():
            with connections["versioned"].schema_editor(atomic=False) as editor:
                editor.create_model(Kinds)
            with transaction.atomic(using="versioned", durable=True):
                repository.commit_all("Make a table", Author("E", "e@example.org"))
        yield Kinds
    finally:
        del apps.all_models["polls"]["kinds"]
        apps.clear_cache()


@pytest.fixture
def states(kinds, repository):
    """A row whose every cell both sides changed; the hashes of the three."""
    with versioning.on_branch("main", message="Write") as unit:
        kinds.objects.create(pk=1, **{name: c[0] for name, c in CELLS.items()})
    first = unit.commit
    repository.create_branch("summer", first)
    heads = []
    for branch, number in (("main", 1), ("summer", 2)):
        with versioning.on_branch(branch, message="Change") as unit:
            values = {name: cells[number] for name, cells in CELLS.items()}
            kinds.objects.filter(pk=1).update(**values)
        heads.append(unit.commit)
    return first, *heads


def held(kinds, connection, branch):
    with connection.bound(branch):
        row = kinds.objects.values(*CELLS).get(pk=1)
    return {n: bytes(v) if n == "raw" and v is not None else v for n, v in row.items()}


def of(number):
    return {name: cells[number] for name, cells in CELLS.items()}


def test_what_was_written_is_read(kinds, connection, states):
    assert held(kinds, connection, "main") == of(1)
    assert held(kinds, connection, "summer") == of(2)


def test_every_cell_differs_and_is_shown_exactly(repository, states):
    overview = diffs.overview(repository, states[0], states[2])
    (row,) = diffs.rows_page(repository, overview, "polls_kinds").rows
    cells = {cell.column: cell for cell in row.shown}
    assert set(cells) == set(CELLS)
    shown = {
        name: (cell.before.text if cell.before else None, cell.after.text)
        for name, cell in cells.items()
        if cell.after
    }
    assert shown["big"] == ("0", "-9223372036854775808")
    assert shown["exact"] == ("1.5000", "-0.0001")
    assert shown["real"] == ("0.0", "5e-324")
    assert shown["whole_real"] == ("9007199254740992.0", "1e+22")
    assert shown["char"] == ("no value", "empty text")
    assert shown["yes"] == ("no value", "No")
    assert shown["clock"] == ("00:00:00", "00:00:00.000001")
    assert shown["moment"][1].endswith("59.999999")
    assert shown["uid"][1] == "00000000-0000-0000-0000-0000000000ff"
    assert shown["address"] == ("127.0.0.1", "2001:db8::ff")
    assert str(-LARGE) in shown["document"][1]
    assert cells["raw"].after is not None
    assert cells["raw"].after.raw == "256 bytes"
    assert shown["raw"][1].startswith("00 01 02")


def test_a_file_holds_it_exactly(repository, states):
    columns = repository.columns("polls_kinds")
    lines = exporting.csv_lines(
        repository, "polls_kinds", states[1], states[2], columns
    )
    text = "".join(lines).removeprefix("\ufeff")
    head, line = csv.reader(StringIO(text, newline=""))
    found = dict(zip(head, line, strict=True))
    assert exporting.from_csv_text(found["text after"]) == CELLS["text"][2]
    assert exporting.from_csv_text(found["text before"]) == CELLS["text"][1]
    assert exporting.from_csv_text(found["char after"]) == ""
    assert found["big before"] == str(2**63 - 1)
    assert found["exact before"] == "12345678.9000"
    assert float(found["real after"]) == 5e-324
    assert found["raw after"] == "0x" + bytes(range(256)).hex()
    assert (found["yes before"], found["yes after"]) == ("true", "false")
    assert found["moment after"] == "9999-12-31 23:59:59.999999+00:00"
    assert found["uid after"] == str(CELLS["uid"][2])
    assert str(-LARGE) in found["document after"]


@pytest.mark.parametrize("take", [Take.OURS, Take.THEIRS])
def test_a_merge_loses_nothing(
    kinds, connection, repository, states, django_user_model, take
):
    user = django_user_model.objects.create_user("u", password="x")
    sides = preview.sides_of(repository, states[1], states[2])
    assert sides is not None
    draft = drafts.begin("summer", "main", sides, user)
    made = bulk.decide_rest(draft, sides, take, user)
    assert made >= len(CELLS) - 1  # Dolt merges documents by key
    land("summer", "main", sides, draft, user)
    found, expected = held(kinds, connection, "main"), of(1 if take is Take.OURS else 2)
    if made < len(CELLS):
        found.pop("document")
        expected.pop("document")
    assert found == expected


def test_dolt_keeps_a_documents_numbers_as_floats(kinds, connection, repository):
    """What the engine kept is what is shown: nothing is made up for it."""
    with versioning.on_branch("main", message="Write") as unit:
        values = {name: cells[0] for name, cells in CELLS.items()}
        kinds.objects.create(pk=1, **values | {"document": [2**53 + 1]})
    assert unit.commit is not None
    before = repository.commit(unit.commit).parents[0]
    overview = diffs.overview(repository, before, unit.commit)
    (row,) = diffs.rows_page(repository, overview, "polls_kinds").rows
    (cell,) = [cell for cell in row.cells if cell.column == "document"]
    kept = 2**53 + 1 if ENGINE == "doltlite" else 2**53
    assert cell.after is not None
    assert cell.after.text == f"[\n  {kept}\n]"

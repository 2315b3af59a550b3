import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.db import models
from django.utils import timezone

from versioning.presentation.cells import Kind, opened_apart, show, with_marks

STATES = [("d", "Draft"), ("p", "Published")]


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (None, Kind.NULL, "no value"),
        ("", Kind.EMPTY, "empty text"),
        ("  \t", Kind.BLANK, "··⇥"),
        ("NULL", Kind.TEXT, "NULL"),
        ("The sky", Kind.TEXT, "The sky"),
        (0, Kind.NUMBER, "0"),
        (True, Kind.BOOLEAN, "Yes"),
        (Decimal("1.50"), Kind.NUMBER, "1.50"),
        (Decimal("0E-10"), Kind.NUMBER, "0.0000000000"),
        (Decimal("1E-7"), Kind.NUMBER, "0.0000001"),
        (b"", Kind.BYTES, "none"),
        (b"\x00\xff", Kind.BYTES, "00 ff"),
        (dt.date(2026, 11, 24), Kind.TIME, "24 November 2026"),
    ],
)
def test_values_that_differ_look_different(value: Any, kind: Kind, text: str) -> None:
    shown = show(value)
    assert (shown.kind, shown.text) == (kind, text)


@pytest.mark.parametrize(
    ("text", "counted"),
    [(" ", "1 space"), ("  ", "2 spaces"), (" \t", "2 blank characters")],
)
def test_blanks_are_counted(text: str, counted: str) -> None:
    assert show(text).raw == counted


def test_a_choice_reads_as_its_label_with_the_stored_value_at_hand() -> None:
    shown = show("p", models.CharField(choices=STATES))
    assert (shown.kind, shown.text, shown.raw) == (Kind.CHOICE, "Published", "p")


def test_a_value_that_is_no_choice_reads_as_itself() -> None:
    assert show("x", models.CharField(choices=STATES)).text == "x"


def test_json_null_is_not_sql_null() -> None:
    field: Any = models.JSONField()
    assert show(None, field, raw=None).kind is Kind.NULL
    assert (show(None, field, raw="null").kind, show(None, field, raw="null").text) == (
        Kind.JSON,
        "null",
    )


def test_a_time_is_shown_where_the_reader_is_and_exactly() -> None:
    value = dt.datetime(2026, 11, 24, 23, 30, 15, 120_000, tzinfo=dt.UTC)
    with timezone.override(dt.timezone(dt.timedelta(hours=2))):
        shown = show(value)
    assert shown.text == "25 November 2026, 01:30:15.12"
    assert shown.raw == "2026-11-25 01:30:15.120000+02:00"
    assert shown.datetime == "2026-11-25T01:30:15.120000+02:00"


def test_many_bytes_are_shown_by_their_start_and_number() -> None:
    shown = show(bytes(300))
    assert shown.text == " ".join(["00"] * 24) + " …"
    assert shown.raw == "300 bytes"


def test_a_long_text_folds() -> None:
    assert not show("a" * 400).long
    long = show("word " * 100)
    assert long.long
    assert long.opening == ("word " * 16).rstrip() + "…"


def test_words_are_marked_between_two_texts() -> None:
    before, after = with_marks(show("The blue sky"), show("The red sky"))
    assert [s.text for s in before.segments if s.changed] == ["blue"]
    assert [s.text for s in after.segments if s.changed] == ["red"]


SAME = "and so on " * 50


def test_folded_texts_open_where_they_differ() -> None:
    before, after = with_marks(
        show(f"{SAME}the blue sky {SAME}"), show(f"{SAME}a red house.")
    )
    assert before.opening.startswith("…and so on and so on the blue sky and so on")
    assert before.opening.endswith("…")
    assert after.opening == "…and so on and so on a red house."
    assert [s.text for s in after.segments if s.changed] == ["a red house."]


def test_folded_texts_that_differ_in_sight_open_at_their_beginning() -> None:
    before, after = with_marks(show(f"Red. {SAME}"), show(f"Blue. {SAME}"))
    assert before.opening.startswith("Red. and so on")
    assert after.opening.startswith("Blue. and so on")


def test_all_versions_open_where_the_first_of_them_differs() -> None:
    versions = [show(SAME + end) for end in ("first", "second", "first")]
    texts = [v.opening for v in opened_apart([*versions, None, show(7)]) if v]
    *words, number = texts
    opening = "…and so on and so on"
    assert words == [f"{opening} {end}" for end in ("first", "second", "first")]
    assert number == "7"
    assert opened_apart([versions[0], None]) == [versions[0], None]
    assert opened_apart([show("a"), show("b")]) == [show("a"), show("b")]


def test_numbers_are_not_cut_into_words() -> None:
    before, after = with_marks(show(Decimal("1.5")), show(Decimal("2.5")))
    assert (before.segments, after.segments) == ((), ())

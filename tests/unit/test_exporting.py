"""CSV that is exact, and that a spreadsheet takes for no formula."""

import csv
import datetime as dt
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from versioning.exporting import chunks, csv_text, from_csv_text

NOT_CARRIAGE = st.text(st.characters(codec="utf-8"))


@given(st.none() | NOT_CARRIAGE)
def test_a_text_comes_back_from_csv_as_it_was(text: str | None) -> None:
    buffer = StringIO(newline="")
    csv.writer(buffer).writerow(["changed", csv_text(text)])
    buffer.seek(0)
    ((_, field),) = csv.reader(buffer)
    assert from_csv_text(field) == text


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("x")', "\uff1d1"],
)
def test_what_a_spreadsheet_would_run_begins_with_an_apostrophe(text: str) -> None:
    assert csv_text(text) == f"'{text}"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        ("", "'"),
        (" ", " "),
        ("'x", "''x"),
        ("0xff", "'0xff"),
        (b"\x00\xff", "0x00ff"),
        (b"", "0x"),
        (True, "true"),
        (-5, "-5"),
        (2**63 - 1, "9223372036854775807"),
        (1e308, "1e+308"),
        (5e-324, "5e-324"),
        (Decimal("1.50"), "1.50"),
        (Decimal("1E-7"), "0.0000001"),
        (
            dt.datetime.fromisoformat("2026-11-24 01:02:03.000004"),
            "2026-11-24 01:02:03.000004",
        ),
        (dt.timedelta(days=-1, microseconds=1), "-P0DT23H59M59.999999S"),
    ],
)
def test_each_type_has_one_form(value: Any, text: str) -> None:
    assert csv_text(value) == text


def test_lines_are_sent_in_large_pieces_and_the_source_is_closed() -> None:
    closed = []

    def lines():
        try:
            yield from ["x" * 1000 + "\n"] * 200
        finally:
            closed.append(True)

    pieces = list(chunks(lines()))
    assert len(b"".join(pieces)) == 200 * 1001
    assert 3 <= len(pieces) <= 4
    left = chunks(lines())
    next(left)
    left.close()
    assert closed == [True, True]

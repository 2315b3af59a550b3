import datetime as dt
import json
import math
import uuid
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from versioning import cursors, values

DRIVER_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(),
    st.binary(),
    st.decimals(allow_nan=False, allow_infinity=False),
    st.datetimes(),
    st.datetimes(timezones=st.just(dt.UTC)),
    st.dates(),
    st.times(),
    st.timedeltas(),
    st.uuids(),
)


@given(DRIVER_VALUES)
def test_a_value_comes_back_from_json_as_it_was(value: Any) -> None:
    back = values.decode(json.loads(json.dumps(values.encode(value))))
    assert back == value
    assert type(back) is type(value)


def test_nan_comes_back() -> None:
    assert math.isnan(values.decode(values.encode(math.nan)))


def test_large_numbers_do_not_pass_through_floats() -> None:
    encoded = values.encode(2**63 - 1)
    assert encoded == {"$": "int", "v": "9223372036854775807"}


@pytest.mark.parametrize("value", ["\0", "a\0b", 1e300, -1e16, 2.0**53 + 2])
def test_what_not_every_database_keeps_in_json_is_in_none(value: Any) -> None:
    encoded = values.encode(value)
    assert isinstance(encoded["v"], str)
    assert "\0" not in encoded["v"]
    assert values.decode(encoded) == value


@given(st.lists(DRIVER_VALUES, min_size=1, max_size=3).map(tuple))
def test_a_key_comes_back_from_text(key: tuple[Any, ...]) -> None:
    assert values.key_from_text(values.key_text(key)) == key


@given(st.lists(DRIVER_VALUES, min_size=1, max_size=3).map(tuple))
def test_a_key_comes_back_from_an_address(key: tuple[Any, ...]) -> None:
    assert cursors.unsign_key("t", cursors.sign_key("t", key)) == key


@pytest.mark.parametrize(
    "encoded",
    [
        {"$": "int"},
        {"$": "nothing", "v": "1"},
        {"v": "1"},
        {"$": "decimal", "v": "x"},
        {"$": "bytes", "v": "%"},
        {"$": "text", "v": "%"},
        {"$": "text", "v": "/w=="},
        {"$": [], "v": "1"},
        [1],
    ],
)
def test_what_was_never_encoded_is_refused(encoded: Any) -> None:
    with pytest.raises(ValueError):
        values.decode(encoded)


@pytest.mark.parametrize("text", ["", "{}", "[]", "1", "[[1]]", "["])
def test_what_was_never_a_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        values.key_from_text(text)


def test_an_address_that_was_touched_is_refused() -> None:
    cursor = cursors.sign_key("polls_choice", (5,))
    for touched in ("", "x", cursor[:-1], "A" + cursor, cursor + "A"):
        with pytest.raises(cursors.BadCursor):
            cursors.unsign_key("polls_choice", touched)


def test_an_address_of_another_table_is_refused() -> None:
    with pytest.raises(cursors.BadCursor):
        cursors.unsign_key("polls_question", cursors.sign_key("polls_choice", (5,)))


NEW_YEAR = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (None, None),
        (1, True),
        (1, 1.0),
        (Decimal("1.50"), Decimal("1.5")),
        ("", ""),
        (b"a", memoryview(b"a")),
        (math.nan, math.nan),
    ],
)
def test_same(one: Any, other: Any) -> None:
    assert values.same(one, other)
    assert values.same(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (None, ""),
        (None, 0),
        (0, ""),
        ("1", 1),
        ("a", "A"),
        ("a", "a "),
        ("a", b"a"),
        (Decimal("1.50"), Decimal("1.51")),
        (math.nan, 1.0),
        (NEW_YEAR, NEW_YEAR.replace(microsecond=1)),
        (NEW_YEAR, NEW_YEAR.replace(tzinfo=None)),
        (uuid.UUID(int=1), uuid.UUID(int=2)),
    ],
)
def test_not_the_same(one: Any, other: Any) -> None:
    assert not values.same(one, other)
    assert not values.same(other, one)

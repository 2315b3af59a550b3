"""Texts of several lines, and JSON documents, line by line."""

import random

import pytest

from versioning.presentation.cells import line_by_line, show
from versioning.presentation.documents import pretty
from versioning.presentation.lines import (
    SHOWN,
    LineKind,
    TextLine,
    in_columns,
    unified,
)

SIGNS = {"same": " ", "removed": "-", "added": "+", "gap": "…"}


def drawn(lines: tuple[TextLine, ...]) -> list[str]:
    return [
        SIGNS[line.kind]
        + ("".join(s.text for s in line.segments) or str(line.count or ""))
        for line in lines
    ]


def test_lines_that_stay_stand_around_those_that_change() -> None:
    old = "\n".join("abcdefghij")
    new = old.replace("e", "E").replace("j", "j\nk")
    assert drawn(unified(old, new)) == [
        *("…1", " b", " c", " d", "-e", "+E", " f", " g", " h", " i", " j", "+k"),
    ]


def test_far_changes_are_apart() -> None:
    old = [str(n) for n in range(40)]
    new = [*old[:5], "x", *old[6:30], *old[31:]]
    assert drawn(unified("\n".join(old), "\n".join(new))) == [
        *("…2", " 2", " 3", " 4", "-5", "+x", " 6", " 7", " 8", "…18"),
        *(" 27", " 28", " 29", "-30", " 31", " 32", " 33", "…6"),
    ]


def test_either_text_has_a_column_and_what_stays_stands_level() -> None:
    old, new = "a\nb\nc\nd\nf", "A\nb\nc1\nc2\nd\ne\nf"
    columns = in_columns(unified(old, new))
    assert [
        ["" if line is None else drawn((line,))[0] for line in column]
        for column in columns
    ] == [
        ["-a", " b", "-c", "", " d", "", " f"],
        ["+A", " b", "+c1", "+c2", " d", "+e", " f"],
    ]


def test_words_are_marked_within_a_line_that_changed() -> None:
    lines = unified("one\nthe blue sky\ntwo", "one\nthe red sky\ntwo")
    assert [s.text for line in lines for s in line.segments if s.changed] == [
        "blue",
        "red",
    ]


def test_indentation_is_no_sign_and_a_blank_at_the_end_is() -> None:
    lines = unified("a\n  b", "a\n  b ")
    assert drawn(lines) == [" a", "-  b", "+  b·"]


@pytest.mark.parametrize("seed", range(20))
def test_both_texts_can_be_read_off(seed: int) -> None:
    chance = random.Random(seed)
    old = [chance.choice("abc") for _ in range(chance.randint(1, 30))]
    new = [line for line in old if chance.random() > 0.2] or ["z"]
    new.insert(chance.randint(0, len(new)), "new")
    lines = unified("\n".join(old), "\n".join(new))

    def length(*kinds: LineKind) -> int:
        return sum(line.count or 1 for line in lines if line.kind in kinds)

    assert length(LineKind.SAME, LineKind.GAP, LineKind.REMOVED) == len(old)
    assert length(LineKind.SAME, LineKind.GAP, LineKind.ADDED) == len(new)


def test_a_text_of_many_lines_is_cut_and_counted() -> None:
    old = "\n".join(f"old {n}" for n in range(5000))
    new = "\n".join(f"new {n}" for n in range(5000))
    lines = unified(old, new)
    assert len(lines) == SHOWN + 1
    assert lines[-1] == TextLine(LineKind.CUT, count=10_000 - SHOWN)
    same = "\nsame" * 50
    lines = unified("\n".join("a" * 200) + same, "\n".join("b" * 200) + same)
    assert lines[-1] == TextLine(LineKind.GAP, count=50)


def test_a_document_has_a_line_for_each_value_in_order() -> None:
    assert pretty('{"b": [1, {"z": null, "a": "é"}], "a": {}, "c": []}') == (
        "{\n"
        '  "a": {},\n'
        '  "b": [\n'
        "    1,\n"
        "    {\n"
        '      "a": "é",\n'
        '      "z": null\n'
        "    }\n"
        "  ],\n"
        '  "c": []\n'
        "}"
    )


@pytest.mark.parametrize(
    "number",
    ["9007199254740993", "18446744073709551616", "1.50", "-0.0", "1e400", "0.1e-9"],
)
def test_numbers_in_a_document_are_as_they_are_written(number: str) -> None:
    assert pretty(f'{{"n": {number}}}') == f'{{\n  "n": {number}\n}}'
    assert pretty(f'"{number}"') == f'"{number}"'


def test_a_key_that_stands_twice_is_shown_twice() -> None:
    assert pretty('{"a": 1, "a": 2}').count('"a"') == 2


def test_one_line_is_not_compared_by_lines() -> None:
    assert line_by_line(show("a"), show("b")) == ()
    assert line_by_line(show("a\nb"), show("a\nc")) != ()
    assert line_by_line(show("a\nb"), show(None)) == ()

"""
Every way in which two sides can change a row, against an oracle of its own.

Each table holds one row, two, all, or every two changes side by side; each row
is one case, with one of the answers that a person could give to it. All tables
are merged at once.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import pytest

from versioning.merging import deciding, drafts, preview
from versioning.merging.landing import land
from versioning.merging.resolution import WHOLE_ROW, Choice, Take

Version = tuple[str, int] | None  # columns a and b, or no row
A, B = "a", "b"
BASE: Version = ("base", 0)

#: What can be done to a row that is there: its columns that change, or its end.
DEEDS: tuple[tuple[str, ...] | None, ...] = ((), (A,), (B,), (A, B), None)
SIDES = {"ours": ("ours", 1), "theirs": ("theirs", 2), "alike": ("alike", 3)}
TYPED = {A: "typed", B: 4}
ANSWERS = ("ours", "theirs", "base", "value")

CREATE = (
    "CREATE TABLE {table} (id BIGINT NOT NULL PRIMARY KEY, a VARCHAR(20), b BIGINT)"
)
INSERT = "INSERT INTO {table} (id, a, b) VALUES ({key}, '{new[0]}', {new[1]})"
UPDATE = "UPDATE {table} SET a = '{new[0]}', b = {new[1]} WHERE id = {key}"
DELETE = "DELETE FROM {table} WHERE id = {key}"
SELECT = "SELECT id, a, b FROM {table} ORDER BY id"


@dataclass(frozen=True)
class Case:
    base: Version
    ours: Version
    theirs: Version
    answers: dict[str, str] = field(default_factory=dict)  # by column


def done(deed: tuple[str, ...] | None, values: tuple[str, int]) -> Version:
    assert BASE is not None
    if deed is None:
        return None
    return (values[0] if A in deed else BASE[0], values[1] if B in deed else BASE[1])


def changes() -> Iterator[tuple[Version, Version, Version]]:
    """Three versions of a row; where both sides do a thing, alike and unlike."""
    seen = set()
    for theirs_do in ("theirs", "alike"):
        ours, theirs = (
            SIDES["ours" if theirs_do == "theirs" else "alike"],
            SIDES[theirs_do],
        )
        for here, there in product(DEEDS, DEEDS):
            seen.add((BASE, done(here, ours), done(there, theirs)))
        seen |= set(product((None,), (None, ours), (None, theirs)))
    yield from sorted(seen, key=repr)


def oracle(case: Case) -> tuple[set[str], Version]:
    """What is asked, by column ("" is the row), and what the row becomes."""
    base, ours, theirs = case.base, case.ours, case.theirs
    if ours == theirs or theirs == base:
        return set(), ours
    if ours == base:
        return set(), theirs
    if ours is None or theirs is None:
        return {""}, {"ours": ours, "theirs": theirs}.get(case.answers.get("", ""))
    asked: set[str] = set()
    row: list[Any] = []
    for place, column in enumerate((A, B)):
        was = base and base[place]
        here, there = ours[place], theirs[place]
        if here == there or (base and there == was):
            row.append(here)
        elif base and here == was:
            row.append(there)
        else:
            asked.add(column)
            offered = {"ours": here, "theirs": there, "base": was}
            answer = case.answers.get(column, "")
            row.append(TYPED[column] if answer == "value" else offered.get(answer))
    return asked, (row[0], row[1])


def answered(base: Version, ours: Version, theirs: Version) -> Iterator[Case]:
    """The case with every answer, or every pair of answers, to what it asks."""
    asked = sorted(oracle(Case(base, ours, theirs))[0])
    offered = [
        answer
        for answer in ANSWERS
        if (asked != [""] and (base or answer != "base")) or answer in SIDES
    ]
    for answers in product(offered, repeat=len(asked)):
        yield Case(base, ours, theirs, dict(zip(asked, answers, strict=True)))


ONE_ROW = [[case] for versions in changes() for case in answered(*versions)]


def two_rows() -> Iterator[list[Case]]:
    """Each change beside two others, the answers in turn."""
    by_change = [list(answered(*versions)) for versions in changes()]
    for number, one in enumerate(by_change):
        for step in (1, len(by_change) // 3):
            other = by_change[(number + step) % len(by_change)]
            yield [one[(number + step) % len(one)], other[number % len(other)]]


def neighbours() -> Iterator[Case]:
    """
    Rows of which each two changes follow one another once, in either order, and
    each after itself: the words of one and two letters that are no repetition
    and no rotation of an earlier one, in the order of a dictionary.
    """
    by_change = [list(answered(*versions)) for versions in changes()]
    order = []
    for one in range(len(by_change)):
        order.append(one)
        for other in range(one + 1, len(by_change)):
            order += [one, other]
    for number, change in enumerate([*order, order[0]]):
        answers = by_change[change]
        yield answers[number % len(answers)]


SHAPES = {
    "one row": ONE_ROW,
    "two rows": list(two_rows()),
    "every two neighbours": [list(neighbours())],
    "all rows": [[case for (case,) in ONE_ROW]],
}


def statements(
    tables: dict[str, list[Case]], before: str | None, after: str
) -> Iterator[str]:
    """What turns the rows of one state into those of another."""
    for table, cases in tables.items():
        for key, case in enumerate(cases, 1):
            old = getattr(case, before) if before else None
            new = getattr(case, after)
            if old != new:
                sql = DELETE if new is None else INSERT if old is None else UPDATE
                yield sql.format(table=table, key=key, new=new)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_case(repository, write, rows, max_, shape):
    tables = {f"t{number:03}": cases for number, cases in enumerate(SHAPES[shape])}
    made = [CREATE.format(table=table) for table in tables]
    write("main", *made, *statements(tables, None, "base"))
    repository.create_branch("summer", repository.head("main"))
    write("main", *statements(tables, "base", "ours"))
    write("summer", *statements(tables, "base", "theirs"))
    sides = preview.sides_of(
        repository, repository.head("main"), repository.head("summer")
    )
    assert sides is not None

    expected = {table: [oracle(case) for case in tables[table]] for table in tables}
    asked = {
        (table, key): columns
        for table, found in expected.items()
        for key, (columns, _) in enumerate(found, 1)
        if columns
    }
    found = {}
    draft = drafts.begin("summer", "main", sides, max_)
    for count in preview.preview("main", sides).conflicts:
        for page in preview.each_conflict_page("main", sides, [count.table]):
            for row in page:
                (judged,) = drafts.judge(None, [row])
                assert judged.resolution.required == len(asked[count.table, *row.key])
                found[count.table, *row.key] = (row, judged.resolution)
    assert found.keys() == asked.keys()
    for (table, key), (row, resolution) in found.items():
        pending = (
            {WHOLE_ROW}
            if resolution.decided_as_a_whole
            else {cell.column for cell in resolution.cells if cell.pending}
        )
        assert pending == asked[table, key]
        case = tables[table][key - 1]
        deciding.decide(
            draft,
            row,
            {
                column: Choice(Take(answer), TYPED.get(column))
                if answer == "value"
                else Choice(Take(answer))
                for column, answer in case.answers.items()
            },
            max_,
        )
    land("summer", "main", sides, draft, max_)
    for table, results in expected.items():
        merged = [
            (key, *row) for key, (_, row) in enumerate(results, 1) if row is not None
        ]
        assert rows("main", SELECT.format(table=table)) == merged

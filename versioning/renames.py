"""
Columns that have another name in the later state, as far as that can be told.

No engine's diff says so. A column that is gone and one that is new count as
one if they are defined alike, stand at the same place among the columns that
stayed, and hold the same in most rows: in all that do not differ, as a column
that was dropped and another one that was added make every row differ.
"""

from collections.abc import Mapping, Sequence

from versioning.backends.repository import RowChange

LOOKED_AT = 50  # rows


def renamed(
    before: Mapping[str, str],
    after: Mapping[str, str],
    rows: Sequence[RowChange],
    unchanged: int,
) -> dict[str, str]:
    """
    Former names by present ones. ``before`` and ``after`` are the columns of
    either state, in order, with their definitions; ``rows`` some that changed,
    ``unchanged`` the number of those that did not.
    """
    gone = _places(before, after)
    found: dict[str, str] = {}
    for column, place in _places(after, before).items():
        for former, its_place in gone.items():
            if (
                former not in found.values()
                and its_place == place
                and before[former] == after[column]
                and _mostly_equal(former, column, rows, unchanged)
            ):
                found[column] = former
                break
    return found


def _places(here: Mapping[str, str], there: Mapping[str, str]) -> dict[str, int]:
    """The columns that only one state has: how many that both have stand before."""
    places: dict[str, int] = {}
    passed = 0
    for column in here:
        if column in there:
            passed += 1
        else:
            places[column] = passed
    return places


def _mostly_equal(
    former: str, column: str, rows: Sequence[RowChange], unchanged: int
) -> bool:
    pairs = [
        (row.before.get(former), row.after.get(column))
        for row in rows
        if row.before is not None and row.after is not None
    ]
    equal = unchanged + sum(one == other for one, other in pairs)
    return equal * 2 >= unchanged + len(pairs)

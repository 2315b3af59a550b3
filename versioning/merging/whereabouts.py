"""
Which column is which, where a side renamed some, dropped some and added others.

Dolt knows a renamed column for what it was, and does not say. DoltLite goes by
names and places, and takes one for another: where a column was dropped, the next
one renamed and a third added, it merges the second into the third.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from versioning.backends.equality import alike
from versioning.backends.repository import Repository, Row
from versioning.merging.dropped import is_empty

SAMPLE = 500  # rows

#: For columns of one state, those of another that are the same one.
Whereabouts = Mapping[str, frozenset[str]]


def whereabouts(
    repository: Repository, table: str, before: str, name: str, after: str
) -> Whereabouts:
    """
    Where the columns of ``table``, as of the hash ``before``, are in the table
    ``name`` as of ``after``: told by what they hold in the first rows. None at
    all for one that was dropped; one is left out that held nothing and has no
    column of its name.
    """
    columns = repository.columns(table, before)
    there = repository.columns(name, after)
    primary = repository.primary_key(table, before)
    olds = {
        tuple(row[column] for column in primary): row
        for row in repository.state_rows(table, at=before, limit=SAMPLE)
    }
    news = repository.rows(name, list(olds), at=after)
    held = {
        column: [
            (row[column], news[key])
            for key, row in olds.items()
            if key in news and not is_empty(row[column])
        ]
        for column in columns
    }
    holders = {
        column: frozenset(one for one in there if _holds(one, held[column]))
        for column in columns
    }
    fresh = frozenset(there).difference(columns)
    kept = frozenset(columns).intersection(there)
    # Others may have the same in them by chance, as flags and counts do.
    other = frozenset(column for column in kept if column not in holders[column])
    renamed = frozenset().union(*(holders[c] for c in columns if c not in kept))
    moved = _out_of_place(columns, there)
    found = {}
    for column in columns:
        if column not in kept:
            if held[column]:
                found[column] = holders[column] & (fresh | other)
        elif column in other and (
            column in renamed
            or holders[column] & fresh
            or column in moved  # and perhaps its values were changed as well
        ):
            found[column] = holders[column] & fresh
        else:
            found[column] = frozenset([column])
    return found


def is_there(value: Any, row: Row, columns: Iterable[str]) -> bool:
    """Whether a row has the value in one of the columns."""
    return any(alike(row[column], value) for column in columns if column in row)


def _holds(column: str, held: Sequence[tuple[Any, Row]]) -> bool:
    """Whether a column has what another held, in most rows."""
    return 2 * sum(alike(row[column], value) for value, row in held) > len(held) > 0


def _out_of_place(before: Sequence[str], after: Sequence[str]) -> frozenset[str]:
    """
    Names that may not be those of the same columns: further behind than they
    were, with a new name where they were. That alone is no sign: where SQLite
    can't alter a column, Django makes the table anew, with that one at its end.
    """
    places = {column: place for place, column in enumerate(before)}
    fresh = [place for place, column in enumerate(after) if column not in places]
    return frozenset(
        column
        for place, column in enumerate(after)
        if place > (was := places.get(column, place)) and any(f <= was for f in fresh)
    )

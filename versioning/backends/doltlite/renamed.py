"""
What differs in a table that has another name in the later state.

The engine says that it was renamed and how many of its rows differ, but lists
all of them as added: here both states are read in the order of their keys.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from versioning.backends.equality import plain_bytes, same
from versioning.backends.repository import ChangeKind, Key, Row, RowChange

#: A row and its key, in the key's order.
Keyed = tuple[Key, Row]


def row_changes(before: Iterable[Keyed], after: Iterable[Keyed]) -> Iterator[RowChange]:
    """Rows that differ, in order of key; both are read as far as it is asked for."""
    befores, afters = iter(before), iter(after)
    old, new = next(befores, None), next(afters, None)
    while old or new:
        order = _order(old, new)
        if order < 0:
            assert old is not None
            yield RowChange(ChangeKind.REMOVED, old[0], old[1], None)
        elif order > 0:
            assert new is not None
            yield RowChange(ChangeKind.ADDED, new[0], None, new[1])
        else:
            assert old is not None
            assert new is not None
            if not _holds_the_same(old[1], new[1]):
                yield RowChange(ChangeKind.CHANGED, new[0], old[1], new[1])
        if order <= 0:
            old = next(befores, None)
        if order >= 0:
            new = next(afters, None)


def keyless_changes(before: Iterable[Row], after: Iterable[Row]) -> list[RowChange]:
    """The same of rows without a key, each as often as it is there more often."""
    one, other = (
        Counter(tuple(row.items()) for row in rows) for rows in (before, after)
    )
    found = []
    for cells in (one - other).elements():
        key = tuple(value for _, value in cells)
        found.append(RowChange(ChangeKind.REMOVED, key, dict(cells), None))
    for cells in (other - one).elements():
        key = tuple(value for _, value in cells)
        found.append(RowChange(ChangeKind.ADDED, key, None, dict(cells)))
    return found


def ordered_by(columns: Sequence[str]) -> list[str]:
    """What to read rows in the order of, by a key's ``columns``, which are SQL."""
    return [f"{column} COLLATE BINARY" for column in columns]


def after_key(rows: Mapping[Key, Row], since: Key | None) -> list[Keyed]:
    """Those of some rows that come after a key, in order."""
    found = sorted(rows.items(), key=lambda keyed: _sorted_by(keyed[0]))
    if since is None:
        return found
    return [one for one in found if _sorted_by(one[0]) > _sorted_by(since)]


def _order(old: Keyed | None, new: Keyed | None) -> int:
    """Which of two comes first: below 0 the old one, above 0 the new one."""
    if old is None or new is None:
        return 1 if old is None else -1
    one, other = _sorted_by(old[0]), _sorted_by(new[0])
    return (one > other) - (one < other)


def _sorted_by(key: Key) -> list[tuple[int, Any]]:
    """As the engine orders them: see ``ordered_by()``."""
    return [_ranked(plain_bytes(value)) for value in key]


def _ranked(value: Any) -> tuple[int, Any]:
    if value is None:
        return 0, 0
    if isinstance(value, (int, float)):
        return 1, value
    # By its UTF-8, which orders as its code points do.
    return (3, value) if isinstance(value, bytes) else (2, str(value))


def _holds_the_same(old: Row, new: Row) -> bool:
    """
    As the engine counts: by place, whatever the columns are called, and without
    those that were added since and hold nothing.
    """
    return all(same(*cells) for cells in zip_longest(old.values(), new.values()))

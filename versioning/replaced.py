"""
Rows of a table that goes by another primary key in the later of two states.

None of them can be told to be the same as a row before, so all that were there
are listed, as removed, and then all that are there, as added.
"""

from collections.abc import Sequence

from versioning.backends.errors import BadCursor
from versioning.backends.repository import (
    ChangeKind,
    Key,
    KeyChange,
    Repository,
    RowChange,
)


def rows_of(
    repository: Repository,
    change: KeyChange,
    before: str,
    after: str | None,
    *,
    kinds: Sequence[ChangeKind] = (),
    since: Key | None = None,
    limit: int,
) -> tuple[list[RowChange], Key | None]:
    """
    At most ``limit`` rows of the hashes ``before`` and ``after`` (None is where the
    connection is), in the order of their keys, and the ``since`` to go on from, if
    there are more. A side without a key has no order to be listed in, and is left
    out.

    Raises ``BadCursor`` for a ``since`` that this did not give.
    """
    sides: Sequence[tuple[ChangeKind, str, str | None, Key]] = (
        (ChangeKind.REMOVED, change.old_table, before, change.before),
        (ChangeKind.ADDED, change.table, after, change.after),
    )
    found: list[tuple[int, RowChange]] = []
    for number, (kind, table, at, primary) in enumerate(sides):
        if not primary or (kinds and kind not in kinds):
            continue
        start = None
        if since is not None:
            if since[0] not in (0, 1) or len(since) != 1 + len(sides[since[0]][3]):
                raise BadCursor
            if since[0] > number:
                continue
            start = since[1:] if since[0] == number else None
        left = limit + 1 - len(found)
        for row in repository.state_rows(table, at=at, since=start, limit=left):
            key = tuple(row[column] for column in primary)
            gone = kind is ChangeKind.REMOVED
            one = RowChange(kind, key, row if gone else None, None if gone else row)
            found.append((number, one))
        if len(found) > limit:
            break
    listed = [one for _, one in found[:limit]]
    if len(found) <= limit:
        return listed, None
    number, last = found[limit - 1]
    return listed, (number, *last.key)

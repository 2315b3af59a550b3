"""Rows in conflict where one side dropped a column that the other still has."""

from collections.abc import Iterable, Sequence

from versioning.backends.errors import MergeBlocked
from versioning.backends.repository import ConflictRow, Row
from versioning.values import same


def without_dropped(
    rows: Iterable[ConflictRow], columns: Sequence[str]
) -> list[ConflictRow]:
    """
    The rows with none but the ``columns`` that the merge's result has, as
    nothing else can be decided or written. Raises ``MergeBlocked`` where a
    side changed a value of another: Dolt lists those as conflicts, DoltLite
    refuses the merge, and neither has a place to keep the value.
    """
    kept = frozenset(columns)
    return [_without(row, kept) for row in rows]


def _without(row: ConflictRow, kept: frozenset[str]) -> ConflictRow:
    base, ours, theirs = versions = (row.base, row.ours, row.theirs)
    if (
        (base is None or base.keys() <= kept)
        and (ours is None or ours.keys() <= kept)
        and (theirs is None or theirs.keys() <= kept)
    ):
        return row
    for version in (row.ours, row.theirs):
        for column in (version or {}).keys() - kept:
            assert version is not None
            if row.base is None or not same(version[column], row.base.get(column)):
                raise MergeBlocked(
                    f"column '{column}' of table '{row.table}' was dropped on one "
                    "branch and its value changed on the other"
                )
    base, ours, theirs = (_cut(version, kept) for version in versions)
    return row._replace(base=base, ours=ours, theirs=theirs)


def _cut(version: Row | None, kept: frozenset[str]) -> Row | None:
    if version is None:
        return None
    return {column: value for column, value in version.items() if column in kept}

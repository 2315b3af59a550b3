"""Rows with values of a column that one side dropped, and the other still has."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from versioning.backends.errors import MergeBlocked, MergeRefused
from versioning.backends.repository import ConflictRow, Row, RowChange
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
    base, ours, theirs = (cut(version, kept) for version in versions)
    return row._replace(base=base, ours=ours, theirs=theirs)


def cut(version: Row | None, kept: frozenset[str]) -> Row | None:
    """A row with none but some columns; None stays no row."""
    if version is None:
        return None
    return {column: value for column, value in version.items() if column in kept}


def that_fit(
    table: str, changes: Iterable[RowChange], gone: frozenset[str]
) -> Iterator[RowChange]:
    """
    A commit's changes without the columns that are ``gone`` where they are
    brought to. Raises ``MergeRefused`` where it changed a value of one.
    """
    for change in changes:
        if gone:
            if lost := sorted(c for c in gone if _is_lost(change, c)):
                raise MergeRefused(
                    f"That commit changed values of {', '.join(lost)} in {table}, and "
                    f"{table} has no such column on the branch: it was dropped or "
                    "renamed since, or was never made there. What is still needed of "
                    "that change has to be made by hand."
                )
            change = replace(
                change,
                before=_less(change.before, gone),
                after=_less(change.after, gone),
            )
        yield change


def _is_lost(change: RowChange, column: str) -> bool:
    """Whether a change puts a value into a column that was not there before."""
    if change.after is None:
        return False  # the row goes with all it has
    if change.before is None:
        return not is_empty(change.after.get(column))
    return not same(change.before.get(column), change.after.get(column))


def is_empty(value: object) -> bool:
    """Whether nobody misses a value that was added with a row."""
    return value is None or value == ""


def _less(version: Row | None, gone: frozenset[str]) -> Row | None:
    if version is None:
        return None
    return {column: value for column, value in version.items() if column not in gone}

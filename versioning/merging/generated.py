"""
Conflicts in tables with generated columns, on an engine that can't list them.

Dolt works the generated columns of a merged row out anew, unless the row is in
conflict: then it fails, and with a STORED column the server ends. So rows that
both sides changed are compared before it is asked.
"""

from collections.abc import Iterator
from itertools import islice

from versioning import values
from versioning.backends.errors import MergeRefused
from versioning.backends.repository import Key, MergeSides, Repository, Row
from versioning.presentation.snapshot import spoken_key
from versioning.values import same

BATCH = 500  # rows


def require_mergeable(repository: Repository, sides: MergeSides) -> None:
    """
    Raise ``MergeRefused`` if a row that both sides changed is in conflict, and
    its table has generated columns, where the engine can't have that. Takes work
    in proportion to the rows that changed in such tables.
    """
    if repository.features.merges_generated_columns:
        return
    ours, theirs = (
        {
            change.table
            for change in repository.diff_summary(sides.base, side)
            if change.data_changed
        }
        for side in (sides.ours, sides.theirs)
    )
    for table in sorted(ours & theirs):
        if any(
            repository.generated_columns(table, side)
            for side in (sides.ours, sides.theirs)
            if table in repository.tables(side)
        ):
            for key in _in_conflict(repository, sides, table):
                raise MergeRefused(
                    f"Both branches changed row {spoken_key(key)} of "
                    f"“{values.table_name(table)}”, and not to the same. The table has "
                    "columns that the database works out by itself, and this database "
                    "can’t have such a row decided in a merge. Give it the same values "
                    "on one branch that it has on the other; then look again."
                )


def _in_conflict(
    repository: Repository, sides: MergeSides, table: str
) -> Iterator[Key]:
    changes = repository.diff_rows(table, sides.base, sides.theirs)
    while batch := list(islice(changes, BATCH)):
        theirs = {change.key: change for change in batch}
        for ours in repository.diff_rows(
            table, sides.base, sides.ours, keys=list(theirs)
        ):
            base = ours.before or {}
            if _conflict(base, ours.after, theirs[ours.key].after):
                yield ours.key


def _conflict(base: Row, ours: Row | None, theirs: Row | None) -> bool:
    if ours is None or theirs is None:
        return ours is not theirs
    return any(
        not same(ours[column], theirs[column])
        and not (
            column in base
            and (same(ours[column], base[column]) or same(theirs[column], base[column]))
        )
        for column in ours.keys() & theirs.keys()
    )

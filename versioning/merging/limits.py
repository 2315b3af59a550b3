"""
Merges that an engine can't make, found before it is asked to.

Dolt works the generated columns of a merged row out anew, unless the row is in
conflict: then it fails, and with a STORED column the server ends. It ends as
well where the table has a STORED column and its columns stand elsewhere on one
side, as it works the value out of the wrong ones; and where each side dropped
other columns of a table, as it looks one up by the place that it had before, in
a list of those that the side has left.
"""

from collections.abc import Iterator, Mapping
from itertools import islice

from versioning import values
from versioning.backends.errors import MergeRefused
from versioning.backends.repository import (
    Key,
    MergeSides,
    Repository,
    Row,
    TableChange,
)
from versioning.presentation.snapshot import spoken_key
from versioning.values import same

BATCH = 500  # rows

Changes = Mapping[str, TableChange]  # of a side, by what the table was called before


def require_mergeable(repository: Repository, sides: MergeSides) -> None:
    """
    Raise ``MergeRefused`` for what the engine can't have. Takes work in
    proportion to the rows that changed in tables with generated columns.
    """
    features = repository.features
    if features.merges_generated_columns and features.merges_columns_dropped_apart:
        return
    ours, theirs = (
        {change.old_table: change for change in repository.diff_summary(sides.base, at)}
        for at in (sides.ours, sides.theirs)
    )
    for table in sorted(ours.keys() & theirs.keys()):
        both = ours[table], theirs[table]
        if all(change.schema_changed for change in both):
            _require_columns_to_find(repository, sides, table, ours, theirs)
        if any(change.schema_changed for change in both):
            _require_one_form_of_stored(repository, sides, table)
        if all(change.data_changed for change in both):
            _require_no_conflict_of_generated(repository, sides, table)


# Columns that are gone ----------------------------------------------------------


def _require_columns_to_find(
    repository: Repository,
    sides: MergeSides,
    table: str,
    ours: Changes,
    theirs: Changes,
) -> None:
    """
    Refuses more than ends the server, as nobody can tell by names whether a
    column was renamed, or dropped and another one added.
    """
    here = _columns_left(repository, ours[table].table, sides.ours)
    there = _columns_left(repository, theirs[table].table, sides.theirs)
    if here is None or there is None or table not in repository.tables(sides.base):
        return
    key = repository.primary_key(table, sides.base)
    before = [
        column
        for column in repository.column_definitions(table, sides.base)
        if column not in key
    ]
    for left, other in ((here, there), (there, here)):
        has_new = not left.issubset(before)
        if any(
            place >= len(left) and column not in other and (has_new or column in left)
            for place, column in enumerate(before)
        ):
            raise MergeRefused(
                f"Both branches dropped or renamed columns of "
                f"“{values.table_name(table)}”, and not the same ones, and this "
                "database can’t merge that. Give both branches the same tables first; "
                "then look again."
            )


def _columns_left(repository: Repository, table: str, at: str) -> frozenset[str] | None:
    """Those of a side's table beside its key; None without the table."""
    if table not in repository.tables(at):
        return None
    key = repository.primary_key(table, at)
    return frozenset(repository.columns(table, at)).difference(key)


# Columns that are worked out ----------------------------------------------------


def _require_one_form_of_stored(
    repository: Repository, sides: MergeSides, table: str
) -> None:
    """Refuses more than ends the server: not all that stands elsewhere does."""
    both = sides.ours, sides.theirs
    if any(table not in repository.tables(at) for at in both):
        return
    ours, theirs = (
        list(repository.column_definitions(table, at).items()) for at in both
    )
    has_stored = any(
        column in repository.generated_columns(table, at) and "STORED" in rest.upper()
        for at, columns in zip(both, (ours, theirs), strict=True)
        for column, rest in columns
    )
    if has_stored and ours != theirs:
        raise MergeRefused(
            f"The branches have other columns of “{values.table_name(table)}”, and "
            "both changed it. The table has columns that the database works out by "
            "itself and stores, and this database can’t merge such a table unless "
            "both branches have it alike. Give both branches the same tables first; "
            "then look again."
        )


def _require_no_conflict_of_generated(
    repository: Repository, sides: MergeSides, table: str
) -> None:
    if not any(
        repository.generated_columns(table, side)
        for side in (sides.ours, sides.theirs)
        if table in repository.tables(side)
    ):
        return
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

"""
Foreign keys in a merge: whether its result has all that it should.

Dolt loses a key, without a word, where one side gave one of its two tables another
name.
"""

from collections.abc import Mapping
from dataclasses import replace

from versioning.backends.errors import MergeRefused
from versioning.backends.repository import ForeignKey, MergeSides, Repository
from versioning.merging.reshaped import renamed_tables
from versioning.values import TableValues, table_name


def require_kept(merge: Repository, sides: MergeSides) -> None:
    """
    Raise ``MergeRefused`` if the result of a merge under way lacks a foreign key
    that it should have.
    """
    for key in sorted(_wanted(merge, sides) - {*merge.foreign_keys()}):
        raise MergeRefused(
            f"After this merge nothing would make sure that {_columns(key)} of "
            f"“{table_name(key.table)}” points to a row of “{table_name(key.parent)}”: "
            "one branch gave a table or column another name, and this database loses "
            "the rule by that. Give both branches the same tables first; then look "
            "again."
        )


def _columns(key: ForeignKey) -> str:
    named = TableValues(key.table)
    return " and ".join(f"“{named.column_name(column)}”" for column in key.columns)


def _wanted(merge: Repository, sides: MergeSides) -> set[ForeignKey]:
    """What both sides have, and what one of them got, by the names of the result."""
    base, ours, theirs = (
        set(merge.foreign_keys(at)) for at in (sides.base, sides.ours, sides.theirs)
    )
    by_ours, by_theirs = (
        renamed_tables(merge, sides.base, side) for side in (sides.ours, sides.theirs)
    )
    return {
        *(ours & theirs),
        *(_called(key, by_theirs) for key in ours - base),
        *(_called(key, by_ours) for key in theirs - base),
    }


def _called(key: ForeignKey, names: Mapping[str, str]) -> ForeignKey:
    return replace(
        key,
        table=names.get(key.table, key.table),
        parent=names.get(key.parent, key.parent),
    )

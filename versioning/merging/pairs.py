"""
A many-to-many choice that both sides made: two new rows of the field's own table
that differ in nothing but a key that nobody chose, and that mean the same.
"""

from collections import defaultdict
from collections.abc import Sequence

from django.db import models

from versioning.backends.equality import same
from versioning.backends.repository import (
    Key,
    Repository,
    Row,
    RowWrite,
    Violation,
    ViolationKind,
)
from versioning.merging.writing import ResultWriter
from versioning.values import model_for


def write(
    repository: Repository, writer: ResultWriter, listed: Sequence[Violation]
) -> None:
    """Leave out theirs of each two, of those that break a rule as they are two."""
    by_table: dict[str, list[Key]] = defaultdict(list)
    for violation in listed:
        if violation.kind is ViolationKind.UNIQUE and _is_of_a_field(violation.table):
            by_table[violation.table].append(violation.key)
    for table, keys in by_table.items():
        base, ours, theirs = (
            repository.rows(table, keys, at=at)
            if table in repository.tables(at=at)
            else {}
            for at in (writer.sides.base, writer.sides.ours, writer.sides.theirs)
        )
        here = [row for key, row in ours.items() if key not in base | theirs]
        there = {k: row for k, row in theirs.items() if k not in base | ours}
        primary = repository.primary_key(table)
        twins = [
            key
            for key, row in there.items()
            if any(_are_alike(row, other, primary) for other in here)
        ]
        writer.write(table, [RowWrite(key, None) for key in twins])
        writer.went_along |= bool(twins)


def _is_of_a_field(table: str) -> bool:
    """Whether Django made the table for a many-to-many field, and gives its keys."""
    model = model_for(table)
    return (
        model is not None
        and bool(model._meta.auto_created)
        and isinstance(model._meta.pk, models.AutoField)
    )


def _are_alike(one: Row, other: Row, primary: Sequence[str]) -> bool:
    return one.keys() == other.keys() and all(
        same(one[column], other[column]) for column in one if column not in primary
    )

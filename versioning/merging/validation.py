"""The models' own rules, on rows of a merge that equal neither side."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models

from versioning import values
from versioning.backends.repository import Key, MergeSides, Repository, Row

BATCH = 500  # rows compared at a time
REPORTED = 50  # rows, at most


@dataclass(frozen=True, slots=True)
class InvalidRow:
    """A row that the application would not have taken, and its reasons."""

    table: str
    key: Key
    reasons: tuple[str, ...]


def invalid_rows(
    repository: Repository, sides: MergeSides, commit: str
) -> list[InvalidRow]:
    """
    Rows of a merge (``commit``) that were put together from both sides, or
    typed, and that their model's ``clean_fields()`` or ``clean()`` refuses.

    A row as one side has it was good enough there and is not asked again.
    Uniqueness and foreign keys are for ``broken_constraints()``: in bulk, not
    a query a row. The connection is to be bound to the merge.
    """
    found = (
        InvalidRow(table, key, reasons)
        for table in _changed_on_both(repository, sides)
        for key, row in _new_rows(repository, sides, commit, table)
        if (reasons := _reasons(table, row))
    )
    return list(islice(found, REPORTED))


def _changed_on_both(repository: Repository, sides: MergeSides) -> list[str]:
    ours, theirs = (
        {change.table for change in repository.diff_summary(sides.base, side)}
        for side in (sides.ours, sides.theirs)
    )
    return sorted(ours & theirs)


def _new_rows(
    repository: Repository, sides: MergeSides, commit: str, table: str
) -> Iterator[tuple[Key, Row]]:
    """Rows of the merge that neither side has like this."""
    changed = repository.diff_rows(table, sides.ours, commit)
    while batch := list(islice(changed, BATCH)):
        kept = [change for change in batch if change.after is not None]
        theirs = repository.rows(
            table, [change.key for change in kept], at=sides.theirs
        )
        for change in kept:
            if change.after is not None and theirs.get(change.key) != change.after:
                yield change.key, change.after


def _reasons(table: str, row: Row) -> tuple[str, ...]:
    instance = values.instance(table, row)
    if instance is None:
        return ()
    try:
        instance.clean_fields(exclude=_relations(instance))
        instance.clean()
    except ValidationError as error:
        return tuple(_sentences(instance, error))
    return ()


def _relations(instance: models.Model) -> list[str]:
    return [field.name for field in instance._meta.fields if field.remote_field]


def _sentences(instance: models.Model, error: ValidationError) -> Iterator[str]:
    if not hasattr(error, "error_dict"):
        yield from error.messages
        return
    for name, messages in error.message_dict.items():
        if name == NON_FIELD_ERRORS:
            yield from messages
        else:
            field: Any = instance._meta.get_field(name)
            label = field.verbose_name
            yield from (f"{label}: {message}" for message in messages)

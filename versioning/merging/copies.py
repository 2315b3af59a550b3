"""
Rows that both sides added under one key, both kept: theirs gets another key,
and the rows of theirs that point to it follow.
"""

import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from django.db import models

from versioning import values
from versioning.backends.repository import (
    ChangeKind,
    ConflictRow,
    Key,
    MergeSides,
    Repository,
    RowWrite,
)
from versioning.merging.writing import ResultWriter

BATCH = 500  # rows

#: New keys by table and old key.
NewKeys = Mapping[str, Mapping[Key, Key]]


def can_have_another_key(table: str) -> bool:
    """Whether a new key can be made up: a number or a UUID, of one column."""
    model = values.model_for(table)
    if model is None:
        return False
    key = model._meta.pk
    return isinstance(key, models.IntegerField | models.UUIDField)


def write(
    repository: Repository, writer: ResultWriter, kept: Sequence[ConflictRow]
) -> None:
    """
    Write theirs of each row under a new key, and what points to it. Within a
    merge under way, with its decisions written.
    """
    by_table: dict[str, list[ConflictRow]] = defaultdict(list)
    for row in kept:
        by_table[row.table].append(row)
    new_keys = {
        table: dict(
            zip(
                (row.key for row in rows),
                _free_keys(repository, writer.sides, table, len(rows)),
                strict=True,
            )
        )
        for table, rows in by_table.items()
    }
    for table, rows in by_table.items():
        (column,) = repository.primary_key(table)
        copies = []
        for row in rows:
            key = new_keys[table][row.key]
            copy = _pointing_anew(
                table, {**(row.theirs or {}), column: key[0]}, new_keys
            )
            copies.append(RowWrite(key, copy))
        writer.write(table, copies)
    _follow(repository, writer, new_keys)


def _free_keys(
    repository: Repository, sides: MergeSides, table: str, count: int
) -> Iterator[Key]:
    model = values.model_for(table)
    assert model is not None
    column = str(model._meta.pk.column)
    held = values.TableValues(table)
    if isinstance(model._meta.pk, models.UUIDField):
        return iter([(held.to_driver(column, uuid.uuid4()),) for _ in range(count)])
    highest = max(
        repository.highest_key(table, at=at) or 0
        for at in (sides.ours, sides.theirs, None)
    )
    return iter([(highest + number,) for number in range(1, count + 1)])


def _foreign_keys(table: str) -> dict[str, str]:
    """Tables that columns of a table point to, by column."""
    model = values.model_for(table)
    if model is None:
        return {}
    return {
        str(field.column): field.related_model._meta.db_table
        for field in model._meta.concrete_fields
        if isinstance(field, models.ForeignKey) and field.target_field.primary_key
    }


def _pointing_anew(
    table: str, row: Mapping[str, Any], new_keys: NewKeys
) -> dict[str, Any]:
    found = dict(row)
    for column, parent in _foreign_keys(table).items():
        if new := new_keys.get(parent, {}).get((row.get(column),)):
            found[column] = new[0]
    return found


def _follow(repository: Repository, writer: ResultWriter, new_keys: NewKeys) -> None:
    """
    Point to the new keys in rows that theirs added or changed, and that point
    to what has one.
    """
    sides = writer.sides
    changed = {
        change.table for change in repository.diff_summary(sides.base, sides.theirs)
    }
    for table in sorted(values.models_by_table().keys() & changed):
        parents = _foreign_keys(table)
        if not new_keys.keys() & set(parents.values()):
            continue
        changes = (
            change
            for change in repository.diff_rows(
                table,
                sides.base,
                sides.theirs,
                kinds=[ChangeKind.ADDED, ChangeKind.CHANGED],
            )
            if change.key not in new_keys.get(table, {})
        )
        while batch := list(islice(changes, BATCH)):
            keys = [change.key for change in batch]
            now = writer.rows(table, keys)
            ours = repository.rows(table, keys, at=sides.ours)
            writes = [
                RowWrite(change.key, anew)
                for change in batch
                if (row := now.get(change.key))
                # One that ours has, and points so there, means ours.
                and not _points_alike(ours.get(change.key), row, parents)
                and (anew := _pointing_anew(table, row, new_keys)) != row
            ]
            writer.write(table, writes)


def _points_alike(
    ours: Mapping[str, Any] | None, row: Mapping[str, Any], parents: Mapping[str, str]
) -> bool:
    return ours is not None and all(
        ours.get(column) == row.get(column) for column in parents
    )

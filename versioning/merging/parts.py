"""
A row of a model that inherits is in a table of its own and in that of each model
above. Deleted on one side and kept as the other has it, it is kept with all
its parts; what else was deleted along is not, and is told.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

from django.db import models

from versioning.backends.repository import ChangeKind, Key, Repository, Row, RowWrite
from versioning.inheritance import between, is_part_link, parts_beside, parts_of
from versioning.merging.memory import remember
from versioning.merging.writing import ResultWriter
from versioning.values import model_for, models_by_table, same
from versioning.visibility import hidden_among

LOOKED_AT = 2000  # rows that a side deleted, of each table

#: Rows in a merge's result that one side deleted, by table and by the hash that
#: has them.
Kept = Mapping[tuple[str, str], Collection[Key]]


class Deleted(NamedTuple):
    """Rows of one table that a side deleted along with a row."""

    table: str
    rows: int  # 0: there may be some
    is_part: bool  # of the row, so that it is kept with it
    may_be_more: bool = False  # not all that it deleted was looked at


def write(
    repository: Repository,
    writer: ResultWriter,
    kept: Kept,
    decided: Collection[tuple[str, Key]],
) -> None:
    """
    Write the other parts of rows that were kept: none that is there, and none
    that was ``decided`` about itself. Nor what is a part of them only through one
    that is there: it did not go along with them. Within a merge under way.
    """
    beside = parts_beside()
    for (table, side), keys in kept.items():
        if table not in beside:
            continue
        tables = {*repository.tables(at=side)}.intersection(repository.tables())
        to_do, done = [(table, keys)], {table}
        while to_do:
            back, of = to_do.pop()
            for part in sorted(tables.intersection(beside[back]) - done):
                done.add(part)
                wanted = [key for key in of if (part, key) not in decided]
                there = writer.rows(part, wanted)
                missing = [key for key in wanted if key not in there]
                rows = repository.rows(part, missing, at=side)
                writer.write(part, [RowWrite(key, row) for key, row in rows.items()])
                writer.went_along |= bool(rows)
                to_do.append((part, [*rows]))


def deleted_along(
    repository: Repository,
    table: str,
    rows: Mapping[Key, Row],
    *,
    base: str,
    deleter: str,
    keeper: str,
) -> dict[Key, list[Deleted]]:
    """
    What the side ``deleter`` deleted besides these rows, which ``keeper`` has so:
    their parts, and what points to them. Not what the keeper changed, which is
    in conflict itself.
    """
    found: dict[Key, list[Deleted]] = defaultdict(list)
    changed = {change.table for change in repository.diff_summary(base, deleter)}
    there = changed.intersection(repository.tables(at=keeper))
    for link in links(table):
        if link.table not in there or hidden_among(link.table, [link.column]):
            continue
        find = partial(_count, repository, link, base, deleter, keeper)
        asked = ("deleted", link.table, link.column, base, deleter, keeper)
        counts, more = remember(asked, find)
        apart = set[Key]()
        for through in between(table, link.table) if link.is_part else ():
            if through not in repository.tables(at=deleter):
                continue
            apart |= repository.rows(through, list(rows), at=deleter).keys()
        for key, row in rows.items():
            if key in apart:  # deleted on its own: see ``write()``
                continue
            held = row.get(link.target)
            count = 0 if held is None else counts[held]
            if count or (more and held is not None):
                found[key].append(Deleted(link.table, count, link.is_part, more))
    return found


class Link(NamedTuple):
    """Rows of a table that have in a column what a row has in its own."""

    table: str
    column: str
    target: str
    is_part: bool


def _count(
    repository: Repository, link: Link, base: str, deleter: str, keeper: str
) -> tuple[Counter[Any], bool]:
    """By what they have in the link's column; and whether there may be more."""
    before = _deleted(repository, link.table, base, deleter)
    left = _unchanged(repository, link.table, before, keeper)
    found = Counter(row.get(link.column) for row in left.values())
    return found, len(before) == LOOKED_AT


def deleted_by_one(
    repository: Repository, table: str, base: str, deleter: str, keeper: str
) -> dict[Key, Row]:
    """
    Rows that one side deleted, of the first ``LOOKED_AT``, and the other left as
    they were.
    """
    for at in (base, deleter, keeper, None):
        if table not in repository.tables(at=at):
            return {}
    before = _deleted(repository, table, base, deleter)
    return _unchanged(repository, table, before, keeper)


def _deleted(
    repository: Repository, table: str, base: str, deleter: str
) -> dict[Key, Row]:
    changes = repository.diff_rows(
        table, base, deleter, kinds=[ChangeKind.REMOVED], limit=LOOKED_AT
    )
    return {change.key: change.before or {} for change in changes}


def _unchanged(
    repository: Repository, table: str, before: Mapping[Key, Row], at: str
) -> dict[Key, Row]:
    """Those of some rows that a state has as they were."""
    return {
        key: row
        for key, row in repository.rows(table, list(before), at=at).items()
        if all(same(row[c], before[key][c]) for c in row.keys() & before[key].keys())
    }


def links(table: str) -> Iterator[Link]:
    """What has a row of a table's in it: its parts, and what points to it."""
    model = model_for(table)
    if model is None:
        return
    key = str(model._meta.pk.column)
    parts = parts_of(table)
    for part, its_key in parts.items():
        yield Link(part, its_key, key, is_part=True)
    for other in models_by_table().values():
        for field in other._meta.local_concrete_fields:
            if not isinstance(field, models.ForeignKey) or is_part_link(field):
                continue
            to, target = field.related_model._meta.db_table, field.target_field
            column = str(field.column)
            if to == table:
                yield Link(other._meta.db_table, column, str(target.column), False)
            elif to in parts and target.primary_key:
                yield Link(other._meta.db_table, column, key, False)

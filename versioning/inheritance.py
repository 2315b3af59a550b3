"""The tables that hold one object: a model that inherits has a part in each."""

from collections import defaultdict
from typing import Any

from versioning.values import models_by_table


def parts_of(table: str) -> dict[str, str]:
    """
    The other tables that a row of this one may have parts in, under the same key,
    and the column of that key.
    """
    tables, beside = models_by_table(), parts_beside()
    found, to_do = {table}, [table]
    while to_do:
        new = beside.get(to_do.pop(), set()) - found
        found |= new
        to_do += new
    return {
        name: str(tables[name]._meta.pk.column)
        for name in sorted(tables.keys() & found - {table})
    }


def parts_beside() -> dict[str, set[str]]:
    """The same of each table, without what is a part only through another."""
    beside: dict[str, set[str]] = defaultdict(set)
    for name, model in models_by_table().items():
        for field in model._meta.local_concrete_fields:
            if is_part_link(field) and isinstance(field.related_model, type):
                above = field.related_model._meta.db_table
                beside[name].add(above)
                beside[above].add(name)
    return beside


def between(table: str, part: str) -> list[str]:
    """The tables through which a row of one has a part in another."""
    beside, ways, to_do = parts_beside(), {table: list[str]()}, [table]
    while to_do:
        here = to_do.pop()
        for name in beside[here] - ways.keys():
            ways[name] = [*ways[here], here]
            to_do.append(name)
    return ways[part][1:]


def is_part_link(field: Any) -> bool:
    """Whether a field makes a row a part of the one that it points to."""
    return bool(
        field.primary_key and field.remote_field and field.remote_field.parent_link
    )

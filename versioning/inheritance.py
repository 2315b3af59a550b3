"""The tables that hold one object: a model that inherits has a part in each."""

from collections import defaultdict
from typing import Any

from versioning.values import models_by_table


def parts_of(table: str) -> dict[str, str]:
    """
    The other tables that a row of this one may have parts in, under the same key,
    and the column of that key.
    """
    tables = models_by_table()
    beside: dict[str, set[str]] = defaultdict(set)
    for name, model in tables.items():
        for field in model._meta.local_concrete_fields:
            if is_part_link(field) and isinstance(field.related_model, type):
                above = field.related_model._meta.db_table
                beside[name].add(above)
                beside[above].add(name)
    found, to_do = {table}, [table]
    while to_do:
        new = beside[to_do.pop()] - found
        found |= new
        to_do += new
    return {
        name: str(tables[name]._meta.pk.column)
        for name in sorted(tables.keys() & found - {table})
    }


def is_part_link(field: Any) -> bool:
    """Whether a field makes a row a part of the one that it points to."""
    return bool(
        field.primary_key and field.remote_field and field.remote_field.parent_link
    )

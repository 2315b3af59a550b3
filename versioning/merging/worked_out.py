"""Columns that the database works out from others, of rows that it does not hold."""

from collections.abc import Collection
from functools import partial
from typing import Any

from django.db.models import F, Value
from django.db.models.sql import Query


def with_generated(instance: Any, using: str) -> None:
    """
    Have an object's generated fields worked out from its others, by the database
    ``using``, as soon as something reads them.
    """
    generated = [f for f in instance._meta.local_concrete_fields if f.generated]
    for field in generated:
        vars(instance).pop(field.attname, None)
    if generated:
        instance.refresh_from_db = partial(_work_out, instance, using)


def _work_out(instance: Any, using: str, *, fields: Collection[str]) -> None:
    """What Django calls for a field that was not read: here none but these."""
    values: dict[Any, Any] = {}
    for field in instance._meta.concrete_fields:
        if not field.generated:
            value = Value(getattr(instance, field.attname), field)
            values |= {F(field.name): value, F(field.attname): value}
    query = Query(None)
    for name in fields:
        expression = instance._meta.get_field(name).expression
        query.add_annotation(expression.replace_expressions(values), name)
    found = next(iter(query.get_compiler(using=using).results_iter()))
    vars(instance).update(zip(fields, found, strict=True))

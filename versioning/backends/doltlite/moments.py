"""
Dates and times, which are text in the file: what a model has of them.

As with SQLite of Django's own, nothing where the text is none; but here it
is a model's field that makes them of the text, and the driver leaves it as it is.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from django.db.backends.sqlite3.operations import DatabaseOperations
from django.utils.dateparse import parse_date, parse_datetime, parse_time

_PARSERS: Mapping[str, Callable[[str], Any]] = {
    "DateField": parse_date,
    "DateTimeField": parse_datetime,
    "TimeField": parse_time,
}


class Operations(DatabaseOperations):
    def get_db_converters(self, expression: Any) -> list[Any]:
        found = super().get_db_converters(expression)
        kind = expression.output_field.get_internal_type()
        return [_reader(_PARSERS[kind]), *found] if kind in _PARSERS else found

    def last_executed_query(self, cursor: Any, sql: str, params: Any) -> str:
        """
        For tools that show statements to developers. Django's own fails at one
        that was run for many rows, as merges are written; it is shown once.
        """
        if isinstance(params, list) and params and isinstance(params[0], list | tuple):
            return f"{sql} -- for {len(params)} rows"
        return str(super().last_executed_query(cursor, sql, params))


def _reader(parse: Callable[[str], Any]) -> Callable[..., Any]:
    def read(value: Any, expression: Any, connection: Any) -> Any:
        if isinstance(value, (dt.date, dt.time)):
            return value
        try:
            return parse(value) if isinstance(value, str) else None
        except ValueError:  # such as the 30th of February
            return None

    return read

"""
Dates and times as the server has them.

Its driver makes None of what is no date, such as ``0000-00-00``, and of years
before 1000, which the server writes with fewer digits; Django's own converter
fails at a time of more than a day. Each would be lost where a row is written
again. So such a value is text here, and nothing to a model, as ever.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from django.db.backends.mysql.operations import DatabaseOperations
from django.db.backends.utils import typecast_time
from MySQLdb.constants import FIELD_TYPE

_FIELDS = frozenset({"DateField", "DateTimeField", "TimeField"})


def _read(make: Callable[[str], Any]) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        try:
            return make(text)
        except ValueError:
            return text

    return read


def _padded(text: str) -> str:
    year, dash, rest = text.partition("-")
    return f"{year:0>4}{dash}{rest}"


_moment = _read(lambda text: datetime.fromisoformat(_padded(text)))

#: By the type of a column, what makes a value of the server's text.
CONVERSIONS: Mapping[int, Callable[[str], Any]] = {
    FIELD_TYPE.DATE: _read(lambda text: date.fromisoformat(_padded(text))),
    FIELD_TYPE.DATETIME: _moment,
    FIELD_TYPE.TIMESTAMP: _moment,
    FIELD_TYPE.TIME: _read(typecast_time),
}


class Operations(DatabaseOperations):
    def get_db_converters(self, expression: Any) -> list[Any]:
        found = super().get_db_converters(expression)
        if expression.output_field.get_internal_type() in _FIELDS:
            return [_nothing_for_text, *found]
        return found


def _nothing_for_text(value: Any, expression: Any, connection: Any) -> Any:
    return None if isinstance(value, str) else value

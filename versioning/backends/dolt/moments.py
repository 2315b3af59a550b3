"""
Dates and times as the server has them.

Its driver makes None of what is no date, such as ``0000-00-00``, and of years
before 1000, which the server writes with fewer digits; Django's own converter
fails at a time of more than a day. Each would be lost where a row is written
again. So such a value is text here, and nothing to a model, as ever. Text that
is a date or a time is what somebody typed, as a model's field writes it.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from django.db.backends.mysql.operations import DatabaseOperations
from django.db.backends.utils import typecast_time
from MySQLdb.constants import FIELD_TYPE


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


#: By the kind of a field, the type of its column.
_FIELDS: Mapping[str, int] = {
    "DateField": FIELD_TYPE.DATE,
    "DateTimeField": FIELD_TYPE.DATETIME,
    "TimeField": FIELD_TYPE.TIME,
}


class Operations(DatabaseOperations):
    def get_db_converters(self, expression: Any) -> list[Any]:
        found = super().get_db_converters(expression)
        kind = expression.output_field.get_internal_type()
        if kind in _FIELDS:
            return [_from_text(CONVERSIONS[_FIELDS[kind]]), *found]
        return found


def _from_text(read: Callable[[str], Any]) -> Callable[..., Any]:
    def convert(value: Any, expression: Any, connection: Any) -> Any:
        if not isinstance(value, str):
            return value
        found = read(value)
        return None if isinstance(found, str) else found

    return convert

"""
Between what a driver gives for a column and what a model's field holds.

A ``Row`` of the repository holds *driver values*: 0 and 1 for a boolean, text
for JSON, 32 hex digits for a UUID. People and models speak in *field values*.
The converters are those of Django's own compiler, so both ways are as exact
as the ORM is. A column without a field, or a table without a model, keeps the
driver's values.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json
import math
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias, cast

from django.apps import apps
from django.db import models
from django.db.migrations.recorder import MigrationRecorder
from django.utils.duration import duration_microseconds

from versioning.backends.equality import plain_bytes
from versioning.backends.equality import same as same
from versioning.backends.repository import Key, Row
from versioning.conf import connection as versioned_connection
from versioning.conf import options

_MOMENTS = (models.DateField, models.TimeField)

ConcreteField: TypeAlias = "models.Field[Any, Any]"


def models_by_table() -> dict[str, type[models.Model]]:
    """
    Models of the versioned apps by the name of their table, through tables of
    many-to-many fields included.
    """
    versioned = options().apps
    return {
        model._meta.db_table: model
        for model in apps.get_models(include_auto_created=True)
        if model._meta.app_label in versioned and not model._meta.proxy
    }


def model_for(table: str) -> type[models.Model] | None:
    """The model whose rows a table holds, if there is one."""
    return models_by_table().get(table)


def is_bookkeeping(table: str) -> bool:
    """Whether a table is Django's own record, of migrations, and no app's."""
    return table == MigrationRecorder.Migration._meta.db_table


def table_name(table: str) -> str:
    """A table as people call it: its model's plural name, or the raw name."""
    if is_bookkeeping(table):
        return "Applied migrations"
    model = model_for(table)
    if model is None:
        return table
    if auto := cast(Any, model._meta.auto_created):
        field = _field_through(auto, model)
        return _capital(f"{field} of {auto._meta.verbose_name_plural}")
    return _capital(str(model._meta.verbose_name_plural))


def _field_through(owner: Any, through: type[models.Model]) -> str:
    for field in owner._meta.local_many_to_many:
        if field.remote_field.through is through:
            return str(field.verbose_name)
    return str(through._meta.verbose_name_plural)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


class TableValues:
    """One table's columns, as its model sees them."""

    def __init__(self, table: str, connection: Any = None):
        self.table = table
        self.model = model_for(table)
        self._connection = connection or versioned_connection()
        fields = self.model._meta.concrete_fields if self.model else ()
        self.fields: Mapping[str, ConcreteField] = {
            cast(str, field.column): field for field in fields
        }
        self._converters = {
            column: self._converters_of(field) for column, field in self.fields.items()
        }

    def field(self, column: str) -> ConcreteField | None:
        return self.fields.get(column)

    def column_name(self, column: str) -> str:
        """A column as people call it, or its raw name."""
        field = self.fields.get(column)
        return column if field is None else _capital(str(field.verbose_name))

    def to_field(self, column: str, value: Any) -> Any:
        """
        What the model's field would hold for a driver's value.

        A value that the field can't hold, such as text that is no JSON, stays
        as it is: a diff shows what is there. Fields of an application's own may
        raise anything for one.
        """
        converters = self._converters.get(column)
        if not converters:
            return value
        expression = self.fields[column].get_col(self.table)
        converted = value
        try:
            for converter in converters:
                converted = converter(converted, expression, self._connection)
        except Exception:
            return value
        if converted is None and isinstance(self.fields[column], _MOMENTS):
            return value  # of which the converters make nothing
        return converted

    def row_to_fields(self, row: Row) -> dict[str, Any]:
        """Field values of a whole row, by column."""
        return {column: self.to_field(column, value) for column, value in row.items()}

    def instance(
        self, row: Row, model: type[models.Model] | None = None
    ) -> models.Model | None:
        """
        The model's instance for a row, or a proxy's of it, every field set so that
        none is fetched later; None without a model. A column that the row lacks, as
        its state had none, holds the field's default.
        """
        model = model or self.model
        if model is None:
            return None
        fields = model._meta.concrete_fields
        return model.from_db(
            self._connection.alias,
            [field.attname for field in fields],
            [
                self.to_field(column, row[column])
                if (column := cast(str, field.column)) in row
                else field.get_default()
                for field in fields
            ],
        )

    def pk_of(self, key: Key) -> Any:
        """
        A row's key as the model's instance has it: a tuple where it is of several
        columns.
        """
        assert self.model is not None
        fields = self.model._meta.pk_fields
        parts = tuple(
            self.to_field(str(field.column), value)
            for field, value in zip(fields, key, strict=True)
        )
        return parts[0] if len(parts) == 1 else parts

    def to_driver(self, column: str, value: Any) -> Any:
        """What the driver takes to store a field's value."""
        field = self.fields.get(column)
        if field is None:
            return value
        return field.get_db_prep_save(value, connection=self._connection)

    def _converters_of(self, field: ConcreteField) -> list[Callable[..., Any]]:
        expression = field.get_col(self.table)
        exact = [_float] if isinstance(field, models.FloatField) else []
        return [
            *exact,
            *self._connection.ops.get_db_converters(expression),
            *expression.get_db_converters(self._connection),
        ]


def _float(value: Any, expression: Any, connection: Any) -> Any:
    """DoltLite's diffs give a float that is whole as an integer."""
    return float(value) if isinstance(value, int) else value


def key_of(instance: models.Model) -> Key:
    """The key of an instance's row, in driver values."""
    held = TableValues(instance._meta.db_table)
    return tuple(
        held.to_driver(str(field.column), getattr(instance, field.attname))
        for field in instance._meta.pk_fields
    )


def key_columns(table: str) -> frozenset[str]:
    """Columns of the key of a table's rows, as its model has it; none without one."""
    model = model_for(table)
    fields = model._meta.pk_fields if model else ()
    return frozenset(str(field.column) for field in fields)


def is_inherited(field: Any, model: type[models.Model]) -> bool:
    """Whether a model has a field from another one, in the table of that."""
    owner = field.model._meta.concrete_model
    return owner is not model._meta.concrete_model


def with_inherited(
    model: type[models.Model],
    rows: Sequence[Row],
    read: Callable[[str, set[Key]], Mapping[Key, Row]],
) -> Sequence[Row]:
    """
    Rows of a model's table, completed with those of the models that it inherits
    from, and they from others, which ``read`` gives by table and keys.
    """
    for parent, link in model._meta.parents.items():
        if link is None or link.column is None:
            continue
        keys = {(row[link.column],) for row in rows if link.column in row}
        found = read(parent._meta.db_table, keys)
        above = dict(
            zip(found, with_inherited(parent, list(found.values()), read), strict=True)
        )
        rows = [{**above.get((row.get(link.column),), {}), **row} for row in rows]
    return rows


# A lossless text form ---------------------------------------------------------

_TAG = "$"
_DIGITS = 100  # more than a number has in any column
_LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")
_EXACT_IN_JSON = 2**53  # beyond, databases give an integer for a float, or a float
_NUL = "\0"  # PostgreSQL takes it in no text, and not in JSON


def encode(value: Any) -> Any:
    """
    A driver's value as something that JSON can hold without loss.

    None, booleans, text and numbers that any database's JSON holds exactly stand
    for themselves; all else is ``{"$": type, "v": text}``. Raises ``TypeError``
    for a type that no driver gives.
    """
    if value is None or (type(value) is str and _NUL not in value):  # most of them
        return value
    match plain_bytes(value):
        case str() if _NUL in value:
            return _tagged("text", base64.b64encode(value.encode()).decode())
        case bool() | str():
            return value
        case int() if abs(value) <= _EXACT_IN_JSON:
            return value
        case int():
            return _tagged("int", str(value))
        case float() if abs(value) <= _EXACT_IN_JSON:
            return value
        case float():
            return _tagged("float", repr(value))
        case Decimal():
            return _tagged("decimal", str(value))
        case dt.datetime():
            return _tagged("datetime", value.isoformat())
        case dt.date():
            return _tagged("date", value.isoformat())
        case dt.time():
            return _tagged("time", value.isoformat())
        case dt.timedelta():
            return _tagged("microseconds", str(duration_microseconds(value)))
        case bytes() as plain:
            return _tagged("bytes", base64.b64encode(plain).decode())
        case uuid.UUID():
            return _tagged("uuid", str(value))
    raise TypeError(f"A column holds no {type(value).__name__}.")


def _tagged(kind: str, text: str) -> dict[str, str]:
    return {_TAG: kind, "v": text}


_DECODERS: Mapping[str, Callable[[str], Any]] = {
    "text": lambda text: base64.b64decode(text, validate=True).decode(),
    "int": int,
    "float": float,
    "decimal": Decimal,
    "datetime": dt.datetime.fromisoformat,
    "date": dt.date.fromisoformat,
    "time": dt.time.fromisoformat,
    "microseconds": lambda text: dt.timedelta(microseconds=int(text)),
    "bytes": lambda text: base64.b64decode(text, validate=True),
    "uuid": uuid.UUID,
}


def decode(encoded: Any) -> Any:
    """The value that ``encode()`` was given. Raises ``ValueError``."""
    if encoded is None or isinstance(encoded, (bool, int, float, str)):
        return encoded
    try:
        decoder, text = _DECODERS[encoded[_TAG]], encoded["v"]
        return decoder(text)
    except (
        KeyError,
        TypeError,
        ValueError,
        OverflowError,
        InvalidOperation,
        binascii.Error,
    ) as error:
        raise ValueError("This is no encoded value.") from error


_compact = json.JSONEncoder(separators=(",", ":")).encode


def key_text(key: Key) -> str:
    """A primary key as one line of text, the same for equal keys."""
    return _compact([encode(part) for part in key])


def key_from_text(text: str) -> Key:
    """The key that ``key_text()`` was given. Raises ``ValueError``."""
    try:
        parts = json.loads(text)
    except RecursionError as error:
        raise ValueError("This is no encoded key.") from error
    if not isinstance(parts, list) or not parts:
        raise ValueError("This is no encoded key.")
    return tuple(decode(part) for part in parts)


def key_from_outside(text: str) -> Key:
    """
    ``key_from_text()`` of an address or a form. Raises ``ValueError`` also for
    a value that no driver takes to compare a key with.
    """
    return tuple(_comparable(part) for part in key_from_text(text))


def _comparable(value: Any) -> Any:
    match value:
        case bool() | uuid.UUID():
            raise ValueError("No driver gives such a value.")
        case int():
            ops = versioned_connection().ops
            least, _ = ops.integer_field_range("BigIntegerField")
            _, most = ops.integer_field_range("PositiveBigIntegerField")
            fits = least <= value <= most
        case float():
            fits = math.isfinite(value)
        case Decimal():
            fits = value.is_finite() and abs(value.adjusted()) <= _DIGITS
        case str():
            fits = not _LONE_SURROGATE.search(value)
        case _:
            fits = True
    if not fits:
        raise ValueError("No column of a key holds such a value.")
    return value

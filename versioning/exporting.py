"""
A comparison as a file: CSV of one table's rows, or SQL that makes the change.

CSV is exact, and safe to open in a spreadsheet. Each row that differs is a
line: what became of it, then every column before and after. No value is an
empty field. A text that a spreadsheet would take for a formula, or that could
be mistaken for something else (empty text, "0x…", a leading apostrophe), has
an apostrophe in front: take one off each field that begins with it, and all
texts are what they were. Bytes are hexadecimal after "0x". The file is UTF-8
with a byte order mark, without which Excel guesses.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections import defaultdict
from collections.abc import Generator, Iterable, Iterator, Sequence
from decimal import Decimal
from io import StringIO
from typing import Any

from django.utils.duration import duration_iso_string

from versioning.backends.repository import Repository, Row
from versioning.values import ConcreteField, TableValues
from versioning.visibility import hidden_among, hides_any

CHUNK = 64 * 1024  # characters that are sent at a time

# "=", "+", "-" and "@" begin formulas, in full width too; a tab or the end of a
# line may be left out before them.
_RISKY = tuple("=+-@\t\r\n'\uff1d\uff0b\uff0d\uff20")


def csv_lines(
    repository: Repository,
    table: str,
    before: str,
    after: str,
    columns: Sequence[str],
) -> Iterator[str]:
    """
    Rows of one table that differ between two hashes, as CSV, without the
    columns that the reader may not see. Reads as ``stream_changes()`` does.
    """
    hidden = hidden_among(table, columns)  # now: the reader is gone when it is sent
    return _csv_lines(
        repository, table, before, after, [c for c in columns if c not in hidden]
    )


def _csv_lines(
    repository: Repository, table: str, before: str, after: str, columns: Sequence[str]
) -> Iterator[str]:
    values = TableValues(table, repository.connection)
    buffer = StringIO()
    writer = csv.writer(buffer)

    def line(*fields: str) -> str:
        buffer.seek(0)
        buffer.truncate()
        writer.writerow(fields)
        return buffer.getvalue()

    heads = (f"{column} {side}" for column in columns for side in ("before", "after"))
    yield "\ufeff" + line("change", *map(csv_text, heads))
    changes = repository.stream_changes(table, before, after)
    try:
        for change in changes:
            fields = (
                csv_text(_value(values, column, row))
                for column in columns
                for row in (change.before, change.after)
            )
            yield line(change.kind, *fields)
    finally:
        changes.close()  # type: ignore[attr-defined]


def _value(values: TableValues, column: str, row: Row | None) -> Any:
    """
    The field's value; JSON, and a number that the field would round, as it is
    stored, which is exact.
    """
    if row is None or column not in row:
        return None
    raw = row[column]
    if _is_json(values.field(column)):
        return raw
    value = values.to_field(column, raw)
    is_rounded = isinstance(value, Decimal) and isinstance(raw, float)
    return raw if is_rounded and float(value) != raw else value


def _is_json(field: ConcreteField | None) -> bool:
    return field is not None and field.get_internal_type() == "JSONField"


def csv_text(value: Any) -> str:
    """A value as the text of a field: see above."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case bytes() | bytearray() | memoryview():
            return f"0x{bytes(value).hex()}"
        case float():
            return repr(value)
        case Decimal():
            return format(value, "f")
        case dt.datetime():
            return value.isoformat(sep=" ")
        case dt.date() | dt.time():
            return value.isoformat()
        case dt.timedelta():
            return duration_iso_string(value)
        case int():
            return str(value)
    text = str(value)
    if not text or text.startswith(_RISKY) or text.startswith("0x"):
        return f"'{text}"
    return text


def from_csv_text(text: str) -> str | None:
    """A field's text as it was stored; None for no value."""
    return text.removeprefix("'") if text else None


def sql_lines(repository: Repository, before: str, after: str) -> Iterator[str]:
    """
    Statements that make one hash's state into another's, in the engine's own
    dialect, without the columns that the reader may not see.
    """
    without = {
        table: hidden
        for table, columns in _columns(repository, before, after).items()
        if (hidden := hidden_among(table, columns))
    }
    return _sql_lines(repository, before, after, without)


def _columns(repository: Repository, *states: str) -> dict[str, set[str]]:
    """Columns that one of the states has, of the tables where any may be hidden."""
    found: dict[str, set[str]] = defaultdict(set)
    for at in states:
        for table in filter(hides_any, repository.tables(at)):
            found[table].update(repository.columns(table, at))
    return found


def _sql_lines(
    repository: Repository, before: str, after: str, without: Any
) -> Iterator[str]:
    engine = repository.features.engine
    yield f"-- From {before}\n-- to   {after}, for {engine}.\n"
    for table, columns in sorted(without.items()):
        left_out = f"-- Left out of {table}: {', '.join(sorted(columns))}."
        yield " ".join(left_out.split()) + "\n"  # one line, whatever is in a name
    statements = repository.stream_sql(before, after, without=without)
    try:
        for statement in statements:
            yield statement + "\n"
    finally:
        statements.close()  # type: ignore[attr-defined]


def chunks(lines: Iterable[str]) -> Generator[bytes, None, None]:
    """Lines as bytes to be sent, many at a time."""
    waiting: list[str] = []
    size = 0
    try:
        for line in lines:
            waiting.append(line)
            size += len(line)
            if size >= CHUNK:
                yield "".join(waiting).encode()
                waiting, size = [], 0
        if waiting:
            yield "".join(waiting).encode()
    finally:
        if close := getattr(lines, "close", None):
            close()

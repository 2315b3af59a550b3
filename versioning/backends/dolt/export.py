"""What differs on a Dolt server, as a stream and as SQL."""

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from django.utils.duration import duration_microseconds

from versioning.backends.dolt.altering import alteration, creation
from versioning.backends.dolt.reading import Reading, names_in
from versioning.backends.sql.export import STREAMED_AT_ONCE, Definitions, Statement
from versioning.backends.sql.statements import Table

_UNIQUE = re.compile(r"^\s*UNIQUE KEY `((?:[^`]|``)*)` \((.*)\)", re.M)

_ESCAPED = str.maketrans(
    {
        "\\": "\\\\",
        "'": "''",
        "\0": "\\0",
        "\n": "\\n",
        "\r": "\\r",
        "\x1a": "\\Z",
    }
)


class Exporting(Reading):
    _opening = (
        "SET NAMES utf8mb4;",
        "SET foreign_key_checks = 0;",
        # Else a row whose counted key is 0 gets the next number.
        "SET @before = @@sql_mode, sql_mode = 'NO_AUTO_VALUE_ON_ZERO';",
    )
    _closing = ("SET sql_mode = @before;", "SET foreign_key_checks = 1;")

    def _stream(self, at: str, sql: str, params: Sequence[Any]) -> Iterator[Table]:
        from MySQLdb.cursors import SSCursor

        with self.connection.wrap_database_errors:
            own = self.connection.Database.connect(
                **self.connection.get_connection_params()
            )
            try:
                cursor = own.cursor(SSCursor)
                cursor.execute(sql, list(params))
                names = [column[0] for column in cursor.description or ()]
                while rows := cursor.fetchmany(STREAMED_AT_ONCE):
                    yield names, list(rows)
            finally:
                own.close()

    def _all_rows_sql(self, table: str, at: str) -> tuple[str, list[Any]]:
        return f"SELECT * FROM {self._name(table)} AS OF %s", [at]

    def _unique_in(self, table: str, at: str) -> frozenset[str]:
        columns = frozenset(
            column
            for index in _UNIQUE.finditer(self._create_statement(table, at))
            for column in names_in(index[2])
        )
        # Of a generated column, any may be part.
        is_worked_out = columns & self._generated(table, at)
        return frozenset(self._columns(table, at)) if is_worked_out else columns

    def _redefine(self, before: str, after: str) -> Definitions:
        drops, makes, first, last = [], [], [], []
        made, renamed = set(), set()
        for old, new, earlier, later in self._definitions(before, after):
            table = new or old
            altered = alteration(earlier, later) if earlier and later else None
            if altered is not None:
                first += [Statement(table, text) for text in altered.first]
                last += [Statement(table, text) for text in altered.last]
                if old != new:
                    renamed.add(new)
                continue
            if earlier:
                drops.append(Statement(table, f"DROP TABLE {self._quote(old)}"))
            if later:
                makes.append(Statement(table, creation(later)))
                made.add(new)
        first = [*drops, *first, *makes]
        return Definitions(first, last, frozenset(made), frozenset(renamed))

    def _equal(self, column: str, value: Any) -> str:
        sign = "<=>" if value is None else "="
        return f"{self._quote(column)} {sign} {self._literal(value)}"

    def _literal(self, value: Any) -> str:
        match value:
            case None:
                return "NULL"
            case bool() | int():
                return str(int(value))
            case float():
                text = repr(value)
                return text if "e" in text else f"{text}e0"
            case Decimal():
                return format(value, "f")
            case bytes():
                return f"X'{value.hex()}'"
            case dt.datetime():
                return f"'{value.isoformat(sep=' ')}'"
            case dt.timedelta():
                return f"'{_clock(value)}'"
            case dt.date() | dt.time():
                return f"'{value.isoformat()}'"
        return "'" + str(value).translate(_ESCAPED) + "'"


def _clock(length: dt.timedelta) -> str:
    """As the engine writes a TIME, which may be negative or longer than a day."""
    microseconds = duration_microseconds(length)
    seconds, fraction = divmod(abs(microseconds), 1_000_000)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    sign = "-" if microseconds < 0 else ""
    return f"{sign}{hour:02}:{minute:02}:{second:02}.{fraction:06}"

"""What differs on DoltLite, as a stream and as SQL."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

from versioning.backends.doltlite.reading import Reading
from versioning.backends.sql.export import STREAMED_AT_ONCE, Patch
from versioning.backends.sql.statements import Table

KEPT = 2000  # KiB of the file's pages


class Exporting(Reading):
    # Nothing within a transaction; but a script is not run in one.
    _opening = ("PRAGMA foreign_keys = OFF;", "BEGIN;")
    _closing = ("COMMIT;", "PRAGMA foreign_keys = ON;")

    def _stream(self, at: str, sql: str, params: Sequence[Any]) -> Iterator[Table]:
        with self.connection.wrap_database_errors:
            reader = self.open(at)
            try:
                # It comes by each page once. The engine keeps 64 MB of them,
                # and takes longer the more it keeps.
                reader.execute(f"PRAGMA cache_size = -{KEPT}")
                cursor = self._cursor(reader)
                cursor.execute(sql, list(params))
                names = [column[0] for column in cursor.description or ()]
                while rows := cursor.fetchmany(STREAMED_AT_ONCE):
                    yield names, rows
            finally:
                reader.close()

    def _all_rows_sql(self, table: str, at: str) -> tuple[str, list[Any]]:
        return f"SELECT * FROM {self._name(table)}", []

    def _unique_in(self, table: str, at: str) -> frozenset[str]:
        rows = self._table_at(
            at,
            "SELECT c.name FROM pragma_index_list(%s) i, pragma_index_info(i.name) c "
            "WHERE i.\"unique\" AND i.origin <> 'pk' AND c.name IS NOT NULL",
            [table],
        )[1]
        return frozenset(name for (name,) in rows)

    def _patches(self, before: str, after: str) -> list[Patch]:
        # Not of tables alone: an index has a definition of its own.
        if not self._differences(before, after)[1]:
            return []
        return self._schema_statements(before, after)

    def _equal(self, column: str, value: Any) -> str:
        return f"{self._quote(column)} IS {self._literal(value)}"

    def _delete_one(self, table: str, where: str) -> str:
        name = self._quote(table)
        one = f"SELECT rowid FROM {name} WHERE {where} LIMIT 1"
        return f"DELETE FROM {name} WHERE rowid = ({one});"

    def _literal(self, value: Any) -> str:
        match value:
            case None:
                return "NULL"
            case bool() | int():
                return str(int(value))
            case float() if math.isinf(value):
                return "9e999" if value > 0 else "-9e999"
            case float():
                return repr(value)
            case bytes():
                return f"X'{value.hex()}'"
        text = str(value)
        if "\0" in text:  # a literal would end there
            return f"CAST(X'{text.encode().hex()}' AS TEXT)"
        return "'" + text.replace("'", "''") + "'"

"""What differs on DoltLite, as a stream and as SQL."""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from versioning.backends.doltlite.reading import Reading
from versioning.backends.doltlite.renamed import keyless_changes
from versioning.backends.repository import Row, RowChange
from versioning.backends.sql.export import Definitions, Statement
from versioning.backends.sql.tables import MAKES_INDEX, MAKES_TABLE, Diff

_IS_OF_A_TRIGGER = re.compile(r"\s*(CREATE|DROP) TRIGGER\b", re.I)
_DROPS_TABLE = re.compile(r"\s*DROP TABLE\b", re.I)
_ADDS_REQUIRED = re.compile(
    r"\s*ALTER TABLE\b.* ADD\b(?!.*\bDEFAULT\b).*\bNOT NULL\b", re.I | re.S
)


class Exporting(Reading):
    # Nothing within a transaction; but a script is not run in one.
    _opening = ("PRAGMA foreign_keys = OFF;", "BEGIN;")
    _closing = ("COMMIT;", "PRAGMA foreign_keys = ON;")

    def _all_rows_sql(self, table: str, at: str) -> tuple[str, list[Any]]:
        return f"SELECT * FROM {self._name(table)}", []

    def _stream_renamed(self, diff: Diff) -> Iterator[RowChange]:
        if diff.primary:
            yield from self._differing(diff, None)
            return
        ends = (diff.former, diff.before), (diff.table, diff.after)
        yield from keyless_changes(*(self._stream_rows(*end) for end in ends))

    def _written_rows(self, table: str, at: str) -> Iterator[Row]:
        # What has no primary key is told apart by the row's number: with another
        # one it is another row.
        names = {column.lower() for column in self._columns(table, at)}
        if self._primary_key(table, at) or "rowid" in names:
            return self._stream_rows(table, at)
        return self._read_rows(
            table, at, f"SELECT rowid, * FROM {self._name(table)}", []
        )

    def _unique_in(self, table: str, at: str) -> frozenset[str]:
        rows = self._table_at(
            at,
            "SELECT c.name, i.partial FROM pragma_index_list(%s) i, "
            "pragma_index_info(i.name) c WHERE i.\"unique\" AND i.origin <> 'pk'",
            [table],
        )[1]
        columns = self._columns(table, at)
        # Of an expression, and of which rows an index holds for, any may be part.
        if any(is_partial or name not in columns for name, is_partial in rows):
            return frozenset(columns)
        return frozenset(name for name, _ in rows)

    def _redefine(self, before: str, after: str) -> Definitions:
        told = self._redefine_tables(before, after)
        # No trigger is to act on the rows of the file, which are as it left them.
        keys = self._key_changes(before, after)
        changes = [*self._summary(before, after), *(key.change for key in keys)]
        changed = {name for one in changes for name in (one.table, one.old_table)}
        old, new = self._triggers(before), self._triggers(after)
        stay = [one for one in old if one in new and one[0] not in changed]
        dropped = [
            Statement(table, f"DROP TRIGGER {self._quote(name)}")
            for table, name, sql in old
            if (table, name, sql) not in stay
        ]
        made = [
            Statement(table, sql)
            for table, name, sql in new
            if (table, name, sql) not in stay
        ]
        return replace(told, first=[*dropped, *told.first], last=[*told.last, *made])

    def _triggers(self, at: str) -> Sequence[tuple[str, str, str]]:
        """Table, name and SQL of each."""
        sql = (
            "SELECT tbl_name, name, sql FROM sqlite_master WHERE type = 'trigger' "
            "ORDER BY name"
        )
        return self._table_at(at, sql)[1]

    def _redefine_tables(self, before: str, after: str) -> Definitions:
        # Not of tables alone: an index has a definition of its own.
        if not self._differences(before, after)[1]:
            return Definitions()
        found = [
            Statement(*row)
            for row in self._engines_statements(before, after)
            if not (self._own(row[0]) or _IS_OF_A_TRIGGER.match(row[1]))
        ]
        made = _tables(found, MAKES_TABLE) & _tables(found, _DROPS_TABLE)
        # The engine says to add a column that it would not add to rows.
        refused = _tables(found, _ADDS_REQUIRED) - made
        found = [one for one in found if one.table not in refused]
        for table in sorted(refused):
            found += self._making_anew(table, after)
        # What has to be unique is so once the rows are written.
        last = [one for one in found if MAKES_INDEX.match(one.text)]
        first = [one for one in found if one not in last]
        # The engine's list of tables takes one for two, if main's is a third by then.
        told = [one.text.rstrip("; \n") for one in first]
        renamed = {
            table
            for table in self.tables(after)
            if any(text.endswith(f" RENAME TO {self._quote(table)}") for text in told)
        }
        return Definitions(first, last, frozenset(made | refused), frozenset(renamed))

    def _engines_statements(self, before: str, after: str) -> list[tuple[str, str]]:
        """Table and statement; slow, also where nothing changes."""
        return self._fetch(
            "SELECT table_name, statement FROM dolt_patch(%s, %s) "
            "WHERE diff_type = 'schema' ORDER BY statement_order",
            [before, after],
        )

    def _making_anew(self, table: str, at: str) -> Iterator[Statement]:
        yield Statement(table, f"DROP TABLE {self._quote(table)}")
        sql = (
            "SELECT sql FROM sqlite_master WHERE tbl_name = %s AND sql IS NOT NULL "
            "AND type IN ('table', 'index') ORDER BY type DESC, name"
        )
        for (text,) in self._table_at(at, sql, [table])[1]:
            yield Statement(table, text)

    def _equal(self, column: str, value: Any) -> str:
        return f"{self._quote(column)} IS {self._literal(value)}"

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


def _tables(found: Sequence[Statement], pattern: re.Pattern[str]) -> set[str]:
    return {one.table for one in found if pattern.match(one.text)}

"""
All that differs, however much: read as a stream, and written as SQL.

A page reads its rows through ``diff_rows()``, which begins anew for each page.
A stream reads them once, in one question on a connection of its own, so that
a million rows take the memory of a few hundred and hold nobody's branch.
"""

import re
from abc import abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from versioning.backends.repository import ChangeKind, Row, RowChange
from versioning.backends.sql.statements import Table
from versioning.backends.sql.tables import Tables, changes_of

STREAMED_AT_ONCE = 500  # rows

Without = Mapping[str, Collection[str]]  # columns by table
_MAKES_TABLE = re.compile(r"\s*CREATE TABLE\b", re.I)
_DROPS_TABLE = re.compile(r"\s*DROP TABLE\b", re.I)


@dataclass(frozen=True, slots=True)
class Patch:
    """One statement of the engine's own that changes a table's definition."""

    table: str
    statement: str


class Exporting(Tables):
    # Each engine's own --------------------------------------------------------

    @abstractmethod
    def _stream(self, at: str, sql: str, params: Sequence[Any]) -> Iterator[Table]:
        """
        What a question gives, a few hundred rows at a time, on a connection of
        its own, which is closed with the iterator. ``at`` is a hash whose
        columns the engine is to see.
        """

    @abstractmethod
    def _all_rows_sql(self, table: str, at: str) -> tuple[str, list[Any]]:
        """A question for a table's rows as of a hash."""

    @abstractmethod
    def _literal(self, value: Any) -> str:
        """A driver's value as this engine's SQL, exactly."""

    @abstractmethod
    def _unique_in(self, table: str, at: str) -> frozenset[str]:
        """Columns of unique indexes, the primary key aside."""

    @abstractmethod
    def _patches(self, before: str, after: str) -> list[Patch]:
        """What changes the tables' definitions, in order."""

    def _schema_statements(self, before: str, after: str) -> list[Patch]:
        """What the engine says that changes them; slow, also if nothing does."""
        with self._history():
            rows = self._fetch(
                "SELECT table_name, statement FROM dolt_patch(%s, %s) "
                "WHERE diff_type = 'schema' ORDER BY statement_order",
                [before, after],
            )
        return [Patch(*row) for row in rows if not self._own(row[0])]

    @abstractmethod
    def _equal(self, column: str, value: Any) -> str:
        """A condition that is true of NULL too; without parameters."""

    @abstractmethod
    def _delete_one(self, table: str, where: str) -> str:
        """Delete one of the rows, which are alike, without parameters."""

    #: What lets rows be written in any order, and what ends that.
    _opening: Sequence[str] = ()
    _closing: Sequence[str] = ()

    # Rows ---------------------------------------------------------------------

    def stream_changes(
        self, table: str, before: str, after: str
    ) -> Iterator[RowChange]:
        there = [at for at in (before, after) if table in self.tables(at)]
        if len({self._primary_key(table, at) for at in there}) > 1:
            yield from self._replaced_rows(table, before, after)
            return
        diff = self._diff_of(table, before, after)
        at = after if table in self.tables(after) else before
        sql, params = self._diff_sql(diff, "", [])
        for part in self._stream(at, sql, params):
            yield from self._complete(diff, changes_of(part, diff))

    def _replaced_rows(
        self, table: str, before: str, after: str
    ) -> Iterator[RowChange]:
        """All rows of both states, whose keys are of different columns."""
        for kind, at in ((ChangeKind.REMOVED, before), (ChangeKind.ADDED, after)):
            primary = self._primary_key(table, at)
            gone = kind is ChangeKind.REMOVED
            for row in self._stream_rows(table, at):
                key = tuple(row[column] for column in primary or row)
                yield RowChange(kind, key, row if gone else None, None if gone else row)

    def _stream_rows(self, table: str, at: str) -> Iterator[Row]:
        sql, params = self._all_rows_sql(table, at)
        for part in self._stream(at, sql, params):
            yield from self._as_rows(table, at, part)

    # Statements ---------------------------------------------------------------

    def stream_sql(self, before: str, after: str, *, without: Without) -> Iterator[str]:
        self._known(before, after)
        keyed = {change.table for change in self.key_changes(before, after)}
        patches = self._patches(before, after)
        # Some are made anew: then all their rows are, too.
        remade = _tables(patches, _MAKES_TABLE) & _tables(patches, _DROPS_TABLE)
        changes = self._summary(before, after)
        renamed = {c.table for c in changes if c.kind is ChangeKind.RENAMED}
        filled = keyed | remade | renamed
        tables = [
            change.table
            for change in changes
            if change.data_changed
            and change.kind is not ChangeKind.REMOVED
            and change.table not in filled
        ]
        yield from self._opening
        for table in sorted(keyed - remade):
            yield f"DELETE FROM {self._quote(table)};"
        for patch in patches:
            yield _ended(patch.statement)
        for table in sorted(renamed):
            yield f"DELETE FROM {self._quote(table)};"
        # What has to go goes first: its keys and unique values may be taken anew.
        again = {t: self._written_again(t, before, after, without) for t in tables}
        for table in tables:
            for change in self.stream_changes(table, before, after):
                if change.kind is not ChangeKind.ADDED and (
                    change.after is None or _differs(change, again[table])
                ):
                    yield self._deletion(table, change, before)
        for table in tables:
            hidden = without.get(table, ())
            for change in self.stream_changes(table, before, after):
                if change.after is None:
                    continue
                if change.before is None or _differs(change, again[table]):
                    yield self._insertion(table, change.after, hidden)
                elif statement := self._updating(table, change, before, hidden):
                    yield statement
        for table in sorted(filled):
            for row in self._stream_rows(table, after):
                yield self._insertion(table, row, without.get(table, ()))
        yield from self._closing

    def _written_again(
        self, table: str, before: str, after: str, without: Without
    ) -> frozenset[str]:
        """
        Columns for whose sake a changed row is deleted and inserted: two rows
        may have swapped what only one of them may hold. Not where something is
        left out, which would be lost.
        """
        if without.get(table) or table not in self.tables(before):
            return frozenset()
        return self._unique_in(table, after) | self._unique_in(table, before)

    def _where(self, table: str, change: RowChange, before: str) -> str:
        assert change.before is not None
        key = self._primary_key(table, before)
        return " AND ".join(
            self._equal(column, change.before[column])
            for column in key or change.before
        )

    def _deletion(self, table: str, change: RowChange, before: str) -> str:
        where = self._where(table, change, before)
        if not self._primary_key(table, before):
            return self._delete_one(table, where)
        return f"DELETE FROM {self._quote(table)} WHERE {where};"

    def _updating(
        self, table: str, change: RowChange, before: str, hidden: Collection[str]
    ) -> str:
        assert change.before is not None
        assert change.after is not None
        cells = ", ".join(
            f"{self._quote(column)} = {self._literal(value)}"
            for column, value in change.after.items()
            if column not in hidden
            and not (column in change.before and change.before[column] == value)
        )
        if not cells:
            return ""
        where = self._where(table, change, before)
        return f"UPDATE {self._quote(table)} SET {cells} WHERE {where};"

    def _insertion(self, table: str, row: Row, hidden: Collection[str]) -> str:
        shown = {column: v for column, v in row.items() if column not in hidden}
        columns = ", ".join(self._quote(column) for column in shown)
        values = ", ".join(self._literal(value) for value in shown.values())
        return f"INSERT INTO {self._quote(table)} ({columns}) VALUES ({values});"


def _tables(patches: Sequence[Patch], pattern: re.Pattern[str]) -> set[str]:
    return {patch.table for patch in patches if pattern.match(patch.statement)}


def _ended(statement: str) -> str:
    return statement.rstrip().rstrip(";") + ";"


def _differs(change: RowChange, columns: Collection[str]) -> bool:
    """Whether a row that stays holds something else in one of the columns."""
    if change.before is None or change.after is None:
        return False
    before, after = change.before, change.after
    return any(before.get(c) != after.get(c) for c in columns)

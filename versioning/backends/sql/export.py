"""
All that differs, however much: read as a stream, and written as SQL.

A page reads its rows through ``diff_rows()``, which begins anew for each page.
A stream reads them once, in one question on a connection of its own, so that
a million rows take the memory of a few hundred and hold nobody's branch.
"""

from abc import abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from versioning.backends.repository import ChangeKind, KeyChange, Row, RowChange
from versioning.backends.sql.statements import Table
from versioning.backends.sql.tables import Diff, Tables, changes_of

STREAMED_AT_ONCE = 500  # rows

Without = Mapping[str, Collection[str]]  # columns by table


@dataclass(frozen=True, slots=True)
class Statement:
    """One that changes a table's definition, without a semicolon."""

    table: str
    text: str


@dataclass(frozen=True, slots=True)
class Definitions:
    """
    What makes the tables of one state those of another: before rows are written
    and after, as rules hold only then. ``made`` are empty in between, ``renamed``
    are those of the later state that are another's by another name.
    """

    first: Sequence[Statement] = ()
    last: Sequence[Statement] = ()
    made: frozenset[str] = frozenset()
    renamed: frozenset[str] = frozenset()

    def without(self, tables: Collection[str]) -> Self:
        return replace(
            self,
            first=[one for one in self.first if one.table not in tables],
            last=[one for one in self.last if one.table not in tables],
        )


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
        """
        Columns on which unique indexes depend, those that an expression or a
        generated column is worked out from, too; not the primary key's index.
        """

    @abstractmethod
    def _redefine(self, before: str, after: str) -> Definitions:
        """What changes the tables' definitions; nothing where they are alike."""

    @abstractmethod
    def _equal(self, column: str, value: Any) -> str:
        """A condition that is true of NULL too; without parameters."""

    #: What lets rows be written in any order, and what ends that.
    _opening: Sequence[str] = ()
    _closing: Sequence[str] = ()

    # Rows ---------------------------------------------------------------------

    def stream_changes(
        self, table: str, before: str, after: str
    ) -> Iterator[RowChange]:
        if replacement := self._replacement(table, before, after):
            yield from self._replaced_rows(replacement, before, after)
            return
        diff = self._diff_of(table, before, after)
        if diff.former:
            yield from self._stream_renamed(diff)
            return
        at = after if table in self.tables(after) else before
        sql, params = self._diff_sql(diff, "", [])
        for part in self._stream(at, sql, params):
            yield from self._complete(diff, changes_of(part, diff))

    def _stream_renamed(self, diff: Diff) -> Iterator[RowChange]:
        """All that differs in a table with a ``Diff.former`` name."""
        raise NotImplementedError(diff.table)

    def _replaced_rows(
        self, replaced: KeyChange, before: str, after: str
    ) -> Iterator[RowChange]:
        """All rows of both states, whose keys are of different columns."""
        for kind, table, at, primary in (
            (ChangeKind.REMOVED, replaced.old_table, before, replaced.before),
            (ChangeKind.ADDED, replaced.table, after, replaced.after),
        ):
            gone = kind is ChangeKind.REMOVED
            for row in self._stream_rows(table, at):
                key = tuple(row[column] for column in primary or row)
                yield RowChange(kind, key, row if gone else None, None if gone else row)

    def _stream_rows(self, table: str, at: str) -> Iterator[Row]:
        yield from self._read_rows(table, at, *self._all_rows_sql(table, at))

    def _read_rows(
        self, table: str, at: str, sql: str, params: Sequence[Any]
    ) -> Iterator[Row]:
        for part in self._stream(at, sql, params):
            yield from self._as_rows(table, at, part)

    def _written_rows(self, table: str, at: str) -> Iterator[Row]:
        """All rows of a table, with all that an INSERT is to name."""
        return self._stream_rows(table, at)

    # Statements ---------------------------------------------------------------

    def stream_sql(self, before: str, after: str, *, without: Without) -> Iterator[str]:
        self._known(before, after)
        definitions = self._redefine(before, after)
        changes = [
            change
            for change in self._summary(before, after)
            if change.kind is not ChangeKind.REMOVED
        ]
        # Emptied and filled anew are those whose rows can't be found one by one.
        emptied = {change.table for change in self.key_changes(before, after)}
        emptied |= {
            change.table
            for change in changes
            if change.data_changed and not self._is_keyed(change.table, before, after)
        }
        emptied -= definitions.made
        renamed = {c.table for c in changes if c.kind is ChangeKind.RENAMED}
        renamed = (renamed | definitions.renamed) - definitions.made
        filled = definitions.made | emptied | renamed
        left_out = {table for table in filled if without.get(table)}
        tables = [
            change.table
            for change in changes
            if change.data_changed and change.table not in filled
        ]
        unnamed = {t for t in tables if self._goes_by(t, before, after, without)}
        tables = [table for table in tables if table not in unnamed]
        for table in sorted(unnamed):
            yield (
                f"-- Left out: rows of {_in_a_comment(table)}, which go by what is "
                "left out."
            )
        for table in sorted(left_out):
            yield (
                f"-- Left out: {_in_a_comment(table)}, all of whose rows would have to "
                "be written anew."
            )
        definitions = definitions.without(left_out)
        yield from self._opening
        for table in sorted(emptied - renamed - left_out):
            if table in self.tables(before):
                yield f"DELETE FROM {self._quote(table)};"
        for one in definitions.first:
            yield _ended(one.text)
        for table in sorted(renamed - left_out):
            yield f"DELETE FROM {self._quote(table)};"
        yield from self._row_statements(tables, before, after, without)
        for table in sorted(filled - left_out):
            for row in self._written_rows(table, after):
                yield self._insertion(table, row, ())
        for one in definitions.last:
            yield _ended(one.text)
        yield from self._closing

    def _is_keyed(self, table: str, before: str, after: str) -> bool:
        return all(
            self._primary_key(table, at)
            for at in (before, after)
            if table in self.tables(at)
        )

    def _goes_by(self, table: str, before: str, after: str, without: Without) -> bool:
        """Whether a statement about a row would say what is to be left out."""
        return any(
            set(self._primary_key(table, at)) & set(without.get(table, ()))
            for at in (before, after)
            if table in self.tables(at)
        )

    def _row_statements(
        self, tables: Sequence[str], before: str, after: str, without: Without
    ) -> Iterator[str]:
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
        return " AND ".join(
            self._equal(column, change.before[column])
            for column in self._primary_key(table, before)
        )

    def _deletion(self, table: str, change: RowChange, before: str) -> str:
        where = self._where(table, change, before)
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
            and not (
                column in change.before
                # Not as numbers: to a column without a type 1 and 1.0 are two.
                and self._literal(change.before[column]) == self._literal(value)
            )
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


def _ended(statement: str) -> str:
    return statement.rstrip().rstrip(";") + ";"


def _in_a_comment(name: str) -> str:
    """A name on one line, whatever is in it."""
    return " ".join(name.split())


def _differs(change: RowChange, columns: Collection[str]) -> bool:
    """Whether a row that stays holds something else in one of the columns."""
    if change.before is None or change.after is None:
        return False
    before, after = change.before, change.after
    return any(before.get(c) != after.get(c) for c in columns)

"""Rows written by primary key, in the SQL that both engines take."""

from abc import abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

from django.db import DataError, IntegrityError

from versioning.backends.repository import Key, RowWrite
from versioning.backends.sql.rules import Rules
from versioning.backends.sql.statements import batches

#: What the engines say to a row that they do not take. They leave the
#: transaction as it was before the statement.
REFUSALS = (IntegrityError, DataError)


class Writing(Rules):
    def write_rows(self, table: str, writes: Sequence[RowWrite]) -> None:
        primary = self.primary_key(table)
        columns = [self._name(column) for column in primary]
        quoted = self._name(table)
        self._require_range(table, writes)
        self._rows_change()
        kept: dict[tuple[str, ...], list[RowWrite]] = {}
        for write in writes:
            if write.values is not None:
                kept.setdefault(tuple(write.values), []).append(write)
        there = self._existing(table, primary, [w.key for w in writes])
        with self._unchecked():
            for batch in batches([w.key for w in writes if w.values is None]):
                where, params = self._key_in(columns, batch)
                self._execute(f"DELETE FROM {quoted} WHERE {where}", params)
            for names, group in kept.items():
                old = [w for w in group if w.key in there]
                new = [w for w in group if w.key not in there]
                self._update(quoted, primary, names, old)
                self._insert(quoted, primary, names, new)

    def _require_range(self, table: str, writes: Sequence[RowWrite]) -> None:
        """Raises ``DataError`` for an integer that its column can't hold."""
        for column, (lowest, highest) in self._ranges(table).items():
            for write in writes:
                value = (write.values or {}).get(column)
                if isinstance(value, int) and not lowest <= value <= highest:
                    raise DataError(f"{column} of {table} can’t hold {value}.")

    @abstractmethod
    def _unchecked(self) -> AbstractContextManager[None]:
        """Foreign keys are not checked row by row."""

    def _existing(self, table: str, primary: Key, keys: Sequence[Key]) -> set[Key]:
        columns = [self._name(column) for column in primary]
        found: set[Key] = set()
        for batch in batches(keys):
            where, params = self._key_in(columns, batch)
            found |= set(
                self._fetch(
                    f"SELECT {', '.join(columns)} FROM {self._name(table)} "
                    f"WHERE {where}",
                    params,
                )
            )
        return found

    def _update(
        self, table: str, primary: Key, names: Sequence[str], writes: list[RowWrite]
    ) -> None:
        names = [name for name in names if name not in primary]
        if not writes or not names:
            return
        changes = ", ".join(f"{self._name(name)} = %s" for name in names)
        where = " AND ".join(f"{self._name(column)} = %s" for column in primary)
        self._execute_many(
            f"UPDATE {table} SET {changes} WHERE {where}",
            [[*_values(w, names), *w.key] for w in writes],
        )

    def _insert(
        self, table: str, primary: Key, names: Sequence[str], writes: list[RowWrite]
    ) -> None:
        if not writes:
            return
        names = [name for name in names if name not in primary]
        marks = ", ".join(["%s"] * (len(primary) + len(names)))
        self._execute_many(
            f"INSERT INTO {table} ({self._names([*primary, *names])}) VALUES ({marks})",
            [[*w.key, *_values(w, names)] for w in writes],
        )

    def try_rows(self, table: str, writes: Sequence[RowWrite]) -> list[RowWrite]:
        left = list({write.key: write for write in writes}.values())
        while refused := self._refused(table, left):
            if len(refused) == len(left):
                break
            left = refused  # what was in their way may be gone
        if len(refused) > 1 and not self._takes_rows_along(table):
            # Each may be in another's way, as where two swap a value.
            self.write_rows(table, [RowWrite(write.key, None) for write in refused])
            refused = self._refused(table, refused)
        return refused

    @abstractmethod
    def _takes_rows_along(self, table: str) -> bool:
        """Whether rows that point to a row change when it is deleted here."""

    def _refused(self, table: str, writes: Sequence[RowWrite]) -> list[RowWrite]:
        """Writes those that the engine takes; which it does not, by halving."""
        try:
            self.write_rows(table, writes)
        except REFUSALS:
            if len(writes) == 1:
                return list(writes)
            half = len(writes) // 2
            return [
                *self._refused(table, writes[:half]),
                *self._refused(table, writes[half:]),
            ]
        return []


def _values(write: RowWrite, names: Sequence[str]) -> list[Any]:
    assert write.values is not None
    return [write.values[name] for name in names]

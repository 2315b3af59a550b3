"""
Whether committed rows keep the constraints of their tables, asked in plain SQL.

The engines commit orphans and duplicates once the list of violations has been
emptied, and Dolt's own check harms the next write when it finds something
within a transaction that is rolled back.
"""

from abc import abstractmethod
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from versioning.backends.repository import (
    ForeignKey,
    Key,
    Row,
    Violation,
    ViolationKind,
)
from versioning.backends.sql.rules import Rule, Rules
from versioning.backends.sql.statements import batches

FAULTS_SHOWN = 100  # rows for each constraint
EVERY_ROW = "1 = 1"


class Part(NamedTuple):
    """What a unique index compares: SQL of a table's columns."""

    sql: str
    collate: str = ""  # " COLLATE …", where it isn't that of what is compared

    @property
    def indexed(self) -> str:
        return f"{self.sql}{self.collate}"

    @property
    def scanned(self) -> str:
        """The same, so that the engine does not look into the index."""
        return f"coalesce({self.sql}, {self.sql}){self.collate}"


@dataclass(frozen=True, slots=True)
class UniqueIndex:
    """All SQL is for statements with parameters."""

    parts: tuple[Part, ...]
    columns: tuple[str, ...]  # that it is about
    where: str = EVERY_ROW  # SQL of the rows that it holds for


class Constraints(Rules):
    # Of all tables at once: asked one by one, what a server knows of its
    # schema costs the more, the more tables there are.

    @abstractmethod
    def _foreign_key_columns(
        self, at: str | None
    ) -> Iterable[tuple[str, Any, str, str, str | None]]:
        """
        Table, what tells its keys apart, column, parent table and column (None
        for the parent's primary key), in order.
        """

    @abstractmethod
    def _unique_indexes(self) -> Iterable[tuple[str, UniqueIndex]]:
        """With their tables, besides primary keys."""

    def foreign_keys(self, at: str | None = None) -> list[ForeignKey]:
        keys: dict[tuple[str, Any], list[tuple[str, str, str | None]]]
        keys = defaultdict(list)
        for table, key, column, parent, to in self._foreign_key_columns(at):
            keys[table, key].append((column, parent, to))
        found = []
        for (table, _), of_key in keys.items():
            parent = of_key[0][1]
            columns = tuple(column for column, _, _ in of_key)
            named = tuple(to for _, _, to in of_key if to)
            named = named or self._primary_key(parent, at)
            if len(named) == len(columns):
                found.append(ForeignKey(table, columns, parent, named))
        return found

    def _foreign_keys(self) -> Mapping[str, Sequence[ForeignKey]]:
        """By table."""
        found: dict[str, list[ForeignKey]] = defaultdict(list)
        for key in self.foreign_keys():
            found[key.table].append(key)
        return found

    def _unique(self) -> Mapping[str, Sequence[UniqueIndex]]:
        """By table."""
        found: dict[str, list[UniqueIndex]] = defaultdict(list)
        for table, index in self._unique_indexes():
            found[table].append(index)
        return found

    def broken_constraints(
        self, tables: Sequence[str] | None = None
    ) -> list[Violation]:
        found: list[Violation] = []
        foreign_keys, unique = self._foreign_keys(), self._unique()
        rules = self._rules()
        for table in self.tables():
            if tables is not None and table not in tables:
                continue
            for key in foreign_keys.get(table, ()):
                found += self._orphans(table, key)
            for index in unique.get(table, ()):
                sql = self._duplicates(table, index)
                found += self._faults(table, ViolationKind.UNIQUE, sql, index.columns)
            found += self._against(table, rules.get(table, ()))
        return found

    def faults_of(
        self, table: str, keys: Sequence[Key], *, written: bool = False
    ) -> list[Violation]:
        self._require_table(table)
        found: dict[tuple[Any, ...], Violation] = {}
        primary = self._primary_key(table, None)
        foreign_keys = self._foreign_keys()
        own = foreign_keys.get(table, ())
        indexes = () if written else self._unique().get(table, ())
        rules = () if written else self._rules().get(table, ())
        for batch in batches(keys):
            where, params = self._key_in([f"c.{self._name(c)}" for c in primary], batch)
            for fault in (
                *(f for key in own for f in self._orphans(table, key, where, params)),
                *(f for index in indexes for f in self._shared(table, batch, index)),
                *self._against(table, rules, f" AND {where}", params),
                *self._left_behind(table, primary, batch, foreign_keys),
            ):
                which = (fault.table, fault.key, fault.kind, fault.columns, fault.rule)
                found[which] = fault
        return list(found.values())

    def refusals_of(self, table: str, key: Key, row: Row) -> list[Violation]:
        self._require_table(table)
        if beyond := self._beyond(table, row):
            return [  # and no more, as the driver may not take it to ask for that
                Violation(table, ViolationKind.CHECK, key, row, (column,), "", "")
                for column in beyond
            ]
        primary = self._primary_key(table, None)
        found = list(self._broken_by(table, key, row, self._rules().get(table, ())))
        for index in self._unique().get(table, ()):
            if not row.keys() >= set(index.columns):
                continue  # of a generated column: what it would hold is not known
            for sharing in self._holding(table, index, self._held(table, index, row)):
                holders = {
                    tuple(other[c] for c in primary): other for other in sharing
                } | {key: row}
                if len(holders) > 1:
                    found += [
                        Violation(
                            table,
                            ViolationKind.UNIQUE,
                            holder,
                            values,
                            index.columns,
                            "",
                            "",
                        )
                        for holder, values in holders.items()
                    ]
        if not any(fault.key == key for fault in found):
            found.append(Violation(table, ViolationKind.CHECK, key, row, (), "", ""))
        return found

    def _against(
        self,
        table: str,
        rules: Sequence[Rule],
        condition: str = "",
        params: Sequence[Any] = (),
    ) -> list[Violation]:
        """Rows of a table that break rules about a row by itself."""
        return [
            replace(fault, rule=rule.name)
            for rule in rules
            for fault in self._faults(
                table,
                rule.kind,
                f"SELECT c.* FROM {self._name(table)} c "
                f"WHERE ({rule.broken}){condition}",
                rule.columns,
                params,
            )
        ]

    def _shared(
        self, table: str, keys: Sequence[Key], index: UniqueIndex
    ) -> Iterator[Violation]:
        """Rows that share values of a unique index with those of ``keys``."""
        primary = self._primary_key(table, None)
        where, params = self._key_in([self._name(c) for c in primary], keys)
        parts = ", ".join(part.sql for part in index.parts)
        values = self._fetch(
            f"SELECT {parts} FROM {self._name(table)} "
            f"WHERE ({index.where}) AND {where}",
            params,
        )
        for sharing in self._holding(table, index, values):
            if len(sharing) < 2:
                continue
            for row in sharing:
                key = tuple(row[column] for column in primary)
                yield Violation(
                    table, ViolationKind.UNIQUE, key, row, index.columns, "", ""
                )

    def _held(
        self, table: str, index: UniqueIndex, row: Row
    ) -> Sequence[tuple[Any, ...]]:
        """What a row that is in no table would have in an index; [] for nothing."""
        parts = ", ".join(part.sql for part in index.parts)
        named = ", ".join(f"%s AS {self._name(column)}" for column in row)
        return self._fetch(
            f"SELECT {parts} FROM (SELECT {named}) {self._name(table)} "
            f"WHERE {index.where}",
            list(row.values()),
        )

    def _holding(
        self, table: str, index: UniqueIndex, values: Sequence[tuple[Any, ...]]
    ) -> Iterator[list[Row]]:
        """
        Rows that hold the same of these values, together.

        Asked without the index: while duplicates are in the table, a lookup
        in it may find one of them alone (Dolt, as the planner pleases).
        """
        quoted = self._name(table)
        wanted = [value for value in values if None not in value]
        scanned = [part.scanned for part in index.parts]
        for batch in batches(wanted):
            # Which values are alike is for the database's collation to say.
            equal = " AND ".join(f"{part} = %s" for part in scanned)
            number = " ".join(f"WHEN {equal} THEN {n}" for n in range(len(batch)))
            where, params = self._key_in(scanned, batch)
            names, rows = self._table(
                f"SELECT CASE {number} END, {quoted}.* FROM {quoted} "
                f"WHERE ({index.where}) AND {where}",
                [*(part for value in batch for part in value), *params],
            )
            alike: dict[Any, list[Row]] = defaultdict(list)
            found = self._as_rows(table, None, (names[1:], [row[1:] for row in rows]))
            for (which, *_), row in zip(rows, found, strict=True):
                alike[which].append(row)
            yield from alike.values()

    def _left_behind(
        self,
        table: str,
        primary: Key,
        keys: Sequence[Key],
        foreign_keys: Mapping[str, Sequence[ForeignKey]],
    ) -> Iterator[Violation]:
        """
        Rows of any table that point to one of these keys, which is not there, or to
        something else that its row held before.
        """
        for child, of_child in sorted(foreign_keys.items()):
            for key in of_child:
                if key.parent != table:
                    continue
                if columns := key.columns_of(primary):
                    quoted = [f"c.{self._name(column)}" for column in columns]
                    where, params = self._key_in(quoted, keys)
                    yield from self._orphans(child, key, where, params)
                else:
                    yield from self._left_by_value(child, key, keys)

    def _left_by_value(
        self, child: str, key: ForeignKey, keys: Sequence[Key]
    ) -> Iterator[Violation]:
        head = self._head()
        if key.parent not in self.tables(at=head):
            return
        before = {
            tuple(row.get(column) for column in key.parent_columns): parent
            for parent, row in self.rows(key.parent, keys, at=head).items()
        }
        quoted = [f"c.{self._name(column)}" for column in key.columns]
        held = [values for values in before if None not in values]
        where, params = self._key_in(quoted, held)
        for fault in self._orphans(child, key, where, params):
            pointing = tuple(fault.row[column] for column in key.columns)
            yield replace(fault, referenced_key=before.get(pointing, ()))

    def _orphans(
        self,
        table: str,
        key: ForeignKey,
        where: str = EVERY_ROW,
        params: Sequence[Any] = (),
    ) -> list[Violation]:
        """Rows whose foreign key points to a row that is not there."""
        pairs = [
            (f"c.{self._name(column)}", f"p.{self._name(to)}")
            for column, to in zip(key.columns, key.parent_columns, strict=True)
        ]
        sql = (
            f"SELECT c.* FROM {self._name(table)} c "
            f"LEFT JOIN {self._name(key.parent)} p "
            f"ON {' AND '.join(f'{to} = {column}' for column, to in pairs)} "
            f"WHERE {' AND '.join(f'{column} IS NOT NULL' for column, _ in pairs)} "
            f"AND {pairs[0][1]} IS NULL AND {where}"
        )
        found = self._faults(table, ViolationKind.FOREIGN_KEY, sql, key.columns, params)
        pointing = key.columns_of(self._primary_key(key.parent, None))
        return [
            replace(
                fault,
                referenced_table=key.parent,
                referenced_key=tuple(fault.row[column] for column in pointing),
            )
            for fault in found
        ]

    def _duplicates(self, table: str, index: UniqueIndex) -> str:
        parts = [part.indexed for part in index.parts]
        named = [f"versioning_{number}" for number in range(len(parts))]
        held = ", ".join(f"{p} AS {n}" for p, n in zip(parts, named, strict=True))
        same = " AND ".join(f"{p} = d.{n}" for p, n in zip(parts, named, strict=True))
        return (
            f"SELECT c.* FROM {self._name(table)} c "
            f"JOIN (SELECT {held} FROM {self._name(table)} WHERE {index.where} "
            f"GROUP BY {', '.join(parts)} HAVING count(*) > 1) d ON {same} "
            f"WHERE {index.where}"
        )

    def _faults(
        self,
        table: str,
        kind: ViolationKind,
        sql: str,
        columns: tuple[str, ...],
        params: Sequence[Any] = (),
    ) -> list[Violation]:
        primary = self._primary_key(table, None)
        read = self._table(f"{sql} LIMIT {FAULTS_SHOWN}", params)
        found = []
        for row in self._as_rows(table, None, read):
            key = tuple(row[column] for column in primary)
            found.append(Violation(table, kind, key, row, columns, "", ""))
        return found

"""
Rows that both sides added under one key, both kept: theirs gets another key,
and the rows of theirs that point to it follow.

A row that both sides added alike and that points to such a row is two rows as
well, one of each side. Where nobody can tell whose a row is, the result is
refused until somebody says so.
"""

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.db import models

from versioning import policies, values
from versioning.backends.repository import (
    ChangeKind,
    ConflictRow,
    Key,
    MergeSides,
    Repository,
    Row,
    RowChange,
    RowWrite,
)
from versioning.merging.resolution import (
    CellState,
    RowResolution,
    RowState,
    counter_sum,
)
from versioning.merging.validation import InvalidRow
from versioning.merging.writing import NewKeys, ResultWriter, Unclear
from versioning.values import same

BATCH = 500  # rows


def can_have_another_key(table: str) -> bool:
    """
    Whether a new key can be made up: a number or a UUID, of one column, or the
    key of a row that it belongs to.
    """
    model = values.model_for(table)
    if model is None:
        return False
    key = model._meta.pk
    if isinstance(key, models.ForeignKey):
        return can_have_another_key(key.related_model._meta.db_table)
    return isinstance(key, models.IntegerField | models.UUIDField)


def can_keep_both(row: RowResolution) -> bool:
    """
    Whether each side's row can stay, theirs under a key of its own. Not where
    rows point to it by something else that both sides hold alike: one of the two
    would have to change that, and nobody could tell whose those rows are.
    """
    if row.state is not RowState.ADDED_BOTH or not can_have_another_key(row.table):
        return False
    columns = _pointed_to_besides_key(row.table)
    return not any(
        cell.state is CellState.AGREED and cell.ours is not None
        for cell in row.cells
        if cell.column in columns
    )


def write(
    repository: Repository, writer: ResultWriter, kept: Sequence[ConflictRow]
) -> None:
    """
    Write theirs of each row under a new key, and what points to it. Within a
    merge under way, with its decisions written.
    """
    if kept:
        _Copies(repository, writer, kept).write()


def pointing_anew(table: str, row: Row, new_keys: NewKeys) -> Row:
    """A row of theirs that points to its side's rows, under their new keys."""
    found = dict(row)
    for column, parent in _foreign_keys(table).items():
        if new := new_keys.get(parent, {}).get((row.get(column),)):
            found[column] = new[0]
    return found


def as_theirs(row: ConflictRow, new_keys: NewKeys) -> Row | None:
    """The row as theirs has it, pointing to its side's rows; under its old key."""
    model = values.model_for(row.table)
    if row.theirs is None or model is None:
        return row.theirs
    key = {str(field.column) for field in model._meta.pk_fields}
    anew = pointing_anew(row.table, row.theirs, new_keys)
    return {**anew, **{c: row.theirs[c] for c in key & row.theirs.keys()}}


def versions(
    repository: Repository,
    sides: MergeSides,
    rows: Sequence[ConflictRow],
    new_keys: NewKeys,
) -> list[ConflictRow]:
    """
    Any rows of one table, as the three states hold them; of a copy, which none
    of them has, theirs is the row that it is of, as it is copied.
    """
    if not rows:
        return []
    table = rows[0].table
    copied = {new: old for old, new in new_keys.get(table, {}).items()}
    wanted = [copied[row.key] for row in rows if row.key in copied]
    if not wanted:
        return list(rows)
    theirs = repository.rows(table, wanted, at=sides.theirs)
    copies = {
        new: _copy(repository, table, theirs[old], new, new_keys)
        for new, old in copied.items()
        if old in theirs
    }
    return [row._replace(theirs=copies.get(row.key, row.theirs)) for row in rows]


def _copy(
    repository: Repository, table: str, row: Row, key: Key, new_keys: NewKeys
) -> Row:
    """A row of theirs under a new key, with the columns that the result has."""
    columns = set(repository.columns(table))
    anew = pointing_anew(table, row, new_keys)
    kept = {column: value for column, value in anew.items() if column in columns}
    return {**kept, **dict(zip(repository.primary_key(table), key, strict=True))}


def unclear(writer: ResultWriter) -> list[InvalidRow]:
    """Rows of which somebody has to say whose they are."""
    return [
        InvalidRow(table, key, (_reason(table, why),), why.columns, is_unclear=True)
        for (table, key), why in writer.unclear.items()
    ]


def _reason(table: str, why: Unclear) -> str:
    named = values.TableValues(table)
    names = " and ".join(named.column_name(column) for column in why.columns)
    if why.is_kept:
        return (
            f"Both of it can be kept only with both of {names}, where its key is "
            "from. Keep both of that too, or choose here whose row this is."
        )
    both = ", or keep both of it too" if can_have_another_key(table) else ""
    return (
        f"{names}: both sides set it to one key, which is of two rows now that both "
        f"are kept. Choose here whose row this is{both}."
    )


def _foreign_keys(table: str) -> dict[str, str]:
    """Tables that columns of a table point to, by column."""
    model = values.model_for(table)
    if model is None:
        return {}
    return {
        str(field.column): field.related_model._meta.db_table
        for field in model._meta.concrete_fields
        if isinstance(field, models.ForeignKey) and field.target_field.primary_key
    }


def _pointed_to_besides_key(table: str) -> frozenset[str]:
    """Columns by which rows are pointed to that are not their table's key."""
    return frozenset(
        str(field.target_field.column)
        for model in values.models_by_table().values()
        for field in model._meta.concrete_fields
        if isinstance(field, models.ForeignKey)
        and field.related_model._meta.db_table == table
        and not field.target_field.primary_key
    )


@dataclass(frozen=True, slots=True)
class _Child:
    """A row that theirs added or changed to point to what has a new key."""

    table: str
    change: RowChange  # of theirs
    ours: Row | None
    now: Row  # as the result has it
    anew: Row  # by column that theirs set: the new key

    @property
    def agreed(self) -> tuple[str, ...]:
        """Columns that ours set alike: to its own row, which has that key."""
        theirs = self.change.after or {}
        return tuple(
            column
            for column in self.anew
            if self.ours and same(self.ours.get(column), theirs.get(column))
        )

    @property
    def is_twin(self) -> bool:
        """
        Whether both sides added it alike, so that nobody was asked: counters
        are added up meanwhile.
        """
        if self.ours is None or self.change.before is not None:
            return False
        theirs = self.change.after or {}
        counters = policies.counters_of(self.table)
        for column in self.ours.keys() & theirs.keys():
            one, two = self.ours[column], theirs[column]
            if column in counters:
                total = counter_sum(None, one, two)
                if self.now.get(column) != (one if total is None else total):
                    return False  # somebody decided otherwise
            elif not same(one, two):
                return False
        return True


class _Copies:
    def __init__(
        self, repository: Repository, writer: ResultWriter, kept: Sequence[ConflictRow]
    ):
        self._repository = repository
        self._writer = writer
        self._sides = writer.sides
        self._kept: dict[str, list[Key]] = defaultdict(list)
        for row in kept:
            self._kept[row.table].append(row.key)
        self._new_keys: dict[str, dict[Key, Key]] = writer.new_keys
        self._highest: dict[str, int] = {}

    def write(self) -> None:
        for table, keys in self._kept.items():
            if self._has_own_key(table):
                self._give_keys(table, keys)
        # Rows that point to those may need new keys, and those to them, too.
        pending = set(self._new_keys)
        while pending:
            pending = {t for t in self._tables_pointing_to(pending) if self._extend(t)}
        for table, keys in self._kept.items():
            lost = [k for k in keys if k not in self._new_keys.get(table, {})]
            for key in lost:  # it has its key from a row that there is once
                columns = tuple(self._repository.primary_key(table))
                self._writer.unclear[table, key] = Unclear(columns, is_kept=True)
        for table, new_keys in self._new_keys.items():
            self._write_copies(table, new_keys)
        for table in self._tables_pointing_to(self._new_keys.keys()):
            self._follow(table)

    # Keys -----------------------------------------------------------------------

    @staticmethod
    def _has_own_key(table: str) -> bool:
        model = values.model_for(table)
        return (
            model is not None
            and not isinstance(model._meta.pk, models.ForeignKey)
            and can_have_another_key(table)
        )

    def _give_keys(self, table: str, keys: Sequence[Key]) -> None:
        named = self._new_keys.setdefault(table, {})
        named.update(zip(keys, self._free_keys(table, keys), strict=False))

    def _free_keys(self, table: str, keys: Sequence[Key]) -> Iterable[Key]:
        """The same ones each time, as people may decide about the copies."""
        model = values.model_for(table)
        assert model is not None
        if isinstance(model._meta.pk, models.UUIDField):
            return self._free_uuids(table, str(model._meta.pk.column), keys)
        if table not in self._highest:
            # A key that both sides deleted was another row's, too.
            sides = (self._sides.base, self._sides.ours, self._sides.theirs)
            there = [at for at in sides if table in self._repository.tables(at=at)]
            self._highest[table] = max(
                self._repository.highest_key(table, at=at) or 0 for at in (*there, None)
            )
        first = self._highest[table] + 1
        self._highest[table] += len(keys)
        ops = self._repository.connection.ops
        _, most = ops.integer_field_range(model._meta.pk.get_internal_type())
        if self._highest[table] > most:
            return self._free_from_above(table, most, len(keys))
        return [(number,) for number in range(first, first + len(keys))]

    def _free_from_above(self, table: str, most: int, count: int) -> list[Key]:
        """
        The highest that are free, where there are not enough beyond all that are
        not; fewer than ``count`` where that is all.
        """
        found: list[Key] = []
        given = set(self._new_keys.get(table, {}).values())
        while len(found) < count and most > 0:
            tried = [(number,) for number in range(most, max(most - BATCH, 0), -1)]
            taken = given.union(
                *(
                    self._rows(table, tried, at)
                    for at in (self._sides.base, self._sides.ours, self._sides.theirs)
                )
            )
            found += [key for key in tried if key not in taken]
            most -= BATCH
        return found[:count]

    def _free_uuids(self, table: str, column: str, keys: Sequence[Key]) -> list[Key]:
        held = values.TableValues(table)
        found: dict[Key, Key] = {}
        attempt = 0
        while left := [key for key in keys if key not in found]:
            made: dict[Key, Key] = {}
            for key in left:
                name = f"{table} {values.key_text(key)} {attempt}"
                new = uuid.uuid5(uuid.NAMESPACE_OID, name)
                made[key] = (held.to_driver(column, new),)
            taken: set[Key] = set()
            for at in (self._sides.ours, self._sides.theirs):
                taken.update(self._rows(table, list(made.values()), at))
            found |= {key: new for key, new in made.items() if new not in taken}
            attempt += 1
        return [found[key] for key in keys]

    def _extend(self, table: str) -> bool:
        """Give keys to rows of theirs that need another, too; whether any did."""
        key_columns = self._repository.primary_key(table)
        kept = self._kept.get(table, ())
        found: dict[Key, Key] = {}
        twins: list[Key] = []
        can_be_twins = self._has_own_key(table) and not _pointed_to_besides_key(table)
        for child in self._children(table):
            key = child.change.key
            if child.anew.keys() & set(key_columns):
                if child.ours is None or child.is_twin or key in kept:
                    anew = {**child.now, **child.anew}
                    found[key] = tuple(anew[column] for column in key_columns)
            elif child.agreed and child.is_twin and can_be_twins:
                twins.append(key)
        named = self._new_keys.setdefault(table, {})
        known = len(named)
        named.update(found)
        if twins:  # else its key may be one that can't be made up
            self._give_keys(table, twins)
        return len(named) > known

    # Rows -----------------------------------------------------------------------

    def _tables_pointing_to(self, parents: Collection[str]) -> list[str]:
        """Of those that theirs changed."""
        summary = self._repository.diff_summary(self._sides.base, self._sides.theirs)
        changed = {change.table for change in summary}
        return [
            table
            for table in sorted(values.models_by_table().keys() & changed)
            if not set(parents).isdisjoint(_foreign_keys(table).values())
        ]

    def _children(self, table: str) -> Iterator[_Child]:
        """Those that have no new key themselves."""
        changes = self._repository.diff_rows(
            table,
            self._sides.base,
            self._sides.theirs,
            kinds=[ChangeKind.ADDED, ChangeKind.CHANGED],
        )
        pointing = (
            (change, anew)
            for change in changes
            if change.key not in self._new_keys.get(table, {})
            and (anew := self._set_anew(table, change))
        )
        while batch := list(islice(pointing, BATCH)):
            keys = [change.key for change, _ in batch]
            now = self._writer.rows(table, keys)
            ours = self._rows(table, keys, self._sides.ours)
            for change, anew in batch:
                if change.key in now:
                    at_ours = ours.get(change.key)
                    yield _Child(table, change, at_ours, now[change.key], anew)

    def _set_anew(self, table: str, change: RowChange) -> dict[str, Any]:
        """What columns are to hold that theirs set to a key that is another now."""
        before, after = change.before, change.after or {}
        anew = pointing_anew(table, after, self._new_keys)
        return {
            column: value
            for column, value in anew.items()
            if not same(value, after[column])
            and (before is None or not same(before.get(column), after[column]))
        }

    def _rows(self, table: str, keys: Sequence[Key], at: str) -> dict[Key, Row]:
        if table not in self._repository.tables(at=at):
            return {}
        return self._repository.rows(table, keys, at=at)

    def _write_copies(self, table: str, new_keys: Mapping[Key, Key]) -> None:
        counters = policies.counters_of(table)
        todo = iter(new_keys)
        while keys := list(islice(todo, BATCH)):
            ours = self._rows(table, keys, self._sides.ours)
            theirs = self._rows(table, keys, self._sides.theirs)
            here, copies = [], []
            for key in keys:
                if key not in ours:  # its key is that of what it belongs to
                    here.append(RowWrite(key, None))
                elif key not in self._kept.get(table, ()):  # its counts were added up
                    own = {c: ours[key][c] for c in counters if c in ours[key]}
                    here.append(RowWrite(key, own))
                new = new_keys[key]
                row = _copy(self._repository, table, theirs[key], new, self._new_keys)
                copies.append(RowWrite(new, row))
            self._writer.write(table, here)
            self._writer.write(table, copies)

    def _follow(self, table: str) -> None:
        """Point to the new keys in rows that only theirs lets point there."""
        key_columns = self._repository.primary_key(table)
        children = self._children(table)
        while batch := list(islice(children, BATCH)):
            writes = []
            for child in batch:
                theirs = child.change.after or {}
                if child.agreed:
                    why = Unclear(child.agreed, is_kept=False)
                    self._writer.unclear[table, child.change.key] = why
                anew = {
                    column: value
                    for column, value in child.anew.items()
                    if column not in (*child.agreed, *key_columns)
                    # Unless somebody decided otherwise.
                    and same(child.now.get(column), theirs.get(column))
                }
                if anew:
                    writes.append(RowWrite(child.change.key, anew))
            self._writer.write(table, writes)

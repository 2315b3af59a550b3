"""Rows of a diff as people read them."""

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from versioning import values
from versioning.backends.repository import ChangeKind, Key, Repository, Row, RowChange
from versioning.presentation.cells import (
    HIDDEN,
    CellChange,
    Shown,
    line_by_line,
    related,
    show,
    told_apart,
    with_marks,
)
from versioning.presentation.lines import TextLine
from versioning.presentation.snapshot import Snapshot, spoken_key
from versioning.visibility import hidden_among


@dataclass(frozen=True, slots=True)
class RowDiff:
    """A row as a page shows it: what it is, and its cells in both states."""

    kind: ChangeKind
    key: str
    label: str
    cells: tuple[CellChange, ...]
    address: str = ""  # ``values.key_text()``, where the row has a history of its own
    key_text: str = ""  # ``values.key_text()``, for the page of one of its cells

    @property
    def shown(self) -> tuple[CellChange, ...]:
        """
        The cells that differ: all of a row that was added or removed, but for
        its key, which stands beside its label.
        """
        if self.kind is ChangeKind.CHANGED:
            return tuple(cell for cell in self.cells if cell.changed)
        return tuple(cell for cell in self.cells if not cell.is_key) or self.cells

    @property
    def context(self) -> tuple[CellChange, ...]:
        """The cells that are the same in both states, but for the key."""
        if self.kind is not ChangeKind.CHANGED:
            return ()
        return tuple(
            cell for cell in self.cells if not cell.is_key and not cell.changed
        )


def present_rows(
    repository: Repository,
    table: str,
    changes: Sequence[RowChange],
    before: str,
    after: str | None,
    renamed: Mapping[str, str] = MappingProxyType({}),
    *,
    differing: Container[str] | None = None,
) -> tuple[RowDiff, ...]:
    """
    Rows as people read them: names and labels as of each side's commit, or
    (None) as they are where the connection is. ``renamed`` are former names of
    columns by present ones; ``differing`` the tables in which the two states
    differ, if it is known.
    """
    new = Snapshot(repository, after)
    old = (
        Snapshot(repository, before)
        if differing is None
        else Snapshot(repository, before, twin=new, differing=differing)
    )
    old_rows = {c.key: c.before for c in changes if c.before is not None}
    new_rows = {c.key: c.after for c in changes if c.after is not None}
    # First, as it reads what all rows refer to: the labels’ part of it is known then.
    columns = Columns(
        table, old, new, list(old_rows.values()), list(new_rows.values()), renamed
    )
    labels = old.labels(table, _without(old_rows, new_rows))
    labels |= new.labels(table, new_rows)
    has_key = values.model_for(table) is not None
    return tuple(
        RowDiff(
            kind=change.kind,
            key=spoken_key(change.key),
            label=labels[change.key],
            cells=tuple(columns.cells(change.before, change.after)),
            address=values.key_text(change.key) if has_key else "",
            key_text=values.key_text(change.key),
        )
        for change in changes
    )


def _without(rows: dict[Key, Row], others: dict[Key, Row]) -> dict[Key, Row]:
    return {key: row for key, row in rows.items() if key not in others}


class Columns:
    """Shows the cells of many rows of one table; related names read in bulk."""

    def __init__(
        self,
        table: str,
        old: Snapshot,
        new: Snapshot,
        old_rows: Sequence[Row],
        new_rows: Sequence[Row],
        renamed: Mapping[str, str] = MappingProxyType({}),
    ):
        self._renamed = renamed
        self._values = new.table(table)
        self._key = values.key_columns(table)
        names = dict.fromkeys(c for row in (*old_rows, *new_rows) for c in row)
        self._hidden = hidden_among(table, names)
        self._names_before = old.related_names(table, old_rows)
        self._names_after = new.related_names(table, new_rows)

    def cells(self, before: Row | None, after: Row | None) -> Iterator[CellChange]:
        former = self._renamed.values() if after is not None else ()
        for column in dict.fromkeys((*(after or ()), *(before or ()))):
            if column not in former or column in (after or ()):
                yield self._cell(column, before, after)

    def _cell(self, column: str, before: Row | None, after: Row | None) -> CellChange:
        # A row that is gone has its columns under their former names alone.
        former = self._renamed.get(column, column) if after is not None else column
        here, there = _has(before, former), _has(after, column)
        changed = here != there or not values.same(
            before[former] if before and here else None,
            after[column] if after and there else None,
        )
        new = self._show(column, after, self._names_after) if there else None
        if changed or new is None or former in self._names_before:
            old = self._show(former, before, self._names_before) if here else None
        else:
            old = new  # most cells; not a reference, whose name may be another
        lines: tuple[TextLine, ...] = ()
        if changed and old and new:
            old, new = told_apart([old, new])
            lines = line_by_line(old, new)
            if not lines:
                old, new = with_marks(old, new)
        return CellChange(
            column=column,
            name=self._values.column_name(column),
            before=old,
            after=new,
            changed=changed,
            lines=lines,
            renamed_from=former if here and former != column else "",
            is_key=column in self._key,
        )

    def _show(
        self, column: str, row: Row | None, names_of: dict[str, dict[object, str]]
    ) -> Shown:
        if column in self._hidden:
            return HIDDEN
        raw = row[column] if row else None
        if name := names_of.get(column, {}).get(raw):
            return related(name, raw)
        return show(
            self._values.to_field(column, raw), self._values.field(column), raw=raw
        )


def _has(row: Row | None, column: str) -> bool:
    return row is not None and column in row

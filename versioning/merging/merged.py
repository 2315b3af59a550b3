"""What a merge changes by itself: its tables, and the rows of one."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from versioning import values
from versioning.backends.repository import (
    ChangeKind,
    Key,
    MergeSides,
    Repository,
    RowChange,
    TableChange,
    TableStat,
)
from versioning.conf import repository as versioned_repository
from versioning.cursors import sign_key, unsign_key
from versioning.inheritance import parts_of
from versioning.merging import VIOLATIONS_LISTED, drafts, preview, result, trial
from versioning.merging.counters import counter_sums_of
from versioning.merging.memory import remember
from versioning.merging.preview import Preview, Then
from versioning.merging.rehearsal import rehearsal
from versioning.merging.trial import Outcome, version
from versioning.models import MergeDraft
from versioning.presentation.rows import RowDiff, present_rows
from versioning.visibility import withholds_rows

FEW = 20  # rows of all tables that a merge's page shows by itself


@dataclass(frozen=True, slots=True)
class MergedTable:
    """A table whose rows merge by themselves, with how many do."""

    change: TableChange
    stat: TableStat | None
    page: "MergedRows | None" = None  # the rows, where they are few

    @property
    def table(self) -> str:
        return self.change.table

    @property
    def name(self) -> str:
        return values.table_name(self.table)

    @property
    def rows(self) -> int:
        return self.stat.rows if self.stat else 0


def merged_tables(found: Preview, outcome: Outcome | None = None) -> list[MergedTable]:
    """
    The tables whose rows or definitions change by themselves, by name; with an
    ``outcome``, those that change in all.
    """
    of = outcome or found
    stats = {stat.table: stat for stat in of.stats}
    disputed = {table.table for table in found.conflicts}
    tables = [
        MergedTable(
            change,
            # None of its rows is the same row: they are for the comparison.
            None if change.kind is ChangeKind.REPLACED else stats.get(change.table),
        )
        for change in of.summary
        if change.schema_changed
        or change.table in stats
        or change.table not in disputed
    ]
    return sorted(
        (t for t in tables if t.rows or t.change.schema_changed),
        key=lambda table: table.name.lower(),
    )


def changes(
    target: str,
    sides: MergeSides,
    table: str,
    *,
    since: Key | None = None,
    draft: MergeDraft | None = None,
    as_tried: bool = False,
) -> tuple[list[RowChange], bool]:
    """
    A page of the rows of ``target`` that merge by themselves, as they are and
    as they will be, in order of key, and whether there are more. ``as_tried``, of
    all rows that change, as a draft makes them and with what goes along.
    """

    def look() -> tuple[list[RowChange], bool]:
        with rehearsal(target, sides) as merge:
            if not as_tried:
                return _changes(merge, sides, table, since)
            listed = merge.violations(limit=VIOLATIONS_LISTED + 1)
            result.write(merge, sides, draft, listed, settle=False)
            return _page(merge, table, since)

    made_by = ("tried", version(draft)) if as_tried else None
    return remember((*_key(sides, table, since), made_by), look)


def _changes_next(table: str, since: Key | None) -> Then:
    """For ``preview()``: ``changes()`` are asked next, and need no second merge."""

    def look(merge: Repository, found: Preview) -> None:
        listed = {c.table for c in found.summary if c.kind is not ChangeKind.REPLACED}
        if table in listed:
            remember(
                (*_key(found.sides, table, since), None),
                lambda: _changes(merge, found.sides, table, since),
            )

    return look


def foresee_few(merge: Repository, found: Preview) -> None:
    """What ``with_few()`` asks next, of a merge that is under way."""
    for table in _few(merged_tables(found)):
        _changes_next(table, None)(merge, found)


def with_few(
    tables: Sequence[MergedTable], target: str, sides: MergeSides
) -> tuple[MergedTable, ...]:
    """The tables, with their rows if they are few; of a merge without an outcome."""
    few = _few(tables)
    return tuple(
        replace(table, page=_rows(table, target, sides))
        if table.table in few
        else table
        for table in tables
    )


def _few(tables: Sequence[MergedTable]) -> list[str]:
    """Names of the tables whose rows are few enough, and not bookkeeping."""
    seen = [t for t in tables if t.rows and not values.is_bookkeeping(t.table)]
    return [t.table for t in seen] if sum(t.rows for t in seen) <= FEW else []


def _key(sides: MergeSides, table: str, since: Key | None) -> tuple[Any, ...]:
    return ("merged", sides, table, since)


def _changes(
    merge: Repository, sides: MergeSides, table: str, since: Key | None
) -> tuple[list[RowChange], bool]:
    rows, more = _page(merge, table, since)
    return _with_sums(merge, sides, table, rows), more


def _page(
    merge: Repository, table: str, since: Key | None
) -> tuple[list[RowChange], bool]:
    rows = list(merge.merged_rows(table, since=since, limit=preview.PAGE + 1))
    return rows[: preview.PAGE], len(rows) > preview.PAGE


def _with_sums(
    repository: Repository, sides: MergeSides, table: str, rows: list[RowChange]
) -> list[RowChange]:
    """Lay the sums of counters over rows as the engine merges them."""
    if not sides.is_merge:
        return rows  # as they were written
    sums: dict[Key, dict[str, int]] = defaultdict(dict)
    for change in counter_sums_of(repository, sides, table, [row.key for row in rows]):
        sums[change.key][change.column] = change.sum
    return [
        replace(row, after={**row.after, **sums[row.key]})
        if row.after is not None and row.key in sums
        else row
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class MergedRows:
    """A page of rows that merge by themselves: as they are, and will be."""

    diff: MergedTable
    columns: tuple[tuple[str, str], ...]  # (raw name, verbose name)
    rows: tuple[RowDiff, ...]
    next: str | None  # the cursor of the next page
    is_withheld: bool = False  # there are rows, and the reader may see none of them
    is_mended: bool = False  # all that will change, with what was mended


def merged_rows(
    source: str, target: str, sides: MergeSides, table: str, after: str = ""
) -> MergedRows | None:
    """
    Rows of one table that the merge changes by itself, or where any were mended or
    go along with others, that it changes at all; None if it changes none there.
    Raises ``BadCursor``, and as ``preview.preview()``.
    """
    since = unsign_key(table, after) if after else None
    found = preview.preview(target, sides, then=_changes_next(table, since))
    outcome = None
    draft, made = drafts.open_and_counted(source, target)
    may_differ = made.mends or found.violations or (draft and parts_of(table))
    if may_differ and trial.can_be_tried(found, made):
        if draft is not None:
            drafts.refresh(draft, sides)
        outcome = trial.try_out(target, sides, draft).outcome
    tables = merged_tables(found, outcome)
    merged = next((t for t in tables if t.table == table), None)
    if merged is None or merged.change.kind is ChangeKind.REPLACED:
        return None
    return _rows(
        merged,
        target,
        sides,
        since=since,
        draft=draft,
        as_tried=outcome is not None,
    )


def _rows(
    merged: MergedTable,
    target: str,
    sides: MergeSides,
    *,
    since: Key | None = None,
    draft: MergeDraft | None = None,
    as_tried: bool = False,
) -> MergedRows:
    is_mended = as_tried and draft is not None
    repository, table = versioned_repository(), merged.table
    states = [(merged.change.old_table, sides.ours), (table, sides.theirs)]
    if withholds_rows(repository, states):
        return MergedRows(merged, (), (), None, is_withheld=True, is_mended=is_mended)
    rows, more = changes(
        target, sides, table, since=since, draft=draft, as_tried=as_tried
    )
    shown = present_rows(repository, table, rows, sides.ours, sides.theirs)
    columns = {cell.column: cell.name for row in shown for cell in row.cells}
    return MergedRows(
        merged,
        tuple(columns.items()),
        shown,
        sign_key(table, rows[-1].key) if more else None,
        is_mended=is_mended,
    )

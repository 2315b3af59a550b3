"""What a merge changes by itself: its tables, and the rows of one."""

from dataclasses import dataclass

from versioning import values
from versioning.backends.repository import MergeSides, TableChange, TableStat
from versioning.conf import repository as versioned_repository
from versioning.cursors import sign_key, unsign_key
from versioning.merging import preview
from versioning.merging.preview import Preview
from versioning.presentation.rows import RowDiff, present_rows


@dataclass(frozen=True, slots=True)
class MergedTable:
    """A table whose rows merge by themselves, with how many do."""

    change: TableChange
    stat: TableStat | None

    @property
    def table(self) -> str:
        return self.change.table

    @property
    def name(self) -> str:
        return values.table_name(self.table)

    @property
    def rows(self) -> int:
        if self.stat is None:
            return 0
        return self.stat.rows_added + self.stat.rows_removed + self.stat.rows_changed


def merged_tables(found: Preview) -> list[MergedTable]:
    """The tables whose rows or definitions change by themselves, by name."""
    stats = {stat.table: stat for stat in found.stats}
    disputed = {table.table for table in found.conflicts}
    tables = [
        MergedTable(change, stats.get(change.table))
        for change in found.summary
        if change.schema_changed
        or change.table in stats
        or change.table not in disputed
    ]
    return sorted(
        (t for t in tables if t.rows or t.change.schema_changed),
        key=lambda table: table.name.lower(),
    )


@dataclass(frozen=True, slots=True)
class MergedRows:
    """A page of rows that merge by themselves: as they are, and will be."""

    diff: MergedTable
    columns: tuple[tuple[str, str], ...]  # (raw name, verbose name)
    rows: tuple[RowDiff, ...]
    next: str | None  # the cursor of the next page


def merged_rows(
    target: str, sides: MergeSides, table: str, after: str = ""
) -> MergedRows | None:
    """
    Rows of one table that the merge changes by itself; None if it changes
    none there. Raises ``BadCursor``, and as ``preview.preview()``.
    """
    since = unsign_key(table, after) if after else None
    found = preview.preview(target, sides, then=preview.rows_next(table, since))
    merged = next((t for t in merged_tables(found) if t.table == table), None)
    if merged is None:
        return None
    rows, more = preview.merged_rows(target, sides, table, since=since)
    repository = versioned_repository()
    shown = present_rows(repository, table, rows, sides.ours, sides.theirs)
    columns = {cell.column: cell.name for row in shown for cell in row.cells}
    return MergedRows(
        merged,
        tuple(columns.items()),
        shown,
        sign_key(table, rows[-1].key) if more else None,
    )

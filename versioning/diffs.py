"""What differs between two commits: which tables, by how much, and row by row."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from django.apps import apps

from versioning import values
from versioning.backends.errors import UnknownTable
from versioning.backends.repository import (
    ChangeKind,
    Key,
    KeyChange,
    Repository,
    RowChange,
    SchemaChange,
    TableChange,
    TableStat,
)
from versioning.conf import options
from versioning.cursors import sign_key, unsign_key
from versioning.presentation.cells import CellChange, Shown, show, with_marks
from versioning.presentation.rows import RowDiff, present_rows
from versioning.presentation.stretches import stretch
from versioning.renames import LOOKED_AT, renamed
from versioning.replaced import rows_of
from versioning.visibility import hidden_among, withholds_rows

PAGE = 50  # rows
AT_ONCE = 150  # rows, of all tables, that a page of many tables shows
SCANNED = 2000  # rows read for one page when a column is asked for


# Tables -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TableDiff:
    """One table of a diff. Counts are rows; None where only the schema differs."""

    change: TableChange
    stat: TableStat | None
    key_change: KeyChange | None = None

    @property
    def table(self) -> str:
        return self.change.table

    @property
    def name(self) -> str:
        return values.table_name(self.table)

    @property
    def is_replaced(self) -> bool:
        """Whether rows go by another key, so that none is the same row."""
        return self.key_change is not None

    @property
    def rows(self) -> int:
        """How many rows differ."""
        return self.stat.rows if self.stat else 0


@dataclass(frozen=True, slots=True)
class SchemaDiff:
    """Two definitions of a table, changed words marked; None where there is none."""

    table: str  # or the name of an index
    before: Shown | None
    after: Shown | None
    is_index: bool = False

    @property
    def name(self) -> str:
        return values.table_name(self.table)


@dataclass(frozen=True, slots=True)
class MigrationChange:
    """A migration that only one of two states has applied."""

    app: str
    name: str
    applied: bool  # in the later one; else in the earlier one


@dataclass(frozen=True, slots=True)
class Overview:
    """All that differs between two states, counted and not yet listed."""

    before: str
    after: str
    tables: tuple[TableDiff, ...]  # those of the application, by name
    bookkeeping: tuple[TableDiff, ...]  # Django's own record of migrations
    schema: tuple[SchemaDiff, ...]

    @property
    def is_counted(self) -> bool:
        """Whether the counts tell all: rows of a replaced table have none."""
        return not any(table.is_replaced for table in self.tables)

    @property
    def added(self) -> int:
        return sum(t.stat.rows_added for t in self.tables if t.stat)

    @property
    def removed(self) -> int:
        return sum(t.stat.rows_removed for t in self.tables if t.stat)

    @property
    def changed(self) -> int:
        return sum(t.stat.rows_changed for t in self.tables if t.stat)

    @property
    def is_empty(self) -> bool:
        return not (self.tables or self.bookkeeping or self.schema)

    @property
    def differing(self) -> frozenset[str]:
        """Tables, under either name, whose rows or definitions are not the same."""
        changes = [diff.change for diff in (*self.tables, *self.bookkeeping)]
        named = [name for c in changes for name in (c.table, c.old_table)]
        return frozenset([*named, *(schema.table for schema in self.schema)])


def overview(repository: Repository, before: str, after: str) -> Overview:
    """What differs from one hash to another. Raises ``UnknownRef``."""
    diffs = table_diffs(
        repository.diff_summary(before, after),
        repository.diff_stat(before, after),
        repository.key_changes(before, after),
    )
    schema: tuple[SchemaDiff, ...] = ()
    if any(diff.change.schema_changed for diff in diffs):
        schema = schema_diffs(
            repository.schema_changes(before, after),
            repository.index_changes(before, after),
        )
    return Overview(
        before=before,
        after=after,
        tables=tuple(d for d in diffs if not values.is_bookkeeping(d.table)),
        bookkeeping=tuple(d for d in diffs if values.is_bookkeeping(d.table)),
        schema=schema,
    )


def table_diffs(
    changes: Iterable[TableChange],
    stats: Iterable[TableStat],
    keys: Iterable[KeyChange],
) -> list[TableDiff]:
    """What a repository says of the tables that differ, by name."""
    counted = {stat.table: stat for stat in stats}
    replaced = {key.table: key for key in keys}
    diffs = [
        TableDiff(change, counted.get(change.table))
        for change in changes
        if change.table not in replaced
    ]
    diffs += [TableDiff(key.change, None, key) for key in replaced.values()]
    return sorted(diffs, key=lambda diff: diff.name.lower())


def schema_diffs(
    tables: Iterable[SchemaChange], indexes: Iterable[SchemaChange]
) -> tuple[SchemaDiff, ...]:
    found = [_schema_diff(change) for change in tables]
    found += [replace(_schema_diff(change), is_index=True) for change in indexes]
    return tuple(found)


def _schema_diff(change: SchemaChange) -> SchemaDiff:
    if not change.before or not change.after:
        return SchemaDiff(
            change.table,
            show(change.before) if change.before else None,
            show(change.after) if change.after else None,
        )
    return SchemaDiff(
        change.table, *with_marks(show(change.before), show(change.after))
    )


def migrations(
    repository: Repository, overview: Overview
) -> tuple[MigrationChange, ...]:
    """
    Which migrations made the tables' definitions differ, in their order: not those
    of apps whose tables are elsewhere, which Django has on record here, too.
    """
    if not (overview.schema and overview.bookkeeping):
        return ()
    (diff, *_) = overview.bookkeeping
    elsewhere = {app.label for app in apps.get_app_configs()} - {*options().apps}
    found = []
    for change in repository.diff_rows(diff.table, overview.before, overview.after):
        row = change.before if change.after is None else change.after
        if (
            change.kind is not ChangeKind.CHANGED
            and row is not None
            and row["app"] not in elsewhere
        ):
            applied = change.after is not None
            found.append(MigrationChange(str(row["app"]), str(row["name"]), applied))
    return tuple(found)


# Rows -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RowsPage:
    diff: TableDiff
    rows: tuple[RowDiff, ...]
    next: str | None  # the cursor of the next page
    at: str = ""  # the hash whose history the rows' own is read from
    was: str = ""  # for removed rows, where that one never had them
    renamed: Mapping[str, str] = field(default_factory=dict)  # former names of columns
    is_withheld: bool = False  # there are rows, and the reader may see none of them


@dataclass(frozen=True, slots=True)
class RowFilter:
    """Which rows of a table's diff are asked for."""

    kinds: tuple[ChangeKind, ...] = ()  # all, if none
    column: str = ""  # only rows in which this column changed


def rows_page(
    repository: Repository,
    overview: Overview,
    table: str,
    *,
    wanted: RowFilter = RowFilter(),
    after: str = "",
    limit: int = PAGE,
) -> RowsPage:
    """
    One page of a table's rows that differ, in order of primary key.

    ``after`` is the ``next`` of the page before. Raises ``BadCursor``, and
    ``UnknownTable`` for a table that does not differ between the two states.
    """
    diff = find_table(overview, table)
    since = unsign_key(table, after) if after else None
    if withholds(repository, diff, overview.before, overview.after):
        return RowsPage(diff, (), None, is_withheld=True)
    if diff.key_change:
        return replaced_page(
            repository,
            diff,
            overview.before,
            overview.after,
            kinds=wanted.kinds,
            since=since,
            limit=limit,
            differing=overview.differing,
        )
    names = renamed_columns(repository, overview, diff)
    changes, last = _read(repository, overview, table, wanted, since, limit, names)
    rows = present_rows(
        repository,
        table,
        changes,
        overview.before,
        overview.after,
        names,
        differing=overview.differing,
    )
    next = None if last is None else sign_key(table, last)
    return RowsPage(diff, rows, next, overview.after, overview.before, names)


def withholds(
    repository: Repository, diff: TableDiff, before: str, after: str | None
) -> bool:
    """``visibility.withholds_rows()`` of a table that differs between two states."""
    return withholds_rows(
        repository, [(diff.change.old_table, before), (diff.table, after)]
    )


def replaced_page(
    repository: Repository,
    diff: TableDiff,
    before: str,
    after: str | None,
    *,
    kinds: Sequence[ChangeKind] = (),
    since: Key | None,
    limit: int = PAGE,
    differing: Collection[str],
) -> RowsPage:
    """A page of all rows on both sides: see ``replaced``."""
    assert diff.key_change is not None
    ends = before, after
    changes, last = rows_of(
        repository, diff.key_change, *ends, kinds=kinds, since=since, limit=limit
    )
    # One side after the other: a key of each can be the same, and means another row.
    rows = [
        row
        for kind in (ChangeKind.REMOVED, ChangeKind.ADDED)
        for row in present_rows(
            repository,
            diff.table,
            [change for change in changes if change.kind is kind],
            *ends,
            differing=differing,
        )
    ]
    next = None if last is None else sign_key(diff.table, last)
    return RowsPage(diff, tuple(rows), next)


def renamed_columns(
    repository: Repository, overview: Overview, diff: TableDiff
) -> Mapping[str, str]:
    """Former names of a table's columns by present ones: see ``renames``."""
    if not diff.change.schema_changed or diff.change.kind is not ChangeKind.CHANGED:
        return {}
    ends = overview.before, overview.after
    before, after = (repository.column_definitions(diff.table, at) for at in ends)
    if before.keys() <= after.keys() or after.keys() <= before.keys():
        return {}
    kinds = [ChangeKind.CHANGED]
    rows = repository.diff_rows(diff.table, *ends, limit=LOOKED_AT, kinds=kinds)
    stat = diff.stat
    same = stat.new_rows - stat.rows_added - stat.rows_changed if stat else 0
    return renamed(before, after, list(rows), same)


@dataclass(frozen=True, slots=True)
class TableSection:
    """A table in a page of many; ``page`` is None if it has to be opened first."""

    diff: TableDiff
    page: RowsPage | None


def sections(
    repository: Repository, overview: Overview, tables: Sequence[TableDiff]
) -> list[TableSection]:
    """The first rows of each table, as long as the page stays usable."""
    left = AT_ONCE
    found = []
    for diff in tables:
        page = None
        if left > 0 and (diff.change.data_changed or diff.is_replaced):
            page = rows_page(repository, overview, diff.table)
            left -= len(page.rows)
        found.append(TableSection(diff, page))
    return found


def columns(
    repository: Repository, overview: Overview, table: str
) -> list[tuple[str, str]]:
    """(raw name, verbose name) of the columns in either state that are shown."""
    names = values.TableValues(table, repository.connection)
    found = all_columns(repository, overview, table)
    hidden = hidden_among(table, found)
    return [(c, names.column_name(c)) for c in found if c not in hidden]


def all_columns(repository: Repository, overview: Overview, table: str) -> list[str]:
    """Raw names of a table's columns in either state, hidden ones too."""
    change = find_table(overview, table).change
    found: dict[str, None] = {}
    if change.kind is not ChangeKind.REMOVED:
        found |= dict.fromkeys(repository.columns(table, overview.after))
    if change.kind is not ChangeKind.ADDED and change.schema_changed:
        found |= dict.fromkeys(repository.columns(change.old_table, overview.before))
    return list(found)


def find_table(overview: Overview, table: str) -> TableDiff:
    """Raises ``UnknownTable``."""
    for diff in (*overview.tables, *overview.bookkeeping):
        if diff.table == table:
            return diff
    raise UnknownTable(table)


def _read(
    repository: Repository,
    overview: Overview,
    table: str,
    wanted: RowFilter,
    since: Key | None,
    limit: int,
    names: Mapping[str, str],
) -> tuple[list[RowChange], Key | None]:
    """A page's rows, and the key to go on after if there may be more."""
    scan = SCANNED if wanted.column else limit
    rows = repository.diff_rows(
        table,
        overview.before,
        overview.after,
        since=since,
        limit=scan + 1,
        kinds=wanted.kinds,
    )
    found: list[RowChange] = []
    last: Key | None = None
    for number, change in enumerate(rows):
        if len(found) == limit or number == scan:
            return found, last
        last = change.key
        if not wanted.column or _touches(change, wanted.column, names):
            found.append(change)
    return found, None


def _touches(change: RowChange, column: str, names: Mapping[str, str]) -> bool:
    if change.before is None or change.after is None:
        return True
    before = change.before.get(names.get(column, column))
    after = change.after.get(column)
    return not values.same(before, after)


# One cell ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CellPart:
    """A stretch of both texts; ``next`` is where the next one starts."""

    before: str | None
    after: str | None
    start: int
    next: int | None


@dataclass(frozen=True, slots=True)
class WholeCell:
    row: RowDiff
    cell: CellChange
    before: str | None  # None where there is no such value
    after: str | None

    def part(self, start: int) -> CellPart:
        (before, after), more = stretch([self.before, self.after], start)
        return CellPart(before, after, start, more)


def whole_cell(
    repository: Repository, overview: Overview, table: str, key: str, column: str
) -> WholeCell | None:
    """
    One cell of a row that differs; ``key`` as ``values.key_text()`` writes it.
    None if there is none that the reader may see. Raises ``UnknownTable``, and
    ``ValueError`` for what is no key.
    """
    diff = find_table(overview, table)
    found = values.key_from_outside(key)
    ends = overview.before, overview.after
    if diff.is_replaced or withholds(repository, diff, *ends):
        return None
    at = overview.before if diff.change.kind is ChangeKind.REMOVED else overview.after
    primary = repository.primary_key(table, at)
    if primary and len(found) != len(primary):
        raise ValueError(found)
    changes = list(repository.diff_rows(table, *ends, keys=[found]))[:1]
    names = renamed_columns(repository, overview, diff)
    rows = present_rows(
        repository, table, changes, *ends, names, differing=overview.differing
    )
    for row in rows:
        for cell in row.cells:
            hidden = hidden_among(table, [column])
            if cell.column == column and not hidden:
                return WholeCell(row, cell, _whole(cell.before), _whole(cell.after))
    return None


def _whole(shown: Shown | None) -> str | None:
    return None if shown is None else shown.whole_text

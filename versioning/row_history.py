"""The history of one row: each commit that changed it, and who set each cell last."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from versioning import values
from versioning.backends.equality import same
from versioning.backends.repository import (
    ChangeKind,
    Commit,
    Key,
    Repository,
    Row,
    RowEdit,
    RowHistory,
    TrailEnd,
)
from versioning.inheritance import parts_of
from versioning.presentation.cells import Shown
from versioning.presentation.rows import Columns, RowDiff
from versioning.presentation.snapshot import Snapshot, spoken_key
from versioning.visibility import hidden_among, withholds_rows

PAGE = 20  # commits
LOOKED_AT = 100  # commits, to tell who set a cell last


class NoSuchRow(LookupError):
    """No state that the history reaches has such a row; ``str()`` is a sentence."""

    def __init__(self, table: str):
        super().__init__(f"“{table}” has no such row, and never had.")


@dataclass(frozen=True, slots=True)
class Entry:
    """A commit, and what it did to the row."""

    commit: Commit
    row: RowDiff
    #: Whether it is only what a merge did not take of one side.
    is_discarded: bool = False


@dataclass(frozen=True, slots=True)
class Origin:
    """A cell's value now, and the commit that gave it; None if not looked so far."""

    column: str
    name: str
    shown: Shown | None
    commit: Commit | None


@dataclass(frozen=True, slots=True)
class HistoryPage:
    table: str
    table_name: str
    key: str  # as ``values.key_text()`` writes it
    spoken_key: str
    label: str
    is_there: bool  # whether the row is still there
    entries: tuple[Entry, ...]  # newest first
    origins: tuple[Origin, ...]  # of the first page; () where the row is gone
    next: str  # the hash to go on after, or ""
    end: TrailEnd | None  # where the row's history goes on in the table as it was
    end_key: str  # the row's key there, as ``key``; "" if it isn't known
    #: Columns of the oldest edit's time that are gone: what changed there isn't told.
    dropped: tuple[str, ...] = ()
    #: Other tables with parts of the row, and their names: see ``inheritance``.
    parts: tuple[tuple[str, str], ...] = ()


def history_page(
    repository: Repository, table: str, key: Key, *, at: str, since: str = ""
) -> HistoryPage:
    """
    A page of a row's history as the hash ``at`` has it; ``since`` is the
    ``next`` of the page before. Names of related rows are those of ``at``.

    Raises ``UnknownTable``, ``NoSuchRow``, and ``UnknownRef`` for a ``since``
    that did not change the row.
    """
    if withholds_rows(repository, [(table, at)]):
        raise NoSuchRow(table)  # whether there is one is not for the reader
    found = repository.row_history(
        table, key, at=at, since=since, limit=PAGE if since else LOOKED_AT
    )
    end = found.end
    if found.row is None and not found.edits and not since and end is None:
        raise NoSuchRow(table)
    listed = found.edits[:PAGE]
    more = found.more or len(found.edits) > PAGE
    then = Snapshot(repository, at)
    columns = _columns(table, then, found.row, listed)
    return HistoryPage(
        table=table,
        table_name=values.table_name(table),
        key=values.key_text(key),
        spoken_key=spoken_key(key),
        label=_label(then, table, key, found),
        is_there=found.row is not None,
        entries=tuple(Entry(e.commit, _row(columns, e), not e.columns) for e in listed),
        origins=() if since else tuple(_origins(columns, found)),
        next=listed[-1].commit.hash if more and listed else "",
        end=None if more else end,
        end_key=_key_before(repository, end),
        dropped=() if more or end else _dropped(repository, table, at, listed),
        parts=() if since else tuple(_parts(repository, table, key, at)),
    )


def _parts(
    repository: Repository, table: str, key: Key, at: str
) -> Iterator[tuple[str, str]]:
    """Where a row has parts, or had them as long as it was there."""
    model = values.model_for(table)
    above = (
        {one._meta.db_table for one in model._meta.get_parent_list()} if model else ()
    )
    for part in parts_of(table):
        if part not in repository.tables(at=at) or (
            withholds_rows(repository, [(part, at)])
        ):
            continue
        if part in above or repository.rows(part, [key], at=at):
            yield part, values.table_name(part)


def _dropped(
    repository: Repository, table: str, at: str, edits: Sequence[RowEdit]
) -> tuple[str, ...]:
    """Columns that a table had at the oldest of some edits, and has no more."""
    if not edits:
        return ()
    then = edits[-1].commit.hash
    # From the state before it, as is known already: see ``sql.trails``.
    before = next(iter(edits[-1].commit.parents), then)
    changes = repository.schema_changes(before, at)
    if all(c.table != table for c in changes) or table not in repository.tables(
        at=then
    ):
        return ()
    now = repository.columns(table, at=at)
    gone = [c for c in repository.columns(table, at=then) if c not in now]
    hidden = hidden_among(table, gone)
    return tuple(column for column in gone if column not in hidden)


def _key_before(repository: Repository, end: TrailEnd | None) -> str:
    if end is None or end.key is None:
        return ""
    if withholds_rows(repository, [(end.table, end.before)]):
        return ""  # it may say what is hidden
    return values.key_text(end.key)


def _columns(
    table: str, then: Snapshot, row: Row | None, edits: Sequence[RowEdit]
) -> Columns:
    before = [e.change.before for e in edits if e.change.before is not None]
    after = [e.change.after for e in edits if e.change.after is not None]
    return Columns(table, then, then, before, [*after, *([row] if row else [])])


def _label(then: Snapshot, table: str, key: Key, found: RowHistory) -> str:
    row = found.row
    if row is None and found.edits:
        change = found.edits[0].change
        row = change.after if change.after is not None else change.before
    return then.labels(table, {key: row or {}})[key]


def _row(columns: Columns, edit: RowEdit) -> RowDiff:
    change = edit.change
    cells = columns.cells(change.before, change.after)
    if change.kind is ChangeKind.CHANGED:
        # A merge differs from a parent also in what it has from the other.
        changed = edit.columns | edit.discarded
        cells = (replace(cell, changed=cell.column in changed) for cell in cells)
    return RowDiff(
        change.kind,
        spoken_key(change.key),
        "",
        tuple(cells),
        key_text=values.key_text(change.key),
    )


def _origins(columns: Columns, found: RowHistory) -> list[Origin]:
    if found.row is None:
        return []
    return [
        Origin(cell.column, cell.name, cell.after, _set_by(cell.column, found))
        for cell in columns.cells(found.row, found.row)
        if not cell.is_key
    ]


def _set_by(column: str, found: RowHistory) -> Commit | None:
    """
    The newest commit that gave a cell the value that it has. Not simply the
    newest that changed it: a merge may have taken the older of two edits.
    """
    assert found.row is not None
    for edit in found.edits:
        after = edit.change.after
        if (
            after is not None
            and column in edit.columns
            and same(after.get(column), found.row[column])
        ):
            return edit.commit
    return None

"""
What a merge would do, found out by doing it and rolling it back.

Everything here is about three hashes, and so can't change: it is remembered
by them.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby, islice
from typing import Any

from versioning import policies
from versioning.backends.errors import (
    MergeBlocked,
    MergeRefused,
)
from versioning.backends.repository import (
    ConflictRow,
    Key,
    MergeSides,
    Repository,
    SchemaConflict,
    TableChange,
    TableStat,
    Violation,
)
from versioning.conf import connection as versioned_connection
from versioning.merging.counters import (
    CommonHistory,
    CounterSum,
    counter_sums,
    with_common_counts,
)
from versioning.merging.dropped import without_dropped
from versioning.merging.memory import known, recall, remember
from versioning.merging.paging import in_parts
from versioning.merging.rehearsal import rehearsal, require_head
from versioning.merging.resolution import asked
from versioning.merging.transplant import Transplant

PAGE = 50  # rows on a page
VIOLATIONS_SHOWN = 100
SUMS_SHOWN = 200
_SCAN = 500  # rows read at a time where all are looked at
#: Rows that an engine may read for a merge while somebody waits for a page:
#: DoltLite sorts the unique indexes of all tables that changed, 1.5 seconds for
#: a million rows.
READ_AT_ONCE = 50_000

Then = Callable[[Repository, "Preview"], None]


@dataclass(frozen=True, slots=True)
class TableConflicts:
    """How much there is to settle in one table."""

    table: str
    rows: int
    decisions: int  # that a person has to make
    sums: int  # counters that add up by themselves


@dataclass(frozen=True, slots=True)
class Preview:
    """
    What a merge of three hashes would do, as counts; rows come by page.

    ``stats`` count the rows that merge by themselves; those in ``conflicts``
    come on top, as do ``sums``: counters that the engine would not add up by
    itself, on rows without a conflict.
    """

    sides: MergeSides
    up_to_date: bool
    fast_forward: bool  # ours has nothing of its own since the merge base
    blocked: str  # the engine's reason, or ""
    summary: tuple[TableChange, ...]
    stats: tuple[TableStat, ...]
    conflicts: tuple[TableConflicts, ...]
    schema_conflicts: tuple[SchemaConflict, ...]
    violations: tuple[Violation, ...]  # the first ``VIOLATIONS_SHOWN``
    sums: tuple[CounterSum, ...]  # the first ``SUMS_SHOWN``
    sum_count: int
    refused: bool = False  # ``blocked`` is no engine's, but in sentences

    @property
    def required(self) -> int:
        """How many decisions the merge needs in all."""
        return sum(table.decisions for table in self.conflicts)

    @property
    def can_land(self) -> bool:
        """Whether decisions and mended rows are all that it may still need."""
        return not (self.up_to_date or self.blocked or self.schema_conflicts)

    @property
    def is_clean(self) -> bool:
        return self.can_land and not (self.conflicts or self.violations)


def sides_of(repository: Repository, ours: str, theirs: str) -> MergeSides | None:
    """The three hashes of a merge of two; None if they share no history."""
    base = repository.merge_base(ours, theirs)
    return None if base is None else MergeSides(base, ours, theirs)


def preview(target: str, sides: MergeSides, *, then: Then | None = None) -> Preview:
    """
    What merging ``sides.theirs`` into branch ``target`` would do.

    If that has to be found out, ``then`` is called at the end, within the
    merge: on DoltLite a merge of a million rows takes two seconds, and what is
    asked next needs no second one. Raises ``BranchMoved`` if the head of
    ``target`` is not ``sides.ours``, ``UncommittedRows`` if rows that nobody
    committed are on it, ``EngineBusy``.
    """
    return remember(("preview", sides), lambda: _look(target, sides, then))


def takes_long(repository: Repository, sides: MergeSides) -> bool:
    """Whether ``preview()`` is not known, and keeps a person waiting."""
    if not (repository.features.merges_read_whole_tables and sides.is_merge):
        return False
    if sides.base == sides.theirs or known(("preview", sides)) is not None:
        return False
    changed = {
        change.table: side
        for side in (sides.ours, sides.theirs)
        for change in repository.diff_summary(sides.base, side)
        if change.table in repository.tables(at=side)
    }
    rows = (repository.row_count(table, at=at) for table, at in changed.items())
    return sum(rows) > READ_AT_ONCE


@dataclass(frozen=True, slots=True)
class Place:
    """A place among the rows in conflict: a table, and a key to go on after."""

    table: str
    since: Key | None = None


@dataclass(frozen=True, slots=True)
class ConflictPage:
    rows: tuple[ConflictRow, ...]  # by table, then key
    next: Place | None  # where the next page begins; None on the last


def conflict_page(
    target: str,
    found: Preview,
    start: Place | None,
    *,
    without: frozenset[str] = frozenset(),
) -> ConflictPage:
    """
    A page of rows in conflict, across tables, from a place on; of the tables
    ``without`` none. Raises as ``preview()``; a place in no table of this merge
    begins at the first.
    """
    tables = [of.table for of in found.conflicts if of.table not in without]

    def look() -> ConflictPage:
        with rehearsal(target, found.sides) as repository:
            return _page(repository, found.sides, tables, start)

    if not tables:  # and perhaps no merge to begin: it may be blocked
        return ConflictPage((), None)
    if without:
        return look()  # what is remembered is for everybody
    return remember(_page_key(found.sides, start), look)


def _page_key(sides: MergeSides, start: Place | None) -> tuple[Any, ...]:
    return ("conflict page", sides, start)


def _page(
    repository: Repository,
    sides: MergeSides,
    tables: Sequence[str],
    start: Place | None,
) -> ConflictPage:
    rows: list[ConflictRow] = []
    since = None
    if start is not None and start.table in tables:
        tables = tables[tables.index(start.table) :]
        since = start.since
    for table in tables:
        room = PAGE - len(rows)
        if not room:
            return ConflictPage(tuple(rows), Place(table))
        found = conflict_rows(repository, sides, table, since=since, limit=room + 1)
        since = None
        rows += found[:room]
        if len(found) > room:
            return ConflictPage(tuple(rows), Place(table, found[room - 1].key))
    return ConflictPage(tuple(rows), None)


def _page_of(first: Sequence[ConflictRow]) -> ConflictPage:
    """The first page, of its rows and the one after them, if there is one."""
    if len(first) <= PAGE:
        return ConflictPage(tuple(first), None)
    last, beyond = first[PAGE - 1 : PAGE + 1]
    since = last.key if last.table == beyond.table else None
    return ConflictPage(tuple(first[:PAGE]), Place(beyond.table, since))


def conflicts_of(
    target: str, sides: MergeSides, table: str, keys: Sequence[Key]
) -> list[ConflictRow]:
    """Rows in conflict by their keys, in order; keys in no conflict are left out."""

    def look() -> list[ConflictRow]:
        with rehearsal(target, sides) as repository:
            return conflict_rows(repository, sides, table, keys=keys)

    on_pages = _on_remembered_pages(sides, table, keys)
    if len(on_pages) == len(set(keys)):
        return on_pages
    return remember(("conflicts of", sides, table, tuple(keys)), look)


def conflicts_within(
    merge: Repository, sides: MergeSides, table: str, keys: Sequence[Key]
) -> list[ConflictRow]:
    """As ``conflicts_of()``, of a merge that is under way."""
    on_pages = _on_remembered_pages(sides, table, keys)
    if len(on_pages) == len(set(keys)):
        return on_pages
    return conflict_rows(merge, sides, table, keys=keys)


def _on_remembered_pages(
    sides: MergeSides, table: str, keys: Sequence[Key]
) -> list[ConflictRow]:
    """Those of the rows that somebody was shown: they are decided next."""
    kind, of, _ = _page_key(sides, None)
    wanted = set(keys)
    rows = {
        row.key: row
        for page in recall(kind, of)
        for row in page.rows
        if row.table == table and row.key in wanted
    }
    return [rows[key] for key in sorted(rows)]


def each_conflict_page(
    target: str, sides: MergeSides, tables: Iterable[str]
) -> Iterator[list[ConflictRow]]:
    """All rows of some tables in conflict, a few hundred of one at a time."""
    with rehearsal(target, sides) as repository:
        for table in tables:
            yield from conflict_pages(repository, sides, table)


def conflict_rows(
    repository: Repository, sides: MergeSides, table: str, **which: Any
) -> list[ConflictRow]:
    """
    ``Repository.conflicts()`` of a merge that is under way, with what the
    counters count from; takes the same keywords. Raises ``MergeBlocked``, see
    ``without_dropped()``.
    """
    rows = repository.conflicts(table, **which)
    if rows:
        rows = without_dropped(rows, repository.columns(table))
    return with_common_counts(repository, sides, rows)


def conflict_pages(
    repository: Repository, sides: MergeSides, table: str
) -> Iterator[list[ConflictRow]]:
    """As ``each_conflict_page()``, within a merge that is under way."""
    if (shown := _all_on_first_page(sides, table)) is not None:
        yield shown
        return
    ask = partial(conflict_rows, repository, sides, table)
    yield from in_parts(ask, at_once=_SCAN)


def _all_on_first_page(sides: MergeSides, table: str) -> list[ConflictRow] | None:
    """All of a table's rows in conflict, if they are remembered with a page."""
    page: ConflictPage | None = known(_page_key(sides, None))
    if page is None:
        return None
    rows = [row for row in page.rows if row.table == table]
    goes_on = page.next is not None and page.next.table == table
    return rows if rows and not goes_on else None


def versions(
    repository: Repository, sides: MergeSides, table: str, keys: Sequence[Key]
) -> list[ConflictRow]:
    """Any rows as the three states of a merge hold them, in the order of ``keys``."""
    base, ours, theirs = [
        repository.rows(table, keys, at=at) if table in repository.tables(at=at) else {}
        for at in (sides.base, sides.ours, sides.theirs)
    ]
    return [
        ConflictRow(table, key, base.get(key), ours.get(key), theirs.get(key))
        for key in keys
    ]


def _look(target: str, sides: MergeSides, then: Then | None) -> Preview:
    repository = versioned_connection().repository
    if sides.is_merge and sides.base == sides.theirs:
        require_head(repository, target, sides.ours)
        return _nothing(sides, up_to_date=True)
    try:
        with rehearsal(target, sides) as merge:
            sums, sum_count = _sums(merge, sides)
            summary = summary_of(merge)
            first: list[ConflictRow] = []
            conflicts = tuple(_conflicts(merge, sides, first))
            violations = tuple(merge.violations(limit=VIOLATIONS_SHOWN))
            found = Preview(
                sides=sides,
                up_to_date=not (sides.is_merge or summary or conflicts or violations),
                fast_forward=sides.is_merge and sides.base == sides.ours,
                blocked="",
                summary=summary,
                stats=tuple(merge.merged_stat()),
                conflicts=conflicts,
                schema_conflicts=tuple(merge.schema_conflicts()),
                violations=violations,
                sums=tuple(sums),
                sum_count=sum_count,
            )
            # The first rows are asked for next: no second merge for them.
            remember(_page_key(sides, None), lambda: _page_of(first))
            if then:
                then(merge, found)
            return found
    except MergeBlocked as error:
        refused = isinstance(error, MergeRefused)
        return replace(_nothing(sides), blocked=str(error), refused=refused)


def summary_of(merge: Repository) -> tuple[TableChange, ...]:
    """What the merge makes of tables, those that get another key among them."""
    replaced = {change.table: change.change for change in merge.merged_key_changes()}
    found = {change.table: change for change in merge.merged_summary()}
    return tuple({**found, **replaced}.values())


def _nothing(sides: MergeSides, *, up_to_date: bool = False) -> Preview:
    return Preview(sides, up_to_date, False, "", (), (), (), (), (), (), 0)


def _sums(merge: Repository, sides: MergeSides) -> tuple[list[CounterSum], int]:
    """
    The first of the counters that the engine would not add up, and how many
    there are. Rows in conflict are left out: their cards show the sum.
    """
    first: list[CounterSum] = []
    count = 0
    for change in outside_conflicts(merge, sides):
        count += 1
        if count <= SUMS_SHOWN:
            first.append(change)
    if count == len(first):
        remember(_sums_key(sides), lambda: tuple(first))
    return first, count


def _sums_key(sides: MergeSides) -> tuple[Any, ...]:
    return ("all sums", sides)


def outside_conflicts(merge: Repository, sides: MergeSides) -> Iterator[CounterSum]:
    """``counter_sums()`` without rows in conflict, within a merge under way."""
    if (found := known(_sums_key(sides))) is not None:
        yield from found
        return
    if isinstance(merge, Transplant):
        yield from merge.sums()
        return
    changes = counter_sums(merge, sides)
    for table, group in groupby(changes, key=lambda change: change.table):
        while batch := list(islice(group, _SCAN)):
            keys = sorted({change.key for change in batch})
            disputed = {row.key for row in merge.conflicts(table, keys=keys)}
            yield from (change for change in batch if change.key not in disputed)


def _conflicts(
    merge: Repository, sides: MergeSides, first: list[ConflictRow]
) -> Iterator[TableConflicts]:
    """Puts the rows of the first page, and one more, into ``first``."""
    for count in merge.conflict_counts():
        if not count.rows:  # a table whose definitions are in conflict
            continue
        counters = policies.counters_of(count.table)
        decisions = sums = 0
        for rows in _each_conflict(merge, sides, count.table):
            first += rows[: PAGE + 1 - len(first)]
            for row in rows:
                required, counted = asked(row, counters)
                decisions += required
                sums += counted
        yield TableConflicts(count.table, count.rows, decisions, sums)


def _each_conflict(
    merge: Repository, sides: MergeSides, table: str
) -> Iterator[list[ConflictRow]]:
    """As ``conflict_pages()``; nothing else can be asked meanwhile."""
    if policies.counters_of(table) and not CommonHistory(merge, sides).says_it_all(
        table
    ):  # each page asks for what they count from
        yield from conflict_pages(merge, sides, table)
        return
    columns = merge.columns(table)
    with closing(merge.each_conflict(table, at_once=_SCAN)) as pages:
        for rows in pages:
            yield without_dropped(rows, columns)

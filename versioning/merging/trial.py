"""
A merge tried out with all that was decided: what its result would break.

Written and asked in a transaction that is rolled back. What it finds depends
on three hashes and the draft's decisions, and is remembered by them.
"""

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import islice
from typing import Any, NamedTuple

from versioning.backends.repository import (
    ConflictRow,
    Key,
    MergeSides,
    Repository,
    Row,
    TableChange,
    TableStat,
    Violation,
)
from versioning.conf import connection as versioned_connection
from versioning.merging import VIOLATIONS_LISTED, copies, result, validation
from versioning.merging.changed_rows import ChangedRows
from versioning.merging.drafts import Counts, counts
from versioning.merging.dropped import is_empty
from versioning.merging.memory import drop, remember
from versioning.merging.parts import deleted_by_one, links
from versioning.merging.preview import Preview, summary_of
from versioning.merging.rehearsal import rehearsal
from versioning.merging.resolution import Take
from versioning.merging.result import MendedRow
from versioning.merging.validation import InvalidRow, Reported
from versioning.merging.whereabouts import Whereabouts, is_there, whereabouts
from versioning.merging.writing import ResultWriter
from versioning.models import Decision, MergeDraft
from versioning.values import same

SHOWN = 100  # rows
GONE_SHOWN = 20  # rows that a side deleted along with what is kept


class LostValue(NamedTuple):
    """A value that a side gave a row, of a column that the result has no more."""

    side: Take  # OURS or THEIRS
    column: str
    value: Any


class GoneWith(NamedTuple):
    """A row that is kept, and that another one pointed to in a column."""

    table: str
    key: Key
    column: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the target will have otherwise, with all that was decided and mended."""

    summary: tuple[TableChange, ...]
    stats: tuple[TableStat, ...]


@dataclass(frozen=True, slots=True)
class Trouble:
    """
    A row of the result that is in a fault, or that was mended, or that a side
    deleted along with one that was.
    """

    versions: ConflictRow  # as the three states hold it
    result: Row | None  # as it will be; None if it will not be
    violations: tuple[Violation, ...] = ()  # that the row itself breaks
    missed_by: tuple[Violation, ...] = ()  # of rows that point to it; it is gone
    reasons: tuple[str, ...] = ()  # rules of the application that it breaks
    columns: tuple[str, ...] = ()  # that those are about
    #: What rules say of rows that it belongs to: their table, and the reason.
    bears_on: tuple[tuple[str, str], ...] = ()
    is_unclear: bool = False  # whose row it is
    lost: tuple[LostValue, ...] = ()  # whatever is decided
    mend: MendedRow | None = None
    #: Kept rows, with which a side deleted this one; it will not be there.
    gone_with: tuple[GoneWith, ...] = ()

    @property
    def is_mended(self) -> bool:
        """Whether nothing is wrong with it any more."""
        return not (self.violations or self.missed_by or self.reasons or self.bears_on)

    @property
    def is_left_alone(self) -> bool:
        """Whether nothing is wrong with it, and nothing counts that was mended."""
        is_mended = self.mend is not None and bool(self.mend.decisions)
        return self.is_mended and not (is_mended or self.gone_with)


@dataclass(frozen=True, slots=True)
class Trial:
    """What a merge's result would break. Rows are by table and key."""

    rows: tuple[Trouble, ...] = ()
    old: tuple[InvalidRow, ...] = ()  # broken before, so no reason to refuse
    more_old: int = 0  # besides these
    unshown: int = 0  # rows in a fault, or that break a rule, besides these
    too_many: bool = False  # more violations than can be mended here
    complete: bool = True  # False: rows in conflict were left as ours
    outcome: Outcome | None = None  # None where nothing was mended or went along
    unnamed: int = 0  # rows with ``gone_with``, besides these

    @property
    def faults(self) -> tuple[Trouble, ...]:
        return tuple(row for row in self.rows if not row.is_mended)

    @property
    def unneeded(self) -> tuple[Decision, ...]:
        """Mends made on other values, of rows in which nothing is wrong now."""
        if not self.complete:
            return ()
        return tuple(
            decision
            for row in self.rows
            if row.is_left_alone and row.mend
            for decision in row.mend.outdated.values()
        )

    @property
    def is_fine(self) -> bool:
        return not (self.faults or self.unshown or self.too_many)


def without_tables(found: Trial, tables: Container[str]) -> Trial:
    """The trial with no rows of some tables."""
    rows = tuple(row for row in found.rows if row.versions.table not in tables)
    return replace(found, rows=rows)


def can_be_tried(found: Preview, made: Counts) -> bool:
    """
    What the result would break is asked where something is known to be wrong or
    was mended, and where no decision is missing any more.
    """
    is_complete = made.settled >= found.required
    return found.can_land and bool(is_complete or found.violations or made.mends)


def try_out(
    target: str,
    sides: MergeSides,
    draft: MergeDraft | None,
    made: Counts | None = None,
) -> Trial:
    """
    What the merge would break with the decisions as they stand; ``made`` are
    ``drafts.counts()``, if they are at hand. Raises as ``preview.preview()``.

    The application's rules are asked once nothing else is left to decide.
    """
    made = made or counts(draft)

    def try_() -> _Tried:
        with rehearsal(target, sides) as merge:
            return _within(merge, sides, draft, made)

    found = remember(
        _judged_key(sides, draft),
        lambda: _judge(
            remember(_key(sides, draft), try_),
            sides,
        ),
    )
    if any(row.reasons for row in found.rows):
        ask_again(sides, draft)
    return found


def ask_again(sides: MergeSides, draft: MergeDraft | None) -> None:
    """
    Have the application's rules asked anew by the next ``try_out()``: they may go
    by what has no branches, as by an account, or by the time of day.
    """
    drop(_judged_key(sides, draft))
    drop(_key(sides, draft))


def foresee(
    merge: Repository, found: Preview, draft: MergeDraft | None, made: Counts
) -> None:
    """
    Try out a merge that is under way, where ``try_out()`` is asked next. Leaves
    rows written.
    """
    remember(
        _key(found.sides, draft),
        lambda: _within(merge, found.sides, draft, made),
    )


def _judged_key(sides: MergeSides, draft: MergeDraft | None) -> Any:
    return ("trial", sides, version(draft))


def _key(sides: MergeSides, draft: MergeDraft | None) -> Any:
    return ("tried", sides, version(draft))


def version(draft: MergeDraft | None) -> Any:
    """Something that is another whenever the decisions are."""
    return None if draft is None else (draft.pk, draft.revision)


@dataclass(frozen=True, slots=True)
class _Tried:
    """What was found within the merge, before it was rolled back."""

    rows: "_Rows"
    faults: frozenset[tuple[str, Key]]
    shown: frozenset[tuple[str, Key]]
    too_many: bool
    complete: bool
    invalid: Reported
    invariants: Sequence[InvalidRow] = ()
    outcome: Outcome | None = None
    unnamed: int = 0


def _within(
    merge: Repository, sides: MergeSides, draft: MergeDraft | None, made: Counts
) -> _Tried:
    listed = merge.violations(limit=VIOLATIONS_LISTED + 1)
    written = result.write(merge, sides, draft, listed, settle=False)
    rows = _Rows()
    faults, old = result.faults(merge, listed, written)
    places = dict.fromkeys((fault.table, fault.key) for fault in faults)
    shown = frozenset(islice(places, SHOWN))
    for fault in faults:
        if (fault.table, fault.key) in shown:
            rows.add_violation(fault)
    complete = not written.left_open
    invalid = Reported([])
    invariants: list[InvalidRow] = []
    if complete:
        changed = ChangedRows(merge, sides, None)
        invalid = validation.invalid_rows(changed, written.keys)
        invalid = invalid._replace(rows=copies.unclear(written) + invalid.rows)
        invariants = validation.broken_invariants(changed)
    invalid = validation.with_orphans(invalid, old)
    # What the three states and the result hold, before it is rolled back.
    for row in invariants:
        rows.know(row.table, row.key)
        for table, key in row.touched:
            rows.know(table, key)
    for row in invalid.rows:
        rows.know(row.table, row.key)
    outcome, unnamed = None, 0
    if draft is not None and made.mends:
        kept: list[tuple[ConflictRow, str]] = []
        for mended in result.mended_rows(merge, sides, draft, written.new_keys):
            for one in mended:
                rows.add_mend(one)
                if keeper := result.only_keeper(one, sides):
                    kept.append((one.versions, keeper))
        gone = _gone_with(merge, sides, kept, written)
        for (table, key), parents in islice(gone.items(), GONE_SHOWN):
            rows.know(table, key).gone_with += parents
        unnamed = max(len(gone) - GONE_SHOWN, 0)
    if made.mends or written.went_along:
        outcome = Outcome(summary_of(merge), tuple(merge.merged_stat()))
    rows.read(merge, sides, written)
    return _Tried(
        rows,
        frozenset(places),
        shown,
        len(listed) > VIOLATIONS_LISTED,
        complete,
        invalid,
        invariants,
        outcome,
        unnamed,
    )


def _gone_with(
    merge: Repository,
    sides: MergeSides,
    kept: Sequence[tuple[ConflictRow, str]],
    written: ResultWriter,
) -> dict[tuple[str, Key], list[GoneWith]]:
    """
    Rows that a side deleted along with one that is ``kept`` as the other's (a
    hash), and that nobody keeps. Not what that one changed, which is in conflict
    itself, nor what the row consists of, which is kept with it.
    """
    found: dict[tuple[str, Key], list[GoneWith]] = defaultdict(list)

    @cache
    def deleted_of(table: str, deleter: str, keeper: str) -> Mapping[Key, Row]:
        return deleted_by_one(merge, table, sides.base, deleter, keeper)

    for versions, keeper in kept:
        held = versions.ours or versions.theirs or {}
        deleter = sides.theirs if keeper == sides.ours else sides.ours
        for link in links(versions.table):
            if link.is_part or held.get(link.target) is None:
                continue
            deleted = deleted_of(link.table, deleter, keeper)
            keys = [
                key
                for key, before in deleted.items()
                if before.get(link.column) == held[link.target]
            ]
            there = written.rows(link.table, keys) if keys else {}
            for key in keys:
                if key not in there:
                    parent = GoneWith(versions.table, versions.key, link.column)
                    found[link.table, key].append(parent)
    return dict(sorted(found.items()))


def _judge(tried: _Tried, sides: MergeSides) -> Trial:
    marked = Reported([])
    if tried.invariants:
        with versioned_connection().bound(at=sides.ours):
            marked = validation.mark_old(tried.invariants)
    found = [*tried.invalid.rows, *marked.rows]
    for row in found:
        if not row.was_before:
            tried.rows.add_invalid(row)
    return Trial(
        rows=tried.rows.troubles(),
        old=tuple(row for row in found if row.was_before),
        more_old=tried.invalid.more_old + marked.more_old,
        unshown=len(tried.faults - tried.shown) + tried.invalid.more + marked.more,
        too_many=tried.too_many,
        complete=tried.complete,
        outcome=tried.outcome,
        unnamed=tried.unnamed,
    )


@dataclass
class _About:
    violations: list[Violation] = field(default_factory=list)
    missed_by: list[Violation] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    bears_on: list[tuple[str, str]] = field(default_factory=list)
    is_unclear: bool = False
    mend: MendedRow | None = None
    gone_with: list[GoneWith] = field(default_factory=list)

    @property
    def is_about_anything(self) -> bool:
        return bool(
            self.violations
            or self.missed_by
            or self.reasons
            or self.bears_on
            or self.mend
            or self.gone_with
        )


class _Rows:
    """Collects what is wrong, row by row, and what each state holds of them."""

    def __init__(self) -> None:
        self._about: dict[tuple[str, Key], _About] = defaultdict(_About)
        self._versions: dict[tuple[str, Key], ConflictRow] = {}
        self._results: dict[tuple[str, Key], Row] = {}
        self._columns: dict[str, frozenset[str]] = {}  # that the result has
        #: Where columns that a side has are, by what the other side made of them.
        self._whereabouts: dict[tuple[str, Take], Whereabouts] = {}

    def know(self, table: str, key: Key) -> _About:
        """Read this row too."""
        return self._about[table, key]

    def add_violation(self, fault: Violation) -> None:
        self.know(fault.table, fault.key).violations.append(fault)
        if fault.referenced_key:
            parent = self.know(fault.referenced_table, fault.referenced_key)
            parent.missed_by.append(fault)

    def add_mend(self, mend: MendedRow) -> None:
        self.know(mend.versions.table, mend.versions.key).mend = mend

    def add_invalid(self, row: InvalidRow) -> None:
        about = self.know(row.table, row.key)
        about.reasons += row.reasons
        about.columns += row.columns
        about.is_unclear |= row.is_unclear
        for table, key in row.touched:
            if (table, key) != (row.table, row.key):
                self.know(table, key).bears_on += [(row.table, r) for r in row.reasons]

    def read(self, merge: Repository, sides: MergeSides, written: ResultWriter) -> None:
        by_table: dict[str, list[Key]] = defaultdict(list)
        for table, key in self._about:
            by_table[table].append(key)
        for table, keys in by_table.items():
            rows = result.versions(merge, sides, table, keys, written.new_keys)
            self._versions |= {(table, row.key): row for row in rows}
            if table in merge.tables():
                now = written.rows(table, keys)
                self._columns[table] = frozenset(merge.columns(table))
                self._results |= {(table, key): row for key, row in now.items()}
                self._read_whereabouts(merge, sides, table, rows)

    def _read_whereabouts(
        self,
        merge: Repository,
        sides: MergeSides,
        table: str,
        rows: Sequence[ConflictRow],
    ) -> None:
        kept = self._columns[table]
        for side, other, held in (
            (Take.OURS, sides.theirs, [row.ours for row in rows]),
            (Take.THEIRS, sides.ours, [row.theirs for row in rows]),
        ):
            is_cut = any(row and not kept.issuperset(row) for row in held)
            states = (sides.base, other)
            if is_cut and all(table in merge.tables(at=at) for at in states):
                self._whereabouts[table, side] = whereabouts(
                    merge, table, sides.base, table, other
                )

    def troubles(self) -> tuple[Trouble, ...]:
        return tuple(self._troubles())

    def _troubles(self) -> Iterable[Trouble]:
        for where, about in sorted(self._about.items()):
            versions = self._versions[where]
            found = self._results.get(where)
            if found is None and not self._was_anywhere(versions):
                continue  # a parent that nobody ever had
            if not about.is_about_anything:
                continue
            yield Trouble(
                versions,
                found,
                tuple(about.violations),
                tuple(about.missed_by) if found is None else (),
                tuple(dict.fromkeys(about.reasons)),
                tuple(dict.fromkeys(about.columns)),
                tuple(dict.fromkeys(about.bears_on)),
                about.is_unclear,
                tuple(self._lost(versions, found)),
                about.mend,
                tuple(about.gone_with) if found is None else (),
            )

    def _lost(self, versions: ConflictRow, result: Row | None) -> Iterator[LostValue]:
        if (kept := self._columns.get(versions.table)) is None:
            return
        for side, row in ((Take.OURS, versions.ours), (Take.THEIRS, versions.theirs)):
            if row is None:
                continue
            known = self._whereabouts.get((versions.table, side), {})
            new = frozenset(result or {}).difference(row)
            for column, value in row.items():
                if column in kept or is_empty(value):
                    continue
                unchanged = versions.base and same(value, versions.base.get(column))
                if unchanged and versions.ours and versions.theirs:
                    continue  # else the row is kept as a whole, or not at all
                # It has another name, or moved there.
                if not is_there(value, result or {}, known.get(column, new)):
                    yield LostValue(side, column, value)

    @staticmethod
    def _was_anywhere(versions: ConflictRow) -> bool:
        return any((versions.base, versions.ours, versions.theirs))

"""A merge whose branches moved between a page and what was pressed on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from versioning.backends.errors import UnknownRef
from versioning.backends.repository import (
    ChangeKind,
    ConflictRow,
    Key,
    MergeSides,
    Repository,
    RowChange,
    TableChange,
)
from versioning.merging import preview, sources
from versioning.policies import counters_of
from versioning.values import same

MOST = 1000  # rows of a table that are looked at


@dataclass(frozen=True, slots=True)
class Moved:
    """A branch that has another head than a page was made of."""

    branch: str
    before: str  # hash
    now: str  # hash
    commits: int | None  # that came to it; None if ``before`` is no more


def moved(
    repository: Repository, source: str, target: str, pins: MergeSides
) -> list[Moved]:
    """Which branches of a merge have moved since. Raises ``BranchNotFound``."""
    found = []
    for name, before in ((target, pins.ours), (source, pins.theirs)):
        if not sources.parse(name).is_merge:
            continue  # one commit's change, which stays what it is
        now = repository.head(name)
        if now != before:
            found.append(Moved(name, before, now, _came(repository, before, now)))
    return found


def _came(repository: Repository, before: str, now: str) -> int | None:
    try:
        return repository.count_between(before, now)
    except UnknownRef:
        return None


def row_stands(
    repository: Repository,
    pins: MergeSides,
    now: MergeSides,
    table: str,
    key: Key,
    *,
    but: frozenset[str] = frozenset(),
) -> bool:
    """
    Whether a row's three versions are what they were, so that a choice about
    it means the same; ``but`` for columns that it is not about.
    """
    try:
        if not _have_same_bases(repository, pins, now):
            return False
        lengths = {
            len(repository.primary_key(table, at))
            for sides in (pins, now)
            for at in (sides.base, sides.ours, sides.theirs)
            if table in repository.tables(at=at)
        }
        if lengths != {len(key)}:
            return False  # no key of this table
        before, after = (
            preview.versions(repository, sides, table, [key]) for sides in (pins, now)
        )
    except UnknownRef:  # cleared away since
        return False
    return _without(before, but) == _without(after, but)


def _without(
    rows: Sequence[ConflictRow], columns: frozenset[str]
) -> list[dict[str, Any] | None]:
    return [
        None if side is None else {c: side[c] for c in side.keys() - columns}
        for row in rows
        for side in (row.base, row.ours, row.theirs)
    ]


def is_apart(repository: Repository, pins: MergeSides, now: MergeSides) -> bool:
    """
    Whether the target moved alone, by rows that the merge does not touch, or by
    counts in those that it changes, which add up: it does to every row what the
    page showed. What the result would break is found when it lands.
    """
    try:
        return _is_apart(repository, pins, now)
    except UnknownRef:  # what the page was made of is cleared away
        return False


def _is_apart(repository: Repository, pins: MergeSides, now: MergeSides) -> bool:
    if now.theirs != pins.theirs or not _have_same_bases(repository, pins, now):
        return False
    if repository.merge_base(pins.ours, now.ours) != pins.ours:
        return False  # not moved on, but put elsewhere
    meanwhile = _changes(repository, pins.ours, now.ours)
    brought = _changes(repository, pins.base, pins.theirs)
    if not all(_is_rows_alone(change) for change in meanwhile.values()):
        return False
    return not any(
        not _is_rows_alone(change) or _share_rows(repository, change.table, pins, now)
        for table, change in brought.items()
        if table in meanwhile or change.old_table in meanwhile
    )


def _have_same_bases(repository: Repository, pins: MergeSides, now: MergeSides) -> bool:
    """Counters count from all of them, of which ``base`` is one."""
    if now.base != pins.base or now.is_merge != pins.is_merge:
        return False
    if not now.is_merge:
        return True
    before, after = (
        set(repository.merge_bases(sides.ours, sides.theirs)) for sides in (pins, now)
    )
    return before == after


def _changes(repository: Repository, before: str, after: str) -> dict[str, TableChange]:
    return {change.table: change for change in repository.diff_summary(before, after)}


def _is_rows_alone(change: TableChange) -> bool:
    return change.kind is ChangeKind.CHANGED and not change.schema_changed


def _share_rows(
    repository: Repository, table: str, pins: MergeSides, now: MergeSides
) -> bool:
    if not repository.primary_key(table, now.ours):
        return True
    came = list(repository.diff_rows(table, pins.ours, now.ours, limit=MOST + 1))
    if len(came) > MOST:  # too many to tell, while somebody waits
        return True
    counters = counters_of(table)
    counted = {change.key for change in came if _only_counts(change, counters)}
    keys = [change.key for change in came]
    brought = repository.diff_rows(table, pins.base, pins.theirs, keys=keys)
    return any(
        change.key not in counted or change.kind is not ChangeKind.CHANGED
        for change in brought
    )


def _only_counts(change: RowChange, counters: frozenset[str]) -> bool:
    if change.before is None or change.after is None:
        return False
    return all(
        column in counters or same(value, change.before.get(column))
        for column, value in change.after.items()
    )

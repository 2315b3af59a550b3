"""What commits did to one row, in the SQL that both engines take."""

from abc import abstractmethod
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self

from django.db import DataError, InterfaceError, ProgrammingError

from versioning.backends.equality import same
from versioning.backends.errors import EngineError, UnknownRef, UnknownTable
from versioning.backends.repository import (
    ChangeKind,
    Commit,
    Key,
    Row,
    RowChange,
    RowEdit,
    RowHistory,
    TrailEnd,
)
from versioning.backends.sql.descent import Descent
from versioning.backends.sql.siblings import Held, LeftOut, Step, held_at
from versioning.backends.sql.statements import Table, utc
from versioning.backends.sql.tables import Diff, Tables, changes_of, spelled_key

READ = 200  # steps of a row's way read at once

# What a driver says of a key of a type that its columns do not hold.
_NOT_A_KEY = (
    OverflowError, UnicodeError, TypeError, DataError, InterfaceError, ProgrammingError
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """Steps that the engine gave: all of them later than ``since``, None if all."""

    steps: tuple[Step, ...]
    since: datetime | None

    def joined(self, other: Self) -> Self:
        limits = [one.since for one in (self, other) if one.since is not None]
        return replace(
            self, steps=(*self.steps, *other.steps), since=max(limits, default=None)
        )


class RowHistories(Descent, Tables):
    def row_history(
        self, table: str, key: Key, *, at: str, since: str = "", limit: int
    ) -> RowHistory:
        primary = self.primary_key(table, at)
        if not primary:
            raise UnknownTable(table)
        diff = self._diff_as_of(at, table, "", at)
        none = RowHistory(None, (), more=False)
        if len(key) != len(primary):
            return none
        try:
            row = self._row_at(diff, key)
            steps, held = self._steps(diff, key, READ, row)
        except EngineError:
            raise
        except _NOT_A_KEY:
            return none
        size = READ
        while True:
            is_all = len(steps) < size
            known = steps if is_all else _whole_commits(steps)
            edits = self._edits(diff, key, known, is_all, held)
            edits, end = self._trail(diff, edits, row)
            is_all = is_all or end is not None
            found = _after(edits, since) if since else edits
            if is_all or (found is not None and len(found) > limit):
                break
            size *= 4
            steps, held = self._steps(diff, key, size, row)
        if found is None:
            raise UnknownRef(since)
        more = len(found) > limit
        return RowHistory(row, tuple(found[:limit]), more, None if more else end)

    def _row_at(self, diff: Diff, key: Key) -> Row | None:
        where, params = self._key_in([self._name(c) for c in diff.primary], [key])
        read = self._read_at(diff.after, diff.table, where, params)
        found = self._as_rows(diff.table, diff.after, read)
        return found[0] if found and _is(found[0], diff.primary, key) else None

    def _steps(
        self, diff: Diff, key: Key, size: int, row: Row | None
    ) -> tuple[list[Step], Held]:
        """
        The newest steps of a row's way, at most ``size``, and what it was at the
        commits that they tell of; ``row`` is what the hash ``diff.after`` holds.

        From ``dolt_diff_<table>``, which stops at the commits: ``dolt_blame_``
        and ``dolt_history_`` read the whole table at each (270 ms at 100,000
        rows, one row asked for). It goes through all commits, whatever is asked
        of them, in an order of its own (Dolt: 0.04 ms for each): of a row that
        is there, the steps that removed it are asked for only where there can
        be one. In two questions, not one with OR, which takes Dolt 1.5 s at a
        million rows.
        """
        asked = self._side(diff, key, size, "to_", "")
        missing = self._left_out(diff, key, row, asked)
        steps = [*asked.steps, *missing.steps]
        if row is None or missing.may_hide or _may_have_been_gone(steps, size):
            gone = self._side(diff, key, size, "from_", " AND diff_type = 'removed'")
            asked = asked.joined(gone)
            missing = self._left_out(diff, key, row, asked)
            steps = [*asked.steps, *missing.steps]
        found = {(step.commit, step.parent): step for step in steps}
        newest = sorted(found.values(), key=lambda step: step.date, reverse=True)
        return newest[:size], missing.held

    def _side(self, diff: Diff, key: Key, size: int, side: str, more: str) -> Asked:
        where, params = self._key_in(
            [self._name(side, c) for c in spelled_key(diff)], [key]
        )
        table = self._way(diff, f"{where}{more}", params, size)
        steps, dates = _steps(table, diff, key)
        return Asked(tuple(steps), dates[-1] if len(dates) >= size else None)

    @abstractmethod
    def _way(self, diff: Diff, where: str, params: Sequence[Any], limit: int) -> Table:
        """
        What ``dolt_diff_<table>`` gives as of the hash ``diff.after``: a row for
        each commit and parent between which a row differs, the newest ``limit``,
        in order of date.
        """

    @abstractmethod
    def _trail(
        self, diff: Diff, edits: Sequence[RowEdit], row: Row | None
    ) -> tuple[list[RowEdit], TrailEnd | None]:
        """Those of the edits that are told as they were: see ``trails``."""

    def _left_out(self, diff: Diff, key: Key, row: Row | None, asked: Asked) -> LeftOut:
        """The steps that the engine gives none of, and that belong to these."""
        ancestry = self._ancestry(diff.after, ordered=True)
        dates = {hash: date for hash, _, date in ancestry.descent(diff.after)}
        since = asked.since.timestamp() if asked.since else None
        # All are compared with each of their children, so any child will do.
        compared = dict(ancestry.depth_first(diff.after))
        held = held_at(compared, dates, row, asked.steps, since=since)
        return LeftOut((), may_hide=False, held=held)

    def _log_of(self, start: str, hashes: Sequence[str]) -> list[Commit]:
        """Those of ``hashes`` that ``start`` can reach, children before parents."""
        marks = ", ".join(["%s"] * len(hashes))
        return self._log_where(start, f"commit_hash IN ({marks})", hashes)

    def _row_as_of(self, diff: Diff, at: str, key: Key) -> Row | None:
        """
        A row as a hash has it, in the columns of now. Raises ``LookupError`` where
        that can't be told, as the table had another key.
        """
        if diff.table not in self.tables(at):
            return None
        if self._key_kinds(diff.table, at) != self._key_kinds(diff.table, diff.after):
            raise LookupError(at)
        found = self._row_at(replace(diff, after=at), key)
        columns = self._columns(diff.table, diff.after)
        return found and {column: found.get(column) for column in columns}

    def _edits(
        self, diff: Diff, key: Key, steps: Sequence[Step], is_all: bool, held: Held
    ) -> list[RowEdit]:
        by_commit: dict[str, list[Step]] = defaultdict(list)
        for step in steps:
            by_commit[step.commit].append(step)
        commits = self._log_of(diff.after, list(by_commit)) if by_commit else []
        discarded = self._discarded(diff, key, commits, steps, is_all, held)
        # As the steps are, which are read so far back and no further: in the
        # log's order an older commit of a branch may stand before a newer one.
        commits.sort(key=lambda commit: commit.date, reverse=True)
        edits = (
            _edit(
                commit,
                [step.change for step in by_commit[commit.hash]],
                [
                    (step.change, columns)
                    for step in by_commit[commit.hash]
                    if (columns := discarded.get((step.commit, step.parent)))
                ],
            )
            for commit in commits
        )
        return [edit for edit in edits if edit is not None]

    @abstractmethod
    def _discarded(
        self,
        diff: Diff,
        key: Key,
        commits: Sequence[Commit],
        steps: Sequence[Step],
        is_all: bool,
        held: Held,
    ) -> Mapping[tuple[str, str], frozenset[str]]:
        """What merges did not take of a parent's side: see ``discards``."""


def _steps(table: Table, diff: Diff, key: Key) -> tuple[list[Step], Sequence[datetime]]:
    """The steps among the rows, and the dates of all rows."""
    names, rows = table
    place = len(names) - 1 - names[::-1].index("to_commit_date")
    dates = [utc(row[place]) for row in rows]
    steps = []
    for change, row, date in zip(changes_of(table, diff), rows, dates, strict=True):
        commit, parent = row[place - 1], row[-3]
        # Not those of another key that the engine takes for equal, as MySQL
        # takes "x" for 0.
        there = change.before if change.after is None else change.after
        if there is not None and _is(there, diff.primary, key):
            steps.append(Step(commit, parent, date, change))
    return steps, dates


def _may_have_been_gone(steps: Sequence[Step], size: int) -> bool:
    """
    Whether a row that is there now can have been removed, as far as its newest
    ``size`` steps tell: to be there again it was added afterwards, and to be
    there before it was added first.
    """
    added = sum(step.change.kind is ChangeKind.ADDED for step in steps)
    return added > (0 if len(steps) >= size else 1)


def _is(row: Row, primary: Key, key: Key) -> bool:
    return all(
        same(row.get(column), part) for column, part in zip(primary, key, strict=True)
    )


def _whole_commits(steps: Sequence[Step]) -> list[Step]:
    """
    Without those of the oldest date: of the commits that made them, more may
    be beyond the limit.
    """
    return [step for step in steps if step.date != steps[-1].date]


def _edit(
    commit: Commit,
    changes: Sequence[RowChange],
    discarded: Sequence[tuple[RowChange, frozenset[str]]],
) -> RowEdit | None:
    """
    What a commit did by itself, and what of a parent's side it did not take; None
    if all it has, it has from a parent, and nothing is missing.

    A parent of whom there is no change holds the row as the commit does.
    """
    edit = _own_edit(commit, changes)
    if not discarded or (edit and edit.change.kind is not ChangeKind.CHANGED):
        return edit
    cells = [
        (change.before, columns)
        for change, columns in discarded
        if change.kind is ChangeKind.CHANGED and change.before is not None
    ]
    if edit is None and not cells:
        return RowEdit(commit, discarded[0][0], frozenset(), discarded[0][1])
    columns = edit.columns if edit else frozenset()
    change = edit.change if edit else _first_with_the_row(changes)
    before = dict(change.before or {})
    others: set[str] = set()
    for side, theirs in cells:
        before |= {column: side[column] for column in theirs - columns}
        others |= theirs - columns
    return RowEdit(commit, replace(change, before=before), columns, frozenset(others))


def _own_edit(commit: Commit, changes: Sequence[RowChange]) -> RowEdit | None:
    if len(changes) < len(commit.parents):
        return None
    change = _first_with_the_row(changes)
    if change.kind is not ChangeKind.CHANGED:
        return RowEdit(commit, change, frozenset(change.after or change.before or ()))
    assert change.after is not None
    sides = [one.before for one in changes if one.before is not None]
    columns = frozenset(
        column
        for column, value in change.after.items()
        if not any(same(side.get(column), value) for side in sides)
    )
    return RowEdit(commit, change, columns) if columns else None


def _first_with_the_row(changes: Sequence[RowChange]) -> RowChange:
    return next((one for one in changes if one.before is not None), changes[0])


def _after(edits: Sequence[RowEdit], since: str) -> list[RowEdit] | None:
    """The edits after a commit's; None if it has none of them."""
    for number, edit in enumerate(edits):
        if edit.commit.hash == since:
            return list(edits[number + 1 :])
    return None

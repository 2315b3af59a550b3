"""What commits did to one row, in the SQL that both engines take."""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

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
)
from versioning.backends.sql.statements import Table, utc
from versioning.backends.sql.tables import Diff, Tables, changes_of

READ = 200  # steps of a row's way read at once

# What a driver says of a key of a type that its columns do not hold.
_NOT_A_KEY = (
    OverflowError, UnicodeError, TypeError, DataError, InterfaceError, ProgrammingError
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Step:
    """How a row differs between a commit and one of its parents."""

    commit: str  # hash
    parent: str  # hash
    date: datetime
    change: RowChange


class RowHistories(Tables):
    def row_history(
        self, table: str, key: Key, *, at: str, since: str = "", limit: int
    ) -> RowHistory:
        primary = self.primary_key(table, at)
        if not primary:
            raise UnknownTable(table)
        diff = Diff(table, "", at, primary)
        none = RowHistory(None, (), more=False)
        if len(key) != len(primary):
            return none
        try:
            row = self._row_at(diff, key)
            steps = self._steps(diff, key, READ, row is None)
        except EngineError:
            raise
        except _NOT_A_KEY:
            return none
        size = READ
        while True:
            is_all = len(steps) < size
            edits = self._edits(at, steps if is_all else _whole_commits(steps))
            found = _after(edits, since) if since else edits
            if is_all or (found is not None and len(found) > limit):
                break
            size *= 4
            steps = self._steps(diff, key, size, row is None)
        if found is None:
            raise UnknownRef(since)
        return RowHistory(row, tuple(found[:limit]), more=len(found) > limit)

    def _row_at(self, diff: Diff, key: Key) -> Row | None:
        where, params = self._key_in([self._name(c) for c in diff.primary], [key])
        names, rows = self._read_at(diff.after, diff.table, where, params)
        found = [dict(zip(names, row, strict=True)) for row in rows]
        return found[0] if found and _is(found[0], diff.primary, key) else None

    def _steps(self, diff: Diff, key: Key, size: int, is_gone: bool) -> list[Step]:
        """
        The newest steps of a row's way, at most ``size``; ``is_gone`` where the
        hash ``diff.after`` has no such row.

        From ``dolt_diff_<table>``, which stops at the commits: ``dolt_blame_``
        and ``dolt_history_`` read the whole table at each (270 ms at 100,000
        rows, one row asked for). It goes through all commits, whatever is asked
        of them, in an order of its own (Dolt: 0.04 ms for each): of a row that
        is there, the steps that removed it are asked for only where there can
        be one. In two questions, not one with OR, which takes Dolt 1.5 s at a
        million rows.
        """
        steps = self._side(diff, key, size, "to_", "")
        if is_gone or _may_have_been_gone(steps, size):
            steps += self._side(diff, key, size, "from_", " AND diff_type = 'removed'")
        found = {(step.commit, step.parent): step for step in steps}
        return sorted(found.values(), key=lambda step: step.date, reverse=True)[:size]

    def _side(
        self, diff: Diff, key: Key, size: int, side: str, more: str
    ) -> list[Step]:
        where, params = self._key_in([self._name(side, c) for c in diff.primary], [key])
        return list(_steps(self._way(diff, f"{where}{more}", params, size), diff, key))

    @abstractmethod
    def _way(self, diff: Diff, where: str, params: Sequence[Any], limit: int) -> Table:
        """
        What ``dolt_diff_<table>`` gives as of the hash ``diff.after``: a row for
        each commit and parent between which a row differs, at least the newest
        ``limit``; some of them twice.
        """

    @abstractmethod
    def _log_of(self, start: str, hashes: Sequence[str]) -> list[Commit]:
        """Those of ``hashes`` that ``start`` can reach, children before parents."""

    def _edits(self, at: str, steps: Sequence[Step]) -> list[RowEdit]:
        by_commit: dict[str, list[RowChange]] = {}
        for step in steps:
            by_commit.setdefault(step.commit, []).append(step.change)
        commits = self._log_of(at, list(by_commit)) if by_commit else []
        edits = (_edit(commit, by_commit[commit.hash]) for commit in commits)
        return [edit for edit in edits if edit is not None]


def _steps(table: Table, diff: Diff, key: Key) -> Iterator[Step]:
    names, rows = table
    place = len(names) - 1 - names[::-1].index("to_commit_date")
    for change, row in zip(changes_of(table, diff), rows, strict=True):
        commit, date, parent = row[place - 1], row[place], row[-3]
        # Not those of another key that the engine takes for equal, as MySQL
        # takes "x" for 0.
        there = change.before if change.after is None else change.after
        if there is not None and _is(there, diff.primary, key):
            yield Step(commit, parent, utc(date), change)


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


def _edit(commit: Commit, changes: Sequence[RowChange]) -> RowEdit | None:
    """
    What a commit did by itself; None if all it has, it has from a parent.

    A parent of whom there is no change holds the row as the commit does.
    """
    if len(changes) < len(commit.parents):
        return None
    change = next((one for one in changes if one.before is not None), changes[0])
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


def _after(edits: Sequence[RowEdit], since: str) -> list[RowEdit] | None:
    """The edits after a commit's; None if it has none of them."""
    for number, edit in enumerate(edits):
        if edit.commit.hash == since:
            return list(edits[number + 1 :])
    return None

"""
Where what an engine knows of a row's way ends: before its table was renamed, got
another key, or may have had a column by another name, or one of another type.

Both engines go on under the same name, with the columns and the key of now: a
renamed table begins with its rows added, a renamed column held nothing before,
and commits that changed nothing but what has another name now are left out.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from versioning.backends.equality import same
from versioning.backends.repository import (
    ChangeKind,
    Key,
    Row,
    RowEdit,
    TrailEnd,
    TrailEnds,
)
from versioning.backends.sql.discards import Discards
from versioning.backends.sql.tables import Diff

_Item = TypeVar("_Item")


class Trails(Discards):
    def _trail(
        self, diff: Diff, edits: Sequence[RowEdit], row: Row | None
    ) -> tuple[list[RowEdit], TrailEnd | None]:
        kept = list(edits)
        if not kept:
            return [], self._redefined(diff, row) if row is not None else None
        if not self._was_redefined(diff, kept[-1]):
            return kept, None
        strange = _first(kept, lambda edit: not self._is_as_now(diff, edit.commit.hash))
        if strange is not None:
            older = kept[strange]
            del kept[strange:]
        for number, edit in enumerate(kept):
            if edit.change.kind is ChangeKind.ADDED and edit.commit.parents:
                end = self._where_it_came(diff, edit)
                if end is not None:
                    return self._ended(diff, kept[: number + 1], end)
        if strange is None:
            return kept, None
        return self._ended(diff, kept, self._change_before(diff, older))

    def _was_redefined(self, diff: Diff, oldest: RowEdit) -> bool:
        """Whether the table was another one before the oldest edit, in one question."""
        before = next(iter(oldest.commit.parents), oldest.commit.hash)
        return any(
            diff.table in (old, new)
            for old, new, *_ in self._definitions(before, diff.after)
        )

    def _redefined(self, diff: Diff, row: Row) -> TrailEnd | None:
        """
        What the table was before it became what it is, where no edit is told of a
        row that is there: Dolt gives none if it was made anew by another key.
        """
        chain = list(self._first_parents(diff.after))
        place = _first(
            chain,
            lambda at: (
                diff.table not in self.tables(at) or not self._is_as_now(diff, at)
            ),
        )
        if not place or diff.table not in self.tables(chain[place]):
            return None
        key = tuple(row[column] for column in diff.primary)
        return self._end(diff, chain[place - 1], chain[place], key, row)

    def _is_as_now(self, diff: Diff, at: str) -> bool:
        """
        Whether a state's table has the key of now and no column that may be called
        otherwise since, or holds what it could not hold now; also where it has no
        such table.
        """
        return diff.table not in self.tables(at) or (
            self._has_key_of_now(diff, at)
            and not self._may_be_renamed(diff, at)
            and self._reads_as_written(diff, at)
        )

    def _may_be_renamed(self, diff: Diff, at: str) -> bool:
        then = set(self._columns(diff.table, at))
        now = set(self._columns(diff.table, diff.after))
        return bool(then - now and now - then)

    def _has_key_of_now(self, diff: Diff, at: str) -> bool:
        return self._key_kinds(diff.table, at) == self._key_kinds(
            diff.table, diff.after
        )

    def _reads_as_written(self, diff: Diff, at: str) -> bool:
        """
        Whether the engine, which tells of all states by the columns of now, gives
        what a state's columns hold. (DoltLite: as it is stored.)
        """
        return True

    def _where_it_came(self, diff: Diff, edit: RowEdit) -> TrailEnd | None:
        """What the table was before the commit that added a row, if not the same."""
        made, before = edit.commit.hash, edit.commit.parents[0]
        if diff.table in self.tables(before):
            if self._has_key_of_now(diff, before):
                return None
            return self._end(diff, made, before, edit.change.key, edit.change.after)
        for change in self._summary(before, made):
            if change.table == diff.table and change.kind is ChangeKind.RENAMED:
                return TrailEnd(
                    TrailEnds.RENAMED, made, before, change.old_table, edit.change.key
                )
        return None

    def _change_before(self, diff: Diff, older: RowEdit) -> TrailEnd:
        """
        The commit by which the table became what it is now, after an edit from a
        time when it was not.
        """
        chain = list(self._first_parents(diff.after, older.commit.hash))
        if chain[-1] != older.commit.hash:
            # Of a branch that was merged: which commit it was is not looked for.
            ends = "", older.commit.hash
            return self._end(diff, *ends, older.change.key, older.change.after)
        place = _first(chain, lambda at: not self._is_as_now(diff, at))
        assert place
        ends = chain[place - 1], chain[place]
        return self._end(diff, *ends, older.change.key, older.change.after)

    def _first_parents(self, start: str, until: str = "") -> Iterator[str]:
        """From a commit to one that it descends from, or as far as that goes."""
        wanted = start
        descent = self._ancestry(start, ordered=True).descent(start)
        for hash, parents, _ in descent:
            if hash == wanted:
                yield hash
                if hash == until or not parents:
                    return
                wanted = parents[0]

    def _end(
        self, diff: Diff, commit: str, before: str, key: Key, row: Row | None
    ) -> TrailEnd:
        primary = self._primary_key(diff.table, before)
        if not self._has_key_of_now(diff, before) and primary == diff.primary:
            # In the column as it was, the same key may be another value.
            found = self.rows(diff.table, [key], at=before)
            then = next(iter(found), None)
            return TrailEnd(TrailEnds.TYPES, commit, before, diff.table, then)
        if primary == diff.primary:
            renamed = self._may_be_renamed(diff, before)
            what = TrailEnds.COLUMNS if renamed else TrailEnds.TYPES
            return TrailEnd(what, commit, before, diff.table, key)
        # Which row it was, if what told it apart is in it still.
        known = row is not None and primary and all(c in row for c in primary)
        then = tuple(row[c] for c in primary) if row is not None and known else None
        return TrailEnd(TrailEnds.KEY, commit, before, diff.table, then, primary)

    def _ended(
        self, diff: Diff, edits: list[RowEdit], end: TrailEnd
    ) -> tuple[list[RowEdit], TrailEnd]:
        """
        The edits, of which the last may be the commit’s own that the trail ends
        at: a row that was there before is not added by it.
        """
        if not edits or edits[-1].commit.hash != end.commit:
            return edits, end
        *newer, last = edits
        if end.key is None or last.commit.is_merge:
            return edits, end
        row = self.rows(end.table, [end.key], at=end.before).get(end.key)
        after = last.change.after
        if after is None and end.what is TrailEnds.TYPES:
            # Where the key is of another type, DoltLite lists each row as removed.
            key = last.change.key
            after = self.rows(diff.table, [key], at=end.commit).get(key)
        if row is None or after is None:
            return edits, end
        gone = row.keys() - after.keys()
        columns = gone | {c for c in after if not same(row.get(c), after[c])}
        if not columns:
            return newer, end
        change = replace(last.change, kind=ChangeKind.CHANGED, before=row, after=after)
        return [*newer, replace(last, change=change, columns=frozenset(columns))], end


def _first(items: Sequence[_Item], holds: Callable[[_Item], bool]) -> int | None:
    """
    Where the first item is of which something holds, that holds of all after it;
    None if it holds of none. Asks of few.
    """
    if not items or not holds(items[-1]):
        return None
    return bisect_left(items, True, key=holds)

"""
Changes that both sides of a merge took over from one commit, or undid.

A count that one commit changed, taken over to both sides, looks like two
changes, and so does a commit that was undone on both. Whether it is one vote or
two nobody but a person can know, so such a cell asks, and is neither added up
nor taken for one.
"""

from collections import defaultdict
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property, partial
from types import MappingProxyType
from typing import Any, NamedTuple

from versioning import policies, trailers
from versioning.backends.errors import UnknownRef
from versioning.backends.repository import (
    Commit,
    ConflictCount,
    ConflictRow,
    Key,
    MergeSides,
    Repository,
)
from versioning.history import Message
from versioning.merging import effects
from versioning.merging.paging import in_parts
from versioning.names import is_hash
from versioning.values import same

ONE_BY_ONE = 50  # commits looked at

#: Columns in doubt by table and key.
Doubts = Mapping[str, Mapping[Key, frozenset[str]]]


def doubts(repository: Repository, sides: MergeSides) -> Doubts:
    """Counters that commits changed which each side has, took over, or undid."""
    counting = policies.counting_tables()
    if not counting:
        return {}
    ours, theirs = (
        _origins(repository, sides.base, side) for side in (sides.ours, sides.theirs)
    )
    if not ours and not theirs:
        return {}
    heads = repository.beyond([sides.base], [sides.ours, sides.theirs])
    held = {head: set(hashes) for head, hashes in heads.items()}
    shared: set[str] = set()
    for origin in ours.keys() | theirs.keys():
        itself = set() if origin.is_undone else {origin.commit}
        one, other = (
            of_side.get(origin, set()) | (itself & held[side])
            for side, of_side in ((sides.ours, ours), (sides.theirs, theirs))
        )
        if not one or not other or one == other:
            continue  # one commit that both hold counts once anyway
        shared.add(origin.commit)
    found: dict[str, dict[Key, set[str]]] = defaultdict(lambda: defaultdict(set))
    for before, after in _changes(repository, sides, shared):
        for table, columns in counting.items():
            for key, changed in _changed(repository, before, after, table, columns):
                found[table][key] |= changed
    return {
        table: {key: frozenset(columns) for key, columns in rows.items()}
        for table, rows in found.items()
    }


def _changes(
    repository: Repository, sides: MergeSides, commits: Collection[str]
) -> Iterator[tuple[str, str]]:
    """
    The states between which these commits changed something. Of a great many, as a
    merge that was taken over may have brought, all that a side changed.
    """
    if len(commits) > ONE_BY_ONE:
        yield sides.base, sides.theirs
        return
    for hash in commits:
        with suppress(UnknownRef):  # its branch is gone: the engine cleared it away
            for before in repository.commit(hash).parents[:1]:
                yield before, hash


class _Origin(NamedTuple):
    """What a commit was made from."""

    commit: str  # hash
    is_undone: bool = False  # rather than taken over


def _origins(repository: Repository, base: str, side: str) -> dict[_Origin, set[str]]:
    """Which commits that a side has since the base were made from which."""
    found: dict[_Origin, set[str]] = defaultdict(set)
    for commit in repository.commits_saying(effects.LINES, base, side):
        for origin in _made_from(repository, commit):
            for one in {origin.commit} | _brought(repository, origin.commit):
                found[origin._replace(commit=one)].add(commit.hash)
    return found


def _brought(repository: Repository, commit: str) -> frozenset[str]:
    """Of a merge, the commits that it brought: any of them may be met by itself."""
    try:
        return effects.brought(repository, repository.commit(commit))
    except UnknownRef:  # its branch is gone, and the engine cleared it away
        return frozenset({commit})


def _made_from(repository: Repository, commit: Commit) -> Iterator[_Origin]:
    """What a commit was taken from, what that was, and so on, and what they undo."""
    seen = {commit.hash}
    while True:
        told = dict(Message.parse(commit.message).trailers)
        if is_hash(undone := told.get(trailers.REVERTS, "")):
            yield _Origin(undone, is_undone=True)
        origin = told.get(trailers.PICKED_FROM, "")
        if not is_hash(origin) or origin in seen:
            return
        yield _Origin(origin)
        seen.add(origin)
        try:
            commit = repository.commit(origin)
        except UnknownRef:  # its branch is gone, and the engine cleared it away
            return


def _changed(
    repository: Repository, before: str, after: str, table: str, columns: frozenset[str]
) -> list[tuple[Key, set[str]]]:
    tables = {change.table for change in repository.diff_summary(before, after)}
    if table not in tables:
        return []
    return [
        (
            change.key,
            {
                column
                for column in columns
                if not same(
                    (change.before or {}).get(column), (change.after or {}).get(column)
                )
            },
        )
        for change in repository.diff_rows(table, before, after)
    ]


class Doubting:
    """
    A merge under way with rows in doubt among those in conflict, and those that
    one side deleted and the other changed ``unnoticed`` by the engine.

    Stands in for the repository: what it does not do otherwise itself, the
    repository does.
    """

    def __init__(
        self,
        repository: Repository,
        sides: MergeSides,
        doubts: Doubts,
        unnoticed: Mapping[str, Collection[Key]] = MappingProxyType({}),
    ):
        self._repository = repository
        self._sides = sides
        self._doubts = doubts
        self._unnoticed = unnoticed

    def __getattr__(self, name: str) -> Any:
        return getattr(self._repository, name)

    @cached_property
    def _rows(self) -> Mapping[str, list[ConflictRow]]:
        """Rows in doubt that both sides have, and unnoticed ones; they are few."""
        found = {}
        for table in self._doubts.keys() | self._unnoticed.keys():
            doubts = self._doubts.get(table, {})
            unnoticed = self._unnoticed.get(table, ())
            keys = sorted({*doubts, *unnoticed})
            base, ours, theirs = (
                self._repository.rows(table, keys, at=at)
                if table in self._repository.tables(at=at)
                else {}
                for at in (self._sides.base, self._sides.ours, self._sides.theirs)
            )
            rows = [
                ConflictRow(
                    table,
                    key,
                    base.get(key),
                    ours.get(key),
                    theirs.get(key),
                    doubtful=doubts.get(key, frozenset()),
                )
                for key in keys
                if key in unnoticed or (key in ours and key in theirs)
            ]
            found[table] = [
                row for row in rows if row.key in unnoticed or _is_in_doubt(row)
            ]
        return found

    def conflict_counts(self) -> list[ConflictCount]:
        counts = {
            count.table: count.rows for count in self._repository.conflict_counts()
        }
        for table in self._rows:
            more = len(self._besides(table, None))
            if more:
                counts[table] = counts.get(table, 0) + more
        return [ConflictCount(table, rows) for table, rows in sorted(counts.items())]

    def _besides(self, table: str, keys: Sequence[Key] | None) -> list[ConflictRow]:
        """Rows in doubt that the engine has not in conflict."""
        rows = [
            row for row in self._rows.get(table, ()) if keys is None or row.key in keys
        ]
        engines = {
            row.key
            for row in self._repository.conflicts(table, keys=[r.key for r in rows])
        }
        return [row for row in rows if row.key not in engines]

    def conflicts(
        self,
        table: str,
        *,
        since: Key | None = None,
        limit: int | None = None,
        keys: Sequence[Key] | None = None,
    ) -> list[ConflictRow]:
        doubts = self._doubts.get(table, {})
        found = [
            row._replace(doubtful=doubts.get(row.key, frozenset()))
            for row in self._repository.conflicts(
                table, since=since, limit=limit, keys=keys
            )
        ]
        found += [
            row
            for row in self._besides(table, keys)
            if since is None or row.key > since
        ]
        return sorted(found, key=lambda row: row.key)[:limit]

    def each_conflict(
        self, table: str, *, at_once: int
    ) -> Generator[list[ConflictRow], None, None]:
        return in_parts(partial(self.conflicts, table), at_once=at_once)

    def settle_conflicts(self, table: str, *, rows: int) -> None:
        besides = len(self._besides(table, None))
        self._repository.settle_conflicts(table, rows=rows - besides)


def _is_in_doubt(row: ConflictRow) -> bool:
    """
    Whether theirs changed a counter that is in doubt: ours did so, too, be it that
    it holds by chance what it held before.
    """
    assert row.theirs is not None
    before, theirs = row.base or {}, row.theirs
    return any(not same(before.get(c), theirs.get(c)) for c in row.doubtful)

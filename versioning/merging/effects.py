"""
Whether what a commit changed is in force on a branch: by itself, or as others took
it over, undid it, or took that back.

A commit that counted may be undone or taken over again once that was undone in turn,
and not before: it would count twice. Where a part of the same is in force, as of a
merge whose commits were taken over one by one, nobody can tell from here, and its
counts ask.
"""

from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from typing import Any, NamedTuple

from versioning import policies, trailers
from versioning.backends.errors import UnknownRef
from versioning.backends.repository import Commit, MergeSides, Repository, Row
from versioning.history import Message
from versioning.merging.memory import remember
from versioning.names import is_hash
from versioning.values import same

_SIGNS = {trailers.PICKED_FROM: 1, trailers.REVERTS: -1}
LINES = tuple(f"{trailer}: " for trailer in _SIGNS)


class Effect(NamedTuple):
    """What a commit does: the change that another (a hash) made, or its reversal."""

    of: str
    sign: int  # 1 or -1


@dataclass(frozen=True, slots=True)
class Standing:
    """
    How a branch stands to what is about to be done to it: ``done_by`` is the hash of
    the commit that did it already, or ""; ``in_doubt`` if some of it may be done.
    """

    done_by: str = ""
    in_doubt: bool = False


def standing(
    repository: Repository, commit: Commit, ours: str, *, is_undo: bool
) -> Standing:
    """Of a commit to be undone or else taken over, on a branch at the hash ``ours``."""
    return remember(
        ("standing", commit.hash, ours, is_undo),
        partial(_standing, repository, commit, ours, is_undo),
    )


def in_doubt(repository: Repository, sides: MergeSides) -> bool:
    """The same of what lies between two states of which one is the other's parent."""
    before, after = (repository.commit(at) for at in (sides.base, sides.theirs))
    is_undo = before.parents[:1] == (after.hash,)
    commit = before if is_undo else after
    return standing(repository, commit, sides.ours, is_undo=is_undo).in_doubt


def brought(repository: Repository, commit: Commit) -> frozenset[str]:
    """The hashes of the commits whose changes are a commit's: of a merge, many."""
    if not commit.is_merge:
        return frozenset({commit.hash})
    before = commit.parents[0]
    found = repository.beyond([before], [commit.hash])[commit.hash]
    return frozenset(found) - {commit.hash}


def _standing(
    repository: Repository, commit: Commit, ours: str, is_undo: bool
) -> Standing:
    if not remember(("counts", commit.hash), partial(_counts, repository, commit)):
        return Standing()  # what is there already is seen by what it holds
    told = _Told(repository, [commit])
    wanted = told.effect(commit.hash)
    origin = told.commits.get(wanted.of)
    since = commit.parents[0] if origin is None else _since(repository, origin)
    said = repository.commits_saying(LINES, since, ours)
    told = _Told(repository, [commit, *said])
    effects = {one.hash: told.effect(one.hash) for one in said}
    sign = -wanted.sign if is_undo else wanted.sign
    if origin is None:  # cleared away: as it was before this commit
        if not is_undo and wanted.sign < 0:
            return Standing(in_doubt=True)
        is_held = wanted.sign < 0
    else:
        is_held = _holds(repository, ours, origin.hash)
    did = [effects[one.hash].sign for one in said if effects[one.hash].of == wanted.of]
    counts = list(accumulate(reversed(did), initial=int(is_held)))
    count = counts[-1]
    if not 0 <= count + sign <= 1:
        by = (hash for hash in effects if effects[hash] == (wanted.of, sign))
        itself = wanted.of if origin is not None and is_held and sign > 0 else ""
        if done_by := next(by, itself):
            return Standing(done_by)
        return Standing(in_doubt=True)
    if any(not 0 <= before <= 1 for before in counts):
        # By ways side by side, of which somebody decided whether they were one.
        return Standing(in_doubt=True)
    if origin is None:
        return Standing()
    changes = brought(repository, origin)
    others = {effect.of for effect in effects.values()} - {wanted.of}
    if any(changes & told.brought(other) for other in others):
        return Standing(in_doubt=True)
    if origin.is_merge and not is_held:
        lacking = set(repository.beyond([ours], [origin.hash])[origin.hash])
        if not changes <= lacking:
            return Standing(in_doubt=True)
    return Standing()


def _counts(repository: Repository, commit: Commit) -> bool:
    """Whether a commit changed a counter: a row that comes with nought counts none."""
    before = commit.parents[0]
    counting = policies.counting_tables()
    return any(
        not same(_count(row.before, column), _count(row.after, column))
        for change in repository.diff_summary(before, commit.hash)
        if change.table in counting
        for row in repository.diff_rows(change.table, before, commit.hash)
        for column in counting[change.table]
    )


def _count(row: Row | None, column: str) -> Any:
    return (row or {}).get(column) or 0


def _since(repository: Repository, commit: Commit) -> str:
    """A hash before which nothing can be said of a commit, nor of what it brought."""
    if not commit.is_merge:
        return commit.hash
    one, other = commit.parents[:2]
    return repository.merge_base(one, other) or one


def _holds(repository: Repository, head: str, commit: str) -> bool:
    return repository.merge_base(head, commit) == commit


class _Told:
    """What commits say of others, and these of others again."""

    def __init__(self, repository: Repository, commits: Iterable[Commit]):
        self._repository = repository
        self.commits = {one.hash: one for one in commits}
        self._gone: set[str] = set()  # whose branch is, and which were cleared away
        while missing := {
            said.of for one in self.commits.values() if (said := said_by(one))
        } - (self.commits.keys() | self._gone):
            found = {one.hash: one for one in _those_left(repository, missing)}
            self.commits |= found
            self._gone |= missing - found.keys()

    def effect(self, hash: str) -> Effect:
        found, seen = Effect(hash, 1), {hash}
        while (commit := self.commits.get(found.of)) and (said := said_by(commit)):
            if said.of in seen:  # somebody wrote it by hand
                break
            seen.add(said.of)
            found = Effect(said.of, found.sign * said.sign)
        return found

    def brought(self, hash: str) -> frozenset[str]:
        commit = self.commits.get(hash)
        return (
            frozenset({hash}) if commit is None else brought(self._repository, commit)
        )


def _those_left(repository: Repository, hashes: Collection[str]) -> Iterator[Commit]:
    """The commits with these hashes, without those that were cleared away."""
    try:
        yield from repository.commits(sorted(hashes))
    except UnknownRef:
        for hash in hashes:
            with suppress(UnknownRef):
                yield repository.commit(hash)


def said_by(commit: Commit) -> Effect | None:
    """What a commit says that it took over or undid."""
    told = dict(Message.parse(commit.message).trailers)
    for trailer, sign in _SIGNS.items():
        if is_hash(of := told.get(trailer, "")):
            return Effect(of, sign)
    return None

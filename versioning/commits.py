"""What there is to know of one commit."""

from collections.abc import Collection
from dataclasses import dataclass

from django.core.cache import cache

from versioning import trailers
from versioning.backends.repository import Commit, Repository
from versioning.history import Message
from versioning.names import is_hash
from versioning.refs import Refs

CHILDREN_SHOWN = 20
CONTAINING_SHOWN = 30  # branches, and as many tags


_OF_COMMITS = frozenset({trailers.REVERTS, trailers.PICKED_FROM})
_IN_WORDS = {
    trailers.REVERTS: "Undoes",
    trailers.PICKED_FROM: "Taken over from",
    trailers.MADE_BY: "Made by",
    trailers.COMMITTED_BY: "Committed by",
}


@dataclass(frozen=True, slots=True)
class Told:
    """A line that a commit's message ends with."""

    name: str
    value: str
    is_commit: bool  # whether the value is a commit's hash


@dataclass(frozen=True, slots=True)
class CommitDetails:
    commit: Commit
    message: Message
    parents: tuple[Commit, ...]
    children: tuple[Commit, ...]  # at most ``CHILDREN_SHOWN``
    children_left: int
    heads: tuple[str, ...]  # branches whose head this is
    tags: tuple[str, ...]  # that stand here
    containing: tuple[str, ...]  # branches that hold it: the default, then newest
    containing_tags: tuple[str, ...]  # that hold it and stand further on

    @property
    def told(self) -> list["Told"]:
        """What its trailers say to people, in words where they are ours."""
        return [
            Told(
                _IN_WORDS.get(name, name), value, name in _OF_COMMITS and is_hash(value)
            )
            for name, value in self.message.trailers
            if name not in trailers.OF_MACHINES
        ]

    @property
    def branches_shown(self) -> tuple[str, ...]:
        return self.containing[:CONTAINING_SHOWN]

    @property
    def branches_left(self) -> int:
        return len(self.containing) - len(self.branches_shown)

    @property
    def tags_shown(self) -> tuple[str, ...]:
        return self.containing_tags[:CONTAINING_SHOWN]

    @property
    def tags_left(self) -> int:
        return len(self.containing_tags) - len(self.tags_shown)


def commit_details(repository: Repository, hash: str, refs: Refs) -> CommitDetails:
    """Raises ``UnknownRef``."""
    commit = repository.commit(hash)
    heads = {*(branch.head for branch in refs.branches), *(t.hash for t in refs.tags)}
    holds = _holders(repository, hash, heads)
    children = repository.children(hash, heads)
    shown = children[:CHILDREN_SHOWN]
    family = {
        relative.hash: relative
        for relative in repository.commits([*commit.parents, *shown])
    }
    default = repository.default_branch()
    branches = sorted(refs.branches, key=lambda branch: branch.date, reverse=True)
    branches.sort(key=lambda branch: branch.name != default)
    return CommitDetails(
        commit=commit,
        message=Message.parse(commit.message),
        parents=tuple(family[parent] for parent in commit.parents),
        children=tuple(family[child] for child in shown),
        children_left=len(children) - len(shown),
        heads=refs.branches_at(hash),
        tags=refs.tags_at(hash),
        containing=tuple(b.name for b in branches if b.head in holds),
        containing_tags=tuple(
            t.name for t in refs.tags if t.hash in holds and t.hash != hash
        ),
    )


def _holders(repository: Repository, hash: str, heads: Collection[str]) -> set[str]:
    """Those of ``heads`` that descend from ``hash``; kept, as it can't change."""
    keys = {head: f"versioning:contains:{head}:{hash}" for head in heads}
    known = cache.get_many(keys.values())
    holds = {head: known[key] for head, key in keys.items() if key in known}
    if unknown := keys.keys() - holds.keys():
        holders = repository.holders(hash, unknown)
        found = {head: head in holders for head in unknown}
        cache.set_many({keys[head]: held for head, held in found.items()}, timeout=None)
        holds |= found
    return {head for head, held in holds.items() if held}

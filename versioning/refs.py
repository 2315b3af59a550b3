"""The names that lead to commits: branches and tags, without hidden ones."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Self

from versioning import names
from versioning.backends.repository import Branch, Repository, Tag


@dataclass(frozen=True)
class Refs:
    """All branches and tags, read once for a page that names them often."""

    branches: tuple[Branch, ...]  # by name
    tags: tuple[Tag, ...]  # by name
    _branches_at: dict[str, list[str]] = field(default_factory=dict, repr=False)
    _tags_at: dict[str, list[str]] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, repository: Repository, among: Sequence[Branch] | None = None) -> Self:
        """``among`` are all branches that there are, if they are at hand."""
        branches = repository.branches() if among is None else among
        return cls.made(branches, repository.tags())

    @classmethod
    def made(cls, branches: Iterable[Branch], tags: Iterable[Tag] = ()) -> Self:
        """The same, of what was read already."""
        branches = tuple(b for b in branches if not names.is_hidden(b.name))
        tags = tuple(tags)
        heads, tagged = defaultdict(list), defaultdict(list)
        for branch in branches:
            heads[branch.head].append(branch.name)
        for tag in tags:
            tagged[tag.hash].append(tag.name)
        return cls(branches, tags, dict(heads), dict(tagged))

    def branches_at(self, hash: str) -> tuple[str, ...]:
        """Names of the branches whose head this is."""
        return tuple(self._branches_at.get(hash, ()))

    def tags_at(self, hash: str) -> tuple[str, ...]:
        """Names of the tags that stand at this commit."""
        return tuple(self._tags_at.get(hash, ()))

    def has_branch(self, name: str) -> bool:
        return any(branch.name == name for branch in self.branches)

    def find(self, name: str) -> str | None:
        """The hash that a branch or, failing that, a tag of this name has."""
        for branch in self.branches:
            if branch.name == name:
                return branch.head
        return next((tag.hash for tag in self.tags if tag.name == name), None)

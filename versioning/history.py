"""The log, page by page, and what there is to know of one commit."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from django.core.cache import cache

from versioning import graph, names
from versioning.backends.errors import UnknownRef
from versioning.backends.repository import Branch, Commit, Repository
from versioning.cursors import BadCursor

PAGE = 50  # commits
LANES = 64  # of one page: a longer cursor is none of ours
BRANCHES_LOOKED_AT = 50  # to tell which of them contain a commit

_TRAILER = re.compile(r"[A-Za-z][A-Za-z0-9-]*: \S.*")


# Messages ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Message:
    """A commit's message, cut the way it is read."""

    subject: str
    body: str
    trailers: tuple[tuple[str, str], ...]  # "Vote-Token: …" as (name, value)

    @classmethod
    def parse(cls, text: str) -> Self:
        subject, _, rest = text.strip().partition("\n")
        body = rest.strip()
        trailers: tuple[tuple[str, str], ...] = ()
        opening, _, last = body.rpartition("\n\n")
        lines = last.splitlines()
        if lines and all(_TRAILER.fullmatch(line) for line in lines):
            body = opening.strip()
            trailers = tuple(_name_and_value(line) for line in lines)
        return cls(subject or "(no message)", body, trailers)


def _name_and_value(line: str) -> tuple[str, str]:
    name, _, value = line.partition(": ")
    return name, value.strip()


# The log ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Cursor:
    """
    Where a page of the log begins: the open lanes above it, from the left.

    As text, hashes and gaps with commas between, as in ``ab12…,,cd34…``. It
    names commits, so a page stays what it is whoever commits meanwhile.
    """

    lanes: graph.Lanes

    def __str__(self) -> str:
        return ",".join(hash or "" for hash in self.lanes)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ``BadCursor``."""
        lanes = tuple(part or None for part in text.split(","))
        hashes = [hash for hash in lanes if hash]
        if (
            not hashes
            or len(lanes) > LANES
            or len(set(hashes)) < len(hashes)
            or not all(names.is_hash(hash) for hash in hashes)
        ):
            raise BadCursor
        return cls(lanes)


@dataclass(frozen=True, slots=True)
class LogEntry:
    commit: Commit
    message: Message
    row: graph.GraphRow
    branches: tuple[str, ...]  # names of those whose head this is


@dataclass(frozen=True, slots=True)
class LogPage:
    entries: tuple[LogEntry, ...]
    lanes: int  # that the drawing takes
    next: Cursor | None  # None at the end of history


def log_page(
    repository: Repository,
    start: str,
    *,
    cursor: Cursor | None = None,
    limit: int = PAGE,
) -> LogPage:
    """
    Commits from ``start`` (a hash) on, or from where ``cursor`` says.

    Raises ``UnknownRef`` for the start and ``BadCursor`` for a cursor that
    names commits that do not exist.
    """
    lanes = cursor.lanes if cursor else (start,)
    try:
        commits = repository.log([hash for hash in lanes if hash], limit=limit)
    except UnknownRef as error:
        if cursor:
            raise BadCursor from error
        raise
    drawn = graph.draw(commits, lanes, fresh=cursor is None)
    heads = branches_by_head(repository)
    entries = tuple(
        LogEntry(commit, Message.parse(commit.message), row, heads.get(commit.hash, ()))
        for commit, row in zip(commits, drawn.rows, strict=True)
    )
    ahead = Cursor(drawn.lanes) if drawn.frontier else None
    return LogPage(entries, max(drawn.width, len(lanes)), ahead)


def branches_by_head(repository: Repository) -> dict[str, tuple[str, ...]]:
    """Names of the branches at each head's hash; no hidden ones."""
    found: dict[str, tuple[str, ...]] = {}
    for branch in repository.branches():
        if not names.is_hidden(branch.name):
            found[branch.head] = (*found.get(branch.head, ()), branch.name)
    return found


# One commit -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CommitDetails:
    commit: Commit
    message: Message
    parents: tuple[Commit, ...]
    children: tuple[Commit, ...]
    heads: tuple[str, ...]  # branches whose head this is
    containing: tuple[str, ...]  # branches that hold it, newest change first
    not_looked_at: int  # branches beyond the bound


def commit_details(repository: Repository, hash: str) -> CommitDetails:
    """Raises ``UnknownRef``."""
    commit = repository.commit(hash)
    default = repository.default_branch()
    branches = [b for b in repository.branches() if not names.is_hidden(b.name)]
    branches.sort(key=lambda branch: branch.date, reverse=True)
    branches.sort(key=lambda branch: branch.name != default)
    looked_at = branches[:BRANCHES_LOOKED_AT]
    return CommitDetails(
        commit=commit,
        message=Message.parse(commit.message),
        parents=tuple(repository.commit(parent) for parent in commit.parents),
        children=tuple(
            repository.commit(child) for child in repository.children(commit.hash)
        ),
        heads=tuple(branch.name for branch in branches if branch.head == commit.hash),
        containing=_containing(repository, commit.hash, looked_at),
        not_looked_at=len(branches) - len(looked_at),
    )


def _containing(
    repository: Repository, hash: str, branches: Sequence[Branch]
) -> tuple[str, ...]:
    """Names of the branches that ``hash`` is part of; kept, as it can't change."""
    keys = {b.head: f"versioning:contains:{b.head}:{hash}" for b in branches}
    known = cache.get_many(keys.values())
    holds = {head: known[key] for head, key in keys.items() if key in known}
    found = {
        head: repository.merge_base(head, hash) == hash
        for head in keys.keys() - holds.keys()
    }
    cache.set_many({keys[head]: held for head, held in found.items()}, timeout=None)
    holds |= found
    return tuple(branch.name for branch in branches if holds[branch.head])

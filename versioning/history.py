"""The log, page by page."""

import re
from dataclasses import dataclass, replace
from typing import Self

from versioning import graph, names
from versioning.backends.errors import BadCursor, UnknownRef
from versioning.backends.repository import Commit, Repository
from versioning.log_filter import EVERY, LogFilter
from versioning.refs import Refs

PAGE = 50  # commits
LANES = 64  # of one page: a longer cursor is none of ours
SCANNED = 400  # commits that one page looks through where a filter is on

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
        subject, _, body = text.strip().partition("\n")
        trailers: tuple[tuple[str, str], ...] = ()
        opening, _, last = body.rpartition("\n\n")
        # As they are written: what else may end a line, a trailer can quote, and
        # a blank before a name is there so that it is read as text.
        lines = last.removeprefix("\n").split("\n")
        if all(_TRAILER.fullmatch(line) for line in lines):
            body = opening
            trailers = tuple(_name_and_value(line) for line in lines)
        return cls(subject or "(no message)", body.strip(), trailers)


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
            or not all(names.is_hash(hash) for hash in hashes)
        ):
            raise BadCursor
        return cls(lanes)


@dataclass(frozen=True, slots=True)
class LogEntry:
    commit: Commit
    message: Message
    row: graph.GraphRow
    branches: tuple[str, ...] = ()  # names of those whose head this is
    tags: tuple[str, ...] = ()  # names of those that stand here

    @property
    def last(self) -> Self:
        """Itself: a line of the log is of one commit or of several."""
        return self


@dataclass(frozen=True, slots=True)
class Scan:
    """What a page looked through for commits that a filter takes."""

    commits: int  # looked at
    is_cut: bool  # there are more, and fewer were found than a page holds


@dataclass(frozen=True, slots=True)
class LogPage:
    entries: tuple[LogEntry, ...]
    lanes: int  # that the drawing takes; 0 where none is drawn
    next: Cursor | None  # None at the end of history
    scan: Scan | None = None  # where a filter is on

    def until(self, last: LogEntry) -> Self:
        """The page if it ended with one of its entries."""
        at = self.entries.index(last)
        rows = [entry.row for entry in self.entries[: at + 1]]
        below = last.row.below
        return replace(
            self,
            entries=self.entries[: at + 1],
            lanes=max(len(below), *(row.width for row in rows)),
            next=Cursor(below) if any(below) else None,
        )


def log_page(
    repository: Repository,
    start: str,
    *,
    cursor: Cursor | None = None,
    wanted: LogFilter = EVERY,
    limit: int = PAGE,
    refs: Refs | None = None,
) -> LogPage:
    """
    Commits from ``start`` (a hash) on, or from where ``cursor`` says; with a
    filter those that it takes among the next ``SCANNED``.

    ``refs`` are the branches and tags to name, if they are at hand. Raises
    ``UnknownRef`` for the start and ``BadCursor`` for a cursor that names
    commits that do not exist.
    """
    lanes = cursor.lanes if cursor else (start,)
    try:
        commits = repository.log(
            [*dict.fromkeys(hash for hash in lanes if hash)],
            limit=SCANNED if wanted.is_any else limit,
        )
    except UnknownRef as error:
        if cursor:
            raise BadCursor from error
        raise
    drawn = graph.draw(commits, lanes, fresh=cursor is None)
    named = refs or Refs.of(repository)
    pairs = list(zip(commits, drawn.rows, strict=True))
    if not wanted.is_any:
        entries = tuple(_entry(*pair, named) for pair in pairs)
        ahead = Cursor(drawn.lanes) if drawn.frontier else None
        return LogPage(entries, max(drawn.width, len(lanes)), ahead)
    taken = wanted.take(repository, commits)
    matching = [pair for pair in pairs if pair[0].hash in taken]
    found = matching[:limit]
    is_full = len(found) < len(matching)
    below = found[-1][1].below if is_full else drawn.lanes
    looked_at = pairs.index(found[-1]) + 1 if is_full else len(pairs)
    return LogPage(
        tuple(_entry(*pair, named) for pair in found),
        0,
        Cursor(below) if any(below) else None,
        Scan(looked_at, is_cut=not is_full and bool(drawn.frontier)),
    )


def _entry(commit: Commit, row: graph.GraphRow, refs: Refs) -> LogEntry:
    return LogEntry(
        commit,
        Message.parse(commit.message),
        row,
        refs.branches_at(commit.hash),
        refs.tags_at(commit.hash),
    )

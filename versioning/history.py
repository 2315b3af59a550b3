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

_NUMBER = re.compile("[0-9]{0,6}")
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

    As text, hashes and gaps with commas between, as in ``ab12…,,cd34…``, and
    behind a ``~`` how many commits are left out. It names commits, so a page
    stays what it is whoever commits meanwhile.
    """

    lanes: graph.Lanes
    past: int = 0  # commits from there on: of more lanes, no address could tell

    def __str__(self) -> str:
        lanes = ",".join(hash or "" for hash in self.lanes)
        return f"{lanes}~{self.past}" if self.past else lanes

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ``BadCursor``."""
        named, _, past = text.partition("~")
        lanes = tuple(part or None for part in named.split(","))
        hashes = [hash for hash in lanes if hash]
        if (
            not hashes
            or len(lanes) > LANES
            or not all(names.is_hash(hash) for hash in hashes)
            or not _NUMBER.fullmatch(past)
        ):
            raise BadCursor
        return cls(lanes, int(past or 0))

    def below(self, row: graph.GraphRow, number: int) -> Self | None:
        """
        Where a page goes on under a commit, the ``number``-th from here; None
        where the history ends.
        """
        if not any(row.below):
            return None
        if len(row.below) <= LANES:
            return type(self)(row.below)
        return replace(self, past=number)


@dataclass(frozen=True, slots=True)
class LogEntry:
    commit: Commit
    message: Message
    row: graph.GraphRow
    below: Cursor | None = None  # where a page that ends here goes on
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
        return replace(
            self,
            entries=self.entries[: at + 1],
            lanes=max(len(last.row.below), *(row.width for row in rows)),
            next=last.below,
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
    begin = cursor or Cursor((start,))
    wide = SCANNED if wanted.is_any else limit
    try:
        commits = repository.log(
            [*dict.fromkeys(hash for hash in begin.lanes if hash)],
            limit=begin.past + wide,
        )
    except UnknownRef as error:
        if cursor:
            raise BadCursor from error
        raise
    drawn = graph.draw(commits, begin.lanes, fresh=cursor is None)
    named = refs or Refs.of(repository)
    entries = [
        _entry(commit, row, begin.below(row, number), named)
        for number, (commit, row) in enumerate(zip(commits, drawn.rows, strict=True), 1)
    ][begin.past :]
    ahead = entries[-1].below if entries else None
    if not wanted.is_any:
        width = max((entry.row.width for entry in entries), default=0)
        return LogPage(tuple(entries), max(width, len(begin.lanes)), ahead)
    taken = wanted.take(repository, [entry.commit for entry in entries])
    matching = [entry for entry in entries if entry.commit.hash in taken]
    found = matching[:limit]
    is_full = len(found) < len(matching)
    return LogPage(
        tuple(found),
        0,
        found[-1].below if is_full else ahead,
        Scan(
            entries.index(found[-1]) + 1 if is_full else len(entries),
            is_cut=not is_full and ahead is not None,
        ),
    )


def _entry(
    commit: Commit, row: graph.GraphRow, below: Cursor | None, refs: Refs
) -> LogEntry:
    return LogEntry(
        commit,
        Message.parse(commit.message),
        row,
        below,
        refs.branches_at(commit.hash),
        refs.tags_at(commit.hash),
    )

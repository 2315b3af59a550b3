"""
Runs of like commits, folded into one line of the log.

Votes come by the hundred; what happened besides is easier to find when a run
of them takes one line. Only commits in one straight line are folded, so that
the drawing stays true: no branch or tag stands among them, and none parts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from versioning.graph import GraphRow
from versioning.history import Cursor, LogEntry
from versioning.kinds import ABOUT, Kind, kind_of
from versioning.unit_of_work import ANONYMOUS

SHORTEST = 3  # commits worth folding
SHOWN = 10  # commits that a run opens to; the rest is a page of its own


@dataclass(frozen=True, slots=True)
class Run:
    """Commits of one kind, newest first."""

    kind: Kind
    entries: tuple[LogEntry, ...]

    @property
    def last(self) -> LogEntry:
        return self.entries[-1]

    @property
    def row(self) -> GraphRow:
        """The drawing of the line that stands for all of them."""
        return self.entries[0].row

    @property
    def shown(self) -> tuple[LogEntry, ...]:
        """What the run opens to, its line coming down from its own."""
        return tuple(
            replace(entry, row=replace(entry.row, entered=True), branches=(), tags=())
            for entry in self.entries[:SHOWN]
        )

    @property
    def left(self) -> int:
        """How many commits are not shown in place."""
        return max(len(self.entries) - SHOWN, 0)

    @property
    def rest(self) -> Cursor | None:
        """Where the commits that are not shown begin."""
        return self.entries[SHOWN - 1].below

    @property
    def said(self) -> str:
        """“37 votes on 3 questions, by 5 people”."""
        subjects = {dict(e.message.trailers).get(ABOUT) for e in self.entries} - {None}
        words = self.kind.count(len(self.entries), len(subjects))
        return f"{words}, {self._by()}"

    def _by(self) -> str:
        authors = {entry.commit.author for entry in self.entries}
        people = sorted(author.name for author in authors - {ANONYMOUS})
        named = f"{len(people)} people" if len(people) > 1 else "".join(people)
        if ANONYMOUS not in authors:
            return f"by {named}"
        return f"by {named} and visitors" if named else "by visitors"


Line = LogEntry | Run


def fold(entries: Sequence[LogEntry]) -> list[Line]:
    """The entries of a page as lines, runs of a registered kind folded."""
    lines: list[Line] = []
    run: list[LogEntry] = []
    for entry in entries:
        if run and not _goes_on(run[-1], entry):
            lines += _line(run)
            run = []
        run.append(entry)
    return lines + _line(run)


def _line(run: Sequence[LogEntry]) -> list[Line]:
    kind = _kind(run[0]) if run else None
    if kind is None or len(run) < SHORTEST:
        return list(run)
    return [Run(kind, tuple(run))]


def _kind(entry: LogEntry) -> Kind | None:
    """The kind of a commit that a run can hold."""
    if not entry.row.is_straight:
        return None
    return kind_of(dict(entry.message.trailers))


def _goes_on(above: LogEntry, entry: LogEntry) -> bool:
    return (
        _kind(above) is not None
        and _kind(above) == _kind(entry)
        and above.commit.parents == (entry.commit.hash,)
        and above.row.lane == entry.row.lane
        and above.row.passing == entry.row.passing
        and not entry.branches
        and not entry.tags
    )

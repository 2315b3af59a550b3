"""
Lanes for a drawn history.

Commits come children before parents. A *lane* is a column of the drawing that
waits for one commit: the next one down that line. Several may wait for the same,
and all meet at that commit, where they parted. The lanes left open below
one page are those that the next page begins with, so a line keeps its place
from page to page; they are also exactly the frontier that ``Repository.log()``
goes on from.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from versioning.backends.repository import Commit

WIDEST = 12  # lanes, from which on a line takes one that waits for its commit already

#: For each lane, from the left, the hash that it waits for; None if it is free.
Lanes = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class GraphRow:
    """One commit's part of the drawing. Numbers are lanes, 0 at the left."""

    hash: str
    lane: int
    entered: bool  # a child above leads to it, on this page or the one before
    passing: tuple[int, ...]  # lanes that go straight by
    joining: tuple[int, ...]  # lanes that come from above and end in this commit
    parents: tuple[int, ...]  # where its parents' lines go on, first parent first
    is_merge: bool
    below: Lanes = ()  # open under this row: where a page that ends here goes on

    @property
    def is_straight(self) -> bool:
        """Whether its line comes to it and leaves it in its own lane, alone."""
        return not self.joining and self.parents == (self.lane,)

    @property
    def width(self) -> int:
        """How many lanes the row touches."""
        return 1 + max((self.lane, *self.passing, *self.joining, *self.parents))


@dataclass(frozen=True, slots=True)
class Graph:
    rows: tuple[GraphRow, ...]
    lanes: Lanes  # open below the last row

    @property
    def width(self) -> int:
        return max((row.width for row in self.rows), default=0)

    @property
    def frontier(self) -> tuple[str, ...]:
        """What ``Repository.log()`` has to start from to go on."""
        return tuple(dict.fromkeys(hash for hash in self.lanes if hash is not None))


def draw(commits: Sequence[Commit], lanes: Lanes = (), *, fresh: bool = False) -> Graph:
    """
    Lay out a page of commits below the open ``lanes``.

    ``fresh`` says that the lanes are starts of a first page, which no line
    leads to from above.
    """
    waiting: list[str | None] = list(lanes)
    unentered = set(lanes) if fresh else set()
    rows = []
    for commit in commits:
        come = [at for at, hash in enumerate(waiting) if hash == commit.hash]
        lane, *joining = come or [_free(waiting)]
        for at in come:
            waiting[at] = None
        passing = tuple(
            at for at, hash in enumerate(waiting) if hash is not None and at != lane
        )
        parents = tuple(
            _place(waiting, parent, beside=lane, own=number == 0)
            for number, parent in enumerate(commit.parents)
        )
        while waiting and waiting[-1] is None:
            waiting.pop()
        rows.append(
            GraphRow(
                hash=commit.hash,
                lane=lane,
                entered=bool(come) and commit.hash not in unentered,
                passing=passing,
                joining=tuple(joining),
                parents=parents,
                is_merge=commit.is_merge,
                below=tuple(waiting),
            )
        )
        unentered.difference_update(commit.parents)
    return Graph(tuple(rows), tuple(waiting))


def _place(waiting: list[str | None], parent: str, *, beside: int, own: bool) -> int:
    """The lane in which the line to ``parent`` goes on."""
    if parent in waiting and len(waiting) - waiting.count(None) >= WIDEST:
        return waiting.index(parent)
    lane = beside if own else _free(waiting, after=beside)
    while len(waiting) <= lane:
        waiting.append(None)
    waiting[lane] = parent
    return lane


def _free(waiting: list[str | None], after: int = -1) -> int:
    """The first free lane to the right of ``after``."""
    for lane in range(after + 1, len(waiting)):
        if waiting[lane] is None:
            return lane
    waiting.append(None)
    return len(waiting) - 1

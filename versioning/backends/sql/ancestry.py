"""
Who descends from whom: the parents of commits, kept once they were read.

A commit's parents never change, so what one request read serves the next. The
engines' own table of parents takes time in proportion to the whole history.
"""

import heapq
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set

from versioning.backends.repository import Commit

READ_AT_ONCE = 200

#: (hash, limit) → at most so many commits from there, children before parents.
Reader = Callable[[str, int], list[Commit]]

#: Sorts children before parents, then newest first, then by hash.
Place = tuple[int, float, str]


class Ancestry:
    """The parents and the place in order of every commit that was asked about."""

    def __init__(self) -> None:
        self._parents: dict[str, tuple[str, ...]] = {}
        self._dates: dict[str, float] = {}
        # One more than the highest parent's.
        self._heights: dict[str, int] = {}
        self._lock = threading.Lock()

    def _place(self, hash: str) -> Place:
        return -self._heights[hash], -self._dates[hash], hash

    def learn(self, starts: Iterable[str], read: Reader) -> None:
        """Make sure that everything reachable from ``starts`` is known."""
        with self._lock:
            for start in starts:
                if start not in self._heights:
                    self._read(start, read)
                    self._measure(start)

    def _read(self, start: str, read: Reader) -> None:
        waiting, limit = [start], READ_AT_ONCE
        while waiting:
            hash = waiting.pop()
            if hash in self._parents:
                continue
            for commit in read(hash, limit):
                self._dates[commit.hash] = commit.date.timestamp()
                self._parents[commit.hash] = commit.parents
                waiting += [p for p in commit.parents if p not in self._parents]
            limit *= 8

    def _measure(self, start: str) -> None:
        """Heights, without recursion: a history is longer than Python's stack."""
        waiting = [start]
        while waiting:
            hash = waiting[-1]
            parents = self._parents[hash]
            unknown = [p for p in parents if p not in self._heights]
            if unknown:
                waiting += unknown
                continue
            self._heights[hash] = 1 + max(
                (self._heights[p] for p in parents), default=0
            )
            waiting.pop()

    def walk(self, starts: Iterable[str]) -> Iterator[str]:
        """
        What is reachable from ``starts``, each once, highest first: a child is
        higher than its parents, so it always comes before them.
        """
        seen = set(starts)
        heap = [self._place(hash) for hash in seen]
        heapq.heapify(heap)
        while heap:
            *_, hash = heapq.heappop(heap)
            yield hash
            for parent in self._parents[hash]:
                if parent not in seen:
                    seen.add(parent)
                    heapq.heappush(heap, self._place(parent))

    def descent(self, start: str) -> Iterator[tuple[str, tuple[str, ...], float]]:
        """
        (hash, parents, date in seconds since 1970) of what ``start`` descends
        from, or is, children before parents.
        """
        for hash in self.walk([start]):
            yield hash, self._parents[hash], self._dates[hash]

    def best_common(self, ones: Iterable[str], other: str) -> list[str]:
        """
        Commits that ``other`` and any of ``ones`` descend from, or are, and
        from which no other such commit descends, by hash.

        Walks both histories together, highest first, and stops where only
        ancestors of common ancestors are left.
        """
        from_one, from_other, below = 1, 2, 4
        marks = dict.fromkeys(ones, from_one)
        marks[other] = marks.get(other, 0) | from_other
        heap = [self._place(hash) for hash in marks]
        heapq.heapify(heap)
        found = []
        while any(not marks[hash] & below for *_, hash in heap):
            *_, hash = heapq.heappop(heap)
            mark = marks[hash]
            if mark & (from_one | from_other) == from_one | from_other:
                if not mark & below:
                    found.append(hash)
                mark |= below
            for parent in self._parents[hash]:
                if parent not in marks:
                    marks[parent] = 0
                    heapq.heappush(heap, self._place(parent))
                marks[parent] |= mark
        return sorted(found)


def reach(
    leads_to: Mapping[str, Sequence[str]],
    starts: Iterable[str],
    *,
    until: Set[str] = frozenset(),
) -> set[str]:
    """
    What ``starts`` lead to, themselves included; what is in ``until`` is
    reached too, and not gone beyond.
    """
    seen = set(starts)
    waiting = list(seen)
    while waiting:
        hash = waiting.pop()
        if hash in until:
            continue
        for next_ in leads_to.get(hash, ()):
            if next_ not in seen:
                seen.add(next_)
                waiting.append(next_)
    return seen


def nearest(
    leads_to: Mapping[str, Sequence[str]], start: str, *, without: Set[str]
) -> list[str]:
    """
    What ``start`` leads to, itself first and what is nearest next, as far as
    nothing in ``without`` is in the way.
    """
    if start in without:
        return []
    found = {start: None}
    waiting = deque(found)
    while waiting:
        for next_ in leads_to.get(waiting.popleft(), ()):
            if next_ not in found and next_ not in without:
                found[next_] = None
                waiting.append(next_)
    return list(found)

"""
Who descends from whom: the parents of commits, kept once they were read.

A commit's parents never change, so what one request read serves the next. The
engines' own table of parents takes time in proportion to the whole history, 2 to
4 µs for each commit, and so do most of their answers about it.
"""

import heapq
import threading
from collections import deque
from collections.abc import (
    Callable,
    Collection,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
    Set,
)

from versioning.backends.repository import Commit

READ_AT_ONCE = 20  # commits at first, and eight times as many each time after
TOLD = 2000  # commits that were read for something else, of which parents are kept

#: (hash, limit) → at most so many commits from there, children before parents.
Reader = Callable[[str, int], list[Commit]]

#: Sorts children before parents, then newest first, then by hash.
Place = tuple[int, float, str]

_ONE, _OTHER, _BELOW = 1, 2, 4


class Ancestry:
    """
    The parents of every commit that was asked about, and of those they descend
    from. What is asked of hashes must have been learned before.
    """

    def __init__(self) -> None:
        self._parents: dict[str, tuple[str, ...]] = {}  # in order where dated
        # One more than the highest parent's. Whose is known, all is known of.
        self._heights: dict[str, int] = {}
        # Seconds since 1970, of those that were to be put in order.
        self._dates: dict[str, float] = {}
        self._held_by = ""  # the commit that ``_held`` is of
        self._held: set[str] = set()
        self._sizes: dict[frozenset[str], int] = {}
        # Of commits whose ancestors may not be known: parents, and the date.
        self._told: dict[str, tuple[tuple[str, ...], float]] = {}
        self._lock = threading.Lock()
        self._telling = threading.Lock()  # within the other, where one is told

    # Learning ------------------------------------------------------------------

    @property
    def is_empty(self) -> bool:
        return not self._heights

    def unknown(self, starts: Iterable[str]) -> list[str]:
        """Those of some commits whose parents are to be learned."""
        return [start for start in dict.fromkeys(starts) if start not in self._heights]

    def tell(self, commits: Iterable[Commit]) -> None:
        """Commits that were read for something else: they are not read again."""
        with self._telling:
            for commit in commits:
                if commit.hash not in self._heights:
                    self._told[commit.hash] = commit.parents, commit.date.timestamp()
            while len(self._told) > TOLD:
                del self._told[next(iter(self._told))]

    def learn(self, starts: Iterable[str], read: Reader) -> None:
        """Make sure that everything reachable from ``starts`` is known."""
        with self._lock:
            for start in self.unknown(starts):
                for hash, (parents, _) in self._read(start, read, self._parents):
                    self._parents[hash] = parents
                self._measure(start)

    def learn_all(
        self, heads: Iterable[str], lines: Iterable[tuple[str, str | None]]
    ) -> None:
        """The same, of those ``heads`` that are in (child, parent) ``lines``."""
        parents: dict[str, tuple[str, ...]] = {}
        for child, parent in lines:
            others = parents.get(child, ())
            parents[child] = others if parent is None else (*others, parent)
        with self._lock:
            self._parents = parents | self._parents
            for head in self.unknown(heads):
                if head in parents:
                    self._measure(head)

    def learn_order(self, starts: Iterable[str], read: Reader) -> None:
        """``learn()``, with what ``walk()`` goes by."""
        with self._lock:
            for start in starts:
                if start not in self._dates:
                    for hash, (parents, date) in self._read(start, read, self._dates):
                        self._parents[hash] = parents
                        self._dates[hash] = date
                    self._measure(start)

    def _read(
        self, start: str, read: Reader, known: Collection[str]
    ) -> Iterable[tuple[str, tuple[tuple[str, ...], float]]]:
        """
        The parents and the date of what is reachable from ``start`` and not
        ``known``, once all is read: half of it would pass for the whole.
        """
        found: dict[str, tuple[tuple[str, ...], float]] = {}
        waiting, limit = [start], READ_AT_ONCE
        while waiting:
            hash = waiting.pop()
            if hash in known or hash in found:
                continue
            if told := self._told.get(hash):
                found[hash] = told
                waiting += told[0]
                continue
            for commit in read(hash, limit):
                found[commit.hash] = commit.parents, commit.date.timestamp()
                waiting += commit.parents
            limit *= 8
        return found.items()

    def _measure(self, start: str) -> None:
        """Heights, without recursion: a history is longer than Python's stack."""
        waiting = [start]
        while waiting:
            hash = waiting[-1]
            # A shallow clone names parents that it does not have.
            parents = self._parents.setdefault(hash, ())
            unknown = [p for p in parents if p not in self._heights]
            if unknown:
                waiting += unknown
                continue
            self._heights[hash] = 1 + max(
                (self._heights[p] for p in parents), default=0
            )
            waiting.pop()

    # In order --------------------------------------------------------------------

    def _place(self, hash: str) -> Place:
        return -self._heights[hash], -self._dates[hash], hash

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

    def depth_first(self, start: str, *, until: str = "") -> Iterator[tuple[str, str]]:
        """
        What ``start`` descends from, or is, each once, last parent first, with the
        child that was gone by last ("" for the first); ends before ``until``.
        """
        child = {start: ""}
        waiting, seen = [start], {start}
        while waiting:
            hash = waiting.pop()
            if hash == until:
                return
            yield hash, child[hash]
            for parent in self._parents[hash]:
                child[parent] = hash
                if parent not in seen:
                    seen.add(parent)
                    waiting.append(parent)

    def reached(self, start: str) -> set[str]:
        """What ``start`` descends from, or is."""
        return reach(self._parents, [start])

    # In common, and not ------------------------------------------------------------

    def best_common(self, ones: Iterable[str], other: str) -> list[str]:
        """
        Commits that ``other`` and any of ``ones`` descend from, or are, and
        from which no other such commit descends, by hash.
        """
        marks = dict.fromkeys(ones, _ONE)
        marks[other] = marks.get(other, 0) | _OTHER
        common = (
            hash
            for hash, mark in self._marked(marks, until=_BELOW)
            if mark == _ONE | _OTHER
        )
        return sorted(common)

    def apart(self, one: str, other: str) -> tuple[int, int]:
        """How many commits each of two descends from, or is, and the other not."""
        counts = {_ONE: 0, _OTHER: 0}
        if one != other:
            both = _ONE | _OTHER
            for _, mark in self._marked({one: _ONE, other: _OTHER}, until=both):
                if mark in counts:
                    counts[mark] += 1
        return counts[_ONE], counts[_OTHER]

    def _marked(self, marks: dict[str, int], until: int) -> Iterator[tuple[str, int]]:
        """
        Goes down from marked commits, highest first, so that a commit has the
        marks of all that descend from it: it, and its marks. Below one that has
        those of both sides all are marked so too. Ends where nothing is left
        but what has the marks ``until``.
        """
        heap = [(-self._heights[hash], hash) for hash in marks]
        heapq.heapify(heap)
        left = sum(mark & until != until for mark in marks.values())
        while left:
            _, hash = heapq.heappop(heap)
            mark = marks[hash]
            left -= mark & until != until
            yield hash, mark
            if mark & _ONE and mark & _OTHER:
                mark |= _BELOW
            for parent in self._parents[hash]:
                before = marks.get(parent)
                after = marks[parent] = (before or 0) | mark
                if before is None:
                    heapq.heappush(heap, (-self._heights[parent], parent))
                    left += after & until != until
                else:
                    left += (after & until != until) - (before & until != until)

    def ahead_behind(
        self, base: str, heads: Iterable[str]
    ) -> dict[str, tuple[int, int]]:
        """
        ``apart()`` of each head and ``base``. Asked again when the base has
        grown, it takes time for what is new of it and what heads have alone.
        """
        with self._lock:
            held = self._hold(base)
            counts = {}
            for head in heads:
                own = reach(self._parents, [head], until=held)
                met = frozenset(own & held)
                counts[head] = len(own - held), len(held) - self._size(met)
            return counts

    def own(self, head: str, base: str) -> list[tuple[str, float]]:
        """
        What ``head`` descends from, or is, and ``base`` not: hashes, and when they
        were made, in seconds since 1970. As fast as ``ahead_behind()``.
        """
        with self._lock:
            held = self._hold(base)
            own = reach(self._parents, [head], until=held) - held
            return [(hash, self._dates[hash]) for hash in own]

    def _hold(self, base: str) -> set[str]:
        """What ``base`` descends from, or is."""
        if base != self._held_by:
            new = reach(self._parents, [base], until=self._held)
            if self._held_by in new:  # it has grown from there
                self._held |= new
            else:
                self._held = reach(self._parents, [base])
            self._held_by = base
        return self._held

    def _size(self, heads: frozenset[str]) -> int:
        """How many commits any of these descends from, or is."""
        if heads not in self._sizes:
            self._sizes[heads] = len(reach(self._parents, heads))
        return self._sizes[heads]

    def children(self, hash: str, starts: Iterable[str]) -> list[str]:
        """Those with ``hash`` as a parent that ``starts`` are or descend from."""
        above = self._above(hash, starts)
        return sorted(one for one in above if hash in self._parents[one])

    def holding(self, hash: str, starts: Iterable[str]) -> set[str]:
        """Those of ``starts`` that are a commit or descend from it."""
        starts = set(starts)
        holds = {hash}
        for one in sorted(self._above(hash, starts), key=self._heights.__getitem__):
            if not holds.isdisjoint(self._parents[one]):
                holds.add(one)
        return holds & starts

    def _above(self, hash: str, starts: Iterable[str]) -> set[str]:
        """What ``starts`` are or descend from, and may descend from ``hash``."""
        floor = self._heights[hash]
        waiting = [start for start in starts if self._heights[start] > floor]
        seen = set(waiting)
        while waiting:
            for parent in self._parents[waiting.pop()]:
                if parent not in seen and self._heights[parent] > floor:
                    seen.add(parent)
                    waiting.append(parent)
        return seen

    def beyond(self, held: Iterable[str], heads: Iterable[str]) -> dict[str, list[str]]:
        """As ``Repository.beyond()``."""
        kept = reach(self._parents, held)
        return {head: nearest(self._parents, head, without=kept) for head in heads}


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

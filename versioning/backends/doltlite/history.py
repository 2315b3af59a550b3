"""
The order of a log on DoltLite, the same from whatever page it is read.

DoltLite's ``dolt_log()`` takes one start, and orders commits of one second as
it likes. A page that goes on from several heads needs an order that depends on
the commits alone: by *height*, the length of the longest way down to the first
commit, so that a child always comes before its parents. Dolt does the same.
"""

import heapq
from collections.abc import Callable, Iterable, Sequence

Parents = tuple[str, ...]
Look = Callable[[Sequence[str]], dict[str, Parents]]

_STEPS = 64  # looked up one after the other before all commits are read at once
_REMEMBERED = 500_000  # commits


class Heights:
    """
    Heights and parents by hash. Neither can change, so they are remembered for
    the life of the process, whichever database they come from.
    """

    def __init__(self) -> None:
        self._known: dict[str, tuple[int, Parents]] = {}

    def learn(
        self,
        starts: Iterable[str],
        look: Look,
        read_all: Callable[[], dict[str, Parents]],
    ) -> None:
        """
        Know all commits that are reachable from ``starts``.

        ``look`` gives the parents of some commits, ``read_all`` of all: the
        first is for the few commits that came since the last time.
        """
        if len(self._known) > _REMEMBERED:
            self._known.clear()
        new: dict[str, Parents] = {}
        wanted = [hash for hash in starts if hash not in self._known]
        for _ in range(_STEPS):
            if not wanted:
                break
            found = look(wanted)
            new |= found
            wanted = [
                parent
                for parents in found.values()
                for parent in parents
                if parent not in self._known and parent not in new
            ]
            wanted = list(dict.fromkeys(wanted))
        if wanted:
            new |= read_all()
        self._add(new)

    def _add(self, new: dict[str, Parents]) -> None:
        """Parents before children, without recursion: histories are long."""
        for start in new:
            waiting = [start]
            while waiting:
                hash = waiting[-1]
                parents = new.get(hash, ())
                missing = [p for p in parents if p not in self._known and p in new]
                if hash in self._known:
                    waiting.pop()
                elif missing:
                    waiting += missing
                else:
                    waiting.pop()
                    heights = [self._known[p][0] for p in parents if p in self._known]
                    self._known[hash] = (1 + max(heights, default=0), parents)

    def first(self, starts: Sequence[str], limit: int) -> list[tuple[str, Parents]]:
        """The first commits of a log from these, with their parents."""
        heap = [(-self._known[hash][0], hash) for hash in dict.fromkeys(starts)]
        heapq.heapify(heap)
        seen = {hash for _, hash in heap}
        found: list[tuple[str, Parents]] = []
        while heap and len(found) < limit:
            _, hash = heapq.heappop(heap)
            parents = self._known[hash][1]
            found.append((hash, parents))
            for parent in parents:
                if parent not in seen and parent in self._known:
                    seen.add(parent)
                    heapq.heappush(heap, (-self._known[parent][0], parent))
        return found

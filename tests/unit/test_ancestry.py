"""Who descends from whom, of histories made by chance, against plain sets."""

import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest

from versioning.backends.repository import Author, Commit
from versioning.backends.sql import ancestry as ancestry_module
from versioning.backends.sql.ancestry import Ancestry

AUTHOR = Author("Erin Editor", "erin@example.org")
START = datetime(2026, 1, 1, tzinfo=UTC)


class Graph:
    """Commits ``c0``, ``c1``, …, of which later ones descend from earlier ones."""

    def __init__(self, chance: random.Random):
        self.parents: dict[str, tuple[str, ...]] = {}
        self._chance = chance
        self.reads = 0
        self.fails_at = 0  # which reading fails; none if 0

    def grow(self, count: int) -> None:
        for _ in range(count):
            earlier = list(self.parents)[-6:]
            parents = self._chance.sample(earlier, min(len(earlier), self._few))
            self.parents[f"c{len(self.parents)}"] = tuple(parents)

    @property
    def _few(self) -> int:
        return self._chance.choice([1, 1, 1, 1, 2, 2, 0])

    def some(self, count: int) -> list[str]:
        return self._chance.choices(list(self.parents), k=count)

    def read(self, hash: str, limit: int) -> list[Commit]:
        """As a repository lists commits: at most so many, children first."""
        self.reads += 1
        if self.reads == self.fails_at:
            raise ConnectionError
        found = sorted(self.all_of([hash]), key=lambda c: -int(c[1:]))
        return [self.commit(hash) for hash in found[:limit]]

    def commit(self, hash: str) -> Commit:
        date = START + timedelta(seconds=int(hash[1:]) // 3)
        return Commit(hash, AUTHOR, date, "", self.parents[hash])

    def lines(self) -> Iterable[tuple[str, str | None]]:
        for child, parents in self.parents.items():
            for parent in parents or (None,):
                yield child, parent

    def all_of(self, starts: Iterable[str]) -> set[str]:
        found: set[str] = set()
        waiting = list(starts)
        while waiting:
            hash = waiting.pop()
            if hash not in found:
                found.add(hash)
                waiting += self.parents[hash]
        return found


@pytest.fixture(params=range(40))
def graph(request) -> Graph:
    found = Graph(random.Random(request.param))
    found.grow(60)
    return found


def check(graph: Graph, ancestry: Ancestry) -> None:
    base, one, other, *heads = graph.some(8)
    ancestry.learn([base, one, other, *heads], graph.read)
    mine, theirs, held = (graph.all_of([hash]) for hash in (one, other, base))
    assert ancestry.apart(one, other) == (len(mine - theirs), len(theirs - mine))
    common = mine & theirs
    below = graph.all_of(parent for hash in common for parent in graph.parents[hash])
    assert ancestry.best_common([one], other) == sorted(common - below)
    for head, counts in ancestry.ahead_behind(base, heads).items():
        own = graph.all_of([head])
        assert counts == (len(own - held), len(held - own))
    assert ancestry.holding(one, heads) == {
        head for head in heads if one in graph.all_of([head])
    }
    assert ancestry.children(one, heads) == sorted(
        hash for hash in graph.all_of(heads) if one in graph.parents[hash]
    )
    kept = graph.all_of([base, one])
    for head, beyond in ancestry.beyond([base, one], heads).items():
        assert set(beyond) == graph.all_of([head]) - kept


def test_any_history_however_it_was_learned(graph):
    ancestry = Ancestry()
    if graph.some(1) < ["c5"]:
        ancestry.learn_all(graph.parents, graph.lines())
    for _ in range(6):
        check(graph, ancestry)
        graph.grow(5)
    ancestry.learn_all(graph.some(5), graph.lines())
    check(graph, ancestry)


def test_what_grows_is_counted_from_where_it_was(graph):
    ancestry, base = Ancestry(), "c59"
    for _ in range(8):
        heads = graph.some(5)
        ancestry.learn([base, *heads], graph.read)
        held = graph.all_of([base])
        for head, counts in ancestry.ahead_behind(base, heads).items():
            own = graph.all_of([head])
            assert counts == (len(own - held), len(held - own))
        graph.parents[f"c{len(graph.parents)}"] = (base, *graph.some(1))
        base = list(graph.parents)[-1]


def test_an_order_is_learned_of_what_is_known_without_one(graph):
    ancestry = Ancestry()
    ancestry.learn_all(graph.parents, graph.lines())
    graph.grow(3)
    ancestry.learn(graph.parents, graph.read)
    starts = [*graph.parents][-4:]
    ancestry.learn_order(starts, graph.read)
    walked = list(ancestry.walk(starts))
    assert sorted(walked) == sorted(graph.all_of(starts))
    for place, hash in enumerate(walked):
        assert not set(graph.parents[hash]) & set(walked[:place])


@pytest.mark.parametrize("learn", [Ancestry.learn, Ancestry.learn_order])
def test_a_reading_that_fails_leaves_nothing_half_known(graph, learn):
    """As where the engine is busy."""
    ancestry = Ancestry()
    graph.grow(200)
    head = max(graph.parents, key=lambda hash: len(graph.all_of([hash])))
    graph.fails_at = 2  # there is more to read than the first reading gives
    with pytest.raises(ConnectionError):
        learn(ancestry, [head], graph.read)
    learn(ancestry, [head], graph.read)
    check(graph, ancestry)
    ancestry.learn_order([head], graph.read)
    assert set(ancestry.walk([head])) == graph.all_of([head])


def test_a_shallow_history_ends_where_its_parents_are_missing():
    ancestry = Ancestry()
    ancestry.learn_all(["c"], [("c", "b"), ("b", "a")])
    assert ancestry.ahead_behind("b", ["c"]) == {"c": (1, 0)}
    assert ancestry.apart("c", "b") == (1, 0)


@pytest.mark.parametrize("learn", [Ancestry.learn, Ancestry.learn_order])
def test_what_was_told_is_not_read_again(graph, learn):
    ancestry = Ancestry()
    ancestry.learn_all(["c20"], graph.lines())
    learn(ancestry, graph.all_of(["c20"]), graph.read)
    graph.reads = 0
    new = graph.all_of(["c59"]) - graph.all_of(["c20"])
    ancestry.tell(graph.commit(hash) for hash in new)
    learn(ancestry, ["c59"], graph.read)
    assert graph.reads == 0
    assert ancestry.apart("c59", "c20")[0] == len(new)


def test_of_what_was_told_the_oldest_is_forgotten(graph, monkeypatch):
    monkeypatch.setattr(ancestry_module, "TOLD", 3)
    ancestry = Ancestry()
    ancestry.tell(graph.commit(hash) for hash in graph.parents)
    ancestry.learn(graph.parents, graph.read)
    assert graph.reads > 0
    check(graph, ancestry)

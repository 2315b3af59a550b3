"""Which commits descend from which, in the SQL that both engines take."""

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence

from versioning.backends.sql.ancestry import Ancestry, nearest, reach
from versioning.backends.sql.history import History

EVERYTHING = 2**31 - 1  # commits


class Descent(History):
    #: By database: what its commits descend from never changes.
    ancestries: dict[str, Ancestry] = {}

    def ahead_behind(
        self, base: str, heads: Iterable[str]
    ) -> dict[str, tuple[int, int]]:
        heads = set(heads)
        self._known(base, *heads)
        if heads <= {base}:
            return dict.fromkeys(heads, (0, 0))
        parents = self._parents_of_all((base, *heads))
        held = reach(parents, [base])
        shared: dict[frozenset[str], int] = {}  # by where a head meets the base
        counts = {}
        for head in heads:
            own = reach(parents, [head], until=held)
            met = frozenset(own & held)
            if met not in shared:
                shared[met] = len(reach(parents, met))
            counts[head] = len(own - held), len(held) - shared[met]
        return counts

    def beyond(self, held: Iterable[str], heads: Iterable[str]) -> dict[str, list[str]]:
        held, heads = set(held), set(heads)
        self._known(*held, *heads)
        if heads <= held:
            return {head: [] for head in heads}
        parents = self._parents_of_all((*held, *heads))
        kept = reach(parents, held)
        return {head: nearest(parents, head, without=kept) for head in heads}

    def holders(self, hash: str, heads: Iterable[str]) -> frozenset[str]:
        wanted = set(heads)
        self._known(hash)
        if wanted <= {hash}:
            return frozenset(wanted)
        children: dict[str, list[str]] = {}
        for child, parent in self._all_parents((hash, *wanted)):
            children.setdefault(parent, []).append(child)
        return frozenset(wanted & reach(children, [hash]))

    def _parents_of_all(self, heads: Iterable[str]) -> dict[str, list[str]]:
        """``_all_parents()``, by child."""
        parents: dict[str, list[str]] = {}
        for child, parent in self._all_parents(heads):
            parents.setdefault(child, []).append(parent)
        return parents

    def _all_parents(self, heads: Iterable[str]) -> Iterator[tuple[str, str]]:
        """
        (child, parent) of the whole history, some 5 µs for each commit; of
        what ``heads`` descend from, too, where no branch leads to them, or led
        when it was read: Dolt’s table has what branches lead to, and no more.
        """
        stay = self._stay
        if stay.history is None:
            stay.history = [
                (child, parent)
                for child, parent in self._fetch(
                    "SELECT commit_hash, parent_hash FROM dolt_commit_ancestors"
                )
            ]
        met = set()
        for child, parent in stay.history:
            met.add(child)
            if parent is not None:
                yield child, parent
        if unmet := sorted(set(heads) - met):
            for commit in self._log_from(unmet, EVERYTHING):
                if commit.hash not in met:
                    yield from ((commit.hash, parent) for parent in commit.parents)

    def merge_base(self, one: str, other: str) -> str | None:
        self._known(one, other)

        def ask() -> str | None:
            with self._history():
                return self._engines_base(one, other)

        found = self._always("base", one, other, ask=ask)
        if found is not None:
            self._note_commit(found)
        return found

    @abstractmethod
    def _engines_base(self, one: str, other: str) -> str | None:
        """What the engine calls the merge base of two hashes that exist."""

    def merge_bases(self, one: str, other: str) -> list[str]:
        base = self.merge_base(one, other)
        if base is None or base in (one, other):
            return [] if base is None else [base]
        return self._ancestry(one, other).best_common([one], other)

    def common_ancestors(self, ones: Sequence[str], other: str) -> list[str]:
        self._known(*ones, other)
        return self._ancestry(*ones, other).best_common(ones, other)

    def _ancestry(self, *starts: str) -> Ancestry:
        """What these hashes descend from."""
        ancestry = self.ancestries.setdefault(self._place(), Ancestry())
        ancestry.learn(starts, self._log)
        return ancestry

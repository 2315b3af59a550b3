"""Which commits descend from which, in the SQL that both engines take."""

from abc import abstractmethod
from collections.abc import Iterable, Sequence

from versioning.backends.repository import Commit
from versioning.backends.sql.ancestry import Ancestry
from versioning.backends.sql.history import History

NEW_HEADS = 3  # whose commits are read one head after the other


class Descent(History):
    #: By database: what its commits descend from never changes.
    ancestries: dict[str, Ancestry] = {}

    def _meet(self, commits: Sequence[Commit]) -> list[Commit]:
        self._ancestry_here().tell(commits)
        return super()._meet(commits)

    def ahead_behind(
        self, base: str, heads: Iterable[str]
    ) -> dict[str, tuple[int, int]]:
        heads = set(heads)
        self._known(base, *heads)
        if heads <= {base}:
            return dict.fromkeys(heads, (0, 0))
        return self._ancestry(base, *heads).ahead_behind(base, heads)

    def count_between(self, exclude: str, include: str) -> int:
        self._known(exclude, include)
        if exclude == include:
            return 0
        there, back = sorted((exclude, include))
        ancestry = self._ancestry(there, back)
        # Both ways at once: whoever asks for one asks for the other.
        counts = self._always(
            "counts", there, back, ask=lambda: ancestry.apart(there, back)
        )
        return counts[exclude == there]

    def beyond(self, held: Iterable[str], heads: Iterable[str]) -> dict[str, list[str]]:
        held, heads = set(held), set(heads)
        self._known(*held, *heads)
        if heads <= held:
            return {head: [] for head in heads}
        return self._ancestry(*held, *heads).beyond(held, heads)

    def children(self, hash: str, heads: Iterable[str]) -> list[str]:
        heads = set(heads)
        self._known(hash, *heads)
        if heads <= {hash}:
            return []
        found = self._ancestry(hash, *heads).children(hash, heads)
        self._met.update(found)
        return found

    def holders(self, hash: str, heads: Iterable[str]) -> frozenset[str]:
        wanted = set(heads)
        self._known(hash, *wanted)
        if wanted <= {hash}:
            return frozenset(wanted)
        return frozenset(self._ancestry(hash, *wanted).holding(hash, wanted))

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

    def _ancestry(self, *starts: str, ordered: bool = False) -> Ancestry:
        """
        What these hashes descend from; ``ordered`` for ``Ancestry.walk()``.

        New commits are read alone. Where there is more to learn than that, the
        engine's table of all parents is read: some 2 µs for each commit.
        """
        ancestry = self._ancestry_here()
        if ordered:
            ancestry.learn_order(starts, self._log)
            return ancestry
        unknown = ancestry.unknown(starts)
        if len(unknown) > (0 if ancestry.is_empty else NEW_HEADS):
            ancestry.learn_all(unknown, self._all_parents())
        # Dolt's table has what branches lead to, and no more.
        ancestry.learn(unknown, self._log)
        return ancestry

    def _ancestry_here(self) -> Ancestry:
        place = self._place()
        if (found := self.ancestries.get(place)) is None:
            found = self.ancestries.setdefault(place, Ancestry())
        return found

    def _all_parents(self) -> Iterable[tuple[str, str | None]]:
        """(child, parent) of the whole history; None for a first commit."""
        sql = "SELECT commit_hash, parent_hash FROM dolt_commit_ancestors"
        return ((child, parent) for child, parent in self._fetch(sql))

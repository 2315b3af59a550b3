"""
Edits of a row that a merge did not take, where both sides had changed it.

To whoever reads the row's history they would be the newest there is, and yet not
what the row holds. The engines tell of no merge what it was decided against; what
the row was where the two sides parted tells it.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from versioning.backends.equality import same
from versioning.backends.repository import ChangeKind, Commit, Key, Row, RowChange
from versioning.backends.sql.row_history import RowHistories
from versioning.backends.sql.siblings import Held, Step
from versioning.backends.sql.tables import Diff

_NOWHERE: Final = object()  # the same as no value


class Discards(RowHistories):
    def _discarded(
        self,
        diff: Diff,
        key: Key,
        commits: Sequence[Commit],
        steps: Sequence[Step],
        is_all: bool,
        held: Held,
    ) -> Mapping[tuple[str, str], frozenset[str]]:
        """
        The columns that merges did not take of a parent's side, by the hashes of
        the two; without those of whom there are none.
        """
        parents = {one.hash: one.parents for one in commits if one.is_merge}
        changed: dict[str, set[str]] = defaultdict(set)  # columns, by commit
        for step in steps if parents else ():
            changed[step.commit] |= _differing(step.change)
        is_known = is_all or not steps
        earliest = float("-inf") if is_known else steps[-1].date.timestamp()
        found = {}
        for step in reversed(steps):  # the oldest first: see ``Ancestry.own()``
            for other in parents.get(step.commit, ()):
                if other == step.parent or not self._may_have_changed_it(
                    step, other, changed, earliest
                ):
                    continue
                try:
                    columns = self._not_taken(diff, key, step, other, held)
                except LookupError:
                    continue
                if columns:
                    found[step.commit, step.parent] = columns
        return found

    def _may_have_changed_it(
        self,
        merged: Step,
        other: str,
        changed: Mapping[str, AbstractSet[str]],
        earliest: float,
    ) -> bool:
        """
        Whether a merge's parent may have, by itself, what the merge has not: as
        most have not, what they parted from is not asked for. ``changed`` is what
        commits did later than ``earliest``.
        """
        ancestry = self._ancestry(merged.parent, other, ordered=True)
        columns = _differing(merged.change)
        return any(
            date <= earliest or not columns.isdisjoint(changed.get(hash, ()))
            for hash, date in ancestry.own(merged.parent, other)
        )

    def _not_taken(
        self, diff: Diff, key: Key, merged: Step, other: str, held: Held
    ) -> frozenset[str]:
        ancestry = self._ancestry(merged.parent, other, ordered=True)
        bases = ancestry.best_common([merged.parent], other)
        if len(bases) == 1 and bases[0] in held:
            return not_taken(merged.change, held[bases[0]])
        base = self.merge_base(merged.parent, other)
        before = self._row_as_of(diff, base, key) if base else None
        return not_taken(merged.change, before)


def not_taken(merged: RowChange, base: Row | None) -> frozenset[str]:
    """
    The columns in which a merge differs from a parent that had changed them since
    ``base``, where the two sides parted.
    """
    if merged.before is None:  # it was deleted there
        return frozenset(merged.after or ()) if base is not None else frozenset()
    changed = {
        column
        for column, value in merged.before.items()
        if not same(value, _NOWHERE if base is None else base.get(column))
    }
    if merged.after is None:
        return frozenset(merged.before) if changed else frozenset()
    return frozenset(changed & _differing(merged))


def _differing(change: RowChange) -> AbstractSet[str]:
    """The columns that a change is in."""
    if change.kind is not ChangeKind.CHANGED:
        return (change.after or change.before or {}).keys()
    assert change.before is not None
    assert change.after is not None
    return {
        column
        for column, value in change.after.items()
        if not same(change.before.get(column), value)
    }

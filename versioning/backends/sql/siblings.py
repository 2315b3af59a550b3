"""
Steps of a row's way that an engine leaves out where commits share a parent.

Dolt's ``dolt_diff_<table>`` goes from children to parents and keeps one child of
each parent, the last that it came by: of the first commits after a fork it
compares one with where they parted, and forgets the others, also if it is asked
for them together (seen on 1.83.2). Asked for one of them, it takes as long as
all that this one changed: 1.6 s for a million rows.

But what the row was at each commit follows from the steps that are there. Where
one leads to a parent, it says what was there before; where none does, the parent
holds what the child holds that was compared with it.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from versioning.backends.equality import same
from versioning.backends.repository import ChangeKind, Key, Row, RowChange


@dataclass(frozen=True, slots=True)
class Step:
    """How a row differs between a commit and one of its parents."""

    commit: str  # hash
    parent: str  # hash
    date: datetime
    change: RowChange


@dataclass(frozen=True, slots=True)
class LeftOut:
    """
    ``may_hide`` tells whether a fork was met where the row seems to be missing
    on all sides: if steps that removed it were not asked for, it may be there.
    """

    steps: tuple[Step, ...]
    may_hide: bool


#: A commit's hash, its parents, and when it was made: seconds since 1970.
Descendant = tuple[str, Sequence[str], float]


def left_out(
    commits: Iterable[Descendant],
    key: Key,
    row: Row | None,
    steps: Iterable[Step],
    *,
    since: float | None,
    look_up: Callable[[str], Row | None],
) -> LeftOut:
    """
    What is missing among ``steps``, of commits made ``since`` then or of all.

    ``commits`` are those of a history, children before parents, and ``row`` what
    the first of them holds. All steps later than ``since`` have to be there, as
    far as the engine gives them. ``look_up`` asks for the row as a hash has it,
    and raises ``LookupError`` where that can't be told: it is called where the
    sides of a fork differ and no step tells which of them was compared. One at a
    time: joined by UNION, a hundred take Dolt ten times as long.
    """
    told = {(step.commit, step.parent): step for step in steps}
    before = {step.parent: step.change.before for step in told.values()}
    earliest = float("-inf") if since is None else since
    dates: dict[str, float] = {}
    children: dict[str, list[str]] = {}
    held: dict[str, Row | None] = {}

    def find(hash: str) -> None:
        if hash not in held:
            with suppress(LookupError):
                held[hash] = look_up(hash)

    for hash, parents, date in commits:
        dates[hash] = date
        for parent in parents:
            children.setdefault(parent, []).append(hash)
        if not held:
            held[hash] = row
        elif hash in before:
            held[hash] = before[hash]
        else:
            above = children[hash]
            if any(c not in held or dates[c] <= earliest for c in above):
                continue
            if all(_alike(held[above[0]], held[child]) for child in above[1:]):
                held[hash] = held[above[0]]
            else:
                find(hash)
    found: list[Step] = []
    may_hide = False
    for parent, group in children.items():
        for child in group if len(group) > 1 else ():
            if (child, parent) in told or dates[child] < earliest:
                continue
            find(child)
            find(parent)
            if child not in held or parent not in held:
                continue
            one, other = held[parent], held[child]
            may_hide |= one is None and other is None
            if not _alike(one, other):
                made = datetime.fromtimestamp(dates[child], UTC)
                found.append(Step(child, parent, made, _change(key, one, other)))
    return LeftOut(tuple(found), may_hide)


def _alike(one: Row | None, other: Row | None) -> bool:
    if one is None or other is None or one is other:
        return one is other
    return all(same(value, other.get(column)) for column, value in one.items())


def _change(key: Key, before: Row | None, after: Row | None) -> RowChange:
    kind = ChangeKind.CHANGED
    if before is None:
        kind = ChangeKind.ADDED
    elif after is None:
        kind = ChangeKind.REMOVED
    return RowChange(kind, key, before, after)

"""
Steps of a row's way that an engine leaves out, and what the row was at each commit.

Dolt's ``dolt_diff_<table>`` goes from children to parents, last parent first, and
compares each commit with one child, the last that it came by until then: of the
first commits after a fork it forgets all others, also if it is asked for them
together (1.83.2, ``DiffPartitions`` in its source). Asked for one of them, it takes
as long as all that this one changed: 1.6 s for a million rows. And it goes no
further, on any branch, once it meets a state whose table has another key.

But whom it compared is known, so what the row was at each commit follows from the
steps that are there: a step that leads to a commit says what was there before, and
without one, it holds what its child holds that was compared with it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
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


#: What a row was at commits, by hash; None where it was not there.
Held = Mapping[str, Row | None]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """
    ``may_hide`` tells whether a pair was met that an engine did not compare and
    where the row seems to be missing on both sides: if steps that removed it were
    not asked for, it may be there.
    """

    steps: tuple[Step, ...]
    may_hide: bool
    held: Held  # as far as the steps tell


#: A commit's hash, its parents, and when it was made: seconds since 1970.
Descendant = tuple[str, Sequence[str], float]


def left_out(
    commits: Iterable[Descendant],
    compared: Mapping[str, str],
    key: Key,
    row: Row | None,
    steps: Iterable[Step],
    *,
    since: float | None,
    look_up: Callable[[str], Row | None],
) -> LeftOut:
    """
    What is missing among ``steps``, of ``commits`` made ``since`` then or of all.

    ``compared`` says with which child the engine compared a commit, in the order
    in which it came by them; the first, which has none, holds ``row``. All steps
    between these that are later than ``since`` have to be there. ``look_up`` asks
    for the row as a hash has it, and raises ``LookupError`` where that can't be
    told: it is called of commits that the engine did not come by. One at a time:
    joined by UNION, a hundred take Dolt ten times as long.
    """
    steps = list(steps)
    there = {hash: (parents, date) for hash, parents, date in commits}
    dates = {hash: date for hash, (_, date) in there.items()}
    held = held_at(compared, dates, row, steps, since=since)
    told = {(step.commit, step.parent) for step in steps}
    earliest = float("-inf") if since is None else since
    found: list[Step] = []
    may_hide = False

    def find(hash: str) -> bool:
        if hash not in held:
            with suppress(LookupError):
                held[hash] = look_up(hash)
        return hash in held

    for child, (parents, date) in there.items():
        for parent in parents if date >= earliest else ():
            if (
                compared.get(parent) == child
                or (child, parent) in told
                or parent not in there
            ):
                continue
            if not find(child) or not find(parent):
                continue
            one, other = held[parent], held[child]
            may_hide |= one is None and other is None
            if not _alike(one, other):
                made = datetime.fromtimestamp(date, UTC)
                found.append(Step(child, parent, made, _change(key, one, other)))
    return LeftOut(tuple(found), may_hide, held)


def held_at(
    compared: Mapping[str, str],
    dates: Mapping[str, float],
    row: Row | None,
    steps: Iterable[Step],
    *,
    since: float | None,
) -> dict[str, Row | None]:
    """What the row was at commits: see ``left_out()``. Asks for nothing."""
    before = {step.parent: step.change.before for step in steps}
    earliest = float("-inf") if since is None else since
    held: dict[str, Row | None] = {}
    for hash, child in compared.items():
        if not child:
            held[hash] = row
        elif hash in before:
            held[hash] = before[hash]
        elif child in held and dates[child] > earliest:
            held[hash] = held[child]
    return held


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

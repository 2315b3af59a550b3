"""What was measured, and what it is held against."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

WARM_UP = 3  # times that are not counted
RUN = 5  # times in a row, where works take turns


@dataclass(frozen=True)
class Figure:
    """
    One line of the results. ``value`` is in ``unit``; ``at_most`` or
    ``at_least`` is what it should be held to, in the same unit, if anything.
    """

    group: str
    name: str
    value: float
    unit: str  # "ms", "s", "times", "a second", "MB"
    at_most: float | None = None
    at_least: float | None = None

    @property
    def holds(self) -> bool | None:
        """Whether the line is met; None where there is none."""
        if self.at_most is not None:
            return self.value <= self.at_most
        if self.at_least is not None:
            return self.value >= self.at_least
        return None

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"holds": self.holds}


def timed(work: Callable[[], Any]) -> float:
    """How long something takes once, in milliseconds."""
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


def times(work: Callable[[], Any], count: int) -> list[float]:
    """How long something takes, ``count`` times over, in milliseconds."""
    for _ in range(WARM_UP):
        work()
    return [timed(work) for _ in range(count)]


def in_turns(works: Sequence[Callable[[], Any]], count: int) -> list[list[float]]:
    """
    ``times()`` of each of some works, a few times one and a few times the next,
    so that a machine that is busy for a while is so for all of them alike.
    """
    found: list[list[float]] = [[] for _ in works]
    for _ in range(count // RUN):
        for took, work in zip(found, works, strict=True):
            took += times(work, RUN)
    return found


def median(values: Sequence[float]) -> float:
    return percentile(values, 50)


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that ``percent`` of all values don't exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]

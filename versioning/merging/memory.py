"""
What was found out about merges, by their hashes: that does not change.

It is remembered within a process, as on DoltLite each look at a merge takes the
file's only write lock.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, TypeVar

REMEMBERED = 64  # answers

T = TypeVar("T")

_memory: OrderedDict[Any, Any] = OrderedDict()
_lock = threading.Lock()


def remember(key: tuple[Any, ...], find: Callable[[], T]) -> T:
    """
    ``find()``, or what it gave for the same key before.

    A target that moved is noticed by the caller, who compares hashes: what is
    remembered stays true of the three that it is about.
    """
    before: T | None = known(key)
    if before is not None:
        return before
    found = find()
    with _lock:
        _memory[key] = found
        while len(_memory) > REMEMBERED:
            _memory.popitem(last=False)
    return found


def known(key: tuple[Any, ...]) -> Any:
    """What is remembered for a key, or None."""
    with _lock:
        if key not in _memory:
            return None
        _memory.move_to_end(key)
        return _memory[key]


def drop(key: tuple[Any, ...]) -> None:
    """Forget what is remembered for a key, as it may be otherwise next time."""
    with _lock:
        _memory.pop(key, None)


def recall(*beginning: Any) -> list[Any]:
    """All that is remembered for keys that begin like this."""
    with _lock:
        return [
            found
            for key, found in _memory.items()
            if key[: len(beginning)] == beginning
        ]


def forget() -> None:
    """Drop what is remembered, as policies have changed. For tests."""
    with _lock:
        _memory.clear()

"""
What never changes of commits: asked of an engine once, and kept.

A hash stands for what it was made of, so whatever is said of hashes alone holds
for good, for every connection and every request of the process.
"""

import threading
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

KEPT = 4000  # facts

_Fact = TypeVar("_Fact")


class Facts:
    """Answers by question; the oldest is forgotten first."""

    def __init__(self) -> None:
        self._known: dict[Hashable, Any] = {}
        self._lock = threading.Lock()

    def get(self, what: Hashable, ask: Callable[[], _Fact]) -> _Fact:
        """The answer, from ``ask()`` if it is not known; nobody may alter it."""
        found: _Fact
        try:
            found = self._known[what]
        except KeyError:
            found = ask()
            with self._lock:
                self._known[what] = found
                while len(self._known) > KEPT:
                    del self._known[next(iter(self._known))]
        return found

    def peek(self, what: Hashable) -> Any:
        """The answer if it is known, else None."""
        return self._known.get(what)

    def drop(self, what: Hashable) -> None:
        """Ask this one anew."""
        with self._lock:
            self._known.pop(what, None)

    def forget(self) -> None:
        """All of it. For tests."""
        with self._lock:
            self._known.clear()

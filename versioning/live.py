"""Whether what a page shows has moved on since it was made."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from versioning import names
from versioning.backends.repository import Branch, Repository


@dataclass(frozen=True, slots=True)
class News:
    """A branch that has another head than a page shows."""

    branch: str
    new: int | None  # commits; None if it is gone, or was put back


def news(repository: Repository, seen: Mapping[str, str]) -> list[News]:
    """
    What is new on branches since their heads were ``seen``: hashes by name.
    Asks the engine twice at most.
    """
    shown = {name: hash for name, hash in seen.items() if not names.is_hidden(name)}
    return [
        News(name, new or None) for name, new in repository.new_commits(shown).items()
    ]


def fingerprint(branches: Iterable[Branch]) -> str:
    """What tells a list of branches, with their heads, from any other: 32 digits."""
    lines = sorted(
        f"{branch.head} {branch.dirty:d} {branch.name}"
        for branch in branches
        if not names.is_hidden(branch.name)
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:32]

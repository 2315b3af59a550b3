"""
Kinds of commit that come in runs, which the log folds into one line.

An app names a kind once, in its ``versioned.py``, and marks each commit of it:
``describe("Vote for …", kind="vote", about="What’s up?")``. Both are kept in
the commit itself, as trailers, so they are there whoever reads it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

KIND = "Kind"  # trailers
ABOUT = "About"


@dataclass(frozen=True, slots=True)
class Kind:
    """What one and many of them are called, and what they are about."""

    name: str
    one: str
    many: str
    about_one: str
    about_many: str

    def count(self, number: int, subjects: int) -> str:
        """“37 votes on 3 questions”; without subjects “37 votes”."""
        words = f"{number} {self.one if number == 1 else self.many}"
        if not subjects:
            return words
        return f"{words} on {subjects} " + (
            self.about_one if subjects == 1 else self.about_many
        )


_kinds: dict[str, Kind] = {}


def register_kind(
    name: str, *, one: str, many: str, about_one: str, about_many: str
) -> None:
    """
    Have runs of commits of this kind folded: ``register_kind("vote",
    one="vote", many="votes", about_one="question", about_many="questions")``.
    """
    _kinds[name] = Kind(name, one, many, about_one, about_many)


def kind_of(trailers: Mapping[str, str]) -> Kind | None:
    """The registered kind that a commit’s trailers name, if they do."""
    return _kinds.get(trailers.get(KIND, ""))

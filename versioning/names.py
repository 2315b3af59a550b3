"""
What a new branch or a new tag may be called.

Branches made outside this console may have any name that their engine takes,
and are listed and linked as they are. Names given here are kept to what both
engines, a URL, a shell and a reader can all carry.
"""

import re
from collections.abc import Iterable

from versioning.backends.repository import Repository

#: The longest name, in characters. (DoltLite rebases no branch of more bytes.)
MAX_LENGTH = 63

#: What a name is made of, in words; see ``_FORBIDDEN``.
MAY_HOLD = "Letters, digits, dots, dashes, underscores and slashes"

_HASH = re.compile(r"[0-9a-v]{32}|[0-9a-f]{40}")
_SHORT_HASH = re.compile(r"[0-9a-v]{7,40}")
_FORBIDDEN = re.compile(r"[^A-Za-z0-9._/-]")
_RESERVED_WORDS = frozenset({"head", "working", "staged"})
_RESERVED_PREFIXES = ("pollard/", "dolt_rebase_", "refs/", "remotes/")


def is_hash(text: str) -> bool:
    """Whether a text has the form of a full commit hash, of either engine."""
    return _HASH.fullmatch(text) is not None


def begins_hash(text: str) -> bool:
    """Whether a text is as much of a hash as pages show, or more of it."""
    return _SHORT_HASH.fullmatch(text) is not None


def is_hidden(branch: str) -> bool:
    """Whether a branch is a landing's own, never shown and never counted."""
    return branch.startswith(Repository.CANDIDATES)


def refusal(
    name: str, taken: Iterable[str] = (), *, what: str = "branch"
) -> str | None:
    """
    Why ``name`` can't be given to a branch, as a sentence; None if it can.

    ``taken`` are the names of the branches there are; ``what`` is "tag" where
    it is about those. Two names that differ by
    case alone count as one, as they do for the engines.
    """
    return _form_refusal(name, what) or _taken_refusal(name, taken, what)


def _form_refusal(name: str, what: str) -> str | None:
    if not name:
        return f"A {what} needs a name."
    if len(name) > MAX_LENGTH:
        return f"A name has {MAX_LENGTH} characters at most; this one has {len(name)}."
    if stray := _FORBIDDEN.search(name):
        return (
            "A name is made of the letters a to z, digits, dots, dashes, underscores "
            f"and slashes; {_spoken(stray[0])} is none of them."
        )
    if not name[0].isalnum():
        return f"A name begins with a letter or a digit, not with “{name[0]}”."
    if name.endswith(("/", ".")):
        return f"A name can’t end in “{name[-1]}”."
    if "//" in name:
        return "A name can’t have two slashes in a row."
    if ".." in name:
        return "A name can’t have two dots in a row."
    for part in name.split("/"):
        if part.startswith("."):
            return "No part of a name can begin with a dot."
        if part.lower().endswith(".lock"):
            return "No part of a name can end in “.lock”."
    return _reserved_refusal(name, what)


def _reserved_refusal(name: str, what: str) -> str | None:
    lower = name.lower()
    if lower in _RESERVED_WORDS:
        return f"“{name}” has a meaning of its own and can’t be a {what}."
    if _HASH.fullmatch(lower):
        return f"This name looks like the hash of a commit, so it can’t be a {what}."
    for prefix in _RESERVED_PREFIXES:
        if lower.startswith(prefix):
            return (
                f"Names that begin with “{prefix}” are kept for the system’s own use."
            )
    return None


def _taken_refusal(name: str, taken: Iterable[str], what: str) -> str | None:
    for other in taken:
        if other == name:
            return f"There is already a {what} “{name}”."
        if other.lower() == name.lower():
            return f"There is already a {what} “{other}”, which differs only by case."
    return None


def _spoken(character: str) -> str:
    """A character as a sentence can hold it."""
    if character == " ":
        return "a space"
    if character.isprintable() and not character.isspace():
        return f"“{character}”"
    return f"the character U+{ord(character):04X}"

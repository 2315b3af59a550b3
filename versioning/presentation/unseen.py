"""Signs that nobody sees, and that make two texts others all the same."""

import re
from collections.abc import Iterable
from unicodedata import category, combining, normalize

# Nearly all texts hold none of these.
_SUSPECT = re.compile(r"[^\t\n\r\x20-\x7e]")
_SEEN = frozenset("\t\n\r")  # as the pages show blanks


def looks(text: str) -> str:
    """What a text looks like: the same for all that nobody could tell apart."""
    if not _SUSPECT.search(text):
        return text
    return normalize("NFC", "".join(sign for sign in text if not _is_unseen(sign)))


def spelled(text: str, alike: Iterable[str]) -> str:
    """
    One of several texts that look alike, with the numbers of the signs by which
    they differ: those that can't be seen or, if it is not these, accents too.
    """
    shown = {"".join(sign for sign in one if not _is_unseen(sign)) for one in alike}
    by_accents = len(shown) > 1
    return "".join(
        f"[U+{ord(sign):04X}]"
        if _is_unseen(sign) or (by_accents and _is_accented(sign))
        else sign
        for sign in text
    )


def _is_unseen(sign: str) -> bool:
    return category(sign) in ("Cc", "Cf") and sign not in _SEEN


def _is_accented(sign: str) -> bool:
    return bool(combining(sign)) or normalize("NFD", sign) != sign

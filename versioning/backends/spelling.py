"""When two texts are the same to who looks for one: whatever the case and accents."""

import json
import re
from unicodedata import combining, normalize

# Signs above and below a letter; vowels and the like, which some scripts write in
# the same way, have lower classes.
_ACCENTS = 200
_ESCAPED = re.compile(r"((?:\\u[0-9a-fA-F]{4})+)|\\.")
_HALF = re.compile("[\ud800-\udfff]")


def folded(text: str) -> str:
    """A text without case and accents, to be compared; “ß” is “ss”."""
    return text.lower() if text.isascii() else _plain(text) or text


def folded_signs(text: str) -> list[str]:
    """What becomes of each sign of ``folded()``, which may be none or several."""
    if text.isascii():
        return list(text.lower())
    signs = [_plain(sign) for sign in text]
    return signs if any(signs) else list(text)


def _plain(text: str) -> str:
    signs = normalize("NFD", normalize("NFD", text).casefold())
    return "".join(sign for sign in signs if combining(sign) < _ACCENTS)


def readable(document: str) -> str:
    """JSON with the signs that it holds where it has their numbers: “\\u00eb”."""
    return _ESCAPED.sub(_unescaped, document)


def _unescaped(match: re.Match[str]) -> str:
    if not match[1]:
        return match[0]
    text: str = json.loads(f'"{match[1]}"')
    return match[0] if _HALF.search(text) else text

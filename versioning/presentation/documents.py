"""JSON as people compare it: a line for each value, keys in order, nothing lost."""

import json
import re
from collections.abc import Iterator
from typing import Any

INDENT = "  "
_HALF = re.compile("[\ud800-\udfff]")  # of a pair: no sign by itself, and no UTF-8


class _Number(str):
    """A number as it is written: a float would not hold every digit of it."""


class _Pairs(list[tuple[str, Any]]):
    """An object's members; a key that stands there twice is there twice."""


def pretty(text: str) -> str:
    """
    A JSON document with sorted keys, one value a line. Numbers stay as they
    are written. Raises ``ValueError`` for what is no JSON, and for what is nested
    too deep to be looked into.
    """
    try:
        document = json.loads(
            text,
            parse_int=_Number,
            parse_float=_Number,
            parse_constant=_Number,
            object_pairs_hook=_Pairs,
        )
        return "\n".join(_lines(document, ""))
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def _lines(value: Any, indent: str, before: str = "", after: str = "") -> Iterator[str]:
    """The lines of a value; ``before`` and ``after`` stand around it."""
    deeper = indent + INDENT
    if isinstance(value, _Pairs) and value:
        yield f"{indent}{before}{{"
        members = sorted(value, key=lambda member: member[0])
        for number, (key, member) in enumerate(members, 1):
            comma = "," if number < len(members) else ""
            yield from _lines(member, deeper, f"{_quoted(key)}: ", comma)
        yield f"{indent}}}{after}"
    elif isinstance(value, list) and not isinstance(value, _Pairs) and value:
        yield f"{indent}{before}["
        for number, member in enumerate(value, 1):
            yield from _lines(member, deeper, "", "," if number < len(value) else "")
        yield f"{indent}]{after}"
    else:
        yield f"{indent}{before}{_plain(value)}{after}"


def _plain(value: Any) -> str:
    if isinstance(value, _Number):
        return value
    if isinstance(value, _Pairs):
        return "{}"
    return _quoted(value)


def _quoted(value: Any) -> str:
    return with_halves_escaped(json.dumps(value, ensure_ascii=False))


def with_halves_escaped(document: str) -> str:
    """JSON that can be sent: a half that a document holds is in it as an escape."""
    return _HALF.sub(lambda half: f"\\u{ord(half[0]):04x}", document)

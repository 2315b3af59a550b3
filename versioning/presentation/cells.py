"""
One cell as a page shows it.

What differs in the database looks different on the page: NULL, empty text and
white space are told apart, a time has its exact value at hand, and bytes do
not pretend to be text.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeVar, cast

from django.db import models
from django.utils import formats, timezone

from versioning.backends.equality import same
from versioning.moments import local
from versioning.presentation.documents import pretty
from versioning.presentation.lines import TextLine, unified
from versioning.presentation.unseen import looks, spelled
from versioning.presentation.words import Segment, mark, plain, visible

FOLD_AT = 400  # characters; a longer text is shown folded
OPENING = 80  # characters of a folded text
BYTES_SHOWN = 24
CUT_AT = 20_000  # characters; a longer text is on a page of its own


class Kind(StrEnum):
    """What the template tells apart."""

    NULL = "null"
    EMPTY = "empty"
    BLANK = "blank"  # white space alone
    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    TIME = "time"
    BYTES = "bytes"
    JSON = "json"
    CHOICE = "choice"
    RELATED = "related"
    HIDDEN = "hidden"  # from this reader


@dataclass(frozen=True, slots=True)
class Shown:
    """A value on a page. ``raw`` is the stored value as text, where it differs."""

    kind: Kind
    text: str
    raw: str = ""
    segments: tuple[Segment, ...] = ()
    datetime: str = ""  # ISO 8601, for <time>
    whole: bytes = b""  # of bytes
    start: int = 0  # where the part of a long text begins that is shown
    stored: Any = field(default=None, compare=False)  # the driver's value, if known

    @property
    def long(self) -> bool:
        return len(self.text) > FOLD_AT or self.text.count("\n") > 12

    @property
    def opening(self) -> str:
        """The beginning of a long text, or where it differs, for its fold."""
        end = self.start + OPENING
        part = self.text[self.start : end].replace("\n", " ").rstrip()
        before, after = self.start > 0, end < len(self.text)
        return f"{'…' if before else ''}{part}{'…' if after else ''}"

    @property
    def is_cut(self) -> bool:
        """Whether it is too long for a page that shows other things."""
        return len(self.text) > CUT_AT

    @property
    def whole_text(self) -> str:
        """All of it, for a page of its own: bytes as pairs of digits."""
        return self.whole.hex(" ") if self.kind is Kind.BYTES else self.text


@dataclass(frozen=True, slots=True)
class CellChange:
    """A column of one row in two states; None where there is no such cell."""

    column: str
    name: str
    before: Shown | None
    after: Shown | None
    changed: bool
    is_key: bool = False
    lines: tuple[TextLine, ...] = ()  # where both are texts of several lines
    renamed_from: str = ""  # the column's name in the earlier state, if another


def show(
    value: Any, field: models.Field[Any, Any] | None = None, *, raw: Any = None
) -> Shown:
    """
    How a field value is shown. ``raw`` is the driver's value it came from: it
    tells NULL from the JSON document ``null``, and NaN from a number.
    """
    return replace(_show(value, field, raw), stored=raw)


def _show(value: Any, field: models.Field[Any, Any] | None, raw: Any) -> Shown:
    stored = value if raw is None else raw
    if value is None and (stored is None or not isinstance(field, models.JSONField)):
        return Shown(Kind.NULL, "no value", raw="NULL")
    if isinstance(field, models.JSONField):
        return _json(value, raw)
    for choice, label in getattr(field, "flatchoices", ()):
        if choice == value:
            return Shown(Kind.CHOICE, str(label), raw=str(stored))
    return _by_type(value)


def _by_type(value: Any) -> Shown:
    match value:
        case bool():
            return Shown(Kind.BOOLEAN, "Yes" if value else "No")
        case dt.datetime():
            return _time(value)
        case dt.date():
            shown = formats.date_format(value, "j F Y")
            return Shown(Kind.TIME, shown, datetime=value.isoformat())
        case dt.time():
            return Shown(Kind.TIME, value.isoformat(), datetime=value.isoformat())
        case bytes() | bytearray() | memoryview():
            return _bytes(bytes(value))
        case str():
            return _text(value)
        case Decimal():
            return Shown(Kind.NUMBER, format(value, "f"))
        case int() | float():
            return Shown(Kind.NUMBER, str(value))
    return Shown(Kind.TEXT, str(value), segments=plain(str(value)))


def _text(value: str) -> Shown:
    if not value:
        return Shown(Kind.EMPTY, "empty text")
    if not looks(value).strip():
        what = "space" if not value.strip(" ") else "blank character"
        return Shown(Kind.BLANK, visible(value), raw=_count(len(value), what))
    return Shown(Kind.TEXT, value, segments=plain(value))


def _time(value: dt.datetime) -> Shown:
    """In the reader's time zone; exact to the microsecond in ``raw``."""
    if timezone.is_aware(value):
        value = local(value)
    exact = value.isoformat(sep=" ")
    return Shown(
        Kind.TIME,
        formats.date_format(value, "j F Y, H:i:s") + _fraction(value),
        raw=exact,
        datetime=value.isoformat(),
    )


def _fraction(value: dt.datetime) -> str:
    """What tells two times within one second apart."""
    return f".{value.microsecond:06d}".rstrip("0") if value.microsecond else ""


def _bytes(value: bytes) -> Shown:
    start = value[:BYTES_SHOWN].hex(" ")
    if len(value) > BYTES_SHOWN:
        start += " …"
    size = _count(len(value), "byte")
    return Shown(Kind.BYTES, start or "none", raw=size, whole=value)


def _json(value: Any, raw: Any) -> Shown:
    """From the stored text, where there is one: its numbers are exact."""
    try:
        text = pretty(raw if isinstance(raw, str) else json.dumps(value))
    except (ValueError, TypeError):
        text = raw if isinstance(raw, str) else str(value)
    return Shown(Kind.JSON, text, segments=plain(text))


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def related(name: str, raw: Any) -> Shown:
    """A reference to another row, by that row's name."""
    return Shown(Kind.RELATED, name, raw=str(raw), segments=plain(name), stored=raw)


#: In place of a value that the reader may not see.
HIDDEN = Shown(Kind.HIDDEN, "hidden", raw="You may not see this column")

_MARKED = frozenset({Kind.TEXT, Kind.JSON})
_BEFORE = 20  # characters shown before a difference


#: Kinds of values of which two that are not the same may look so.
_MAY_LOOK_ALIKE = frozenset(Kind) - {Kind.NULL, Kind.EMPTY, Kind.BLANK, Kind.BYTES}
_OFFSET = re.compile(r"[+-]\d\d:\d\d$")

_Version = TypeVar("_Version", bound=Shown | None)


def told_apart(versions: Sequence[_Version]) -> list[_Version]:
    """
    Versions of one value; those that look alike and are not, with what tells one
    from the other: two rows of one name, an hour that comes twice, numbers that
    a field rounds, documents whose keys are in another order, signs that can't be
    seen.
    """
    alike: dict[tuple[Kind, str], list[Shown]] = defaultdict(list)
    for one in versions:
        if one is not None and one.stored is not None and one.kind in _MAY_LOOK_ALIKE:
            alike[one.kind, looks(one.text)].append(one)
    worded = {
        look: _telling_apart(group)
        for look, group in alike.items()
        if not all(same(group[0].stored, one.stored) for one in group)
    }
    if not worded:
        return list(versions)
    return [
        cast(_Version, _reworded(one, word(one)))
        if one is not None and (word := worded.get((one.kind, looks(one.text))))
        else one
        for one in versions
    ]


def _reworded(shown: Shown, text: str) -> Shown:
    return replace(shown, text=text, segments=plain(text) if shown.segments else ())


def _telling_apart(alike: Sequence[Shown]) -> Callable[[Shown], str]:
    """How to word versions that look alike, so that they do not."""
    if len({one.text for one in alike}) > 1:
        return lambda shown: spelled(shown.text, [one.text for one in alike])
    return _with_offset if _have_offsets(alike) else _as_stored


def _have_offsets(alike: Sequence[Shown]) -> bool:
    """Whether times differ by how far their zone is from UTC."""
    return len({_with_offset(one) for one in alike}) > 1


def _with_offset(shown: Shown) -> str:
    found = _OFFSET.search(shown.datetime)
    return f"{shown.text} UTC{found.group()}" if found else shown.text


def _as_stored(shown: Shown) -> str:
    if shown.kind in (Kind.RELATED, Kind.CHOICE, Kind.BOOLEAN):
        return f"{shown.text} ({shown.stored})"
    return str(shown.stored)


def with_marks(before: Shown, after: Shown) -> tuple[Shown, Shown]:
    """Both texts with the words marked that the other lacks."""
    if before.kind is Kind.BYTES and after.kind is Kind.BYTES:
        return _bytes_from(before, after)
    if before.kind in _MARKED and after.kind in _MARKED:
        if not (before.is_cut or after.is_cut):
            old, new = mark(before.text, after.text)
            before, after = replace(before, segments=old), replace(after, segments=new)
        start = _where_apart([before, after])
        return replace(before, start=start), replace(after, start=start)
    return before, after


def opened_apart(versions: Sequence[Shown | None]) -> list[Shown | None]:
    """
    Versions of one value, the folds of long ones open where they first differ:
    several with the same beginning would look alike.
    """
    texts = [one for one in versions if one is not None and one.kind in _MARKED]
    start = _where_apart(texts)
    return [
        replace(shown, start=start) if shown and shown.kind in _MARKED else shown
        for shown in versions
    ]


def _where_apart(texts: Sequence[Shown]) -> int:
    """Where their folds are to open; 0 for where each begins."""
    if len(texts) < 2 or not any(one.long for one in texts):
        return 0
    one, *others = (shown.text for shown in texts)
    first = min(_first_difference(one, other) for other in others)
    if first <= OPENING - _BEFORE:
        return 0
    start = first - _BEFORE
    return one.rfind(" ", start - _BEFORE, start) + 1 or start


def _bytes_from(before: Shown, after: Shown) -> tuple[Shown, Shown]:
    """Both from where they differ, if that is beyond what is shown of them."""
    first = _first_difference(before.whole, after.whole)
    if first < BYTES_SHOWN:
        return before, after

    def shown(side: Shown) -> Shown:
        part = side.whole[first : first + BYTES_SHOWN].hex(" ") or "nothing"
        more = " …" if len(side.whole) > first + BYTES_SHOWN else ""
        return replace(side, text=f"from byte {first}: {part}{more}")

    return shown(before), shown(after)


def _first_difference(one: Any, other: Any) -> int:
    """The place of the first character, or byte, that is not the same."""
    low, high = 0, min(len(one), len(other))
    while low < high:  # in halves, which are compared at once
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def line_by_line(before: Shown, after: Shown) -> tuple[TextLine, ...]:
    """Both texts as one, by lines, where either has several; else nothing."""
    kinds = {before.kind, after.kind}
    if (
        before.is_cut
        or after.is_cut
        or not kinds <= _MARKED
        or not ("\n" in before.text or "\n" in after.text)
    ):
        return ()
    return unified(before.text, after.text)

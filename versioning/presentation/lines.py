"""Two texts of several lines, line by line: what stays, what goes, what comes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from itertools import zip_longest

from versioning.presentation.words import Segment, common_start, mark, plain

CONTEXT = 3  # lines around a change
SHOWN = 400  # lines of one cell; what is beyond is counted
#: Above this product of line counts the middle counts as changed as a whole.
_LARGE = 1_000_000


class LineKind(StrEnum):
    SAME = "same"
    REMOVED = "removed"
    ADDED = "added"
    GAP = "gap"  # lines that are the same and left out
    CUT = "cut"  # the rest, in which others differ


@dataclass(frozen=True, slots=True)
class TextLine:
    """A line of either text; ``count`` says how many are left out in its place."""

    kind: LineKind
    segments: tuple[Segment, ...] = ()
    count: int = 0


def unified(before: str, after: str) -> tuple[TextLine, ...]:
    """What differs, with the lines around it; words marked where one changed."""
    old, new = before.split("\n"), after.split("\n")
    found = list(_unified(old, new))
    if len(found) <= SHOWN:
        return tuple(found)
    rest = found[SHOWN:]
    differ = any(line.kind in (LineKind.REMOVED, LineKind.ADDED) for line in rest)
    count = sum(line.count or 1 for line in rest)
    kind = LineKind.CUT if differ else LineKind.GAP
    return (*found[:SHOWN], TextLine(kind, count=count))


def in_columns(
    lines: Sequence[TextLine],
) -> tuple[tuple[TextLine | None, ...], tuple[TextLine | None, ...]]:
    """
    Lines that are told as one, as those of the old text and of the new, of which
    what stays has the same place; None is a place that the other side alone has.
    """
    old: list[TextLine | None] = []
    new: list[TextLine | None] = []
    for line in lines:
        if line.kind is LineKind.REMOVED:
            old.append(line)
        elif line.kind is LineKind.ADDED:
            new.append(line)
        else:
            _level(old, new)
            old.append(line)
            new.append(line)
    _level(old, new)
    return tuple(old), tuple(new)


def _level(old: list[TextLine | None], new: list[TextLine | None]) -> None:
    """Make both as long as the longer one is."""
    old += [None] * (len(new) - len(old))
    new += [None] * (len(old) - len(new))


def _unified(old: Sequence[str], new: Sequence[str]) -> Iterator[TextLine]:
    seen = 0  # lines of the old text that are told of
    for group in _groups(old, new):
        if gap := group[0][1] - seen:
            yield TextLine(LineKind.GAP, count=gap)
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                for text in old[i1:i2]:
                    yield TextLine(LineKind.SAME, plain(text, outer=False))
            else:
                yield from _changed(old[i1:i2], new[j1:j2])
            seen = i2
    if gap := len(old) - seen:
        yield TextLine(LineKind.GAP, count=gap)


Opcode = tuple[str, int, int, int, int]


def _groups(old: Sequence[str], new: Sequence[str]) -> list[list[Opcode]]:
    """As ``get_grouped_opcodes()``, in time that long texts allow."""
    head = common_start(old, new)
    tail = common_start(old[head:][::-1], new[head:][::-1])
    middle_old, middle_new = old[head : len(old) - tail], new[head : len(new) - tail]
    opcodes: list[Opcode] = [("equal", 0, head, 0, head)] if head else []
    if len(middle_old) * len(middle_new) > _LARGE:
        inner: list[Opcode] = [("replace", 0, len(middle_old), 0, len(middle_new))]
    else:
        matcher = SequenceMatcher(None, middle_old, middle_new, autojunk=False)
        inner = [(op[0], *op[1:]) for op in matcher.get_opcodes()]
    opcodes += [
        (tag, i1 + head, i2 + head, j1 + head, j2 + head)
        for tag, i1, i2, j1, j2 in inner
    ]
    if tail:
        i, j = len(old) - tail, len(new) - tail
        opcodes.append(("equal", i, len(old), j, len(new)))
    return _grouped(opcodes)


def _grouped(opcodes: Sequence[Opcode]) -> list[list[Opcode]]:
    groups: list[list[Opcode]] = [[]]
    last = len(opcodes) - 1
    for number, (tag, i1, i2, j1, j2) in enumerate(opcodes):
        if tag == "equal":
            if number == 0:
                i1, j1 = max(i1, i2 - CONTEXT), max(j1, j2 - CONTEXT)
            elif number == last:
                i2, j2 = min(i2, i1 + CONTEXT), min(j2, j1 + CONTEXT)
            elif i2 - i1 > 2 * CONTEXT:
                groups[-1].append((tag, i1, i1 + CONTEXT, j1, j1 + CONTEXT))
                groups.append([])
                i1, j1 = i2 - CONTEXT, j2 - CONTEXT
        groups[-1].append((tag, i1, i2, j1, j2))
    return [group for group in groups if group]


def _changed(old: Sequence[str], new: Sequence[str]) -> Iterator[TextLine]:
    """
    Lines that go, then those that come; words marked between pairs of them. A
    line that has no counterpart changed as a whole, which its sign tells.
    """
    pairs = [
        mark(one, other, outer=False)
        if one is not None and other is not None
        else (
            plain(one or "", outer=False),
            plain(other or "", outer=False),
        )
        for one, other in zip_longest(old, new)
    ]
    for left, _ in pairs[: len(old)]:
        yield TextLine(LineKind.REMOVED, left)
    for _, right in pairs[: len(new)]:
        yield TextLine(LineKind.ADDED, right)

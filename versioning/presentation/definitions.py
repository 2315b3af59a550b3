"""Two definitions of one table, part by part: its columns and its rules."""

import re
from dataclasses import dataclass
from enum import StrEnum

from versioning.presentation.cells import Shown, show, with_marks

_QUOTED = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`""")
_NAME = r'["`](?P<quoted>(?:[^"`]|""|``)+)["`]|(?P<bare>\w+)'
_NAMED = re.compile(_NAME)
_TABLE = re.compile(rf"CREATE TABLE\s+(?:{_NAME})", re.I)
_NO_COLUMN = re.compile(
    r"(CONSTRAINT|PRIMARY|UNIQUE|CHECK|FOREIGN|KEY|INDEX|FULLTEXT|SPATIAL)\b", re.I
)
_RULE = re.compile(
    r'((?:CONSTRAINT|(?:UNIQUE |FULLTEXT |SPATIAL )?KEY)\s+["`][^"`]+["`])', re.I
)


class PartKind(StrEnum):
    COLUMN = "column"
    RULE = "rule"  # a key, a constraint
    OTHER = "other"  # what stands after the brackets


@dataclass(frozen=True, slots=True)
class Part:
    """``name`` tells parts of one kind apart: a column's name, a rule's start."""

    kind: PartKind
    name: str
    text: str

    @property
    def key(self) -> tuple[PartKind, str]:
        return self.kind, self.name


def parts(definition: str) -> list[Part]:
    """
    The parts of a CREATE TABLE statement as either engine writes it. Of a
    text that is none, each line.
    """
    inner, tail = _within_brackets(definition)
    if inner is None:
        lines = [line.strip() for line in definition.splitlines()]
        return [Part(PartKind.OTHER, line, line) for line in lines if line]
    found = [_part(text) for text in inner]
    tail = tail.strip().rstrip(";")
    return [*found, Part(PartKind.OTHER, "", tail)] if tail else found


def table_of(definition: str) -> str:
    """The name that a definition gives its table; "" if it is none."""
    match = _TABLE.match(definition)
    return (match["quoted"] or match["bare"]) if match else ""


def _within_brackets(text: str) -> tuple[list[str] | None, str]:
    """What stands between the outer brackets, cut at its commas; and the rest."""
    bare = _QUOTED.sub(lambda match: "_" * len(match[0]), text)  # same places
    start = bare.find("(")
    depth, last, found = 0, start + 1, []
    for place, sign in enumerate(bare):
        if place < start or start < 0:
            continue
        depth += (sign == "(") - (sign == ")")
        if depth == 0 or (depth == 1 and sign == ","):
            found.append(" ".join(text[last:place].split()))
            last = place + 1
        if depth == 0:
            return found, text[last:]
    return None, ""


def _part(text: str) -> Part:
    if not _NO_COLUMN.match(text) and (match := _NAMED.match(text)):
        return Part(PartKind.COLUMN, match["quoted"] or match["bare"], text)
    if match := _RULE.match(text):
        return Part(PartKind.RULE, match[1].replace("`", '"'), text)
    return Part(PartKind.RULE, text, text)


# Side by side -----------------------------------------------------------------


class LineKind(StrEnum):
    """How the two sides of a line stand to each other."""

    SAME = "same"
    DIFFERENT = "different"
    OURS_ONLY = "ours only"
    THEIRS_ONLY = "theirs only"


@dataclass(frozen=True, slots=True)
class Line:
    """One part in both definitions; None where there is no such part."""

    kind: LineKind
    ours: Shown | None
    theirs: Shown | None


def side_by_side(ours: str, theirs: str) -> tuple[Line, ...]:
    """
    Two definitions with like parts on one line, the words marked that differ.
    The order is ours; what only theirs has stands where it has it.
    """
    left = {part.key: part.text for part in parts(ours)}
    right = {part.key: part.text for part in parts(theirs)}
    order = list(left)
    before: tuple[PartKind, str] | None = None
    for key in right:
        if key not in left:
            order.insert(order.index(before) + 1 if before else 0, key)
        before = key
    return tuple(_line(left.get(key), right.get(key)) for key in order)


def _line(ours: str | None, theirs: str | None) -> Line:
    if ours is None:
        return Line(LineKind.THEIRS_ONLY, None, show(theirs))
    if theirs is None:
        return Line(LineKind.OURS_ONLY, show(ours), None)
    if ours == theirs:
        return Line(LineKind.SAME, show(ours), show(theirs))
    return Line(LineKind.DIFFERENT, *with_marks(show(ours), show(theirs)))

"""
What makes one definition of a table another, as statements.

The server's own ``dolt_patch()`` says nothing of checks, of whether a value may
be missing, of a column's place, and names a renamed table wrongly. So its two
CREATE statements are compared, line by line. Where that leads to a table whose
rows would not stay what they are, it has to be made anew.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

_NAMED = re.compile(r"(?P<kind>\D*?)`(?P<name>(?:[^`]|``)*)`(?P<rest>.*)", re.S)
_TAIL = re.compile(r" AUTO_INCREMENT=\d+")
_LENGTH = re.compile(r"varchar\((\d+)\)")
_TEXT = re.compile(r"'(?:[^'\\]|''|\\.)*'")
_WRAPPED = re.compile(r" (?:CHECK|GENERATED ALWAYS AS) \(")


@dataclass(frozen=True, slots=True)
class Definition:
    """A CREATE statement as ``dolt_schema_diff()`` gives it, in its parts."""

    name: str  # quoted, as all names here
    columns: dict[str, str]  # lines by name, in order
    primary: str
    keys: dict[str, str]
    constraints: dict[str, str]
    tail: str

    @classmethod
    def parse(cls, statement: str) -> Self:
        """Raises ``ValueError`` for what the server does not write like this."""
        head, *lines, tail = _lines(statement)
        columns: dict[str, str] = {}
        keys: dict[str, str] = {}
        constraints: dict[str, str] = {}
        primary = ""
        for line in lines:
            if line.startswith("PRIMARY KEY "):
                primary = line
                continue
            named = _NAMED.match(line)
            if named is None:
                raise ValueError(line)
            kinds = {"": columns, "CONSTRAINT": constraints}
            kinds.get(named["kind"].strip(), keys)[f"`{named['name']}`"] = line
        found = _NAMED.match(head)
        if found is None:
            raise ValueError(head)
        name = f"`{found['name']}`"
        tail = _TAIL.sub("", tail)
        return cls(name, columns, primary, keys, constraints, tail)

    @property
    def refers(self) -> bool:
        return any(" FOREIGN KEY " in line for line in self.constraints.values())


@dataclass(frozen=True, slots=True)
class Alteration:
    """Statements to run before the rows are written, and after."""

    first: tuple[str, ...]
    last: tuple[str, ...]


def alteration(before: str, after: str) -> Alteration | None:
    """
    What makes a table of the first CREATE statement one of the second; None if
    it has to be made anew.
    """
    try:
        old, new = Definition.parse(before), Definition.parse(after)
    except ValueError:
        return None
    if (old.name, old.primary, old.tail) != (new.name, new.primary, new.tail):
        return None
    gone = [name for name in old.columns if name not in new.columns]
    added = [name for name in new.columns if name not in old.columns]
    kept = [name for name in old.columns if name in new.columns]
    if gone and added:
        return None  # perhaps one was renamed, and its values stay
    if kept != list(new.columns)[: len(kept)]:
        return None  # new ones are added at the end
    changed = [name for name in kept if old.columns[name] != new.columns[name]]
    if not all(_is_wider(old.columns[c], new.columns[c]) for c in changed):
        return None
    drops = [
        *_gone(old.constraints, new.constraints, "CONSTRAINT"),
        *_gone(old.keys, new.keys, "INDEX"),
    ]
    if (drops or gone) and (old.refers or new.refers):
        return None  # which of them a foreign key needs is the server's to know
    adds = [
        *_added(old.keys, new.keys),
        *_added(old.constraints, new.constraints),
    ]
    first = [
        *drops,
        *(f"DROP COLUMN {name}" for name in gone),
        *(f"MODIFY COLUMN {new.columns[name]}" for name in changed),
        *(f"ADD COLUMN {new.columns[name]}" for name in added),
    ]
    return Alteration(
        tuple(f"ALTER TABLE {new.name} {one}" for one in first),
        tuple(f"ALTER TABLE {new.name} {one}" for one in adds),
    )


def creation(statement: str) -> str:
    """The CREATE statement as it can be run: it leads to the same definition."""
    return "\n".join(_unwrapped(line) for line in _whole_lines(statement))


def _lines(statement: str) -> Iterator[str]:
    """What stands on each line of a statement, without the comma at its end."""
    for line in _whole_lines(statement):
        yield _unwrapped(line).strip().removesuffix(",")


def _whole_lines(statement: str) -> Iterator[str]:
    """Lines; a text within one may have line breaks of its own."""
    line = ""
    for part in statement.rstrip().rstrip(";").split("\n"):
        line = f"{line}\n{part}" if line else part
        if "'" not in _TEXT.sub("", line):
            yield line
            line = ""
    if line:
        yield line


def _gone(old: dict[str, str], new: dict[str, str], kind: str) -> Iterator[str]:
    for name, line in old.items():
        if new.get(name) != line:
            yield f"DROP {kind} {name}"


def _added(old: dict[str, str], new: dict[str, str]) -> Iterator[str]:
    for name, line in new.items():
        if old.get(name) != line:
            yield f"ADD {line}"


def _is_wider(old: str, new: str) -> bool:
    """Whether a column takes all that it took before, as it is."""
    lengths = [_LENGTH.search(line) for line in (old, new)]
    if lengths[0] and lengths[1] and int(lengths[0][1]) < int(lengths[1][1]):
        old = _LENGTH.sub(lengths[1][0], old, count=1)
    return old.replace(" NOT NULL", "") == new or old == new


def _unwrapped(line: str) -> str:
    """
    Without the brackets that the server adds to an expression each time that it
    shows one, and would keep: it would be another definition.
    """
    masked = _TEXT.sub(lambda text: "'" * len(text[0]), line)
    found = _WRAPPED.search(masked)
    if found is None:
        return line
    start = found.end() - 1
    end = _closing(masked, start)
    if masked[start + 1] == "(" and _closing(masked, start + 1) == end - 1:
        return line[:start] + line[start + 1 : end] + line[end + 1 :]
    return line


def _closing(text: str, start: int) -> int:
    """Where the bracket that opens at ``start`` is closed, or the text's end."""
    depth = 0
    for place in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[place], 0)
        if depth == 0:
            return place
    return len(text)

"""What a table's definition says, where no pragma tells it."""

import re
from collections.abc import Iterator

#: A quoted name or text, a word, or one other character.
_TOKEN = re.compile(
    r'"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|\'(?:[^\']|\'\')*\'|\w+|[^\w\s]'
)


def checks_in(sql: str) -> Iterator[tuple[str, str]]:
    """Name ("" if it has none) and SQL of each check in a CREATE TABLE."""
    tokens = list(_TOKEN.finditer(sql))
    words = [token[0].upper() for token in tokens]
    for at, word in enumerate(words[:-1]):
        if word != "CHECK" or words[at + 1] != "(":
            continue
        named = at >= 2 and words[at - 2] == "CONSTRAINT"
        name = _unquoted(tokens[at - 1][0]) if named else ""
        depth = 0
        for here in range(at + 1, len(words)):
            depth += {"(": 1, ")": -1}.get(words[here], 0)
            if not depth:
                yield name, sql[tokens[at + 1].end() : tokens[here].start()]
                break


def index_in(sql: str) -> tuple[list[str], str]:
    """
    SQL of what a CREATE INDEX compares, without orders and collations, and of
    which rows it holds for; "" for all.
    """
    tokens = list(_TOKEN.finditer(sql))
    words = [token[0].upper() for token in tokens]
    opening = words.index("(", words.index("ON"))
    parts, depth, begin = [], 0, opening + 1
    for here in range(opening, len(words)):
        depth += {"(": 1, ")": -1}.get(words[here], 0)
        if depth > 1 or (depth == 1 and words[here] != ","):
            continue
        end = here
        while words[end - 1] in ("ASC", "DESC") or words[end - 2] == "COLLATE":
            end -= 1 if words[end - 1] in ("ASC", "DESC") else 2
        parts.append(sql[tokens[begin].start() : tokens[end - 1].end()])
        begin = here + 1
        if not depth:
            break
    rest = words[begin:]
    return parts, sql[tokens[begin].end() :].strip() if rest[:1] == ["WHERE"] else ""


def _unquoted(name: str) -> str:
    if name[0] in '"`':
        return name[1:-1].replace(name[0] * 2, name[0])
    return name[1:-1] if name[0] == "[" else name

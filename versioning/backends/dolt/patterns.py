"""
LIKE with U+FFFD, the sign that stands for what could not be read: the server calls
any pattern with it invalid, however it is spelled. It takes it in a regular
expression.
"""

import re
from collections.abc import Sequence
from typing import Any

UNREADABLE = "\ufffd"
_MARK = re.compile(r"(?<!%)(?:%%)*%s")
_LIKE = re.compile(
    r"LIKE (?:BINARY )?%s(?P<blind> COLLATE \w+_ai_ci)?(?P<escape> ESCAPE '!')?"
)


def without_unreadable(sql: str, params: Sequence[Any]) -> tuple[str, Sequence[Any]]:
    """
    A statement as Django writes it, in which a regular expression takes the place
    of each LIKE with such a pattern; case and ends of lines as the LIKE has them.
    """
    if not any(isinstance(p, str) and UNREADABLE in p for p in params):
        return sql, params
    found = list(params)

    def replaced(match: re.Match[str]) -> str:
        place = len(_MARK.findall(sql[: match.start()]))
        pattern = found[place]
        if not isinstance(pattern, str) or UNREADABLE not in pattern:
            return match[0]
        flags = "is" if match["blind"] else "s"
        escape = "!" if match["escape"] else "\\"
        found[place] = f"(?{flags})^{_expression(pattern, escape)}\\z"
        return "REGEXP %s"

    return _LIKE.sub(replaced, sql), found


def _expression(pattern: str, escape: str) -> str:
    signs = iter(pattern)
    wild = {"%": ".*", "_": "."}
    return "".join(
        re.escape(next(signs, ""))
        if sign == escape
        else wild.get(sign, re.escape(sign))
        for sign in signs
    )

"""What a browser would send if somebody pressed a form's button right away."""

from html.parser import HTMLParser
from typing import Any

_NEVER_SENT = frozenset({"submit", "button", "image", "reset"})
_SENT_IF_CHECKED = frozenset({"checkbox", "radio"})


class _Fields(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, str] = {}
        self._in_main = False
        self._text: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name = given.get("name")
        if tag == "main":
            self._in_main = True
        if not self._in_main or not name:
            return
        if tag == "textarea":
            self._text = name
            self.found[name] = ""
        if tag == "input" and self._is_sent(given):
            self.found[name] = given.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "main":
            self._in_main = False
        if tag == "textarea" and self._text:
            # The line break after <textarea> is no part of what it holds.
            self.found[self._text] = self.found[self._text].removeprefix("\n")
            self._text = None

    def handle_data(self, data: str) -> None:
        if self._text:
            self.found[self._text] += data

    @staticmethod
    def _is_sent(given: dict[str, str | None]) -> bool:
        kind = given.get("type") or "text"
        if kind in _SENT_IF_CHECKED:
            return "checked" in given
        return kind not in _NEVER_SENT


def fields(response: Any) -> dict[str, str]:
    """The fields of the forms in a page's main part, by name, as they stand."""
    reader = _Fields()
    reader.feed(response.content.decode())
    reader.close()
    return reader.found

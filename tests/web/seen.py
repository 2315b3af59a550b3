"""What a person sees of a page: its words and its links."""

from html.parser import HTMLParser
from typing import Any

_SILENT = frozenset({"script", "style", "title", "datalist", "template", "dialog"})
_BLOCKS = frozenset(
    "article aside dd details div dl dt fieldset footer form h1 h2 h3 h4 header label "
    "legend li main nav ol option p pre section summary table td th tr ul".split()
)
_VOID = frozenset({"input", "meta", "link", "br", "hr", "img", "path", "circle", "use"})


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.links: list[tuple[str, str]] = []
        self._open: list[str] = []
        self._link: tuple[str, int] | None = None
        self.in_main = False
        self.main: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _VOID:
            return
        self._open.append(tag)
        self._break(tag)
        self.in_main = self.in_main or tag == "main"
        if tag == "a":
            self._link = (dict(attrs).get("href") or "", len(self.words))

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        self._break(tag)
        if tag in self._open:
            while self._open.pop() != tag:
                pass
        if tag == "main":
            self.in_main = False
        if tag == "a" and self._link:
            url, start = self._link
            self.links.append((" ".join("".join(self.words[start:]).split()), url))
            self._link = None

    def _break(self, tag: str) -> None:
        """Blocks stand apart, whether or not there is a blank between their tags."""
        if tag in _BLOCKS:
            self.handle_data(" ")

    def handle_data(self, data: str) -> None:
        if _SILENT.isdisjoint(self._open):
            self.words.append(data)
            if self.in_main:
                self.main.append(data)


def _read(response: Any) -> _Reader:
    reader = _Reader()
    reader.feed(response.content.decode())
    reader.close()
    return reader


def text(response: Any) -> str:
    """The words of a page, or of a part of one, with single spaces."""
    return " ".join("".join(_read(response).words).split())


def main(response: Any) -> str:
    """The words of a page without its header and its footer."""
    return " ".join("".join(_read(response).main).split())


def links(response: Any) -> dict[str, str]:
    """Addresses by the words that lead there; of equal words, the last."""
    return dict(_read(response).links)


def addresses(response: Any) -> list[str]:
    """All addresses that a page leads to."""
    return [url for _, url in _read(response).links]

"""What a browser would send if somebody pressed a form's button right away."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from django.test import Client

_NEVER_SENT = frozenset({"submit", "button", "image", "reset"})
_SENT_IF_CHECKED = frozenset({"checkbox", "radio"})


@dataclass
class Form:
    """A form of a page; fields of none stand in one without an action."""

    action: str = ""
    fields: dict[str, str] = field(default_factory=dict)  # by name, as they stand
    offered: dict[str, list[str]] = field(default_factory=dict)  # of radios and lists
    typed: list[str] = field(default_factory=list)  # names of what can be typed
    can_be_sent: bool = False  # whether a button is there that can be pressed


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found = [Form()]
        self._form = self.found[0]
        self._in_main = False
        self._text: str | None = None
        self._list: str | None = None
        self._awaited: set[str] = set()  # lists of which nothing is chosen yet

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name = given.get("name", "")
        if tag == "main":
            self._in_main = True
        if not self._in_main:
            return
        match tag:
            case "form":
                self._form = Form(given.get("action", ""))
                self.found.append(self._form)
            case "button":
                self._button(given)
            case "option" if self._list:
                self._option(self._list, given)
            case "textarea" if name:
                self._text = name
                self._form.fields[name] = ""
                self._form.typed.append(name)
            case "select" if name:
                self._list = name
                self._awaited.discard(name)
                self._form.offered[name] = []
            case "input" if name:
                self._input(name, given)

    def handle_endtag(self, tag: str) -> None:
        if tag == "main":
            self._in_main = False
        if tag == "form":
            self._form = self.found[0]
        if tag == "select":
            self._list = None
        if tag == "textarea" and self._text:
            # The line break after <textarea> is no part of what it holds.
            text = self._form.fields[self._text]
            self._form.fields[self._text] = text.removeprefix("\n")
            self._text = None

    def handle_data(self, data: str) -> None:
        if self._text:
            self._form.fields[self._text] += data

    def _button(self, given: dict[str, str]) -> None:
        if given.get("type", "submit") == "submit" and "disabled" not in given:
            self._form.can_be_sent = True

    def _option(self, name: str, given: dict[str, str]) -> None:
        value = given.get("value", "")
        if "disabled" in given:  # nothing is sent while it is the one that is shown
            self._awaited |= {name} if "selected" in given else set()
            return
        self._form.offered[name].append(value)
        is_first = name not in self._form.fields and name not in self._awaited
        if "selected" in given or is_first:
            self._form.fields[name] = value

    def _input(self, name: str, given: dict[str, str]) -> None:
        kind = given.get("type", "text")
        value = given.get("value", "on" if kind in _SENT_IF_CHECKED else "")
        if kind == "radio":
            self._form.offered.setdefault(name, []).append(value)
        if kind in _SENT_IF_CHECKED and "checked" not in given:
            return
        if kind == "text":  # a browser has one line in it
            value = value.replace("\r", "").replace("\n", "")
        if kind not in _NEVER_SENT:
            self._form.fields[name] = value
        if kind == "text":
            self._form.typed.append(name)


def forms(response: Any) -> list[Form]:
    """The forms in a page's main part, in order."""
    reader = _Forms()
    reader.feed(response.content.decode())
    reader.close()
    return reader.found


def fields(response: Any) -> dict[str, str]:
    """The fields of the forms in a page's main part, by name, as they stand."""
    found: dict[str, str] = {}
    for form in forms(response):
        found |= form.fields
    return found


def press_merge(client: Client, query: dict[str, str]) -> None:
    """Open a merge's page, in which nothing is left to settle, and land it."""
    page = client.get("/merge/", query)
    (landing,) = (form for form in forms(page) if form.action == "/merge/land/")
    assert landing.can_be_sent, page.content.decode()
    answer = client.post(landing.action, landing.fields)
    assert answer.status_code == 303, answer.content.decode()

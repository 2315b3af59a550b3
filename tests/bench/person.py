"""Somebody with a browser, as far as the wire knows: cookies and forms."""

import http.client
import re
import time
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urlsplit

_CSRF = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
_HIDDEN = re.compile(
    r'<input type="hidden" name="([^"]+)" value="([^"]*)"', re.IGNORECASE
)


IDLE = 3.0  # seconds; the site closes a connection that rests for five


class Refused(Exception):
    """The site answered with something else than a page."""


class Person:
    """Keeps one connection to the site open, as browsers do."""

    def __init__(self, url: str):
        self._host = urlsplit(url).netloc
        self._connection = http.client.HTTPConnection(self._host, timeout=120)
        self._last_used = 0.0
        self._cookies: SimpleCookie = SimpleCookie()
        #: How long the engine merged for the last answer, in milliseconds.
        self.merging = 0.0

    def sign_in(self, name: str, password: str) -> None:
        self.post(
            "/accounts/login/",
            {"username": name, "password": password},
            form=self.get("/accounts/login/"),
        )

    def get(self, path: str, *, part: bool = False) -> str:
        """A page's text, or as HTMX asks for a ``part``. Raises ``Refused``."""
        return self._ask("GET", path, part=part)

    def post(
        self, path: str, fields: dict[str, str], *, form: str, part: bool = False
    ) -> str:
        """
        Send ``fields`` with the token of the page ``form``, for a ``part`` as
        HTMX does. Raises ``Refused`` unless a page, part or redirect comes.
        """
        found = _CSRF.search(form)
        token = {"csrfmiddlewaretoken": found[1]} if found else {}
        return self._ask("POST", path, urlencode(token | fields), part=part)

    def drain(self, path: str) -> int:
        """Read an answer of any size and keep none of it; its bytes."""
        self._connection.request("GET", path, headers=self._headers())
        answer = self._connection.getresponse()
        if answer.status >= 400:
            raise Refused(f"GET {path}: {answer.status}")
        size = 0
        while part := answer.read(1 << 20):
            size += len(part)
        return size

    def _headers(self) -> dict[str, str]:
        cookies = "; ".join(f"{n}={c.value}" for n, c in self._cookies.items())
        return {"Cookie": cookies}

    def _ask(
        self, method: str, path: str, body: str | None = None, *, part: bool = False
    ) -> str:
        headers = self._headers()
        if part:
            headers["HX-Request"] = "true"
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        if time.monotonic() - self._last_used > IDLE:
            self._connection.close()  # the next request opens it
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                self._cookies.load(value)
            elif name.lower() == "server-timing":
                self.merging = float(value.removeprefix("merge;dur="))
        text = answer.read().decode()
        self._last_used = time.monotonic()
        if answer.status >= 400:
            raise Refused(f"{method} {path}: {answer.status}")
        return text


def hidden_fields(form: str, action: str, *, after: str = "") -> dict[str, str]:
    """
    The hidden fields of the first form on a page that goes to ``action``, from
    where the text ``after`` stands.
    """
    start = form.index(f'action="{action}"', form.index(after))
    return dict(_HIDDEN.findall(form[start : form.index("</form>", start)]))

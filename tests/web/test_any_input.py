"""Whatever is put into an address or a form of any page: an answer, and no fault."""

from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from django.db import transaction
from django.test import Client

from tests.addresses import PARTS, PATHS, POST_ONLY, make_things
from tests.web.fields import forms

NASTY = ("a\0b", "x" * 9000, "9" * 40, '[{"$":"text","v":"AA=="}]')

#: Parameters that an address may have, where tests.addresses gives it none.
MORE = (
    "branch",
    "at",
    "after",
    "q",
    "author",
    "table",
    "key",
    "column",
    "from",
    "next",
)


@pytest.fixture
def paths(db: None) -> dict[str, str]:
    things = make_things()
    return {name: things.path(name) for name in PATHS}


def require_an_answer(ask: Any, given: dict[str, str], name: str, what: str) -> Any:
    """Undone in the console's database, as what was in one form may end another."""
    with transaction.atomic(using="default"):
        answer = ask({**given, name: what})
        said = f"{name}={what[:30]!r}: {answer.status_code}"
        assert answer.status_code < 500, said
        if answer.streaming:
            b"".join(answer.streaming_content)
        transaction.set_rollback(True, using="default")


@pytest.mark.parametrize("name", sorted(PATHS.keys() - POST_ONLY))
def test_addresses(paths: dict[str, str], maintainer: Client, name: str) -> None:
    parts = urlsplit(paths[name])
    given = dict(parse_qsl(parts.query))

    def get(fields: dict[str, str]) -> Any:
        return maintainer.get(f"{parts.path}?{urlencode(fields)}")

    for field in {**given, **dict.fromkeys(MORE)}:
        for what in NASTY:
            require_an_answer(get, given, field, what)


@pytest.mark.parametrize("name", sorted(PATHS.keys() - POST_ONLY - PARTS))
def test_forms(paths: dict[str, str], maintainer: Client, name: str) -> None:
    page = maintainer.get(paths[name])
    for form in forms(page):
        chosen = {field: values[0] for field, values in form.offered.items() if values}
        given = chosen | form.fields
        action = form.action or paths[name]

        def post(fields: dict[str, str], action: str = action) -> Any:
            return maintainer.post(action, fields)

        for field in {**given, **dict.fromkeys(form.typed)}:
            for what in NASTY:
                require_an_answer(post, given, field, what)

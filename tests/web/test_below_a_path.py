"""A site may be served below a path of its own: no address leads out of there."""

import re

import pytest
from django.test.utils import override_script_prefix

from tests.addresses import PATHS, POST_ONLY, make_things
from versioning.conf import connection as versioned

BELOW = "/below"
ADDRESS = re.compile(
    r'\s(?:href|action|hx-get|hx-post)="(/[^"]*)"|name="next" value="([^"]+)"'
)


@pytest.fixture(autouse=True)
def below():
    """As a server tells it; Django's test client does not pass it on."""
    with override_script_prefix(f"{BELOW}/"):
        yield


def get(client, path):
    return client.get(path, SCRIPT_NAME=BELOW)


def html_of(answer):
    return b"".join(answer).decode(errors="replace")


def leads_out(html: str) -> list[str]:
    found = ["".join(parts) for parts in ADDRESS.findall(html)]
    return [
        address
        for address in found
        if not address.startswith((f"{BELOW}/", "/static/"))
    ]


def test_each_page_stays_there(owner):
    things = make_things()
    found = {
        name: leads_out(html_of(get(owner, things.path(name))))
        for name in PATHS.keys() - POST_ONLY
    }
    assert {name: out for name, out in found.items() if out} == {}
    assert f'href="{BELOW}/branches/"' in get(owner, "/").text


def test_an_error_leads_to_the_start_of_the_site(owner):
    page = get(owner, "/nowhere/")
    assert page.status_code == 404
    assert f'href="{BELOW}/">To the start' in page.text
    assert leads_out(page.text) == []


def test_so_does_a_fault(owner, monkeypatch):
    def fail(*args):
        raise RuntimeError

    monkeypatch.setattr(versioned().repository.__class__, "tags", fail)
    owner.raise_request_exception = False
    page = get(owner, "/tags/")
    assert page.status_code == 500
    assert f'href="{BELOW}/">To the start' in page.text
    assert leads_out(page.text) == []


def test_who_is_on_a_branch_that_is_gone_stays_there(owner, repository):
    repository.create_branch("summer", repository.head("main"))
    owner.post("/branches/switch/", {"name": "summer"})
    repository.delete_branch("summer")
    page = owner.post("/polls/new/", {"text": "Which?"}, SCRIPT_NAME=BELOW)
    assert page.status_code == 409
    assert "Go to main" in page.text
    assert leads_out(page.text) == []

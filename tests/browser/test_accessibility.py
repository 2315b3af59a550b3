"""Every page of the site: no barrier that axe knows, no error, no sideways scroll."""

import json
from collections.abc import Callable, Iterator
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    ViewportSize,
)

from tests.addresses import PARTS, PATHS, POST_ONLY, Things, names
from tests.browser.conftest import sideways, sign_in
from tests.site import Site

Visit = Callable[..., Page]
Colours = Literal["light", "dark"]
PageIn = Callable[[Colours], tuple[Page, list[str]]]

MAKE_THINGS = """
import json
from tests.addresses import make_things
print(json.dumps(vars(make_things())))
"""

NARROW = ViewportSize(width=320, height=640)  # CSS pixels: a small phone, or 400 % zoom
WIDE = ViewportSize(width=1280, height=800)

#: Pages that are not at an address of their own, by what they are asked for.
MORE = {
    "results without votes": "/polls/{question}/results/?branch={branch}",
    "search without results": "/?q=nothing+is+called+so",
    "another state": "/polls/{question}/?at={commit}",
    "merge by itself": "/merge/?source=food-stalls&target=main",
    "merge with deleted rows": "/merge/?source=fireworks&target=main",
    "nothing to merge": "/merge/?source=main&target=main",
    "comparison by default": "/compare/",
    "sign-in for something": "/accounts/login/?next=/log/",
}


@pytest.fixture(scope="module")
def things(site: Site) -> Things:
    return Things(**json.loads(site.run(MAKE_THINGS)))


def test_every_address_has_a_page_or_a_reason():
    assert set(PATHS) == set(names())


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("name", sorted({*names(), *MORE} - POST_ONLY - PARTS))
def test_a_page_has_no_barrier(
    name: str, colours: Colours, things: Things, maxs_page: PageIn
):
    path = (PATHS | MORE)[name].format_map(vars(things))
    page, errors = maxs_page(colours)
    page.set_viewport_size(WIDE)
    answer = page.goto(path)
    assert answer is not None and answer.status == 200

    found = Axe().run(page)
    assert not found.response["violations"], found.generate_report()

    page.set_viewport_size(NARROW)
    assert sideways(page) == []
    assert errors == []


@pytest.mark.parametrize("name", ["polls:index", "polls:detail", "login"])
def test_a_visitors_page_has_no_barrier(name: str, things: Things, visit: Visit):
    page = visit(viewport=NARROW)
    page.goto(things.path(name))
    found = Axe().run(page)
    assert not found.response["violations"], found.generate_report()
    assert sideways(page) == []


def test_a_page_that_is_not_there_has_no_barrier(visit: Visit):
    page = visit(viewport=NARROW)
    answer = page.goto("/polls/999999/")
    assert answer is not None and answer.status == 404
    found = Axe().run(page)
    assert not found.response["violations"], found.generate_report()
    assert sideways(page) == []


@pytest.fixture(scope="module")
def maxs_page(browser: Browser, site: Site) -> Iterator[PageIn]:
    """
    ``maxs_page(colours)``: a maintainer's page, and the errors of its console
    from now on, those of the content security policy included. One browser for
    each colour scheme, as a sign-in costs more than a page.
    """
    opened: dict[str, tuple[Page, list[str]]] = {}

    def page_in(colours: Colours) -> tuple[Page, list[str]]:
        if colours not in opened:
            context = browser.new_context(base_url=site.url, color_scheme=colours)
            opened[colours] = context.new_page(), _errors_of(context)
            sign_in(opened[colours][0], "max")
        page, errors = opened[colours]
        errors.clear()
        return page, errors

    yield page_in
    for page, _ in opened.values():
        page.context.close()


def _errors_of(context: BrowserContext) -> list[str]:
    """A list that errors and warnings of the browser's console are added to."""
    errors: list[str] = []

    def keep(said: ConsoleMessage) -> None:
        if said.type in ("error", "warning"):
            errors.append(said.text)

    context.on("console", keep)
    context.on("weberror", lambda found: errors.append(str(found.error)))
    return errors

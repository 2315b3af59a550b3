"""Every page of the site: no barrier that axe knows, no error, no sideways scroll."""

import json
from collections.abc import Callable
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.addresses import PARTS, PATHS, POST_ONLY, Things, names
from tests.site import Site

Visit = Callable[..., Page]

MAKE_THINGS = """
import json
from tests.addresses import make_things
print(json.dumps(vars(make_things())))
"""

NARROW = {"width": 320, "height": 640}  # CSS pixels: a small phone, or 400 % zoom
WIDE = {"width": 1280, "height": 800}

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
    name: str, colours: Literal["light", "dark"], things: Things, maxs_page: Any
):
    path = (PATHS | MORE)[name].format_map(vars(things))
    page, errors = maxs_page(colours)
    page.set_viewport_size(WIDE)
    answer = page.goto(path)
    assert answer.status == 200

    found = Axe().run(page)
    assert not found.response["violations"], found.generate_report()

    page.set_viewport_size(NARROW)
    assert _sideways(page) == []
    assert errors == []


@pytest.mark.parametrize("name", ["polls:index", "polls:detail", "login"])
def test_a_visitors_page_has_no_barrier(name: str, things: Things, visit: Visit):
    page = visit(viewport=NARROW)
    page.goto(things.path(name))
    found = Axe().run(page)
    assert not found.response["violations"], found.generate_report()
    assert _sideways(page) == []


def test_a_page_that_is_not_there_has_no_barrier(visit: Visit):
    page = visit(viewport=NARROW)
    answer = page.goto("/polls/999999/")
    assert answer is not None and answer.status == 404
    found = Axe().run(page)
    assert not found.response["violations"], found.generate_report()
    assert _sideways(page) == []


@pytest.fixture(scope="module")
def maxs_page(browser: Any, site: Site) -> Any:
    """
    ``maxs_page(colours)``: a maintainer's page, and the errors of its console
    from now on, those of the content security policy included. One browser for
    each colour scheme, as a sign-in costs more than a page.
    """
    from tests.browser.conftest import sign_in

    opened: dict[str, tuple[Any, list[str]]] = {}

    def page_in(colours: Literal["light", "dark"]) -> tuple[Page, list[str]]:
        if colours not in opened:
            context = browser.new_context(base_url=site.url, color_scheme=colours)
            page, errors = context.new_page(), []
            page.on("console", lambda said: _keep(errors, said))
            page.on("pageerror", lambda error: errors.append(str(error)))
            sign_in(page, "max")
            opened[colours] = page, errors
        page, errors = opened[colours]
        errors.clear()
        return page, errors

    yield page_in
    for page, _ in opened.values():
        page.context.close()


def _keep(errors: list[str], said: Any) -> None:
    if said.type in ("error", "warning"):
        errors.append(said.text)


def _sideways(page: Page) -> list[str]:
    """What reaches beyond the right edge, if the page scrolls sideways at all."""
    found: list[str] = page.evaluate(
        """() => {
          const root = document.documentElement;
          if (root.scrollWidth <= root.clientWidth) return [];
          return [...document.querySelectorAll("body *")]
            .filter((e) => e.getBoundingClientRect().right > root.clientWidth + 1)
            .map((e) => `${e.tagName} ${e.className} ${e.textContent.slice(0, 40)}`)
            .concat(`scrollWidth ${root.scrollWidth}`);
        }"""
    )
    return found

"""The browser, the site that it opens, and the people in front of it."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.site import Site

# Playwright keeps an event loop on the thread that tests run on, for as long as
# the browser is open. Django would take tests that come later on this thread for
# asynchronous code, and refuse them their database.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

# Milliseconds that an expectation waits: other tests run on the machine meanwhile.
expect.set_options(timeout=30_000)

PASSWORDS = {"erin": "erin-demo", "max": "max-demo", "ida": "ida-demo"}


@pytest.fixture(scope="session")
def browser_type_launch_args(
    browser_type_launch_args: dict[str, Any],
) -> dict[str, Any]:
    """The browser that POLLARD_CHROMIUM names; else Playwright's own."""
    given = dict(browser_type_launch_args)
    if path := os.environ.get("POLLARD_CHROMIUM"):
        given["executable_path"] = path
    if os.geteuid() == 0:
        given["args"] = [*given.get("args", []), "--no-sandbox"]  # it needs a user
    return given


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One site for all stories, each of which makes branches of its own."""
    with Site(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture
def visit(browser: Browser, site: Site) -> Iterator[Callable[..., Page]]:
    """
    ``visit(name=None, **options)``: a page of a new person's browser, signed in
    by that user's name; ``options`` are those of Playwright's contexts.
    """
    contexts: list[BrowserContext] = []

    def open_page(name: str | None = None, **options: Any) -> Page:
        context = browser.new_context(base_url=site.url, **options)
        contexts.append(context)
        page = context.new_page()
        if name:
            sign_in(page, name)
        return page

    yield open_page
    for context in contexts:
        context.close()


def sign_in(page: Page, name: str) -> None:
    page.goto("/accounts/login/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(PASSWORDS[name])
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/branches/")


def sideways(page: Page) -> list[str]:
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

"""Nothing that a person reads is pushed away when what comes later arrives."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_comfort import COMMIT, LOOK
from tests.site import Site

ALLOWED = 0.01  # of the cumulative layout shift: a line of text that pushes a page

WATCH = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    window.shifts.push({
      value: entry.value,
      moved: entry.sources.map(({ node }) => node && node.parentElement
        ? node.parentElement.outerHTML.slice(0, 160) : ""),
    });
  }
}).observe({ type: "layout-shift", buffered: true });
"""

# Two frames later everything that has arrived is painted, and has been counted.
PAINTED = """() => document.fonts.ready.then(() => new Promise((done) =>
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 0)))))"""

PAGES = {
    "polls": "/",
    "log": "/log/",
    "branches": "/branches/",
    "compare": "/compare/?from=main&to=food-stalls",
    "commit": "",  # the newest of the log
}
SCREENS = {
    "wide": {"width": 1280, "height": 800},
    "narrow": {"width": 320, "height": 640},
}


def shifted(page: Page) -> list[Any]:
    page.evaluate(PAINTED)
    found: list[Any] = page.evaluate("window.shifts")
    return found


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_stays_where_it_is(
    site: Site, visit: Callable[..., Page], name: str, screen: str
):
    page = visit("erin", viewport=SCREENS[screen])
    page.goto("/log/")
    newest = page.locator("#commits a[href^='/commits/']").first
    path = PAGES[name] or newest.get_attribute("href")
    assert path
    page.add_init_script(WATCH)
    page.goto(path)
    page.wait_for_load_state("networkidle")
    shifted(page)
    if page.locator("[data-live]").count():
        site.run(COMMIT)
        page.evaluate(LOOK)
        expect(page.locator(".live__note")).to_be_visible()
    for link in page.locator("a[hx-get]").all()[:1]:
        with page.expect_response(lambda answer: answer.ok):
            link.click()
    found = shifted(page)
    assert sum(shift["value"] for shift in found) < ALLOWED, found


# How wide each column is, before and after a row with long words comes.
COLUMNS = """() => {
  const table = document.querySelector("table.branches");
  const widths = () => [...table.tHead.rows[0].cells].map((cell) => cell.offsetWidth);
  const before = widths();
  const late = table.tBodies[0].rows[0].cloneNode(true);
  for (const cell of late.cells) cell.textContent = "w".repeat(100);
  table.tBodies[0].append(late);
  return [before, widths()];
}"""


@pytest.mark.parametrize("person", ["erin", "max"])
def test_branches_that_arrive_late_leave_the_columns_as_they_are(
    visit: Callable[..., Page], person: str
):
    page = visit(person, viewport=SCREENS["wide"])
    page.goto("/branches/")
    before, after = page.evaluate(COLUMNS)
    assert before == after

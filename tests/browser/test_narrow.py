"""
No page scrolls sideways, however long its words; on a phone both sides of a change
are in sight, one below the other.
"""

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.addresses import PARTS, POST_ONLY, Things, names
from tests.browser.conftest import sideways
from tests.site import Site

SCREEN = {"width": 320, "height": 640}


@pytest.mark.parametrize(
    "path",
    [
        "/compare/?from=main&to=food-stalls",
        "/rows/history/?table=polls_question&key=[10]&ref=food-stalls",
    ],
)
def test_what_came_stands_below_what_went(visit: Callable[..., Page], path: str):
    page = visit("erin", viewport=SCREEN)
    page.goto(path)
    changed = page.locator(".diff--rows .is-changed")
    went, came = changed.locator(".old").first, changed.locator(".new").first
    expect(came).to_contain_text("All stalls stand along the river")
    above, below = went.bounding_box(), came.bounding_box()
    assert above
    assert below
    assert above["y"] + above["height"] <= below["y"]
    for box in (above, below):
        assert 0 <= box["x"] < box["x"] + box["width"] <= SCREEN["width"]
    # And to those who hear a page it is a table, as on a wide screen.
    expect(page.get_by_role("columnheader", name="After").first).to_be_attached()
    expect(page.get_by_role("rowheader", name="Details").first).to_be_visible()


MAKE_LONG_THINGS = """
import json
from tests.addresses import make_things
print(json.dumps(vars(make_things(are_long=True))))
"""

MORE = [
    "/merge/?source=main&target={new}",  # moves forward
    "/merge/?source={new}&target=main",  # is there already
    "/merge/?source=main&target={dirty}",
    "/merge/?source=pick+{head}&target=main",
    "/merges/{record}/set-aside/",
    "/compare/?from={branch}&to={branch}",
    "/compare/?from={branch}&to={new}",
    "/branches/working/?name={dirty}",
    "/log/?branch={branch}&text=nothing+is+called+so",
    "/branches/delete/?name={branch}&name={new}",
    "/polls/{question}/?branch={new}",
]

UNFOLD = "document.querySelectorAll('main details').forEach((one) => (one.open = true))"


@pytest.fixture(scope="module")
def long_things(site: Site) -> Things:
    """With names of 63 signs and texts of 200 letters, none with a blank in it."""
    return Things(**json.loads(site.run(MAKE_LONG_THINGS)))


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_no_word_is_too_long_for_a_page(
    width: int, long_things: Things, visit: Callable[..., Page]
):
    page = visit("max", viewport=ViewportSize(width=width, height=800))
    page.goto(f"/branches/new/?at={long_things.base}")
    page.get_by_label("Name").fill(new := f"{width}".ljust(63, "w"))
    page.get_by_role("button", name="Make the branch").click()
    page.goto(f"/branches/?q={long_things.branch}")
    page.get_by_role("button", name=f"Switch to {long_things.branch}").last.click()
    pages = set(names()) - POST_ONLY - PARTS
    paths = [long_things.path(name) for name in sorted(pages)]
    paths += [path.format_map(vars(long_things) | {"new": new}) for path in MORE]
    found = {}
    for path in paths:
        answer = page.goto(path)
        assert answer is not None and answer.status == 200, path
        page.evaluate(UNFOLD)
        found[path] = sideways(page)
    for menu in ("branch-menu", "person-menu"):
        page.locator(f"[popovertarget={menu}]").click()
        found[menu] = sideways(page)
        page.keyboard.press("Escape")
    assert {name: what for name, what in found.items() if what} == {}

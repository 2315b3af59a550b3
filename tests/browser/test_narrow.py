"""On a phone both sides of a change are in sight, one below the other."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

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

"""A merge of large tables: the page first, then what the merge would do."""

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.test_layout_shift import ALLOWED, SCREENS, WATCH, shifted
from tests.engines import ENGINE
from tests.site import Site

# On branches of their own: other stories go by what the others hold.
CROWD = """
from django.db.models import F
from polls.models import Choice, Question
from versioning import on_branch
from versioning.conf import repository
at_hand = repository()
if "crowd" not in {branch.name for branch in at_hand.branches()}:
    at_hand.create_branch("crowd", at_hand.head("main"))
    with on_branch("crowd", message="Ask a crowd"):
        question = Question.objects.create(text="Who are you?")
        many = [Choice(question=question, text=f"Guest {n}") for n in range(60_000)]
        Choice.objects.bulk_create(many, batch_size=2000)
    at_hand.create_branch("guests", at_hand.head("crowd"))
    with on_branch("guests", message="Name a guest"):
        Choice.objects.filter(text="Guest 7").update(text="Erin")
with on_branch("guests", message="Count a guest"):
    Choice.objects.filter(text="Erin").update(votes=F("votes") + 1)
"""
URL = "/merge/?source=guests&target=crowd"
AWAITED = "Finding out what this merge would do."
RESULT = "This merges by itself: crowd has nothing of its own since guests was made"


@pytest.fixture(autouse=True)
def crowd(site: Site) -> None:
    """A merge that nobody has looked at as it is now."""
    site.run(CROWD)


@pytest.mark.parametrize("screen", SCREENS)
def test_its_result_comes_and_nothing_is_pushed_away(
    visit: Callable[..., Page], screen: str
):
    # So low that the footer is in sight before the result comes, and not after.
    page = visit("max", viewport=SCREENS[screen] | {"height": 420})
    held: list[Route] = []
    page.route(
        lambda url: urlsplit(url).path == "/merge/",
        lambda route: (
            held.append(route)
            if "hx-request" in route.request.headers
            else route.continue_()
        ),
    )
    page.add_init_script(WATCH)
    page.goto(URL)
    expect(page.get_by_role("heading", name="Merge guests into crowd")).to_be_visible()
    if ENGINE == "doltlite":
        expect(page.get_by_text(AWAITED)).to_be_visible()
        expect(page.get_by_role("link", name="look again")).to_be_visible()
        shifted(page)
        (asked,) = held
        assert parse_qs(urlsplit(asked.request.url).query)["source"] == ["guests"]
        asked.continue_()
    expect(page.get_by_role("main").get_by_text(RESULT)).to_be_visible()
    expect(page.get_by_text(AWAITED)).to_have_count(0)
    expect(page.get_by_role("button", name="Merge guests into crowd")).to_be_enabled()
    if ENGINE == "doltlite":
        expect(page.locator("#announcement")).to_contain_text(RESULT)
    found = shifted(page)
    assert sum(shift["value"] for shift in found) < ALLOWED, found


def test_one_that_does_not_come_can_be_asked_for(visit: Callable[..., Page]):
    page = visit("max", java_script_enabled=False)
    page.goto(URL)
    if ENGINE == "doltlite":
        expect(page.get_by_role("link", name="How this works")).to_be_visible()
        page.get_by_role("link", name="look again").click()
    expect(page.get_by_role("main").get_by_text(RESULT)).to_be_visible()

"""What a page says when a part of it is asked for and does not come."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import sideways, sign_in
from tests.site import Site

Visit = Callable[..., Page]

MERGE = "/merge/?source=fireworks&target=main"

SET_ASIDE = """
from versioning.merging import endings
from versioning.models import MergeDraft
draft = MergeDraft.objects.get(source="fireworks", target="main", state="open")
endings.abandon(draft, draft.created_by, seen=draft.revision)
"""


@pytest.fixture
def page(visit: Visit) -> Page:
    page = visit("max", viewport={"width": 320, "height": 800})
    page.goto(MERGE)
    return page


def value_of(page: Page) -> Locator:
    """What is to be settled of the question's text."""
    return page.locator(".settle").filter(has_text="so that children can watch")


def test_a_choice_that_is_refused_is_set_back_and_it_says_so(page: Page):
    value = value_of(page)
    other = page.context.new_page()  # signed in anew: the first tab's forms are old
    sign_in(other, "max")
    value.locator("input[type=radio]").first.click()
    told = value.get_by_role("alert")
    expect(told).to_contain_text("This form can’t be taken. It is older than your")
    expect(told).to_contain_text("Nothing was written.")
    expect(told).to_be_in_viewport()
    expect(value.locator("input:checked")).to_have_count(0)
    expect(value).to_contain_text("Not decided")
    assert sideways(page) == []
    told.get_by_role("link", name="Load the page again").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "Merge fireworks into main"
    )
    expect(page.get_by_role("alert")).to_have_count(0)


def test_a_choice_that_does_not_arrive_is_set_back_and_it_says_so(
    site: Site, page: Page
):
    value = value_of(page)
    page.context.set_offline(True)
    radio = value.locator("input[type=radio]").first
    radio.click()
    told = value.get_by_role("alert")
    expect(told).to_contain_text("The server could not be reached.")
    expect(told).to_be_in_viewport()
    expect(value.locator("input:checked")).to_have_count(0)
    typed = value.locator("textarea")
    typed.fill("When, do you think?")
    typed.blur()
    expect(value.locator("input:checked")).to_have_count(0)
    expect(typed).to_have_value("When, do you think?")
    expect(told).to_have_count(1)
    assert sideways(page) == []
    page.context.set_offline(False)
    value.get_by_label("Another value", exact=True).click()  # what is typed is there
    expect(value.locator(".settle__result")).to_contain_text("When, do you think?")
    expect(page.get_by_role("alert")).to_have_count(0)
    site.run(SET_ASIDE)


@pytest.mark.parametrize("status", [400, 404, 500])
def test_an_answer_in_no_words_is_told_as_well(page: Page, status: int):
    value = value_of(page)
    page.route("**/merge/decide/", lambda route: route.fulfill(status=status))
    value.locator("input[type=radio]").first.click()
    told = value.get_by_role("alert")
    expect(told).to_have_text(re.compile("The server could not answer that."))
    expect(value.locator("input:checked")).to_have_count(0)


def test_a_part_of_a_form_that_does_not_come_costs_nothing_typed(visit: Visit):
    page = visit("max")
    page.goto("/polls/new/")
    page.get_by_label("Choice 1", exact=True).fill("Tea")
    page.context.set_offline(True)
    page.get_by_role("button", name="Add a choice").click()
    told = page.get_by_role("alert")
    expect(told).to_have_text("The server could not be reached.")
    expect(told.get_by_role("link")).to_have_count(0)
    page.context.set_offline(False)
    page.get_by_role("button", name="Add a choice").click()
    expect(page.get_by_label("Choice 3", exact=True)).to_be_focused()
    expect(told).to_have_count(0)
    expect(page.get_by_label("Choice 1", exact=True)).to_have_value("Tea")

"""What a browser adds to pages that work without it: news, keys, paper."""

import re
from collections.abc import Callable

from playwright.sync_api import ConsoleMessage, Page, expect

from tests.site import Site

Visit = Callable[..., Page]

COMMIT = """
from polls.models import Question
from versioning import on_branch
with on_branch(message="Ask meanwhile"):
    Question.objects.create(text="What happened meanwhile?")
"""

APART = """
from polls.models import Question
from versioning import branches, on_branch
from versioning.conf import repository
with on_branch(message="Ask"):
    question = Question.objects.create(text="On paper?")
    for text in ("Yes", "No"):
        question.choices.create(text=text)
for name in ("paper", "on-paper"):
    branches.create(repository(), name, at="main")
for name, text in (("paper", "On one sheet?"), ("on-paper", "On what paper?")):
    with on_branch(name, message="Word it"):
        Question.objects.filter(pk=question.pk).update(text=text)
"""

LOOK = "document.dispatchEvent(new Event('visibilitychange'))"


def test_a_stale_log_says_so_and_stays_as_it_is(site: Site, visit: Visit):
    page = visit("erin")
    errors: list[str] = []

    def keep(said: ConsoleMessage) -> None:
        if said.type == "error":
            errors.append(said.text)

    page.on("console", keep)
    page.goto("/log/")
    before = page.locator("#commits").inner_html()
    site.run(COMMIT)
    page.evaluate(LOOK)
    note = page.locator(".live__note")
    expect(note).to_contain_text("1 new commit on main.")
    expect(page.get_by_role("status")).to_contain_text("1 new commit on main.")
    assert page.locator("#commits").inner_html() == before
    assert page.evaluate("document.activeElement === document.body")
    note.get_by_role("link").click()
    expect(page.locator("#commits")).to_contain_text("Ask meanwhile")
    expect(note).to_have_count(0)
    assert errors == []


def test_a_hidden_page_does_not_ask(site: Site, visit: Visit):
    page = visit("erin")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/log/")
    page.evaluate(
        "Object.defineProperty(document, 'hidden', {get: () => true, configurable: 1})"
    )
    page.evaluate(LOOK)
    page.evaluate("Object.defineProperty(document, 'hidden', {get: () => false})")
    with page.expect_response(re.compile("/live/")):
        page.evaluate(LOOK)
    assert len([url for url in asked if "/live/" in url]) == 1


def test_without_javascript_nothing_asks(visit: Visit):
    page = visit("erin", java_script_enabled=False)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/log/")
    expect(page.locator(".live")).to_have_count(1)
    assert not [url for url in asked if "/live/" in url]


def test_keys_lead_along_the_log_and_into_a_commit(visit: Visit):
    page = visit("erin")
    page.goto("/log/?fold=no")
    subjects = page.locator(".commits .commit__subject")
    second = subjects.nth(1).inner_text()
    for key in "jjk":
        page.keyboard.press(key)
    expect(page.locator("[data-stepped]")).to_have_count(1)
    expect(page.locator(".commits > *").nth(0)).to_be_focused()
    page.keyboard.press("j")
    expect(page.locator(".commits > *").nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(second)


def test_keys_go_to_places_and_show_the_list_of_keys(visit: Visit):
    page = visit("erin")
    for key, address in (("l", "/log/"), ("c", "/compare/"), ("m", "/merges/")):
        page.goto("/branches/")
        page.keyboard.press("g")
        page.keyboard.press(key)
        page.wait_for_url(f"**{address}")
    page.goto("/branches/")
    page.keyboard.press("/")
    expect(page.get_by_label("Find a branch").last).to_be_focused()
    page.keyboard.type("jk?")
    expect(page.locator("#shortcuts")).to_be_hidden()
    page.keyboard.press("Escape")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("?")
    expect(page.locator("#shortcuts")).to_contain_text("Open it")
    page.keyboard.press("Escape")
    expect(page.locator("#shortcuts")).to_be_hidden()


def test_a_merge_prints_what_is_chosen_and_what_the_sides_have(
    site: Site, visit: Visit
):
    """Also where no script unfolds it."""
    site.run(APART)
    page = visit("max")
    page.goto("/merge/?source=on-paper&target=paper")
    page.locator(".choice", has_text="On what paper?").locator("input").click()
    expect(page.locator(".conflict--settled")).to_be_visible()
    page.reload()
    settled = page.locator(".conflict--settled")
    result = settled.locator(".settle__result")
    expect(result).to_be_hidden()
    page.emulate_media(media="print")
    expect(result).to_be_visible()
    expect(result).to_contain_text("Will be On what paper? by Max Okafor")
    expect(settled.locator(".choice", has_text="On one sheet?")).to_be_visible()
    expect(settled.locator(".choice :checked")).to_be_visible()
    expect(settled.locator(".conflict__agreed dl")).to_be_visible()
    expect(page.locator(".choice input:not(:checked):visible")).to_have_count(0)
    for pressed in ("textarea", "button", ".settle__more", ".conflict__foot"):
        expect(page.locator(f".conflict-card {pressed}:visible")).to_have_count(0)


def test_an_error_below_a_field_moves_no_other(visit: Visit):
    page = visit("erin", viewport={"width": 1280, "height": 800})
    page.goto("/compare/?from=nowhere&to=main")
    expect(page.locator(".compare-picker .errorlist")).to_be_visible()
    boxes = [
        box
        for at in ("#id_from", "#id_to", ".compare-picker button")
        if (box := page.locator(at).bounding_box())
    ]
    middles = [box["y"] + box["height"] / 2 for box in boxes]
    assert len(boxes) == 3
    assert max(middles) - min(middles) < 2


def test_a_comparison_prints_without_bars_and_with_nothing_folded(visit: Visit):
    page = visit("erin")
    page.goto("/compare/?from=main&to=fireworks")
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    expect(page.locator(".site-header")).to_be_hidden()
    expect(page.locator(".site-footer")).to_be_hidden()
    expect(page.locator(".diff").first).to_be_visible()
    assert page.locator("main details").count() > 0
    expect(page.locator("main details:not([open])")).to_have_count(0)
    for pressed in ("Download as SQL", "Link to exactly these two commits"):
        expect(page.get_by_role("link", name=pressed)).to_have_count(0)
    page.goto("/log/?branch=fireworks")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    when = page.locator("main time").first  # whole, as paper is read later
    printed = when.evaluate("time => getComputedStyle(time, '::after').content")
    assert re.search(r"day, \d+ \w+ \d{4}, \d\d:\d\d:\d\d", printed)
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("main details:not([open])").count() > 0


def test_focus_goes_to_a_field_that_is_refused(site: Site, visit: Visit):
    page = visit("max")
    page.goto("/branches/new/")
    name = page.get_by_label("Name")
    name.fill("two words")
    page.get_by_role("main").get_by_role("button").first.click()
    expect(page.get_by_role("main")).to_contain_text("a space is none of them")
    expect(name).to_be_focused()


def test_focus_goes_to_each_choice_that_is_added_up_to_the_last(visit: Visit):
    page = visit("max")
    page.goto("/polls/new/")
    page.evaluate("document.getElementById('id_choices-TOTAL_FORMS').value = 17")
    for number in (18, 19, 20):
        page.get_by_role("button", name="Add a choice").click()
        expect(page.get_by_label(f"Choice {number}", exact=True)).to_be_focused()
    expect(page.get_by_role("button", name="Add a choice")).to_have_count(0)
    expect(page.get_by_role("status")).to_contain_text(["20 choices at most"])

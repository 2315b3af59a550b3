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


def test_pages_begin_where_the_header_does(visit: Callable[..., Page]):
    page = visit("erin", viewport=ViewportSize(width=1280, height=800))
    edges = {}
    for path in ("/", "/branches/", "/log/", "/compare/", "/merges/"):
        page.goto(path)
        for place in (".brand", "h1"):
            box = page.locator(place).bounding_box()
            assert box
            edges[path, place] = box["x"]
    assert len(set(edges.values())) == 1, edges


def test_choices_of_a_form_end_at_one_edge(visit: Callable[..., Page]):
    page = visit("max", viewport=ViewportSize(width=390, height=800))
    page.goto("/polls/new/")
    page.get_by_role("button", name="Add a choice").click()
    expect(page.get_by_role("button", name="Remove choice 3")).to_be_visible()
    boxes = [page.get_by_label(f"Choice {n}", exact=True) for n in (1, 2, 3)]
    ends = [box["x"] + box["width"] for one in boxes if (box := one.bounding_box())]
    assert len(ends) == 3
    assert len(set(ends)) == 1


def test_votes_beside_a_long_choice_stay_in_one_line(
    long_things: Things, visit: Callable[..., Page]
):
    page = visit("max", viewport=ViewportSize(width=390, height=800))
    page.goto(f"/polls/{long_things.question}/delete/")
    votes = page.locator(".doomed").get_by_text("votes").first.bounding_box()
    assert votes
    assert votes["height"] < 30


SEVERAL_LINES = """
from versioning import branches, on_branch
from versioning.conf import repository
from polls.models import Question
for text in ("Bring:\\na cup\\na spoon", "Bring:\\na bowl\\na spoon\\nan appetite"):
    with on_branch(message="Say what to bring") as unit:
        Question.objects.filter(pk=1).update(details=text)
print(unit.commit)
"""


@pytest.mark.parametrize(("width", "is_below"), [(320, True), (1280, False)])
def test_lines_of_a_text_stand_on_their_side(
    site: Site, visit: Callable[..., Page], width: int, is_below: bool
):
    commit = site.run(SEVERAL_LINES)
    page = visit("erin", viewport=ViewportSize(width=width, height=800))
    page.goto(f"/commits/{commit}/")
    went, came = (page.locator(f".diff__lines.{side}") for side in ("old", "new"))
    expect(went).to_contain_text("a cup")
    expect(went).not_to_contain_text("a bowl")
    expect(came).to_contain_text("an appetite")
    above, below = went.bounding_box(), came.bounding_box()
    assert above and below
    if is_below:
        assert above["y"] + above["height"] <= below["y"]
    else:
        assert above["x"] + above["width"] <= below["x"]
        stays = page.locator(".diff__lines .lines__same", has_text="a spoon")
        places = [one.bounding_box() for one in stays.all()]
        assert places[0] and places[1]
        assert places[0]["y"] == places[1]["y"]


EXACT_MOMENTS = """
from datetime import UTC, datetime
from versioning import on_branch
from versioning.conf import repository
from polls.models import Question
def publish(branch, year):
    moment = datetime(year, 9, 30, 23, 59, 59, 123456, tzinfo=UTC)
    with on_branch(branch, message="Publish"):
        Question.objects.update_or_create({"published": moment}, text="When?")
publish("main", 2024)
repository().create_branch("moments", repository().head("main"))
publish("main", 2025)
publish("moments", 2026)
"""


@pytest.mark.parametrize("width", [390, 1200])
def test_a_moment_in_conflict_stays_in_its_column(
    site: Site, visit: Callable[..., Page], width: int
):
    site.run(EXACT_MOMENTS)
    page = visit("max", viewport=ViewportSize(width=width, height=800))
    page.goto("/merge/?source=moments&target=main")
    line = page.locator(".settle", has=page.get_by_role("heading", name="Published"))
    before = line.locator(".settle__before")
    expect(before).to_contain_text("30 September 2024")
    for place in (before, *line.locator(".choice").all()):
        box, moment = place.bounding_box(), place.locator("time").bounding_box()
        assert box and moment
        assert moment["x"] + moment["width"] <= box["x"] + box["width"]
    site.run(
        'from versioning.conf import repository as r; r().delete_branch("moments")'
    )


PRETEND_IT_IS_GONE = """form => {
    form.querySelector("[name=versioning_branch]").value = "gone";
    const name = "versioning_switch", type = "hidden", value = "1";
    form.append(Object.assign(document.createElement("input"), {name, type, value}));
}"""


@pytest.mark.parametrize("width", [320, 1280])
def test_a_list_of_branches_to_send_a_form_to_is_no_wider_than_the_page(
    width: int, long_things: Things, visit: Callable[..., Page]
):
    page = visit("max", viewport=ViewportSize(width=width, height=800))
    page.goto("/polls/1/edit/")
    page.locator("main form").first.evaluate(PRETEND_IT_IS_GONE)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "The branch “gone” is gone"
    )
    choose = page.get_by_label("Branch to send it to")
    expect(choose).to_contain_text(long_things.branch)
    assert sideways(page) == []
    choose.select_option(long_things.branch)
    assert sideways(page) == []


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

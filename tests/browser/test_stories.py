"""What people come to do, from the first page to the last, in a real browser."""

import json
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import PASSWORDS
from tests.site import Site

Visit = Callable[..., Page]

BEFORE = "Where shall we meet?"
ON_TARGET = "Where shall we meet at noon?"
ON_SOURCE = "Where shall we meet on Sunday?"

ASK = """
from polls.models import Question
from versioning import on_branch
with on_branch(message="Ask"):
    question = Question.objects.create(text={text!r})
    question.choices.create(text="At the bridge", votes=12)
    question.choices.create(text="At the mill", votes=5)
print(question.pk)
"""

PART = """
from polls.models import Choice, Question
from versioning import branches, on_branch
from versioning.conf import repository

def change(branch, text, votes):
    with on_branch(branch, message=f"Word it for {{branch}}"):
        Question.objects.filter(pk={pk}).update(text=text)
        choice = Choice.objects.get(question={pk}, text="At the bridge")
        choice.votes += votes
        choice.save()

for name in ({target!r}, {source!r}):
    branches.create(repository(), name, at=repository().head("main"))
change({target!r}, {on_target!r}, votes=1)
change({source!r}, {on_source!r}, votes=2)
"""

VOTE_ON = """
from django.db.models import F
from polls.models import Choice
from versioning import on_branch
with on_branch({branch!r}, message="Vote meanwhile"):
    choice = Choice.objects.filter(question={pk}, text="At the {choice}")
    choice.update(votes=F("votes") + 1)
"""

REWORD = """
from polls.models import Choice
from versioning import on_branch
with on_branch({branch!r}, message="Reword meanwhile"):
    choice = Choice.objects.filter(question={pk}, text="At the {choice}")
    choice.update(text={text!r})
"""

ORPHAN = """
from polls.models import Choice, Question
from versioning import on_branch
with on_branch({source!r}, message="Offer a boat"):
    other = Question.objects.exclude(pk={pk}).order_by("pk").first()
    for text in ("With the ferryman", "In a boat of one’s own"):
        other.choices.create(text=text)
with on_branch({target!r}, message="Ask less"):
    Question.objects.get(pk=other.pk).delete()
print(other)
"""

SECOND_MAINTAINER = """
from django.contrib.auth.models import Group, User
ida, is_new = User.objects.get_or_create(username="ida")
ida.set_password("ida-demo")
ida.groups.set(Group.objects.filter(name="Maintainers"))
ida.save()
"""

TWO_MILLS = """
import versioning
from polls.models import Choice
mill = Choice.objects.filter(question_id={pk}, text="At the mill")
for branch in ("{source}", "{target}"):
    with versioning.on_branch(branch, message="Say which mill"):
        mill.update(text="At the mill of " + branch)
"""

SET_ASIDE = """
from versioning.merging import endings
from versioning.models import MergeDraft
draft = MergeDraft.objects.get(source="{source}", target="{target}", state="open")
endings.abandon(draft, draft.created_by, seen=draft.revision)
"""

STATE_OF = """
import json
from polls.models import Question
from versioning.conf import connection, repository
with connection().bound({branch!r}):
    question = Question.objects.get(pk={pk})
    votes = dict(question.choices.values_list("text", "votes"))
print(json.dumps([question.text, votes, repository().head({branch!r})]))
"""


MUCH = """
from polls.models import Choice
from versioning import on_branch
for branch in ("{source}", "{target}"):
    with on_branch(branch, message="Add many"):
        for n in range(20):
            text = f"{{n}} of {{branch}}"
            Choice.objects.create(pk=900_000 + n, question_id={pk}, text=text)
"""


@dataclass(frozen=True)
class Parted:
    """A question that two branches changed in two ways."""

    site: Site
    pk: int
    source: str
    target: str

    @property
    def merge_path(self) -> str:
        return f"/merge/?source={self.source}&target={self.target}"

    def vote(self, choice: str) -> None:
        """On the target; of the choices, the source has votes for the bridge."""
        code = VOTE_ON.format(branch=self.target, pk=self.pk, choice=choice)
        self.site.run(code)

    def reword(self, choice: str, text: str) -> None:
        """On the target."""
        given = {"branch": self.target, "pk": self.pk, "choice": choice, "text": text}
        self.site.run(REWORD.format(**given))

    def state(self) -> Any:
        """``[text, {choice: votes}, head]`` of the target."""
        code = STATE_OF.format(branch=self.target, pk=self.pk)
        return json.loads(self.site.run(code))


@pytest.fixture(params=[True, False], ids=["javascript", "plain"])
def javascript(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def parted(site: Site) -> Parted:
    name = uuid.uuid4().hex[:6]
    pk = int(site.run(ASK.format(text=BEFORE)))
    made = Parted(site, pk, f"sunday-{name}", f"noon-{name}")
    site.run(
        PART.format(
            pk=pk,
            source=made.source,
            target=made.target,
            on_source=ON_SOURCE,
            on_target=ON_TARGET,
        )
    )
    return made


def test_a_visitor_votes_and_follows_the_receipt_to_the_commit(
    site: Site, visit: Visit, javascript: bool
):
    question = f"Which way shall we walk, {uuid.uuid4().hex[:6]}?"
    site.run(ASK.format(text=question))
    page = visit(java_script_enabled=javascript)

    page.goto("/")
    page.get_by_role("link", name=question).click()
    page.get_by_label("At the bridge").check()
    page.get_by_role("button", name="Vote", exact=True).click()

    receipt = page.get_by_role("region", name="Receipt")
    expect(receipt).to_contain_text("At the bridge: 12 → 13")
    expect(receipt).to_contain_text("on main, commit")
    short = receipt.locator("code").inner_text()
    assert re.fullmatch(r"[0-9a-v]{7}", short), short

    receipt.get_by_role("link", name="sign in").click()
    page.get_by_label("Username").fill("max")
    page.get_by_label("Password").fill(PASSWORDS["max"])
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(re.compile(f"/commits/{short}"))
    title = page.get_by_role("heading", level=1)
    expect(title).to_have_text(f"Vote for “At the bridge” in “{question}”")
    expect(page.get_by_role("main")).to_contain_text("Anonymous visitor")


def test_two_branches_are_compared_settled_and_merged(
    parted: Parted, visit: Visit, javascript: bool
):
    page = visit("max", java_script_enabled=javascript)

    page.goto(f"/compare/?from={parted.target}&to={parted.source}&dots=3")
    expect(page.get_by_role("main")).to_contain_text(ON_SOURCE)
    page.get_by_role("link", name=f"Merge into {parted.target}…").click()

    expect(_bar(page)).to_contain_text("0 of 1 settled")
    merge = page.get_by_role("button", name=f"Merge {parted.source} into")
    expect(merge).to_be_disabled()
    _take(page, parted.source, javascript)
    expect(_bar(page)).to_contain_text("1 of 1 settled")
    expect(_question_card(page)).to_contain_text(f"Will be {ON_SOURCE}")
    expect(page.get_by_role("main")).to_contain_text("12 + 1 + 2 = 15")

    merge.click()
    page.wait_for_url("**/commits/*/")
    said = f"{parted.source} is merged into {parted.target}."
    expect(page.get_by_text(said)).to_be_visible()
    text, votes, head = parted.state()
    assert text == ON_SOURCE
    assert votes == {"At the bridge": 15, "At the mill": 5}
    assert head in page.url
    page.go_back()
    expect(page.get_by_role("main")).to_contain_text(
        f"{parted.target} has it all already"
    )


def test_a_branch_that_moves_meanwhile_stops_the_merge(
    parted: Parted, visit: Visit, javascript: bool
):
    page = visit("max", java_script_enabled=javascript)
    page.goto(parted.merge_path)
    _take(page, parted.source, javascript)
    expect(_bar(page)).to_contain_text("1 of 1 settled")

    parted.reword("bridge", "At the north bridge")
    before = parted.state()
    merge = page.get_by_role("button", name=f"Merge {parted.source} into")
    with page.expect_response("**/merge/land/") as answer:
        merge.click()

    assert answer.value.status == 409
    expect(
        page.get_by_role("heading", name=f"{parted.target} moved while you were")
    ).to_be_visible()
    assert parted.state() == before
    expect(_bar(page)).to_contain_text("1 of 1 settled")
    expect(_question_card(page)).to_contain_text(f"Will be {ON_SOURCE}")

    merge.click()  # now for what the page shows
    page.wait_for_url("**/commits/*/")
    text, votes, _ = parted.state()
    assert text == ON_SOURCE
    assert votes == {"At the north bridge": 15, "At the mill": 5}


def test_votes_elsewhere_hinder_nobody_who_merges(
    parted: Parted, visit: Visit, javascript: bool
):
    page = visit("max", java_script_enabled=javascript)
    page.goto(parted.merge_path)
    parted.vote("mill")
    _take(page, parted.source, javascript)
    expect(_bar(page)).to_contain_text("1 of 1 settled")
    expect(page.get_by_role("main")).not_to_contain_text("moved while")

    parted.vote("mill")
    page.get_by_role("button", name=f"Merge {parted.source} into").click()
    page.wait_for_url("**/commits/*/")
    expect(page.get_by_text("which changed none of its rows")).to_be_visible()
    text, votes, _ = parted.state()
    assert text == ON_SOURCE
    assert votes == {"At the bridge": 15, "At the mill": 7}


def test_a_violation_is_mended_by_somebody_else_and_the_merge_undone(
    parted: Parted, visit: Visit, javascript: bool
):
    question = parted.site.run(ORPHAN.format(**vars(parted)))
    begun = visit("max", java_script_enabled=javascript)
    begun.goto(parted.merge_path)
    expect(begun.get_by_role("main")).to_contain_text("3 rows of the result would")
    _take(begun, parted.source, javascript)
    expect(_bar(begun)).to_contain_text("1 of 1 settled")
    expect(begun.locator("#merge-bar")).to_contain_text("3 rows still to mend")
    begun.context.clear_cookies()  # and goes home

    parted.site.run(SECOND_MAINTAINER)
    page = visit("ida", java_script_enabled=javascript)
    page.goto("/merges/")
    page.get_by_role("link", name=f"{parted.source} into {parted.target}").click()
    merge = page.get_by_role("button", name=f"Merge {parted.source} into")
    expect(merge).to_be_disabled()
    expect(page.get_by_role("main")).to_contain_text("by Max Okafor")
    gone = page.get_by_role("article", name=f"Question “{question}”")
    expect(gone).to_contain_text(f"It was deleted on {parted.target}")
    gone.locator("label", has_text=f"Keep it as on {parted.source}").click()
    gone.get_by_role("button", name="Mend this row").click()
    expect(page.locator("#merge-bar")).not_to_contain_text("still to mend")

    merge.click()
    page.wait_for_url("**/commits/*/")
    assert parted.state()[0] == ON_SOURCE
    page.get_by_role("link", name="Who decided what").click()
    expect(page.get_by_role("main")).to_contain_text(f"as on {parted.source}")
    expect(page.get_by_role("main")).to_contain_text("ida")

    page.get_by_role("link", name=f"Undo this on {parted.target}").click()
    expect(page.get_by_role("main")).to_contain_text("Nothing is in the way.")
    page.get_by_role("button", name="Undo the merge").click()
    page.wait_for_url("**/commits/*/")
    expect(page.get_by_text(f"is undone on {parted.target}.")).to_be_visible()
    text, votes, _ = parted.state()
    assert text == ON_TARGET
    assert votes == {"At the bridge": 13, "At the mill": 5}


def test_focus_goes_to_what_happened_meanwhile(parted: Parted, visit: Visit):
    """Said by a 409, which a person who can't see the page must not miss."""
    parted.site.run(ORPHAN.format(**vars(parted)))
    parted.site.run(SECOND_MAINTAINER)
    mine, other = visit("max"), visit("ida")
    for page in (mine, other):
        page.goto(parted.merge_path)
    boat = re.compile("^Choice “With the ferryman”")

    _take(other, parted.target, javascript=True)
    expect(_bar(other)).to_contain_text("1 of 1 settled")
    _take(mine, parted.source, javascript=True)
    clash = _question_card(mine).locator(".clash")
    expect(clash).to_contain_text("ida decided about this row meanwhile.")
    expect(clash).to_be_focused()

    for page, way in ((other, "Leave the row out"), (mine, "Change its values below")):
        card = page.get_by_role("article", name=boat)
        card.locator("label", has_text=way).click()
        if page is mine:
            card.get_by_text("other values").click()
            card.get_by_label("Choice").fill("With the pilot")
        card.get_by_role("button", name="Mend this row").click()
    clash = mine.get_by_role("article", name=boat).locator(".clash")
    expect(clash).to_contain_text("ida decided about this row meanwhile.")
    expect(clash).to_be_focused()

    parted.reword("bridge", "At the north bridge")
    mine.get_by_role("article", name=boat).get_by_role("button", name="Mend").click()
    moved = mine.locator(".callout", has_text="moved while you were deciding")
    expect(moved).to_be_focused()


def test_focus_stays_where_somebody_goes_on(parted: Parted, visit: Visit):
    """Also where all that the merge says is made anew, as there are rows to mend."""
    parted.site.run(ORPHAN.format(**vars(parted)))
    parted.site.run(TWO_MILLS.format(**vars(parted)))
    page = visit("max")
    page.goto(parted.merge_path)
    mill = page.get_by_role("article", name=re.compile("mill"))
    mill.get_by_label("Another value for").fill("Beside the mill")
    page.keyboard.press("Tab")
    expect(_bar(page)).to_contain_text("1 of 2 settled")
    # Settled, the row is folded, and its heading is what is left of it to go on from.
    expect(mill.locator("summary").first).to_be_focused()


def test_a_page_says_that_its_draft_was_set_aside(parted: Parted, visit: Visit):
    """Also by a card that is older than the draft, which another card began."""
    parted.site.run(TWO_MILLS.format(**vars(parted)))
    page = visit("max")
    page.goto(parted.merge_path)
    _take(page, parted.source, javascript=True)
    expect(_bar(page)).to_contain_text("1 of 2 settled")
    parted.site.run(SET_ASIDE.format(**vars(parted)))
    mill = page.get_by_role("article", name=re.compile("mill"))
    mill.locator("label", has_text=parted.source).first.click()
    expect(page.get_by_role("main")).to_contain_text(
        "set this merge aside while you were deciding"
    )
    expect(_bar(page)).to_contain_text("0 of 2 settled")


def test_rows_that_follow_by_themselves_take_no_focus(parted: Parted, visit: Visit):
    """Nor do they move what somebody is reading."""
    parted.site.run(MUCH.format(**vars(parted)))
    page = visit("max")
    page.goto(parted.merge_path)
    rows = page.get_by_role("article")
    expect(rows).to_have_count(22)
    assert page.evaluate("() => document.activeElement.tagName") == "BODY"
    assert page.evaluate("() => scrollY") == 0
    last = rows.last
    last.locator("label.choice").last.click()
    expect(_bar(page)).to_contain_text("1 of")
    expect(page.locator("*:focus")).to_have_count(1)


def _bar(page: Page) -> Locator:
    return page.locator("#merge-bar").get_by_role("status")


def _question_card(page: Page) -> Locator:
    return page.get_by_role("article", name=re.compile("^Question"))


def _take(page: Page, branch: str, javascript: bool) -> None:
    """Choose a branch's value for the question's text; with scripts, that keeps it."""
    card = _question_card(page)
    sides = card.get_by_role("group", name=re.compile("^question of", re.IGNORECASE))
    sides.locator("label", has_text=branch).click()
    if not javascript:
        card.get_by_role("button", name="Keep these decisions").click()

"""Two people on the decisions of one merge."""

import re
import sys
from datetime import timedelta
from html import unescape

import pytest
from django.urls import reverse
from django.utils import timezone

import versioning
from polls.models import Choice
from tests.web import seen
from tests.web.fields import forms
from versioning.merging import drafts, preview
from versioning.merging.preview import sides_of
from versioning.models import Decision, MergeDraft
from versioning.values import key_text

URL = "/merge/?source=summer&target=main"
HTMX = {"HX-Request": "true"}


def form(repository, page, choice, take):
    """What the browser sends when somebody chooses on the page as it is shown."""
    sides = sides_of(repository, repository.head("main"), repository.head("summer"))
    assert sides is not None
    key = key_text((choice.pk,))
    html = page.content.decode().replace("&quot;", '"')
    card = html.partition(f'name="key" value="{key}"')[2].partition("</form>")[0]
    return {
        "source": "summer",
        "target": "main",
        "base": sides.base,
        "ours": sides.ours,
        "theirs": sides.theirs,
        "scope": "row",
        "table": "polls_choice",
        "key": key,
        "take:text": take,
        "seen": shown(page),
        **dict(re.findall(r'name="(shown:[^"]*)" value="([^"]*)"', card)),
    }


def shown(page):
    """Which draft, and which of its decisions, a page says that it shows."""
    found = re.search(r'name="seen" value="([^"]*)"', page.content.decode())
    assert found
    return found[1]


def again(answer, **pressed):
    """What the browser sends when mine is taken after all, or theirs is left."""
    html = answer.content.decode()
    clash = html.partition('class="callout callout--warning clash"')[2]
    found = re.findall(
        r'<input type="hidden" name="([^"]*)" value="([^"]*)"',
        clash.partition("</form>")[0],
    )
    return {unescape(name): unescape(value) for name, value in found} | pressed


def decide(client, fields, **extra):
    return client.post(reverse("versioning:merge-decide"), fields, **extra)


def taken():
    return [(d.take, str(d.decided_by)) for d in Decision.objects.all()]


def test_each_sees_what_the_other_decided(repository, maintainer, ida, sky):
    decide(maintainer, form(repository, maintainer.get(URL), sky, "ours"))
    words = seen.main(ida.get(URL))
    assert "1 of 2 settled" in words
    assert "by mo, just now" in words


def test_who_both_decide_first_are_on_one_draft(
    repository, maintainer, ida, sky, monkeypatch
):
    """The other does so while the merge is looked at to begin the draft."""
    mine, theirs = maintainer.get(URL), ida.get(URL)
    look, pending = preview.preview, [form(repository, theirs, sky, "theirs")]

    def look_meanwhile(*args, **more):
        is_beginning = sys._getframe(1).f_code is drafts.begin.__code__
        if is_beginning and pending:
            assert decide(ida, pending.pop()).status_code == 303
        return look(*args, **more)

    monkeypatch.setattr(preview, "preview", look_meanwhile)
    answer = decide(maintainer, form(repository, mine, sky, "ours"))
    assert (answer.status_code, pending) == (409, [])
    assert "ida decided about this row meanwhile." in seen.main(answer)
    assert taken() == [("theirs", "ida")]
    assert MergeDraft.objects.count() == 1


def test_what_the_other_decided_is_not_overwritten_unseen(
    repository, maintainer, ida, sky
):
    mine, theirs = maintainer.get(URL), ida.get(URL)
    assert decide(ida, form(repository, theirs, sky, "theirs")).status_code == 303
    answer = decide(maintainer, form(repository, mine, sky, "ours"), headers=HTMX)
    assert answer.status_code == 409
    assert "ida decided about this row meanwhile." in answer.content.decode()
    assert taken() == [("theirs", "ida")]
    assert decide(maintainer, again(answer), headers=HTMX).status_code == 200
    assert taken() == [("ours", "mo")]


def test_without_a_script_it_is_a_whole_page(repository, maintainer, ida, sky):
    mine = maintainer.get(URL)
    decide(ida, form(repository, ida.get(URL), sky, "theirs"))
    answer = decide(maintainer, form(repository, mine, sky, "ours"))
    assert answer.status_code == 409
    assert "ida decided about this row meanwhile." in seen.main(answer)
    assert "<html" in answer.content.decode()
    assert taken() == [("theirs", "ida")]


@pytest.mark.parametrize("extra", [{}, {"headers": HTMX}])
def test_what_both_chose_is_shown_and_mine_can_be_taken(
    repository, maintainer, ida, sky, extra
):
    mine = form(repository, maintainer.get(URL), sky, "value")
    decide(ida, form(repository, ida.get(URL), sky, "theirs"))
    answer = decide(maintainer, mine | {"value:text": "Heaven"}, **extra)
    assert answer.status_code == 409
    words = seen.text(answer)
    assert "ida decided about this row meanwhile. What you chose is not kept" in words
    assert "Choice You chose: Heaven typed ida decided: Sky of summer as on" in words
    assert "Leave what ida decided" in words
    assert taken() == [("theirs", "ida")]
    assert decide(maintainer, again(answer), **extra).status_code in (200, 303)
    assert taken() == [("value", "mo")]
    assert Decision.objects.get().value == "Heaven"


@pytest.mark.parametrize("extra", [{}, {"headers": HTMX}])
def test_theirs_can_be_left(repository, maintainer, ida, sky, extra):
    mine = form(repository, maintainer.get(URL), sky, "ours")
    decide(ida, form(repository, ida.get(URL), sky, "theirs"))
    answer = decide(maintainer, mine, **extra)
    left = decide(maintainer, again(answer, leave="1"), **extra)
    assert left.status_code == (200 if extra else 303)
    assert b"You chose" not in left.content
    assert taken() == [("theirs", "ida")]


def test_mine_after_all_has_seen_only_what_was_shown(repository, maintainer, ida, sky):
    mine = form(repository, maintainer.get(URL), sky, "ours")
    decide(ida, form(repository, ida.get(URL), sky, "theirs"))
    answer = decide(maintainer, mine)
    decide(ida, form(repository, ida.get(URL), sky, "base"))
    answer = decide(maintainer, again(answer))
    assert answer.status_code == 409
    assert "ida decided: The sky as it was before" in seen.main(answer)
    assert taken() == [("base", "ida")]


def test_to_choose_the_same_is_no_quarrel(repository, maintainer, ida, sky):
    mine = form(repository, maintainer.get(URL), sky, "ours")
    decide(ida, form(repository, ida.get(URL), sky, "ours"))
    assert decide(maintainer, mine).status_code == 303
    assert taken() == [("ours", "ida")]


def test_what_was_left_as_shown_stays_whose_it_is(repository, maintainer, ida, sky):
    """A form sends all of a row's choices; only what was changed is decided."""
    decide(ida, form(repository, ida.get(URL), sky, "theirs"))
    shown = form(repository, maintainer.get(URL), sky, "theirs")
    assert decide(maintainer, shown).status_code == 303
    assert taken() == [("theirs", "ida")]
    decide(ida, form(repository, ida.get(URL), sky, "base"))
    assert decide(maintainer, shown).status_code == 303
    assert taken() == [("base", "ida")]


def test_a_decision_that_was_changed_since_is_not_overwritten(
    repository, maintainer, ida, sky
):
    decide(ida, form(repository, ida.get(URL), sky, "theirs"))
    mine = maintainer.get(URL)  # shows ida's first
    decide(ida, form(repository, ida.get(URL), sky, "base"))
    assert decide(maintainer, form(repository, mine, sky, "ours")).status_code == 409
    assert taken() == [("base", "ida")]


def test_a_decision_taken_back_since_is_said(repository, maintainer, ida, sky):
    decide(ida, form(repository, ida.get(URL), sky, "theirs"))
    mine = maintainer.get(URL)
    Decision.objects.all().delete()
    answer = decide(maintainer, form(repository, mine, sky, "ours"))
    assert answer.status_code == 409
    assert "took a decision about this row back" in seen.main(answer)


def test_one_may_change_ones_own_mind_from_an_older_tab(repository, maintainer, sky):
    older = maintainer.get(URL)
    decide(maintainer, form(repository, maintainer.get(URL), sky, "ours"))
    assert decide(maintainer, form(repository, older, sky, "theirs")).status_code == 303
    assert taken() == [("theirs", "mo")]


def test_choosing_for_all_that_is_left_leaves_the_rest(
    repository, maintainer, ida, sky
):
    mine = maintainer.get(URL)
    decide(ida, form(repository, ida.get(URL), sky, "theirs"))
    fields = form(repository, mine, sky, "ours") | {"scope": "all", "take": "ours"}
    assert decide(maintainer, fields).status_code == 303
    assert sorted(taken()) == [("ours", "mo"), ("theirs", "ida")]


def test_a_draft_is_picked_up_by_somebody_else_and_landed(
    repository, maintainer, ida, sky
):
    decide(maintainer, form(repository, maintainer.get(URL), sky, "ours"))
    maintainer.logout()
    listed = seen.main(ida.get("/merges/"))
    assert "summer into main" in listed
    assert "begun by mo" in listed
    assert "1 of 2 settled" in listed
    page = ida.get(URL)
    fields = form(repository, page, sky, "ours") | {"scope": "all", "take": "theirs"}
    decide(ida, fields)
    landed = ida.post(reverse("versioning:merge-land"), fields)
    assert landed.status_code == 303
    assert {c.text for c in Choice.objects.all()} == {"Sky of main", "Sea of summer"}
    draft = MergeDraft.objects.get()
    assert (str(draft.created_by), str(draft.landed_by)) == ("mo", "ida")


# What a page showed when its buttons are pressed ---------------------------------


def land(client, fields, **extra):
    return client.post(reverse("versioning:merge-land"), fields, **extra)


def test_nothing_lands_that_was_not_seen(repository, maintainer, ida, sky):
    mine = maintainer.get(URL)
    rest = {"scope": "all", "take": "ours"}
    decide(maintainer, form(repository, mine, sky, "ours") | rest)
    seen_by_me = form(repository, maintainer.get(URL), sky, "ours")
    decide(ida, form(repository, ida.get(URL), sky, "theirs"))
    head = repository.head("main")
    refused = land(maintainer, seen_by_me)
    assert refused.status_code == 409
    words = seen.main(refused)
    assert "Somebody else decided something since you looked." in words
    assert "Sky of summer by ida, just now" in words
    told = "“Sky of main” of “What’s up?”, Choice: Sky of summer as on summer, by ida"
    assert told in words
    assert repository.head("main") == head
    assert land(maintainer, seen_by_me | {"seen": shown(refused)}).status_code == 303
    assert {c.text for c in Choice.objects.all()} == {"Sky of summer", "Sea of main"}


def test_nor_without_what_was_taken_back(repository, maintainer, ida, sky):
    """A counter's sum comes back by itself, so that nothing is missing then."""
    for branch, votes in (("main", 6), ("summer", 8)):
        with versioning.on_branch(branch, message=f"Vote on {branch}"):
            Choice.objects.filter(pk=sky.pk).update(votes=votes)
    rest = {"scope": "all", "take": "ours"}
    decide(ida, form(repository, ida.get(URL), sky, "ours") | rest)
    override = {"take:votes": "ours"}
    decide(ida, form(repository, ida.get(URL), sky, "ours") | override)
    mine = form(repository, maintainer.get(URL), sky, "ours")
    decide(ida, form(repository, ida.get(URL), sky, "ours") | {"take:votes": ""})
    assert Decision.objects.count() == 2
    refused = land(maintainer, mine)
    assert refused.status_code == 409
    assert "What ida decided was taken back, or decided anew." in seen.main(refused)
    mine["seen"] = shown(maintainer.get(URL))
    assert land(maintainer, mine).status_code == 303
    assert Choice.objects.get(pk=sky.pk).votes == 9


def test_a_slow_clock_hides_nothing(repository, maintainer, ida, sky, monkeypatch):
    """The machine that took a later decision may be behind the other."""
    rest = {"scope": "all", "take": "ours"}
    decide(maintainer, form(repository, maintainer.get(URL), sky, "ours") | rest)
    fields = form(repository, maintainer.get(URL), sky, "ours")
    early = timezone.now() - timedelta(hours=1)
    theirs = form(repository, ida.get(URL), sky, "theirs")
    with monkeypatch.context() as at_ida:
        at_ida.setattr(timezone, "now", lambda: early)
        assert decide(ida, theirs).status_code == 303
    assert Decision.objects.get(take="theirs").decided_at == early
    assert land(maintainer, fields).status_code == 409
    later = form(repository, maintainer.get(URL), sky, "")
    assert "Sky of summer by ida" in seen.main(maintainer.get(URL))
    assert land(maintainer, later).status_code == 303


def test_nor_does_what_i_decide_hide_what_was_taken_back(
    repository, maintainer, ida, sky
):
    """As many decisions as before, the newest of them mine."""
    sea = Choice.objects.get(text="Sea of main")
    decide(ida, form(repository, ida.get(URL), sky, "ours"))
    mine = form(repository, maintainer.get(URL), sea, "ours")
    decide(ida, form(repository, ida.get(URL), sky, ""))
    answer = decide(maintainer, mine, headers=HTMX)
    assert taken() == [("ours", "mo")]
    assert shown(answer) == mine["seen"]
    decide(ida, form(repository, ida.get(URL), sky, "theirs"))
    refused = land(maintainer, mine | {"seen": shown(answer)})
    assert refused.status_code == 409
    assert "2 of 2 settled" in seen.main(refused)


def test_what_i_decided_myself_is_seen(repository, maintainer, sky):
    """Also in two answers that cross on their way."""
    page = maintainer.get(URL)
    sea = Choice.objects.get(text="Sea of main")
    for choice in (sky, sea):
        fields = form(repository, page, choice, "theirs")
        answer = decide(maintainer, fields, headers=HTMX)
        assert answer.status_code == 200
    assert land(maintainer, fields | {"seen": shown(answer)}).status_code == 303


@pytest.mark.parametrize("with_script", [True, False])
def test_nor_what_i_decided_in_another_tab(repository, maintainer, sky, with_script):
    """A page can't show what was done beside it, by whomever."""
    rest = {"scope": "all", "take": "ours"}
    decide(maintainer, form(repository, maintainer.get(URL), sky, "ours") | rest)
    one, other = maintainer.get(URL), maintainer.get(URL)
    sea = Choice.objects.get(text="Sea of main")
    headers = HTMX if with_script else {}
    fields = form(repository, other, sky, "theirs")
    assert decide(maintainer, fields, headers=headers).status_code in (200, 303)
    head = repository.head("main")
    refused = land(maintainer, form(repository, one, sky, "ours"))
    assert refused.status_code == 409
    words = seen.main(refused)
    assert "You decided something in another tab since this page was made." in words
    assert "Choice: Sky of summer as on summer, by mo" in words
    assert "2 of 2 settled" in words
    assert repository.head("main") == head
    # Nor does a choice at the first page let it pass for seen.
    answer = decide(maintainer, form(repository, one, sea, "theirs"), headers=HTMX)
    assert land(maintainer, fields | {"seen": shown(answer)}).status_code == 409
    assert land(maintainer, fields | {"seen": shown(refused)}).status_code == 303


def test_a_card_shows_nothing_of_the_others(repository, maintainer, ida, sky):
    page = maintainer.get(URL)
    sea = Choice.objects.get(text="Sea of main")
    decide(ida, form(repository, ida.get(URL), sky, "theirs"))
    fields = form(repository, page, sea, "theirs")
    answer = decide(maintainer, fields, headers=HTMX)
    none, at_first, at = shown(page).split()
    assert (none, at_first) == ("-", "0")  # no draft yet, and no decision
    assert shown(answer) == f"{MergeDraft.objects.get().pk} 0 {at}"
    assert land(maintainer, fields | {"seen": shown(answer)}).status_code == 409


def test_a_page_of_a_draft_that_was_set_aside_begins_no_other(
    repository, maintainer, ida, sky
):
    decide(ida, form(repository, ida.get(URL), sky, "theirs"))
    fields = form(repository, maintainer.get(URL), sky, "ours")
    draft = MergeDraft.objects.get()
    address = reverse("versioning:merge-abandon", args=[draft.pk])
    ida.post(address, {"seen": shown(ida.get(address))})
    for more in ({}, {"scope": "all", "take": "ours"}):
        answer = decide(maintainer, fields | more)
        assert answer.status_code == 409
        words = seen.main(answer)
        assert "ida set this merge aside while you were deciding" in words
    assert MergeDraft.objects.count() == 1
    older = fields | {"seen": "", "seen-now": fields["seen"]}  # as the bar says
    assert decide(maintainer, older, headers=HTMX).status_code == 409
    anew = form(repository, answer, sky, "ours")
    assert decide(maintainer, anew).status_code == 303
    assert MergeDraft.objects.count() == 2


@pytest.mark.parametrize(
    "damaged",
    ["x", "x 1 y", "- x y", "{draft} x y", "{draft} 1 2 3", "{draft} 1 " + 33 * "x"],
)
@pytest.mark.parametrize("name", ["merge-land", "merge-decide"])
def test_a_damaged_form_is_refused(repository, maintainer, sky, damaged, name):
    decide(maintainer, form(repository, maintainer.get(URL), sky, "theirs"))
    draft = MergeDraft.objects.get()
    fields = form(repository, maintainer.get(URL), sky, "ours")
    fields["seen"] = damaged.format(draft=draft.pk)
    answer = maintainer.post(reverse(f"versioning:{name}"), fields, headers=HTMX)
    assert answer.status_code == 400
    assert taken() == [("theirs", "mo")]


# When the other was quicker --------------------------------------------------------


def test_who_merges_what_was_merged_learns_by_whom(repository, maintainer, ida, sky):
    rest = {"scope": "all", "take": "ours"}
    decide(maintainer, form(repository, maintainer.get(URL), sky, "ours") | rest)
    mine = form(repository, maintainer.get(URL), sky, "ours")
    theirs = form(repository, ida.get(URL), sky, "ours")
    assert land(ida, theirs).status_code == 303
    merged = repository.head("main")
    late = maintainer.post(reverse("versioning:merge-land"), mine, follow=True)
    assert late.redirect_chain == [(f"/commits/{merged}/", 303)]
    assert "ida did this already, by this commit." in seen.text(late)
    own = ida.post(reverse("versioning:merge-land"), theirs, follow=True)
    assert "did this already" not in seen.text(own)


def test_who_opens_what_was_merged_learns_by_whom(repository, maintainer, ida, sky):
    rest = {"scope": "all", "take": "ours"}
    old = form(repository, maintainer.get(URL), sky, "ours")
    with versioning.on_branch("summer", message="Say more"):
        Choice.objects.filter(pk=sky.pk).update(text="All the sky")
    decide(ida, form(repository, ida.get(URL), sky, "ours") | rest)
    assert land(ida, form(repository, ida.get(URL), sky, "ours")).status_code == 303
    late = land(maintainer, old)  # of what is no more
    assert late.status_code == 409
    for page in (late, maintainer.get(URL)):
        assert "main has it all already ida merged it just now" in seen.main(page)
        assert seen.links(page)["this commit"] == f"/commits/{repository.head('main')}/"


def test_what_was_chosen_when_signed_out_is_told_in_words(
    repository, maintainer, sky, django_user_model
):
    fields = form(repository, maintainer.get(URL), sky, "ours")
    maintainer.logout()
    asked = decide(
        maintainer, fields, headers=HTMX | {"Referer": f"http://testserver{URL}"}
    )
    assert asked["HX-Redirect"] == "/accounts/login/?next=/unsent/"
    maintainer.force_login(django_user_model.objects.get(username="mo"))
    page = maintainer.get("/unsent/")
    words = seen.main(page)
    assert "What you had typed Choice as on main To the start" in words
    assert fields["base"] not in words
    assert seen.links(page)["The page it was on"] == f"http://testserver{URL}"
    (unsent,) = [one for one in forms(page) if one.action == "/merge/decide/"]
    assert maintainer.post(unsent.action, unsent.fields).status_code == 303
    assert taken() == [("ours", "mo")]

"""Somebody sets a merge aside, or lands it, while somebody else decides."""

import re
from contextlib import contextmanager

import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse

from polls.models import Choice
from tests.web import seen
from tests.web.test_drafts_together import (
    HTMX,
    URL,
    decide,
    form,
    shown,
    taken,
)
from versioning.merging import endings, mending
from versioning.merging.drafts import sides_of
from versioning.merging.hiding import lock_key
from versioning.merging.resolution import Choice as Decided
from versioning.merging.resolution import Take
from versioning.models import Decision, MergeDraft

ASIDE = (
    "ida set this merge aside while you were deciding What you pressed last was not "
    "kept. What was decided before is in its record, and counts no more. You can "
    "begin anew below."
)


@pytest.fixture
def meanwhile(repository, monkeypatch):
    """``meanwhile(work)``: run it once, when a draft's lock is asked for."""
    found = type(repository)
    real = found.write_lock

    def arrange(work):
        left = [work]

        @contextmanager
        def slower(self, name, **options):
            if name.startswith("draft ") and left:
                left.pop()()
            with real(self, name, **options):
                yield

        monkeypatch.setattr(found, "write_lock", slower)

    return arrange


def set_aside(name):
    draft = MergeDraft.objects.get(state="open")
    user = get_user_model().objects.get(username=name)
    endings.abandon(draft, user, seen=draft.revision)


def rest(fields):
    return fields | {"scope": "all", "take": "theirs"}


def send(client, address, fields, extra):
    return client.post(reverse(f"versioning:{address}"), fields, **extra)


@pytest.mark.parametrize("extra", [{}, {"headers": HTMX}])
@pytest.mark.parametrize("whole", [False, True])
def test_what_was_decided_too_late_is_said_and_not_kept(
    repository,
    maintainer,
    ida,
    sky,
    meanwhile,
    extra,
    whole,
):
    decide(ida, form(repository, ida.get(URL), sky, "theirs"))
    draft = MergeDraft.objects.get()
    mine = form(repository, maintainer.get(URL), sky, "value")
    mine |= {"value:text": "Heaven above"}
    meanwhile(lambda: set_aside("ida"))
    answer = send(maintainer, "merge-decide", rest(mine) if whole else mine, extra)
    assert answer.status_code == 409
    words = seen.text(answer)
    assert ASIDE in words
    assert "What you had typed Choice Heaven above" in words
    assert seen.links(answer)["its record"] == f"/merges/{draft.pk}/"
    assert "0 of 2 settled" in words
    assert taken() == [("theirs", "ida")]
    assert ("<html" in answer.text) is not bool(extra)
    if extra:
        assert answer["HX-Retarget"] == "#merge"
    # And it can be begun anew, on that very page.
    assert decide(maintainer, form(repository, answer, sky, "ours")).status_code == 303
    assert sorted(MergeDraft.objects.values_list("state", flat=True)) == [
        "abandoned",
        "open",
    ]
    assert taken() == [("theirs", "ida"), ("ours", "mo")]


@pytest.mark.parametrize("extra", [{}, {"headers": HTMX}])
def test_what_was_to_be_mended_too_late_is_not_lost(
    repository,
    maintainer,
    ida,
    sky,
    meanwhile,
    extra,
):
    decide(ida, form(repository, ida.get(URL), sky, "theirs"))
    mine = form(repository, maintainer.get(URL), sky, "")
    mine |= {"take": "", "value:votes": "77", "was:votes": "5"}
    mine |= {"value:text": "The sea", "was:text": "The sea"}
    meanwhile(lambda: set_aside("ida"))
    answer = send(maintainer, "merge-mend", mine, extra)
    assert answer.status_code == 409
    words = seen.text(answer)
    assert ASIDE in words
    assert "What you had typed Votes 77 " in words
    assert taken() == [("theirs", "ida")]


def test_what_was_mended_is_not_taken_back_too_late(
    repository,
    maintainer,
    ida,
    sky,
    meanwhile,
):
    decide(ida, form(repository, ida.get(URL), sky, "theirs"))
    draft = MergeDraft.objects.get()
    row = mending.row_of(sides_of(draft), "polls_choice", (sky.pk,))
    assert row is not None
    nine = {"votes": Decided(Take.VALUE, 9)}
    mending.mend(draft, sides_of(draft), row, nine, None)
    mine = form(repository, maintainer.get(URL), sky, "") | {"clear": "1"}
    meanwhile(lambda: set_aside("ida"))
    answer = send(maintainer, "merge-mend", mine, {})
    assert answer.status_code == 409
    assert ASIDE in seen.main(answer)
    assert Decision.objects.get(mends=True).value == 9


@pytest.mark.parametrize("extra", [{}, {"headers": HTMX}])
def test_somebody_who_merged_it_meanwhile_is_named(
    repository,
    maintainer,
    ida,
    sky,
    meanwhile,
    extra,
):
    fields = form(repository, ida.get(URL), sky, "theirs")
    decide(ida, rest(fields))
    mine = form(repository, maintainer.get(URL), sky, "ours")
    meanwhile(lambda: send(ida, "merge-land", fields, {}))
    answer = send(maintainer, "merge-decide", mine, extra)
    assert answer.status_code == 409
    words = seen.text(answer)
    assert "ida merged this while you were deciding" in words
    assert "it is no part of the merge." in words
    draft = MergeDraft.objects.get()
    assert seen.links(answer)["Its record"] == f"/merges/{draft.pk}/"
    assert Decision.objects.filter(decided_by_name="mo").count() == 0
    assert Choice.objects.get(pk=sky.pk).text == "Sky of summer"


def test_nothing_lands_with_what_was_decided_at_the_same_moment(
    repository,
    maintainer,
    ida,
    sky,
    meanwhile,
):
    fields = form(repository, maintainer.get(URL), sky, "theirs")
    decide(maintainer, rest(fields))
    head = repository.head("main")
    again = form(repository, ida.get(URL), sky, "base")
    meanwhile(lambda: decide(ida, again))
    answer = send(maintainer, "merge-land", fields, {})
    assert answer.status_code == 409
    words = seen.main(answer)
    assert "Nothing was merged Somebody else decided something since" in words
    assert "by ida, just now" in words
    assert repository.head("main") == head
    assert send(maintainer, "merge-land", fields, {}).status_code == 409
    fields |= {"seen": shown(answer)}
    assert send(maintainer, "merge-land", fields, {}).status_code == 303
    assert Choice.objects.get(pk=sky.pk).text == "The sky"


def test_nothing_lands_of_what_was_set_aside_at_the_same_moment(
    repository,
    maintainer,
    ida,
    sky,
    meanwhile,
):
    fields = form(repository, maintainer.get(URL), sky, "theirs")
    decide(maintainer, rest(fields))
    head = repository.head("main")
    meanwhile(lambda: set_aside("ida"))
    answer = send(maintainer, "merge-land", fields, {})
    assert answer.status_code == 409
    assert "ida set this merge aside while you were deciding" in seen.main(answer)
    assert repository.head("main") == head


def test_who_sets_aside_what_was_just_set_aside_is_led_to_its_record(
    repository,
    maintainer,
    ida,
    sky,
    meanwhile,
):
    decide(ida, form(repository, ida.get(URL), sky, "theirs"))
    draft = MergeDraft.objects.get()
    page = f"/merges/{draft.pk}/set-aside/"
    (stamp,) = re.findall(r'name="seen" value="([^"]*)"', maintainer.get(page).text)
    meanwhile(lambda: set_aside("ida"))
    answer = maintainer.post(page, {"seen": stamp})
    assert (answer.status_code, answer["Location"]) == (303, f"/merges/{draft.pk}/")
    draft.refresh_from_db()
    assert draft.abandoned_by_name == "ida"


def test_a_record_of_what_is_landing_does_not_say_that_it_landed(
    repository,
    other_connection,
    maintainer,
    sky,
):
    fields = form(repository, maintainer.get(URL), sky, "theirs")
    decide(maintainer, fields)
    MergeDraft.objects.update(commit=repository.head("summer"))
    with other_connection.repository.landing_lock(lock_key("main")):
        words = seen.main(maintainer.get(f"/merges/{MergeDraft.objects.get().pk}/"))
        assert "merged as" not in words
        answer = decide(maintainer, rest(fields))
        assert answer.status_code == 409
        assert "This is being merged at this moment" in seen.main(answer)
    assert taken() == [("theirs", "mo")]

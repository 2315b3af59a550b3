"""A merge is looked at, or decided about, whose branch is gone."""

import re

import pytest
from django.urls import reverse

from tests.web import seen
from tests.web.test_drafts_together import (
    HTMX,
    URL,
    decide,
    form,
    taken,
)
from versioning.merging import drafts
from versioning.merging.preview import sides_of
from versioning.models import MergeDraft

ROWS = "/merge/rows/?source=summer&target=main&table=polls_choice"
REST = f"{URL}&cards=rest&ours=x&theirs=y"
HIDDEN = "/merge/?source=pollard/candidate/x&target=main"


def delete(client, repository, name="summer"):
    fields = {"name": name, "head": repository.head(name), "typed_0": name}
    assert client.post("/branches/delete/", fields).status_code == 303


def bring_back(client, answer):
    """Press the button that the page has for it."""
    found = answer.text.partition("/branches/restore/")[2].partition("</form>")[0]
    fields = dict(re.findall(r'name="(deleted|next)" value="([^"]*)"', found))
    fields["next"] = fields["next"].replace("&amp;", "&")
    return client.post("/branches/restore/", fields)


@pytest.fixture
def decided(repository, maintainer, ida, sky):
    """A decision of ida's; the form of another, which mo has open."""
    decide(ida, form(repository, ida.get(URL), sky, "theirs"))
    mine = form(repository, maintainer.get(URL), sky, "value")
    return mine | {"value:text": "Heaven"}


@pytest.mark.parametrize("address", [URL, REST, ROWS])
def test_a_bookmark_says_what_became_of_it(
    repository,
    maintainer,
    ida,
    decided,
    address,
):
    delete(ida, repository)
    answer = maintainer.get(address)
    assert answer.status_code == 404
    words = seen.main(answer)
    assert "summer is gone summer was deleted by ida, just now." in words
    assert "What was decided before is in the record." in words
    assert "summer into main Being settled begun by ida, just now" in words
    draft = MergeDraft.objects.get()
    links = seen.links(answer)
    assert links["Being settled"] == f"/merges/{draft.pk}/"
    assert links["All merges"] == "/merges/"
    assert links["Set the decisions aside…"] == f"/merges/{draft.pk}/set-aside/"


@pytest.mark.parametrize("address", [URL, REST, ROWS])
def test_a_part_is_swapped_for_what_became_of_it(
    repository, maintainer, decided, address
):
    delete(maintainer, repository)
    answer = maintainer.get(address, headers=HTMX)
    assert (answer.status_code, answer["HX-Retarget"]) == (409, "#content")
    assert "summer was deleted by mo, just now." in seen.text(answer)
    assert "<html" not in answer.text


def test_it_can_be_brought_back_from_there(repository, maintainer, decided):
    head = repository.head("summer")
    delete(maintainer, repository)
    answer = bring_back(maintainer, maintainer.get(URL))
    assert (answer.status_code, answer["Location"]) == (303, URL)
    assert repository.head("summer") == head
    words = seen.text(maintainer.get(URL))
    assert "“summer” is back, with all that was committed on it." in words
    assert "1 of 2 settled" in words


def test_who_may_delete_no_branch_is_told_who_can(
    repository, maintainer, editor, decided
):
    delete(maintainer, repository)
    answer = editor.get(URL)
    assert answer.status_code == 404
    words = seen.main(answer)
    assert "Somebody who may delete branches can bring it back." in words
    assert "Bring back summer" not in words
    assert "Set the decisions aside" not in words


def test_after_the_merge_its_record_is_named(repository, maintainer, decided):
    fields = decided | {"scope": "all", "take": "theirs"}
    decide(maintainer, fields)
    maintainer.post(reverse("versioning:merge-land"), fields)
    delete_merged = {"name": "summer", "head": repository.head("summer")}
    assert maintainer.post("/branches/delete/", delete_merged).status_code == 303
    answer = maintainer.get(URL)
    assert answer.status_code == 404
    assert "summer into main Merged by mo, just now" in seen.main(answer)
    draft = MergeDraft.objects.get()
    assert seen.links(answer)["Merged"] == f"/merges/{draft.pk}/"


def test_one_that_was_merged_while_its_process_died_is_found_merged(
    repository, maintainer, decided
):
    fields = decided | {"scope": "all", "take": "theirs"}
    decide(maintainer, fields)
    maintainer.post(reverse("versioning:merge-land"), fields)
    MergeDraft.objects.update(state="open", commit="", landed_by=None, landed_at=None)
    repository.delete_branch("summer")
    assert "Merged by mo, just now" in seen.main(maintainer.get(ROWS))


@pytest.mark.parametrize("extra", [{}, {"headers": HTMX}])
@pytest.mark.parametrize("name", ["merge-decide", "merge-mend", "merge-land"])
def test_what_was_sent_is_not_lost(
    repository,
    maintainer,
    ida,
    decided,
    extra,
    name,
):
    if name == "merge-mend":
        decided |= {"was:text": "Sky of main", "take": ""}
    heads = repository.head("main")
    delete(ida, repository)
    answer = maintainer.post(reverse(f"versioning:{name}"), decided, **extra)
    assert answer.status_code == 409
    words = seen.text(answer)
    assert "summer was deleted by ida, just now." in words
    assert "Nothing was changed, and what you pressed last was not kept." in words
    assert "What you had typed Choice Heaven" in words
    assert "Being settled begun by ida" in words
    assert ("<html" in answer.text) is not bool(extra)
    assert (taken(), repository.head("main")) == ([("theirs", "ida")], heads)
    # Brought back, the same can be sent again.
    assert bring_back(maintainer, answer)["Location"] == URL
    assert decide(maintainer, decided).status_code in (303, 409)
    assert repository.head("main") == heads


def test_a_target_may_be_gone_too(repository, maintainer, sky, erin):
    repository.create_branch("autumn", repository.head("main"))
    for name in ("summer", "autumn"):
        delete(maintainer, repository, name)
    answer = maintainer.get("/merge/?source=summer&target=autumn")
    assert answer.status_code == 404
    words = seen.main(answer)
    assert "summer and autumn are gone" in words
    assert "summer was deleted by mo, just now." in words
    assert "autumn was deleted by mo, just now." in words
    assert "No decision about merging summer into autumn is kept" in words
    commit = repository.head("main")
    answer = maintainer.get(f"/merge/?source=revert+{commit}&target=autumn")
    assert answer.status_code == 404
    assert seen.main(answer).startswith("autumn is gone")


@pytest.mark.parametrize(("source", "said"), [("nowhere", "nowhere"), (None, "summer")])
def test_one_that_went_another_way_is_said_to_be_not_there(
    repository,
    maintainer,
    sky,
    source,
    said,
):
    repository.rename_branch("summer", "late-summer")
    answer = maintainer.get(URL if source is None else f"/merge/?source={source}")
    assert answer.status_code == 404
    words = seen.main(answer)
    assert f"There is no branch {said}. It may have another name now" in words
    assert "Bring back" not in words


def test_a_hidden_branch_is_none(repository, maintainer, sky):
    repository.create_branch("pollard/candidate/x", repository.head("main"))
    answer = maintainer.get(HIDDEN)
    assert answer.status_code == 404
    assert "There is no branch “pollard/candidate/x”" in seen.main(answer)


def test_the_latest_deletion_is_the_one_that_counts(
    repository,
    maintainer,
    ida,
    sky,
):
    delete(maintainer, repository)
    repository.create_branch("summer", repository.head("main"))
    fields = {"name": "summer", "head": repository.head("summer")}
    assert ida.post("/branches/delete/", fields).status_code == 303
    answer = maintainer.get(URL)
    assert "summer was deleted by ida" in seen.main(answer)
    bring_back(maintainer, answer)
    assert repository.head("summer") == repository.head("main")


def test_a_draft_of_another_pair_is_no_record_of_this(repository, maintainer, sky):
    repository.create_branch("autumn", repository.head("summer"))
    sides = sides_of(repository, repository.head("main"), repository.head("autumn"))
    assert sides is not None
    drafts.begin("autumn", "main", sides, None)
    delete(maintainer, repository)
    assert "No decision about merging" in seen.main(maintainer.get(URL))

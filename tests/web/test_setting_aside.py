"""A draft is set aside: asked first, said afterwards, and nothing else changes."""

import re
import uuid

import pytest
from django.db.models import Value
from django.db.models.functions import Concat
from django.urls import reverse

import versioning
from polls.models import Choice, Question
from tests.web import seen
from tests.web.test_drafts_together import URL, decide, form
from versioning.merging import drafts, sources
from versioning.merging.preview import sides_of
from versioning.models import MergeDraft


@pytest.fixture
def draft(repository, maintainer, ida, sky):
    """Three decisions: two of mo, and one that ida changed after them."""
    fields = form(repository, maintainer.get(URL), sky, "ours")
    decide(maintainer, fields | {"scope": "all", "take": "ours"})
    decide(ida, form(repository, ida.get(URL), sky, "theirs"))
    return MergeDraft.objects.get()


def page(draft):
    return f"/merges/{draft.pk}/set-aside/"


def seen_by(answer):
    """What the form says that it was made for."""
    (found,) = re.findall(r'name="seen" value="([^"]*)"', answer.content.decode())
    return found


def test_it_is_asked_first(repository, maintainer, draft):
    heads = repository.head("main"), repository.head("summer")
    assert page(draft) in seen.addresses(maintainer.get(URL))
    answer = maintainer.get(page(draft))
    words = seen.main(answer)
    assert "Set aside what was decided about “summer into main”?" in words
    assert "2 decisions would count no more:" in words
    assert "1 by mo, the last just now" in words
    assert "1 by ida, the last just now" in words
    assert "No branch is touched: summer and main stay as they are." in words
    assert seen.links(answer)["Keep them"] == URL
    draft.refresh_from_db()
    assert draft.state == "open"
    answer = maintainer.post(page(draft), {"seen": seen_by(answer)})
    assert (answer.status_code, answer["Location"]) == (303, f"/merges/{draft.pk}/")
    assert (repository.head("main"), repository.head("summer")) == heads


def test_its_record_says_who_and_when_and_what_was_decided(maintainer, ida, draft):
    ida.post(page(draft), {"seen": seen_by(ida.get(page(draft)))})
    words = seen.main(maintainer.get(f"/merges/{draft.pk}/"))
    assert "set aside by ida, just now" in words
    assert "It was set aside, so nothing that was decided counts any more." in words
    assert "as on summer" in words
    assert "0 of 2 settled" in seen.main(maintainer.get(URL))
    listed = maintainer.get("/merges/")
    assert "1 merge set aside summer into main by ida, just now" in seen.main(listed)
    assert f"/merges/{draft.pk}/" in seen.addresses(listed)


def test_what_is_decided_meanwhile_is_not_set_aside_unseen(
    repository,
    maintainer,
    ida,
    draft,
    sky,
):
    before = seen_by(maintainer.get(page(draft)))
    decide(ida, form(repository, ida.get(URL), sky, "base"))
    answer = maintainer.post(page(draft), {"seen": before})
    assert answer.status_code == 409
    assert "Somebody decided something since you looked" in seen.main(answer)
    draft.refresh_from_db()
    assert draft.state == "open"
    assert maintainer.post(page(draft), {"seen": seen_by(answer)}).status_code == 303


def test_a_second_press_leads_to_the_record(maintainer, draft):
    given = {"seen": seen_by(maintainer.get(page(draft)))}
    assert maintainer.post(page(draft), given).status_code == 303
    draft.refresh_from_db()
    first = draft.abandoned_at
    answer = maintainer.post(page(draft), given, follow=True)
    assert answer.redirect_chain == [(f"/merges/{draft.pk}/", 303)]
    assert "“summer into main” is not being settled any more." in seen.text(answer)
    draft.refresh_from_db()
    assert draft.abandoned_at == first


def test_its_record_keeps_what_was_outdated_too(maintainer, draft, sky, erin):
    for branch in ("main", "summer"):
        with versioning.on_branch(branch, author=erin, message="Reword"):
            Choice.objects.update(text=Concat("text", Value(f", {branch}")))
    assert "2 decisions to look at again" in seen.main(maintainer.get(URL))
    assert "No decision stands yet." in seen.main(
        maintainer.get(f"/merges/{draft.pk}/")
    )
    answer = maintainer.get(page(draft))
    assert "2 decisions would count no more:" in seen.main(answer)
    maintainer.post(page(draft), {"seen": seen_by(answer)})
    words = seen.main(maintainer.get(f"/merges/{draft.pk}/"))
    assert "Sky of summer as on summer ida, just now" in words
    assert "Sea of main as on main mo, just now" in words


def test_one_without_decisions_loses_nothing(maintainer, draft):
    draft.decisions.all().delete()
    words = seen.main(maintainer.get(page(draft)))
    assert "Nothing is lost: nobody has decided anything yet." in words
    maintainer.post(page(draft), {"seen": seen_by(maintainer.get(page(draft)))})
    record = seen.main(maintainer.get(f"/merges/{draft.pk}/"))
    assert "Nothing was decided." in record


def test_an_address_or_a_form_that_is_damaged(maintainer, draft):
    assert maintainer.get(f"/merges/{uuid.uuid4()}/set-aside/").status_code == 404
    assert maintainer.post(page(draft)).status_code == 400
    draft.refresh_from_db()
    assert draft.state == "open"


def land_all(client, repository, source, target, take="ours"):
    """Merge a branch through the site, with one side's values."""
    sides = sides_of(repository, repository.head(target), repository.head(source))
    assert sides is not None
    pins = {"base": sides.base, "ours": sides.ours, "theirs": sides.theirs}
    fields = {"source": source, "target": target, **pins, "scope": "all", "take": take}
    assert decide(client, fields).status_code == 303
    answer = client.post(reverse("versioning:merge-land"), fields)
    assert (answer.status_code, answer["Location"][:9]) == (303, "/commits/")


def by_another_merge(repository, client):
    """Summer is merged into autumn, and that into main."""
    repository.create_branch("autumn", repository.head("main"))
    land_all(client, repository, "summer", "autumn")
    land_all(client, repository, "autumn", "main")


def by_hand(repository, client):
    """Main is merged into summer; then somebody moves main forward to that."""
    land_all(client, repository, "main", "summer")
    before, after = repository.head("main"), repository.head("summer")
    repository.fast_forward("main", expected=before, to=after)


@pytest.mark.parametrize("done", [by_another_merge, by_hand])
@pytest.mark.parametrize("is_deleted", [False, True])
def test_one_that_was_merged_by_another_way_is_said_to_be(
    repository, maintainer, draft, done, is_deleted
):
    words = seen.main(maintainer.get("/merges/"))
    assert "has it all already" not in words
    done(repository, maintainer)
    if is_deleted:
        repository.delete_branch("summer")
    listed = maintainer.get("/merges/")
    said = "main has it all already, by another way: what was decided here is of no use"
    assert said in seen.main(listed)
    assert seen.links(listed)["Set it aside…"] == page(draft)
    if not is_deleted:
        shown = maintainer.get(URL)
        assert "main has it all already" in seen.main(shown)
        assert "It came there by another way than this page, so" in seen.main(shown)
        assert seen.links(shown)["Set the decisions aside…"] == page(draft)
        # The page has judged the draft anew, at what the branches are now.
        assert said in seen.main(maintainer.get("/merges/"))
    answer = maintainer.get(page(draft))
    keeps = seen.links(answer)["Keep them"]
    assert keeps == ("/merges/" if is_deleted else URL)
    maintainer.post(page(draft), {"seen": seen_by(answer)})
    words = seen.main(maintainer.get("/merges/"))
    assert "has it all already" not in words
    assert "1 merge set aside" in words


def test_one_whose_branch_is_gone_is_said_to_be(repository, maintainer, draft):
    repository.delete_branch("summer")
    listed = maintainer.get("/merges/")
    assert "summer was deleted, so this can’t be merged any more." in seen.main(listed)
    assert seen.links(listed)["summer into main"] == f"/merges/{draft.pk}/"
    assert seen.links(listed)["Set it aside…"] == page(draft)


def test_one_that_moved_and_still_waits_is_listed_as_before(
    repository, maintainer, draft, erin
):
    for branch in ("main", "summer"):
        with versioning.on_branch(branch, author=erin, message="Ask more"):
            Question.objects.create(text=f"More on {branch}?")
    listed = maintainer.get("/merges/")
    assert seen.links(listed)["summer into main"] == URL
    assert "Set it aside…" not in seen.links(listed)


def test_a_pick_that_the_target_holds_by_now(repository, maintainer, sky, erin):
    commit = repository.head("summer")
    source = f"pick {commit}"
    sides = sources.sides(repository, sources.parse(source), "main")
    assert sides is not None
    draft = drafts.begin(source, "main", sides, None)
    assert "Set it aside…" not in seen.links(maintainer.get("/merges/"))
    by_hand(repository, maintainer)
    listed = maintainer.get("/merges/")
    assert "main has it all already, by another way" in seen.main(listed)
    assert seen.links(listed)["Set it aside…"] == page(draft)
    shown = maintainer.get(f"/merge/?source={source}&target=main")
    assert "main holds this commit already." in seen.main(shown)
    assert seen.links(shown)["Set the decisions aside…"] == page(draft)

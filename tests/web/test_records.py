"""What was decided about a merge: by whom and when, now and later."""

import re
from datetime import timedelta
from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import connection as default
from django.urls import reverse
from django.utils import timezone

import versioning
from polls.models import Choice, Question
from tests.web import seen
from tests.web.test_drafts_together import URL, decide, form
from versioning.merging import endings, records
from versioning.models import Decision, MergeDraft


def land(client, fields):
    return client.post(reverse("versioning:merge-land"), fields)


@pytest.fixture
def landed(repository, maintainer, ida, sky):
    """A merge that two people decided; its commit."""
    decide(maintainer, form(repository, maintainer.get(URL), sky, "ours"))
    page = ida.get(URL)
    fields = form(repository, page, sky, "ours") | {"scope": "all", "take": "theirs"}
    decide(ida, fields)
    assert land(ida, fields).status_code == 303
    return repository.commit(repository.head("main"))


def test_the_commit_says_how_much_was_decided(landed):
    draft = MergeDraft.objects.get()
    assert landed.message == (
        "Merge summer into main\n\n"
        "2 values decided by 2 people.\n\n"
        f"Merge-Record: {draft.pk}"
    )


def test_each_decision_is_shown_with_who_and_what(maintainer, landed):
    draft = MergeDraft.objects.get()
    commit = maintainer.get(f"/commits/{landed.hash}/")
    url = seen.links(commit)["Who decided what"]
    assert url == f"/merges/{draft.pk}/"
    words = seen.main(maintainer.get(url))
    assert "summer into main" in words
    assert "Choice “Sky of main” of “What’s up?”" in words
    assert "as on main" in words
    assert "as on summer" in words
    assert "mo, just now" in words
    assert "ida, just now" in words
    for value in ("The sky", "Sky of summer", "Sea of main", "Sea of summer"):
        assert value in words
    assert url in seen.addresses(maintainer.get("/merges/"))


def test_rows_that_values_refer_to_are_called_by_their_names(
    repository, maintainer, sky, erin
):
    with versioning.on_branch("main", author=erin, message="Ask"):
        Choice.objects.filter(pk=sky.pk).update(
            question=Question.objects.create(pk=901, text="Who?")
        )
    with versioning.on_branch("summer", author=erin, message="Ask"):
        Choice.objects.filter(pk=sky.pk).update(
            question=Question.objects.create(pk=902, text="Where?")
        )
    fields = form(repository, maintainer.get(URL), sky, "ours")
    fields |= {"scope": "row", "take:question_id": "value", "value:question_id": "902"}
    decide(maintainer, fields)
    draft = MergeDraft.objects.get()
    page = maintainer.get(f"/merges/{draft.pk}/")
    assert "Question What’s up? Who? Where? Where? typed" in seen.main(page)


def test_it_is_there_when_the_branch_is_gone(repository, maintainer, landed):
    repository.delete_branch("summer")
    page = maintainer.get(f"/merges/{MergeDraft.objects.get().pk}/")
    assert "Sky of summer" in seen.main(page)


def test_people_are_called_as_in_commits(
    repository, maintainer, ida, sky, django_user_model
):
    """By their names, of which two may have the same."""
    for user in django_user_model.objects.all():
        user.first_name, user.last_name = "Mo", "Maas"
        user.save()
    decide(maintainer, form(repository, maintainer.get(URL), sky, "ours"))
    assert "by Mo Maas, just now" in seen.main(ida.get(URL))
    fields = form(repository, ida.get(URL), sky, "ours")
    decide(ida, fields | {"scope": "all", "take": "theirs"})
    draft = MergeDraft.objects.get()
    aside = seen.main(ida.get(f"/merges/{draft.pk}/set-aside/"))
    assert aside.count("1 by Mo Maas") == 2
    land(ida, form(repository, ida.get(URL), sky, "ours"))
    commit = repository.commit(repository.head("main"))
    assert commit.author.name == "Mo Maas"
    assert "2 values decided by 2 people." in commit.message
    record = seen.main(ida.get(f"/merges/{draft.pk}/"))
    assert "by Mo Maas, just now" in record
    assert "begun by Mo Maas" in record


def test_names_stay_when_people_are_gone(maintainer, landed, django_user_model):
    """Deleting an account is no way to rewrite who decided what."""
    django_user_model.objects.filter(username="ida").delete()
    draft = MergeDraft.objects.get()
    assert draft.landed_by is None
    words = seen.main(maintainer.get(f"/merges/{draft.pk}/"))
    assert "by ida, just now" in words.partition("Decisions")[0]
    assert "as on summer ida, just now" in words
    assert "by ida, just now" in seen.main(maintainer.get("/merges/"))


def test_a_name_stays_on_an_open_draft_too(
    repository,
    maintainer,
    ida,
    sky,
    django_user_model,
):
    decide(ida, form(repository, ida.get(URL), sky, "theirs"))
    django_user_model.objects.filter(username="ida").delete()
    assert "begun by ida" in seen.main(maintainer.get("/merges/"))
    words = seen.main(maintainer.get(URL))
    assert "by ida, just now" in words


def test_two_who_are_gone_are_still_two(
    repository,
    maintainer,
    ida,
    sky,
    django_user_model,
):
    fields = form(repository, maintainer.get(URL), sky, "ours")
    decide(ida, fields)
    third = django_user_model.objects.create_superuser("al")
    draft = MergeDraft.objects.get()
    draft.decisions.update(decided_by=third, decided_by_name="al")
    decide(maintainer, fields | {"scope": "all", "take": "theirs"})
    django_user_model.objects.filter(username="al").delete()
    land(maintainer, form(repository, maintainer.get(URL), sky, "ours"))
    message = repository.commit(repository.head("main")).message
    assert "2 values decided by 2 people." in message


def test_names_of_before_are_kept_by_the_migration(maintainer, landed):
    """What is there when the columns for names are made gets them at once."""
    MergeDraft.objects.update(created_by_name="", landed_by_name="", created_by=None)
    Decision.objects.update(decided_by_name="")
    module = import_module("versioning.migrations.0004_drafts_together")
    module.keep_names(apps, SimpleNamespace(connection=default))
    draft = MergeDraft.objects.get()
    assert (draft.created_by_name, draft.landed_by_name) == ("", "ida")
    names = draft.decisions.values_list("decided_by_name", flat=True)
    assert sorted(names) == ["ida", "mo"]


def test_the_latest_are_listed_by_when_they_ended(maintainer, landed, monkeypatch):
    """As many of each end, however many there are of the other."""
    monkeypatch.setattr(records, "LISTED", 5)
    now = timezone.now()
    sides = {"target": "main", "base": "a", "ours": "b", "theirs": "c"}
    for state, when in (("landed", "landed_at"), ("abandoned", "abandoned_at")):
        for number in range(6):
            # The first that was begun ended last.
            ended = {when: now + timedelta(hours=9 - number)}
            MergeDraft.objects.create(
                source=f"{state} {number}", state=state, commit="d", **ended, **sides
            )
    # As it was set aside in the project's first days.
    MergeDraft.objects.filter(source="abandoned 5").update(abandoned_at=None)
    MergeDraft.objects.filter(source="abandoned 0").delete()
    words = seen.main(maintainer.get("/merges/"))
    assert re.findall(r"((?:landed|abandoned) \d) into main", words) == [
        *(f"landed {number}" for number in (0, 1, 2, 3, 4)),
        *(f"abandoned {number}" for number in (1, 2, 3, 4, 5)),
    ]


def test_only_decisions_that_stood_are_counted(maintainer, landed):
    listed = seen.main(maintainer.get("/merges/"))
    assert "summer into main 2 decisions, by ida, just now" in listed
    Decision.objects.filter(decided_by_name="mo").update(outdated=True)
    listed = seen.main(maintainer.get("/merges/"))
    assert "summer into main 1 decision, by ida, just now" in listed


def test_a_merge_without_decisions_has_a_record_too(repository, maintainer, sky):
    repository.delete_branch("summer")
    repository.create_branch("summer", repository.commit(repository.head("main")).hash)
    import versioning

    with versioning.on_branch("summer", message="Vote"):
        Choice.objects.filter(pk=sky.pk).update(votes=9)
    assert land(maintainer, form(repository, maintainer.get(URL), sky, "")).status_code
    page = maintainer.get(f"/merges/{MergeDraft.objects.get().pk}/")
    assert "Nothing had to be decided: it merged by itself." in seen.main(page)
    assert "by mo" in seen.main(page)


def test_a_record_whose_process_died_after_landing_is_found(
    repository, maintainer, landed
):
    """The target has moved; the draft still says that it is open."""
    MergeDraft.objects.update(state="open", commit="", landed_by=None, landed_at=None)
    draft = MergeDraft.objects.get()
    assert "summer into main" in seen.main(maintainer.get("/merges/"))
    draft.refresh_from_db()
    assert (draft.state, draft.commit) == ("landed", landed.hash)
    assert endings.record_of(landed.hash) == draft


def test_a_record_that_does_not_exist_is_not_found(maintainer, landed):
    assert (
        maintainer.get("/merges/4f7c2f5e-0000-4000-8000-000000000000/").status_code
        == 404
    )
    url = f"/merges/{MergeDraft.objects.get().pk}/"
    assert maintainer.get(f"{url}?after=x").status_code == 400


@pytest.mark.parametrize(
    ("take", "said"),
    [("theirs", "kept, as on summer"), ("ours", "deleted, as on main")],
)
def test_the_fate_of_a_whole_row_is_told(
    repository, maintainer, erin, heaven, take, said
):
    for branch in ("main", "summer"):
        with versioning.on_branch(branch, author=erin, message="Go on"):
            rows = Choice.objects.filter(pk=heaven.pk)
            if branch == "main":
                rows.delete()
            else:
                rows.update(text="More")
    page = maintainer.get(URL)
    sent = form(repository, page, heaven, take) | {"take:": take}
    sent.pop("take:text")
    decide(maintainer, sent)
    record = f"/merges/{MergeDraft.objects.get().pk}/"
    row = f"Choice “More” of “What’s up?” The row there deleted changed {said} mo"
    assert row in seen.main(maintainer.get(record))

"""What somebody types becomes part of a commit's message, and is only text there."""

from django.contrib.auth.models import Permission
from django.urls import reverse

from polls.models import Question
from tests.web import seen
from tests.web.conftest import EDITOR, signed_in
from tests.web.fields import fields
from tests.web.test_log import commits_on
from tests.web.test_merges import about, decide, pins
from versioning.history import Message
from versioning.models import MergeDraft
from versioning.place import TOKEN_FIELD


def test_a_poll_whose_text_names_a_merge_ends_none(
    repository, maintainer, heaven, django_user_model
):
    """By its text, somebody who may not merge would mark a draft as merged."""
    of_summer = pins(repository, "main", "summer")
    decide(maintainer, of_summer | about(heaven, take__text="theirs"))
    draft = MergeDraft.objects.get()
    eve = signed_in(django_user_model, "eve", EDITOR)
    may_write = Permission.objects.filter(content_type__app_label="polls")
    django_user_model.objects.get(username="eve").user_permissions.add(*may_write)
    eve.post(reverse("versioning:branch-switch"), {"name": "summer"})
    line = f"Merge-Record: {draft.pk}"
    text = f"Which tea?\n\n{line}\n\nx"
    form = fields(eve.get(reverse("polls:create")))
    typed = {"text": text, "choices-0-text": "Green", "choices-1-text": "Black"}
    assert eve.post(reverse("polls:create"), form | typed).status_code in (302, 303)
    message = repository.commit(repository.head("summer")).message
    assert line in message
    assert line not in message.splitlines()
    assert line not in [f"{k}: {v}" for k, v in Message.parse(message).trailers]
    words = seen.main(maintainer.get("/merges/"))
    assert "main into summer 1 of 1 settled" in words
    draft.refresh_from_db()
    assert draft.state == MergeDraft.State.OPEN


def test_edits_of_polls_whose_texts_are_those_of_votes_are_not_folded(
    repository, owner
):
    repository.create_branch("summer", repository.head("main"))
    owner.post(reverse("versioning:branch-switch"), {"name": "summer"})
    for number in range(4):
        form = fields(owner.get(reverse("polls:create")))
        del form[TOKEN_FIELD]  # so that no line of ours ends the message
        text = f"Tea {number}?\n\nKind: vote\nAbout: x"
        typed = {"text": text, "choices-0-text": "Green", "choices-1-text": "Black"}
        assert owner.post(reverse("polls:create"), form | typed).status_code == 303
    log = owner.get("/log/?branch=summer")
    assert not seen.main(log).count("votes on")
    assert commits_on(log)[0] == repository.head("summer")


def test_a_commit_that_only_names_a_merge_is_none(
    repository, maintainer, heaven, stranger
):
    decide(maintainer, pins(repository) | about(heaven, take__text="theirs"))
    draft = MergeDraft.objects.get()
    message = f"Ours now\n\nMerge-Record: {draft.pk}"
    stranger.execute("main", "UPDATE polls_question SET details = 'x'", commit=message)
    assert Question.objects.filter(details="x").exists()
    assert "1 of 1 settled" in seen.main(maintainer.get("/merges/"))

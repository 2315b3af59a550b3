"""Errors are pages of the site, and keep what was typed."""

import pytest
from django.test import Client

import versioning
from polls.models import Question
from tests.addresses import POST_ONLY, make_things
from tests.web import seen

#: Addresses of buttons that lead who opens them to the page of the button.
LEAD_ON = {
    "polls:vote",
    "versioning:merge-decide",
    "versioning:merge-land",
    "versioning:merge-mend",
}
TYPED = "A text that took an hour"


@pytest.fixture
def poll_editor(django_user_model, maintainer: Client) -> Client:
    user = django_user_model.objects.get(username="mo")
    user.is_superuser = True
    user.save()
    return maintainer


def test_a_question_deleted_while_it_was_edited_keeps_what_was_typed(
    repository, poll_editor
):
    with versioning.on_branch("main", message="Ask"):
        question = Question.objects.create(text="Gone soon")
    with versioning.on_branch("main", message="Delete"):
        Question.objects.all().delete()
    head = repository.head("main")
    page = poll_editor.post(
        f"/polls/{question.pk}/edit/", {"text": TYPED, "csrfmiddlewaretoken": "secret"}
    )
    assert page.status_code == 404
    assert TYPED in seen.main(page)
    assert "Nothing was written." in seen.main(page)
    assert "secret" not in page.content.decode()
    assert repository.head("main") == head


def test_who_may_not_do_it_keeps_what_was_typed(repository, nobody):
    page = nobody.post("/polls/new/", {"text": TYPED})
    assert page.status_code == 403
    assert TYPED in seen.main(page)


def test_a_damaged_form_keeps_what_was_typed(repository, poll_editor):
    page = poll_editor.post("/polls/new/", {"text": TYPED, "choices-TOTAL_FORMS": "x"})
    assert page.status_code == 400
    assert TYPED in seen.main(page)


def test_a_form_of_too_many_fields_is_refused_with_a_page(repository, nobody):
    page = nobody.post("/polls/new/", {f"field{n}": "x" for n in range(1500)})
    assert page.status_code == 400
    assert "Nothing was written." in seen.main(page)


@pytest.mark.parametrize("name", sorted(POST_ONLY - LEAD_ON))
def test_an_address_of_a_button_says_so(name, repository, maintainer):
    page = maintainer.get(make_things().path(name))
    assert page.status_code == 405
    assert page["Allow"] == "POST" or name == "logout"
    assert "only takes what a button of this site sends" in seen.main(page)


def test_an_address_to_look_at_says_so(repository, maintainer):
    page = maintainer.post("/merges/", {"text": TYPED})
    assert page.status_code == 405
    assert page["Allow"] == "GET, HEAD"
    assert "can only be looked at" in seen.main(page)
    assert TYPED in seen.main(page)


def test_a_probe_asks_for_heads_alone(repository, client, poll_editor):
    with versioning.on_branch("main", message="Ask"):
        question = Question.objects.create(text="What’s up?")
        question.choices.create(text="The sky")
    head = repository.head("main")
    paths = ["/", f"/polls/{question.pk}/", f"/polls/{question.pk}/edit/", "/log/"]
    for path in [*paths, f"/polls/{question.pk}/delete/", "/branches/new/"]:
        answer = poll_editor.head(path)
        assert answer.status_code == 200, path
        assert answer.content == b""
    assert client.head(f"/polls/{question.pk}/vote/").status_code == 302
    assert repository.head("main") == head


def test_a_poll_that_is_not_here_is_said_in_words(repository, client, nobody):
    with versioning.on_branch("main", message="Ask"):
        question = Question.objects.create(text="Gone soon")
    repository.create_branch("summer", repository.head("main"))
    with versioning.on_branch("main", message="Delete"):
        Question.objects.all().delete()
    for path in ("", "results/", "vote/"):
        page = client.get(f"/polls/{question.pk}/{path}")
        assert page.status_code == 404
        words = seen.main(page)
        assert "There is no such poll on main. It may be on another branch" in words
        assert "Branches" not in words  # where a visitor may not look


@pytest.mark.parametrize("path", ["merges/{}/", "merges/{}/set-aside/"])
def test_what_django_says_to_developers_is_said_to_nobody(repository, maintainer, path):
    nothing = "28dba84c-0000-4000-8000-000000000000"
    page = maintainer.get("/" + path.format(nothing))
    words = seen.main(page)
    assert page.status_code == 404
    assert "There is nothing here. It may be on another branch." in words
    assert "matches" not in words
    assert "Branches" in words


@pytest.mark.parametrize("field", ["source", "target"])
def test_no_branch_is_looked_for_whose_name_not_every_database_takes(
    editor, maintainer, repository, field
):
    named = {"source": "summer", "target": "main", field: "a\0b", "table": "polls_poll"}
    for path in ("/merge/", "/merge/rows/"):
        assert editor.get(path, named).status_code == 400
    head = repository.head("main")
    pins = dict.fromkeys(("base", "ours", "theirs"), head)
    page = maintainer.post("/merge/decide/", named | pins)
    assert page.status_code == 400
    assert "Nothing was written." in seen.main(page)

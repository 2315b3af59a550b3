"""Pages of two hashes are sent once, and never to somebody else or out of date."""

import pytest
from django.contrib.auth.models import Permission, PermissionsMixin
from django.test import override_settings

import versioning
from polls.models import Choice, Question
from tests.web import seen
from versioning import immutable


@pytest.fixture
def frozen(monkeypatch):
    """No minute ends during a test."""
    monkeypatch.setattr(immutable.time, "time", lambda: 1_000_000_000.0)


@pytest.fixture
def pinned(repository, erin, frozen):
    before = repository.head("main")
    with versioning.on_branch("main", author=erin, message="Ask"):
        question = Question.objects.create(text="What’s up?")
        Choice.objects.create(question=question, text="The sky")
    return f"from={before}&to={repository.head('main')}&dots=2"


@pytest.fixture(params=["/compare/?{}", "/compare/rows/?table=polls_choice&{}"])
def path(request, pinned, editor):
    editor.get("/log/")  # as any first page, it brings the cookie against forgery
    return request.param.format(pinned)


def again(client, path, first, **headers):
    return client.get(path, headers={"If-None-Match": first["ETag"], **headers})


def test_a_page_that_the_reader_has_is_not_sent_again(editor, path):
    first = editor.get(path)
    second = again(editor, path, first)
    assert (first.status_code, second.status_code) == (200, 304)
    assert second.content == b""
    for answer in (first, second):
        assert set(answer["Cache-Control"].split(", ")) == {"private", "no-cache"}
        assert {"Cookie", "HX-Request"} <= set(answer["Vary"].split(", "))


def test_a_part_is_no_page(editor, path):
    first = editor.get(path)
    part = again(editor, path, first, **{"HX-Request": "true"})
    assert part.status_code == 200
    assert "<html" not in part.content.decode()


def test_a_user_model_need_not_list_its_permissions(
    editor, path, monkeypatch, django_user_model
):
    """Django asks one of your own for has_perm() alone."""
    monkeypatch.delattr(PermissionsMixin, "get_all_permissions")
    first = editor.get(path)
    assert first.status_code == 200
    assert again(editor, path, first).status_code == 304
    person = django_user_model.objects.get(username="edith")
    may_merge = Permission.objects.get(codename="merge_branch")
    person.user_permissions.add(may_merge)
    assert again(editor, path, first).status_code == 200


def test_another_reader_and_one_who_may_less_get_their_own(
    editor, maintainer, nobody, client, path, django_user_model
):
    first = editor.get(path)
    assert again(maintainer, path, first).status_code == 200
    assert again(nobody, path, first).status_code == 403
    assert again(client, path, first).status_code == 302
    edith = django_user_model.objects.get(username="edith")
    edith.user_permissions.add(Permission.objects.get(codename="merge_branch"))
    assert again(editor, path, first).status_code == 200
    edith.user_permissions.clear()
    assert again(editor, path, first).status_code == 403


def test_what_the_header_shows_is_not_old(editor, path, repository):
    first = editor.get(path)
    repository.create_branch("summer", repository.head("main"))
    second = again(editor, path, first)
    assert second.status_code == 200
    assert "summer" in seen.text(second)
    editor.post("/branches/switch/", {"name": "summer"})
    editor.get("/log/")  # where the message of it is shown
    assert again(editor, path, second).status_code == 200


def test_a_message_is_shown_and_only_once(editor, path, repository):
    repository.create_branch("summer", repository.head("main"))
    editor.post("/branches/switch/", {"name": "summer"})
    first = editor.get(path)
    assert "You are on “summer” now." in seen.text(first)
    assert "ETag" not in first
    second = editor.get(path)
    assert "You are on “summer” now." not in seen.text(second)
    assert again(editor, path, second).status_code == 304


def test_new_code_new_settings_and_a_new_minute_are_new_pages(
    editor, path, monkeypatch, settings
):
    first = editor.get(path)
    with override_settings(TIME_ZONE="Asia/Tokyo"):
        assert again(editor, path, first).status_code == 200
    with monkeypatch.context() as patch:
        patch.setattr(immutable, "code", lambda: "newer")
        assert again(editor, path, first).status_code == 200
    with monkeypatch.context() as patch:
        patch.setattr(immutable.time, "time", lambda: 1_000_000_061.0)
        assert again(editor, path, first).status_code == 200
    assert again(editor, path, first).status_code == 304


def test_what_goes_by_a_branchs_name_is_always_made_anew(editor, pinned):
    assert "ETag" not in editor.get("/compare/?from=main&to=main")


def test_an_error_is_no_page_to_keep(editor, frozen, repository):
    nowhere = "0" * len(repository.head("main"))
    path = f"/compare/?from={nowhere}&to={nowhere}"
    first = editor.get(path)
    assert first.status_code == 404
    assert "ETag" not in first

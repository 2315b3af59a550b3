"""A branch whose tables are behind: its pages say so, and offer to mend it."""

import pytest
from django.contrib.auth import get_user
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.urls import reverse

from tests.web import seen
from tests.web.fields import fields
from versioning.place import BRANCH_FIELD


@pytest.fixture
def spring(repository) -> str:
    """A branch without the polls' tables."""
    repository.create_branch("spring", repository.head("main"))
    call_command(
        "migrate", "polls", "zero", database="versioned", branch="spring", verbosity=0
    )
    return "spring"


def on(client, branch):
    client.post(reverse("versioning:branch-switch"), {"name": branch})


def test_its_pages_say_so_and_offer_to_mend_it(repository, maintainer, spring):
    on(maintainer, spring)
    page = maintainer.get("/")
    assert page.status_code == 409
    assert "“spring” is behind the application" in seen.main(page)
    assert "It lacks polls.0001_" in seen.main(page)
    assert "Bring spring up to date Go to main Branches" in seen.main(page)
    assert "A maintainer" not in seen.main(page)
    main = repository.head("main")
    answer = maintainer.post(
        reverse("versioning:branch-migrate"), {"name": spring, "next": "/"}
    )
    assert (answer.status_code, answer["Location"]) == (303, "/")
    page = maintainer.get("/")
    assert page.status_code == 200
    assert "spring is up to date now: polls.0001_" in page.content.decode()
    commit = repository.commit(repository.head(spring))
    assert commit.author.name == "mo"
    assert repository.head("main") == main
    again = maintainer.post(reverse("versioning:branch-migrate"), {"name": spring})
    assert again["Location"] == reverse("versioning:branches")
    assert repository.head(spring) == commit.hash


def test_who_may_not_is_told_and_offered_nothing(repository, editor, spring):
    on(editor, spring)
    page = editor.get("/")
    assert page.status_code == 409
    assert "Bring spring up to date" not in seen.main(page)
    assert "A maintainer can bring it up to date." in seen.main(page)
    assert "Go to main" in seen.main(page)
    head = repository.head(spring)
    answer = editor.post(reverse("versioning:branch-migrate"), {"name": spring})
    assert answer.status_code == 403
    assert repository.head(spring) == head


def test_what_was_typed_is_shown(maintainer, django_user_model, spring):
    django_user_model.objects.get(pk=get_user(maintainer).pk).user_permissions.add(
        Permission.objects.get(codename="add_question")
    )
    sent = fields(maintainer.get("/polls/new/")) | {
        "text": "What is lost?",
        "choices-0-text": "Nothing",
        "choices-1-text": "All",
    }
    on(maintainer, spring)
    sent[BRANCH_FIELD] = spring
    answer = maintainer.post("/polls/new/", sent)
    assert answer.status_code == 409
    assert "“spring” is behind the application" in seen.main(answer)
    assert "What is lost?" in seen.main(answer)


def test_a_commit_without_the_tables_can_become_a_branch(
    repository, maintainer, spring
):
    page = maintainer.get(f"/?at={repository.head(spring)}")
    assert page.status_code == 409
    assert "make a branch of it to bring that up to date" in seen.main(page)
    assert "Go to main" in seen.main(page)


def test_a_branch_ahead_of_the_code_can_not_be_brought_back(
    repository, maintainer, stranger
):
    repository.create_branch("later", repository.head("main"))
    stranger.execute(
        "later",
        "INSERT INTO django_migrations (app, name, applied) "
        "VALUES ('polls', '0099_later', '2026-01-01')",
        commit="Record it",
    )
    stranger.execute(
        "later", "ALTER TABLE polls_question RENAME TO polls_asked", commit="Rename"
    )
    head = repository.head("later")
    on(maintainer, "later")
    page = maintainer.get("/")
    assert page.status_code == 409
    assert "“later” has other tables than the application" in seen.main(page)
    assert "It has polls.0099_later besides." in seen.main(page)
    assert "Go to main" in seen.main(page)
    assert "up to date" not in seen.main(page)
    answer = maintainer.post(
        reverse("versioning:branch-migrate"), {"name": "later"}, follow=True
    )
    assert "has migrations that the code lacks: polls.0099_later" in (
        answer.content.decode()
    )
    assert repository.head("later") == head


@pytest.mark.parametrize("name", ["", "nowhere", "x'--", "pollard/candidate/x"])
def test_a_branch_that_is_not_there(repository, maintainer, name):
    answer = maintainer.post(reverse("versioning:branch-migrate"), {"name": name})
    assert answer.status_code in (404, 409)


def test_it_leads_nowhere_else(repository, maintainer):
    answer = maintainer.post(
        reverse("versioning:branch-migrate"),
        {"name": "main", "next": "https://elsewhere.example/"},
    )
    assert answer["Location"] == reverse("versioning:branches")

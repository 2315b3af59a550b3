"""A branch whose tables are behind: its pages say so, and offer to mend it."""

import pytest
from django.core.management import call_command
from django.urls import reverse

from tests.web import seen


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
    assert "It lacks polls.0001_" in seen.main(page)
    assert "Bring spring up to date" in seen.main(page)
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
    head = repository.head(spring)
    answer = editor.post(reverse("versioning:branch-migrate"), {"name": spring})
    assert answer.status_code == 403
    assert repository.head(spring) == head


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
    assert "It has polls.0099_later besides." in seen.main(page)
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

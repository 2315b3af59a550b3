"""Hashes and names that are shown short, or long, can be copied whole."""

import re

import pytest
from django.db import transaction
from django.utils.html import escape

import versioning
from polls.models import Choice, Question
from versioning.backends.repository import Author

ERIN = Author("Erin Editor", "erin@example.org")
HOSTILE = 'a"b&c'


@pytest.fixture
def poll(repository) -> Question:
    with versioning.on_branch("main", author=ERIN, message="Add a poll"):
        question = Question.objects.create(text="What’s up?")
        Choice.objects.create(question=question, text="The sky", votes=5)
    return question


def copied(page) -> list[str]:
    """What the buttons of a page copy, as HTML writes it."""
    return re.findall(r'data-copy="([^"]*)"', page.content.decode())


def test_names_of_branches_and_tags(repository, poll, stranger, maintainer):
    stranger.branch(HOSTILE)
    repository.create_tag("v1", "main", message="", author=ERIN)
    name = escape(HOSTILE)
    page = maintainer.get("/branches/")
    assert copied(page) == ["main", name]
    assert f'aria-label="Copy the name {name}"' in page.content.decode()
    assert copied(maintainer.get("/tags/"))[0] == "v1"
    assert copied(maintainer.get("/log/", {"branch": HOSTILE}))[0] == name
    assert copied(maintainer.get("/branches/working/", {"name": HOSTILE}))[0] == name


def test_the_log_of_a_commit_gives_its_hash(repository, poll, editor):
    head = repository.head("main")
    page = editor.get("/log/", {"branch": head})
    assert copied(page)[0] == head
    assert 'aria-label="Copy the full hash"' in page.content.decode()


def test_both_parents_of_a_merge_in_the_log(repository, connection, poll, editor):
    repository.create_branch("summer", repository.head("main"))
    with versioning.on_branch("summer", author=ERIN, message="There"):
        Choice.objects.update(votes=6)
    with versioning.on_branch("main", author=ERIN, message="Here"):
        Question.objects.update(details="Else")
    ours, theirs = repository.head("main"), repository.head("summer")
    with (
        connection.bound("main"),
        connection.writing(),
        transaction.atomic(using="versioned", durable=True),
    ):
        repository.start_merge(theirs)
        repository.commit_all("Merge summer", ERIN)
    page = editor.get("/log/", {"branch": "main"})
    merged = repository.head("main")
    assert copied(page)[1:4] == [ours, theirs, merged]
    assert f'<a href="/commits/{theirs}/" title="{theirs}">{theirs[:7]}</a>' in (
        page.content.decode()
    )


def test_the_commit_that_is_looked_at(repository, poll, editor):
    head = repository.head("main")
    page = editor.get("/", {"at": head})
    assert head in copied(page)
    assert f'<code title="{head}">{head[:7]}</code>' in page.content.decode()


def test_the_commit_on_a_receipt(repository, poll, editor):
    form = editor.get(f"/polls/{poll.pk}/").content.decode()
    fields = dict(re.findall(r'name="(versioning_\w+)" value="([^"]*)"', form))
    choice = Choice.objects.get().pk
    page = editor.post(
        f"/polls/{poll.pk}/vote/", {**fields, "choice": choice}, follow=True
    )
    assert repository.head("main") in copied(page)

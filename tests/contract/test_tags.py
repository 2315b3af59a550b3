"""Tags: names that stay at a commit."""

import pytest
from django.db import transaction
from django.db.transaction import TransactionManagementError

from tests.contract import hostile
from tests.contract.conftest import ERIN
from versioning.backends.errors import (
    InvalidTagName,
    TagExists,
    TagMoved,
    TagNotFound,
    UnknownRef,
)
from versioning.backends.repository import Author


def test_a_tag_is_made_read_used_as_a_ref_and_deleted(repository, poll):
    head = repository.head("main")
    message = "As it was shown.\n\n100 % “done” -- '; \\"
    repository.create_tag("v1.0/rc", "main", message=message, author=ERIN)
    repository.create_tag("a", head, message="", author=ERIN)
    assert [tag.name for tag in repository.tags()] == ["a", "v1.0/rc"]
    tag = repository.tag("v1.0/rc")
    assert (tag.hash, tag.tagger, tag.message) == (head, ERIN, message)
    assert tag.date.utcoffset().total_seconds() == 0
    assert repository.tag("a").message == ""
    assert repository.resolve("v1.0/rc") == head
    repository.create_branch("from-tag", "v1.0/rc")
    assert repository.head("from-tag") == head
    assert repository.delete_tag("v1.0/rc") == head
    assert [tag.name for tag in repository.tags()] == ["a"]
    with pytest.raises(UnknownRef):
        repository.resolve("v1.0/rc")
    assert repository.commit(head).hash == head


def test_a_tag_stays_where_its_branch_goes_on(repository, poll, write):
    head = repository.head("main")
    repository.create_tag("shown", "main", message="", author=ERIN)
    write("main", "DELETE FROM polls_choice")
    assert repository.resolve("shown") == head != repository.head("main")


def test_names_that_are_taken(repository, poll):
    repository.create_tag("Shown", "main", message="", author=ERIN)
    for name in ("Shown", "shown"):
        with pytest.raises(TagExists):
            repository.create_tag(name, "main", message="", author=ERIN)
    for ask in (repository.tag, repository.delete_tag):
        with pytest.raises(TagNotFound):
            ask("shown")
    assert [tag.name for tag in repository.tags()] == ["Shown"]


@pytest.mark.parametrize("name", hostile.INVALID)
def test_names_that_are_none(repository, name):
    with pytest.raises(InvalidTagName):
        repository.create_tag(name, "main", message="", author=ERIN)
    with pytest.raises(TagNotFound):
        repository.tag(name)
    assert repository.tags() == []


@pytest.mark.parametrize("name", hostile.BRANCHES)
def test_hostile_names_are_names(repository, name):
    head = repository.head("main")
    repository.create_tag(name, head, message="-d", author=ERIN)
    assert [(tag.name, tag.message) for tag in repository.tags()] == [(name, "-d")]
    assert repository.resolve(name) == head
    assert repository.delete_tag(name, expected=head) == head
    assert repository.tags() == []


def test_a_tag_that_is_at_another_commit_stays(repository, poll, write):
    before = repository.head("main")
    write("main", "DELETE FROM polls_choice")
    repository.create_tag("shown", "main", message="", author=ERIN)
    with pytest.raises(TagMoved):
        repository.delete_tag("shown", expected=before)
    assert repository.tag("shown").hash == repository.head("main")


def test_what_makes_no_tag(repository, connection):
    with pytest.raises(UnknownRef):
        repository.create_tag("x", "nowhere", message="", author=ERIN)
    for author in (Author("Erin <x>", "e@example.org"), Author("", "")):
        with pytest.raises(ValueError, match="author"):
            repository.create_tag("x", "main", message="", author=author)
    with pytest.raises(ValueError, match="control"):
        repository.create_tag("x", "main", message="a\x00b", author=ERIN)
    with (
        transaction.atomic(using=connection.alias),
        pytest.raises(TransactionManagementError),
    ):
        repository.create_tag("x", "main", message="", author=ERIN)
    assert repository.tags() == []

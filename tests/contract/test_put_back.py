"""``versioning.test`` brings branches, tags and rows back to where they were."""

import pytest

from polls.models import Question
from tests.contract.conftest import ERIN
from versioning import branches, tags
from versioning.test import Branches


def add(text: str) -> Question:
    return Question.objects.create(text=text)


@pytest.fixture
def kept(repository, write) -> Branches:
    write("main", lambda: add("On both"))
    for name in ("summer", "winter"):
        branches.create(repository, name, at="main")
    write("summer", lambda: add("On summer"))
    tags.create(repository, "v1", at="main", message="First", author=ERIN)
    tags.create(repository, "v2", at="main", message="", author=ERIN)
    return Branches.now()


def state(connection) -> tuple[dict[str, str], dict[str, str], dict[str, list[str]]]:
    """Heads, tags, and the questions on each branch."""
    connection.unbind()
    repository = connection.repository
    heads = {branch.name: branch.head for branch in repository.branches()}
    texts = {}
    for name in heads:
        with connection.bound(name):
            assert "polls_left" not in repository.tables()
            assert repository.uncommitted() is None
            asked = Question.objects.order_by("pk")
            texts[name] = [question.text for question in asked]
    return heads, {tag.name: tag.hash for tag in repository.tags()}, texts


def test_whatever_was_done_is_gone(kept, connection, repository, write):
    before = state(connection)
    for name in ("main", "summer"):
        write(name, lambda: add("Since"))
    branches.create(repository, "new", at="summer")
    repository.delete_branch("winter")
    repository.delete_tag("v1")
    repository.delete_tag("v2")
    tags.create(repository, "v2", at="summer", message="", author=ERIN)
    tags.create(repository, "v3", at="main", message="", author=ERIN)
    for name in ("main", "summer"):
        with connection.bound(name), connection.writing():
            add("Not committed")
            with connection.cursor() as cursor:
                cursor.execute("CREATE TABLE polls_left (id int PRIMARY KEY)")
    kept.put_back()
    assert state(connection) == before
    assert before[2]["summer"] == ["On both", "On summer"]
    assert repository.tag("v1").message == "First"


def test_rows_that_nobody_committed_are_gone(kept, connection):
    before = state(connection)
    with connection.bound("summer"), connection.writing():
        add("Not committed")
    kept.put_back()
    assert state(connection) == before


def test_the_same_can_be_done_again_at_once(kept, connection, write):
    """An engine might take a commit like one before for that one."""
    for _ in range(3):
        write("main", lambda: add("Again"))
        kept.put_back()
    assert write("main", lambda: add("Again")) != kept.heads["main"]
    assert state(connection)[2]["main"] == ["On both", "Again"]

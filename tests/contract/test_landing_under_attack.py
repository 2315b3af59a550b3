"""A landing that is killed, raced and pressed twice: whole, or not at all."""

import os
import re
import signal
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connections
from django.db.models import F

import versioning
from polls.models import Choice, Question
from tests.changes import at_change
from versioning.backends.errors import (
    BranchMoved,
    SerializationFailure,
    UncommittedRows,
)
from versioning.backends.repository import Author, Repository
from versioning.merging import preview
from versioning.merging.candidate import NothingToMerge
from versioning.merging.hiding import sweep_all
from versioning.merging.landing import land

ERIN = Author("Erin Editor", "erin@example.org")
SURVIVED, REFUSED = 0, 3
INSERT = (
    "INSERT INTO polls_question (id, text, details, published) "
    "VALUES ({key}, '{text}', '', '2026-01-01')"
)


@pytest.fixture
def unsaved(db):
    """Who lands; made in memory, for threads and processes that see no row."""
    return get_user_model()(username="max", email="max@example.org")


@pytest.fixture
def one_choice(repository):
    """A question whose only choice holds every vote, on main and on summer."""
    with versioning.on_branch("main", author=ERIN, message="Add a poll"):
        question = Question.objects.create(text="What’s up?")
        Choice.objects.create(question=question, text="The sky", votes=5)
    repository.create_branch("summer", repository.head("main"))
    return question


def vote(branch: str, number: int = 0) -> None:
    with versioning.on_branch(branch, author=ERIN, message=f"Vote {number} {branch}"):
        Choice.objects.update(votes=F("votes") + 1)


def sides(repository):
    found = preview.sides_of(
        repository, repository.head("main"), repository.head("summer")
    )
    assert found is not None
    return found


def hidden(repository):
    return [
        branch.name
        for branch in repository.branches()
        if branch.name.startswith(Repository.CANDIDATES)
    ]


def in_a_process_of_its_own(work: Callable[[], None]) -> int:
    """What a child process that ran ``work`` ended with: a code, or −a signal."""
    connections["versioned"].unbind()  # type: ignore[attr-defined]
    connections["versioned"].close()  # a connection must not be in two processes
    child = os.fork()
    if not child:
        try:
            work()
        except (BranchMoved, UncommittedRows, NothingToMerge):
            os._exit(REFUSED)
        except BaseException:
            os._exit(4)
        os._exit(SURVIVED)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def dying(number: int, when: str) -> Callable[..., Any]:
    """An execute wrapper that kills the process at a change, by its number."""
    return at_change(number, when, lambda: os.kill(os.getpid(), signal.SIGKILL))


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_at_any_change_it_is_whole_or_nothing(
    repository, connection, one_choice, unsaved, when
):
    votes, statement, landed = 5, 0, 0
    while True:
        statement += 1
        vote("main", statement)
        vote("summer", statement)
        votes += 2
        at = sides(repository)

        def press(at=at, statement=statement) -> None:
            with connection.execute_wrapper(dying(statement, when)):
                land("summer", "main", at, None, unsaved)

        ended = in_a_process_of_its_own(press)
        assert ended in (SURVIVED, -signal.SIGKILL)
        head = repository.commit(repository.head("main"))
        if head.hash == at.ours:
            # Nothing of it is there, and nothing is left that is in the way.
            assert repository.uncommitted() is None
            sweep_all()
            assert hidden(repository) == []
            land("summer", "main", at, None, unsaved)
        else:
            assert head.parents == (at.ours, at.theirs)
            landed += 1
            sweep_all()
        assert hidden(repository) == []
        assert Choice.objects.get().votes == votes
        if ended == SURVIVED:
            break
    assert statement > 5
    assert 1 <= landed < statement


def test_two_who_press_at_once_make_one_merge(
    repository, connection, one_choice, unsaved
):
    for number in range(8):
        vote("main", number)
        vote("summer", number)
        at = sides(repository)
        connection.unbind()
        connection.close()
        begin = threading.Barrier(2)
        outcomes: list[str] = []

        def press(at=at, begin=begin, outcomes=outcomes) -> None:
            begin.wait(20)
            try:
                land("summer", "main", at, None, unsaved)
                outcomes.append("landed")
            except BranchMoved:
                outcomes.append("moved")
            finally:
                connections["versioned"].unbind()  # type: ignore[attr-defined]
                connections["versioned"].close()

        people = [threading.Thread(target=press) for _ in range(2)]
        for person in people:
            person.start()
        for person in people:
            person.join()
        assert sorted(outcomes) == ["landed", "moved"]
        head = repository.commit(repository.head("main"))
        assert head.parents == (at.ours, at.theirs)
        assert Choice.objects.get().votes == 5 + 2 * (number + 1)
        assert hidden(repository) == []


def beside(work: Callable[[], Any], user: Any, monkeypatch: Any) -> list[str | None]:
    """
    Do ``work`` on main in a unit that ends once a landing, begun meanwhile, waits
    for it; the commits of both, None where one of them made none.
    """
    repository = connections["versioned"].repository  # type: ignore[attr-defined]
    at, kind = sides(repository), type(repository)
    is_there = threading.Event()
    made: list[str | None] = []

    def told(name: str) -> Callable[..., Any]:
        method = getattr(kind, name)

        def call(self: Any, *args: Any, **kwargs: Any) -> Any:
            if threading.current_thread() is other:
                is_there.set()
            return method(self, *args, **kwargs)

        return call

    def press() -> None:
        try:
            made.append(land("summer", "main", at, None, user))
        except BranchMoved:
            made.append(None)
        finally:
            connections["versioned"].unbind()  # type: ignore[attr-defined]
            connections["versioned"].close()

    other = threading.Thread(target=press)
    # The embedded engine lets a landing do nothing at all meanwhile.
    waits_at = "write_lock" if repository.connection.vendor == "mysql" else "branches"
    monkeypatch.setattr(kind, waits_at, told(waits_at))
    try:
        with versioning.on_branch("main", author=ERIN, message="Meanwhile") as unit:
            work()
            other.start()
            is_there.wait(10)
    except SerializationFailure:  # which the site would repeat
        unit.commit = None
    other.join()
    return [unit.commit, *made]


def test_a_vote_that_was_under_way_counts(repository, one_choice, unsaved, monkeypatch):
    vote("summer")
    add = partial(Choice.objects.update, votes=F("votes") + 1)
    made = beside(add, unsaved, monkeypatch)
    assert any(made)
    assert Choice.objects.get().votes == 5 + sum(commit is not None for commit in made)


def test_a_deletion_that_was_under_way_leaves_no_orphan(
    repository, one_choice, unsaved, monkeypatch
):
    with versioning.on_branch("summer", author=ERIN, message="Add"):
        Choice.objects.create(question=one_choice, text="The sea")
    made = beside(lambda: Question.objects.get().delete(), unsaved, monkeypatch)
    assert any(made)
    assert set(Choice.objects.values_list("question_id", flat=True)) <= set(
        Question.objects.values_list("pk", flat=True)
    )


def test_what_was_added_twice_is_there_once(
    repository, one_choice, unsaved, monkeypatch
):
    def add(key: int) -> None:
        Choice.objects.create(pk=key, question=one_choice, text="The sea")

    with versioning.on_branch("summer", author=ERIN, message="Add"):
        add(90_001)
    made = beside(lambda: add(90_002), unsaved, monkeypatch)
    assert any(made)
    assert Choice.objects.filter(text="The sea").count() == 1


def test_against_a_writer_on_both_branches_that_takes_no_lock(
    repository, connection, stranger, one_choice, unsaved
):
    """Each landing is whole or refused; the target loses nothing of the writer's."""
    enough = threading.Event()
    written: list[str] = []

    def write() -> None:
        number = 0
        while not enough.is_set():
            number += 1
            for branch in ("main", "summer"):
                key = 100_000 + 2 * number + (branch == "main")
                try:
                    stranger.execute(
                        branch,
                        INSERT.format(key=key, text=branch),
                        commit=f"{branch} {number}",
                    )
                except Exception as error:
                    # A vote came between the row and its commit, and made a
                    # commit of its own of the row: it is there all the same.
                    if "nothing to commit" not in str(error):
                        assert re.search("lock|busy|conflict", str(error)), error
                        continue
                if branch == "main":
                    written.append(str(key))

    writer = threading.Thread(target=write)
    writer.start()
    landed = []
    try:
        for number in range(40):
            vote("summer", number)
            at = sides(repository)
            try:
                landed.append((land("summer", "main", at, None, unsaved), at))
            except (BranchMoved, UncommittedRows, NothingToMerge):
                continue
    finally:
        enough.set()
        writer.join()
        connection.unbind()
        connection.close()
    for commit, at in landed:
        assert repository.commit(commit).parents == (at.ours, at.theirs)
    sweep_all()
    assert hidden(repository) == []
    ids = {str(pk) for pk in Question.objects.values_list("pk", flat=True)}
    assert set(written) <= ids
    land("summer", "main", sides(repository), None, unsaved)
    assert Choice.objects.get().votes == 5 + 40

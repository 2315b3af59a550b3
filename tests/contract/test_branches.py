"""Branches: listed, made, renamed, deleted, whatever their names."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connections, transaction
from django.db.transaction import TransactionManagementError

import versioning
from polls.models import Question
from tests.contract import hostile
from tests.contract.conftest import ERIN
from versioning.backends.errors import (
    BranchExists,
    BranchIsDefault,
    BranchMoved,
    BranchNotFound,
    InvalidBranchName,
    UnknownRef,
)

ADD = (
    "INSERT INTO polls_question (text, details, published) "
    "VALUES ('q', '', '2026-01-01')"
)


def names(repository) -> list[str]:
    return [branch.name for branch in repository.branches()]


def test_the_default_branch_is_one_of_the_branches(repository):
    assert repository.default_branch() == "main"
    assert names(repository) == ["main"]


def test_a_branch_tells_of_its_head(repository, write):
    before = datetime.now(UTC) - timedelta(seconds=2)
    hash = write("main", ADD, message="Add a question\n\nWith a body")
    branch = repository.branch("main")
    assert (branch.name, branch.head, branch.author) == ("main", hash, ERIN)
    assert branch.message == "Add a question\n\nWith a body"
    assert before <= branch.date <= datetime.now(UTC) + timedelta(seconds=2)
    assert branch.dirty is False
    assert repository.branches() == [branch]
    assert repository.head("main") == hash


def test_a_branch_with_rows_that_nobody_committed_is_dirty(repository, stranger):
    stranger.execute("main", ADD)
    assert repository.branch("main").dirty is True
    assert [b.dirty for b in repository.branches()] == [True]


def test_branches_are_listed_by_name_hidden_ones_included(repository):
    at = repository.head("main")
    hidden = f"{repository.CANDIDATES}x1"
    for name in ("winter", "autumn", hidden):
        repository.create_branch(name, at)
    assert names(repository) == ["autumn", "main", hidden, "winter"]


@pytest.mark.parametrize("name", ["nope", "Main", "MAIN", "main ", "", "main~1", "%"])
def test_only_an_exact_name_is_a_branch(repository, name):
    for ask in (repository.branch, repository.head):
        with pytest.raises(BranchNotFound) as caught:
            ask(name)
        assert caught.value.branch == name


def test_a_hash_and_a_tag_are_no_branches(repository, stranger):
    stranger.tag("v1")
    for name in ("v1", repository.head("main")):
        with pytest.raises(BranchNotFound):
            repository.head(name)


# Made -----------------------------------------------------------------------


def test_a_branch_is_made_at_a_branch_a_tag_or_a_hash(repository, write, stranger):
    first = repository.head("main")
    stranger.tag("v1")
    second = write("main", ADD)
    repository.create_branch("from-branch", "main")
    repository.create_branch("from-tag", "v1")
    repository.create_branch("from-hash", first)
    assert repository.head("from-branch") == second
    assert repository.head("from-tag") == first
    assert repository.head("from-hash") == first


def test_rows_that_nobody_committed_are_not_taken_along(repository, stranger, rows):
    stranger.execute("main", ADD)
    repository.create_branch("summer", "main")
    assert rows("summer", "SELECT count(*) FROM polls_question") == [(0,)]


@pytest.mark.parametrize("name", ["summer", "SUMMER", "Main"])
def test_a_name_that_is_taken_by_any_case_is_refused(repository, name):
    repository.create_branch("summer", "main")
    with pytest.raises(BranchExists):
        repository.create_branch(name, "main")
    assert names(repository) == ["main", "summer"]


@pytest.mark.parametrize("name", hostile.INVALID)
def test_a_name_that_the_engine_refuses_is_an_error_of_its_own(repository, name):
    with pytest.raises(InvalidBranchName):
        repository.create_branch(name, "main")
    repository.create_branch("summer", "main")
    with pytest.raises(InvalidBranchName):
        repository.rename_branch("summer", name)
    assert names(repository) == ["main", "summer"]


@pytest.mark.parametrize(
    "ref", ["nope", "", "main~1", "HEAD", "-D", "0" * 32, "0" * 40]
)
def test_a_branch_needs_a_start_that_exists(repository, ref):
    with pytest.raises(UnknownRef):
        repository.create_branch("summer", ref)
    assert names(repository) == ["main"]


def test_no_branch_is_made_renamed_or_deleted_within_a_transaction(
    repository, connection, rows
):
    """The engines commit there, and rows written before could not be undone."""
    repository.create_branch("summer", "main")
    for act in (
        lambda: repository.create_branch("autumn", "main"),
        lambda: repository.rename_branch("summer", "autumn"),
        lambda: repository.delete_branch("summer"),
    ):
        with connection.writing(), transaction.atomic(using="versioned"):
            with connection.cursor() as cursor:
                cursor.execute(ADD)
            with pytest.raises(TransactionManagementError):
                act()
            transaction.set_rollback(True, using="versioned")
    assert names(repository) == ["main", "summer"]
    assert rows("main", "SELECT count(*) FROM polls_question") == [(0,)]


# Renamed --------------------------------------------------------------------


def test_a_renamed_branch_keeps_its_head_and_its_uncommitted_rows(
    repository, write, stranger, rows
):
    repository.create_branch("summer", "main")
    head = write("summer", ADD)
    stranger.execute("summer", ADD)
    repository.rename_branch("summer", "autumn")
    assert names(repository) == ["autumn", "main"]
    assert repository.head("autumn") == head
    assert rows("autumn", "SELECT count(*) FROM polls_question") == [(2,)]


def test_a_branch_can_change_the_case_of_its_name(repository):
    repository.create_branch("summer", "main")
    repository.rename_branch("summer", "Summer")
    assert names(repository) == ["Summer", "main"]


def test_renaming_is_refused_by_type(repository):
    repository.create_branch("summer", "main")
    repository.create_branch("autumn", "main")
    with pytest.raises(BranchNotFound):
        repository.rename_branch("nope", "new")
    with pytest.raises(BranchExists):
        repository.rename_branch("summer", "Autumn")
    with pytest.raises(BranchIsDefault):
        repository.rename_branch("main", "trunk")
    assert names(repository) == ["autumn", "main", "summer"]


def test_renaming_the_branch_at_hand_leaves_the_connection_usable(
    repository, connection
):
    repository.create_branch("summer", "main")
    connection.bind("summer")
    repository.ping()
    repository.rename_branch("summer", "autumn")
    assert connection.binding.branch is None
    assert names(repository) == ["autumn", "main"]


# Deleted --------------------------------------------------------------------


def test_deleting_returns_the_head_so_that_it_can_be_undone(repository, write):
    repository.create_branch("summer", "main")
    head = write("summer", ADD)  # merged nowhere
    assert repository.delete_branch("summer") == head
    assert names(repository) == ["main"]
    repository.create_branch("summer", head)
    assert repository.head("summer") == head


def test_a_branch_that_moved_is_not_deleted(repository, write):
    seen = repository.head("main")
    repository.create_branch("summer", seen)
    now = write("summer", ADD)
    with pytest.raises(BranchMoved) as caught:
        repository.delete_branch("summer", expected_head=seen)
    assert (caught.value.expected, caught.value.found) == (seen, now)
    assert repository.delete_branch("summer", expected_head=now) == now


def test_deleting_is_refused_by_type(repository):
    with pytest.raises(BranchIsDefault):
        repository.delete_branch("main")
    with pytest.raises(BranchNotFound):
        repository.delete_branch("nope")
    with pytest.raises(BranchNotFound):
        repository.delete_branch("Main")
    assert names(repository) == ["main"]


def test_the_branch_at_hand_can_be_deleted(repository, connection):
    repository.create_branch("summer", "main")
    connection.bind("summer")
    repository.ping()
    repository.delete_branch("summer")
    assert names(repository) == ["main"]


def test_a_connection_that_idles_on_a_branch_does_not_keep_it(
    repository, other_connection
):
    repository.create_branch("summer", "main")
    other_connection.bind("summer")
    other_connection.repository.ping()
    repository.delete_branch("summer")
    assert names(repository) == ["main"]


def test_a_branch_with_uncommitted_rows_can_be_deleted(repository, stranger):
    repository.create_branch("summer", "main")
    stranger.execute("summer", ADD)
    repository.delete_branch("summer")
    assert names(repository) == ["main"]


# Names made outside ---------------------------------------------------------


@pytest.mark.parametrize("name", hostile.BRANCHES)
def test_a_branch_of_any_name_can_be_read_and_written(
    repository, stranger, write, rows, name
):
    start = repository.head("main")
    stranger.branch(name)
    assert name in names(repository)
    assert repository.branch(name).head == repository.head(name) == start
    assert repository.resolve(name) == start
    with repository.write_lock(name), repository.landing_lock(name):
        commit = write(name, ADD)
    assert repository.head(name) == commit
    assert repository.head("main") == start
    assert rows(name, "SELECT count(*) FROM polls_question") == [(1,)]
    assert rows("main", "SELECT count(*) FROM polls_question") == [(0,)]
    assert repository.count_between(start, commit) == 1


@pytest.mark.parametrize("name", hostile.BRANCHES)
def test_a_branch_of_any_name_can_be_branched_from_moved_and_left(
    repository, connection, stranger, write, name
):
    start = repository.head("main")
    stranger.branch(name)
    repository.create_branch("copy", name)
    after = write("copy", ADD)
    with connection.bound(name):
        repository.fast_forward(name, expected=start, to=after)
    assert repository.head(name) == after
    repository.rename_branch(name, "plain")
    assert names(repository) == ["copy", "main", "plain"]
    stranger.branch(name)
    assert repository.delete_branch(name) == start
    assert names(repository) == ["copy", "main", "plain"]


def test_no_commit_goes_with_a_branch_that_nobody_saw(
    repository, connection, poll, monkeypatch
):
    """Somebody writes in the very moment in which it is deleted."""
    repository.create_branch("summer", repository.head("main"))
    head = repository.head("summer")
    connection.unbind()
    outcome: list[Any] = []

    def write() -> None:
        try:
            with versioning.on_branch("summer", author=ERIN) as unit:
                Question.objects.update(text="Acknowledged")
            outcome.append(unit.commit)
        except DatabaseError as error:
            outcome.append(error)
        finally:
            connections["versioned"].unbind()  # type: ignore[attr-defined]
            connections["versioned"].close()

    writer, kind = threading.Thread(target=write), type(repository)
    branch_call = kind._branch_call

    def call(self, *args):
        if not writer.ident:
            writer.start()
            writer.join(1)  # it has ended by then, if nothing keeps it off
        branch_call(self, *args)

    monkeypatch.setattr(kind, "_branch_call", call)
    try:
        deleted = repository.delete_branch("summer", expected_head=head)
    except BranchMoved:
        deleted = None
    writer.join()
    assert deleted == head
    assert isinstance(outcome[0], BranchNotFound)

"""A branch is moved forward only from where it was seen."""

import threading

import pytest
from django.db import connections, transaction
from django.db.transaction import TransactionManagementError

from polls.models import Question
from versioning.backends.errors import BranchMoved, UncommittedRows, UnknownRef

ROW = (
    "INSERT INTO polls_question (text, details, published) "
    "VALUES ('stranger', '', '2026-01-01')"
)


def add(text: str = "q") -> Question:
    return Question.objects.create(text=text)


@pytest.fixture
def ahead(repository, write):
    """Heads of main, and of a branch one commit ahead of it."""
    main = repository.head("main")
    repository.create_branch("summer", main)
    return main, write("summer", lambda: add("ahead"))


def test_the_head_is_the_commit_afterwards_and_so_are_the_rows(
    repository, connection, ahead
):
    main, summer = ahead
    with connection.bound("main"):
        repository.fast_forward("main", expected=main, to=summer)
        assert Question.objects.get().text == "ahead"
    assert repository.head("main") == summer
    assert repository.uncommitted() is None


def test_a_branch_that_is_not_the_default_one(repository, connection, write, ahead):
    repository.create_branch("autumn", ahead[0])
    with connection.bound("autumn"):
        repository.fast_forward("autumn", expected=ahead[0], to=ahead[1])
    assert repository.head("autumn") == ahead[1]
    assert repository.head("main") == ahead[0]


def test_a_branch_that_moved_stays_where_it_is(repository, connection, write, ahead):
    main, summer = ahead
    moved = write("main", lambda: add("moved"))
    for expected in (main, moved):
        with (
            connection.bound("main"),
            pytest.raises(BranchMoved) as caught,
        ):
            repository.fast_forward("main", expected=expected, to=summer)
        assert (caught.value.branch, caught.value.found) == ("main", moved)
    assert repository.head("main") == moved
    assert Question.objects.get().text == "moved"


def test_a_move_that_was_made_is_not_made_twice(repository, connection, ahead):
    main, summer = ahead
    with connection.bound("main"):
        repository.fast_forward("main", expected=main, to=summer)
        with pytest.raises(BranchMoved):
            repository.fast_forward("main", expected=main, to=summer)
        with pytest.raises(BranchMoved):
            repository.fast_forward("main", expected=summer, to=main)  # back
    assert repository.head("main") == summer


def test_rows_that_nobody_committed_are_in_the_way(
    repository, connection, stranger, ahead
):
    stranger.execute(
        "main",
        "INSERT INTO polls_question (text, details, published) "
        "VALUES ('dirt', '', '2026-01-01')",
    )
    with connection.bound("main"), pytest.raises(UncommittedRows) as caught:
        repository.fast_forward("main", expected=ahead[0], to=ahead[1])
    assert "polls_question" in caught.value.tables
    assert repository.head("main") == ahead[0]
    assert Question.objects.get().text == "dirt"


def test_what_it_must_be_called_with(repository, connection, ahead):
    main, summer = ahead
    with connection.bound("summer"), pytest.raises(ValueError, match="main"):
        repository.fast_forward("main", expected=main, to=summer)
    with connection.bound("main"):
        with pytest.raises(UnknownRef):
            repository.fast_forward("main", expected=main, to="summer")
        with (
            pytest.raises(TransactionManagementError),
            transaction.atomic(using="versioned"),
        ):
            repository.fast_forward("main", expected=main, to=summer)
    assert repository.head("main") == main


def test_a_commit_right_on_top_of_it_is_no_reason_to_call_it_refused(
    repository, connection, stranger, ahead
):
    main, summer = ahead
    moved = intruded = False

    def intrude(execute, sql, params, many, context):
        nonlocal moved, intruded
        if moved and not connection.in_atomic_block and not intruded:
            intruded = True
            stranger.execute("main", ROW, commit="Stranger")
        result = execute(sql, params, many, context)
        moved = moved or "dolt_merge(" in sql
        return result

    with connection.bound("main"), connection.execute_wrapper(intrude):
        repository.fast_forward("main", expected=main, to=summer)
        repository.ping()  # the latest moment for the stranger
    assert intruded
    assert repository.commit(repository.head("main")).parents == (summer,)


def test_against_a_writer_that_takes_no_lock(
    repository, connection, stranger, write, ahead
):
    """Whoever is first wins; nothing of a writer's is lost, and nothing mixed in."""
    outcomes = []
    for _ in range(12):
        before = repository.head("main")
        repository.delete_branch("summer")
        repository.create_branch("summer", before)
        to = write("summer", lambda: add("ahead"))
        begin = threading.Barrier(2)

        def intrude(begin=begin) -> None:
            begin.wait(20)
            try:
                stranger.execute("main", ROW, commit="Stranger")
            except Exception as error:
                # As Dolt may say to whoever comes second: that is no loss, as
                # nothing was taken from them.
                if "not ancestor of" not in str(error):
                    raise
                stranger.execute("main", ROW, commit="Stranger")

        other = threading.Thread(target=intrude)
        other.start()
        begin.wait(20)
        try:
            with connection.bound("main"):
                repository.fast_forward("main", expected=before, to=to)
            outcomes.append("landed")
        except (BranchMoved, UncommittedRows) as error:
            outcomes.append(type(error).__name__)
        other.join()
        connections["versioned"].close()
        head = repository.commit(repository.head("main"))
        assert head.message == "Stranger"
        assert head.parents == (to if outcomes[-1] == "landed" else before,)
        assert Question.objects.filter(text="stranger").count() == len(outcomes)
        assert Question.objects.filter(text="ahead").count() == outcomes.count("landed")
        assert repository.uncommitted() is None
    assert len(outcomes) == 12

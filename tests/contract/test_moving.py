"""A branch is moved forward only from where it was seen."""

import re
import threading
from contextlib import suppress

import pytest
from django.db import connections, transaction
from django.db.models import F
from django.db.transaction import TransactionManagementError

from polls.models import Choice, Question
from versioning.backends.errors import BranchMoved, UncommittedRows, UnknownRef
from versioning.backends.repository import Uncommitted
from versioning.moving import keep, move, write_again

ROW = (
    "INSERT INTO polls_question (text, details, published) "
    "VALUES ('stranger', '', '2026-01-01')"
)

OTHER = "UPDATE polls_question SET text = 'other' WHERE id = 1"


def row(pk: int, text: str) -> str:
    """Insert a question that is the same whenever it is inserted."""
    return ROW.replace("(text", "(id, text").replace("('stranger'", f"({pk}, '{text}'")


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
                with suppress(Exception):  # where somebody took the row along
                    stranger.execute("main", "SELECT 1", commit="Stranger")

        outcomes.append(race(connection, begin, intrude, before, to))
        since = repository.commits_between(before, repository.head("main"), limit=9)
        assert (to in [commit.hash for commit in since]) is (outcomes[-1] == "landed")
        assert {commit.subject for commit in since} <= {
            "Change",
            "Stranger",
            f"Keep what {to[:12]} changed",  # where the server left it out
        }
        assert Question.objects.filter(text="stranger").count() == len(outcomes)
        assert Question.objects.filter(text="ahead").count() == outcomes.count("landed")
        assert repository.uncommitted() is None
    assert len(outcomes) == 12


def test_against_a_writer_of_the_same_cells(repository, connection, stranger, write):
    write("main", lambda: Question.objects.create(pk=1, text="base"))
    repository.create_branch("summer", repository.head("main"))
    landed = 0
    for round_ in range(12):
        before = repository.head("main")
        repository.delete_branch("summer")
        repository.create_branch("summer", before)

        def change(round_=round_) -> None:
            Question.objects.filter(pk=1).update(text=f"ours {round_}")
            add(f"new {round_}")

        to = write("summer", change)
        begin = threading.Barrier(2)

        def intrude(begin=begin) -> None:
            begin.wait(20)
            while True:
                try:
                    stranger.execute("main", OTHER, commit="Stranger")
                except Exception as error:
                    if "nothing to commit" in str(error):
                        return  # somebody took it along
                    if not re.search("serialization|not ancestor", str(error)):
                        raise
                else:
                    return

        outcome = race(connection, begin, intrude, before, to)
        assert repository.uncommitted() is None
        at_head = repository.rows("polls_question", [(1,)], at=repository.head("main"))
        assert at_head[(1,)]["text"] in (f"ours {round_}", "other")
        if outcome == "landed":
            landed += 1
            assert repository.merge_base(repository.head("main"), to) == to
        assert Question.objects.filter(text=f"new {round_}").count() == (
            outcome == "landed"
        )
    assert (
        landed + Question.objects.filter(text__startswith="new").count() == 2 * landed
    )


def race(connection, begin, intrude, before: str, to: str) -> str:
    """How main came to a commit while somebody else did something at once."""
    other = threading.Thread(target=intrude)
    other.start()
    begin.wait(20)
    try:
        with connection.bound("main"):
            move("main", before=before, to=to)
        return "landed"
    except (BranchMoved, UncommittedRows) as error:
        return type(error).__name__
    finally:
        other.join()
        connections["versioned"].close()


def test_what_a_commit_left_out_at_that_moment_is_kept(
    repository, connection, stranger, ahead
):
    """As it is on Dolt where the other client read the head, and then the rows."""
    main, summer = ahead
    moved = intruded = False
    pk = repository.highest_key("polls_question", at=summer)

    def intrude(execute, sql, params, many, context):
        nonlocal moved, intruded
        if moved and not connection.in_atomic_block and not intruded:
            intruded = True
            stranger.execute("main", "DELETE FROM polls_question WHERE text = 'ahead'")
            stranger.execute("main", ROW, commit="Stranger")
            stranger.execute("main", row(pk, "ahead"))
        result = execute(sql, params, many, context)
        moved = moved or "dolt_merge(" in sql
        return result

    with connection.bound("main"), connection.execute_wrapper(intrude):
        move("main", before=main, to=summer)
        repository.ping()  # the latest moment for the stranger
    assert intruded
    assert repository.uncommitted() is None
    head = repository.head("main")
    assert repository.rows("polls_question", [(pk,)], at=head)[(pk,)]["text"] == "ahead"
    kept = repository.commit(head)
    assert kept.subject == f"Keep what {summer[:12]} changed"
    assert kept.author == repository.commit(summer).author
    [parent] = repository.commits(kept.parents)
    assert (parent.message, parent.parents) == ("Stranger", (summer,))


def test_what_others_wrote_and_did_not_commit_is_left_to_them(
    repository, connection, stranger, ahead
):
    main, summer = ahead
    moved = intruded = False

    def intrude(execute, sql, params, many, context):
        nonlocal moved, intruded
        if moved and not connection.in_atomic_block and not intruded:
            intruded = True
            stranger.execute("main", ROW, commit="Stranger")
            stranger.execute(
                "main", "UPDATE polls_question SET details = 'x' WHERE text = 'ahead'"
            )
        result = execute(sql, params, many, context)
        moved = moved or "dolt_merge(" in sql
        return result

    with connection.bound("main"), connection.execute_wrapper(intrude):
        move("main", before=main, to=summer)
    assert intruded
    assert repository.commit(repository.head("main")).message == "Stranger"
    assert repository.uncommitted() == Uncommitted(("polls_question",))


def test_rows_that_another_client_kept_from_coming_are_written(
    repository, connection, stranger, write
):
    """As they are on Dolt where somebody wrote the same cells at that moment."""

    def begin() -> None:
        Question.objects.create(pk=1, text="old 1")
        Choice.objects.create(pk=1, question_id=1, text="yes", votes=5)
        Choice.objects.create(pk=2, question_id=1, text="no", votes=5)

    write("main", begin)
    stranger.execute("main", row(2, "old 2"))
    stranger.execute("main", row(3, "old 3"), commit="Rows")
    before = repository.head("main")
    repository.create_branch("summer", before)

    def change() -> None:
        Question.objects.filter(pk=1).update(text="new 1", details="new")
        Question.objects.filter(pk=2).delete()
        Question.objects.filter(pk=3).delete()
        Question.objects.create(pk=4, text="new 4")
        Choice.objects.update(votes=F("votes") + 2)

    to = write("summer", change)
    with connection.bound("main"):
        repository.fast_forward("main", expected=before, to=to)
    for sql in (
        "UPDATE polls_question SET text = 'theirs', details = '' WHERE id = 1",
        row(2, "old 2"),
        row(3, "theirs"),
        "DELETE FROM polls_question WHERE id = 4",
        "UPDATE polls_choice SET votes = 6 WHERE id = 1",
    ):
        stranger.execute("main", sql)
    stranger.execute(
        "main", "UPDATE polls_choice SET votes = 5 WHERE id = 2", commit="Stranger"
    )
    with connection.bound("main"), transaction.atomic(using="versioned"):
        write_again(repository, before, to)
        assert keep(repository, before, to)
    assert repository.uncommitted() is None
    assert dict(Question.objects.values_list("pk", "text")) == {
        1: "theirs",
        3: "theirs",
        4: "new 4",
    }
    assert Question.objects.get(pk=1).details == "new"
    assert dict(Choice.objects.values_list("pk", "votes")) == {1: 8, 2: 7}

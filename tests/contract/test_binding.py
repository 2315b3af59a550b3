"""A connection is where it was told to be, and nowhere else."""

import pytest
from django.db import close_old_connections, transaction
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext

from polls.models import Question
from tests.engines import ENGINE
from versioning.backends.binding import DEFAULT
from versioning.backends.errors import (
    BranchNotFound,
    EngineUnavailable,
    ReadOnlyState,
    UnknownRef,
)


def add(text: str) -> Question:
    return Question.objects.create(text=text)


def texts(connection, branch=None, *, at=None) -> list[str]:
    with connection.bound(branch, at=at):
        return sorted(Question.objects.values_list("text", flat=True))


def active_branch(connection) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT active_branch()")
        return cursor.fetchone()[0]


# On a branch ----------------------------------------------------------------


def test_a_connection_that_nobody_bound_is_on_the_default_branch(connection):
    assert connection.binding == DEFAULT
    assert active_branch(connection) == "main"


def test_binding_takes_no_connection_until_a_statement_runs(connection):
    connection.close()
    connection.bind("no such branch")
    assert connection.connection is None
    connection.unbind()
    assert connection.connection is None


def test_statements_run_on_the_branch_that_was_bound(repository, connection, write):
    repository.create_branch("summer", "main")
    write("summer", lambda: add("In summer"))
    assert texts(connection, "summer") == ["In summer"]
    assert texts(connection) == []
    with connection.bound("summer"):
        assert active_branch(connection) == "summer"
        with connection.bound("main"):
            assert active_branch(connection) == "main"
        assert active_branch(connection) == "summer"
    assert connection.binding == DEFAULT
    assert active_branch(connection) == "main"


def test_a_block_that_fails_puts_the_binding_back(repository, connection):
    repository.create_branch("summer", "main")
    with pytest.raises(ZeroDivisionError), connection.bound("summer"):
        _ = 1 / 0
    assert connection.binding == DEFAULT


def test_a_new_connection_opens_where_the_old_one_was(repository, connection):
    repository.create_branch("summer", "main")
    connection.bind("summer")
    assert active_branch(connection) == "summer"
    connection.close()
    assert active_branch(connection) == "summer"


def test_a_transaction_stays_on_one_branch(repository, connection):
    repository.create_branch("summer", "main")
    with transaction.atomic(using="versioned"):
        repository.ping()
        with pytest.raises(TransactionManagementError):
            connection.bind("summer")
        connection.bind(None)  # where it is
        assert active_branch(connection) == "main"


def test_the_first_statement_may_be_within_a_transaction(repository, connection):
    repository.create_branch("summer", "main")
    connection.bind("summer")
    with transaction.atomic(using="versioned"):
        assert active_branch(connection) == "summer"


@pytest.mark.parametrize("first", ["before", "within"])
def test_an_inner_block_that_rolls_back_keeps_nothing(repository, connection, first):
    """Savepoints are right on a branch other than the default one."""
    repository.create_branch("summer", "main")
    with connection.bound("summer"), connection.writing():
        if first == "before":
            repository.ping()
        with transaction.atomic(using="versioned"):
            add("Outer")
            with transaction.atomic(using="versioned"):
                add("Inner, kept")
            with (
                pytest.raises(ZeroDivisionError),
                transaction.atomic(using="versioned"),
            ):
                add("Inner, undone")
                _ = 1 / 0
            assert texts(connection, "summer") == ["Inner, kept", "Outer"]
        assert texts(connection, "summer") == ["Inner, kept", "Outer"]
        with transaction.atomic(using="versioned"):
            with (
                pytest.raises(ZeroDivisionError),
                transaction.atomic(using="versioned"),
            ):
                add("Inner, undone")
                _ = 1 / 0
            transaction.set_rollback(True, using="versioned")
    assert texts(connection, "summer") == ["Inner, kept", "Outer"]
    assert texts(connection) == []


def test_an_inner_block_that_rolls_back_leaves_nothing_to_commit(
    repository, connection
):
    repository.create_branch("summer", "main")
    with (
        connection.bound("summer"),
        connection.writing(),
        transaction.atomic(using="versioned"),
    ):
        with pytest.raises(ZeroDivisionError), transaction.atomic(using="versioned"):
            add("Undone")
            _ = 1 / 0
        assert texts(connection, "summer") == []
    assert not repository.branch("summer").dirty
    assert not repository.branch("main").dirty


def test_a_rollback_on_one_branch_carries_no_row_from_another(repository, connection):
    """As after DoltLite's ``dolt_connect_branch``, which is never called."""
    repository.create_branch("summer", "main")
    repository.create_branch("winter", "main")
    with connection.writing():
        with connection.bound("summer"), transaction.atomic(using="versioned"):
            add("In summer")
        with connection.bound("winter"), transaction.atomic(using="versioned"):
            add("Never")
            transaction.set_rollback(True, using="versioned")
        with connection.bound("winter"), transaction.atomic(using="versioned"):
            add("In winter")
    assert texts(connection, "summer") == ["In summer"]
    assert texts(connection, "winter") == ["In winter"]
    assert texts(connection) == []


# Left -----------------------------------------------------------------------


def test_unbinding_leaves_the_branch(repository, connection, stranger):
    """Else a pooled connection keeps it from being deleted without force."""
    repository.create_branch("summer", "main")
    connection.bind("summer")
    assert active_branch(connection) == "summer"
    connection.unbind()
    stranger.delete_branch_unforced("summer")
    assert [b.name for b in repository.branches()] == ["main"]
    assert active_branch(connection) == "main"


def test_unbinding_is_refused_within_a_transaction(repository, connection):
    repository.create_branch("summer", "main")
    connection.bind("summer")
    with transaction.atomic(using="versioned"):
        repository.ping()
        with pytest.raises(TransactionManagementError):
            connection.unbind()
        assert active_branch(connection) == "summer"


# Kept -----------------------------------------------------------------------


def test_a_connection_at_home_serves_its_branch_by_name(repository, connection):
    """Without another connection, or a way back: every vote names its branch."""
    repository.create_branch("summer", "main")
    connection.bind("main")
    assert active_branch(connection) == "main"
    connection.unbind()
    assert active_branch(connection) == "main"
    kept = connection.connection
    with CaptureQueriesContext(connection) as asked:
        connection.bind("main")
        assert active_branch(connection) == "main"
        connection.unbind()
        assert active_branch(connection) == "main"
    assert [query["sql"] for query in asked] == ["SELECT active_branch()"] * 2
    assert connection.connection is kept
    with connection.bound("summer"):
        assert active_branch(connection) == "summer"
        with connection.bound("main"):
            assert active_branch(connection) == "main"
    assert active_branch(connection) == "main"


def test_a_kept_connection_sees_what_others_did(
    repository, connection, write, stranger
):
    write("main", lambda: add("Old"))
    assert texts(connection) == ["Old"]
    stranger.execute("main", "UPDATE polls_question SET text = 'New'", commit="Change")
    assert texts(connection) == ["New"]
    stranger.execute(
        "main", "ALTER TABLE polls_question ADD COLUMN colour int", commit="Change"
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT text, colour FROM polls_question")
        assert cursor.fetchall() in ([("New", None)], (("New", None),))


def test_a_kept_connection_follows_the_default_branch(repository, connection, write):
    repository.create_branch("release", "main")
    write("release", lambda: add("In the release"))
    assert texts(connection) == []
    with connection.writing(), connection.cursor() as cursor:
        cursor.execute("SELECT dolt_default_branch('release')")
    close_old_connections()  # as between two requests
    assert repository.default_branch() == "release"
    assert texts(connection) == ["In the release"]
    assert texts(connection, "main") == []


# Not there ------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["nope", "-D", "Main", "polls_question", "a'b", "main~1"]
)
def test_a_branch_that_is_not_there_fails_at_the_first_statement(connection, name):
    connection.bind(name)
    with pytest.raises(BranchNotFound) as caught:
        Question.objects.count()
    assert caught.value.branch == name
    connection.unbind()
    assert Question.objects.count() == 0


def test_it_fails_in_a_transaction_too_which_leaves_nothing_open(connection):
    with connection.bound("nope"):
        with pytest.raises(BranchNotFound), transaction.atomic(using="versioned"):
            Question.objects.count()
        assert not connection.in_atomic_block
    assert Question.objects.count() == 0


def test_a_tag_and_a_hash_are_no_branches(repository, connection, stranger):
    stranger.tag("v1")
    for name in ("v1", repository.head("main"), "HEAD"):
        with connection.bound(name), pytest.raises(BranchNotFound):
            Question.objects.count()
    assert active_branch(connection) == "main"


def test_a_branch_deleted_while_a_connection_is_on_it(
    repository, connection, other_connection
):
    repository.create_branch("summer", "main")
    connection.bind("summer")
    assert Question.objects.count() == 0
    other_connection.repository.delete_branch("summer")
    with connection.writing(), pytest.raises(BranchNotFound) as caught:
        add("Too late")
    assert caught.value.branch == "summer"
    connection.unbind()
    assert Question.objects.count() == 0
    assert active_branch(connection) == "main"


def test_a_branch_deleted_and_made_again_is_written_to_as_it_is_now(
    repository, connection, other_connection, write
):
    repository.create_branch("summer", "main")
    with connection.bound("summer"):
        assert Question.objects.count() == 0
    other_connection.repository.delete_branch("summer")
    write("main", lambda: add("On main"))
    other_connection.repository.create_branch("summer", "main")
    assert texts(connection, "summer") == ["On main"]


def test_a_database_that_is_not_there_is_not_made_by_looking_at_a_branch(
    connection, tmp_path
):
    """DoltLite would make a file that is called ``test.db@summer``."""
    name = "test_absent" if ENGINE == "dolt" else str(tmp_path / "test_absent.db")
    there = connection.settings_dict | {"NAME": name}
    absent = connection.__class__(there, "versioned")
    absent.bind("summer")
    with pytest.raises(EngineUnavailable):
        absent.repository.branches()
    absent.close()
    assert list(tmp_path.iterdir()) == []


# At a commit ----------------------------------------------------------------


def test_a_commit_is_read_as_it_was(repository, connection, write):
    old = write("main", lambda: add("Old"))
    write("main", lambda: add("New"))
    assert texts(connection, at=old) == ["Old"]
    assert texts(connection) == ["New", "Old"]
    with connection.bound("main"), connection.bound(at=old):
        assert texts(connection, at=old) == ["Old"]


def test_the_engine_itself_refuses_writes_at_a_commit(repository, connection):
    at = repository.head("main")
    with (
        connection.bound(at=at),
        connection.writing(),
        pytest.raises(ReadOnlyState),
    ):
        add("Never")
    assert texts(connection) == []


def test_a_state_for_reading_refuses_writes_whoever_opened_it(connection):
    with (
        connection.read_only("summer"),
        connection.writing(),
        pytest.raises(ReadOnlyState) as caught,
    ):
        add("Never")
    assert caught.value.state == "summer"


@pytest.mark.parametrize("ref", ["main", "nope", "", "0" * 32, "0" * 40, "main~1"])
def test_only_a_full_hash_is_a_commit(connection, ref):
    connection.bind(at=ref)
    with pytest.raises(UnknownRef):
        Question.objects.count()
    connection.unbind()
    assert Question.objects.count() == 0


def test_history_and_diffs_can_be_asked_at_a_commit(repository, connection, write):
    """Also by a user who is no administrator of the server."""
    old = repository.head("main")
    new = write("main", lambda: add("New"))
    with connection.bound(at=old):
        assert repository.head("main") == new
        assert repository.commit(new).parents == (old,)
        assert [c.hash for c in repository.log([new], limit=1)] == [new]
        assert repository.count_between(old, new) == 1
        assert repository.merge_base(old, new) == old
        assert repository.merge_bases(old, new) == [old]
        assert repository.children(old, [new]) == [new]
        assert "polls_question" in repository.tables()
        assert [s.rows_added for s in repository.diff_stat(old, new)] == [1]
        (change,) = repository.diff_rows("polls_question", old, new)
        assert change.after["text"] == "New"
        assert "polls_question" in repository.tables(at=new)
        assert Question.objects.count() == 0

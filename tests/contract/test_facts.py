"""What is asked once: of a commit for good, of the working state for one look."""

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from versioning.backends.errors import UnknownRef, UnknownTable

SMALL = "CREATE TABLE small (b int, a int, c varchar(9), PRIMARY KEY (a, b))"


def asked(ask):
    """What a question gives, and how many statements it took."""
    with CaptureQueriesContext(connections["versioned"]) as taken:
        found = ask()
    return found, len(taken)


@pytest.fixture
def forgetful(repository):
    """Forgets what never changes, as a process that has just begun."""

    def forget() -> None:
        repository.forget()
        repository.facts.forget()

    return forget


def test_a_states_tables_are_read_in_one_statement(repository, write, forgetful):
    before = repository.head("main")
    after = write("main", SMALL)
    forgetful()
    repository.tables(before)
    found, statements = asked(
        lambda: (
            "small" in repository.tables(before),
            "small" in repository.tables(after),
            repository.columns("small", after),
            repository.primary_key("small", after),
            repository.columns("polls_choice", after),
        )
    )
    assert found == (
        False,
        True,
        ["b", "a", "c"],
        ("a", "b"),
        ["id", "text", "votes", "question_id"],
    )
    assert statements == 2  # whether the commit exists, and the tables
    with pytest.raises(UnknownTable):
        repository.columns("small", before)
    with pytest.raises(UnknownRef):
        repository.tables("0" * len(before))


def test_states_that_are_defined_alike_are_read_once(repository, write, forgetful):
    first = write("main", SMALL)
    second = write("main", "INSERT INTO small VALUES (1, 2, 'x')")
    third = write("main", "ALTER TABLE small ADD COLUMN d int")
    forgetful()
    repository.diff_summary(first, second)
    repository.diff_summary(second, third)
    assert repository.columns("small", second) == ["b", "a", "c"]
    found, statements = asked(lambda: repository.columns("small", first))
    assert (found, statements) == (["b", "a", "c"], 0)
    assert repository.columns("small", third) == ["b", "a", "c", "d"]


def test_one_look_asks_once_where_the_connection_is(repository, connection, stranger):
    repository.create_branch("summer", repository.head("main"))
    stranger.execute("summer", SMALL)
    with connection.bound("summer"):
        with repository.one_look():
            assert "small" in repository.tables()
            found, statements = asked(
                lambda: (repository.columns("small"), repository.primary_key("small"))
            )
            assert found == (["b", "a", "c"], ("a", "b"))
            assert statements == 0
        stranger.execute("summer", "DROP TABLE small")
        assert "small" not in repository.tables()
        with repository.one_look():
            assert "small" not in repository.tables()


def test_tables_are_found_however_the_history_begins(
    repository, connection, write, forgetful, monkeypatch
):
    after = write("main", SMALL)
    before = repository.columns("small", after), repository.tables(after)
    forgetful()
    # As in a shallow clone of a server’s, which lacks the first, empty state.
    monkeypatch.setattr(type(repository), "_empty_state", lambda _: "", raising=False)
    assert (repository.columns("small", after), repository.tables(after)) == before
    with connection.bound("main"), repository.one_look():
        assert repository.primary_key("small") == ("a", "b")
    forgetful()

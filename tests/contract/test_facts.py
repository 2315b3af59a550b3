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


def test_what_lies_between_two_commits_is_read_once(repository, write, forgetful):
    before = repository.head("main")
    new = [write("main", SMALL), write("main", "INSERT INTO small VALUES (0, 1, 'x')")]
    new += [write("main", "UPDATE small SET a = a + 1") for _ in range(3)]
    forgetful()
    first, _ = asked(lambda: repository.commits_between(before, new[-1], limit=2))
    found, _ = asked(lambda: repository.commits_between(before, new[-1], limit=9))
    again, statements = asked(
        lambda: repository.commits_between(before, new[-1], limit=3)
    )
    assert [commit.hash for commit in first] == new[:-3:-1]
    assert [commit.hash for commit in found] == new[::-1]
    assert again == found[:3]
    assert statements == 0


def test_a_history_that_was_read_is_not_read_again_to_compare(
    repository, write, forgetful
):
    base = write("main", SMALL)
    repository.create_branch("summer", base)
    ours = write("main", "INSERT INTO small VALUES (1, 1, 'x')")
    theirs = write("summer", "INSERT INTO small VALUES (2, 2, 'x')")
    repository.count_between(repository.commit(base).parents[0], base)
    forgetful()
    repository.commits_between(base, ours, limit=9)
    repository.commits_between(base, theirs, limit=9)
    repository.merge_base(ours, theirs)
    found, statements = asked(
        lambda: (
            repository.merge_bases(ours, theirs),
            repository.count_between(ours, theirs),
        )
    )
    assert found == ([base], 1)
    assert statements == 0

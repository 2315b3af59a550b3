"""Tables without a primary key: merged where no row has to be told from another."""

import pytest

from tests.contract.test_undoing import Bringing
from versioning.backends.errors import MergeRefused
from versioning.merging import sources

ALL = "SELECT a, b FROM notes ORDER BY a, b"


@pytest.fixture
def notes(repository, write):
    """The hash of a commit with a table without a key."""
    hash = write(
        "main",
        "CREATE TABLE notes (a varchar(20), b int, CHECK (b < 100))",
        "INSERT INTO notes VALUES ('one', 1), ('two', 2), ('two', 2), (NULL, 3)",
    )
    repository.create_branch("summer", hash)
    return hash


@pytest.fixture
def merge(repository, max_):
    return lambda: Bringing(repository, max_, sources.parse("summer"))


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        (
            ["INSERT INTO notes VALUES ('three', 3)"],
            ["INSERT INTO notes VALUES ('four', 4), ('four', 4)"],
            [(None, 3), ("four", 4), ("four", 4), ("one", 1), ("three", 3)]
            + [("two", 2)] * 2,
        ),
        (
            ["DELETE FROM notes WHERE a = 'one'"],
            ["UPDATE notes SET b = 20 WHERE a IS NULL"],
            [(None, 20), ("two", 2), ("two", 2)],
        ),
        (
            [],
            ["DELETE FROM notes WHERE a = 'two'"],
            [(None, 3), ("one", 1)],
        ),
        (
            ["INSERT INTO notes VALUES ('three', 3)"],
            [],
            [(None, 3), ("one", 1), ("three", 3), ("two", 2), ("two", 2)],
        ),
    ],
)
def test_other_rows_of_both_sides_are_merged(
    write, merge, rows, notes, ours, theirs, expected
):
    write("main", "CREATE TABLE here (id int PRIMARY KEY)", *ours)
    write("summer", "CREATE TABLE there (id int PRIMARY KEY)", *theirs)
    bringing = merge()
    assert bringing.found.can_land
    bringing.land()
    assert rows("main", ALL) == expected


@pytest.mark.parametrize(
    ("ours", "theirs", "added_up"),
    [
        (
            "INSERT INTO notes VALUES ('one', 1)",
            "INSERT INTO notes VALUES ('one', 1), ('one', 1)",
            [(None, 3)] + [("one", 1)] * 4 + [("two", 2)] * 2,
        ),
        (
            "DELETE FROM notes WHERE a = 'two'",
            "INSERT INTO notes VALUES ('two', 2)",
            [(None, 3), ("one", 1), ("two", 2)],
        ),
        (
            "UPDATE notes SET b = 8 WHERE a = 'one'",
            "DELETE FROM notes WHERE a = 'one'",
            None,
        ),
    ],
)
def test_rows_that_are_alike_changed_on_both_sides(
    repository, write, merge, rows, notes, ours, theirs, added_up
):
    write("main", ours)
    write("summer", theirs)
    before = rows("main", ALL)
    bringing = merge()
    if added_up and repository.features.engine == "DoltLite":
        bringing.land()
        assert rows("main", ALL) == added_up
        return
    assert not bringing.found.can_land
    assert bringing.found.blocked == (
        "Both branches changed rows of “notes” that are alike, and the table has no "
        "primary key by which to tell them apart, so nobody can decide about one of "
        "them. Change the rows on one branch so that it has them as the other has; "
        "then look again."
    )
    with pytest.raises(MergeRefused):
        bringing.land()
    assert rows("main", ALL) == before


def test_rows_that_break_a_rule_and_can_t_be_mended(
    repository, write, merge, rows, notes
):
    write(
        "main",
        "CREATE TABLE pairs (a int, b int, UNIQUE (a))",
        "INSERT INTO pairs VALUES (1, 1)",
    )
    repository.delete_branch("summer")
    repository.create_branch("summer", repository.head("main"))
    write("main", "INSERT INTO pairs VALUES (2, 10)")
    write("summer", "INSERT INTO pairs VALUES (2, 20)")
    bringing = merge()
    assert not bringing.found.can_land
    assert bringing.found.blocked.startswith(
        "Rows of “pairs” would break a rule of their table, and "
    )
    with pytest.raises(MergeRefused):
        bringing.land()
    assert rows("main", "SELECT a, b FROM pairs ORDER BY b") == [(1, 1), (2, 10)]


@pytest.mark.parametrize(
    "change",
    [
        "INSERT INTO notes VALUES ('three', 3)",
        "DELETE FROM notes WHERE a = 'two'",
        "UPDATE notes SET b = 8 WHERE a = 'one'",
    ],
)
def test_a_change_of_them_is_not_undone_or_taken_over(
    repository, write, max_, rows, notes, change
):
    hash = write("summer", change)
    for source, target in (
        (sources.revert(hash), "summer"),
        (sources.pick(hash), "main"),
    ):
        before = rows(target, ALL)
        bringing = Bringing(repository, max_, source, target)
        assert bringing.found.blocked.startswith("That commit changed rows of notes, ")
        with pytest.raises(MergeRefused):
            bringing.land()
        assert rows(target, ALL) == before

"""Commits undone where tables were other ones: what has a place, and what not."""

import pytest

from tests.contract.test_undoing import Bringing
from versioning.backends.errors import MergeRefused
from versioning.merging import sources

THINGS = [
    "CREATE TABLE things (id bigint PRIMARY KEY, a varchar(20), b varchar(20))",
    "INSERT INTO things VALUES (1, 'a1', 'b1'), (2, 'a2', ''), (3, 'a3', 'b3')",
]
DROP = "ALTER TABLE things DROP COLUMN b"
RENAME = "ALTER TABLE things RENAME COLUMN b TO c"


@pytest.fixture
def undo(repository, write, max_):
    """Make a commit, then another that redefines the table; undo the first."""

    def bring(change, *later):
        write("main", *THINGS)
        hash = write("main", change)
        write("main", *later)
        return Bringing(repository, max_, sources.revert(hash))

    return bring


@pytest.mark.parametrize(
    ("change", "later", "expected"),
    [
        (
            "UPDATE things SET a = 'A' WHERE id = 1",
            DROP,
            [(1, "a1"), (2, "a2"), (3, "a3")],
        ),
        (
            "UPDATE things SET a = 'A' WHERE id = 1",
            RENAME,
            [(1, "a1", "b1"), (2, "a2", ""), (3, "a3", "b3")],
        ),
        (
            "INSERT INTO things VALUES (4, 'a4', 'b4')",
            DROP,
            [(1, "a1"), (2, "a2"), (3, "a3")],
        ),
        (
            "DELETE FROM things WHERE id = 2",
            DROP,
            [(1, "a1"), (2, "a2"), (3, "a3")],
        ),
    ],
)
def test_what_was_no_change_of_a_column_is_undone_without_it(
    undo, rows, change, later, expected
):
    work = undo(change, later)
    assert work.found.is_clean
    work.land()
    assert rows("main", "SELECT * FROM things ORDER BY id") == expected


@pytest.mark.parametrize("later", [DROP, RENAME])
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE things SET a = 'A', b = 'B' WHERE id = 1",
        "UPDATE things SET b = 'B' WHERE id = 2",
        "UPDATE things SET b = NULL WHERE id = 1",
        "DELETE FROM things WHERE id = 1",
    ],
)
def test_a_value_that_has_no_column_any_more_is_not_brought_back(
    undo, rows, change, later
):
    work = undo(change, later)
    before = rows("main", "SELECT * FROM things ORDER BY id")
    assert not work.found.can_land
    assert not work.found.up_to_date
    assert work.found.blocked.startswith(
        "That commit changed values of b in things, and things has no such column"
    )
    with pytest.raises(MergeRefused):
        work.land()
    assert rows("main", "SELECT * FROM things ORDER BY id") == before


@pytest.mark.parametrize(
    "later", ["DROP TABLE things", "ALTER TABLE things RENAME TO x"]
)
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE things SET a = 'A' WHERE id = 1",
        "INSERT INTO things VALUES (4, 'a4', 'b4')",
        "DELETE FROM things WHERE id = 1",
    ],
)
def test_rows_of_a_table_that_is_gone_are_not_taken_for_done(undo, change, later):
    work = undo(change, later)
    assert (work.found.can_land, work.found.up_to_date) == (False, False)
    assert work.found.blocked.startswith("That commit changed rows of things, and ")
    with pytest.raises(MergeRefused):
        work.land()


def test_a_table_with_another_key_since(undo, rows):
    work = undo(
        "UPDATE things SET a = 'A' WHERE id = 1",
        "DROP TABLE things",
        "CREATE TABLE things (a varchar(20) PRIMARY KEY, id bigint, b varchar(20))",
        "INSERT INTO things VALUES ('A', 1, 'b1')",
    )
    assert work.found.blocked.startswith("That commit changed rows of things, and ")
    with pytest.raises(MergeRefused):
        work.land()
    assert rows("main", "SELECT * FROM things") == [("A", 1, "b1")]


def test_a_pick_to_a_branch_without_the_column(repository, write, max_, rows):
    write("main", *THINGS)
    repository.create_branch("summer", repository.head("main"))
    write("summer", DROP)
    fits = write("main", "UPDATE things SET a = 'A' WHERE id = 1")
    lost = write("main", "INSERT INTO things VALUES (4, 'a4', 'b4')")
    take = Bringing(repository, max_, sources.pick(fits), "summer")
    take.land()
    assert rows("summer", "SELECT a FROM things WHERE id = 1") == [("A",)]
    take = Bringing(repository, max_, sources.pick(lost), "summer")
    assert "values of b in things" in take.found.blocked

"""Whether a merge does what a page showed although its target moved on."""

from dataclasses import replace

import pytest

from versioning.merging import moved, preview

CREATE = "CREATE TABLE {} (id int NOT NULL PRIMARY KEY, a varchar(20), b int)"


@pytest.fixture
def sides(repository, write):
    """Summer changes row 1 of ``told``; both branches have ``other``."""
    write(
        "main",
        *(CREATE.format(table) for table in ("told", "other")),
        "CREATE TABLE heap (a int)",
        "INSERT INTO told VALUES (1, 'a', 1), (2, 'a', 1), (3, 'a', 1)",
        "INSERT INTO other VALUES (1, 'a', 1)",
        "INSERT INTO heap VALUES (1), (2)",
    )
    repository.create_branch("summer", repository.head("main"))
    write("summer", "UPDATE told SET a = 'b' WHERE id = 1")
    return now(repository)


def now(repository):
    found = preview.sides_of(
        repository, repository.head("main"), repository.head("summer")
    )
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("statements", "is_apart"),
    [
        (["UPDATE other SET a = 'c'"], True),
        (["UPDATE told SET a = 'c' WHERE id = 2"], True),
        (["INSERT INTO told VALUES (4, 'd', 4)"], True),
        (["DELETE FROM told WHERE id = 3"], True),
        (["INSERT INTO heap VALUES (3)"], True),
        (["UPDATE told SET b = 9 WHERE id = 1"], False),
        (["UPDATE told SET a = 'b' WHERE id = 1"], False),
        (["DELETE FROM told WHERE id = 1"], False),
        (["DELETE FROM told"], False),
        ([CREATE.format("new")], False),
        (["DROP TABLE other"], False),
        (["ALTER TABLE other ADD COLUMN c int"], False),
        (["ALTER TABLE told RENAME TO renamed"], False),
    ],
)
def test_a_target_moved_on_apart_from_the_merge(
    repository, sides, write, statements, is_apart
):
    write("main", *statements)
    assert moved.is_apart(repository, sides, now(repository)) is is_apart


def test_rows_without_a_key_are_not_told_apart(repository, sides, write):
    write("summer", "INSERT INTO heap VALUES (5)")
    before = now(repository)
    write("main", "INSERT INTO heap VALUES (4)")
    assert not moved.is_apart(repository, before, now(repository))


@pytest.mark.parametrize("most", [1, 2])
def test_more_rows_than_are_looked_at_are_not_told_apart(
    repository, sides, write, monkeypatch, most
):
    monkeypatch.setattr(moved, "MOST", most)
    write("main", "UPDATE told SET b = 9 WHERE id > 1")
    assert moved.is_apart(repository, sides, now(repository)) is (most == 2)


def test_a_source_that_moved_is_to_be_looked_at(repository, sides, write):
    write("summer", "UPDATE other SET a = 'c'")
    assert not moved.is_apart(repository, sides, now(repository))
    assert not moved.row_stands(
        repository, sides, now(repository), "told", (1, 2)
    )  # no key of that table
    assert moved.row_stands(repository, sides, now(repository), "told", (1,))
    assert not moved.row_stands(repository, sides, now(repository), "other", (1,))
    assert not moved.row_stands(repository, sides, now(repository), "none", (1,))


def test_a_target_that_was_put_elsewhere_has_not_moved_on(repository, sides, write):
    write("main", "UPDATE other SET a = 'c'")
    pins = now(repository)
    repository.create_branch("aside", sides.ours)
    write("aside", "UPDATE other SET b = 7")
    there = replace(pins, ours=repository.head("aside"))
    assert not moved.is_apart(repository, pins, there)


def test_a_merge_in_between_changes_what_counts_are_counted_from(
    repository, sides, write
):
    write("main", "UPDATE other SET a = 'c'")
    pins = now(repository)
    write("summer", "UPDATE other SET b = 7")
    after = replace(now(repository), base=sides.theirs)
    assert not moved.row_stands(repository, pins, after, "told", (2,))


def test_what_is_known_of_no_commit_stands_for_nothing(repository, sides):
    gone = "0" * len(sides.ours)
    pins = replace(sides, ours=gone)
    assert not moved.is_apart(repository, pins, sides)
    assert not moved.row_stands(repository, pins, sides, "told", (1,))
    (one,) = moved.moved(repository, "summer", "main", pins)
    assert (one.branch, one.before, one.now) == ("main", gone, sides.ours)
    assert one.commits is None

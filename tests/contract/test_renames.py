"""Columns that go by another name in the later state."""

import pytest

from versioning import diffs
from versioning.backends.repository import ChangeKind


@pytest.fixture
def before(write):
    return write(
        "main",
        "CREATE TABLE wide (id int PRIMARY KEY, a varchar(9), b varchar(9), n int)",
        "INSERT INTO wide VALUES (1, 'x', 'y', 1), (2, 'z', 'w', 2)",
    )


def page(repository, before, after):
    overview = diffs.overview(repository, before, after)
    return diffs.rows_page(repository, overview, "wide")


def test_a_column_renamed_is_one_column(repository, write, before):
    after = write(
        "main",
        "ALTER TABLE wide RENAME COLUMN a TO c",
        "UPDATE wide SET n = 9 WHERE id = 1",
        "INSERT INTO wide VALUES (3, 'new', 'y', 3)",
        "DELETE FROM wide WHERE id = 2",
    )
    found = page(repository, before, after)
    assert found.renamed == {"c": "a"}
    changed, removed, added = found.rows
    cells = {cell.column: cell for cell in changed.cells}
    assert list(cells) == ["id", "c", "b", "n"]
    assert [cell.column for cell in changed.shown] == ["n"]
    assert (cells["c"].renamed_from, cells["c"].before.text) == ("a", "x")
    assert (removed.kind, added.kind) == (ChangeKind.REMOVED, ChangeKind.ADDED)
    assert [cell.column for cell in removed.shown] == ["id", "a", "b", "n"]
    assert [cell.column for cell in added.shown] == ["id", "c", "b", "n"]


def test_names_are_told_apart_by_definition_and_place(repository, write, before):
    after = write(
        "main",
        "ALTER TABLE wide RENAME COLUMN a TO aa",
        "ALTER TABLE wide RENAME COLUMN n TO nn",
        "ALTER TABLE wide ADD COLUMN more int",
        "UPDATE wide SET b = 'changed' WHERE id = 1",
    )
    assert page(repository, before, after).renamed == {"aa": "a", "nn": "n"}


def test_what_holds_something_else_is_another_column(repository, write, before):
    after = write(
        "main",
        "ALTER TABLE wide DROP COLUMN n",
        "ALTER TABLE wide ADD COLUMN m int",
        "UPDATE wide SET m = 77",
    )
    found = page(repository, before, after)
    assert found.renamed == {}
    assert [cell.column for cell in found.rows[0].shown] == ["m", "n"]


def test_another_definition_is_another_column(repository, write, before):
    after = write(
        "main",
        "ALTER TABLE wide DROP COLUMN n",
        "ALTER TABLE wide ADD COLUMN m bigint",
        "UPDATE wide SET m = id",
    )
    assert page(repository, before, after).renamed == {}


def test_rows_that_do_not_differ_tell_that_it_is_the_same(repository, write, before):
    after = write(
        "main",
        "ALTER TABLE wide RENAME COLUMN a TO c",
        "UPDATE wide SET c = 'other' WHERE id = 1",
    )
    found = page(repository, before, after)
    assert found.renamed == {"c": "a"}
    ((cell,),) = [row.shown for row in found.rows]
    assert (cell.renamed_from, cell.before.text, cell.after.text) == ("a", "x", "other")

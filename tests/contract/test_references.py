"""Foreign keys in a merge of branches of which one gave something another name."""

import pytest

from versioning.backends.errors import MergeBlocked
from versioning.backends.repository import ForeignKey
from versioning.merging import preview
from versioning.merging.candidate import ViolationsRemain

TABLES = [
    "CREATE TABLE apart (id int PRIMARY KEY)",
    "CREATE TABLE other (id int PRIMARY KEY)",
    "CREATE TABLE seats (id int PRIMARY KEY)",
    "CREATE TABLE guests (id int PRIMARY KEY, seat int, host int, "
    "CONSTRAINT sits FOREIGN KEY (seat) REFERENCES seats (id), "
    "CONSTRAINT hosted FOREIGN KEY (host) REFERENCES guests (id))",
    "INSERT INTO seats VALUES (20)",
    "INSERT INTO guests VALUES (1, 20, NULL)",
]
TABLES_RENAMED = {
    "a parent": ["ALTER TABLE seats RENAME TO chairs"],
    "a parent that also changed": [
        "ALTER TABLE seats RENAME TO chairs",
        "ALTER TABLE chairs ADD COLUMN colour int",
    ],
    "a child": ["ALTER TABLE guests RENAME TO people"],
}
COLUMNS_RENAMED = {
    "a parent’s column": ["ALTER TABLE seats RENAME COLUMN id TO number"],
    "a column that points": ["ALTER TABLE guests RENAME COLUMN seat TO place"],
}
RENAMED = TABLES_RENAMED | COLUMNS_RENAMED
#: What leaves the names of a foreign key’s tables as they are.
OTHERWISE = COLUMNS_RENAMED | {
    "another table": ["ALTER TABLE other RENAME TO another"],
    "a new column": ["ALTER TABLE guests ADD COLUMN age int"],
    "a new child": [
        "CREATE TABLE dogs (id int PRIMARY KEY, owner int, "
        "FOREIGN KEY (owner) REFERENCES guests (id))"
    ],
    "a child less": ["DROP TABLE guests"],
}


@pytest.fixture
def keys(repository, connection):
    def on(branch):
        with connection.bound(branch):
            found = repository.foreign_keys()
        assert sorted(repository.foreign_keys(repository.head(branch))) == sorted(found)
        return {key for key in found if not key.table.startswith("polls_")}

    return on


@pytest.fixture
def define(repository, write):
    """What summer defines anew, and rows that main gets meanwhile."""

    def on_both(summer, *main):
        write("main", *TABLES)
        repository.create_branch("summer", repository.head("main"))
        write("summer", *summer)
        if main:
            write("main", *main)

    return on_both


def test_they_are_told_of_any_state(repository, write, keys):
    odd = repository._name('a "place`s) (')
    write(
        "main",
        f"CREATE TABLE seats (id int, {odd} int, PRIMARY KEY (id, {odd}))",
        "CREATE TABLE guests (id int PRIMARY KEY, seat int, place int, host int, "
        "FOREIGN KEY (host) REFERENCES guests (id), "
        f"FOREIGN KEY (seat, place) REFERENCES seats (id, {odd}) ON DELETE CASCADE)",
    )
    before = repository.head("main")
    write("main", "DROP TABLE guests")
    assert keys("main") == set()
    assert {k for k in repository.foreign_keys(before) if k.table == "guests"} == {
        ForeignKey("guests", ("host",), "guests", ("id",)),
        ForeignKey("guests", ("seat", "place"), "seats", ("id", 'a "place`s) (')),
    }


@pytest.mark.parametrize("what", TABLES_RENAMED)
def test_none_is_lost_by_another_name(repository, define, keys, work, what):
    define(TABLES_RENAMED[what], "INSERT INTO apart VALUES (1)")
    merge, head = work(), repository.head("main")
    if repository.features.keeps_foreign_keys_of_renamed_tables:
        merge.land()
        assert keys("main") == keys("summer")
        return
    found = preview.preview("main", merge.sides)
    child, parent = {
        "a parent": ("guests", "chairs"),
        "a parent that also changed": ("guests", "chairs"),
        "a child": ("people", "people"),
    }[what]
    assert f"of “{child}” points to a row of “{parent}”" in found.blocked
    with pytest.raises(MergeBlocked, match="loses the rule"):
        merge.land()
    assert repository.head("main") == head


@pytest.mark.parametrize("what", RENAMED)
def test_a_branch_that_did_nothing_since_gets_them(define, keys, work, what):
    define(RENAMED[what])
    work().land()
    assert keys("main") == keys("summer")


@pytest.mark.parametrize("what", ["a parent", "a child", "a column that points"])
def test_with_the_same_name_on_both_they_stay(define, keys, work, what):
    """As where the other branch’s migrations were applied."""
    define(RENAMED[what], *RENAMED[what], "INSERT INTO apart VALUES (1)")
    before = keys("main")
    work().land()
    assert keys("main") == keys("summer") == before


@pytest.mark.parametrize("what", OTHERWISE)
def test_other_definitions_merge_with_them(define, keys, work, what):
    define(OTHERWISE[what], "INSERT INTO apart VALUES (1)")
    work().land()
    assert keys("main") == keys("summer")


def test_each_side_gives_one(repository, define, keys, work):
    define(
        OTHERWISE["a new child"], OTHERWISE["a new child"][0].replace("dogs", "cats")
    )
    work().land()
    new = {key for key in keys("main") if key.table in ("dogs", "cats")}
    assert new == {
        ForeignKey(table, ("owner",), "guests", ("id",)) for table in ("dogs", "cats")
    }
    assert len(keys("main")) == 4


def test_a_parent_that_went_with_its_table_renamed_is_missed(repository, define, work):
    """That the target has no table of the new name says nothing of its rows."""
    define(
        [
            "UPDATE guests SET seat = NULL",
            "DELETE FROM seats",
            "ALTER TABLE seats RENAME TO chairs",
        ],
        "INSERT INTO guests VALUES (2, 20, NULL)",
    )
    head = repository.head("main")
    with pytest.raises((ViolationsRemain, MergeBlocked)):
        work().land()
    assert repository.head("main") == head

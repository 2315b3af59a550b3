"""Unique indexes and foreign keys of every kind that the engines have."""

from typing import NamedTuple

import pytest
from django.db import IntegrityError

from tests.contract.test_mending import Merge, typed
from tests.engines import ENGINE
from versioning.backends.repository import ViolationKind
from versioning.backends.sql.constraints import FAULTS_SHOWN
from versioning.merging import drafts, mending, sources, trial
from versioning.merging.candidate import ViolationsRemain
from versioning.merging.landing import land
from versioning.merging.resolution import WHOLE_ROW, Take
from versioning.merging.resolution import Choice as Decided

NOTES = "notes"
ODD = {"doltlite": '"100% of ""it"""', "dolt": '`100% of "it"`'}[ENGINE]
#: Keys that point nowhere are taken.
UNCHECKED = {
    "doltlite": "PRAGMA foreign_keys = OFF",
    "dolt": "SET foreign_key_checks = 0",
}[ENGINE]
#: On Dolt an index is blind to case by its column.
NAME = "varchar(20)" + (" COLLATE utf8mb4_0900_ai_ci" if ENGINE == "dolt" else "")
TABLE = (
    f"CREATE TABLE notes (id int PRIMARY KEY, name {NAME}, season int, "
    f"{ODD} int DEFAULT 1)"
)


class Index(NamedTuple):
    definition: str
    alike: str  # a name that it takes for “Sky”
    other: str = "Sea"  # and one that it doesn't


INDEXES = {
    "doltlite": {
        "of some rows": Index(
            "(name) WHERE season = 1 AND name <> '100%'", "Sky", "sky"
        ),
        "of an expression": Index("(substr(name, 1, 2), season DESC)", "Skull"),
        "blind to case": Index("(name COLLATE NOCASE ASC, season)", "sKY"),
        "of two columns": Index("(season, name)", "Sky"),
        "of odd names": Index(f"({ODD}, name)", "Sky"),
    },
    "dolt": {
        "of a beginning": Index("(name(2))", "Skull"),
        "blind to case": Index("(name, season)", "sKY"),
        "of two columns": Index("(season, name)", "Sky"),
        "of odd names": Index(f"({ODD}, name)", "Sky"),
    },
}[ENGINE]


@pytest.fixture
def work(repository, max_):
    return lambda: Merge(repository, max_)


@pytest.fixture(params=sorted(INDEXES))
def index(request, repository, write):
    """Each side adds a note, and the index can have but one of them."""
    given = INDEXES[request.param]
    write("main", TABLE, f"CREATE UNIQUE INDEX once ON notes {given.definition}")
    repository.create_branch("summer", repository.head("main"))
    write(
        "main",
        "INSERT INTO notes (id, name, season) VALUES (1, 'Sky', 1), (3, NULL, 1)",
    )
    add = "INSERT INTO notes (id, name, season) VALUES (2, %s, 1), (4, NULL, 1)"
    write("summer", (add, [given.alike]))
    return given


def names(connection):
    with connection.bound("main"), connection.cursor() as cursor:
        cursor.execute("SELECT id, name FROM notes WHERE name IS NOT NULL ORDER BY id")
        return [tuple(row) for row in cursor.fetchall()]


def found(work):
    return {
        (row.versions.table, row.versions.key)
        for row in work.trial().faults
        for fault in row.violations
        if fault.kind is ViolationKind.UNIQUE and "name" in fault.columns
    }


def test_one_of_two_is_dropped(connection, index, work):
    merge = work()
    assert found(merge) == {(NOTES, (1,)), (NOTES, (2,))}
    assert merge.refused()
    merge.mend(NOTES, (1,), whole=Take.DROP)
    assert merge.trial().is_fine
    merge.land()
    assert [key for key, _ in names(connection)] == [2]


def test_one_of_two_is_given_another_value(connection, index, work):
    merge = work()
    merge.mend(NOTES, (2,), name=typed(index.other))
    assert merge.trial().is_fine
    merge.land()
    assert names(connection) == [(1, "Sky"), (2, index.other)]


def test_a_value_that_a_third_has_is_no_way_out(connection, write, index, work):
    write(
        "main",
        ("INSERT INTO notes (id, name, season) VALUES (5, %s, 1)", [index.other]),
    )
    merge = work()
    merge.mend(NOTES, (2,), name=typed(index.other))
    assert found(merge) >= {(NOTES, (2,)), (NOTES, (5,))}
    assert merge.refused()
    merge.mend(NOTES, (5,), whole=Take.DROP)
    assert merge.trial().is_fine
    merge.land()
    assert names(connection) == [(1, "Sky"), (2, index.other)]


def test_rows_that_differ_in_what_the_index_has_are_left_alone(index, work):
    merge = work()
    merge.mend(NOTES, (2,), season=typed(2))
    assert merge.trial().is_fine == ("season" in index.definition)


def test_an_expression_is_unique_where_the_engine_makes_an_index_of_it(write):
    of_it = {"doltlite": "(lower(name))", "dolt": "((lower(name)))"}[ENGINE]
    write("main", TABLE, f"CREATE UNIQUE INDEX once ON notes {of_it}")
    add = "INSERT INTO notes (id, name) VALUES (1, 'Sky'), (2, 'sKY')"
    if ENGINE == "dolt":
        assert write("main", add)
    else:
        with pytest.raises(IntegrityError):
            write("main", add)


# Keys of several columns -------------------------------------------------------

#: In another order than the key that they point to, where the engine takes that.
POINTING = {"doltlite": ("number", "line"), "dolt": ("line", "number")}[ENGINE]


@pytest.fixture
def seats(repository, write):
    """Main takes a seat away that summer gives to somebody."""
    columns = ", ".join(POINTING)
    write(
        "main",
        "CREATE TABLE seats (line int, number int, PRIMARY KEY (line, number))",
        "CREATE TABLE guests (id int PRIMARY KEY, number int, line int, "
        f"FOREIGN KEY ({columns}) REFERENCES seats ({columns}))",
        "INSERT INTO seats VALUES (1, 2), (2, 1)",
    )
    repository.create_branch("summer", repository.head("main"))
    write("main", "DELETE FROM seats WHERE line = 1")
    write("summer", "INSERT INTO guests VALUES (7, 2, 1), (8, NULL, 1), (9, 1, 2)")


def test_an_orphan_and_its_parent_are_named(seats, work):
    merge = work()
    faults = {(r.versions.table, r.versions.key): r for r in merge.trial().faults}
    assert faults.keys() == {("guests", (7,)), ("seats", (1, 2))}
    [fault] = faults["guests", (7,)].violations
    assert (fault.columns, fault.referenced_table) == (POINTING, "seats")
    assert fault.referenced_key == (1, 2)
    assert faults["seats", (1, 2)].missed_by == (fault,)
    assert merge.refused()


@pytest.mark.parametrize(
    ("table", "key", "mend", "left"),
    [
        ("seats", (1, 2), {"whole": Take.THEIRS}, [7, 8, 9]),
        ("guests", (7,), {"whole": Take.DROP}, [8, 9]),
        ("guests", (7,), {"number": typed(1), "line": typed(2)}, [7, 8, 9]),
        ("guests", (7,), {"number": typed(None)}, [7, 8, 9]),
    ],
)
def test_an_orphan_is_mended(connection, seats, work, table, key, mend, left):
    merge = work()
    merge.mend(table, key, **mend)
    assert merge.trial().is_fine
    merge.land()
    with connection.bound("main"), connection.cursor() as cursor:
        cursor.execute("SELECT id FROM guests ORDER BY id")
        assert [row[0] for row in cursor.fetchall()] == left
    assert connection.repository.broken_constraints() == []


def test_a_key_that_is_a_number_of_another_column_is_no_parent(repository, write, work):
    """What a row points to by a column that is not the key."""
    write(
        "main",
        "CREATE TABLE seats (id int PRIMARY KEY, code int UNIQUE)",
        "CREATE TABLE guests (id int PRIMARY KEY, code int, "
        "FOREIGN KEY (code) REFERENCES seats (code))",
        "INSERT INTO seats VALUES (20, 1), (2, 20)",
    )
    repository.create_branch("summer", repository.head("main"))
    write("main", "DELETE FROM seats")
    write("summer", "INSERT INTO guests VALUES (7, 20)")
    merge = work()
    faults = {(r.versions.table, r.versions.key) for r in merge.trial().faults}
    assert faults == {("guests", (7,))}
    merge.mend("seats", (2,), whole=Take.THEIRS)
    assert merge.trial().is_fine
    merge.land()


def test_what_points_to_a_value_that_was_mended_away_is_named(
    repository, connection, write, work
):
    write(
        "main",
        "CREATE TABLE seats (id int PRIMARY KEY, code int UNIQUE, line int)",
        "CREATE TABLE guests (id int PRIMARY KEY, code int, "
        "FOREIGN KEY (code) REFERENCES seats (code))",
        "INSERT INTO seats VALUES (2, 20, 1)",
        "INSERT INTO guests VALUES (7, 20)",
    )
    repository.create_branch("summer", repository.head("main"))
    write("summer", "UPDATE seats SET line = 2")
    merge = work()
    merge.mend("seats", (2,), code=typed(30))
    [fault] = merge.trial().faults
    assert (fault.versions.table, fault.versions.key) == ("guests", (7,))
    assert fault.violations[0].referenced_key == (2,)
    assert merge.refused()
    merge.mend("guests", (7,), code=typed(30))
    assert merge.trial().is_fine
    merge.land()
    with connection.bound("main"):
        assert connection.repository.broken_constraints() == []


def test_what_points_to_a_value_that_an_undo_takes_away_is_named(
    repository, connection, write, max_
):
    write(
        "main",
        "CREATE TABLE seats (id int PRIMARY KEY, code int UNIQUE)",
        "CREATE TABLE guests (id int PRIMARY KEY, code int, "
        "FOREIGN KEY (code) REFERENCES seats (code))",
    )
    added = write("main", "INSERT INTO seats VALUES (2, 20)")
    write("main", "INSERT INTO guests VALUES (7, 20), (8, NULL)")
    source = sources.revert(added)
    sides = sources.sides(repository, source, "main")
    assert sides is not None
    draft = drafts.begin(str(source), "main", sides, max_)
    faults = {
        (row.versions.table, row.versions.key): row
        for row in trial.try_out("main", sides, draft).faults
    }
    assert faults.keys() == {("guests", (7,)), ("seats", (2,))}
    assert len(faults["seats", (2,)].missed_by) == 1
    row = mending.row_of(sides, "guests", (7,))
    assert row is not None
    mending.mend(draft, sides, row, {WHOLE_ROW: Decided(Take.DROP)}, max_)
    assert trial.try_out("main", sides, draft).is_fine
    land(str(source), "main", sides, draft, max_)
    head = repository.head("main")
    assert repository.rows("seats", [(2,)], at=head) == {}
    assert repository.rows("guests", [(7,), (8,)], at=head).keys() == {(8,)}


def test_more_orphans_of_before_than_are_listed_are_no_fault_of_an_undo(
    repository, connection, write, run, max_
):
    """Also where it takes some of them away, so that others are listed."""
    write(
        "main",
        "CREATE TABLE seats (id int PRIMARY KEY)",
        "CREATE TABLE guests (id int PRIMARY KEY, seat int, "
        "FOREIGN KEY (seat) REFERENCES seats (id))",
    )
    for first, beyond in ((10, FAULTS_SHOWN + 15), (1, 3)):
        rows = ", ".join(f"({n}, 20)" for n in range(first, beyond))
        add = f"INSERT INTO guests VALUES {rows}"  # noqa: S608
        run("main", f"{UNCHECKED}; {add};")
    source = sources.revert(repository.head("main"))
    sides = sources.sides(repository, source, "main")
    assert sides is not None
    draft = drafts.begin(str(source), "main", sides, max_)
    assert trial.try_out("main", sides, draft).is_fine
    land(str(source), "main", sides, draft, max_)
    head = repository.head("main")
    assert repository.rows("guests", [(1,), (2,), (10,)], at=head).keys() == {(10,)}
    with connection.bound("main"):
        assert len(repository.broken_constraints()) == FAULTS_SHOWN


@pytest.fixture
def orphan(request, repository, connection, write, run):
    """A guest without a seat: from when there was no branch, or of one side."""
    write(
        "main",
        "CREATE TABLE seats (id int PRIMARY KEY)",
        "CREATE TABLE guests (id int PRIMARY KEY, name varchar(20), seat int, "
        "FOREIGN KEY (seat) REFERENCES seats (id))",
        "INSERT INTO guests VALUES (1, 'Ann', NULL)",
    )
    since, change = request.param
    add = "INSERT INTO guests VALUES (2, 'Bob', 20)"
    if since == "before":
        run("main", f"{UNCHECKED}; {add};")
    repository.create_branch("summer", repository.head("main"))
    if since != "before":
        run(since, f"{UNCHECKED}; {add};")
    write("main", "UPDATE guests SET name = 'Anne' WHERE id = 1")
    write("summer", "INSERT INTO guests VALUES (3, 'Cay', NULL)")
    if change:
        run("summer", f"{UNCHECKED}; {change};")


RENAMED = "UPDATE guests SET name = 'Rob' WHERE id = 2"
RESEATED = "UPDATE guests SET seat = 30 WHERE id = 2"
BLOCKED = "foreign key in guests"


@pytest.mark.parametrize(
    "orphan",
    [("before", ""), ("before", RENAMED), ("main", "")],
    indirect=True,
    ids=["of before", "of before, changed", "of the target"],
)
def test_what_pointed_nowhere_before_is_no_reason_to_refuse(
    repository, connection, orphan, work
):
    merge = work()
    found = trial.try_out("main", merge.sides, merge.draft)
    assert found.is_fine
    for row in found.old:  # which of them an engine lists is its own
        assert (row.table, row.key) == ("guests", (2,))
        assert row.reasons == ("seat points to what is not there.",)
    merge.land()
    head = repository.head("main")
    guests = repository.rows("guests", [(1,), (2,), (3,)], at=head)
    assert [row["name"] for row in guests.values()][::2] == ["Anne", "Cay"]
    assert guests[2,]["seat"] == 20


@pytest.mark.parametrize(
    "orphan",
    [("summer", ""), ("before", RESEATED)],
    indirect=True,
    ids=["new", "pointing elsewhere"],
)
def test_what_theirs_lets_point_nowhere_is_one(repository, orphan, work):
    merge = work()
    head = repository.head("main")
    assert [row.versions.key for row in merge.trial().faults] == [(2,)]
    with pytest.raises(ViolationsRemain, match=BLOCKED):
        merge.land()
    assert repository.head("main") == head

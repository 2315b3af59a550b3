"""What migrations commits hold, and merges that definitions keep from being."""

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from tests.schemas import MOOD, length
from versioning import schema_state
from versioning.backends.errors import MergeBlocked, UnknownRef
from versioning.backends.repository import ConflictRow
from versioning.merging import preview
from versioning.merging.dropped import without_dropped
from versioning.schema_state import Difference

QUESTIONS = "polls_question"


def look(repository, source, target):
    sides = preview.sides_of(
        repository, repository.head(target), repository.head(source)
    )
    assert sides is not None
    return preview.preview(target, sides)


def test_a_table_of_several_commits_is_read_at_once(repository, write):
    write("main", "CREATE TABLE small (id int PRIMARY KEY, a varchar(9), b int)")
    first = write("main", "INSERT INTO small VALUES (1, 'one', 1)")
    second = write("main", "INSERT INTO small VALUES (2, 'two', NULL)")
    with CaptureQueriesContext(connections["versioned"]) as taken:
        found = repository.columns_at("small", ("b", "a"), [first, second, first])
    assert {hash: sorted(rows, key=str) for hash, rows in found.items()} == {
        first: [(1, "one")],
        second: sorted([(1, "one"), (None, "two")], key=str),
    }
    assert len([q for q in taken if "small" in q["sql"]]) == 1
    assert repository.columns_at("small", ("a",), []) == {}


def test_a_commit_without_the_table_has_no_rows(repository, write):
    before = repository.head("main")
    write("main", "CREATE TABLE small (id int PRIMARY KEY)")
    after = write("main", "INSERT INTO small VALUES (1)")
    found = repository.columns_at("small", ("id",), [before, after])
    assert found == {before: [], after: [(1,)]}
    gone = write("main", "DROP TABLE small")
    found = repository.columns_at("small", ("id",), [gone, after])
    assert found == {gone: [], after: [(1,)]}
    with pytest.raises(UnknownRef):
        repository.columns_at("small", ("id",), ["main"])


def test_more_commits_than_one_statement_takes(repository, write):
    write("main", "CREATE TABLE small (id int PRIMARY KEY)")
    hashes = [write("main", ("INSERT INTO small VALUES (%s)", [n])) for n in range(60)]
    found = repository.columns_at("small", ("id",), hashes)
    assert [len(found[hash]) for hash in hashes] == list(range(1, 61))


def test_commits_differ_from_the_code_by_their_migrations(
    repository, summer, code, connection
):
    """And what a commit holds is asked once."""
    long = code.add("0002_long", length(300))
    code.migrate("main")
    main, behind = repository.head("main"), repository.head(summer)
    first = repository.log([main], limit=1000)[-1].hash
    expected = {
        main: None,
        behind: Difference(missing=(long,), unknown=()),
        first: Difference(missing=("polls.0001_initial", long), unknown=()),
    }
    assert schema_state.differences([main, behind, first]) == expected
    with CaptureQueriesContext(connections["versioned"]) as taken:
        assert schema_state.differences([main, behind, first]) == expected
    assert len(taken) == 0
    for hash, difference in expected.items():
        with connection.bound(at=hash):
            assert schema_state.difference() == difference
    code.remove("0002_long")
    assert schema_state.differences([main, behind]) == {
        main: Difference(missing=(), unknown=(long,)),
        behind: None,
    }


@pytest.mark.parametrize("target", ["main", "summer"])
def test_a_table_renamed_on_one_side_and_changed_on_the_other(
    repository, summer, poll, write, code, target
):
    change = "UPDATE polls_question SET details = '{}'"
    write("main", change.format("ours"))
    write(summer, change.format("theirs"))
    code.add("0002_poll", "migrations.RenameModel('Question', 'Poll')")
    code.migrate("main")
    source = summer if target == "main" else "main"
    found = look(repository, source, target)
    assert not found.can_land
    assert QUESTIONS in found.blocked or QUESTIONS in {
        conflict.table for conflict in found.schema_conflicts
    }
    code.migrate(summer)
    (conflicts,) = look(repository, source, target).conflicts
    assert (conflicts.table, conflicts.rows) == ("polls_poll", 1)


def test_a_column_that_one_side_lacks_can_go_on(repository, summer, poll, write, code):
    code.add("0002_mood", MOOD)
    write("main", "UPDATE polls_question SET details = 'ours'")
    write(summer, "UPDATE polls_question SET details = 'theirs'")
    code.migrate("main")
    found = look(repository, summer, "main")
    assert found.can_land
    assert [(table.table, table.rows) for table in found.conflicts] == [(QUESTIONS, 1)]


# Columns that the result has not ----------------------------------------------


def conflict(base, ours, theirs):
    return ConflictRow("t", (1,), base, ours, theirs)


def test_a_dropped_column_is_left_out_of_a_conflict():
    row = conflict(
        {"id": 1, "a": 1, "gone": 5},
        {"id": 1, "a": 2},
        {"id": 1, "a": 3, "gone": 5},
    )
    (found,) = without_dropped([row], ["id", "a"])
    assert found == conflict({"id": 1, "a": 1}, {"id": 1, "a": 2}, {"id": 1, "a": 3})
    assert without_dropped([row], ["id", "a", "gone"]) == [row]
    assert without_dropped([conflict(None, None, row.ours)], ["id", "a"]) == [
        conflict(None, None, row.ours)
    ]


@pytest.mark.parametrize(
    "row",
    [
        conflict({"id": 1, "gone": 5}, {"id": 1}, {"id": 1, "gone": 6}),
        conflict({"id": 1, "gone": 5}, {"id": 1, "gone": None}, {"id": 1}),
        conflict(None, {"id": 1}, {"id": 1, "gone": 5}),
        conflict({"id": 1, "gone": 5}, None, {"id": 1, "gone": 6}),
    ],
)
def test_a_value_that_has_no_place_any_more_blocks_the_merge(row):
    with pytest.raises(MergeBlocked, match="'gone' of table 't' was dropped"):
        without_dropped([row], ["id"])

"""Columns that the engine works out from others: in no row, and always right."""

import pytest

from tests.contract.test_undoing import Bringing
from versioning.backends.errors import MergeBlocked, MergeRefused
from versioning.backends.repository import ChangeKind, RowChange, TableStat
from versioning.merging import sources
from versioning.merging.resolution import Take

TOTAL = "total bigint GENERATED ALWAYS AS (a + b)"
TABLES = {
    "stored": f"id bigint PRIMARY KEY, a bigint, b bigint, {TOTAL} STORED",
    "stored before another": (
        f"id bigint PRIMARY KEY, a bigint, {TOTAL} STORED, b bigint"
    ),
    "virtual": f"id bigint PRIMARY KEY, a bigint, b bigint, {TOTAL} VIRTUAL",
    "virtual before another": (
        f"id bigint PRIMARY KEY, a bigint, {TOTAL} VIRTUAL, b bigint"
    ),
}
ALL = "SELECT id, a, b, total FROM sums ORDER BY id"


@pytest.fixture(params=[*TABLES.values()], ids=[*TABLES])
def sums(request, repository, write):
    """The hash of a commit with a table that has a generated column."""
    hash = write(
        "main",
        f"CREATE TABLE sums ({request.param})",
        "INSERT INTO sums (id, a, b) VALUES (1, 1, 1), (2, 2, 2), (3, 3, 3)",
    )
    repository.create_branch("summer", hash)
    return hash


@pytest.fixture
def merge(repository, max_):
    return lambda: Bringing(repository, max_, sources.parse("summer"))


def test_they_are_known_and_no_columns_of_rows(repository, sums):
    for at in (None, sums):
        assert repository.columns("sums", at) == ["id", "a", "b"]
        assert repository.generated_columns("sums", at) == {"total"}
        assert repository.generated_columns("polls_question", at) == frozenset()
        row = {"id": 1, "a": 1, "b": 1}
        assert repository.rows("sums", [(1,)], at=at) == {(1,): row}
    assert repository.state_rows("sums", at=sums, limit=1) == [row]


def test_a_text_that_speaks_of_them_makes_none(repository, write):
    at = write(
        "main",
        "CREATE TABLE told (id int PRIMARY KEY, "
        "a varchar(50) DEFAULT ' GENERATED ALWAYS AS ''x''', b int)",
    )
    assert repository.columns("told", at) == ["id", "a", "b"]
    assert repository.generated_columns("told", at) == frozenset()


def test_diffs_and_counts_are_of_the_other_columns(repository, write, sums):
    later = write(
        "main",
        "UPDATE sums SET a = 10 WHERE id = 1",
        "INSERT INTO sums (id, a, b) VALUES (4, 4, 4)",
        "DELETE FROM sums WHERE id = 2",
    )
    assert list(repository.diff_rows("sums", sums, later)) == [
        RowChange(
            ChangeKind.CHANGED,
            (1,),
            {"id": 1, "a": 1, "b": 1},
            {"id": 1, "a": 10, "b": 1},
        ),
        RowChange(ChangeKind.REMOVED, (2,), {"id": 2, "a": 2, "b": 2}, None),
        RowChange(ChangeKind.ADDED, (4,), None, {"id": 4, "a": 4, "b": 4}),
    ]
    (stat,) = repository.diff_stat(sums, later)
    assert (stat.rows_added, stat.rows_removed, stat.rows_changed) == (1, 1, 1)
    assert (stat.old_rows, stat.new_rows) == (3, 3)
    assert stat.cells_changed in (1, 2)  # whether they count is the engine's affair
    repository.ping()


def test_a_word_that_differs_by_case_counts(repository, write):
    before = write(
        "main",
        "CREATE TABLE words (id int PRIMARY KEY, word varchar(9), "
        "size int AS (length(word)))",
        "INSERT INTO words (id, word) VALUES (1, 'ada'), (2, NULL)",
    )
    after = write("main", "UPDATE words SET word = 'Ada' WHERE id = 1")
    assert repository.diff_stat(before, after) == [TableStat("words", 0, 0, 1, 1, 2, 2)]


def test_counts_of_a_table_that_is_new_and_of_another_one(
    repository, write, poll, sums
):
    before = repository.commit(sums).parents[0]
    later = write("main", "UPDATE polls_question SET text = 'Other'")
    assert repository.diff_stat(before, later) == [
        TableStat("polls_question", 0, 0, 1, 1, 1, 1),
        TableStat("sums", 3, 0, 0, 0, 0, 3),
    ]


def test_histories_and_streams_leave_them_out(repository, write, sums):
    later = write("main", "UPDATE sums SET b = 9 WHERE id = 1")
    history = repository.row_history("sums", (1,), at=later, limit=5)
    assert history.row == {"id": 1, "a": 1, "b": 9}
    assert [edit.columns for edit in history.edits] == [{"b"}, {"id", "a", "b"}]
    (change,) = repository.stream_changes("sums", sums, later)
    assert change.after == {"id": 1, "a": 1, "b": 9}
    script = "\n".join(repository.stream_sql(sums, later, without={}))
    assert "UPDATE" in script
    assert "total" not in script


def test_rows_and_cells_of_both_sides_are_merged(repository, write, merge, rows, sums):
    write("main", "UPDATE sums SET a = 10 WHERE id IN (1, 2)")
    write(
        "summer",
        "UPDATE sums SET b = 20 WHERE id IN (1, 3)",
        "INSERT INTO sums (id, a, b) VALUES (4, 4, 4)",
    )
    bringing = merge()
    assert bringing.found.is_clean
    bringing.land()
    assert rows("main", ALL) == [
        (1, 10, 20, 30),
        (2, 10, 2, 12),
        (3, 3, 20, 23),
        (4, 4, 4, 8),
    ]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("UPDATE sums SET a = 10 WHERE id = 1", "UPDATE sums SET a = 20 WHERE id = 1"),
        ("UPDATE sums SET a = 10 WHERE id = 1", "DELETE FROM sums WHERE id = 1"),
        ("DELETE FROM sums WHERE id = 1", "UPDATE sums SET a = 20 WHERE id = 1"),
        (
            "INSERT INTO sums (id, a, b) VALUES (5, 5, 5)",
            "INSERT INTO sums (id, a, b) VALUES (5, 50, 5)",
        ),
    ],
)
def test_a_row_in_conflict(repository, write, merge, rows, sums, ours, theirs):
    write("main", ours)
    write("summer", theirs)
    key = (5,) if "INSERT" in ours else (1,)
    bringing = merge()
    if repository.features.merges_generated_columns:
        (table,) = bringing.found.conflicts
        assert (table.table, table.rows) == ("sums", 1)
        take = Take.THEIRS
        if "INSERT" in ours or ours.split()[0] == theirs.split()[0]:
            bringing.decide("sums", key, a=take)
        else:
            bringing.decide("sums", key, whole=take)
        bringing.land()
        expected = rows("summer", ALL)
        assert rows("main", ALL) == expected
        return
    assert bringing.found.blocked.startswith(
        f"Both branches changed row {key[0]} of “sums”, and not to the same."
    )
    head = repository.head("main")
    with pytest.raises(MergeRefused):
        bringing.land()
    assert repository.head("main") == head  # and the server lives


def test_equal_changes_are_in_no_conflict(repository, write, merge, rows, sums):
    for branch in ("main", "summer"):
        write(
            branch,
            "UPDATE sums SET a = 10 WHERE id = 1",
            "DELETE FROM sums WHERE id = 2",
        )
    write("summer", "UPDATE sums SET a = 30 WHERE id = 3")
    bringing = merge()
    assert bringing.found.is_clean
    bringing.land()
    assert rows("main", ALL) == [(1, 10, 1, 11), (3, 30, 3, 33)]


def test_a_commit_is_undone(repository, write, max_, rows, sums):
    hash = write(
        "main",
        "UPDATE sums SET a = 10 WHERE id = 1",
        "DELETE FROM sums WHERE id = 2",
        "INSERT INTO sums (id, a, b) VALUES (4, 4, 4)",
    )
    write("main", "UPDATE sums SET b = 5 WHERE id = 1")
    Bringing(repository, max_, sources.revert(hash)).land()
    assert rows("main", ALL) == [(1, 1, 5, 6), (2, 2, 2, 4), (3, 3, 3, 6)]


def test_uncommitted_rows(repository, connection, sums):
    with connection.bound("summer"), connection.writing():
        with connection.cursor() as cursor:
            cursor.execute("UPDATE sums SET a = 7 WHERE id = 1")
        (stat,) = repository.merged_stat()
        assert stat.rows_changed == 1
        (change,) = repository.merged_rows("sums")
        assert change.after == {"id": 1, "a": 7, "b": 1}


@pytest.fixture(params=["STORED", "VIRTUAL"])
def named_sums(request, repository, write):
    """A table whose columns don't all bear on the one that is worked out."""
    write(
        "main",
        "CREATE TABLE sums (id int PRIMARY KEY, name varchar(9), a bigint, b bigint, "
        f"{TOTAL} {request.param}, note varchar(9))",
        "INSERT INTO sums (id, name, a, b, note) VALUES "
        "(1, 'one', 1, 1, 'x'), (2, 'two', 2, 2, 'x')",
    )
    repository.create_branch("summer", repository.head("main"))


@pytest.mark.parametrize("ours_is_shaped", [True, False])
@pytest.mark.parametrize(
    "shape",
    [
        "ALTER TABLE sums DROP COLUMN name",
        "ALTER TABLE sums DROP COLUMN note",
        "ALTER TABLE sums ADD COLUMN season varchar(9)",
    ],
)
@pytest.mark.usefixtures("named_sums")
def test_where_one_side_has_other_columns_it_is_right_or_refused(
    repository, write, rows, merge, shape, ours_is_shaped
):
    """Dolt's server ended at it, or worked the sum out of other columns."""
    here, there = ("main", "summer") if ours_is_shaped else ("summer", "main")
    write(here, "UPDATE sums SET a = 10 WHERE id = 1", shape)
    write(there, "UPDATE sums SET b = 20 WHERE id = 2")
    bringing = merge()
    if not bringing.found.can_land:
        assert "columns that the database works out by itself" in bringing.found.blocked
        assert not repository.features.merges_generated_columns
        with pytest.raises(MergeRefused):
            bringing.land()
        write(there, shape)  # as the page says
        bringing = merge()
        assert bringing.found.can_land
    bringing.land()
    assert rows("main", ALL) == [(1, 10, 1, 11), (2, 2, 20, 22)]


@pytest.mark.parametrize("ours_is_shaped", [True, False])
@pytest.mark.usefixtures("named_sums")
def test_a_value_changed_where_the_other_side_dropped_its_column(
    repository, write, merge, ours_is_shaped
):
    """It is in conflict, and Dolt can't list such a row of this table."""
    here, there = ("main", "summer") if ours_is_shaped else ("summer", "main")
    write(here, "ALTER TABLE sums DROP COLUMN note")
    write(there, "UPDATE sums SET note = 'y' WHERE id = 2")
    bringing = merge()
    assert not bringing.found.can_land
    assert bringing.found.blocked
    before = repository.head("main")
    with pytest.raises(MergeBlocked):
        bringing.land()
    assert repository.head("main") == before

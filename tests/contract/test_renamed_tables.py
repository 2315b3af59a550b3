"""Rows of a table that has another name in the later state are told apart by key."""

from functools import partial

import pytest
from django.test.utils import CaptureQueriesContext

from tests.contract.test_paging import PARTS, pages
from tests.engines import ENGINE
from versioning.backends.doltlite import reading
from versioning.backends.repository import ChangeKind

TABLE = "CREATE TABLE things (id int NOT NULL, v int, PRIMARY KEY (id))"
RENAME = "ALTER TABLE things RENAME TO stuff"
EDITS = (
    "UPDATE things SET v = 11 WHERE id = 1",
    "DELETE FROM things WHERE id = 2",
    "INSERT INTO things VALUES (7, 70)",
)
WANTED = [
    (ChangeKind.CHANGED, (1,), {"id": 1, "v": 10}, {"id": 1, "v": 11}),
    (ChangeKind.REMOVED, (2,), {"id": 2, "v": 20}, None),
    (ChangeKind.ADDED, (7,), None, {"id": 7, "v": 70}),
]


def read(changes):
    return [(c.kind, c.key, c.before, c.after) for c in changes]


@pytest.fixture
def before(write):
    return write("main", TABLE, "INSERT INTO things VALUES (1, 10), (2, 20), (3, 30)")


@pytest.fixture
def ends(before, write):
    return before, write("main", *EDITS, RENAME)


def test_only_what_differs_is_listed_as_it_is_counted(repository, ends):
    (stat,) = repository.diff_stat(*ends)
    assert (stat.rows_added, stat.rows_changed, stat.rows_removed) == (1, 1, 1)
    assert read(repository.diff_rows("stuff", *ends)) == WANTED


def test_it_goes_on_page_by_page(repository, ends):
    assert read(repository.diff_rows("stuff", *ends, limit=2)) == WANTED[:2]
    assert read(repository.diff_rows("stuff", *ends, since=(1,))) == WANTED[1:]
    assert read(repository.diff_rows("stuff", *ends, since=(2,), limit=1)) == [
        WANTED[2]
    ]


def test_many_rows_are_read_in_parts(repository, before, write, monkeypatch):
    monkeypatch.setattr(reading, "STREAMED_AT_ONCE", 2)
    rows = ", ".join(f"({n}, {n * 10})" for n in range(4, 12))
    before = write("main", f"INSERT INTO things VALUES {rows}")  # noqa: S608
    after = write("main", RENAME, "UPDATE stuff SET v = 0 WHERE id IN (1, 5, 6, 11)")
    found = list(repository.diff_rows("stuff", before, after))
    assert [change.key for change in found] == [(1,), (5,), (6,), (11,)]
    assert {change.kind for change in found} == {ChangeKind.CHANGED}


@pytest.mark.parametrize("count", [10, 5000])
def test_rows_that_are_the_same_are_not_asked_for(
    repository, connection, before, write, count
):
    rows = ", ".join(f"({n}, {n})" for n in range(10, 10 + count))
    before = write("main", f"INSERT INTO things VALUES {rows}")  # noqa: S608
    after = write("main", RENAME, f"UPDATE stuff SET v = 0 WHERE id = {count}")  # noqa: S608
    with CaptureQueriesContext(connection) as asked:
        found = list(repository.diff_rows("stuff", before, after, limit=50))
    assert [change.key for change in found] == [(count,)]
    assert len(asked) < 12


def test_what_is_nearly_the_same_differs(repository, write):
    before = write(
        "main",
        "CREATE TABLE things (id int NOT NULL, a varchar(9), b int, PRIMARY KEY (id))",
        "INSERT INTO things VALUES (1, NULL, 1), (2, '', 1), (3, 'a', 1), (4, 'a', 1), "
        "(5, '1', NULL), (6, '1', 1), (7, NULL, NULL), (8, 'é', 0)",
    )
    after = write(
        "main",
        RENAME,
        "UPDATE stuff SET a = '' WHERE id = 1",
        "UPDATE stuff SET a = NULL WHERE id = 2",
        "UPDATE stuff SET a = 'A' WHERE id = 3",
        "UPDATE stuff SET b = 0 WHERE id = 5",
        "UPDATE stuff SET a = '1 ' WHERE id = 6",
        "UPDATE stuff SET b = 0 WHERE id = 7",
    )
    found = list(repository.diff_rows("stuff", before, after))
    assert [change.key for change in found] == [(1,), (2,), (3,), (5,), (6,), (7,)]
    assert {change.kind for change in found} == {ChangeKind.CHANGED}
    (stat,) = repository.diff_stat(before, after)
    assert stat.rows_changed == len(found)


def test_kinds_and_keys_can_be_asked_for(repository, ends):
    kinds = [ChangeKind.ADDED, ChangeKind.REMOVED]
    assert read(repository.diff_rows("stuff", *ends, kinds=kinds)) == WANTED[1:]
    keys = [(7,), (3,), (1,)]
    assert read(repository.diff_rows("stuff", *ends, keys=keys)) == [
        WANTED[0],
        WANTED[2],
    ]


def test_a_stream_gives_the_same(repository, ends):
    found = read(repository.stream_changes("stuff", *ends))
    assert sorted(found, key=lambda change: change[1]) == WANTED


def test_what_nobody_committed_gives_the_same(repository, connection, before, stranger):
    for sql in (*EDITS, RENAME.replace("stuff", "held")):
        stranger.execute("main", sql)
    with connection.bound("main"):
        assert read(repository.merged_rows("held")) == WANTED
        assert read(repository.merged_rows("held", keys=[(1,)])) == WANTED[:1]


def test_keys_of_text_are_in_the_engine_s_order(repository, write):
    rows = "('B', 1), ('a', 1), ('é', 1), ('Z', 1), ('b', 1)"
    before = write(
        "main",
        "CREATE TABLE things (id varchar(9) NOT NULL, v int, PRIMARY KEY (id))",
        f"INSERT INTO things VALUES {rows}",  # noqa: S608
    )
    after = write("main", RENAME, "UPDATE stuff SET v = 2 WHERE id <> 'Z'")
    found = list(repository.diff_rows("stuff", before, after))
    assert {change.kind for change in found} == {ChangeKind.CHANGED}
    assert sorted(change.key for change in found) == [("B",), ("a",), ("b",), ("é",)]
    rest = list(repository.diff_rows("stuff", before, after, since=found[1].key))
    assert rest == found[2:]


def test_rows_without_a_key(repository, write):
    before = write(
        "main",
        "CREATE TABLE things (id int, v int)",
        "INSERT INTO things VALUES (1, 10), (1, 10), (2, 20)",
    )
    after = write("main", RENAME, "INSERT INTO stuff VALUES (3, 30)")
    found = list(repository.diff_rows("stuff", before, after))
    assert [(c.kind, c.after) for c in found] == [
        (ChangeKind.ADDED, {"id": 3, "v": 30})
    ]


@pytest.mark.parametrize("kind", PARTS)
def test_pages_over_keys_of_any_kind(repository, write, monkeypatch, kind):
    monkeypatch.setattr(reading, "STREAMED_AT_ONCE", 3)
    column, keys = PARTS[kind]
    ignoring = "INSERT OR IGNORE" if ENGINE == "doltlite" else "INSERT IGNORE"
    insert = ignoring + " INTO things (k, v) VALUES (%s, %s)"
    before = write(
        "main",
        f"CREATE TABLE things (k {column} NOT NULL, v int, PRIMARY KEY (k))",
        *((insert, [key, n]) for n, key in enumerate(keys)),
    )
    after = write("main", "UPDATE things SET v = v + 100 WHERE v % 3 > 0", RENAME)
    found = list(repository.diff_rows("stuff", before, after))
    (stat,) = repository.diff_stat(before, after)
    assert {change.kind for change in found} == {ChangeKind.CHANGED}
    assert len(found) == stat.rows_changed
    read = partial(repository.diff_rows, "stuff", before, after)
    assert pages(read, 2) == [change.key for change in found]


def test_the_columns_of_its_key_may_have_other_names_too(
    repository, write, run, ends, connection
):
    before, _ = ends
    after = write(
        "main",
        "ALTER TABLE stuff RENAME COLUMN id TO number",
        "UPDATE stuff SET v = 31 WHERE number = 3",
    )
    if repository.features.engine == "DoltLite":
        # To which it is another table.
        assert {c.kind for c in repository.diff_rows("stuff", before, after)} == {
            ChangeKind.ADDED
        }
    else:
        assert read(repository.diff_rows("stuff", before, after)) == [
            (ChangeKind.CHANGED, (1,), {"id": 1, "v": 10}, {"number": 1, "v": 11}),
            (ChangeKind.REMOVED, (2,), {"id": 2, "v": 20}, None),
            (ChangeKind.CHANGED, (3,), {"id": 3, "v": 30}, {"number": 3, "v": 31}),
            (ChangeKind.ADDED, (7,), None, {"number": 7, "v": 70}),
        ]
        (found,) = repository.diff_rows("stuff", before, after, keys=[(2,)])
        assert found.kind is ChangeKind.REMOVED
    repository.create_branch("replay", before)
    run("replay", "\n".join(repository.stream_sql(before, after, without={})))
    made = repository.head("replay")
    with connection.bound(at=made), connection.cursor() as cursor:
        cursor.execute("SELECT number, v FROM stuff ORDER BY number")
        assert list(cursor.fetchall()) == [(1, 11), (3, 31), (7, 70)]


def test_a_file_has_each_row_once_whatever_became_of_the_table_since(
    repository, write, run, connection, before
):
    after = write("main", RENAME)
    write(
        "main",
        "CREATE TABLE held (id int NOT NULL, v int)",
        "INSERT INTO held (id, v) SELECT id, v FROM stuff",
        "DROP TABLE stuff",
        "ALTER TABLE held RENAME TO stuff",
    )
    repository.create_branch("replay", before)
    run("replay", "\n".join(repository.stream_sql(before, after, without={})))
    made = repository.head("replay")
    assert repository.schema_changes(made, after) == []
    with connection.bound(at=made), connection.cursor() as cursor:
        cursor.execute("SELECT id, v FROM stuff ORDER BY id")
        assert list(cursor.fetchall()) == [(1, 10), (2, 20), (3, 30)]

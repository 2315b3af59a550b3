"""
Unique indexes that come in by a merge: rows with NULL in their columns are in
them, too, so that whoever asks by them finds these rows.
"""

import pytest
from django.urls import reverse

from tests.web import seen
from tests.web.fields import press_merge
from tests.web.test_merges import pins

CREATE = "CREATE TABLE thing (id int PRIMARY KEY, a varchar(9), b varchar(9), c int)"
ROWS = "INSERT INTO thing VALUES (1, NULL, NULL, 1), (3, '', '', 3)"
OURS = "INSERT INTO thing VALUES (2, 'w', NULL, 2), (4, 'x', '', 4), (5, NULL, 'n', 5)"
THEIRS = "INSERT INTO thing VALUES (6, NULL, NULL, 6), (7, 'w', 'y', 7)"
INDEX = "CREATE UNIQUE INDEX both_of_them ON thing (a, b)"
KEYS = "SELECT id FROM thing WHERE {where}"
COLUMN = "ALTER TABLE thing ADD COLUMN slug varchar(9)"
ONE_EACH = "CREATE UNIQUE INDEX one_each ON thing (slug)"


@pytest.fixture
def things(repository, write):
    write("main", CREATE, ROWS)
    repository.create_branch("summer", repository.head("main"))
    write("main", OURS)


@pytest.fixture
def keys(connection):
    """``keys(where)``: of the rows on main, as the engine finds them."""

    def keys(where):
        with connection.bound("main"), connection.cursor() as cursor:
            cursor.execute(KEYS.format(where=where))
            return sorted(key for (key,) in cursor.fetchall())

    return keys


MERGE = {"source": "summer", "target": "main"}


@pytest.mark.parametrize("first", [INDEX, THEIRS])
def test_rows_with_null_are_found_by_an_index_that_the_merge_brought(
    things, write, maintainer, keys, first
):
    write("summer", *sorted([INDEX, THEIRS], key=lambda sql: sql != first))
    press_merge(maintainer, MERGE)
    assert keys("a IS NULL") == [1, 5, 6]
    assert keys("a = 'w'") == [2, 7]
    assert keys("a = 'w' AND b IS NULL") == [2]
    assert keys("1 = 1") == [1, 2, 3, 4, 5, 6, 7]


def test_no_row_is_changed_by_it(things, write, maintainer, repository):
    write("summer", INDEX)
    press_merge(maintainer, MERGE)
    merged = repository.commit(repository.head("main"))
    assert list(repository.diff_rows("thing", merged.parents[0], merged.hash)) == []


def test_a_new_column_that_is_empty_is_found_to_be(things, write, maintainer, keys):
    write("summer", COLUMN, ONE_EACH, "UPDATE thing SET slug = 'one' WHERE id = 1")
    press_merge(maintainer, MERGE)
    assert keys("slug IS NULL") == [2, 3, 4, 5]
    assert keys("slug = 'one'") == [1]


def test_a_row_that_breaks_another_rule_is_mended_and_found(
    things, write, maintainer, keys, repository
):
    """What is to be mended by then is written when it is."""
    write(
        "summer",
        INDEX,
        "CREATE UNIQUE INDEX by_c ON thing (c)",
        "INSERT INTO thing VALUES (8, NULL, NULL, 5)",
    )
    page = maintainer.get(reverse("versioning:merge"), MERGE)
    assert "2 rows of the result would break a rule" in seen.main(page)
    sent = pins(repository) | {"table": "thing", "key": "[8]", "take": "drop"}
    assert maintainer.post(reverse("versioning:merge-mend"), sent).status_code == 303
    press_merge(maintainer, MERGE)
    assert keys("a IS NULL") == [1, 5]
    assert keys("c = 5") == [5]


def test_what_ours_has_indexed_is_not_written_again(
    things, write, maintainer, keys, connection
):
    """As a side has a column more, and a million rows may hold NULL."""
    write("main", INDEX)
    write("summer", THEIRS, COLUMN)
    written = []

    def watch(execute, sql, params, many, context):
        if sql.startswith("INSERT INTO `thing`"):
            written.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        press_merge(maintainer, MERGE)
    assert keys("a IS NULL") == [1, 5, 6]
    assert written == []

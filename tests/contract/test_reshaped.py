"""Merges of a table that one side defined anew: no value vanishes unseen."""

import pytest

from tests.contract.test_undoing import Bringing
from versioning.backends.errors import MergeBlocked, MergeRefused
from versioning.merging import sources

THINGS = [
    "CREATE TABLE things (id bigint PRIMARY KEY, a varchar(20), b varchar(20), "
    "t datetime(6))",
    "INSERT INTO things VALUES (1, 'a1', 'b1', '2026-01-01 10:00:00'), "
    "(2, 'a2', 'b2', NULL), (3, 'a3', 'b3', '2026-01-01 10:00:00.25')",
]
DROPPED = ["ALTER TABLE things DROP COLUMN b"]
RENAMED = ["ALTER TABLE things RENAME COLUMN b TO c"]
ADDED = ["ALTER TABLE things ADD COLUMN d varchar(20) DEFAULT 'd'"]
SHAPES = {
    "column dropped": DROPPED,
    "column renamed": RENAMED,
    "column added": ADDED,
    "renamed, its name taken": [
        *RENAMED,
        "ALTER TABLE things ADD COLUMN b varchar(20)",
    ],
    "renamed, its name taken with a default": [
        *RENAMED,
        "ALTER TABLE things ADD COLUMN b varchar(20) DEFAULT 'new'",
    ],
    "table dropped": ["DROP TABLE things"],
    "table renamed": ["ALTER TABLE things RENAME TO stuff"],
    "table made anew": [
        "DROP TABLE things",
        "CREATE TABLE things (id bigint PRIMARY KEY, a varchar(20), t datetime(6))",
        "INSERT INTO things (id, a) VALUES (1, 'a1'), (2, 'a2'), (3, 'a3')",
    ],
}
INSERT = "INSERT INTO things VALUES (4, 'a4', 'b4', '2026-04-04 10:00:00')"
CHANGE = "UPDATE things SET b = 'B' WHERE id = 1"
OTHERS = [
    "UPDATE things SET a = 'A', t = '2026-05-05 10:00:00' WHERE id = 1",
    "DELETE FROM things WHERE id = 2",
    "INSERT INTO things VALUES (5, 'a5', NULL, NULL)",
]


@pytest.fixture
def merge(repository, write, max_):
    """Define the table anew on one branch, write to it on the other, and merge."""

    def bring(shape, work, *, ours_is_shaped):
        write("main", *THINGS)
        repository.create_branch("summer", repository.head("main"))
        here, there = ("main", "summer") if ours_is_shaped else ("summer", "main")
        write(here, *shape)
        write(there, *work)
        return Bringing(repository, max_, sources.parse("summer"))

    return bring


@pytest.fixture
def state(connection, repository):
    """The one table's rows as of a hash, by key."""

    def read(at):
        with connection.bound(at=at):
            found = [t for t in repository.tables() if t in ("things", "stuff")]
            if not found:
                return {}
            keys = [(number,) for number in range(1, 9)]
            return repository.rows(found[0], keys, at=None)

    return read


@pytest.mark.parametrize("ours_is_shaped", [True, False])
@pytest.mark.parametrize("work", [[INSERT], [CHANGE], OTHERS], ids=str)
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_what_lands_has_what_both_sides_did(
    repository, merge, state, shape, work, ours_is_shaped
):
    bringing = merge(shape, work, ours_is_shaped=ours_is_shaped)
    if not bringing.found.can_land or bringing.found.conflicts:
        return  # refused, or a person is asked: which of them is said below
    base, ours, theirs = (
        state(at)
        for at in (bringing.sides.base, bringing.sides.ours, bringing.sides.theirs)
    )
    shaped, plain = (ours, theirs) if ours_is_shaped else (theirs, ours)
    bringing.land()
    result = state(repository.head("main"))
    assert result.keys() == plain.keys()
    for key, row in result.items():
        if plain[key] == base.get(key):
            assert row == shaped[key]
            continue
        changed = {
            column: value
            for column, value in plain[key].items()
            if value != base.get(key, {}).get(column)
        }
        assert set(changed.values()) - {None} <= set(row.values())


@pytest.mark.parametrize("ours_is_shaped", [True, False])
def test_values_of_an_added_row_that_the_other_side_has_no_column_for(
    repository, merge, rows, ours_is_shaped
):
    bringing = merge(DROPPED, [INSERT], ours_is_shaped=ours_is_shaped)
    assert not bringing.found.can_land
    assert bringing.found.blocked == (
        "One branch changed values of “b” in “things”, and that would be lost, as the "
        "table has other columns on the other branch. Give both branches the same "
        "tables first, where the rows are; then look again."
    )
    head = repository.head("main")
    with pytest.raises(MergeRefused):
        bringing.land()
    assert repository.head("main") == head


@pytest.mark.parametrize("ours_is_shaped", [True, False])
def test_where_nothing_is_lost_it_merges(merge, rows, ours_is_shaped):
    work = ["INSERT INTO things VALUES (4, 'a4', '', NULL), (5, 'a5', NULL, NULL)"]
    bringing = merge(DROPPED, work, ours_is_shaped=ours_is_shaped)
    assert bringing.found.can_land
    bringing.land()
    assert rows("main", "SELECT id, a FROM things WHERE id > 3 ORDER BY id") == [
        (4, "a4"),
        (5, "a5"),
    ]


@pytest.mark.parametrize("ours_is_shaped", [True, False])
def test_values_follow_a_renamed_column(merge, rows, ours_is_shaped):
    bringing = merge(RENAMED, [CHANGE, INSERT], ours_is_shaped=ours_is_shaped)
    assert bringing.found.can_land
    bringing.land()
    assert rows("main", "SELECT id, c FROM things ORDER BY id") == [
        (1, "B"),
        (2, "b2"),
        (3, "b3"),
        (4, "b4"),
    ]


@pytest.mark.parametrize("ours_is_shaped", [True, False])
def test_times_are_the_same_in_whatever_form_they_are_read(merge, rows, ours_is_shaped):
    bringing = merge(ADDED, OTHERS, ours_is_shaped=ours_is_shaped)
    assert bringing.found.can_land
    bringing.land()
    assert rows("main", "SELECT id, a, d FROM things ORDER BY id") == [
        (1, "A", "d"),
        (3, "a3", "d"),
        (5, "a5", "d"),
    ]


@pytest.mark.parametrize("ours_is_shaped", [True, False])
@pytest.mark.parametrize("work", [INSERT, CHANGE, OTHERS[1]])
def test_rows_of_a_table_that_one_side_dropped(
    repository, merge, state, work, ours_is_shaped
):
    bringing = merge(["DROP TABLE things"], [work], ours_is_shaped=ours_is_shaped)
    assert not bringing.found.can_land
    assert bringing.found.blocked or bringing.found.schema_conflicts
    head = repository.head("main")
    with pytest.raises(MergeBlocked):
        bringing.land()
    assert repository.head("main") == head


@pytest.mark.parametrize("ours_is_shaped", [True, False])
def test_a_dropped_table_whose_rows_nobody_changed_is_dropped(
    repository, merge, write, ours_is_shaped
):
    other = "CREATE TABLE other (id bigint PRIMARY KEY)"
    bringing = merge(["DROP TABLE things"], [other], ours_is_shaped=ours_is_shaped)
    assert bringing.found.can_land
    bringing.land()
    tables = repository.tables(at=repository.head("main"))
    assert "other" in tables
    assert "things" not in tables

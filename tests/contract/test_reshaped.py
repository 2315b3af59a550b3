"""Merges of a table that one side defined anew: no value vanishes unseen."""

import pytest
from django.db import transaction

from tests.contract.test_undoing import Bringing
from versioning.backends.errors import (
    ConflictsRemain,
    MergeBlocked,
    MergeRefused,
)
from versioning.merging import sources
from versioning.merging.resolution import Take
from versioning.merging.whereabouts import whereabouts

THINGS = [
    "CREATE TABLE things (id bigint PRIMARY KEY, a varchar(20), b varchar(20), "
    "t datetime(6))",
    "INSERT INTO things VALUES (1, 'a1', 'b1', '2026-01-01 10:00:00'), "
    "(2, 'a2', 'b2', NULL), (3, 'a3', 'b3', '2026-01-01 10:00:00.25')",
]
BLANK = "CREATE TABLE blank (id int PRIMARY KEY, a varchar(9), b varchar(9))"
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
EMPTY = "INSERT INTO things VALUES (4, NULL, '', NULL)"
CHANGE = "UPDATE things SET b = 'B' WHERE id = 1"
OTHERS = [
    "UPDATE things SET a = 'A', t = '2026-05-05 10:00:00' WHERE id = 1",
    "DELETE FROM things WHERE id = 2",
    "INSERT INTO things VALUES (5, 'a5', NULL, NULL)",
]


@pytest.fixture
def merge(repository, write, max_):
    """Define the table anew on one branch, write to it on the other, and merge."""

    def bring(shape, work, *, ours_is_shaped, base=()):
        write("main", *THINGS, *base)
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


# Columns that the engines take for others ---------------------------------------

#: DoltLite goes by places, and takes “a” for “c”, and “b” for “d”.
MOVED = [
    "ALTER TABLE things ADD COLUMN d varchar(20)",
    "ALTER TABLE things RENAME COLUMN b TO c",
    "ALTER TABLE things DROP COLUMN a",
]
#: The new “b” is none that a branch knows which calls “c” so.
NAME_TAKEN = [
    "ALTER TABLE things ADD COLUMN d varchar(20) DEFAULT 'new'",
    "ALTER TABLE things RENAME COLUMN b TO c",
    "ALTER TABLE things ADD COLUMN b varchar(20) DEFAULT 'new'",
]
#: Nor can it be told by what the column held.
AND_REWORDED = [*NAME_TAKEN, "UPDATE things SET c = 'other' WHERE id <> 1"]


@pytest.mark.parametrize("ours_is_shaped", [True, False])
@pytest.mark.parametrize("work", [CHANGE, INSERT, EMPTY], ids=str)
@pytest.mark.parametrize(
    "shape", [MOVED, NAME_TAKEN, AND_REWORDED],
    ids=["moved", "name taken", "and reworded"],
)  # fmt: skip
def test_no_value_lands_in_a_column_that_it_is_not_of(
    repository, merge, rows, shape, work, ours_is_shaped
):
    bringing = merge(shape, [work], ours_is_shaped=ours_is_shaped)
    head = repository.head("main")
    if bringing.found.can_land:
        bringing.land()
        key, value = {CHANGE: (1, "B"), INSERT: (4, "b4"), EMPTY: (4, "")}[work]
        if shape == MOVED:
            assert work != INSERT  # its “a” has no place
            found = rows("main", "SELECT c, d FROM things WHERE id = %s", [key])
            assert found == [(value, None)]
        else:
            found = rows("main", "SELECT c, b FROM things WHERE id = %s", [key])
            assert found == [(value, "new")]
    else:
        with pytest.raises(MergeBlocked):
            bringing.land()
        assert repository.head("main") == head


@pytest.mark.parametrize("ours_is_shaped", [True, False])
@pytest.mark.parametrize("default", ["'new'", "NULL"])
@pytest.mark.parametrize("begun", ["x", ""])
def test_a_new_column_has_nothing_of_the_one_that_was_called_so(
    merge, rows, begun, default, ours_is_shaped
):
    """Also in a row of which the other side changed something else."""
    shape = [
        "ALTER TABLE blank RENAME COLUMN a TO c",
        f"ALTER TABLE blank ADD COLUMN a varchar(9) DEFAULT {default}",
    ]
    bringing = merge(
        shape,
        ["UPDATE blank SET b = 'y'"],
        ours_is_shaped=ours_is_shaped,
        base=[BLANK, ("INSERT INTO blank VALUES (1, %s, NULL)", [begun])],
    )
    if bringing.found.can_land:
        bringing.land()
        new = {"NULL": None}.get(default, "new")
        assert rows("main", "SELECT c, b, a FROM blank") == [(begun, "y", new)]
    else:  # or the definitions come first
        assert bringing.found.blocked or bringing.found.schema_conflicts


@pytest.mark.parametrize("ours_is_shaped", [True, False])
@pytest.mark.parametrize(
    ("begun", "change"),
    [
        (None, "ALTER TABLE blank RENAME COLUMN a TO c"),
        ("a", "ALTER TABLE blank RENAME COLUMN a TO c"),
        (None, "ALTER TABLE blank ADD COLUMN c varchar(9) DEFAULT 'same'"),
    ],
)
def test_the_same_value_elsewhere_is_not_taken_for_it(
    merge, begun, change, ours_is_shaped
):
    """Nothing is in the column that would tell that it was dropped."""
    bringing = merge(
        [change, "ALTER TABLE blank DROP COLUMN b"],
        ["INSERT INTO blank VALUES (1, 'same', 'same')"],
        ours_is_shaped=ours_is_shaped,
        base=[BLANK, ("INSERT INTO blank VALUES (2, %s, NULL)", [begun])],
    )
    assert not bringing.found.can_land
    assert bringing.found.blocked


# Columns that are new on both sides ----------------------------------------------

#: A flag each. Of the first row Dolt can't tell one from the other.
FLAGS = {
    "main": [
        "ALTER TABLE things ADD COLUMN c bool NOT NULL DEFAULT 0",
        "UPDATE things SET c = 1 WHERE id = 2",
    ],
    "summer": [
        "ALTER TABLE things ADD COLUMN d bool NOT NULL DEFAULT 0",
        "UPDATE things SET d = 1 WHERE id = 3",
    ],
}
SELECT_FLAGS = "SELECT id, c, d FROM things ORDER BY id"


@pytest.mark.parametrize("ours_is_shaped", [True, False])
def test_columns_that_either_side_added_keep_their_values(merge, rows, ours_is_shaped):
    merge(*FLAGS.values(), ours_is_shaped=ours_is_shaped).land()
    assert rows("main", SELECT_FLAGS) == [(1, 0, 0), (2, 1, 0), (3, 0, 1)]


def test_they_do_where_rows_are_in_conflict(merge, rows):
    bringing = merge(
        [*FLAGS["main"], "UPDATE things SET a = 'here'"],
        [*FLAGS["summer"], "UPDATE things SET a = 'there' WHERE id <> 2"],
        ours_is_shaped=True,
    )
    bringing.decide("things", (1,), a=Take.OURS)
    bringing.decide("things", (3,), a=Take.THEIRS)
    bringing.land()
    assert rows("main", "SELECT id, a, c, d FROM things ORDER BY id") == [
        (1, "here", 0, 0),
        (2, "here", 1, 0),
        (3, "there", 0, 1),
    ]


def test_they_do_if_they_were_filled_alike(merge, rows):
    main, summer = [
        [
            f"ALTER TABLE things ADD COLUMN {column} varchar(20)",
            f"UPDATE things SET {column} = 'same' WHERE id = 1",  # noqa: S608
            f"INSERT INTO things (id, {column}) VALUES (4, 'same')",  # noqa: S608
        ]
        for column in "cd"
    ]
    bringing = merge(main, summer, ours_is_shaped=True)
    if bringing.found.conflicts:
        bringing.decide("things", (4,), c=Take.OURS, d=Take.THEIRS)
    bringing.land()
    assert rows("main", SELECT_FLAGS) == [
        (1, "same", "same"),
        (2, None, None),
        (3, None, None),
        (4, "same", "same"),
    ]


@pytest.mark.parametrize("ours_is_shaped", [True, False])
@pytest.mark.parametrize(
    "shape",
    [
        [
            "ALTER TABLE things RENAME COLUMN a TO c",
            "ALTER TABLE things ADD COLUMN a int",
        ],
        ["ALTER TABLE things ADD COLUMN d varchar(20)"],
    ],
    ids=["renamed, its name taken", "added"],
)
def test_another_name_and_other_columns(merge, shape, ours_is_shaped):
    """Which rows are in the table of the other name, and how, nobody can tell."""
    work = [
        "ALTER TABLE things RENAME TO stuff",
        "UPDATE stuff SET b = 'B' WHERE id = 1",
    ]
    assert not merge(shape, work, ours_is_shaped=ours_is_shaped).found.can_land


#: As a migration does that gives a table a column with a default.
FILLED = [
    "ALTER TABLE things ADD COLUMN d varchar(20)",
    "UPDATE things SET d = 'new'",
]
DELETE = "DELETE FROM things WHERE id = 1"


@pytest.mark.parametrize("is_filled_first", [True, False])
@pytest.mark.parametrize("ours_is_shaped", [True, False])
def test_a_row_that_was_only_filled_is_deleted_as_the_other_side_wants(
    merge, rows, ours_is_shaped, is_filled_first
):
    here = [*FILLED, DELETE] if is_filled_first else [DELETE, *FILLED]
    there = [*FILLED, "UPDATE things SET a = 'A' WHERE id = 3"]
    merge(here, there, ours_is_shaped=ours_is_shaped).land()
    assert rows("main", "SELECT id, a, d FROM things ORDER BY id") == [
        (2, "a2", "new"),
        (3, "A", "new"),
    ]


MINE = "UPDATE things SET d = 'mine' WHERE id = 1"


@pytest.mark.parametrize("is_kept", [True, False])
@pytest.mark.parametrize("ours_is_shaped", [True, False])
def test_somebody_is_asked_if_something_else_was_put_there(
    merge, rows, ours_is_shaped, is_kept
):
    """Of what is in a column that both sides added the engines notice nothing."""
    bringing = merge([*FILLED, DELETE], [*FILLED, MINE], ours_is_shaped=ours_is_shaped)
    (of_table,) = bringing.found.conflicts
    assert (of_table.table, of_table.rows, of_table.decisions) == ("things", 1, 1)
    assert not any(stat.rows_removed for stat in bringing.found.stats)
    with pytest.raises(ConflictsRemain):
        bringing.land()
    assert bringing.repository.head("main") == bringing.sides.ours
    take = Take.THEIRS if ours_is_shaped is is_kept else Take.OURS
    bringing.decide("things", (1,), whole=take)
    bringing.land()
    found = rows("main", "SELECT id, d FROM things ORDER BY id")
    assert found == [*([(1, "mine")] if is_kept else []), (2, "new"), (3, "new")]


def test_one_that_the_result_has_not_is_no_fault(merge):
    """On the other side another column took its name."""
    ours = ["ALTER TABLE things RENAME COLUMN a TO c"]
    theirs = ["ALTER TABLE things ADD COLUMN c varchar(20)", FLAGS["summer"][0]]
    bringing = merge(ours, theirs, ours_is_shaped=True)
    assert not bringing.found.can_land


@pytest.mark.parametrize("ours_is_shaped", [True, False])
@pytest.mark.parametrize("both", ["x", ""])
def test_a_new_column_has_nothing_of_one_that_either_side_dropped(
    merge, rows, both, ours_is_shaped
):
    """Each dropped another, and they held the same: the rows look alike."""
    other = [
        "ALTER TABLE blank ADD COLUMN d varchar(9)",
        "ALTER TABLE blank DROP COLUMN a",
    ]
    bringing = merge(
        ["ALTER TABLE blank DROP COLUMN b"],
        other,
        ours_is_shaped=ours_is_shaped,
        base=[BLANK, ("INSERT INTO blank VALUES (1, %s, %s)", [both, both])],
    )
    if bringing.found.can_land:
        bringing.land()
        assert rows("main", "SELECT * FROM blank") == [(1, None)]
    else:
        assert bringing.found.blocked


def test_they_do_where_another_was_renamed(merge, rows):
    theirs = ["ALTER TABLE things RENAME COLUMN b TO e", *FLAGS["summer"]]
    merge(FLAGS["main"], theirs, ours_is_shaped=True).land()
    assert rows("main", SELECT_FLAGS) == [(1, 0, 0), (2, 1, 0), (3, 0, 1)]


@pytest.mark.parametrize("text", ["B", "B1"])  # which a collation may take for b1
def test_what_was_changed_in_the_renamed_one_stays(repository, connection, merge, text):
    ours = [*FLAGS["main"], ("UPDATE things SET b = %s WHERE id = 1", [text])]
    theirs = ["ALTER TABLE things RENAME COLUMN b TO e", *FLAGS["summer"]]
    sides = merge(ours, theirs, ours_is_shaped=True).sides
    with (
        connection.bound("main"),
        connection.writing(),
        transaction.atomic(using="versioned", durable=True),
    ):
        repository.start_merge(sides.theirs)
        repository.fill_new_columns(sides)
        found = repository.rows("things", [(1,), (2,)], at=None)
        transaction.set_rollback(True, using="versioned")
    assert [row["e"] for row in found.values()] == [text, "b2"]


def test_nothing_lands_without_them(repository, merge, rows):
    """Both dropped a column, where their new ones stand now."""
    ours, theirs = (
        ["ALTER TABLE things DROP COLUMN t", *added] for added in FLAGS.values()
    )
    bringing = merge(ours, theirs, ours_is_shaped=True)
    head = repository.head("main")
    if bringing.found.can_land:
        bringing.land()
        assert rows("main", SELECT_FLAGS) == [(1, 0, 0), (2, 1, 0), (3, 0, 1)]
    else:
        assert "values of “d”" in bringing.found.blocked
        with pytest.raises(MergeRefused):
            bringing.land()
        assert repository.head("main") == head


@pytest.mark.parametrize("ours_is_shaped", [True, False])
def test_a_row_in_conflict_offers_all_that_was_set(repository, merge, ours_is_shaped):
    """A column that the other side dropped has no line to choose on."""
    shape = [*DROPPED, "INSERT INTO things (id, a) VALUES (4, 'other')"]
    bringing = merge(shape, [INSERT], ours_is_shaped=ours_is_shaped)
    assert not bringing.found.can_land
    assert bringing.found.blocked


@pytest.mark.parametrize("ours_is_shaped", [True, False])
def test_a_value_is_not_found_again_where_another_is(merge, ours_is_shaped):
    """Both columns of the new row say the same, and one of them is gone."""
    shape = [*DROPPED, "ALTER TABLE things RENAME COLUMN a TO c"]
    work = "INSERT INTO things VALUES (4, 'same', 'same', NULL)"
    bringing = merge(shape, [work], ours_is_shaped=ours_is_shaped)
    assert not bringing.found.can_land
    assert "values of “b”" in bringing.found.blocked


@pytest.mark.parametrize("ours_is_shaped", [True, False])
def test_a_table_that_both_renamed_and_one_changed(repository, merge, ours_is_shaped):
    """As a migration does on each branch; the engines bring a deleted row back."""
    rename = "ALTER TABLE things RENAME TO stuff"
    work = "DELETE FROM stuff WHERE id = 1"
    bringing = merge([rename], [rename, work], ours_is_shaped=ours_is_shaped)
    assert not bringing.found.can_land
    assert "one deleted rows of it, which would come back" in bringing.found.blocked
    head = repository.head("main")
    with pytest.raises(MergeRefused):
        bringing.land()
    assert repository.head("main") == head


def test_columns_are_told_by_their_places_where_nothing_is_in_them(repository, write):
    before = write("main", BLANK)
    renamed = write("main", "ALTER TABLE blank RENAME COLUMN b TO c")
    taken = write("main", "ALTER TABLE blank ADD COLUMN b varchar(9)")
    told = {
        at: whereabouts(repository, "blank", before, "blank", at)
        for at in (renamed, taken)
    }
    assert told[renamed] == {"id": {"id"}, "a": {"a"}}
    assert told[taken] == {"id": {"id"}, "a": {"a"}, "b": set()}


@pytest.mark.parametrize("ours_is_shaped", [True, False])
def test_where_nobody_can_tell_nothing_is_guessed(
    repository, merge, rows, ours_is_shaped
):
    """Was “b” renamed, or was it dropped and another one added?"""
    bringing = merge(
        ["ALTER TABLE blank RENAME COLUMN b TO c"],
        ["INSERT INTO blank (id, b) VALUES (1, 'of b')"],
        ours_is_shaped=ours_is_shaped,
        base=[BLANK],
    )
    assert bringing.found.can_land is repository.features.knows_what_was_renamed
    if bringing.found.can_land:
        bringing.land()
        assert rows("main", "SELECT c FROM blank") == [("of b",)]


@pytest.mark.parametrize("ours_is_shaped", [True, False])
@pytest.mark.parametrize("text", ["b1", ""])
@pytest.mark.parametrize(
    "shape", [name for name in SHAPES if name.startswith("column ")]
    + [name for name in SHAPES if name.startswith("renamed")],
)  # fmt: skip
def test_a_row_that_the_shaped_side_deleted_is_kept_with_all_it_holds(
    repository, write, merge, rows, shape, text, ours_is_shaped
):
    """Nobody changed what the renamed column holds, so there is no line for it."""
    bringing = merge(
        ["DELETE FROM things WHERE id = 1", *SHAPES[shape]],
        ["UPDATE things SET a = 'A' WHERE id = 1"],
        base=[("UPDATE things SET b = %s WHERE id = 1", [text])],
        ours_is_shaped=ours_is_shaped,
    )
    head = repository.head("main")
    if not bringing.found.can_land:
        with pytest.raises(MergeBlocked):
            bringing.land()
        assert repository.head("main") == head
        assert shape.startswith(("renamed", "column renamed"))
        return
    side = Take.THEIRS if ours_is_shaped else Take.OURS
    bringing.decide("things", (1,), whole=side)
    bringing.land()
    names = repository.columns("things", repository.head("main"))
    (row,) = rows("main", "SELECT * FROM things WHERE id = 1")
    found = dict(zip(names, row, strict=True))
    assert found["a"] == "A"
    if shape == "column renamed":
        assert found["c"] == text
    elif shape == "column added":
        assert (found["b"], found["d"]) == (text, "d")
    else:
        assert shape == "column dropped"

"""
Each branch changed a table that it defines otherwise than the other. Dolt's
server ends at some of it, and must not be asked to; DoltLite takes columns for
others.
"""

from itertools import product
from typing import NamedTuple

import pytest

from tests.contract.test_undoing import Bringing
from tests.engines import ENGINE
from versioning.backends.errors import MergeBlocked
from versioning.merging import sources

COLUMNS = ("a", "b", "c")
THINGS = [
    "CREATE TABLE things (id int PRIMARY KEY, "
    "a varchar(9), b varchar(9), c varchar(9))",
    "INSERT INTO things VALUES (1, 'a1', 'b1', 'c1'), (2, 'a2', 'b2', 'c2')",
]
ROWS = (1, 2)


class Shape(NamedTuple):
    """What a branch makes of the table: the base's columns by what it calls them."""

    sql: list[str]
    columns: dict[str, str]
    new: str | None = None


def drop(column):
    return f"ALTER TABLE things DROP COLUMN {column}"


def rename(column, name):
    return f"ALTER TABLE things RENAME COLUMN {column} TO {name}"


def shapes(new):
    add = f"ALTER TABLE things ADD COLUMN {new} varchar(9)"
    for one in COLUMNS:
        others = [column for column in COLUMNS if column != one]
        left = {column: column for column in others}
        drops = [drop(column) for column in others]
        yield f"drop {one}", Shape([drop(one)], left)
        yield f"drop {one} and add", Shape([drop(one), add], left, new)
        yield f"rename {one}", Shape([rename(one, new)], {**left, one: new})
        yield f"keep {one}", Shape(drops, {one: one})
        yield f"keep {one} renamed", Shape([*drops, rename(one, new)], {one: new})


OURS, THEIRS = dict(shapes("x")), dict(shapes("y"))
#: At these Dolt's server ended.
FATAL = [
    ("drop b", "drop c"),
    ("drop c", "drop a"),
    ("drop a", "keep b"),
    ("keep b", "drop a"),
    ("keep a", "keep c"),
    ("drop a", "keep c renamed"),
]
#: DoltLite made an empty column of what the other branch dropped or renamed.
TAKEN_FOR_NEW = [
    ("rename b", "keep a renamed"),
    ("rename b", "keep b renamed"),
    ("keep c renamed", "rename a"),
]
SOME = [*product(OURS, THEIRS)][::9]


@pytest.fixture
def bring(repository, write, max_):
    """``bring(ours, theirs)``: the merge of two shapes, not made yet."""

    def bring(ours, theirs):
        write("main", *THINGS)
        repository.create_branch("summer", repository.head("main"))
        write("main", *OURS[ours].sql, message="Ours")
        write("summer", *THEIRS[theirs].sql, message="Theirs")
        return Bringing(repository, max_, sources.parse("summer"))

    return bring


def merged(ours, theirs):
    """The result's rows by column, as both branches want it."""
    found: dict[str, list[str | None]] = {}
    for column in COLUMNS:
        if column in ours.columns and column in theirs.columns:
            names = {ours.columns[column], theirs.columns[column]}
            (name,) = names - {column} or {column}  # else each calls it otherwise
            found[name] = [f"{column}{row}" for row in ROWS]
    for new in filter(None, (ours.new, theirs.new)):
        found[new] = [None for _ in ROWS]
    return found


@pytest.mark.parametrize(
    ("ours", "theirs"), list(dict.fromkeys([*FATAL, *TAKEN_FOR_NEW, *SOME]))
)
def test_the_result_is_what_both_want_or_there_is_none(
    repository, bring, rows, ours, theirs
):
    bringing = bring(ours, theirs)
    before = repository.head("main")
    if bringing.found.can_land:
        bringing.land()
        names = repository.columns("things", repository.head("main"))
        held = zip(*rows("main", "SELECT * FROM things ORDER BY id"), strict=True)
        found = dict(zip(names, map(list, held), strict=True))
        assert found == {"id": list(ROWS), **merged(OURS[ours], THEIRS[theirs])}
    else:
        with pytest.raises(MergeBlocked):
            bringing.land()
        assert repository.head("main") == before


@pytest.mark.parametrize(("ours", "theirs"), FATAL)
def test_where_the_engine_can_not_it_is_said(repository, bring, ours, theirs):
    found = bring(ours, theirs).found
    if repository.features.merges_any_definitions:
        assert found.can_land or theirs.endswith("renamed")
    else:
        assert not found.can_land
        assert found.blocked.startswith(
            "The branches define “things” in different ways, and both changed it. Both "
            "dropped or renamed columns of it, and not the same ones, and this"
        )


def test_columns_that_both_dropped_are_no_trouble(repository, bring):
    bringing = bring("drop c", "keep a")
    assert bringing.found.can_land
    bringing.land()
    assert repository.columns("things", repository.head("main")) == ["id", "a"]


WORDS = "id int PRIMARY KEY, a {type}, n int, c varchar(9)"
CHECKED = "CONSTRAINT few CHECK (n < 100)"


def made_anew(columns):
    """As Django does on SQLite, which can't alter a column."""
    return [
        f"CREATE TABLE anew ({columns})",
        "INSERT INTO anew SELECT * FROM things",
        "DROP TABLE things",
        "ALTER TABLE anew RENAME TO things",
    ]


def longer(column, checked):
    if ENGINE == "dolt":
        return [f"ALTER TABLE things MODIFY {column} text"]
    columns = WORDS.format(type="text")
    return made_anew(f"{columns}, {CHECKED}" if checked else columns)


def with_check():
    if ENGINE == "dolt":
        return [f"ALTER TABLE things ADD {CHECKED}"]
    return made_anew(f"{WORDS.format(type='varchar(9)')}, {CHECKED}")


@pytest.mark.parametrize("ours_is_longer", [True, False])
@pytest.mark.parametrize("check", ["before", "there", "nowhere", "index"])
def test_a_column_for_longer_texts_beside_a_check(
    repository, write, max_, rows, check, ours_is_longer
):
    columns = WORDS.format(type="varchar(9)")
    table = f"{columns}, {CHECKED}" if check == "before" else columns
    write(
        "main",
        f"CREATE TABLE things ({table})",
        "INSERT INTO things VALUES (1, 'a1', 1, 'c1'), (2, 'a2', 2, 'c2')",
    )
    repository.create_branch("summer", repository.head("main"))
    here, there = ("main", "summer") if ours_is_longer else ("summer", "main")
    write(
        here,
        "UPDATE things SET c = 'C' WHERE id = 1",
        "INSERT INTO things VALUES (3, 'a3', 3, 'c3')",
        *longer("a", check == "before"),
    )
    write(
        there,
        "UPDATE things SET n = 20 WHERE id = 2",
        "INSERT INTO things VALUES (4, 'a4', 4, 'c4')",
        *(with_check() if check == "there" else ()),
        *(["CREATE UNIQUE INDEX one ON things (a)"] if check == "index" else ()),
    )
    bringing = Bringing(repository, max_, sources.parse("summer"))
    if not bringing.found.can_land:
        assert check != "nowhere"
        if not repository.features.merges_any_definitions:
            why = "one branch gave a column a type for long values"
            assert why in bringing.found.blocked
        with pytest.raises(MergeBlocked):
            bringing.land()
        return
    bringing.land()
    assert rows("main", "SELECT id, a, n, c FROM things ORDER BY id") == [
        (1, "a1", 1, "C"),
        (2, "a2", 20, "c2"),
        (3, "a3", 3, "c3"),
        (4, "a4", 4, "c4"),
    ]


@pytest.mark.parametrize("ours_is_made", [True, False])
@pytest.mark.parametrize("kind", ["STORED", "VIRTUAL"])
@pytest.mark.parametrize("gone", [drop("c"), rename("c", "x")])
def test_a_column_made_of_one_that_is_gone(
    repository, write, max_, rows, gone, kind, ours_is_made
):
    """Dolt merged them, and the table could not be read any more."""
    write("main", *THINGS)
    repository.create_branch("summer", repository.head("main"))
    here, there = ("main", "summer") if ours_is_made else ("summer", "main")
    made = f"twice varchar(20) GENERATED ALWAYS AS (concat(c, c)) {kind}"
    if ENGINE == "doltlite":
        made = "twice varchar(20) GENERATED ALWAYS AS (c || c) VIRTUAL"
    write(here, f"ALTER TABLE things ADD COLUMN {made}", message="Here")
    write(there, "UPDATE things SET a = 'A' WHERE id = 1", gone, message="There")
    before = repository.head("main")
    bringing = Bringing(repository, max_, sources.parse("summer"))
    assert not bringing.found.can_land
    with pytest.raises(MergeBlocked):
        bringing.land()
    assert repository.head("main") == before
    assert len(rows("main", "SELECT * FROM things")) == len(ROWS)

"""Pages of a diff: no row twice, none left out, whatever the key is made of."""

import datetime as dt
import random
from decimal import Decimal
from typing import Any

import pytest

from tests.engines import ENGINE
from versioning import diffs
from versioning.backends.errors import UnknownRef, UnknownTable
from versioning.backends.repository import KeyChange
from versioning.diffs import RowFilter

WORDS = ["a", "A", "b", "B", "é", "e", "E", "", "a ", " a", "_", "%", "Z", "10", "9"]
WORDS += ["ß", "ss", "x'y", "\\", "😀", "e\u0301", "Å"]
BLIND = "utf8mb4_0900_ai_ci" if ENGINE == "dolt" else "NOCASE"
EXACT = "utf8mb4_bin" if ENGINE == "dolt" else "BINARY"

#: A column's type, and values that are hard to keep in order.
PARTS: dict[str, tuple[str, list[Any]]] = {
    "text": ("varchar(40)", WORDS),
    "text that is blind to case": (f"varchar(40) COLLATE {BLIND}", WORDS),
    "text by its bytes": (f"varchar(40) COLLATE {EXACT}", WORDS),
    "bytes": ("varbinary(9)", [b"", b"\x00", b"\x00\x00", b"a", b"A", b"\xff", b"'"]),
    "numbers": ("bigint", [-(2**63), 2**63 - 1, 0, -1, 1, 10, 9, 2**53 + 1]),
    "decimals": ("decimal(10,2)", [Decimal(n) for n in ("-1.50", "0", "9", "10.01")]),
    "times": (
        "datetime(6)",
        [dt.datetime.fromisoformat(f"2026-01-01 01:02:03.00000{n}") for n in (0, 1, 9)],
    ),
}


def pages(read: Any, size: int) -> list[tuple]:
    found: list[tuple] = []
    since = None
    while page := list(read(since=since, limit=size)):
        assert len(page) <= size
        found += [change.key for change in page]
        since = page[-1].key
    return found


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("first", PARTS)
def test_pages_over_keys_of_two_parts(repository, write, connection, first, seed):
    chance = random.Random(f"{first} {seed}")
    second = chance.choice(list(PARTS))
    (one, firsts), (other, seconds) = PARTS[first], PARTS[second]
    before = write(
        "main",
        f"CREATE TABLE keyed (a {one} NOT NULL, b {other} NOT NULL, v int, "
        "PRIMARY KEY (a, b))",
    )
    tried = [(a, b) for a in firsts for b in seconds]
    chance.shuffle(tried)
    tried = tried[:60]
    ignoring = "INSERT OR IGNORE" if ENGINE == "doltlite" else "INSERT IGNORE"
    # What counts as the same key to the engine is left out by it.
    after = write(
        "main",
        *[
            (f"{ignoring} INTO keyed VALUES (%s, %s, %s)", [a, b, number])
            for number, (a, b) in enumerate(tried)
        ],
    )
    # Some of them change, some go: the same order must hold for either side.
    later = write(
        "main",
        "UPDATE keyed SET v = v + 1000 WHERE v % 3 = 0",
        "DELETE FROM keyed WHERE v % 3 = 1",
    )
    with connection.bound(at=after), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM keyed")
        (count,) = cursor.fetchone()
    assert count > len(tried) / 4
    for ends, expected in (((before, after), count), ((after, later), None)):
        whole = [change.key for change in repository.diff_rows("keyed", *ends)]
        assert len(whole) == len(set(whole))
        assert expected is None or len(whole) == expected
        size = chance.choice([1, 2, 3, 7])

        def read(ends=ends, **options):
            return repository.diff_rows("keyed", *ends, **options)

        assert pages(read, size) == whole
        by_key = repository.diff_rows("keyed", *ends, keys=whole)
        assert sorted(map(repr, (c.key for c in by_key))) == sorted(map(repr, whole))


def test_pages_of_the_console_lead_through_every_row(repository, write):
    before = write("main", "CREATE TABLE keyed (a varchar(9) PRIMARY KEY, v int)")
    after = write(
        "main",
        *[("INSERT INTO keyed VALUES (%s, 1)", [f"{n % 7}-{n:03}"]) for n in range(40)],
    )
    overview = diffs.overview(repository, before, after)
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = diffs.rows_page(
            repository, overview, "keyed", wanted=RowFilter(), after=cursor, limit=7
        )
        found += [row.key for row in page.rows]
        cursor = page.next
    assert found == sorted(f"{n % 7}-{n:03}" for n in range(40))


@pytest.mark.parametrize("size", [1, 2, 3])
def test_rows_that_repeat_are_all_there(repository, write, size):
    """A table without a key may hold one row many times, and NULL anywhere."""
    before = write("main", "CREATE TABLE loose (a varchar(9), b int)")
    after = write(
        "main",
        "INSERT INTO loose VALUES ('x', 1), ('x', 1), ('x', 1), ('x', NULL), "
        "(NULL, NULL), (NULL, NULL), ('w', 2)",
    )

    def read(**options):
        return repository.diff_rows("loose", before, after, **options)

    found = pages(read, size)
    assert found == [
        (None, None),
        (None, None, 2),
        ("w", 2),
        ("x", None),
        ("x", 1),
        ("x", 1, 2),
        ("x", 1, 3),
    ]


def test_a_unique_column_may_hold_null_many_times(repository, write):
    before = write(
        "main", "CREATE TABLE keyed (id int PRIMARY KEY, u varchar(9) UNIQUE)"
    )
    after = write(
        "main", "INSERT INTO keyed VALUES (-2, NULL), (1, 'x'), (-1, NULL), (0, '')"
    )

    def read(**options):
        return repository.diff_rows("keyed", before, after, **options)

    assert pages(read, 1) == [(-2,), (-1,), (0,), (1,)]


# Another key ------------------------------------------------------------------


@pytest.fixture
def rekeyed(write):
    """Two commits: rows go by ``b`` in the later one, and one row is new."""
    if ENGINE == "dolt":
        work = ["ALTER TABLE rekeyed DROP PRIMARY KEY, ADD PRIMARY KEY (b)"]
    else:
        work = [
            "CREATE TABLE other (a int NOT NULL, b int NOT NULL, v int, "
            "PRIMARY KEY (b))",
            "INSERT INTO other SELECT * FROM rekeyed",
            "DROP TABLE rekeyed",
            "ALTER TABLE other RENAME TO rekeyed",
        ]
    before = write(
        "main",
        "CREATE TABLE rekeyed (a int NOT NULL, b int NOT NULL, v int, PRIMARY KEY (a))",
        "INSERT INTO rekeyed VALUES (1, 2, 3), (2, 3, 4)",
    )
    return before, write("main", *work, "INSERT INTO rekeyed VALUES (1, 9, 9)")


def test_a_table_with_another_key_is_named_with_both(repository, write, rekeyed):
    assert repository.key_changes(*rekeyed) == [
        KeyChange("rekeyed", "rekeyed", ("a",), ("b",))
    ]
    assert repository.key_changes(*rekeyed[::-1]) == [
        KeyChange("rekeyed", "rekeyed", ("b",), ("a",))
    ]
    (change,) = repository.schema_changes(*rekeyed)
    assert change.table == "rekeyed"
    assert change.before != change.after
    later = write("main", "ALTER TABLE rekeyed ADD COLUMN c int")
    assert repository.key_changes(rekeyed[1], later) == []


def test_a_table_with_another_key_is_told_of_under_another_name_too(repository, write):
    # Dolt takes it for the same table, and leaves it out of all that it lists.
    before = write(
        "main",
        "CREATE TABLE named (a int NOT NULL PRIMARY KEY, b int NOT NULL)",
        "INSERT INTO named VALUES (1, 2), (2, 3)",
    )
    if ENGINE == "dolt":
        work = [
            "ALTER TABLE named DROP PRIMARY KEY, ADD PRIMARY KEY (b)",
            "ALTER TABLE named RENAME TO anew",
        ]
    else:
        work = [
            "CREATE TABLE anew (a int NOT NULL, b int NOT NULL PRIMARY KEY)",
            "INSERT INTO anew SELECT * FROM named",
            "DROP TABLE named",
        ]
    after = write("main", *work, "INSERT INTO anew VALUES (3, 4)")
    ends = before, after
    changes = [*repository.diff_summary(*ends), *repository.key_changes(*ends)]
    assert {name for c in changes for name in (c.old_table, c.table)} == {
        "named",
        "anew",
    }
    streamed = [
        change
        for table in {change.table for change in changes}
        for change in repository.stream_changes(table, *ends)
    ]
    assert sorted((str(change.kind), change.key) for change in streamed) == [
        ("added", (2,)),
        ("added", (3,)),
        ("added", (4,)),
        ("removed", (1,)),
        ("removed", (2,)),
    ]


def test_a_key_that_nobody_committed_is_named_with_both(
    repository, connection, stranger, rekeyed
):
    anew = ("CREATE TABLE rekeyed (a int NOT NULL, c int, PRIMARY KEY (a))",)
    for sql in ("DROP TABLE rekeyed", *anew, "INSERT INTO rekeyed VALUES (7, 8)"):
        stranger.execute("main", sql)
    with connection.bound("main"):
        assert repository.merged_key_changes() == [
            KeyChange("rekeyed", "rekeyed", ("b",), ("a",))
        ]
        (change,) = repository.merged_schema_changes()
        assert (change.table, change.before != change.after) == ("rekeyed", True)
        rows = repository.state_rows("rekeyed", at=None, limit=9)
        assert [dict(row) for row in rows] == [{"a": 7, "c": 8}]


def test_a_states_rows_are_paged_by_their_key(repository, write):
    before = repository.head("main")
    at = write(
        "main",
        "CREATE TABLE pairs (b int, a int, c varchar(9), PRIMARY KEY (a, b))",
        "INSERT INTO pairs VALUES (1, 1, 'x'), (2, 1, 'y'), (1, 2, NULL), (0, 3, '')",
    )
    write("main", "DELETE FROM pairs")
    found, since = [], None
    while page := repository.state_rows("pairs", at=at, since=since, limit=3):
        found += [(row["a"], row["b"], row["c"]) for row in page]
        since = found[-1][:2]
    assert found == [(1, 1, "x"), (1, 2, "y"), (2, 1, None), (3, 0, "")]
    with pytest.raises(UnknownTable):
        repository.state_rows("pairs", at=before, limit=3)
    with pytest.raises(UnknownRef):
        repository.state_rows("pairs", at="0" * len(at), limit=3)
    keyless = write("main", "CREATE TABLE loose (a int)")
    with pytest.raises(ValueError, match="no primary key"):
        repository.state_rows("loose", at=keyless, limit=3)

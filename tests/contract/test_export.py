"""A diff as SQL: run where it begins, it makes what it leads to, to the bit."""

import datetime as dt
import math
import random
from decimal import Decimal
from typing import Any

import pytest

from tests.engines import ENGINE

DOLT = ENGINE == "dolt"
TEXTS = [
    "plain",
    "",
    " ",
    "  two  ",
    "it's",
    'a "quote"',
    "back\\slash \\' \\n",
    "line\nbreak\r\n\ttab",
    "😀 e\u0301 é \u202e ﷽ \U0001d4b3",
    "nul \0 in it",
    "ctrl \x1a \x08 \x7f",
    "100 % %s %(x)s ?",
    "-- ; /* */ #",
    "x" * 5000,
]
JSONS = ['{"a": "it\'s \\"\\\\ \\u0000 é 😀"}', "[]", "null", '"text"', "[1.5, true]"]
BYTES = [b"", b"\x00", b"\x00\xff'\\\"\n%s", bytes(range(256))]
INTS = [0, 1, -1, 2**53 + 1, 2**63 - 1, -(2**63)]
FLOATS = [0.0, 0.1, 1 / 3, -1.5, 1e308, -1e308, 5e-324, 2.0**53, 1e22, 1e-7, math.pi]
DECIMALS = [Decimal(n) for n in ("0", "1.50", "-99999.9999", "0.0001")]
TIMES = [
    dt.datetime.fromisoformat(text)
    for text in (
        "2026-11-24 23:59:59.999999",
        "1000-01-01",
        "2026-01-01 00:00:00.000001",
    )
]
DATES = [dt.date(2026, 2, 28), dt.date(9999, 12, 31)]
CLOCKS = [dt.time(0, 0), dt.time(23, 59, 59, 999999)]

COLUMNS: dict[str, tuple[str, list[Any]]] = {
    "t": (f"{'longtext' if DOLT else 'text'}", TEXTS),
    "j": ("json" if DOLT else "text", JSONS),
    "b": (f"{'longblob' if DOLT else 'BLOB'}", BYTES),
    "i": ("bigint", INTS),
    "f": (f"{'double precision' if DOLT else 'real'}", FLOATS),
    "d": ("decimal(9, 4)" if DOLT else "decimal", DECIMALS),
    "dt": ("datetime(6)" if DOLT else "datetime", TIMES),
    "da": ("date", DATES),
    "ti": ("time(6)" if DOLT else "time", CLOCKS),
    "bo": ("bool", [True, False]),
}


def a_row(number: int, chance: random.Random) -> list[Any]:
    def pick(values: list[Any]) -> Any:
        some = values[number % len(values)]
        if isinstance(some, float) and chance.random() < 0.5:
            return chance.uniform(-1, 1) * 10.0 ** chance.randint(-300, 300)
        if not DOLT and isinstance(some, Decimal):
            return str(some)
        if not DOLT and isinstance(some, dt.datetime):
            return some.isoformat(sep=" ")
        if not DOLT and isinstance(some, (dt.date, dt.time)):
            return some.isoformat()
        return None if chance.random() < 0.1 else some

    return [number, *(pick(values) for _, values in COLUMNS.values())]


def insert(table: str, rows: list[list[Any]]) -> list[tuple[str, list[Any]]]:
    marks = ", ".join(["%s"] * (len(COLUMNS) + 1))
    sql = " ".join(["INSERT INTO", table, "VALUES", f"({marks})"])
    return [(sql, row) for row in rows]


def test_every_type_at_its_edges(repository, write, leads_there):
    chance = random.Random(7)
    columns = ", ".join(f"{name} {kind}" for name, (kind, _) in COLUMNS.items())
    empty = write("main", f"CREATE TABLE edges (id bigint PRIMARY KEY, {columns})")
    full = write("main", *insert("edges", [a_row(n, chance) for n in range(120)]))
    changed = write(
        "main",
        "DELETE FROM edges",
        *insert("edges", [a_row(n + n % 5, chance) for n in range(0, 150, 6)]),
    )
    assert leads_there(empty, full).count("INSERT INTO") == 120
    script = leads_there(full, changed)
    assert "UPDATE" in script
    assert "DELETE" in script
    leads_there(changed, full)
    leads_there(full, empty)


@pytest.mark.parametrize("key", ["b", "a, b", "t"])
def test_rows_are_found_by_whatever_their_key_is(repository, write, leads_there, key):
    # The server takes a key for that of an earlier table of the same name.
    table = f"by_{key.replace(', ', '_')}"
    before = write(
        "main",
        f"CREATE TABLE {table} (a bigint NOT NULL, b varbinary(9) NOT NULL, "
        f"t varchar(40) NOT NULL, v int, PRIMARY KEY ({key}))",
        *[
            (
                " ".join(["INSERT INTO", table, "VALUES (%s, %s, %s, 1)"]),
                [n, bytes([n]), f"it's\\{n}"],
            )
            for n in range(9)
        ],
    )
    after = write(
        "main",
        " ".join(["UPDATE", table, "SET v = 2 WHERE a > 4"]),
        " ".join(["DELETE FROM", table, "WHERE a < 3"]),
    )
    leads_there(before, after)
    leads_there(after, before)


def test_unique_values_can_be_swapped(write, leads_there):
    before = write(
        "main",
        "CREATE TABLE swapped (id int PRIMARY KEY, u varchar(9) UNIQUE, v int)",
        "INSERT INTO swapped VALUES (1, 'x', 1), (2, 'y', 2), (3, 'z', 3)",
    )
    after = write(
        "main",
        "UPDATE swapped SET u = NULL WHERE id = 1",
        "UPDATE swapped SET u = 'x' WHERE id = 2",
        "UPDATE swapped SET u = 'y' WHERE id = 1",
        "DELETE FROM swapped WHERE id = 3",
        "INSERT INTO swapped VALUES (4, 'z', 4)",
    )
    leads_there(before, after)
    leads_there(after, before)


ONCE = {
    "in a stored column": (
        "CREATE TABLE once (id int PRIMARY KEY, u varchar(9), "
        "v varchar(9) GENERATED ALWAYS AS (lower(u)) STORED)",
        "CREATE UNIQUE INDEX once_v ON once (v)",
    ),
    "in a virtual column": (
        "CREATE TABLE once (id int PRIMARY KEY, u varchar(9), "
        "v varchar(9) GENERATED ALWAYS AS (lower(u)) VIRTUAL)",
        "CREATE UNIQUE INDEX once_v ON once (v)",
    ),
}
if not DOLT:  # which has no such indexes
    ONCE |= {
        "worked out by the index": (
            "CREATE TABLE once (id int PRIMARY KEY, u varchar(9))",
            "CREATE UNIQUE INDEX once_u ON once (lower(u))",
        ),
        "in some of the rows": (
            "CREATE TABLE once (id int PRIMARY KEY, u varchar(9))",
            "CREATE UNIQUE INDEX once_id ON once ((1)) WHERE u = 'x'",
        ),
    }


@pytest.mark.parametrize("how", ONCE)
def test_what_may_be_there_once_can_be_swapped_however_it_is_known(
    write, leads_there, how
):
    before = write(
        "main", *ONCE[how], "INSERT INTO once (id, u) VALUES (1, 'x'), (2, 'y')"
    )
    after = write(
        "main",
        "DELETE FROM once",
        "INSERT INTO once (id, u) VALUES (1, 'y'), (2, 'x')",
    )
    leads_there(before, after)
    leads_there(after, before)


def test_words_that_differ_by_case(write, leads_there):
    before = write(
        "main",
        "CREATE TABLE words (id int PRIMARY KEY, word varchar(9) UNIQUE, n int)",
        "INSERT INTO words VALUES (1, 'ada', 1), (2, 'bob', 2)",
    )
    after = write(
        "main",
        "DELETE FROM words",
        "INSERT INTO words VALUES (1, 'Ada', 1), (2, 'Bob', 3)",
    )
    leads_there(before, after)
    leads_there(after, before)


ALTERED = {
    "a column more": ["ALTER TABLE parent ADD COLUMN c int NOT NULL DEFAULT 5"],
    "a column less": ["ALTER TABLE parent DROP COLUMN v"],
    "a column renamed": ["ALTER TABLE parent RENAME COLUMN v TO w"],
    "a table more": [
        "CREATE TABLE more (id int PRIMARY KEY, parent_id int REFERENCES parent (id))",
        "CREATE UNIQUE INDEX more_u ON more (parent_id)",
        "INSERT INTO more VALUES (1, 2), (2, NULL)",
    ],
    "a table less": ["DROP TABLE child"],
    "an index more": ["CREATE UNIQUE INDEX parent_v ON parent (v)"],
    "an index less": [
        "DROP INDEX parent_t" + (" ON parent" if DOLT else ""),
    ],
    "another key": ["ALTER TABLE child DROP PRIMARY KEY, ADD PRIMARY KEY (v)"]
    if DOLT
    else [
        "CREATE TABLE n (id int NOT NULL, v int NOT NULL, PRIMARY KEY (v))",
        "INSERT INTO n SELECT * FROM child",
        "DROP TABLE child",
        "ALTER TABLE n RENAME TO child",
    ],
    "a key of another type": ["ALTER TABLE child MODIFY COLUMN id bigint NOT NULL"]
    if DOLT
    else [
        "CREATE TABLE n (id bigint NOT NULL, v int NOT NULL, PRIMARY KEY (id))",
        "INSERT INTO n SELECT * FROM child",
        "DROP TABLE child",
        "ALTER TABLE n RENAME TO child",
    ],
    "a table renamed": ["ALTER TABLE child RENAME TO kid"],
}


@pytest.mark.parametrize("how", ALTERED)
@pytest.mark.parametrize("with_rows", [True, False])
def test_definitions_change_too(write, leads_there, how, with_rows):
    before = write(
        "main",
        "CREATE TABLE parent (id int PRIMARY KEY, t varchar(9), v int)",
        "CREATE INDEX parent_t ON parent (t)",
        "CREATE TABLE child (id int NOT NULL, v int NOT NULL, PRIMARY KEY (id))",
        "INSERT INTO parent VALUES (1, 'x', 1), (2, 'y', 2)",
        "INSERT INTO child VALUES (1, 10), (2, 20)",
    )
    rows = []
    if with_rows:
        rows = [
            "UPDATE parent SET t = 'changed' WHERE id = 2",
            "DELETE FROM child WHERE id = 1",
            "INSERT INTO child VALUES (5, 50)",
        ]
    after = write("main", *rows, *ALTERED[how])
    leads_there(before, after)


def test_rules_hold_once_the_rows_are_written(write, leads_there):
    before = write(
        "main",
        "CREATE TABLE ruled (id int PRIMARY KEY, u int, v int)",
        "INSERT INTO ruled VALUES (1, 1, -1), (2, 1, 2), (3, 3, 3)",
    )
    check = "ALTER TABLE ruled ADD CONSTRAINT ruled_v CHECK (v > 0)"
    after = write(
        "main",
        "UPDATE ruled SET u = 2, v = 5 WHERE id = 2",
        "UPDATE ruled SET v = 1 WHERE id = 1",
        "CREATE UNIQUE INDEX ruled_u ON ruled (u)",
        *([check] if DOLT else []),
    )
    leads_there(before, after)
    leads_there(after, before)


KEYLESS = {
    "text": ("varchar(20)", ["'x'", "'X'", "'x '", "'é'", "'e'", "NULL"]),
    "json": ("json" if DOLT else "text", ["'{\"a\": 1.50}'", "'[]'", "'null'"]),
    "float": ("float" if DOLT else "real", ["0.1", "-1e30", "16777217", "0"]),
    "double": ("double precision" if DOLT else "real", ["0.1", "1e300"]),
    "bits": ("bit(4)" if DOLT else "BLOB", ["X'01'", "X'0f'"]),
    "time": ("datetime(6)", ["'2026-01-01 10:00:00.000001'", "NULL"]),
}


@pytest.mark.parametrize("kind", KEYLESS)
def test_rows_without_a_key_of_any_kind(repository, write, leads_there, kind):
    definition, values = KEYLESS[kind]
    rows = ", ".join(f"({value}, {n})" for n in (1, 1, 2) for value in values)
    table = f"loose_{kind}"
    before = write(
        "main",
        f"CREATE TABLE {table} (a {definition}, n int)",
        " ".join(["INSERT INTO", table, "VALUES", rows]),
    )
    after = write(
        "main",
        " ".join(["DELETE FROM", table, "WHERE n = 2"]),
        " ".join(["INSERT INTO", table, "VALUES", f"({values[0]}, 3)"]),
    )
    leads_there(before, after)
    leads_there(after, before)


def test_a_table_that_has_to_be_written_anew_is_left_alone_without_its_columns(
    repository, write, run, rows
):
    """Else what nobody may see would be gone."""
    before = write(
        "main",
        "CREATE TABLE held (id int PRIMARY KEY, open varchar(9), secret varchar(9))",
        "INSERT INTO held VALUES (1, 'open', 'hidden')",
        "CREATE TABLE other (id int PRIMARY KEY)",
    )
    after = write(
        "main",
        "DROP TABLE held",
        "CREATE TABLE held (open varchar(9) PRIMARY KEY, id int, secret varchar(9))",
        "INSERT INTO held VALUES ('open', 1, 'hidden')",
        "INSERT INTO other VALUES (7)",
    )
    without = {"held": {"secret"}}
    script = "\n".join(repository.stream_sql(before, after, without=without))
    assert "hidden" not in script
    assert "-- Left out: held" in script
    repository.create_branch("replay", before)
    run("replay", script)
    assert rows("replay", "SELECT id, open, secret FROM held") == [
        (1, "open", "hidden")
    ]
    assert rows("replay", "SELECT id FROM other") == [(7,)]


def test_columns_can_be_left_out(repository, write, poll):
    from polls.models import Question

    before = repository.head("main")

    def work() -> None:
        Question.objects.update(text="Secret words", details="Open")
        Question.objects.create(text="Secret too", details="Open too")

    after = write("main", work)
    script = "\n".join(
        repository.stream_sql(before, after, without={"polls_question": {"text"}})
    )
    assert "Secret" not in script
    assert "'Open'" in script
    assert "'Open too'" in script


def test_a_stream_gives_what_pages_give(repository, write, poll):
    from polls.models import Choice, Question

    before = repository.head("main")

    def work() -> None:
        Choice.objects.bulk_create(
            Choice(question=poll, text=f"c{n}") for n in range(1200)
        )
        Choice.objects.filter(text="The sky").delete()
        Question.objects.update(details="")

    after = write("main", work)
    for table in ("polls_choice", "polls_question"):
        stream = repository.stream_changes(table, before, after)
        assert sorted(stream, key=lambda change: change.key) == list(
            repository.diff_rows(table, before, after)
        )


def test_a_stream_keeps_no_branch_and_can_be_left(repository, connection, write, poll):
    before = repository.head("main")
    repository.create_branch("read", before)
    after = write("read", "UPDATE polls_choice SET votes = votes + 1")
    with connection.bound("read"):
        stream = repository.stream_changes("polls_choice", before, after)
        next(stream)
    repository.delete_branch("read")
    stream.close()
    assert next(stream, None) is None


if DOLT:  # where 0 means the next number

    def test_a_counted_key_may_be_0(write, leads_there):
        before = write(
            "main", "CREATE TABLE counted (id int PRIMARY KEY AUTO_INCREMENT, v int)"
        )
        after = write(
            "main",
            "INSERT INTO counted VALUES (1, 1)",
            "UPDATE counted SET id = 0",
        )
        script = leads_there(before, after)
        assert "VALUES (0, 1)" in script


ACTED = (
    "CREATE TABLE told (id integer PRIMARY KEY, what int)",
    "CREATE TABLE acted (id int PRIMARY KEY, b int)",
    "CREATE TRIGGER acts AFTER INSERT ON acted "
    "BEGIN INSERT INTO told (what) VALUES (NEW.id); END",
)

if not DOLT:  # whose user may make none

    def test_a_new_trigger_does_not_act_on_the_rows_of_the_file(write, leads_there):
        before = write(
            "main",
            "CREATE TABLE acted (id int PRIMARY KEY, b int)",
            "INSERT INTO acted VALUES (1, 2)",
        )
        after = write(
            "main",
            "CREATE TRIGGER acts AFTER INSERT ON acted "
            "BEGIN UPDATE acted SET b = 9; END",
            "INSERT INTO acted VALUES (7, 7)",
            "UPDATE acted SET b = 1 WHERE id = 7",
        )
        leads_there(before, after)

    @pytest.mark.parametrize(
        "changed",
        [
            [],
            ["DROP TRIGGER acts"],
            ["ALTER TABLE acted RENAME TO active"],
            ["DROP TABLE acted"],
            [
                "DROP TRIGGER acts",
                "CREATE TRIGGER acts AFTER DELETE ON acted BEGIN DELETE FROM told; END",
            ],
        ],
    )
    def test_a_trigger_that_was_there_does_not_act_on_them_either(
        write, leads_there, changed
    ):
        before = write(
            "main",
            *ACTED,
            "INSERT INTO acted VALUES (1, 2)",
        )
        after = write("main", "INSERT INTO acted VALUES (7, 7)", *changed)
        leads_there(before, after)
        leads_there(after, before)

    def test_a_trigger_of_a_table_that_did_not_change_is_in_no_file(write, leads_there):
        before = write("main", *ACTED)
        after = write("main", "INSERT INTO told VALUES (1, 2)")
        assert "TRIGGER" not in leads_there(before, after)


def test_a_number_that_became_one_of_another_kind_is_in_the_file(write, leads_there):
    kind = "json" if DOLT else ""  # which both hold whatever it is
    before = write(
        "main",
        f"CREATE TABLE loose (id int PRIMARY KEY, v {kind})",
        "INSERT INTO loose VALUES (1, 1)",
    )
    after = write("main", "UPDATE loose SET v = 1.0")
    if after:
        leads_there(before, after)

"""What differs between two commits: tables, counts, rows, definitions."""

import uuid

import pytest

from polls.models import Choice, Question
from tests.engines import ENGINE
from versioning.backends.errors import UnknownRef, UnknownTable
from versioning.backends.repository import ChangeKind, TableStat

QUESTIONS = "polls_question"
CHOICES = "polls_choice"
COLLATION = "utf8mb4_0900_ai_ci" if ENGINE == "dolt" else "NOCASE"
ADDED, REMOVED, CHANGED = ChangeKind.ADDED, ChangeKind.REMOVED, ChangeKind.CHANGED


@pytest.fixture
def quoted(connection):
    return connection.ops.quote_name


@pytest.fixture
def start(repository):
    return repository.head("main")


def listed(changes) -> list[tuple]:
    return [(change.kind, change.key) for change in changes]


# Rows as of a commit -----------------------------------------------------------


def test_rows_are_read_by_key_as_of_a_commit(repository, write, poll):
    old = repository.head("main")
    new = write("main", lambda: Question.objects.update(text="New"))
    key = (poll.pk,)
    for at, text in ((old, "What’s up?"), (new, "New")):
        rows = repository.rows(QUESTIONS, [key, (-1,), key], at=at)
        assert {k: row["text"] for k, row in rows.items()} == {key: text}
    assert repository.rows(QUESTIONS, [], at=new) == {}


def test_any_number_of_keys_can_be_asked(repository, write):
    def make() -> None:
        Question.objects.bulk_create([Question(text=f"q{n}") for n in range(1500)])

    at = write("main", make)
    keys = [(pk,) for pk in Question.objects.values_list("pk", flat=True)]
    assert len(keys) == 1500
    assert set(repository.rows(QUESTIONS, keys, at=at)) == set(keys)


def test_a_row_is_the_same_in_a_diff_and_by_key(repository, write, start):
    """Dates, numbers and text come as one type, whichever way they are read."""
    after = write("main", lambda: Question.objects.create(text="x", details=""))
    (change,) = repository.diff_rows(QUESTIONS, start, after)
    assert repository.rows(QUESTIONS, [change.key], at=after) == {
        change.key: change.after
    }


def test_tables_and_columns_are_those_of_the_state(repository, write, start):
    after = write("main", "CREATE TABLE extra (b int, a int, PRIMARY KEY (a, b))")
    assert "extra" not in repository.tables(at=start)
    assert "extra" in repository.tables(at=after)
    assert repository.tables() == repository.tables(at=after)
    assert repository.columns("extra") == ["b", "a"]
    assert repository.primary_key("extra", at=after) == ("a", "b")
    assert repository.primary_key(QUESTIONS) == ("id",)
    assert not [t for t in repository.tables() if t.startswith(("dolt_", "sqlite_"))]
    for ask in (repository.columns, repository.primary_key):
        with pytest.raises(UnknownTable):
            ask("extra", at=start)


@pytest.mark.parametrize("table", ["nope", "", "dolt_log", "x'--", 'x"y', "x`y", "%s"])
def test_a_table_that_is_not_there(repository, start, table):
    for ask in (
        lambda: repository.columns(table),
        lambda: repository.primary_key(table, at=start),
        lambda: repository.rows(table, [(1,)], at=start),
        lambda: repository.diff_rows(table, start, start),
    ):
        with pytest.raises(UnknownTable) as caught:
            ask()
        assert caught.value.table == table
    with pytest.raises(UnknownRef):
        repository.rows(QUESTIONS, [(1,)], at="main")


# Counts ------------------------------------------------------------------------


def test_counts_say_how_many_rows_and_cells(repository, write, poll):
    before = repository.head("main")

    def work() -> None:
        Choice.objects.filter(text="The sky").update(votes=6, text="The blue sky")
        Choice.objects.filter(text="The clouds").delete()
        Choice.objects.bulk_create(Choice(question=poll, text=str(n)) for n in range(3))

    after = write("main", work)
    assert repository.diff_stat(before, after) == [
        TableStat(CHOICES, 3, 1, 1, 2, old_rows=2, new_rows=4)
    ]
    assert repository.diff_stat(after, before) == [
        TableStat(CHOICES, 1, 3, 1, 2, old_rows=4, new_rows=2)
    ]
    (table,) = repository.diff_summary(before, after)
    assert (table.table, table.old_table, table.kind) == (CHOICES, CHOICES, CHANGED)
    assert (table.data_changed, table.schema_changed) == (True, False)


def test_nothing_differs_from_itself(repository, poll):
    at = repository.head("main")
    assert repository.diff_summary(at, at) == []
    assert repository.diff_stat(at, at) == []
    assert list(repository.diff_rows(QUESTIONS, at, at)) == []
    assert repository.schema_changes(at, at) == []


# Rows --------------------------------------------------------------------------


def test_each_side_of_a_change_is_a_whole_row(repository, write, poll):
    before = repository.head("main")
    after = write("main", lambda: Question.objects.update(text="Y", details=""))
    (change,) = repository.diff_rows(QUESTIONS, before, after)
    assert (change.kind, change.key) == (CHANGED, (poll.pk,))
    assert list(change.before) == list(change.after) == repository.columns(QUESTIONS)
    assert (change.before["text"], change.after["text"]) == ("What’s up?", "Y")
    assert (change.before["details"], change.after["details"]) == ("Look.", "")
    (back,) = repository.diff_rows(QUESTIONS, after, before)
    assert (back.before, back.after) == (change.after, change.before)


@pytest.fixture
def many(repository, write):
    """Two commits: of rows 1 to 40, each tenth is gone, each fifth is changed."""

    def make() -> None:
        Question.objects.bulk_create(
            [Question(pk=n, text=f"q{n}") for n in range(1, 41)]
        )

    def work() -> None:
        Question.objects.filter(pk__in=range(10, 41, 10)).delete()
        Question.objects.filter(pk__in=range(5, 41, 5)).update(text="changed")
        Question.objects.create(pk=100, text="added")

    before = write("main", make)
    return before, write("main", work)


def test_rows_come_in_order_of_their_keys(repository, many):
    changes = listed(repository.diff_rows(QUESTIONS, *many))
    expected = {n: REMOVED if n % 10 == 0 else CHANGED for n in range(5, 41, 5)}
    expected[100] = ADDED
    assert changes == [(kind, (n,)) for n, kind in expected.items()]


@pytest.mark.parametrize("size", [1, 2, 3, 9, 50])
def test_pages_go_on_after_a_key(repository, many, size):
    whole = list(repository.diff_rows(QUESTIONS, *many))
    found, since = [], None
    while page := list(repository.diff_rows(QUESTIONS, *many, since=since, limit=size)):
        assert len(page) <= size
        found += page
        since = page[-1].key
    assert found == whole


def test_rows_can_be_asked_by_kind_and_by_key(repository, many):
    def ask(**options):
        return listed(repository.diff_rows(QUESTIONS, *many, **options))

    assert ask(kinds=[ADDED]) == [(ADDED, (100,))]
    assert [kind for kind, _ in ask(kinds=[ADDED, REMOVED])] == [REMOVED] * 4 + [ADDED]
    assert ask(keys=[(100,), (10,), (5,), (1,), (-1,), (5,)]) == [
        (CHANGED, (5,)),
        (REMOVED, (10,)),
        (ADDED, (100,)),
    ]
    assert ask(keys=[(10,), (5,)], kinds=[REMOVED]) == [(REMOVED, (10,))]
    assert ask(keys=[(5,), (10,), (100,)], since=(5,), limit=1) == [(REMOVED, (10,))]
    assert ask(keys=[]) == []
    assert ask(limit=0) == []


def test_reading_can_be_left_off_and_mixed_with_other_questions(repository, many):
    changes = repository.diff_rows(QUESTIONS, *many)
    first = next(changes)
    assert repository.head("main") == many[1]
    assert next(changes).key > first.key


@pytest.mark.parametrize(
    ("column", "keys"),
    [
        (
            "k varchar(40)",
            ["Zoë", "a", "B", "é", "f", "ﬁ", "10", "9", "x'y", "%s"],
        ),
        ("k char(32)", [uuid.UUID(int=n << 100).hex for n in (5, 1, 9, 200, 17)]),
        ("k bigint", [-5, 0, 10**12, 9, 10]),
        ("k decimal(8,2)", ["1.50", "-1.00", "10.25", "9.75"]),
    ],
)
def test_pages_lose_nothing_whatever_the_key_is(repository, write, column, keys):
    before = write("main", f"CREATE TABLE keyed ({column} PRIMARY KEY, v int)")
    after = write(
        "main",
        *[("INSERT INTO keyed (k, v) VALUES (%s, 1)", [key]) for key in keys],
    )
    whole = [row.key for row in repository.diff_rows("keyed", before, after)]
    assert len(whole) == len(set(whole)) == len(keys)
    found, since = [], None
    while page := list(
        repository.diff_rows("keyed", before, after, since=since, limit=2)
    ):
        found += [row.key for row in page]
        since = page[-1].key
    assert found == whole
    some = repository.diff_rows("keyed", before, after, keys=whole[1:3])
    assert sorted(row.key for row in some) == sorted(whole[1:3])
    assert set(repository.rows("keyed", whole, at=after)) == set(whole)


def test_a_key_of_several_columns(repository, write):
    before = write(
        "main", "CREATE TABLE pair (b int, a varchar(9), v int, PRIMARY KEY (a, b))"
    )
    after = write(
        "main",
        "INSERT INTO pair (a, b, v) VALUES ('x', 2, 0), ('x', 1, 0), ('w', 9, 0), "
        "('y', 0, 0)",
    )
    whole = [row.key for row in repository.diff_rows("pair", before, after)]
    assert whole == [("w", 9), ("x", 1), ("x", 2), ("y", 0)]
    assert [
        row.key for row in repository.diff_rows("pair", before, after, since=("x", 1))
    ] == [("x", 2), ("y", 0)]
    some = repository.diff_rows("pair", before, after, keys=[("x", 2), ("w", 1)])
    assert [row.key for row in some] == [("x", 2)]
    assert list(repository.rows("pair", [("x", 2), ("y", 1)], at=after)) == [("x", 2)]


def test_a_table_without_a_key(repository, write):
    before = write(
        "main",
        "CREATE TABLE loose (a varchar(9), b int)",
        "INSERT INTO loose VALUES ('x', 1), (NULL, 2)",
    )
    after = write(
        "main",
        "DELETE FROM loose WHERE a IS NULL",
        "INSERT INTO loose VALUES ('z', 9), (NULL, 3)",
    )
    assert repository.primary_key("loose", at=after) == ()
    changes = list(repository.diff_rows("loose", before, after))
    assert listed(changes) == [
        (REMOVED, (None, 2)),
        (ADDED, (None, 3)),
        (ADDED, ("z", 9)),
    ]
    rest = repository.diff_rows("loose", before, after, since=(None, 2), limit=1)
    assert listed(rest) == [(ADDED, (None, 3))]


def test_names_are_text_whatever_is_in_them(repository, write):
    table, key, value = "we'ird-%s table", "i%d", "a-b'c"
    mark = '"' if ENGINE == "doltlite" else "`"
    if ENGINE == "doltlite":
        table, value = table + '"', value + '"'
    quoted = [f"{mark}{n.replace(mark, mark * 2)}{mark}" for n in (table, key, value)]
    make = "CREATE TABLE {} ({} int PRIMARY KEY, {} int)".format(*quoted)
    before = write("main", (make, None))
    fill = " ".join(["INSERT INTO", quoted[0], "VALUES (1, 2), (2, 3)"])
    after = write("main", (fill, None))
    assert table in repository.tables(at=after)
    assert repository.columns(table, at=after) == [key, value]
    assert repository.primary_key(table) == (key,)
    assert repository.rows(table, [(2,)], at=after) == {(2,): {key: 2, value: 3}}
    changes = repository.diff_rows(table, before, after, since=(1,))
    assert [change.after for change in changes] == [{key: 2, value: 3}]
    (one,) = repository.diff_rows(table, before, after, keys=[(1,)])
    assert one.after == {key: 1, value: 2}


def test_columns_called_as_the_engine_calls_its_own(repository, write, quoted):
    own = ["commit", "commit_date", "diff_type"]
    columns = ", ".join(f"{quoted(name)} varchar(9)" for name in own)
    before = write("main", f"CREATE TABLE own (id int PRIMARY KEY, {columns})")
    after = write("main", "INSERT INTO own VALUES (1, 'a', 'b', 'c')")
    (change,) = repository.diff_rows("own", before, after)
    assert list(change.after.values()) == [1, "a", "b", "c"]


# Definitions -------------------------------------------------------------------


@pytest.fixture
def widened(write):
    """Two commits: a column is dropped, one is added, and rows change."""
    before = write(
        "main",
        "CREATE TABLE wide (id int PRIMARY KEY, gone varchar(9), kept varchar(9))",
        "INSERT INTO wide VALUES (1, 'g', 'k'), (2, 'h', 'l')",
    )
    after = write(
        "main",
        "ALTER TABLE wide DROP COLUMN gone",
        "ALTER TABLE wide ADD COLUMN fresh varchar(9)",
        "UPDATE wide SET kept = 'm', fresh = 'f' WHERE id = 1",
    )
    return before, after


def test_every_column_of_either_state_is_in_its_sides_row(repository, widened):
    first = next(repository.diff_rows("wide", *widened))
    assert first.before == {"id": 1, "gone": "g", "kept": "k"}
    assert first.after == {"id": 1, "kept": "m", "fresh": "f"}
    back = next(repository.diff_rows("wide", *widened[::-1]))
    assert (back.before, back.after) == (first.after, first.before)


def test_it_does_not_matter_where_the_connection_is(repository, connection, widened):
    whole = list(repository.diff_rows("wide", *widened))
    repository.create_branch("old", widened[0])
    with connection.bound("old"):
        assert list(repository.diff_rows("wide", *widened)) == whole
        assert repository.diff_summary(*widened)[0].schema_changed
    with connection.bound(at=widened[0]):
        assert list(repository.diff_rows("wide", *widened)) == whole


def test_definitions_before_and_after(repository, start, widened):
    (change,) = repository.schema_changes(*widened)
    assert change.table == "wide"
    assert "gone" in change.before
    assert "gone" not in change.after
    assert "fresh" in change.after
    (made,) = repository.schema_changes(start, widened[1])
    assert (made.table, made.before) == ("wide", "")
    (dropped,) = repository.schema_changes(widened[1], start)
    assert (dropped.table, dropped.after) == ("wide", "")


def test_an_index_is_a_change_of_its_table_or_its_own(
    repository, connection, write, stranger, widened
):
    made = write("main", "CREATE INDEX by_fresh ON wide (fresh)")
    ends = widened[1], made
    (change,) = repository.schema_changes(*ends) + repository.index_changes(*ends)
    assert "by_fresh" not in change.before
    assert "by_fresh" in change.after
    assert repository.index_changes(*widened) == []
    stranger.execute("main", "CREATE INDEX again ON wide (fresh)")
    with connection.bound("main"):
        tables, indexes = (
            repository.merged_schema_changes(),
            repository.merged_index_changes(),
        )
        (change,) = tables + indexes
        assert "again" in change.after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("int", "bigint"),
        ("varchar(20)", "varchar(40)"),
        ("varchar(20)", f"varchar(20) COLLATE {COLLATION}"),
    ],
)
def test_a_key_of_another_type_is_another_key(repository, write, before, after):
    made = [
        write(
            "main",
            *([] if kind == before else ["DROP TABLE things"]),
            f"CREATE TABLE things (id {kind} NOT NULL, v int, PRIMARY KEY (id))",
            "INSERT INTO things VALUES (1, 5), (2, 6)",
        )
        for kind in (before, after)
    ]
    (change,) = repository.key_changes(*made)
    assert (change.table, change.before, change.after) == ("things", ("id",), ("id",))
    assert repository.key_changes(made[0], made[0]) == []


def test_rows_alone_change_no_definition(repository, write, poll):
    before = repository.head("main")
    after = write("main", lambda: Choice.objects.create(question=poll, text="z"))
    assert repository.schema_changes(before, after) == []
    assert not any(c.schema_changed for c in repository.diff_summary(before, after))


def test_a_table_made_and_dropped(repository, write, start):
    made = write(
        "main", "CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (1), (2)"
    )
    (change,) = repository.diff_summary(start, made)
    assert (change.table, change.kind) == ("t", ADDED)
    assert listed(repository.diff_rows("t", start, made)) == [
        (ADDED, (1,)),
        (ADDED, (2,)),
    ]
    dropped = write("main", "DROP TABLE t")
    (change,) = repository.diff_summary(made, dropped)
    assert (change.table, change.kind) == ("t", REMOVED)
    assert listed(repository.diff_rows("t", made, dropped, since=(1,))) == [
        (REMOVED, (2,))
    ]
    assert [s.rows_removed for s in repository.diff_stat(made, dropped)] == [2]


def test_a_table_renamed(repository, write):
    before = write(
        "main", "CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (1)"
    )
    after = write("main", "ALTER TABLE t RENAME TO u")
    (change,) = repository.diff_summary(before, after)
    assert (change.kind, change.old_table, change.table) == ("renamed", "t", "u")


def test_rows_can_be_asked_for_by_a_unique_column(repository, write, connection):
    """As a foreign key's ``to_field`` needs them."""
    with_code = write(
        "main",
        "CREATE TABLE polls_place (id integer PRIMARY KEY, code varchar(20) UNIQUE)",
        "INSERT INTO polls_place VALUES (1, 'mill'), (2, 'bridge'), (3, 'park')",
    )
    found = repository.rows(
        "polls_place", [("mill",), ("park",), ("moon",)], at=with_code, by="code"
    )
    assert {key: row["id"] for key, row in found.items()} == {
        ("mill",): 1,
        ("park",): 3,
    }
    assert repository.rows("polls_place", [("x",)], at=with_code, by="nothing") == {}

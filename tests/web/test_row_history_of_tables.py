"""A row's history where its table was another one: told as far as it is known."""

import pytest
from django.utils.http import urlencode

from tests.engines import ENGINE
from tests.web import seen
from versioning.values import key_text

THINGS = (
    "CREATE TABLE things (id int NOT NULL, v int NOT NULL, PRIMARY KEY (id))",
    "INSERT INTO things VALUES (1, 10), (2, 20)",
)
EDIT = "UPDATE things SET v = 11 WHERE id = 1"
ANOTHER_KEY = (
    ["ALTER TABLE things DROP PRIMARY KEY, ADD PRIMARY KEY (id, v)"]
    if ENGINE == "dolt"
    else [
        "CREATE TABLE n (id int NOT NULL, v int NOT NULL, PRIMARY KEY (id, v))",
        "INSERT INTO n SELECT * FROM things",
        "DROP TABLE things",
        "ALTER TABLE n RENAME TO things",
    ]
)
BEGINS = "This is where the row’s history begins"
UNTIL_THEN = "Its history until then"


@pytest.fixture
def commits(write):
    """The row is made, and edited."""
    return [write("main", *THINGS), write("main", EDIT)]


@pytest.fixture
def history(editor):
    def history(ref, table="things", key=(1,)):
        query = urlencode({"table": table, "key": key_text(key), "ref": ref})
        answer = editor.get(f"/rows/history/?{query}")
        assert answer.status_code == 200
        return answer

    return history


def entries(answer):
    """Short hashes of the commits listed, and what each did."""
    return [
        (entry.commit.hash[:7], str(entry.row.kind))
        for entry in answer.context["page"].entries
    ]


def older(editor, answer):
    """The history that the page leads on to."""
    page = editor.get(seen.links(answer)[UNTIL_THEN])
    assert page.status_code == 200
    return page


def test_of_a_table_that_was_renamed(editor, write, commits, history):
    first, second = commits
    renamed = write("main", "ALTER TABLE things RENAME TO stuff")
    last = write("main", "UPDATE stuff SET v = 12 WHERE id = 1")
    answer = history(last, "stuff")
    words = seen.main(answer)
    assert entries(answer) == [(last[:7], "changed")]
    assert "v 11 12" in words
    assert BEGINS not in words
    assert f"Before the commit {renamed[:7]} its table was called things." in words
    rest = older(editor, answer)
    assert entries(rest) == [(second[:7], "changed"), (first[:7], "added")]
    assert BEGINS in seen.main(rest)


def test_of_a_row_that_was_edited_by_the_commit_that_renamed_it(
    editor, write, commits, history
):
    after = write(
        "main", EDIT.replace("11", "12"), "ALTER TABLE things RENAME TO stuff"
    )
    answer = history(after, "stuff")
    assert entries(answer) == [(after[:7], "changed")]
    assert "v 11 12" in seen.main(answer)
    assert len(entries(older(editor, answer))) == 2


def test_of_a_row_that_nobody_changed_since_it_was_renamed(
    editor, write, commits, history
):
    after = write("main", "ALTER TABLE things RENAME TO stuff")
    answer = history(after, "stuff")
    words = seen.main(answer)
    assert entries(answer) == []
    assert "It has been as it is since its table was last rebuilt." in words
    assert "Last changed by" in words
    assert "v 11 before its table was what it is now" in words
    assert "Erin Editor" not in words
    assert len(entries(older(editor, answer))) == 2


def test_of_a_table_whose_column_was_renamed(editor, write, commits, history):
    first, second = commits
    renamed = write("main", "ALTER TABLE things RENAME COLUMN v TO w")
    last = write("main", "UPDATE things SET w = 12 WHERE id = 1")
    answer = history(last)
    words = seen.main(answer)
    assert entries(answer) == [(last[:7], "changed")]
    assert "w 11 12" in words
    assert f"Before the commit {renamed[:7]} its table had other columns." in words
    rest = older(editor, answer)
    assert entries(rest) == [(second[:7], "changed"), (first[:7], "added")]
    assert "v 10 11" in seen.main(rest)


def test_of_a_row_edited_by_the_commit_that_renamed_its_column(
    editor, write, commits, history
):
    after = write(
        "main",
        "ALTER TABLE things RENAME COLUMN v TO w",
        "UPDATE things SET w = 12 WHERE id = 1",
    )
    answer = history(after)
    words = seen.main(answer)
    assert entries(answer) == [(after[:7], "changed")]
    assert "v 11 nothing" in words
    assert "w nothing 12" in words


def test_of_a_table_that_got_another_key(editor, write, commits, history):
    first, second = commits
    keyed = write("main", *ANOTHER_KEY)
    last = write("main", "INSERT INTO things VALUES (1, 99)")
    answer = history(last, key=(1, 11))
    words = seen.main(answer)
    assert "removed" not in words
    assert entries(answer) == []
    said = f"Before the commit {keyed[:7]} its rows were told apart by id."
    assert said in words
    rest = older(editor, answer)
    assert entries(rest) == [(second[:7], "changed"), (first[:7], "added")]
    assert entries(history(last, key=(1, 99))) == [(last[:7], "added")]


def test_of_a_table_that_got_a_column(write, commits, history):
    first, second = commits
    write("main", "ALTER TABLE things ADD COLUMN w int")
    last = write("main", "UPDATE things SET w = 5 WHERE id = 1")
    answer = history(last)
    assert [short for short, _ in entries(answer)] == [
        last[:7],
        second[:7],
        first[:7],
    ]
    assert BEGINS in seen.main(answer)


def test_of_a_table_that_lost_a_column(editor, write, history):
    first = write(
        "main",
        "CREATE TABLE things (id int NOT NULL, v int, w int, PRIMARY KEY (id))",
        "INSERT INTO things VALUES (1, 10, 5)",
    )
    lost = write("main", "UPDATE things SET w = 6 WHERE id = 1")
    write("main", "ALTER TABLE things DROP COLUMN w")
    last = write("main", EDIT)
    answer = history(last)
    assert entries(answer)[0] == (last[:7], "changed")
    assert entries(answer)[-1] == (first[:7], "added")
    words = seen.main(answer)
    assert BEGINS in words
    assert "Its table had columns then that are gone now: w." in words
    log = editor.get(seen.links(answer)["the log of its table"])
    assert lost[:7] in seen.main(log)
    assert "gone now" not in seen.main(history(lost))


# Columns of other types -----------------------------------------------------------


def retyped(kind, key="int"):
    """Statements that give the column another type, or the key."""
    if ENGINE == "dolt":
        return [
            f"ALTER TABLE things MODIFY COLUMN id {key} NOT NULL",
            f"ALTER TABLE things MODIFY COLUMN v {kind}",
        ]
    return [
        f"CREATE TABLE n (id {key} NOT NULL, v {kind}, PRIMARY KEY (id))",
        COPY.format(kind),
        "DROP TABLE things",
        "ALTER TABLE n RENAME TO things",
    ]


def told(editor, answer):
    """All words of a row's history, those of before included."""
    words = seen.main(answer)
    if UNTIL_THEN in seen.links(answer):
        words += told(editor, older(editor, answer))
    return words


THINGS_OF = "CREATE TABLE things (id int NOT NULL, v {}, PRIMARY KEY (id))"
INSERT = "INSERT INTO things VALUES (1, '{}')"
UPDATE = "UPDATE things SET v = '{}' WHERE id = 1"
COPY = "INSERT INTO n SELECT id, CAST(v AS {}) FROM things"


@pytest.mark.parametrize(
    ("before", "after", "held"),
    [
        ("varchar(9)", "int", ["apples", "12"]),
        ("decimal(6, 3)", "int", ["1.234", "2.345", "2"]),
        ("varchar(20)", "varchar(5)", ["a long text", "short"]),
        ("double", "int", ["1.5", "3"]),
        ("bigint", "int", ["9007199254740993", "5"]),
    ],
)
def test_what_a_column_held_that_it_could_not_hold_now(
    editor, write, history, before, after, held
):
    first, *rest = held
    write(
        "main",
        THINGS_OF.format(before),
        INSERT.format(first),
    )
    edited = [write("main", UPDATE.format(value)) for value in rest]
    write("main", *retyped(after))
    words = told(editor, history("main"))
    assert all(commit[:7] in words for commit in edited)
    for one, other in zip(held, rest, strict=False):
        assert f"v {one} {other}" in words
    assert f"v nothing {first}" in words
    assert "no value" not in words


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("varchar(9)", "varchar(90)"),
        ("varchar(9)", "longtext"),
        ("smallint", "bigint"),
        ("decimal(6, 2)", "decimal(9, 3)"),
    ],
)
def test_a_column_that_may_hold_more_ends_no_history(write, history, before, after):
    made = write(
        "main",
        THINGS_OF.format(before),
        INSERT.format(10),
    )
    second = write("main", EDIT)
    write("main", *retyped(after))
    answer = history("main")
    assert entries(answer) == [(second[:7], "changed"), (made[:7], "added")]
    assert BEGINS in seen.main(answer)


@pytest.mark.parametrize(
    ("before", "after"), [("int", "bigint"), ("bigint", "int"), ("integer", "bigint")]
)
@pytest.mark.parametrize("edit", [[], [EDIT.replace("11", "12")]])
def test_the_commit_that_gave_the_key_another_type_made_no_row(
    editor, write, history, before, after, edit
):
    first = write("main", *(sql.replace("id int", f"id {before}") for sql in THINGS))
    second = write("main", EDIT)
    third = write("main", *retyped("int", key=after), *edit)
    answer = history("main")
    assert entries(answer) == [(third[:7], "changed")] * len(edit)
    assert ("v 11 12" in seen.main(answer)) == bool(edit)
    rest = older(editor, answer)
    assert entries(rest) == [(second[:7], "changed"), (first[:7], "added")]


def test_a_row_whose_key_is_of_another_type_now(editor, write, history):
    write("main", *THINGS)
    before = write("main", EDIT)
    write("main", *retyped("int", key="bigint"))
    after = write("main", EDIT.replace("11", "12"))
    words = told(editor, history("main"))
    for changed in ("v 11 12", "v 10 11", "v nothing 10"):
        assert changed in words
    differ = seen.main(editor.get(f"/compare/?from={before}&to={after}&dots=2"))
    assert "go by id, which is of another type now" in differ
    assert "things 1 removed 1 id 1 nothing v 11 nothing" in differ
    assert "things 1 added 1 id nothing 1 v nothing 12" in differ

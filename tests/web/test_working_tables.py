"""Tables that another client defined otherwise and left so: what the page says."""

import re

import pytest

from tests.engines import ENGINE
from tests.web import seen

THINGS = (
    "CREATE TABLE things (id int NOT NULL, v int NOT NULL, PRIMARY KEY (id))",
    "INSERT INTO things VALUES (1, 10), (2, 20)",
)
ANOTHER_KEY = (
    ["ALTER TABLE things DROP PRIMARY KEY, ADD PRIMARY KEY (v)"]
    if ENGINE == "dolt"
    else [
        "CREATE TABLE n (id int NOT NULL, v int NOT NULL, PRIMARY KEY (v))",
        "INSERT INTO n SELECT * FROM things",
        "DROP TABLE things",
        "ALTER TABLE n RENAME TO things",
    ]
)


@pytest.fixture
def working(editor, write, stranger):
    """``working(*sql)``: what the page says once another client has done this."""

    def working(*work):
        write("main", *THINGS)
        for sql in work:
            stranger.execute("main", sql)
        page = editor.get("/branches/working/?name=main")
        assert page.status_code == 200
        return page

    return working


def test_a_table_by_another_key_is_shown_whole(working):
    """Else rows are discarded of which the page says that none differs."""
    page = working(*ANOTHER_KEY, "INSERT INTO things VALUES (3, 30)")
    words = seen.main(page)
    assert "1 table things replaced" in words
    assert "Its rows went by id and go by v now." in words
    assert "things 1 removed 1 id 1 nothing v 10 nothing" in words
    assert "things 10 added 10 id nothing 1 v nothing 10" in words
    assert "things 30 added 30 id nothing 3 v nothing 30" in words
    assert not [url for url in seen.addresses(page) if "format=csv" in url]


def test_its_rows_go_on_page_by_page(editor, working):
    rows = [f"INSERT INTO things VALUES ({n}, {n * 10})" for n in range(3, 60)]  # noqa: S608
    page = working(*ANOTHER_KEY, *rows)
    more = next(url for url in seen.addresses(page) if "after=" in url)
    rest = seen.main(editor.get(more))
    assert page.content.decode().count("diff__head") == 50
    assert "590 added" in rest
    assert editor.get(more + "x").status_code == 400


@pytest.mark.parametrize(
    ("sql", "shown"),
    [
        ("ALTER TABLE things RENAME COLUMN v TO w", r"things has another definition"),
        ("ALTER TABLE things ADD COLUMN w int", r"things has another definition"),
        (
            "CREATE INDEX by_v ON things (v)",
            r"Index by_v is new|things has another definition.* KEY `by_v` \(`v`\)",
        ),
    ],
)
def test_what_differs_of_a_table_itself_is_shown(working, sql, shown):
    words = seen.main(working(sql))
    assert "Changes to the tables themselves" in words
    assert re.search(shown, words), words


def test_an_index_that_was_committed_is_shown(editor, write):
    write("main", *THINGS)
    made = write("main", "CREATE INDEX by_v ON things (v)")
    words = seen.main(editor.get(f"/commits/{made}/"))
    assert "Changes to the tables themselves" in words
    assert "by_v" in words.partition("Changes to the tables themselves")[2]

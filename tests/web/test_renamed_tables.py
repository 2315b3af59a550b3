"""A table that was renamed: pages and files list the rows that they count."""

import pytest
from django.db import models

from tests.engines import ENGINE
from tests.web import seen

THINGS = (
    "CREATE TABLE things (id int NOT NULL, v int NOT NULL, PRIMARY KEY (id))",
    "INSERT INTO things VALUES (1, 10), (2, 20), (3, 30)",
)
EDIT = "UPDATE things SET v = 11 WHERE id = 1"
RENAME = "ALTER TABLE things RENAME TO stuff"


@pytest.fixture
def ends(write):
    return write("main", *THINGS), write("main", EDIT, RENAME)


def test_a_page_lists_as_many_rows_as_it_counts(editor, ends):
    page = editor.get(f"/commits/{ends[1]}/")
    words = seen.main(page)
    assert "was things ~ 1 changed" in words
    assert "v 10 11" in words
    assert page.content.decode().count("diff__head") == 1


def test_its_file_holds_those_rows(editor, ends):
    before, after = ends
    file = editor.get(
        f"/compare/export/?from={before}&to={after}&dots=2&format=csv&table=stuff"
    )
    lines = b"".join(file.streaming_content).decode().splitlines()
    assert lines[1:] == ["changed,1,1,10,11"]


@pytest.mark.parametrize("at_once", [True, False])
def test_a_row_that_was_removed_leads_to_its_history(editor, new_model, write, at_once):
    new_model(
        "Stuff",
        id=models.BigAutoField(primary_key=True),
        name=models.CharField(max_length=9),
    )
    before = write(
        "main",
        "ALTER TABLE polls_stuff RENAME TO things",
        "INSERT INTO things VALUES (1, 'pan'), (2, 'pot'), (3, 'cup'), (4, 'mug')",
    )
    work = [
        "DELETE FROM things WHERE id = 1",
        "ALTER TABLE things RENAME TO polls_stuff",
    ]
    for some in [work] if at_once else [[sql] for sql in work]:
        after = write("main", *some)
    page = editor.get(f"/compare/?from={before}&to={after}&dots=2")
    # To DoltLite this is a table that went, and another that came.
    assert "pan nothing" in seen.main(page)
    for url in seen.addresses(page):
        if url.startswith("/rows/history/"):
            history = editor.get(url)
            assert history.status_code == 200
            assert "&was=" not in url or "pan" in seen.main(history)


def test_what_nobody_committed_of_it_is_shown(editor, write, stranger):
    write("main", *THINGS)
    # Under a name of its own: Dolt's tests leave a table that nobody committed.
    for sql in (EDIT, RENAME.replace("stuff", "held")):
        stranger.execute("main", sql)
    words = seen.main(editor.get("/branches/working/?name=main"))
    assert "held was things ~ 1 changed" in words
    assert "v 10 11" in words


def test_a_merge_that_brings_another_name_and_key_says_so(
    maintainer, repository, write
):
    # To Dolt it is one table, of which it lists nothing; to DoltLite they are two.
    write(
        "main",
        "CREATE TABLE named (a int NOT NULL PRIMARY KEY, b int NOT NULL)",
        "INSERT INTO named VALUES (1, 2), (2, 3)",
    )
    repository.create_branch("summer", repository.head("main"))
    if ENGINE == "dolt":
        work = [
            "ALTER TABLE named DROP PRIMARY KEY, ADD PRIMARY KEY (b)",
            "ALTER TABLE named RENAME TO anew",
        ]
        told = "anew goes by another key was named"
    else:
        work = [
            "CREATE TABLE anew (a int NOT NULL, b int NOT NULL PRIMARY KEY)",
            "INSERT INTO anew SELECT * FROM named",
            "DROP TABLE named",
        ]
        told = "anew other columns + 2 added"
    write("summer", *work)
    words = seen.main(maintainer.get("/merge/?source=summer&target=main"))
    assert f"Merges by itself {told}" in words

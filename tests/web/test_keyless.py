"""Pages about a table without a primary key."""

import pytest
from django.urls import reverse

from tests.web import seen
from tests.web.test_merges import land, pins
from versioning import addresses

URL = "/merge/?source=summer&target=main"


@pytest.fixture
def notes(repository, write):
    hash = write(
        "main",
        "CREATE TABLE notes (a varchar(20), b int)",
        "INSERT INTO notes VALUES ('one', 1), ('two', 2), ('two', 2)",
    )
    repository.create_branch("summer", hash)
    write("main", "INSERT INTO notes VALUES ('three', 3)")
    return write("summer", "INSERT INTO notes VALUES ('four', 4), ('four', 4)")


def test_rows_of_both_sides_are_merged(repository, maintainer, notes, connection):
    page = maintainer.get(URL)
    assert page.status_code == 200
    listed = maintainer.get(
        reverse("versioning:merge-rows"),
        {"source": "summer", "target": "main", "table": "notes"},
    )
    assert listed.status_code == 200
    assert seen.main(listed).count("four") >= 2
    landed = land(maintainer, pins(repository))
    assert landed.status_code == 303
    with connection.bound("main"), connection.cursor() as cursor:
        cursor.execute("SELECT a FROM notes ORDER BY a")
        found = [a for (a,) in cursor.fetchall()]
    assert found == ["four", "four", "one", "three", "two", "two"]
    assert maintainer.get(landed["Location"]).status_code == 200


def test_its_rows_are_shown_in_a_commit_and_compared(maintainer, notes):
    commit = maintainer.get(reverse("versioning:commit", args=[notes]))
    assert commit.status_code == 200
    assert "four" in seen.main(commit)
    compared = maintainer.get("/compare/", {"from": "main", "to": "summer"})
    assert compared.status_code == 200
    assert "four" in seen.main(compared)


def test_a_row_with_a_long_text_goes_by_its_beginning(maintainer, write):
    write("main", "CREATE TABLE letters (a int, words longtext)")
    long = "word " * 20_000
    sent = write("main", f"INSERT INTO letters VALUES (1, '{long}')")  # noqa: S608
    page = maintainer.get(f"/commits/{sent}/")
    assert "letters 1, word word" in seen.main(page)
    assert "100,000 characters" in seen.main(page)
    assert len(page.content) < 60_000
    for url in seen.addresses(page):
        assert len(url) <= addresses.LONGEST


def test_rows_that_nobody_can_tell_apart_say_so(repository, maintainer, write, notes):
    write("main", "UPDATE notes SET b = 10 WHERE a = 'one'")
    write("summer", "DELETE FROM notes WHERE a = 'one'")
    page = maintainer.get(URL)
    assert page.status_code == 200
    assert "no primary key by which to tell them apart" in seen.main(page)
    refused = land(maintainer, pins(repository))
    assert refused.status_code == 422


def test_a_change_of_it_can_t_be_undone_and_says_why(maintainer, notes):
    page = maintainer.get("/merge/", {"source": f"revert {notes}", "target": "summer"})
    assert page.status_code == 200
    assert "that table has no primary key" in seen.main(page)

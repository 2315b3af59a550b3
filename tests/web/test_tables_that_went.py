"""Merges of branches on which tables came and went in ways of their own."""

import pytest

from tests.web import seen
from tests.web.test_merges import land, pins

URL = "/merge/?source=summer&target=main"
DROP, ADD = "DROP TABLE notes", "INSERT INTO notes VALUES (3, 3)"
ANEW = "CREATE TABLE notes (id int, a int PRIMARY KEY)"


@pytest.fixture
def notes(repository, write):
    """A table with rows on both branches."""
    write(
        "main",
        "CREATE TABLE notes (id int PRIMARY KEY, a int)",
        "INSERT INTO notes VALUES (1, 1), (2, 2)",
        "CREATE TABLE other (id int PRIMARY KEY)",
    )
    repository.create_branch("summer", repository.head("main"))


@pytest.fixture
def refused(repository, maintainer):
    """``refused()``: what the page says of a merge that it does not land."""

    def refused():
        before = repository.head("main")
        words = seen.main(maintainer.get(URL))
        assert "These branches can’t be merged as they are" in words
        assert land(maintainer, pins(repository)).status_code == 422
        assert repository.head("main") == before
        return words

    return refused


@pytest.mark.parametrize("more", [[], ["UPDATE notes SET a = 7"]])
def test_a_table_that_both_dropped_is_gone(repository, maintainer, write, notes, more):
    """As by one migration on each."""
    write("main", *more, DROP, "INSERT INTO other VALUES (1)")
    write("summer", DROP, "INSERT INTO other VALUES (2)")
    page = maintainer.get(URL)
    assert page.status_code == 200
    assert "This merges by itself" in seen.main(page)
    assert land(maintainer, pins(repository)).status_code == 303
    head = repository.head("main")
    assert "notes" not in repository.tables(at=head)
    assert repository.rows("other", [(1,), (2,)], at=head).keys() == {(1,), (2,)}


@pytest.mark.parametrize("sides", [("main", "summer"), ("summer", "main")])
def test_another_primary_key_is_said_to_be_in_the_way(refused, write, notes, sides):
    one, other = sides
    write(one, DROP, ANEW, "INSERT INTO notes VALUES (1, 1), (2, 2)")
    write(other, ADD)
    assert "different primary keys" in refused()


def test_what_the_engine_keeps_beside_the_data_is_said_to_be_in_the_way(
    refused, write, notes
):
    write("main", "INSERT INTO dolt_docs VALUES ('README.md', 'Here')")
    write("summer", "INSERT INTO dolt_docs VALUES ('README.md', 'There')", ADD)
    assert "Both branches changed dolt_docs" in refused()

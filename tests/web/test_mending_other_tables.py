"""Rows to mend in tables that belong to no model, or that one side defined anew."""

import pytest

from tests.web import seen
from tests.web.test_mending import URL, form, mend
from tests.web.test_merges import land, pins

LOST = (
    "has no place: the result’s table has no such column. Whatever you choose here, "
    "this is lost:"
)


@pytest.fixture
def notes(repository, write):
    """
    Each side adds a note of the same name, of which there may be one;
    ``notes(*sql)``: main does this first.
    """

    def notes(*here):
        write(
            "main",
            "CREATE TABLE notes (id int PRIMARY KEY, name varchar(20) UNIQUE, "
            "body varchar(20))",
            "INSERT INTO notes VALUES (1, 'one', 'first')",
        )
        repository.create_branch("summer", repository.head("main"))
        write("main", *here, "INSERT INTO notes (id, name) VALUES (2, 'same')")
        write("summer", "INSERT INTO notes VALUES (3, 'same', 'of summer')")

    return notes


@pytest.fixture
def found(connection):
    """All rows of the notes on main."""

    def found():
        with connection.bound("main"), connection.cursor() as cursor:
            cursor.execute("SELECT * FROM notes ORDER BY id")
            return [tuple(row) for row in cursor.fetchall()]

    return found


def test_a_row_of_a_table_without_a_model_is_mended(
    repository, maintainer, notes, found
):
    notes()
    words = seen.main(maintainer.get(URL))
    assert "2 rows of the result would break a rule" in words
    assert "Another row has the same name, which may be there only once." in words
    assert "Change its values below" not in words  # nothing can be typed
    answer = mend(maintainer, form(repository, "notes", 3, take="drop"), follow=True)
    assert "2 rows of the result would break a rule" not in seen.main(answer)
    landed = land(maintainer, pins(repository))
    assert landed.status_code == 303
    assert found() == [(1, "one", "first"), (2, "same", None)]


def test_a_row_that_no_side_has_is_not_there(repository, maintainer, notes):
    notes()
    assert mend(maintainer, form(repository, "notes", 9)).status_code == 404
    assert mend(maintainer, form(repository, "nothing", 1)).status_code == 404


def test_what_migrations_were_applied_is_not_mended(repository, maintainer, notes):
    notes()
    fields = form(repository, "django_migrations", 1, take="drop")
    assert mend(maintainer, fields).status_code == 404


def test_a_value_without_a_column_is_said_to_be_lost(
    repository, maintainer, notes, found
):
    notes("ALTER TABLE notes DROP COLUMN body")
    words = seen.main(maintainer.get(URL))
    assert f"body on summer {LOST} of summer" in words
    assert words.count(LOST) == 1
    for key, take in ((2, "drop"), (3, "theirs")):
        fields = form(repository, "notes", key, take=take)
        answer = mend(maintainer, fields, follow=True)
        assert answer.status_code == 200
    assert "to mend" not in seen.main(answer).replace("still to mend", "")
    landed = land(maintainer, pins(repository))
    assert landed.status_code == 303
    assert found() == [(1, "one"), (3, "same")]


def test_a_value_that_has_another_name_now_is_not_lost(repository, maintainer, notes):
    notes("ALTER TABLE notes RENAME COLUMN body TO content")
    words = seen.main(maintainer.get(URL))
    assert "2 rows of the result would break a rule" in words
    assert LOST not in words


def test_a_value_that_another_column_has_by_chance_is_lost_all_the_same(
    repository, maintainer, notes
):
    notes(
        "ALTER TABLE notes DROP COLUMN body",
        "ALTER TABLE notes ADD COLUMN season varchar(20) DEFAULT 'of summer'",
    )
    words = seen.main(maintainer.get(URL))
    assert f"body on summer {LOST} of summer" in words


def test_a_value_that_nobody_changed_goes_with_its_column(
    repository, maintainer, write
):
    write(
        "main",
        "CREATE TABLE notes (id int PRIMARY KEY, name varchar(20) UNIQUE, "
        "body varchar(20))",
        "INSERT INTO notes VALUES (1, 'one', 'first'), (2, 'two', 'second')",
    )
    repository.create_branch("summer", repository.head("main"))
    write(
        "main",
        "ALTER TABLE notes DROP COLUMN body",
        "UPDATE notes SET name = 'same' WHERE id = 1",
    )
    write("summer", "UPDATE notes SET name = 'same' WHERE id = 2")
    words = seen.main(maintainer.get(URL))
    assert "2 rows of the result would break a rule" in words
    assert LOST not in words


def test_what_nobody_changed_is_lost_where_the_row_was_deleted(
    repository, maintainer, write
):
    """To keep it is to make it anew, and its values with it."""
    write(
        "main",
        "CREATE TABLE owners (id int PRIMARY KEY, name varchar(20), mood varchar(20))",
        "CREATE TABLE pets (id int PRIMARY KEY, owner int, "
        "FOREIGN KEY (owner) REFERENCES owners (id))",
        "INSERT INTO owners VALUES (1, 'Olga', 'happy'), (2, 'Otto', 'sad')",
    )
    repository.create_branch("summer", repository.head("main"))
    write(
        "main",
        "DELETE FROM owners WHERE id = 1",
        "ALTER TABLE owners RENAME COLUMN mood TO humour",
    )
    write("summer", "INSERT INTO pets VALUES (1, 1)")
    keep = form(repository, "owners", 1, take="theirs")
    words = seen.main(mend(maintainer, keep, follow=True))
    assert f"mood on summer {LOST} happy" in words
    assert words.count(LOST) == 1


@pytest.mark.parametrize("take", ["theirs", "drop"])
def test_a_row_of_a_table_that_is_gone_spoils_nothing(
    repository, maintainer, write, notes, found, take
):
    write("main", "CREATE TABLE more (id int PRIMARY KEY, a int)")
    write("main", "INSERT INTO more VALUES (1, 1)")
    notes("DROP TABLE more")
    fields = form(repository, "more", 1, take=take)
    assert mend(maintainer, fields).status_code == 404
    answer = mend(maintainer, form(repository, "notes", 2, take="drop"), follow=True)
    assert answer.status_code == 200
    assert "still to mend" not in seen.main(answer)
    assert land(maintainer, pins(repository)).status_code == 303
    assert found() == [(1, "one", "first"), (3, "same", "of summer")]


def test_a_table_that_was_made_while_the_site_runs(
    repository, maintainer, stranger, found
):
    assert maintainer.get("/log/").status_code == 200
    create = "CREATE TABLE notes (id int PRIMARY KEY, name varchar(9) UNIQUE)"
    stranger.execute("main", create, commit="Make a table")
    repository.create_branch("summer", "main")
    for branch, add in (
        ("main", "INSERT INTO notes VALUES (2, 'same')"),
        ("summer", "INSERT INTO notes VALUES (3, 'same')"),
    ):
        stranger.execute(branch, add, commit="Add a row")
    words = seen.main(maintainer.get(URL))
    assert "2 rows of the result would break a rule" in words
    mend(maintainer, form(repository, "notes", 3, take="drop"))
    assert land(maintainer, pins(repository)).status_code == 303
    assert found() == [(2, "same")]

"""
Counts of a merge whose common history has the table, or the column, by another
name or not at all: each vote counts once, or the page says why it can't be told.
"""

import pytest
from django.db import models

import versioning
from polls.models import Choice, Question
from tests.web import seen
from tests.web.fields import forms, press_merge
from versioning import policies

URL = "/merge/?source=summer&target=main"
VOTES = "SELECT text, {column} FROM {table} ORDER BY id"
TABLE = "ALTER TABLE polls_option RENAME TO polls_choice"
COLUMN = "ALTER TABLE polls_tally RENAME COLUMN counted TO votes"
ADD = "ALTER TABLE polls_tally ADD COLUMN votes int NOT NULL DEFAULT 3"
COUNT = "UPDATE {table} SET {column} = {votes} WHERE text = '{text}'"
ASK = (
    "INSERT INTO polls_question (text, details, published) "
    "VALUES ('{text}', '', '2026-01-01 00:00:00')"
)
ELSEWHERE = "UPDATE polls_question SET details = 'Other'"


def count(text, votes, table="polls_tally", column="votes"):
    return COUNT.format(table=table, column=column, votes=votes, text=text)


@pytest.fixture
def option(repository, write, erin):
    """Three choices with five votes each, in a table of another name."""
    with versioning.on_branch("main", author=erin, message="Ask"):
        question = Question.objects.create(text="What’s up?")
        for text in ("The sky", "The sea", "The sun"):
            Choice.objects.create(question=question, text=text, votes=5)
    write("main", "ALTER TABLE polls_choice RENAME TO polls_option")
    repository.create_branch("summer", repository.head("main"))


@pytest.fixture
def tally(repository, write, erin, new_model):
    """Three rows of a model that counts, with five votes each; without a branch."""
    model = new_model(
        "Tally",
        id=models.BigAutoField(primary_key=True),
        text=models.CharField(max_length=30),
        votes=models.IntegerField(),
    )
    policies.register(model, counters=["votes"])
    with versioning.on_branch("main", author=erin, message="Ask"):
        Question.objects.create(text="What’s up?")
        for pk, text in enumerate(("The sky", "The sea", "The sun"), 1):
            model.objects.create(pk=pk, text=text, votes=5)


@pytest.fixture
def renamed(repository, write, tally):
    """The same with the counter by another name, and a branch."""
    write("main", "ALTER TABLE polls_tally RENAME COLUMN votes TO counted")
    repository.create_branch("summer", repository.head("main"))


@pytest.fixture
def without(repository, write, tally):
    """The same without the counter, and a branch."""
    write("main", "ALTER TABLE polls_tally DROP COLUMN votes")
    repository.create_branch("summer", repository.head("main"))


@pytest.fixture
def land(maintainer, connection):
    """``land(table)``: the merge by itself, and the votes by text after it."""

    def land(table="polls_tally", column="votes"):
        page = maintainer.get(URL)
        found = [f for f in forms(page) if f.action == "/merge/land/"]
        assert found, seen.main(page)
        (form,) = found
        assert form.can_be_sent, seen.main(page)
        answer = maintainer.post(form.action, form.fields)
        assert answer.status_code == 303, seen.main(answer)
        with connection.bound("main"), connection.cursor() as cursor:
            cursor.execute(VOTES.format(table=table, column=column))
            return dict(cursor.fetchall())

    return land


@pytest.mark.parametrize("there", [6, 8])
def test_a_table_that_both_renamed_counts_from_what_it_was(write, option, land, there):
    write("main", TABLE, count("The sky", 6, "polls_choice"))
    write(
        "summer",
        TABLE,
        count("The sky", there, "polls_choice"),
        count("The sea", 9, "polls_choice"),
    )
    right = {"The sky": 6 + there - 5, "The sea": 9, "The sun": 5}
    assert land("polls_choice") == right


def test_where_nobody_voted_nothing_is_added(write, option, land):
    write("main", TABLE, ELSEWHERE)
    write("summer", TABLE)
    assert set(land("polls_choice").values()) == {5}


def test_branches_that_were_brought_up_to_date_count_once(
    maintainer, repository, erin, code, land
):
    with versioning.on_branch("main", author=erin, message="Ask"):
        question = Question.objects.create(text="What’s up?")
        for text in ("The sky", "The sea", "The sun"):
            Choice.objects.create(question=question, text=text, votes=5)
    code.add("0098_option", "migrations.AlterModelTable('choice', 'polls_option')")
    code.migrate("main")
    repository.create_branch("summer", repository.head("main"))
    code.add("0099_choice", "migrations.AlterModelTable('choice', 'polls_choice')")
    for branch in ("main", "summer"):
        answer = maintainer.post("/branches/migrate/", {"name": branch})
        assert answer.status_code == 303, seen.main(answer)
    with versioning.on_branch("main", author=erin, message="Vote"):
        Choice.objects.filter(text="The sky").update(votes=6)
    with versioning.on_branch("summer", author=erin, message="Vote here"):
        Choice.objects.filter(text="The sea").update(votes=6)
    assert land("polls_choice") == {"The sky": 6, "The sea": 6, "The sun": 5}


@pytest.mark.parametrize("first", ["main", "summer"])
def test_what_both_counted_while_one_renamed_the_column_is_not_guessed(
    maintainer, repository, write, renamed, first
):
    other = {"main": "summer", "summer": "main"}[first]
    write(first, COLUMN, count("The sky", 6))
    write(other, count("The sky", 6, column="counted"))
    head = repository.head("main")
    words = seen.main(maintainer.get(URL))
    assert "One branch gave “Votes” of “Tallys” another name" in words
    assert "Give both branches the same tables first" in words
    assert repository.head("main") == head


@pytest.mark.parametrize("first", ["main", "summer"])
def test_what_each_counted_in_other_rows_of_a_renamed_column_merges(
    write, renamed, land, first
):
    other = {"main": "summer", "summer": "main"}[first]
    write(first, COLUMN, count("The sky", 6))
    write(other, count("The sea", 9, column="counted"))
    assert land() == {"The sky": 6, "The sea": 9, "The sun": 5}


@pytest.mark.parametrize("there", [4, 6])
def test_a_counter_that_both_got_counts_from_what_it_began_with(
    write, without, land, there
):
    write("main", ADD, ELSEWHERE)
    write("main", count("The sky", 4))
    write("summer", ADD)
    write("summer", count("The sky", there))
    assert land() == {"The sky": 4 + there - 3, "The sea": 3, "The sun": 3}


def test_a_counter_that_both_got_and_nobody_counted_stays(write, without, land):
    write("main", ADD, ELSEWHERE)
    write("summer", ADD)
    assert set(land().values()) == {3}


def test_counters_that_began_with_other_numbers_are_not_added_up(
    maintainer, write, without
):
    """As where a migration works out how many there are, for each branch."""
    write("main", ADD, count("The sky", 10))
    write("summer", ADD, count("The sky", 20))
    words = seen.main(maintainer.get(URL))
    assert "Both branches got “Votes” of “Tallys” since they parted" in words
    assert "commit by commit" in words


@pytest.mark.parametrize("side", ["main", "summer"])
def test_a_counter_that_one_side_got_is_nothing_to_add_up(write, without, land, side):
    other = {"main": "summer", "summer": "main"}[side]
    write(side, ADD)
    write(side, count("The sky", 4))
    write(other, "UPDATE polls_tally SET text = 'The ocean' WHERE text = 'The sea'")
    assert land() == {"The sky": 4, "The ocean": 3, "The sun": 3}


@pytest.mark.parametrize("commits", [1, 2, 3])
def test_a_branch_without_the_counter_that_was_merged_changes_nothing(
    repository, maintainer, write, without, land, commits
):
    """In the history, its commits stand between those that counted."""
    for side in ("main", "summer"):
        repository.create_branch(f"old-{side}", repository.head(side))
    for side in ("main", "summer"):
        write(side, ADD, ASK.format(text=side))
        write(side, count("The sky", 4))
        for number in range(commits):
            write(f"old-{side}", ASK.format(text=f"{side} {number}"))
        press_merge(maintainer, {"source": f"old-{side}", "target": side})
    assert land() == {"The sky": 5, "The sea": 3, "The sun": 3}


def test_a_row_that_both_made_anew_counts_from_nought(write, without, land):
    gone = "DELETE FROM polls_tally WHERE text = 'The sun'"
    anew = "INSERT INTO polls_tally (id, text, votes) VALUES (3, 'The sun', {})"
    for side, votes in (("main", 1), ("summer", 1)):
        write(side, gone)
        write(side, ADD, ELSEWHERE if side == "main" else count("The sky", 3))
        write(side, anew.format(votes))
    assert land() == {"The sky": 3, "The sea": 3, "The sun": 2}


@pytest.mark.parametrize("there", [1, 2])
def test_a_table_that_both_made_counts_from_the_rows_that_came_with_it(
    repository, write, land, new_model, there
):
    model = new_model(
        "Later",
        id=models.BigAutoField(primary_key=True),
        text=models.CharField(max_length=30),
        votes=models.IntegerField(),
    )
    policies.register(model, counters=["votes"])
    made = (
        "CREATE TABLE polls_later (id int PRIMARY KEY, text varchar(30), votes int)",
        "INSERT INTO polls_later VALUES (1, 'The sky', 7), (2, 'The sea', 7)",
    )
    write("main", "DROP TABLE polls_later")
    repository.create_branch("summer", repository.head("main"))
    write("main", *made, "INSERT INTO polls_later VALUES (3, 'The sun', 1)")
    write("main", count("The sky", 8, "polls_later"))
    write("summer", *made)
    write("summer", count("The sky", 7 + there, "polls_later"))
    assert land("polls_later") == {"The sky": 8 + there, "The sea": 7, "The sun": 1}


@pytest.mark.parametrize("is_counted", [True, False])
def test_a_change_taken_over_in_a_table_that_both_made_can_be_looked_at(
    maintainer, repository, erin, write, new_model, connection, is_counted
):
    repository.create_branch("summer", repository.head("main"))
    model = new_model(
        "Tally",
        id=models.BigAutoField(primary_key=True),
        text=models.CharField(max_length=30),
        votes=models.IntegerField(),
    )
    if is_counted:
        policies.register(model, counters=["votes"])
    write(
        "summer",
        "CREATE TABLE polls_tally "
        "(id bigint PRIMARY KEY, text varchar(30) NOT NULL, votes int NOT NULL)",
    )
    for branch in ("main", "summer"):
        with versioning.on_branch(branch, author=erin, message="Begin"):
            model.objects.create(pk=1, text="The sky", votes=0)
    with versioning.on_branch("summer", author=erin, message="Vote") as unit:
        model.objects.update(votes=1)
    preview = maintainer.get(
        "/merge/", {"source": f"pick {unit.commit}", "target": "main"}
    )
    (form,) = [f for f in forms(preview) if f.action == "/merge/land/"]
    assert maintainer.post(form.action, form.fields).status_code == 303
    assert maintainer.get(URL).status_code == 200


def test_what_is_advised_for_tables_that_are_alike_by_now_can_be_done(
    maintainer, repository, write
):
    write(
        "main",
        "CREATE TABLE things (id int PRIMARY KEY, a varchar(9), n int)",
        "INSERT INTO things VALUES (1, 'x', 1), (2, 'y', 2)",
    )
    repository.create_branch("summer", repository.head("main"))
    rename = "ALTER TABLE things RENAME COLUMN a TO b"
    write("main", rename, "UPDATE things SET n = 9 WHERE id = 1")
    write("summer", rename)
    edit = write("summer", "UPDATE things SET b = 'z' WHERE id = 2")
    words = seen.main(maintainer.get(URL))
    assert "Give both branches the same tables first" not in words
    if "commit by commit" in words:
        page = maintainer.get("/merge/", {"source": f"pick {edit}", "target": "main"})
        (form,) = [f for f in forms(page) if f.action == "/merge/land/"]
        assert form.can_be_sent, seen.main(page)
    else:
        assert "merges by itself" in words

"""Sides of a merge with different tables: why it can't be, and making them alike."""

from dataclasses import replace

import pytest
from django.core.cache import cache
from django.db import connections
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

import versioning
from polls.models import Choice, Question
from tests.schemas import MOOD, length
from tests.web import seen
from tests.web.test_merges import about, decide, land, pins
from versioning import policies
from versioning.models import Decision

URL = "/merge/?source=summer&target=main"
LONG, LONGER = length(300), length(400)
NO_MOOD = "migrations.RemoveField('question', 'mood')"
RENAMED = "migrations.RenameModel('Question', 'Poll')"
BLOCKED = "These branches can’t be merged as they are"


@pytest.fixture
def question(repository, erin):
    with versioning.on_branch("main", author=erin, message="Ask"):
        made = Question.objects.create(text="What’s up?")
    repository.create_branch("summer", repository.head("main"))
    return made


def word(branch, question, erin, **values):
    with versioning.on_branch(branch, author=erin, message=f"Word on {branch}"):
        Question.objects.filter(pk=question.pk).update(**values)


@pytest.fixture
def apart(code, question):
    """The text of questions has 400 characters on main and 300 on summer."""
    code.add("0002_long", LONG)
    code.add("0003_longer", LONGER)
    code.migrate("main")
    code.migrate("summer", "0002")


def bring_up(client, branch, url=URL):
    return client.post(
        reverse("versioning:branch-migrate"), {"name": branch, "next": url}
    )


def test_both_definitions_are_shown_with_what_differs(
    repository, maintainer, apart, question
):
    page = maintainer.get(URL)
    words, source = seen.main(page), page.content.decode()
    assert page.status_code == 200
    assert BLOCKED in words
    assert "Questions polls_question" in words
    assert (
        "Both changed the definition of the column “Question”, each in another way."
    ) in words
    assert "How they stand main summer" in words
    assert "<mark>400</mark>" in source
    assert "<mark>300</mark>" in source
    assert words.count("≠ differs") == 1
    assert words.count(" same ") >= 3
    assert "What the engine says" in words


def test_who_presses_merge_all_the_same_is_told_so_in_words(
    repository, maintainer, question, stranger
):
    drop = "ALTER TABLE polls_question DROP COLUMN details"
    change = "UPDATE polls_question SET details = 'Up there'"
    stranger.execute("main", drop, commit="By hand")
    stranger.execute("summer", change, commit="By hand")
    before = repository.head("main")
    answer = land(maintainer, pins(repository))
    assert answer.status_code == 422
    assert (
        "Nothing was merged Their tables differ in a way that no choice between rows "
        "can settle. These branches can’t be merged as they are"
    ) in seen.main(answer)
    assert repository.head("main") == before


def test_the_branch_that_is_behind_is_named_and_can_be_brought_up(
    repository, maintainer, apart, question, erin
):
    word("summer", question, erin, details="Look.")
    main = repository.head("main")
    page = maintainer.get(URL)
    assert "summer is behind: it lacks 1 migration of the application" in (
        seen.main(page)
    )
    button = "Bring summer up to date: apply polls.0003_longer and preview again"
    assert button in seen.main(page)
    assert "Bring main up to date" not in seen.main(page)
    answer = bring_up(maintainer, "summer")
    assert (answer.status_code, answer["Location"]) == (303, URL)
    page = maintainer.get(URL)
    assert "summer is up to date now: polls.0003_longer." in page.content.decode()
    words = seen.main(page)
    assert BLOCKED not in words
    assert "is behind" not in words
    assert "This merges by itself" in words
    assert repository.head("main") == main
    assert land(maintainer, pins(repository)).status_code == 303
    commit = repository.commit(repository.head("main"))
    assert commit.parents == (main, repository.head("summer"))
    question.refresh_from_db()
    assert question.details == "Look."


def test_decisions_outlive_it(repository, maintainer, code, question, erin):
    word("main", question, erin, text="Here?")
    word("summer", question, erin, text="There?")
    row = about(question, take__text="theirs") | {"table": "polls_question"}
    assert decide(maintainer, pins(repository) | row).status_code == 303
    code.add("0002_long", LONG)
    code.add("0003_longer", LONGER)
    code.migrate("main")
    code.migrate("summer", "0002")
    words = seen.main(maintainer.get(URL))
    assert BLOCKED in words
    assert "The decisions that were made here are kept till then." in words
    assert not Decision.objects.get().outdated
    bring_up(maintainer, "summer")
    words = seen.main(maintainer.get(URL))
    assert "1 of 1 settled" in words
    assert land(maintainer, pins(repository)).status_code == 303
    question.refresh_from_db()
    assert question.text == "There?"


def test_a_column_dropped_here_whose_values_changed_there(
    repository, maintainer, code, question, stranger
):
    code.add("0002_mood", MOOD)
    code.migrate("main")
    repository.delete_branch("summer")
    repository.create_branch("summer", repository.head("main"))
    stranger.execute("summer", "UPDATE polls_question SET mood = 7", commit="Cheer up")
    code.add("0003_no_mood", NO_MOOD)
    code.migrate("main")
    words = seen.main(maintainer.get(URL))
    assert BLOCKED in words
    assert "main dropped the column “mood”; summer still has it." in words
    assert "≠ only on summer" in words
    assert "apply polls.0003_no_mood and preview again" in words
    bring_up(maintainer, "summer")
    words = seen.main(maintainer.get(URL))
    assert "This merges by itself" in words
    assert land(maintainer, pins(repository)).status_code == 303
    assert "mood" not in repository.columns("polls_question", repository.head("main"))


def test_a_column_dropped_here_beside_rows_in_conflict(
    repository, maintainer, code, question, stranger, erin
):
    """Nobody changed its values, so nothing is asked about it, and nothing blocked."""
    code.add("0002_mood", MOOD)
    code.migrate("main")
    repository.delete_branch("summer")
    stranger.execute("main", "UPDATE polls_question SET mood = 7", commit="Cheer up")
    repository.create_branch("summer", repository.head("main"))
    word("main", question, erin, text="Here?")
    word("summer", question, erin, text="There?")
    code.add("0003_no_mood", NO_MOOD)
    code.migrate("main")
    words = seen.main(maintainer.get(URL))
    assert BLOCKED not in words
    assert "The two have different migrations" in words
    assert "0 of 1 settled" in words
    row = about(question, take__text="theirs") | {"table": "polls_question"}
    assert decide(maintainer, pins(repository) | row).status_code == 303
    assert land(maintainer, pins(repository)).status_code == 303
    question.refresh_from_db()
    assert question.text == "There?"


def test_a_table_that_was_renamed_here_and_changed_there(
    repository, maintainer, code, question, stranger
):
    stranger.execute(
        "summer", "UPDATE polls_question SET text = 'There?'", commit="Word it"
    )
    stranger.execute(
        "main", "UPDATE polls_question SET text = 'Here?'", commit="Word it"
    )
    code.add("0002_poll", RENAMED)
    code.migrate("main")
    page = maintainer.get(URL)
    assert page.status_code == 200
    assert BLOCKED in seen.main(page)
    assert "polls_question" in seen.main(page)
    words = seen.main(page)
    assert (
        "main has no such table any more, and it or its rows were changed on summer."
        in words
        or "Its name is polls_poll on main and polls_question on summer." in words
    )
    bring_up(maintainer, "summer")
    words = seen.main(maintainer.get(URL))
    assert BLOCKED not in words
    assert "0 of 1 settled" in words
    assert "There?" in words


def test_a_table_that_points_to_others_was_renamed(
    repository, maintainer, code, question, erin
):
    """Once both branches call it alike it points there as before."""
    with versioning.on_branch("main", author=erin, message="Offer"):
        Choice.objects.create(pk=71, question=question, text="The sky")
    repository.delete_branch("summer")
    repository.create_branch("summer", repository.head("main"))
    word("main", question, erin, text="Here?")
    code.add("0002_option", "migrations.RenameModel('Choice', 'Option')")
    code.migrate("summer")
    words = seen.main(maintainer.get(URL))
    if not repository.features.keeps_foreign_keys_of_renamed_tables:
        assert BLOCKED in words
        assert "“question_id” of “polls_option” points to a row of “Questions”" in words
    assert "Bring main up to date: apply polls.0002_option" in words
    bring_up(maintainer, "main")
    assert BLOCKED not in seen.main(maintainer.get(URL))
    assert land(maintainer, pins(repository)).status_code == 303
    head = repository.head("main")
    assert repository.rows("polls_option", [(71,)], at=head)
    pointing = {key.table: key.parent for key in repository.foreign_keys(head)}
    assert pointing == {"polls_option": "polls_question"}


def test_tables_that_differ_by_hand_are_said_to(
    repository, maintainer, question, stranger
):
    add = "ALTER TABLE polls_question ADD COLUMN mood "
    stranger.execute("main", f"{add} int", commit="By hand")
    stranger.execute("summer", f"{add} varchar(9)", commit="By hand")
    words = seen.main(maintainer.get(URL))
    assert BLOCKED in words
    assert "Both added the column “mood”, each with another definition." in words
    assert "a table was changed outside of migrations" in words
    assert "up to date" not in words


def test_a_branch_ahead_of_the_code_can_only_wait_for_it(
    repository, maintainer, code, question
):
    code.add("0002_long", LONG)
    code.add("0003_longer", LONGER)
    code.migrate("summer")
    code.migrate("main", "0002")
    code.remove("0003_longer")
    words = seen.main(maintainer.get(URL))
    assert BLOCKED in words
    assert (
        "summer has 1 migration that the application which runs here lacks, "
        "polls.0003_longer. Look at this merge again once the application here has it."
    ) in words
    assert "Bring" not in words


def test_who_may_not_merge_sees_why_and_no_button(repository, editor, apart, question):
    words = seen.main(editor.get(URL))
    assert "summer is behind" in words
    assert "Somebody who may merge can bring it up to date here." in words
    assert "Bring summer up to date" not in words
    head = repository.head("summer")
    assert bring_up(editor, "summer").status_code == 403
    assert repository.head("summer") == head


def test_a_merge_that_can_go_on_says_it_quietly(
    repository, maintainer, code, question, erin
):
    word("summer", question, erin, details="Look.")
    assert "migration" not in seen.main(maintainer.get(URL))
    code.add("0002_mood", MOOD)
    code.migrate("main")
    words = seen.main(maintainer.get(URL))
    assert BLOCKED not in words
    assert "This merges by itself" in words
    assert "The two have different migrations" in words
    assert "Bring summer up to date: apply polls.0002_mood and preview again" in words
    bring_up(maintainer, "summer")
    words = seen.main(maintainer.get(URL))
    assert "different migrations" not in words
    assert "This merges by itself" in words


def test_a_migration_that_the_database_refuses(repository, maintainer, code, question):
    code.add("0002_wrong", "migrations.RunSQL('INSERT INTO nowhere VALUES (1)')")
    answer = maintainer.post(
        reverse("versioning:branch-migrate"),
        {"name": "summer", "next": reverse("versioning:branches")},
    )
    assert answer.status_code == 409
    words = seen.main(answer)
    assert "“summer” could not be brought up to date" in words
    assert "The migrations of “summer” stopped, as the database refused one" in words
    assert "nowhere" in words
    listed = seen.main(maintainer.get(seen.links(answer)["Back"]))
    assert listed.count("behind: 1 migration") == 2  # main is, too


TELLS = """migrations.RunPython(
    lambda apps, editor: int(apps.get_model("polls", "Question").objects.get().details)
)"""
REFUSED = (
    "migrations.RunSQL('INSERT INTO polls_question "
    "SELECT id, text, details, published FROM polls_question')"
)


@pytest.mark.parametrize("operation", [TELLS, REFUSED])
def test_what_a_migration_says_of_hidden_values_is_for_who_may_see_them(
    repository, maintainer, owner, erin, code, question, monkeypatch, operation
):
    with versioning.on_branch("summer", author=erin, message="Whisper"):
        Question.objects.update(details="Whispered")
    code.add("0002_wrong", operation)
    policy = replace(policies.for_model(Question), hidden=frozenset({"details"}))
    monkeypatch.setitem(policies._policies, Question, policy)
    words = seen.main(bring_up(maintainer, "summer"))
    assert "The migrations of “summer” stopped, as " in words
    assert "Why is in the server’s log: it may quote hidden values." in words
    assert "It says" not in words
    assert "Whispered" not in words
    said = seen.main(bring_up(owner, "summer"))
    assert "It says: " in said
    assert ("Whispered" in said) == (operation == TELLS)


FAILS = "migrations.RunPython(lambda apps, editor: 1 / 0)"


@pytest.mark.parametrize(
    "operations", [[FAILS], [MOOD, FAILS], [MOOD, "migrations.RunPython(vars)"]]
)
def test_a_migration_that_raises_leaves_the_branch_as_it_was(
    repository, maintainer, code, question, connection, operations
):
    """Also where it had changed a table by then, or another one was through."""
    code.add("0002_long", LONG)
    code.add("0003_wrong", *operations)
    heads = repository.head("summer"), repository.head("main")
    branches = {branch.name for branch in repository.branches()}
    answer = bring_up(maintainer, "summer")
    assert answer.status_code == 409
    words = seen.main(answer)
    assert "The migrations of “summer” stopped, as one of them failed. " in words
    assert ("ZeroDivisionError" if FAILS in operations else "TypeError") in words
    assert "“summer” is as it was, and so is every other branch." in words
    assert "Nothing was lost." in words
    assert (repository.head("summer"), repository.head("main")) == heads
    assert {branch.name for branch in repository.branches()} == branches
    with connection.bound("summer"):
        assert repository.uncommitted() is None
        assert Question.objects.get(pk=question.pk).text == question.text
    assert "mood" not in repository.columns("polls_question", at=heads[0])
    code.remove("0003_wrong")
    assert bring_up(maintainer, "summer").status_code == 303
    commit = repository.commit(repository.head("summer"))
    assert (commit.subject, commit.parents) == ("Migrate to polls.0002_long", heads[:1])


def test_rows_that_another_client_left_are_committed_before_it(
    repository, maintainer, code, question, stranger
):
    code.add("0002_long", LONG)
    stranger.execute("summer", "UPDATE polls_question SET details = 'Late'")
    assert bring_up(maintainer, "summer").status_code == 303
    commit = repository.commit(repository.head("summer"))
    (before,) = commit.parents
    left = repository.commit(before)
    assert left.subject == "Rows left uncommitted in polls_question"
    rows = repository.rows("polls_question", [(question.pk,)], at=commit.hash)
    assert rows[question.pk,]["details"] == "Late"


# The list of branches ---------------------------------------------------------


def test_the_list_marks_branches_that_are_behind(
    repository, maintainer, editor, code, question
):
    url = reverse("versioning:branches")
    assert "migration" not in seen.main(maintainer.get(url))
    code.add("0002_long", LONG)
    code.migrate("main")
    words = seen.main(maintainer.get(url))
    assert words.count("behind: 1 migration") == 1
    assert "Bring summer up to date" in words
    assert "behind: 1 migration" in seen.main(editor.get(url))
    assert "up to date" not in seen.main(editor.get(url))
    assert bring_up(maintainer, "summer", url)["Location"] == url
    assert "behind: 1 migration" not in seen.main(maintainer.get(url))


def test_the_list_marks_branches_that_the_code_does_not_know(
    repository, maintainer, code, question
):
    code.add("0002_long", LONG)
    code.migrate("summer")
    code.remove("0002_long")
    words = seen.main(maintainer.get(reverse("versioning:branches")))
    assert "1 unknown migration" in words
    assert "up to date" not in words


def test_the_list_asks_once_however_many_branches(
    repository, maintainer, code, question, erin
):
    def asked():
        with CaptureQueriesContext(connections["versioned"]) as taken:
            page = maintainer.get(reverse("versioning:branches"))
        return (
            len([query for query in taken if "django_migrations" in query["sql"]]),
            seen.main(page).count("behind: 1 migration"),
        )

    cache.clear()
    code.add("0002_long", LONG)
    word("summer", question, erin, details="Look.")
    assert asked() == (1, 2)
    for number in range(9):
        repository.create_branch(f"b{number}", repository.head("main"))
        word(f"b{number}", question, erin, details=f"{number}")
    assert asked() == (1, 11)
    assert asked() == (0, 11)

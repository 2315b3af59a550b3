"""``migrate``, ``loaddata`` and ``flush`` end in one commit that says what they did."""

import json

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command

from polls.models import Question


@pytest.fixture
def fixture_file(tmp_path):
    path = tmp_path / "questions.json"
    rows = [
        {
            "model": "polls.question",
            "pk": 900 + number,
            "fields": {"text": f"Question {number}", "published": "2026-01-01T00:00Z"},
        }
        for number in range(3)
    ]
    path.write_text(json.dumps(rows))
    return str(path)


def test_loaddata_is_one_commit_on_the_branch_it_is_given(
    repository, connection, fixture_file
):
    before = repository.head("main")
    repository.create_branch("summer", before)
    call_command(
        "loaddata", fixture_file, database="versioned", branch="summer", verbosity=0
    )
    commit = repository.commit(repository.head("summer"))
    assert commit.parents == (before,)
    assert commit.message == f"Load {fixture_file}"
    assert repository.head("main") == before
    with connection.bound("summer"):
        assert Question.objects.count() == 3
        assert repository.uncommitted() is None


def test_loaddata_without_a_branch_is_on_the_default_one(repository, fixture_file):
    call_command("loaddata", fixture_file, database="versioned", verbosity=0)
    assert Question.objects.count() == 3
    assert repository.uncommitted() is None


def test_migrate_is_one_commit_on_the_branch_it_is_given(repository, connection):
    before = repository.head("main")
    repository.create_branch("old", before)
    call_command(
        "migrate", "polls", "zero", database="versioned", branch="old", verbosity=0
    )
    commit = repository.commit(repository.head("old"))
    assert commit.parents == (before,)
    assert commit.message == "Migrate polls zero"
    assert repository.tables(at=commit.hash) == ["django_migrations"]
    assert "polls_question" in repository.tables(at=before)
    call_command("migrate", "polls", database="versioned", branch="old", verbosity=0)
    assert "polls_question" in repository.tables(at=repository.head("old"))
    with connection.bound("old"):
        assert repository.uncommitted() is None


def test_flush_is_one_commit_on_the_branch_it_is_given(
    repository, connection, fixture_file
):
    call_command("loaddata", fixture_file, database="versioned", verbosity=0)
    before = repository.head("main")
    repository.create_branch("summer", before)
    call_command(
        "flush", database="versioned", branch="summer", interactive=False, verbosity=0
    )
    commit = repository.commit(repository.head("summer"))
    assert commit.parents == (before,)
    assert commit.message == "Delete all rows"
    assert repository.head("main") == before
    assert Question.objects.count() == 3
    with connection.bound("summer"):
        assert Question.objects.count() == 0
        assert _migrations(connection) == ["0001_initial"]  # that is no app's row
        assert repository.uncommitted() is None


def test_flush_without_a_branch_is_on_the_default_one(repository, fixture_file):
    call_command("loaddata", fixture_file, database="versioned", verbosity=0)
    call_command("flush", database="versioned", interactive=False, verbosity=0)
    assert Question.objects.count() == 0
    assert repository.uncommitted() is None


@pytest.mark.parametrize(
    ("command", "given"),
    [("flush", {"interactive": False}), ("loaddata", {}), ("migrate", {})],
)
def test_a_branch_of_another_database_is_refused(
    repository, fixture_file, command, given
):
    get_user_model().objects.create_user("max")
    files = [fixture_file] if command == "loaddata" else []
    with pytest.raises(CommandError, match="--branch goes with --database versioned"):
        call_command(command, *files, branch="main", **given)
    assert get_user_model().objects.count() == 1
    assert Question.objects.count() == 0


def _migrations(connection):
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM django_migrations WHERE app = 'polls'")
        return [name for (name,) in cursor.fetchall()]


@pytest.mark.parametrize("branch", ["", "nope"])
@pytest.mark.parametrize("command", ["migrate", "flush", "loaddata"])
def test_a_branch_that_is_not_there_is_refused_and_no_other_is_taken(
    poll, fixture_file, command, branch
):
    given = {"database": "versioned", "branch": branch, "verbosity": 0}
    if command == "flush":
        given["interactive"] = False
    arguments = [fixture_file] if command == "loaddata" else []
    with pytest.raises(
        CommandError, match=r"There is no branch “nope”|names no branch"
    ):
        call_command(command, *arguments, **given)
    assert list(Question.objects.all()) == [poll]

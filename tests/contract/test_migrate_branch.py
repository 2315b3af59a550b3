"""``manage.py migrate_branch``: branches are brought to the code's migrations."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db.migrations.loader import MigrationLoader

import versioning
from polls.models import Choice, Question
from tests.engines import ENGINE
from tests.schemas import MOOD
from versioning import schema_state
from versioning.backends.repository import Author
from versioning.migrating import CannotMigrate, bring_up_to_date

ERIN = Author("Erin Editor", "erin@example.org")


def run(*args, **options):
    out, err = StringIO(), StringIO()
    call_command("migrate_branch", *args, stdout=out, stderr=err, **options)
    return out.getvalue(), err.getvalue()


@pytest.fixture
def last() -> str:
    """The newest migration of the polls, as "app.name"."""
    loader = MigrationLoader(None)
    (leaf,) = loader.graph.leaf_nodes("polls")
    return ".".join(leaf)


@pytest.fixture
def behind(repository) -> None:
    """A branch without the polls' tables."""
    repository.create_branch("spring", repository.head("main"))
    call_command(
        "migrate", "polls", "zero", database="versioned", branch="spring", verbosity=0
    )


def test_a_branch_gets_what_it_lacks_in_one_commit(
    repository, connection, behind, last
):
    main, before = repository.head("main"), repository.head("spring")
    assert "polls_question" not in repository.tables(at=before)
    out, _ = run("spring")
    assert out.startswith("spring: polls.0001_")
    commit = repository.commit(repository.head("spring"))
    assert commit.parents == (before,)
    assert commit.subject.startswith("Migrate to polls.0001_")
    assert last in commit.subject
    assert "polls_question" in repository.tables(at=commit.hash)
    assert repository.head("main") == main
    with connection.bound("spring"):
        assert repository.uncommitted() is None
        assert Question.objects.count() == 0
    assert run("spring") == ("spring: is up to date\n", "")
    assert repository.head("spring") == commit.hash


def test_all_of_them(repository, behind):
    repository.create_branch(f"{repository.CANDIDATES}x", repository.head("spring"))
    out, _ = run(all=True)
    assert [line.partition(": ")[0] for line in out.splitlines()] == ["main", "spring"]
    assert "main: is up to date" in out
    assert "polls_question" in repository.tables(at=repository.head("spring"))


def test_what_was_squashed_is_there_and_known(repository, connection, code):
    """Also where the migrations have no files any more that the branch ran."""
    code.squash("0001_all")
    with connection.bound("main"):
        assert schema_state.difference() is None
    assert run("main") == ("main: is up to date\n", "")
    mood = code.add("0002_mood", MOOD)
    head = repository.head("main")
    difference = schema_state.Difference(missing=(mood,), unknown=())
    assert schema_state.differences([head]) == {head: difference}
    assert run("main") == (f"main: {mood}\n", "")
    repository.create_branch("later", repository.head("main"))
    assert "mood" in repository.columns("polls_question", repository.head("later"))
    assert schema_state.differences([repository.head("later")]) == {
        repository.head("later"): None
    }


def test_one_that_fails_does_not_stop_the_others(repository, behind, write):
    repository.create_branch("later", repository.head("main"))
    write(
        "later",
        "INSERT INTO django_migrations (app, name, applied) "
        "VALUES ('polls', '0099_later', '2026-01-01')",
    )
    head = repository.head("later")
    out, err = StringIO(), StringIO()
    with pytest.raises(CommandError, match="2 of the branches"):
        call_command(
            "migrate_branch", "nowhere", "later", "spring", stdout=out, stderr=err
        )
    assert out.getvalue().startswith("spring: polls.0001_")
    assert "nowhere: not migrated." in err.getvalue()
    assert "later: not migrated." in err.getvalue()
    assert "polls.0099_later" in err.getvalue()
    assert repository.head("later") == head


@pytest.mark.parametrize("name", ["x'--", "-D", "a@b", "pollard/candidate/x"])
def test_a_name_that_is_no_branch_is_refused(repository, name):
    head = repository.head("main")
    with pytest.raises(CommandError):
        run("--", name)
    assert repository.head("main") == head


def test_which_branches_must_be_said(repository):
    with pytest.raises(CommandError, match="Name branches, or --all"):
        run()
    with pytest.raises(CommandError, match="Name branches, or --all"):
        run("main", all=True)


NO_RULE = "migrations.RemoveConstraint('choice', 'polls_choice_once_per_question')"
BY_VOTES = (
    "migrations.AddIndex('choice', "
    "models.Index(fields=['question', 'votes'], name='by_votes'))"
)


@pytest.mark.parametrize(
    "operations",
    [
        [NO_RULE],
        [BY_VOTES, NO_RULE],
        [NO_RULE, BY_VOTES, "migrations.RemoveIndex('choice', 'by_votes')"],
        [NO_RULE, "migrations.RemoveField('choice', 'question')"],
    ],
    ids=["alone", "beside another", "and another", "with its column"],
)
def test_an_index_goes_that_begins_with_a_foreign_key(
    repository, connection, code, poll, operations
):
    code.add("0002_no_rule", *operations)
    keys = repository.foreign_keys(repository.head("main"))
    run("main")
    left = repository.foreign_keys(repository.head("main"))
    assert left == ([] if "RemoveField" in operations[-1] else keys)
    with versioning.on_branch("main", message="Vote") as unit:
        Choice.objects.order_by("pk").values("pk").update(votes=6)
    assert unit.commit == repository.head("main")


#: Of these nothing is said before they are to be committed.
REFUSED_AT_LAST = {
    "dolt": "CREATE INDEX other ON polls_choice (question_id); "
    "DROP INDEX polls_choice_once_per_question ON polls_choice",
    "doltlite": "INSERT INTO polls_choice (question_id, text, votes) "
    "VALUES (404, 'Nowhere', 0)",
}[ENGINE]


def test_what_the_database_refuses_at_last_is_said(repository, code, poll):
    code.add("0002_refused", f"migrations.RunSQL({REFUSED_AT_LAST!r})")
    head = repository.head("main")
    with pytest.raises(CannotMigrate, match="The migrations of “main” stopped"):
        bring_up_to_date("main", ERIN)
    assert repository.head("main") == head
    assert [b.name for b in repository.branches()] == ["main"]

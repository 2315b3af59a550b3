"""One unit of work: a branch, a lock, a transaction, a commit."""

import pytest
from django.contrib.auth.models import AbstractBaseUser
from django.db import models, transaction
from django.db.models import F
from django.test.utils import isolate_apps

import versioning
from polls.models import Choice, Question
from versioning.backends.errors import BranchNotFound, WriteOutsideBranch
from versioning.backends.repository import Author
from versioning.unit_of_work import OUTSIDE, author_of

ERIN = Author("Erin Editor", "erin@example.org")


@pytest.fixture
def summer(repository):
    repository.create_branch("summer", repository.head("main"))
    return "summer"


def add_question(text="What’s up?", votes=5):
    question = Question.objects.create(text=text)
    return Choice.objects.create(question=question, text="The sky", votes=votes)


def head(repository, branch="main"):
    return repository.commit(repository.head(branch))


def test_what_a_block_writes_is_one_commit_by_its_author(repository):
    before = repository.head("main")
    with versioning.on_branch("main", author=ERIN, message="Add a poll") as unit:
        add_question()
    commit = head(repository)
    assert commit.parents == (before,)
    assert (commit.author, commit.message) == (ERIN, "Add a poll")
    assert unit.commit == commit.hash
    assert unit.head_before == before
    assert repository.uncommitted() is None


def test_it_is_on_the_branch_it_names_and_on_no_other(repository, summer, connection):
    with versioning.on_branch(summer, author=ERIN, message="Add a poll"):
        add_question("Only in summer")
    assert not Question.objects.filter(text="Only in summer").exists()
    with connection.bound(summer):
        assert Question.objects.filter(text="Only in summer").exists()


def test_nothing_changed_is_no_commit(repository):
    before = repository.head("main")
    with versioning.on_branch("main", author=ERIN) as unit:
        Question.objects.filter(pk=-1).update(text="nobody")
    assert unit.commit is None
    assert repository.head("main") == before


def test_an_exception_leaves_no_row_and_no_commit(repository, summer, connection):
    before = repository.head(summer)
    with (
        pytest.raises(ZeroDivisionError),
        versioning.on_branch(summer, author=ERIN),
    ):
        add_question()
        _ = 1 / 0
    assert repository.head(summer) == before
    with connection.bound(summer):
        assert Question.objects.count() == 0
        assert repository.uncommitted() is None


def test_a_unit_can_be_rolled_back_without_an_exception(repository):
    before = repository.head("main")
    with versioning.on_branch("main", author=ERIN) as unit:
        add_question()
        unit.roll_back()
    assert repository.head("main") == before
    assert Question.objects.count() == 0


def test_an_inner_atomic_that_rolls_back_keeps_nothing(repository, summer, connection):
    with versioning.on_branch(summer, author=ERIN, message="Two polls, one undone"):
        add_question("kept")
        with pytest.raises(ZeroDivisionError), transaction.atomic("versioned"):
            add_question("undone")
            _ = 1 / 0
    with connection.bound(summer):
        assert list(Question.objects.values_list("text", flat=True)) == ["kept"]
        assert repository.uncommitted() is None


@pytest.mark.parametrize("way", ["update", "bulk", "raw", "delete"])
def test_whatever_changed_rows_counts(repository, connection, way):
    with versioning.on_branch("main", author=ERIN, message="Begin"):
        choice = add_question()
    with versioning.on_branch("main", author=ERIN, message=way) as unit:
        match way:
            case "update":
                Choice.objects.update(votes=F("votes") + 1)
            case "bulk":
                Choice.objects.bulk_create(
                    [Choice(question=choice.question, text=t) for t in "abc"]
                )
            case "raw":
                with connection.cursor() as cursor:
                    cursor.execute("UPDATE polls_choice SET votes = %s", [9])
            case "delete":
                Choice.objects.all().delete()
    assert unit.commit == repository.head("main")
    assert repository.uncommitted() is None


def test_rows_that_another_client_left_get_a_commit_of_their_own(
    repository, connection, stranger
):
    with versioning.on_branch("main", author=ERIN, message="Begin"):
        add_question(votes=5)
    stranger.execute("main", "UPDATE polls_choice SET votes = 77")
    with versioning.on_branch("main", author=ERIN, message="Mine") as unit:
        add_question("Mine")
    mine = repository.commit(unit.commit)
    theirs = repository.commit(mine.parents[0])
    assert mine.author == ERIN
    assert theirs.author == OUTSIDE
    changed = list(repository.diff_rows("polls_choice", theirs.parents[0], theirs.hash))
    assert [row.after["votes"] for row in changed] == [77]
    mine_changed = repository.diff_rows("polls_choice", theirs.hash, mine.hash)
    assert [row.kind for row in mine_changed] == ["added"]


@pytest.mark.parametrize(
    "write",
    [
        lambda: Question.objects.create(text="?"),
        lambda: Question.objects.update(text="?"),
        lambda: Question.objects.all()._raw_delete("versioned"),
    ],
)
def test_a_write_outside_a_branch_is_refused_and_names_the_cure(repository, write):
    with pytest.raises(WriteOutsideBranch, match=r"versioning\.on_branch"):
        write()
    assert repository.uncommitted() is None


def test_a_raw_write_outside_a_branch_is_refused(repository, connection):
    with pytest.raises(WriteOutsideBranch), connection.cursor() as cursor:
        cursor.execute("DELETE FROM polls_question")


def test_a_branch_that_is_not_there_is_an_error(repository):
    with (
        pytest.raises(BranchNotFound),
        versioning.on_branch("nowhere", author=ERIN),
    ):
        add_question()
    assert Question.objects.count() == 0


def test_a_unit_in_a_unit_is_refused(repository):
    with (
        pytest.raises(RuntimeError, match="inside another one"),
        versioning.on_branch("main", author=ERIN),
        versioning.on_branch("main", author=ERIN),
    ):
        add_question()
    assert repository.uncommitted() is None


def test_a_unit_in_a_transaction_is_refused(repository):
    with transaction.atomic(using="versioned"):
        repository.ping()
        for branch in ("main", "summer"):
            with (
                pytest.raises(RuntimeError, match="a transaction of"),
                versioning.on_branch(branch, author=ERIN),
            ):
                add_question()
    assert repository.uncommitted() is None


def test_describe_says_what_was_done(repository):
    with versioning.on_branch("main", author=ERIN):
        add_question()
        versioning.describe("Add “What’s up?”", Form_Token="abc")
    assert head(repository).message == "Add “What’s up?”\n\nForm-Token: abc"


@pytest.mark.parametrize(
    "sign", ["\x01", "\t", "\n", "\x0b", "\r", "\r\n", "\x1f", "\x7f", "\x85", "\u2028"]
)
def test_what_is_described_may_hold_any_sign(repository, sign):
    text = f"The{sign}sky"
    with versioning.on_branch("main", author=ERIN):
        add_question(text)
        versioning.describe(f"Add “{text}”", about=text)
    message = head(repository).message
    assert " ".join(message.split()) == "Add “The sky” About: The sky"
    assert message.endswith("\n\nAbout: The sky")
    assert Question.objects.get().text == text


@pytest.mark.parametrize("nothing", ["", "  ", "\n\n", "\x00"])
def test_what_is_described_by_nothing_is_committed_as_it_was(repository, nothing):
    with versioning.on_branch("main", author=ERIN, message="Change the sky") as unit:
        add_question()
        versioning.describe(nothing)
    assert (unit.commit, head(repository).message) == (
        repository.head("main"),
        "Change the sky",
    )


def test_a_callback_gets_the_commit_and_only_of_a_unit_that_made_one(repository):
    told: list[str] = []
    with versioning.on_branch("main", author=ERIN):
        add_question()
        versioning.after_commit(told.append)
    assert told == [repository.head("main")]
    with versioning.on_branch("main", author=ERIN):
        versioning.after_commit(told.append)
    with versioning.on_branch("main", author=ERIN) as unit:
        add_question()
        versioning.after_commit(told.append)
        unit.roll_back()
    assert len(told) == 1


def test_django_on_commit_hooks_run_too(repository):
    told = []
    with versioning.on_branch("main", author=ERIN):
        add_question()
        transaction.on_commit(lambda: told.append("done"), using="versioned")
    assert told == ["done"]


def test_a_hook_that_runs_after_the_commit_can_not_write(repository):
    """What it wrote would be in no commit."""
    with (
        pytest.raises(WriteOutsideBranch),
        versioning.on_branch("main", author=ERIN),
    ):
        choice = add_question()
        transaction.on_commit(add_question, using="versioned")
    assert list(Choice.objects.all()) == [choice]
    assert repository.uncommitted() is None


def test_outside_a_unit_describing_does_nothing():
    versioning.describe("nobody hears this")
    versioning.after_commit(print)


# A unit that a view opens -----------------------------------------------------


def test_within_a_unit_it_is_that_one(repository):
    with versioning.on_branch("main", author=ERIN, message="Outer") as outer:
        with versioning.unit() as inner:
            assert inner is outer
            add_question()
        assert outer.commit is None
    assert outer.commit == repository.head("main")


def test_without_a_request_it_is_one_on_the_default_branch(repository, summer):
    before = repository.head(summer)
    with versioning.unit() as unit:
        add_question()
    assert unit.commit == repository.head("main")
    assert repository.head(summer) == before


def count_one_more(branch):
    with versioning.on_branch(branch, author=ERIN, message="Count one more"):
        Choice.objects.update(votes=F("votes") + 1)


@pytest.mark.parametrize("moves_on", [False, True])
def test_what_is_done_alike_on_two_branches_is_two_commits(repository, moves_on):
    """Also within the second that DoltLite dates commits by; else one is lost."""
    with versioning.on_branch("main", author=ERIN, message="Add a poll"):
        add_question(votes=5)
    repository.create_branch("summer", repository.head("main"))
    count_one_more("main")
    first = repository.head("main")
    if moves_on:
        count_one_more("main")
    count_one_more("summer")
    second = repository.head("summer")
    assert second != first
    assert repository.merge_base(repository.head("main"), second) != second
    commits = [repository.commit(hash) for hash in (first, second)]
    assert {commit.parents for commit in commits} == {commits[0].parents}
    assert {commit.author for commit in commits} == {ERIN}
    assert {c.message.splitlines()[0] for c in commits} == {"Count one more"}


def test_a_commit_is_given_another_message(repository):
    before = repository.head("main")
    with (
        repository.connection.writing(),
        transaction.atomic(using="versioned", durable=True),
    ):
        add_question()
        first = repository.commit_all("Add a pol", ERIN)
        second = repository.reword("Add a poll", ERIN)
    found = head(repository)
    assert (found.hash, found.message, found.author) == (second, "Add a poll", ERIN)
    assert found.parents == (before,)
    assert second != first
    assert Question.objects.count() == 1
    assert repository.uncommitted() is None


# Whom a commit is by ----------------------------------------------------------


def test_a_user_whose_name_no_engine_takes_as_it_is(repository, django_user_model):
    user = django_user_model(
        username="<mo>", first_name="Mo\nReverts: 1", last_name="(they/them)"
    )
    with versioning.on_branch("main", author=user, message="Add a poll"):
        add_question()
    by = Author("Mo Reverts: 1 [they/them]", "mo@users.pollard.invalid")
    assert head(repository).author == by == author_of(user)


@isolate_apps("polls")
def test_a_user_who_has_no_name_but_that_to_sign_in_with():
    """As of a model that is made of ``AbstractBaseUser``, which knows no other."""

    class Person(AbstractBaseUser):
        handle = models.CharField(max_length=20)
        USERNAME_FIELD = "handle"

        class Meta:
            app_label = "polls"

    author = author_of(Person(handle="kim"))
    assert author == Author("kim", "kim@users.pollard.invalid")

"""What the engine refuses comes as a type, through the ORM as well."""

import pytest
from django.db import DatabaseError, OperationalError, transaction
from django.db.models import F

import versioning
from polls.models import Choice, Question
from tests.contract.conftest import ERIN
from tests.engines import ENGINE
from versioning.backends import errors
from versioning.backends.errors import (
    EngineBusy,
    EngineUnavailable,
    SerializationFailure,
)


def test_errors_of_an_engine_are_database_errors_too():
    for name in ("EngineUnavailable", "EngineBusy", "SerializationFailure"):
        assert issubclass(getattr(errors, name), OperationalError)
    assert issubclass(errors.BranchNotFound, DatabaseError)
    assert not issubclass(errors.WriteOutsideBranch, DatabaseError)


def test_what_no_type_stands_for_stays_djangos(connection):
    with connection.cursor() as cursor, pytest.raises(DatabaseError) as caught:
        cursor.execute("SELECT nonsense FROM nowhere")
    assert not isinstance(caught.value, errors.VersioningError)


def impatient(connection):
    """Another connection that does not wait for long where a file has one writer."""
    options = {**connection.settings_dict["OPTIONS"], **SHORT[ENGINE]}
    connection.settings_dict = {**connection.settings_dict, "OPTIONS": options}
    return connection


def test_two_transactions_on_one_row(
    repository, connection, other_connection, summer, poll, write
):
    """
    Writers that take no lock: the one that comes second is told to begin anew,
    or (where a file has one writer) that it is not its turn.
    """
    impatient(other_connection).bind(summer)
    with (
        connection.bound(summer),
        connection.writing(),
        other_connection.writing(),
        pytest.raises((SerializationFailure, EngineBusy)) as caught,
        transaction.atomic(using="versioned"),
    ):
        Choice.objects.filter(text="The sky").update(votes=F("votes") + 1)
        with other_connection.cursor() as cursor:
            cursor.execute("UPDATE polls_choice SET votes = 100 WHERE votes = 5")
        repository.commit_all("Ours", ERIN)
    assert type(caught.value) is EXPECTED
    with connection.bound(summer):
        votes = set(Choice.objects.values_list("votes", flat=True))
        assert votes == ({0, 5} if ENGINE == "doltlite" else {0, 100})


def test_a_unit_that_breaks_a_rule_with_what_came_meanwhile(
    other_connection, summer, poll
):
    """It can be repeated: with what is there by now it does something else."""
    impatient(other_connection).bind(summer)
    with (
        pytest.raises((SerializationFailure, EngineBusy)) as caught,
        versioning.on_branch(summer, author=ERIN),
    ):
        Question.objects.get().delete()
        with other_connection.writing(), other_connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO polls_choice (question_id, text, votes) "
                "SELECT id, 'The sea', 0 FROM polls_question"
            )
    assert type(caught.value) is EXPECTED
    with versioning.on_branch(summer, author=ERIN):
        assert Question.objects.count() == 1


EXPECTED = EngineBusy if ENGINE == "doltlite" else SerializationFailure
SHORT = {"doltlite": {"timeout": 0.1}, "dolt": {}}


def test_a_database_that_can_not_be_reached(connection, tmp_path):
    """By the ORM, by the repository, and again: it does not become another error."""
    nowhere = (
        {"NAME": str(tmp_path / "no" / "folder" / "test.db")}
        if ENGINE == "doltlite"
        else {"HOST": "127.0.0.1", "PORT": 9, "NAME": "test_nowhere"}
    )
    lost = connection.__class__({**connection.settings_dict, **nowhere}, "versioned")
    for ask in (lost.repository.ping, lost.repository.branches, lost.cursor):
        with pytest.raises(EngineUnavailable):
            ask()
    lost.bind("summer")
    with pytest.raises(EngineUnavailable):
        lost.repository.ping()
    lost.unbind()
    lost.close()


def test_a_connection_is_of_use_after_an_error(repository, connection, poll):
    for _ in range(3):
        with connection.bound("nope"), pytest.raises(errors.BranchNotFound):
            Question.objects.count()
        assert Question.objects.count() == 1

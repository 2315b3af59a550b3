"""What the engine refuses comes as a type, through the ORM as well."""

import pytest
from django.db import DatabaseError, OperationalError, transaction
from django.db.models import F

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


def test_two_transactions_on_one_row(
    repository, connection, other_connection, summer, poll, write
):
    """
    Writers that take no lock: the one that comes second is told to begin anew,
    or (where a file has one writer) that it is not its turn.
    """
    other_connection.settings_dict = {
        **other_connection.settings_dict,
        "OPTIONS": {**other_connection.settings_dict["OPTIONS"], **SHORT[ENGINE]},
    }
    other_connection.bind(summer)
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
    expected = EngineBusy if ENGINE == "doltlite" else SerializationFailure
    assert type(caught.value) is expected
    with connection.bound(summer):
        votes = set(Choice.objects.values_list("votes", flat=True))
        assert votes == ({0, 5} if ENGINE == "doltlite" else {0, 100})


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

"""The database server goes away while somebody decides and merges."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connections
from django.urls import reverse
from dolt_server import DoltServer

import versioning
from polls.models import Choice, Question
from tests.contract.test_landing_under_attack import ERIN, sides
from tests.killing import at_change
from tests.web.conftest import MAINTAINER, signed_in
from versioning.backends.errors import EngineUnavailable
from versioning.merging import memory
from versioning.models import Decision, MergeDraft
from versioning.values import key_text


@pytest.fixture
def server(
    db: None,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[DoltServer]:
    """A server of this test's own, under the versioned connection, as it ends it."""
    connection = connections["versioned"]
    with DoltServer(Path(tmp_path_factory.mktemp("server"))) as server:
        server.create_database(connection.settings_dict["NAME"])
        _forget()
        monkeypatch.setitem(connection.settings_dict, "PORT", server.port)
        call_command("migrate", database="versioned", verbosity=0)
        with versioning.on_branch("main", author=ERIN, message="Add a poll"):
            question = Question.objects.create(text="What’s up?")
            Choice.objects.create(question=question, text="The sky", votes=5)
        repository().create_branch("summer", repository().head("main"))
        yield server
        _forget()


def _forget() -> None:
    """Close the connection, and keep nothing that was read through it."""
    connections["versioned"].unbind()  # type: ignore[attr-defined]
    connections["versioned"].close()
    memory.forget()


def repository() -> Any:
    return connections["versioned"].repository  # type: ignore[attr-defined]


def test_a_connection_is_left_while_its_server_is_away(server):
    """To leave it opens no other: a request ends with the page that it has."""
    connection = connections["versioned"]
    repository().head("main")
    server.kill()
    with pytest.raises(EngineUnavailable):
        repository().head("main")
    connection.unbind()  # type: ignore[attr-defined]
    assert connection.connection is None
    server.start()
    assert repository().head("main")


@pytest.fixture
def mo(server: DoltServer, django_user_model: Any) -> Any:
    """That of a maintainer; both branches have worded the choice anew."""
    for branch in ("main", "summer"):
        with versioning.on_branch(branch, author=ERIN, message="Reword"):
            Choice.objects.update(text=f"Sky of {branch}")
    return signed_in(django_user_model, "mo", MAINTAINER)


def test_what_was_typed_and_the_draft_outlive_an_outage(server, mo):
    at = sides(repository())
    fields = {
        "source": "summer",
        "target": "main",
        "base": at.base,
        "ours": at.ours,
        "theirs": at.theirs,
        "scope": "row",
        "table": "polls_choice",
        "key": key_text((Choice.objects.get().pk,)),
        "take:text": "value",
        "value:text": "Heaven above",
    }
    killed = _press(server, mo, "versioning:merge-decide", fields)
    assert killed.status_code == 503
    assert "Heaven above" in killed.content.decode()
    assert not Decision.objects.exists()
    assert mo.post(reverse("versioning:merge-decide"), fields).status_code == 303

    killed = _press(server, mo, "versioning:merge-land", fields)
    assert killed.status_code == 503
    draft = MergeDraft.objects.get()
    assert draft.state == MergeDraft.State.OPEN
    assert Decision.objects.get().value == "Heaven above"
    assert repository().head("main") == at.ours

    assert mo.post(reverse("versioning:merge-land"), fields).status_code == 303
    assert Choice.objects.get().text == "Heaven above"
    draft.refresh_from_db()
    assert draft.state == MergeDraft.State.LANDED


def _press(server: DoltServer, mo: Any, name: str, fields: Any) -> Any:
    """What is answered when the server dies at the second change; it comes back."""
    with connections["versioned"].execute_wrapper(at_change(2, "before", server.kill)):
        answer = mo.post(reverse(name), fields)
    assert server.process is None, "nothing was changed"
    _forget()
    server.start()
    return answer

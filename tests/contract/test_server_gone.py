"""The server dies under a connection; the connection says so, and recovers."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from dolt_server import DoltServer

from tests.contract.conftest import ERIN
from versioning.backends.errors import EngineUnavailable

COUNT = "SELECT count(*) FROM t"
ADD = "INSERT INTO t VALUES (%s)"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DoltServer]:
    """A server of these tests' own, as they end it."""
    with DoltServer(tmp_path_factory.mktemp("server")) as server:
        server.create_database("test_dying")
        yield server


@pytest.fixture
def server(data: DoltServer) -> DoltServer:
    if data.process is None:
        data.start()
    return data


@pytest.fixture
def lone(connection: Any, server: DoltServer, monkeypatch: Any) -> Iterator[Any]:
    """A connection to that server, with an empty table and a branch."""
    from django.db import connections

    there = connection.settings_dict | {"PORT": server.port, "NAME": "test_dying"}
    lone = connection.__class__(there, "lone")
    monkeypatch.setattr(connections._connections, "lone", lone, raising=False)
    with lone.writing():
        run(lone, "DROP TABLE IF EXISTS t")
        run(lone, "CREATE TABLE t (id int PRIMARY KEY)")
        with transaction.atomic(using="lone"):
            lone.repository.commit_all("A table", ERIN)
    for branch in lone.repository.branches():
        if branch.name != "main":
            lone.repository.delete_branch(branch.name)
    lone.repository.create_branch("summer", "main")
    yield lone
    lone.close()


def run(connection: Any, sql: str, *params: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())


def test_a_dead_server_is_said_by_whatever_is_asked_first(lone, server):
    asked = [
        lone.repository.ping,
        lone.repository.branches,
        lambda: run(lone, COUNT),
        lambda: lone.repository.head("main"),
    ]
    for ask in asked:
        assert run(lone, COUNT) == [(0,)]
        server.kill()
        for _ in range(2):
            with pytest.raises(EngineUnavailable):
                ask()
        server.start()


def test_the_same_connection_is_of_use_again_on_its_branch(lone, server):
    lone.bind("summer")
    with lone.writing(), transaction.atomic(using="lone"):
        run(lone, ADD, 1)
        lone.repository.commit_all("One", ERIN)
    server.kill()
    with pytest.raises(EngineUnavailable):
        run(lone, COUNT)
    server.start()
    assert run(lone, "SELECT active_branch()") == [("summer",)]
    assert run(lone, COUNT) == [(1,)]
    lone.unbind()
    assert run(lone, COUNT) == [(0,)]


def test_unbinding_from_a_dead_server_raises_nothing(lone, server):
    lone.bind("summer")
    assert run(lone, COUNT) == [(0,)]
    server.kill()
    lone.unbind()
    server.start()
    assert run(lone, "SELECT active_branch()") == [("main",)]


def test_a_transaction_that_was_under_way_left_nothing(lone, server):
    head = lone.repository.head("summer")
    with (
        lone.bound("summer"),
        pytest.raises(EngineUnavailable),
        lone.repository.write_lock("summer"),
        lone.writing(),
        transaction.atomic(using="lone"),
    ):
        run(lone, ADD, 2)
        server.kill()
        lone.repository.commit_all("Never", ERIN)
    assert not lone.in_atomic_block
    server.start()
    assert lone.repository.head("summer") == head
    with lone.bound("summer"):
        assert run(lone, COUNT) == [(0,)]
        assert lone.repository.uncommitted() is None
        # The lock went with the connection that held it.
        with lone.repository.write_lock("summer", timeout=0.1):
            pass


def test_a_server_that_stops_keeps_what_was_committed(lone, server):
    with lone.bound("summer"), lone.writing(), transaction.atomic(using="lone"):
        run(lone, ADD, 3)
        commit = lone.repository.commit_all("Three", ERIN)
    server.kill()
    server.start()
    assert lone.repository.head("summer") == commit

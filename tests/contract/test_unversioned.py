"""The database beside the versioned one, where the engine is a file."""

import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError

from tests.engines import ENGINE
from versioning.backends import turns
from versioning.backends.unversioned.base import DatabaseWrapper

OPTIONS = {"timeout": 20, "transaction_mode": "IMMEDIATE"}


@pytest.fixture
def opened(connection, tmp_path):
    """``opened(path)``: a connection to a file, as a process of the site has it."""
    made = []

    def open_(path: Path = tmp_path / "console.db") -> DatabaseWrapper:
        settings = connection.settings_dict | {"NAME": path, "OPTIONS": OPTIONS}
        made.append(DatabaseWrapper(settings, "default"))
        return made[-1]

    yield open_
    for one in made:
        one.close()


def ask(
    connection: DatabaseWrapper, sql: str, params: Any = None
) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()


def test_a_new_file_is_in_sqlites_own_format(opened, tmp_path):
    first = opened()
    ask(first, "CREATE TABLE kept (id integer PRIMARY KEY, text varchar(20))")
    ask(first, "INSERT INTO kept (text) VALUES ('Erin')")
    first.close()
    again = opened()
    assert ask(again, "SELECT id, text FROM kept") == [(1, "Erin")]
    assert ask(again, "PRAGMA integrity_check") == [("ok",)]
    assert ask(again, "PRAGMA journal_mode") == [("wal",)]
    assert ask(again, "PRAGMA encoding") == [("UTF-8",)]
    assert (tmp_path / "console.db").read_bytes().startswith(b"SQLite format 3\0")
    if ENGINE == "doltlite":
        assert ask(again, "SELECT doltlite_engine()") == [("orig",)]


def test_a_write_leaves_nothing_behind(opened, tmp_path):
    """A DoltLite file grows by some 7 kB at each."""
    one = opened()
    ask(one, "CREATE TABLE kept (id integer PRIMARY KEY, number integer)")
    ask(one, "INSERT INTO kept (number) VALUES (0)")
    ask(one, "PRAGMA wal_checkpoint(TRUNCATE)")
    before = (tmp_path / "console.db").stat().st_size
    for _ in range(200):
        ask(one, "UPDATE kept SET number = number + 1")
    ask(one, "PRAGMA wal_checkpoint(TRUNCATE)")
    assert ask(one, "SELECT number FROM kept") == [(200,)]
    assert (tmp_path / "console.db").stat().st_size == before


def test_a_file_that_is_there_is_used_as_it_is(opened, tmp_path):

    path = tmp_path / "older.db"
    older = sqlite3.connect(path)  # a DoltLite file, where that is loaded
    older.execute("CREATE TABLE kept (text varchar(20))")
    older.execute("INSERT INTO kept VALUES ('Old')")
    older.commit()
    older.close()
    assert ask(opened(path), "SELECT text FROM kept") == [("Old",)]


def test_processes_may_make_it_at_once(opened):
    together = threading.Barrier(8)
    failed = []

    def add(number: int, connection: DatabaseWrapper) -> None:
        together.wait()
        try:
            ask(connection, "CREATE TABLE IF NOT EXISTS kept (number integer)")
            ask(connection, "INSERT INTO kept VALUES (%s)", [number])
        except Exception as error:
            failed.append(error)

    connections = [opened() for _ in range(8)]
    for connection in connections:
        connection.inc_thread_sharing()
    threads = [
        threading.Thread(target=add, args=[number, connection])
        for number, connection in enumerate(connections)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    found = ask(opened(), "SELECT number FROM kept ORDER BY number")
    assert found == [(number,) for number in range(8)]


def test_a_folder_that_is_not_there_is_not_made(opened, tmp_path):
    with pytest.raises(OperationalError, match="unable to open database file"):
        ask(opened(tmp_path / "none" / "console.db"), "SELECT 1")
    assert list(tmp_path.iterdir()) == []


def test_a_writer_waits_for_its_turn_and_no_longer(opened):
    """Whether it is a thread of this process or another process that writes."""
    one, other = opened(), opened()
    ask(one, "CREATE TABLE kept (number integer)")
    other.settings_dict = other.settings_dict | {"OPTIONS": {"timeout": 0.05}}
    one.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
    ask(one, "INSERT INTO kept VALUES (1)")
    with pytest.raises(OperationalError, match="database is locked"):
        other.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
    one.rollback()
    one.set_autocommit(True)
    with (
        turns.turn(one.settings_dict["NAME"]),  # as a thread that asks for it
        pytest.raises(OperationalError, match="database is locked"),
    ):
        other.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
    other.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
    ask(other, "INSERT INTO kept VALUES (2)")
    other.commit()
    other.set_autocommit(True)
    assert ask(one, "SELECT number FROM kept") == [(2,)]
    assert ask(other, "PRAGMA busy_timeout") == [(50,)]

"""Disk space that superseded rows take up does not grow for ever."""

import subprocess
import sys
from pathlib import Path

import pytest

from polls.models import Question

WRITES = 40


def overwrite(repository, write, times: int = WRITES) -> None:
    """Change one row, again and again, each time in a commit."""
    for number in range(times):
        write("main", lambda n=number: Question.objects.update(details=str(n) * 200))


def size(repository) -> int:
    return Path(repository.connection.settings_dict["NAME"]).stat().st_size


@pytest.fixture
def eager(monkeypatch):
    """Collect as soon as there is anything to collect."""
    from versioning.backends.doltlite import garbage

    monkeypatch.setattr(garbage, "SLACK", 0)
    monkeypatch.setattr(garbage, "_kept", {})
    # The default database is in this test's own transaction all the while.
    monkeypatch.setattr(garbage, "TIMEOUT", 0.1)


def test_nothing_is_lost_by_it(repository, write, poll, eager):
    overwrite(repository, write)
    before = repository.log([repository.head("main")], limit=100)
    grown = size(repository)
    repository.tidy()
    assert size(repository) < grown
    assert repository.log([repository.head("main")], limit=100) == before
    assert Question.objects.get().details == str(WRITES - 1) * 200


def test_it_is_done_only_when_it_is_due(repository, write, poll, eager):
    overwrite(repository, write)
    repository.tidy()
    small = size(repository)
    overwrite(repository, write, times=1)
    repository.tidy()  # far from twice as large
    assert size(repository) > small


def test_votes_of_another_process_go_on_meanwhile(repository, write, poll, eager):
    """Each acknowledged commit is there afterwards."""
    path = repository.connection.settings_dict["NAME"]
    from versioning.backends.doltlite import garbage

    collected = 0
    with subprocess.Popen(
        [sys.executable, "-c", _VOTER, path],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    ) as voter:
        while voter.poll() is None:
            garbage._kept.clear()
            collected += bool(garbage.collect())
        assert voter.stdout is not None
        acknowledged = voter.stdout.read().split()
    assert voter.returncode == 0
    assert len(acknowledged) == 100
    assert collected > 1
    messages = {c.message for c in repository.log([repository.head("main")], limit=500)}
    assert {f"Vote {text.decode()}" for text in acknowledged} <= messages
    assert Question.objects.get().choices.get(text="The sky").votes == 5 + 100


_VOTER = """
from versioning.backends.doltlite import boot
boot.load()
import sqlite3, sys
votes = sqlite3.connect(sys.argv[1] + "@main", isolation_level=None, timeout=20)
for number in range(100):
    votes.execute("BEGIN IMMEDIATE")
    votes.execute("UPDATE polls_choice SET votes = votes + 1 WHERE text = 'The sky'")
    votes.execute("SELECT dolt_commit('-A', '-m', ?)", [f"Vote {number}"])
    votes.execute("COMMIT")
    print(number, flush=True)
"""


def test_requests_ask_for_it(client, repository, write, poll, eager):
    overwrite(repository, write)
    grown = size(repository)
    client.get("/")
    assert size(repository) < grown

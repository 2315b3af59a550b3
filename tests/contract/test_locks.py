"""One writer on a branch, one landing on a target: between processes."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from polls.models import Choice
from tests.contract import hostile
from versioning.backends.errors import EngineBusy

ROOT = Path(__file__).resolve().parent.parent.parent

HOLD = """
import sys
import django
django.setup()
from versioning.conf import repository
with getattr(repository(), sys.argv[1])(sys.argv[2]):
    print("held", flush=True)
    sys.stdin.read()
"""

COUNT_UP = """
import sys
import django
django.setup()
from django.db import transaction
from django.db.models import F
from polls.models import Choice
from versioning.backends.repository import Author
from versioning.conf import connection, repository
sys.stdin.read()
for _ in range(25):
    with (
        connection().bound("summer"),
        repository().write_lock("summer"),
        connection().writing(),
        transaction.atomic(using="versioned", durable=True),
    ):
        Choice.objects.filter(text="The sky").update(votes=F("votes") + 1)
        repository().commit_all("One more", Author("A", "a@example.org"))
"""


class Process:
    """Another process of the site, which begins its work once it is told to go on."""

    def __init__(self, code: str, *arguments: str):
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            cwd=ROOT,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, *error: object) -> None:
        self.process.kill()
        self.process.communicate()

    def wait_for(self, line: str) -> None:
        assert self.process.stdout is not None
        assert self.process.stdout.readline().strip() == line

    def go_on(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.stdin = None

    def let_go(self, how: str) -> None:
        """Of what it holds: as it "ends", or as it "dies"."""
        if how == "ends":
            self.go_on()
            self.end()
        else:
            self.process.kill()
            self.process.wait()

    def end(self) -> int:
        self.process.communicate(timeout=60)
        return self.process.returncode


def test_no_increment_is_lost_between_two_processes(
    repository, connection, summer, poll
):
    """Without the lock Dolt loses two of three, and says nothing."""
    start = repository.head(summer)
    connection.close()
    with Process(COUNT_UP) as one, Process(COUNT_UP) as other:
        one.go_on()
        other.go_on()
        assert (one.end(), other.end()) == (0, 0)
    with connection.bound(summer):
        assert Choice.objects.get(text="The sky").votes == 5 + 50
        assert repository.uncommitted() is None
    assert repository.count_between(start, repository.head(summer)) == 50
    assert Choice.objects.get(text="The sky").votes == 5


@pytest.mark.parametrize("how", ["ends", "dies"])
def test_a_landing_waits_for_another_process(repository, how):
    with Process(HOLD, "landing_lock", "main") as holder:
        holder.wait_for("held")
        with pytest.raises(EngineBusy), repository.landing_lock("main", timeout=0.1):
            pytest.fail("two landings at once")
        with repository.landing_lock("summer", timeout=0.1):
            pass  # another target
        holder.let_go(how)
        with repository.landing_lock("main", timeout=20):
            pass


@pytest.mark.parametrize("how", ["ends", "dies"])
def test_writers_wait_for_who_keeps_them_off(repository, how):
    with Process(HOLD, "without_writers", "main") as holder:
        holder.wait_for("held")
        with pytest.raises(EngineBusy), repository.write_lock("main", timeout=0.1):
            pytest.fail("a writer beside who keeps them off")
        holder.let_go(how)
        with repository.write_lock("main", timeout=20):
            pass


def test_who_keeps_writers_off_waits_for_those_who_are_there(
    repository, other_connection
):
    with (
        other_connection.repository.write_lock("main"),
        pytest.raises(EngineBusy),
        repository.without_writers("main", timeout=0.1),
    ):
        pytest.fail("beside a writer")
    with repository.without_writers("main", timeout=20):
        pass


def test_a_landing_keeps_no_writer_waiting(repository, other_connection, write, poll):
    with other_connection.repository.landing_lock("main"):
        assert write("main", lambda: Choice.objects.update(votes=9))


def test_a_lock_that_is_free_soon_is_waited_for(repository, other_connection):
    held, go = threading.Event(), threading.Event()

    def hold() -> None:
        with other_connection.repository.landing_lock("main"):
            held.set()
            go.wait(20)
        other_connection.close()

    other_connection.inc_thread_sharing()
    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(20)
    threading.Timer(0.1, go.set).start()
    with repository.landing_lock("main", timeout=20):
        assert go.is_set()
    holder.join()
    other_connection.dec_thread_sharing()


@pytest.mark.parametrize("kind", ["write_lock", "landing_lock", "without_writers"])
def test_a_lock_is_free_after_an_exception(repository, other_connection, kind):
    with pytest.raises(ZeroDivisionError), getattr(repository, kind)("main"):
        _ = 1 / 0
    with getattr(other_connection.repository, kind)("main", timeout=0.1):
        pass


@pytest.mark.parametrize("kind", ["write_lock", "landing_lock"])
def test_a_lock_is_free_once_its_connection_is_closed(
    repository, connection, other_connection, kind
):
    with getattr(repository, kind)("main"):
        connection.close()
    with getattr(other_connection.repository, kind)("main", timeout=0.1):
        pass


@pytest.mark.parametrize("name", hostile.BRANCHES)
def test_a_branch_of_any_name_has_locks_of_its_own(repository, other_connection, name):
    for kind in ("write_lock", "landing_lock"):
        with (
            getattr(repository, kind)(name, timeout=0.1),
            getattr(other_connection.repository, kind)(name[:-1] + "x", timeout=0.1),
        ):
            repository.ping()

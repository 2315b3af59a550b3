"""What the contract's tests write with: straight through the backend."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import transaction

from polls.models import Choice, Question
from tests.contract.work import Work
from tests.engines import ENGINE
from versioning.backends.repository import Author

ERIN = Author("Erin Editor", "erin@example.org")

Statement = str | tuple[str, list[Any]] | Callable[[], Any]


@pytest.fixture
def write(connection) -> Callable[..., str | None]:
    """
    ``write(branch, *work, message="…")``: run statements, or callables that use
    the ORM, on a branch and commit them; the new commit's hash.
    """

    def commit(branch: str, *work: Statement, message: str = "Change") -> str | None:
        with (
            connection.bound(branch),
            connection.writing(),
            transaction.atomic(using="versioned", durable=True),
        ):
            for one in work:
                if callable(one):
                    one()
                    continue
                sql, params = one if isinstance(one, tuple) else (one, None)
                with connection.cursor() as cursor:
                    cursor.execute(sql, params)
            found: str | None = connection.repository.commit_all(message, ERIN)
            return found

    return commit


@pytest.fixture
def poll(write) -> Question:
    """A question with two choices, committed on main."""
    question = Question(text="What’s up?", details="Look.")

    def make() -> None:
        question.save()
        Choice.objects.create(question=question, text="The sky", votes=5)
        Choice.objects.create(question=question, text="The clouds", votes=0)

    write("main", make, message="Add a poll")
    return question


@pytest.fixture
def summer(repository, poll) -> str:
    """A branch where main is, with the poll on it."""
    repository.create_branch("summer", repository.head("main"))
    return "summer"


@pytest.fixture
def max_(db: None) -> Any:
    """Somebody who decides and lands."""
    return get_user_model().objects.create_user("max", email="max@example.org")


@pytest.fixture
def rows(connection) -> Callable[..., list[tuple[Any, ...]]]:
    """``rows(branch, sql, params=None)``: what a statement finds on a branch."""

    def ask(branch: str, sql: str, params: Any = None) -> list[tuple[Any, ...]]:
        with connection.bound(branch), connection.cursor() as cursor:
            cursor.execute(sql, params)
            return list(cursor.fetchall())

    return ask


@pytest.fixture
def run(connection, repository):
    """Runs a script on a branch as its own client would, and commits there."""

    def on_dolt(branch: str, script: str) -> None:
        params = connection.get_connection_params()
        client = connection.Database.connect(**params)
        client.autocommit(True)
        try:
            cursor = client.cursor()
            cursor.execute("CALL dolt_checkout(%s)", [branch])
            cursor.fetchall()
            cursor.execute(script)  # Django's parameters allow several statements
            while cursor.nextset() is not None:
                pass
            cursor.execute("CALL dolt_commit('-A', '--skip-empty', '-m', 'Run')")
        finally:
            client.close()

    def on_doltlite(branch: str, script: str) -> None:
        import sqlite3

        client = sqlite3.connect(f"{connection.path}@{branch}", isolation_level=None)
        try:
            client.executescript(script)
            client.execute("SELECT dolt_commit('-A', '--skip-empty', '-m', 'Run')")
        finally:
            client.close()

    return on_dolt if ENGINE == "dolt" else on_doltlite


@pytest.fixture
def leads_there(repository, run):
    """Asserts that what is exported makes ``after`` of ``before``; the SQL."""

    def check(before: str, after: str) -> str:
        script = "\n".join(repository.stream_sql(before, after, without={}))
        repository.create_branch("replay", before)
        run("replay", script)
        made = repository.head("replay")
        assert repository.diff_summary(made, after) == [], script
        assert repository.schema_changes(made, after) == [], script
        assert repository.key_changes(made, after) == []
        repository.delete_branch("replay")
        return script

    return check


@pytest.fixture
def work(repository, max_):
    """``work()``: the merge of summer into main, to be decided about."""
    return lambda: Work(repository, max_)

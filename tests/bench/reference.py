"""
The same as the site does, in the engines' own words and nothing else.

Run within the site's processes, on its connection, so that both are measured
through one driver. ``take(name, …)`` says how long each takes.
"""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from django.db import DatabaseError, transaction

from tests.bench.figures import timed, times
from versioning.conf import connection, repository

COUNT = 15
AUTHOR = "Bench <bench@example.org>"


def _call(cursor: Any, name: str, *arguments: str) -> Any:
    verb = "CALL" if repository().features.engine == "Dolt" else "SELECT"
    marks = ", ".join(["%s"] * len(arguments))
    cursor.execute(f"{verb} dolt_{name}({marks})", arguments)
    return cursor.fetchall()


def _rows(cursor: Any, sql: str, *arguments: Any) -> Any:
    cursor.execute(sql, arguments)
    return cursor.fetchall()


def _diff(cursor: Any, before: str, after: str, table: str, limit: int) -> Any:
    if repository().features.engine == "Dolt":
        sql = f"SELECT * FROM dolt_diff(%s, %s, '{table}') LIMIT {limit}"  # noqa: S608
    else:
        sql = f"SELECT * FROM dolt_diff_{table}(%s, %s) LIMIT {limit}"  # noqa: S608
    return _rows(cursor, sql, before, after)


def compare(cursor: Any, ours: str, theirs: str) -> None:
    ((base,),) = _rows(cursor, "SELECT dolt_merge_base(%s, %s)", ours, theirs)
    _rows(cursor, "SELECT * FROM dolt_diff_summary(%s, %s)", base, theirs)
    _rows(cursor, "SELECT * FROM dolt_diff_stat(%s, %s)", base, theirs)
    _diff(cursor, base, theirs, "polls_choice", 50)


def commit(cursor: Any, ours: str, theirs: str) -> None:
    _rows(cursor, "SELECT * FROM dolt_log(%s) LIMIT 2", theirs)
    ((parent,),) = _rows(cursor, "SELECT dolt_hashof(%s)", f"{theirs}^")
    _rows(cursor, "SELECT * FROM dolt_diff_summary(%s, %s)", parent, theirs)
    _rows(cursor, "SELECT * FROM dolt_diff_stat(%s, %s)", parent, theirs)
    _diff(cursor, parent, theirs, "polls_choice", 50)


def branches(cursor: Any, ours: str, theirs: str) -> None:
    _rows(cursor, "SELECT * FROM dolt_branches")


def log(cursor: Any, ours: str, theirs: str) -> None:
    _rows(cursor, "SELECT * FROM dolt_log(%s) LIMIT 51", ours)


def preview(cursor: Any, ours: str, theirs: str) -> None:
    with transaction.atomic(using=connection().alias, durable=True):
        try:
            _call(cursor, "merge", "--no-ff", "--no-commit", theirs)
            _rows(cursor, "SELECT * FROM dolt_conflicts")
            _rows(cursor, "SELECT * FROM dolt_constraint_violations")
            _rows(cursor, "SELECT * FROM dolt_diff_stat('HEAD', 'WORKING')")
        finally:
            transaction.set_rollback(True, using=connection().alias)


def vote(cursor: Any, *_: str, choice: int = 1001) -> None:
    with transaction.atomic(using=connection().alias, durable=True):
        cursor.execute(
            "UPDATE polls_choice SET votes = votes + 1 WHERE id = %s", [choice]
        )
        _call(cursor, "commit", "-A", "-m", "Vote", "--author", AUTHOR)


PAGES: dict[str, Callable[[Any, str, str], None]] = {
    "compare": compare,
    "merge": preview,
    "commit": commit,
    "branches": branches,
    "log": log,
    "vote": vote,
}


@contextmanager
def on(branch: str) -> Iterator[Any]:
    """A cursor that may write to a branch."""
    with (
        connection().bound(branch),
        connection().writing(),
        connection().cursor() as cursor,
    ):
        yield cursor


def take(ours: str, theirs: str) -> None:
    """Print how long each page's SQL takes, in milliseconds, as JSON."""
    found = {}
    with on("main") as cursor:
        for name, work in PAGES.items():

            def once(work: Callable[..., None] = work) -> None:
                work(cursor, ours, theirs)

            found[name] = times(once, COUNT)
    print(json.dumps(found))


def updated(branch: str, keys: Sequence[int]) -> float:
    """How long it takes to update these questions in one transaction, in ms."""
    with on(branch) as cursor:
        start = time.perf_counter()
        with transaction.atomic(using=connection().alias, durable=True):
            for key in keys:
                cursor.execute(
                    "UPDATE polls_question SET text = %s WHERE id = %s",
                    [f"{branch} {key}", key],
                )
            _call(cursor, "commit", "-A", "-m", "All", "--author", AUTHOR)
        return (time.perf_counter() - start) * 1000


def merged(branch: str) -> float:
    """
    How long it takes to merge ``summer`` into a branch, to take theirs in the
    text of each question in conflict, and to commit, in ms.
    """
    with on(branch) as cursor:
        start = time.perf_counter()
        with transaction.atomic(using=connection().alias, durable=True):
            # DoltLite says by an error that there are conflicts.
            with suppress(DatabaseError):
                _call(cursor, "merge", "--no-ff", "--no-commit", "summer")
            decided = _rows(
                cursor, "SELECT their_text, our_id FROM dolt_conflicts_polls_question"
            )
            for values in decided:
                cursor.execute(
                    "UPDATE polls_question SET text = %s WHERE id = %s", values
                )
            _settle(cursor, "polls_question")
            _call(cursor, "commit", "-A", "-m", "Merge", "--author", AUTHOR)
        return (time.perf_counter() - start) * 1000


def _settle(cursor: Any, table: str) -> None:
    """As is fastest on the engine: DoltLite takes long to delete what it lists."""
    if repository().features.engine == "Dolt":
        cursor.execute(f"DELETE FROM dolt_conflicts_{table}")  # noqa: S608
    else:
        _call(cursor, "conflicts_resolve", "--ours", table)


def votes(seconds: float, client: int) -> None:
    """
    Vote under the branch's lock for some seconds; print how often that was, and
    how long the lock was held each time, in milliseconds.
    """
    held = []
    end = time.perf_counter() + seconds
    with on("main") as cursor:
        while time.perf_counter() < end:
            with repository().write_lock("main"):
                held.append(timed(lambda: vote(cursor, choice=1000 + client)))
    print(json.dumps(held))

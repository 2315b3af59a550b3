"""What a measured site holds; run within its processes (``Site.run``)."""

from collections.abc import Iterator

from django.db import models
from django.db.models.functions import Concat

from polls.models import Choice, Question
from versioning import on_branch
from versioning.conf import connection, repository

AT_ONCE = 2000  # rows a statement
CHOICES = 10  # of a question


def polls(rows: int) -> None:
    """As many choices, ten to a question, on the default branch."""
    questions = rows // CHOICES
    with on_branch(message=f"Add {rows} choices"):
        # Above what the demo holds, so that the keys are known.
        _insert(
            "polls_question (id, text, details, published)",
            (
                (1000 + n, f"Question {n}", "", "2020-01-01 00:00:00")
                for n in range(questions)
            ),
        )
        _insert(
            "polls_choice (id, question_id, text, votes)",
            (
                (1000 + n, 1000 + n // CHOICES, f"Choice {n % CHOICES}", 0)
                for n in range(questions * CHOICES)
            ),
        )


def _insert(into: str, rows: Iterator[tuple[object, ...]]) -> None:
    with connection().cursor() as cursor:
        batch: list[tuple[object, ...]] = []

        def send() -> None:
            marks = f"({', '.join(['%s'] * len(batch[0]))})"
            cursor.execute(
                f"INSERT INTO {into} VALUES {', '.join([marks] * len(batch))}",  # noqa: S608
                [value for row in batch for value in row],
            )

        for row in rows:
            batch.append(row)
            if len(batch) == AT_ONCE:
                send()
                batch = []
        if batch:
            send()


def branch(name: str, changed: int) -> str:
    """A branch off main that rewords as many choices; its head's hash."""
    repository().create_branch(name, repository().head("main"))
    with on_branch(name, message=f"Reword {changed} choices") as unit:
        keys = [1000 + 7 * n for n in range(changed)]
        Choice.objects.filter(pk__in=keys).update(
            text=Concat("text", models.Value(f" on {name}"))
        )
    return unit.commit or ""


def branch_of_all(name: str) -> None:
    """A branch off main on which every choice was voted for."""
    repository().create_branch(name, repository().head("main"))
    with on_branch(name, message="Vote for all"):
        Choice.objects.update(votes=models.F("votes") + 1)


def commits(count: int) -> None:
    """As many commits on main, each a vote."""
    for n in range(count):
        with on_branch(message=f"Vote {n}"):
            Choice.objects.filter(pk=1000 + n % 100).update(votes=models.F("votes") + 1)


def branches(count: int) -> None:
    """As many branches, some commits apart from main."""
    for n in range(count):
        name = f"b{n:03}"
        repository().create_branch(name, repository().head("main"))
        with on_branch(name, message=f"Reword on {name}"):
            Choice.objects.filter(pk=1000 + n).update(text=f"On {name}")


def conflicts(count: int) -> None:
    """Questions that main and the branch ``summer`` word differently."""
    with on_branch(message="Add questions"):
        Question.objects.bulk_create(
            [Question(pk=50_000 + n, text=f"Question {n}") for n in range(count)],
            batch_size=500,
        )
    repository().create_branch("summer", repository().head("main"))
    for name in ("main", "summer"):
        with on_branch(name, message=f"Reword {count} questions"):
            Question.objects.filter(pk__gte=50_000).update(
                text=Concat("text", models.Value(f" on {name}"))
            )

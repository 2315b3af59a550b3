"""
Rows of any shape that both branches added under the same few keys, both kept:
each side's trees are there afterwards, whole, and what both added alike once.
"""

import datetime as dt
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from django.db import models

import versioning
from polls.models import Choice, Question
from tests.contract.work import SIDES, refers_to
from versioning.backends.repository import Author
from versioning.merging import preview
from versioning.merging.resolution import Take

ERIN = Author("Erin Editor", "erin@example.org")
THEN = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
SEEDS = range(12)

#: How often a row is as the other side's is.
ALIKE = {"question": 0.4, "choice": 0.8, "note": 0.8, "label": 0.8}

#: Which columns of a table point to which.
PARENTS: dict[str, dict[str, str]] = {
    "question": {},
    "choice": {"question_id": "question"},
    "note": {"choice_id": "choice", "answers_id": "note"},
    "label": {"question_id": "question"},
}

Tables = dict[str, dict[int, dict[str, Any]]]  # rows by key


@pytest.fixture
def kinds(repository, new_model):
    note = new_model(
        "Note",
        choice=refers_to(Choice),
        answers=refers_to("self", null=True),
        text=models.TextField(),
    )
    label = new_model("Label", question=refers_to(Question), name=models.TextField())
    repository.create_branch("summer", repository.head("main"))
    return {"question": Question, "choice": Choice, "note": note, "label": label}


def some_rows(random: Random, others: Tables) -> Tables:
    """Of one side; many of them as the ``others`` are, which the other side added."""

    def text() -> str:
        return random.choice("aA")

    def added(table: str, first: int, row: Callable[[int], dict[str, Any]]) -> None:
        for key in random.sample(range(first, first + 3), random.randint(1, 3)):
            there = others[table].get(key)
            parents = PARENTS[table].items()
            fits = there and all(there[c] in {None, *found[t]} for c, t in parents)
            alike = fits and random.random() < ALIKE[table]
            found[table][key] = there if there and alike else row(key)

    found: Tables = {table: {} for table in PARENTS}
    added(
        "question",
        7000,
        lambda _: {"text": text(), "details": "", "published": THEN},
    )
    added(
        "choice",
        100,
        lambda key: {
            "question_id": random.choice([*found["question"]]),
            "text": f"{text()}{key}",  # one name for two choices would be refused
            "votes": 0,
        },
    )
    added(
        "note",
        10,
        lambda _: {
            "choice_id": random.choice([*found["choice"]]),
            "answers_id": random.choice([None, *found["note"]]),
            "text": text(),
        },
    )
    added(
        "label",
        50,
        lambda _: {
            "question_id": random.choice([*found["question"]]),
            "name": text(),
        },
    )
    return found


def trees(tables: Tables, which: Any = None) -> Counter[Any]:
    """Rows by what they hold and what those hold that they point to, not by key."""

    def whole(table: str, key: int | None) -> Any:
        if key is None:
            return None
        row, parents = tables[table][key], PARENTS[table]
        own = tuple((name, row[name]) for name in sorted(row.keys() - parents))
        return table, own, tuple(whole(parents[name], row[name]) for name in parents)

    return Counter(
        whole(table, key)
        for table, rows in tables.items()
        for key in rows
        if which is None or which(table, key)
    )


def is_one(ours: Tables, theirs: Tables, table: str, key: int) -> bool:
    """Whether both sides added a row, and all that it points to, alike."""
    row = theirs[table][key]
    return ours[table].get(key) == row and all(
        row[column] is None or is_one(ours, theirs, parent, row[column])
        for column, parent in PARENTS[table].items()
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_all_of_both_is_kept(kinds, work, seed):
    random = Random(seed)
    ours = some_rows(random, {table: {} for table in PARENTS})
    theirs = some_rows(random, ours)
    added = [ours, theirs]
    for side, tables in zip(SIDES, added, strict=True):
        with versioning.on_branch(side, author=ERIN, message=f"Add on {side}"):
            for table, rows in tables.items():
                for key, row in rows.items():
                    kinds[table].objects.create(pk=key, **row)
    merge = work()
    for count in preview.preview("main", merge.sides).conflicts:
        for page in preview.each_conflict_page("main", merge.sides, [count.table]):
            for conflict in page:
                merge.decide(count.table, conflict.key, Take.BOTH)
    assert merge.troubles == {}
    merge.land()
    found = {
        table: {
            row.pop("id"): row
            for row in model.objects.values("id", *_columns(table, added))
        }
        for table, model in kinds.items()
    }
    of_theirs = trees(theirs, lambda *row: not is_one(ours, theirs, *row))
    assert trees(found) == trees(ours) + of_theirs


def _columns(table: str, added: list[Tables]) -> list[str]:
    return [*dict.fromkeys(c for t in added for row in t[table].values() for c in row)]

"""A row's history, whatever happened: held against the row as each commit has it."""

import random
from typing import Any

import pytest
from django.db import transaction
from django.db.models import F

import versioning
from polls.models import Choice, Question
from versioning.backends.equality import same
from versioning.backends.repository import Author, ChangeKind, RowWrite
from versioning.conf import connection as versioned_connection

ERIN = Author("Erin Editor", "erin@example.org")
CHOICES = "polls_choice"
KEY = 1


@pytest.fixture
def question(repository) -> Question:
    with versioning.on_branch("main", author=ERIN, message="Ask"):
        return Question.objects.create(pk=1, text="What’s up?")


def make_history(repository: Any, chance: random.Random, steps: int) -> str:
    """Branches that edit, delete and add one row, and merge; the head of main."""
    branches = ["main"]
    for number in range(steps):
        branch = chance.choice(branches)
        act = chance.choices(
            ["vote", "reword", "delete", "else", "fork", "merge"],
            [3, 1, 1, 2, 2, 3],
        )[0]
        if act == "fork" and len(branches) < 5:
            branches.append(f"b{number}")
            repository.create_branch(branches[-1], repository.head(branch))
        elif act == "merge" and len(branches) > 1:
            source = chance.choice([b for b in branches if b != branch])
            merge(repository, source, branch, take_theirs=chance.random() < 0.4)
        else:
            with versioning.on_branch(branch, author=ERIN, message=f"{number}"):
                edit(act, number)
    for source in branches[1:]:
        merge(repository, source, "main")
    found: str = repository.head("main")
    return found


def edit(act: str, number: int) -> None:
    row = Choice.objects.filter(pk=KEY)
    if act == "else":
        Question.objects.update(details=f"{number}")
    elif not row.exists():
        Choice.objects.create(pk=KEY, question_id=1, text="The sky", votes=number % 2)
    elif act == "delete":
        row.delete()
    elif act == "reword":
        row.update(text=f"The sky {number % 3}")
    else:
        row.update(votes=F("votes") + 1)


def merge(
    repository: Any, source: str, target: str, *, take_theirs: bool = False
) -> None:
    """Rows that conflict stay as the target has them, or become as the source has."""
    theirs = repository.head(source)
    if repository.merge_base(repository.head(target), theirs) == theirs:
        return
    connection = versioned_connection()
    with (
        connection.bound(target),
        connection.writing(),
        transaction.atomic(using="versioned", durable=True),
    ):
        repository.start_merge(theirs)
        for table in (CHOICES, "polls_question"):
            if rows := repository.conflicts(table):
                if take_theirs:
                    writes = [RowWrite(row.key, row.theirs) for row in rows]
                    repository.write_rows(table, writes)
                repository.settle_conflicts(table, rows=len(rows))
        repository.commit_all(f"Merge {source}", ERIN)


Told = tuple[str, ChangeKind, frozenset[str], frozenset[str]]


def expected(repository: Any, head: str) -> set[Told]:
    commits = repository.log([head], limit=10_000)
    held = {
        c.hash: repository.rows(CHOICES, [(KEY,)], at=c.hash).get((KEY,))
        if CHOICES in repository.tables(c.hash)
        else None
        for c in commits
    }
    found = set()
    for commit in commits:
        row = held[commit.hash]
        sides = [held[parent] for parent in commit.parents]
        there = [side for side in sides if side is not None]
        gone = discarded(repository, held, commit) if commit.is_merge else []
        own: frozenset[str] = frozenset()
        if sides and not any(alike(row, side) for side in sides):
            if row is None or not there:
                kind = ChangeKind.REMOVED if row is None else ChangeKind.ADDED
                found.add((commit.hash, kind, frozenset(row or there[0]), own))
                continue
            own = frozenset(
                c for c in row if not any(same(row[c], side[c]) for side in there)
            )
        others = frozenset(c for _, columns in gone for c in columns) - own
        if own or others:
            whole = [side for side, _ in gone if side is None or row is None]
            kind = ChangeKind.CHANGED
            if whole and not own and len(whole) == len(gone):
                kind = ChangeKind.REMOVED if row is None else ChangeKind.ADDED
            else:
                others = frozenset(
                    c for side, cells in gone if side is not None for c in cells
                )
            if own or others:
                found.add((commit.hash, kind, own, others - own))
    return found


def discarded(repository: Any, held: Any, merge: Any) -> list[Any]:
    """Each parent's row, and the columns that it had changed and are not so."""
    base = held[repository.merge_base(*merge.parents)]
    row = held[merge.hash]
    found = []
    for side in (held[parent] for parent in merge.parents):
        if side is None or row is None:
            if not alike(side, row) and not alike(side, base):
                found.append((side, frozenset(side or row)))
        else:
            cells = frozenset(
                c
                for c in row
                if not same(row[c], side[c])
                and (base is None or not same(side[c], base[c]))
            )
            if cells:
                found.append((side, cells))
    return found


def alike(one: Any, other: Any) -> bool:
    if one is None or other is None:
        return one is other
    return all(same(one[column], other[column]) for column in one)


@pytest.mark.parametrize("read", [4, 200])
@pytest.mark.parametrize("seed", range(12))
def test_no_edit_is_lost_and_none_is_made_up(
    repository, question, monkeypatch, seed, read
):
    monkeypatch.setattr("versioning.backends.sql.row_history.READ", read)
    head = make_history(repository, random.Random(seed), 40)
    found: list[Any] = []
    since = ""
    while True:
        page = repository.row_history(CHOICES, (KEY,), at=head, since=since, limit=3)
        found += page.edits
        if not page.more:
            break
        since = found[-1].commit.hash
    told = [
        (edit.commit.hash, edit.change.kind, edit.columns, edit.discarded)
        for edit in found
    ]
    assert len(told) == len(set(told))
    assert set(told) == expected(repository, head)

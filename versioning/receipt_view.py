"""What a receipt says: which counts and cells a form's commit changed."""

import uuid
from dataclasses import dataclass
from typing import Any

from versioning import policies
from versioning.backends.errors import EngineError
from versioning.backends.repository import ChangeKind, Commit, Repository
from versioning.conf import repository
from versioning.models import Receipt
from versioning.presentation.snapshot import Snapshot
from versioning.visibility import hidden_columns

LINES = 5  # of a receipt; a form that changes more says so by its commit's page


@dataclass(frozen=True, slots=True)
class CountedCell:
    """A counter's value before and after a commit."""

    name: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class ReceiptView:
    branch: str
    commit: Commit
    path: str
    counts: tuple[CountedCell, ...]


def show(token: uuid.UUID) -> ReceiptView | None:
    """The receipt of a form, or None if no such form has been committed."""
    receipt = Receipt.objects.filter(token=token).exclude(commit="").first()
    if receipt is None:
        return None
    at_hand = repository()
    try:
        commit = at_hand.commit(receipt.commit)
        counts = tuple(_counts(at_hand, commit))
    except EngineError:
        return None
    return ReceiptView(receipt.branch, commit, receipt.path, counts)


def _counts(at_hand: Repository, commit: Commit) -> list[CountedCell]:
    found: list[CountedCell] = []
    if not commit.parents:
        return found
    counting = policies.counting_tables()
    snapshot = Snapshot(at_hand, commit.hash)
    for change in at_hand.diff_summary(commit.parents[0], commit.hash):
        columns = counting.get(change.table, frozenset())
        columns -= hidden_columns(change.table)
        if not columns:
            continue
        changes = at_hand.diff_rows(
            change.table,
            commit.parents[0],
            commit.hash,
            kinds=[ChangeKind.CHANGED],
            limit=LINES,
        )
        rows = [(c.before, c.after) for c in changes if c.before and c.after]
        names = snapshot.own_names(change.table, [after for _, after in rows])
        for name, (before, after) in zip(names, rows, strict=True):
            found += [
                CountedCell(name or change.table, before[column], after[column])
                for column in sorted(columns)
                if before[column] != after[column]
            ]
    return found[:LINES]

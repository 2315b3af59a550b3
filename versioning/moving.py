"""A branch moved to a commit with all that the commit changed, whoever else writes."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from itertools import islice
from typing import Any

from django.db import transaction

from versioning.backends.errors import RowsLeftBehind
from versioning.backends.repository import (
    Repository,
    RowChange,
    RowWrite,
    TableChange,
)
from versioning.conf import connection as versioned_connection
from versioning.policies import counters_of

TRIES = 5  # as many other clients may come in between, one after the other
PAGE = 500  # rows read at once

_NONE: Any = object()  # what a column holds that a row does not have


def move(branch: str, *, before: str, to: str) -> None:
    """
    Move ``branch`` from the hash ``before`` to its descendant ``to``.

    As ``Repository.fast_forward()``, which says what it raises, under the
    branch's write lock and on a connection that is bound to it. Afterwards the
    branch has all that ``to`` changed, or what somebody made of it since: what
    another client's commit left out is kept by a commit of its own, along with
    the rows that other clients had written and not committed.
    """
    repository = versioned_connection().repository
    try:
        repository.fast_forward(branch, expected=before, to=to)
    except RowsLeftBehind:
        if not _only_rows_changed(repository, before, to):
            raise
        with _transaction():
            write_again(repository, before, to)
    for _ in range(TRIES):
        if repository.head(branch) == to:
            return
        with _transaction():
            if not keep(repository, before, to):
                return


def write_again(repository: Repository, before: str, to: str) -> None:
    """
    Write what changed between two hashes to rows that do not have it. What
    somebody else wrote to a cell stays, and counts are added to theirs.
    """
    for changed in repository.diff_summary(before, to):
        table, counters = changed.table, counters_of(changed.table)
        for page in _pages(repository.diff_rows(table, before, to)):
            keys = [change.key for change in page]
            since = repository.merged_rows(table, before=before, keys=keys)
            theirs = {change.key: change for change in since}
            writes = (_missing(c, theirs.get(c.key), counters) for c in page)
            repository.write_rows(table, [w for w in writes if w])


def keep(repository: Repository, before: str, to: str) -> bool:
    """
    Commit the rows at hand if the head is without some of what changed between
    two hashes, and they have it, or if it holds conflicts: whether it was so.
    The last statement in ``atomic()``.
    """
    changed = {change.table: change for change in repository.diff_summary(before, to)}
    author = repository.commit(to).author
    subject = f"Keep what {to[:12]} changed"
    if any(
        _is_left_out(repository, changed[left.table], left, before, to)
        for left in repository.merged_summary()
        if left.table in changed
    ):
        text = "the server left this out of its commit"
        made = repository.commit_all(_message(subject, text), author)
    else:
        text = "the server committed conflicts, which are as that client wrote them"
        made = repository.leave_conflicts(_message(subject, text), author)
    return made is not None


def _message(subject: str, what: str) -> str:
    return f"{subject}\n\nAnother client committed at the same moment, and {what}."


def _only_rows_changed(repository: Repository, before: str, to: str) -> bool:
    return not any(c.schema_changed for c in repository.diff_summary(before, to))


def _missing(
    ours: RowChange, theirs: RowChange | None, counters: frozenset[str]
) -> RowWrite | None:
    """What is to be written so that a row has our change, with theirs in it."""
    if theirs is None:  # the row is as it was before
        return RowWrite(ours.key, ours.after)
    was, wanted, found = ours.before, ours.after, theirs.after
    if was is None or wanted is None or found is None or theirs.before is None:
        return None  # added by both, or removed by one
    values = {}
    for column, value in wanted.items():
        if value == was[column]:
            continue
        if found[column] == theirs.before[column]:
            values[column] = value
        elif column in counters and None not in (value, was[column], found[column]):
            values[column] = found[column] + value - was[column]
    return RowWrite(ours.key, values) if values else None


def _is_left_out(
    repository: Repository,
    changed: TableChange,
    left: TableChange,
    before: str,
    to: str,
) -> bool:
    """Whether rows at hand have something of a change, and the head has not."""
    if left.schema_changed:
        return changed.schema_changed
    for page in _pages(repository.merged_rows(left.table)):
        keys = [change.key for change in page]
        ours = repository.diff_rows(changed.table, before, to, keys=keys)
        wanted = {change.key: change for change in ours}
        if any(
            change.key in wanted and _took_back(change, wanted[change.key])
            for change in page
        ):
            return True
    return False


def _took_back(left: RowChange, ours: RowChange) -> bool:
    """Whether a change that nobody committed has a cell that ours has as well."""
    head, now = left.before or {}, left.after or {}
    was, wanted = ours.before or {}, ours.after or {}
    return any(
        wanted.get(column, _NONE) == now.get(column, _NONE)
        and wanted.get(column, _NONE)
        not in (head.get(column, _NONE), was.get(column, _NONE))
        for column in was.keys() | wanted.keys()
    )


def _pages(changes: Iterator[RowChange]) -> Iterator[list[RowChange]]:
    while page := list(islice(changes, PAGE)):
        yield page


def _transaction() -> AbstractContextManager[Any]:
    return transaction.atomic(using=versioned_connection().alias, durable=True)

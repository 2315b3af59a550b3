"""A merge under way: to be looked at and rolled back, or to become a candidate."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import cast

from django.db import transaction

from versioning.backends.errors import BranchMoved, UncommittedRows
from versioning.backends.repository import MergeSides, Repository, RowWrite
from versioning.conf import connection as versioned_connection
from versioning.merging import limits, picks, references, reshaped
from versioning.merging.hiding import hidden_branch, lock_key
from versioning.merging.memory import remember
from versioning.merging.transplant import Transplant


@contextmanager
def rehearsal(target: str, sides: MergeSides) -> Iterator[Repository]:
    """
    The merge, under way in a transaction that is always rolled back. On the
    target itself, which costs least; where that has moved on by then, as a branch
    that many vote on does all the time, on a hidden branch where it was.
    """
    with ExitStack() as stack:
        branch, merge = target, None
        while merge is None:
            try:
                merge = stack.enter_context(_rehearsal_on(branch, sides))
            except BranchMoved:
                if branch != target:
                    raise
                branch = stack.enter_context(_branch_at(target, sides.ours))
        yield merge


@contextmanager
def _rehearsal_on(branch: str, sides: MergeSides) -> Iterator[Repository]:
    with merge_transaction(branch) as repository:
        head, left = repository.head_and_uncommitted()
        if head != sides.ours:
            raise BranchMoved(branch, sides.ours, head)
        if left:
            raise UncommittedRows(left.tables)
        try:
            merge = start(repository, sides)
            # Rows are written from within, and no table is defined anew.
            with repository.one_look():
                yield merge
        finally:
            transaction.set_rollback(True, using=repository.connection.alias)


@contextmanager
def _branch_at(target: str, commit: str) -> Iterator[str]:
    """A hidden branch at a commit (a hash) of ``target``; its name."""
    key = lock_key(f"rehearsal {target}")  # a landing sweeps those of its own
    repository = versioned_connection().repository
    with repository.landing_lock(key), hidden_branch(key, commit) as branch:
        yield branch


@contextmanager
def merge_transaction(branch: str) -> Iterator[Repository]:
    """A transaction on a branch, for ``start()``."""
    connection = versioned_connection()
    with connection.bound(branch), connection.writing():
        connection.repository.prepare_merge()
        with transaction.atomic(using=connection.alias, durable=True):
            yield connection.repository


def start(repository: Repository, sides: MergeSides) -> Repository:
    """
    Begin to bring ``sides.theirs`` into the working set; what to ask about it
    then. Raises ``MergeBlocked``, ``MergeRefused``, ``UncommittedRows``.
    """
    if sides.is_merge:
        limits.require_mergeable(repository, sides)
        repository.start_merge(sides.theirs)
        repository.fill_new_columns(sides)
        repository.fill_new_indexes(sides)
        unnoticed = remember(
            ("unnoticed", sides), lambda: _looked_over(repository, sides)
        )
        _leave_as_ours(repository, sides, unnoticed)
        in_doubt = remember(("doubts", sides), lambda: picks.doubts(repository, sides))
        if unnoticed or in_doubt:
            asking = picks.Doubting(repository, sides, in_doubt, unnoticed)
            return cast(Repository, asking)
        return repository
    transplant = Transplant(repository, sides)
    transplant.start()
    return cast(Repository, transplant)


def _looked_over(repository: Repository, sides: MergeSides) -> reshaped.Unnoticed:
    """
    As ``reshaped.unnoticed()``. Raises ``MergeRefused`` if anything is lost. Asks two
    questions where neither side defined anything anew.
    """
    ends = sides.ours, sides.theirs
    if not any(repository.schema_changes(sides.base, side) for side in ends):
        return {}
    with repository.one_look():
        if repository.schema_conflicts():
            return {}  # definitions come first, and nothing lands before
        found = reshaped.unnoticed(repository, sides)
        references.require_kept(repository, sides)
    return found


def _leave_as_ours(
    repository: Repository, sides: MergeSides, unnoticed: reshaped.Unnoticed
) -> None:
    """As the engines leave rows in conflict until somebody has decided."""
    for table, keys in unnoticed.items():
        ours = repository.rows(table, sorted(keys), at=sides.ours)
        repository.try_rows(table, [RowWrite(*row) for row in ours.items()])


def require_head(repository: Repository, branch: str, expected: str) -> None:
    """Raises ``BranchMoved`` if a branch's head is another hash."""
    found = repository.head(branch)
    if found != expected:
        raise BranchMoved(branch, expected, found)

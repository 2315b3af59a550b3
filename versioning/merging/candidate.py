"""
A merge built and checked on a hidden branch, before any target moves.

The candidate is a commit with exactly two parents, the pinned ours and theirs.
"""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from versioning.backends.errors import (
    EngineError,
    MergeBlocked,
    VersioningError,
)
from versioning.backends.repository import (
    Author,
    Key,
    MergeSides,
    Repository,
    Violation,
)
from versioning.conf import connection as versioned_connection
from versioning.merging import VIOLATIONS_LISTED, copies, result
from versioning.merging.changed_rows import ChangedRows
from versioning.merging.hiding import hidden_branch, lock_key
from versioning.merging.rehearsal import merge_transaction, require_head, start
from versioning.merging.trial import SHOWN
from versioning.merging.validation import (
    InvalidRow,
    broken_invariants,
    invalid_rows,
    mark_old,
)
from versioning.merging.writing import ResultWriter
from versioning.models import MergeDraft


class ViolationsRemain(VersioningError):
    """The merge's result breaks constraints; nothing was merged."""

    def __init__(self, violations: list[Violation]):
        super().__init__(
            "Rows of the result would break a rule of their table: "
            + ", ".join(sorted({f"{v.kind} in {v.table}" for v in violations}))
            + "."
        )
        self.violations = violations


class RowsInvalid(VersioningError):
    """Rows of the result break rules of the application; nothing was merged."""

    def __init__(self, rows: list[InvalidRow], more: int = 0):
        count = len(rows) + more
        super().__init__(
            f"{count} row{' breaks' if count == 1 else 's break'} a rule of the "
            "application."
        )
        self.rows = rows


class NothingToMerge(VersioningError):
    """The target holds all of it already."""


@dataclass(frozen=True, slots=True)
class Candidate:
    branch: str
    commit: str  # hash


@contextmanager
def candidate(
    target: str,
    sides: MergeSides,
    draft: MergeDraft | None,
    *,
    author: Author,
    message: str,
) -> Iterator[Candidate]:
    """
    Build the merge with a draft's decisions and check it; the hidden branch
    lives for the length of the block.

    To be called under the target's landing lock. Raises ``ConflictsRemain``
    (decisions are missing), ``ViolationsRemain``, ``RowsInvalid``,
    ``MergeBlocked``, ``NothingToMerge``.
    """
    repository = versioned_connection().repository
    with hidden_branch(lock_key(target), sides.ours) as branch:
        commit, written = _build(branch, sides, draft, author, message)
        _check(repository, branch, commit, sides, written)
        yield Candidate(branch, commit)


def _build(
    branch: str,
    sides: MergeSides,
    draft: MergeDraft | None,
    author: Author,
    message: str,
) -> tuple[str, ResultWriter]:
    with merge_transaction(branch) as repository:
        require_head(repository, branch, sides.ours)
        if sides.is_merge and sides.base == sides.theirs:
            raise NothingToMerge(sides.theirs)
        merge = start(repository, sides)
        if merge.schema_conflicts():
            raise MergeBlocked("Two definitions of a table can’t be merged.")
        listed = merge.violations(limit=VIOLATIONS_LISTED + 1)
        if (
            len(listed) > VIOLATIONS_LISTED
        ):  # more than anybody mends, or than is checked below
            raise ViolationsRemain(listed[:SHOWN])
        written = result.write(merge, sides, draft, listed, settle=True)
        if broken := result.faults(merge, listed, written).new:
            raise ViolationsRemain(broken)
        if unclear := copies.unclear(written):
            raise RowsInvalid(unclear)
        for table in sorted({violation.table for violation in listed}):
            merge.settle_violations(table)
        if listed and sides.is_merge:
            repository.fill_new_indexes(sides)
        commit = repository.commit_all(message, author)
    if commit is None:  # a merge is a commit, changed or not
        raise NothingToMerge(sides.theirs)
    return commit, written


def _check(
    repository: Repository,
    branch: str,
    commit: str,
    sides: MergeSides,
    written: ResultWriter,
) -> None:
    """What must hold of the finished candidate, asked of the engine anew."""
    made = repository.commit(commit)
    parents = (sides.ours, sides.theirs) if sides.is_merge else (sides.ours,)
    if made.parents != parents:
        raise EngineError(f"The merge has the parents {made.parents}.")
    with versioned_connection().bound(branch):
        require_head(repository, branch, commit)
        if broken := repository.broken_constraints():
            _refuse_new_faults(repository, sides, broken)
        changed = ChangedRows(repository, sides, commit)
        asked = [invalid_rows(changed, written.keys)]
        broken_rules = broken_invariants(changed)
    if broken_rules:
        with versioned_connection().bound(at=sides.ours):
            asked.append(mark_old(broken_rules))
    if wrong := [row for found in asked for row in found.rows if not row.was_before]:
        raise RowsInvalid(wrong, sum(found.more for found in asked))


def _refuse_new_faults(
    repository: Repository, sides: MergeSides, broken: list[Violation]
) -> None:
    """Raise ``ViolationsRemain`` for faults that the target did not have before."""
    keys: dict[str, set[Key]] = defaultdict(set)
    for fault in broken:
        keys[fault.table].add(fault.key)
    with versioned_connection().bound(at=sides.ours):
        # Of these rows: there may have been more than are listed at once.
        old = {
            (v.table, v.key, v.kind)
            for table in keys.keys() & set(repository.tables())
            for v in repository.faults_of(table, sorted(keys[table]))
        }
    new = [v for v in broken if (v.table, v.key, v.kind) not in old]
    if new:
        raise ViolationsRemain(new)

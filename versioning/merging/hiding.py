"""
Hidden branches, on which merges and migrations are built before a target moves.

Nobody sees them. Whoever makes one removes it, and ``sweep()`` removes what a
crash left.
"""

import hashlib
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from versioning.backends.errors import BranchNotFound, EngineBusy
from versioning.backends.repository import Repository
from versioning.conf import connection as versioned_connection


def lock_key(target: str) -> str:
    """A short name for a target, in its landing lock and its hidden branches' names."""
    return hashlib.sha256(target.encode()).hexdigest()[:16]


@contextmanager
def hidden_branch(key: str, at: str) -> Iterator[str]:
    """
    A branch that nobody sees, made at a hash; its name. Under the landing lock of
    ``key`` only. It is gone after the block.
    """
    repository = versioned_connection().repository
    branch = f"{_prefix(key)}{uuid.uuid4().hex}"
    repository.create_branch(branch, at)
    try:
        yield branch
    finally:
        _remove(repository, branch)


def sweep(target: str) -> None:
    """
    Remove the hidden branches that landings on ``target`` left when they were
    killed. Under the target's landing lock only, as a living landing has one.
    """
    _sweep(lock_key(target))


def sweep_all() -> None:
    """
    Remove what killed processes left, of any target, gone ones too. Leaves the
    branches of landings that are under way: those hold their target's lock.
    """
    repository: Repository = versioned_connection().repository
    keys = {
        branch.name.removeprefix(Repository.CANDIDATES).partition("-")[0]
        for branch in repository.branches()
        if branch.name.startswith(Repository.CANDIDATES)
    }
    for key in sorted(keys):
        with suppress(EngineBusy), repository.landing_lock(key, timeout=0):
            _sweep(key)


def _sweep(key: str) -> None:
    repository = versioned_connection().repository
    for branch in repository.branches():
        if branch.name.startswith(_prefix(key)):
            _remove(repository, branch.name)


def _prefix(key: str) -> str:
    return f"{Repository.CANDIDATES}{key}-"


def _remove(repository: Repository, branch: str) -> None:
    with suppress(BranchNotFound):
        repository.delete_branch(branch)

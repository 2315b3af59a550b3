"""Branches brought up to the code's migrations, each by a commit of its own."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import DatabaseError, transaction
from django.db.migrations.executor import MigrationExecutor

from versioning import schema_state
from versioning.backends.errors import BranchNotFound, EngineError, VersioningError
from versioning.backends.repository import Author
from versioning.conf import connection, options
from versioning.merging.hiding import hidden_branch, lock_key, sweep
from versioning.moving import move
from versioning.names import is_hidden
from versioning.unit_of_work import commit_strangers_rows, schema_change

_log = logging.getLogger(__name__)


class CannotMigrate(VersioningError):
    """
    The branch can't be brought to what the code has; ``str()`` says why. With
    ``said``, in words of the database or of a migration, which may quote values
    of rows: ``text`` is without them.
    """

    def __init__(self, text: str, said: str = ""):
        super().__init__(f"{text} It says: {said}" if said else text)
        self.text = text
        self.said = said


@dataclass(frozen=True, slots=True)
class Migrated:
    branch: str
    applied: tuple[str, ...]  # names "app.0002_name"; () if it was up to date
    commit: str  # hash of the branch's head now


def bring_up_to_date(branch: str, author: Author) -> Migrated:
    """
    Run the versioned apps' migrations that a branch lacks, as one commit on it.

    They run on a hidden branch, and the branch moves to what they made: all of
    it or nothing, although no engine takes back all that a migration does.
    Raises ``BranchNotFound``, ``EngineBusy``, ``BranchMoved`` and
    ``UncommittedRows`` as a landing does; ``CannotMigrate`` for a branch that
    has other migrations than the code, or where one of them fails.
    """
    if is_hidden(branch):
        raise BranchNotFound(branch)
    repository = connection().repository
    repository.branch(branch)
    with connection().bound(branch):
        difference = schema_state.difference()
    if difference is None:
        return Migrated(branch, (), repository.head(branch))
    if difference.unknown:
        raise CannotMigrate(
            f"“{branch}” has migrations that the code lacks: "
            f"{', '.join(difference.unknown)}. Run it with the code that has them."
        )
    message = f"Migrate to {', '.join(difference.missing)}"
    with repository.landing_lock(lock_key(branch)), repository.write_lock(branch):
        sweep(branch)
        before = _settled_head(branch)
        with hidden_branch(lock_key(branch), before) as hidden:
            with (
                _failures_told(branch),
                schema_change(hidden, author=author, message=message),
            ):
                _run()
            after = repository.head(hidden)
            with connection().bound(branch), connection().writing():
                move(branch, before=before, to=after)
    return Migrated(branch, difference.missing, after)


def _settled_head(branch: str) -> str:
    """The branch's head, with what another client left there committed."""
    repository = connection().repository
    with (
        connection().bound(branch),
        connection().writing(),
        transaction.atomic(using=connection().alias, durable=True),
    ):
        if left := repository.uncommitted():
            commit_strangers_rows(repository, left)
    return repository.head(branch)


def _run() -> None:
    """Run what is missing where the connection is."""
    executor = MigrationExecutor(connection())
    leaves = executor.loader.graph.leaf_nodes()
    executor.migrate([node for node in leaves if node[0] in options().apps])


@contextmanager
def _failures_told(branch: str) -> Iterator[None]:
    """Raises ``CannotMigrate`` where the migrations of a branch fail."""
    try:
        yield
    except (EngineError, VersioningError):
        raise
    except DatabaseError as error:
        _log.warning("A migration of %s was refused", branch, exc_info=True)
        raise CannotMigrate(
            _stopped(branch, "the database refused one"), str(error.args[-1])
        ) from error
    except Exception as error:  # a migration is code, which may raise anything
        _log.exception("A migration of %s failed", branch)
        raise CannotMigrate(
            _stopped(branch, "one of them failed"), repr(error)
        ) from error


def _stopped(branch: str, why: str) -> str:
    return (
        f"The migrations of “{branch}” stopped, as {why}. “{branch}” is as it was, and "
        "so is every other branch."
    )


def branch_names() -> list[str]:
    """All branches that people know of, by name."""
    repository = connection().repository
    return [b.name for b in repository.branches() if not is_hidden(b.name)]

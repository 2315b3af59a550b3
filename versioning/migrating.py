"""Branches brought up to the code's migrations, each by a commit of its own."""

from dataclasses import dataclass

from django.db import DatabaseError
from django.db.migrations.executor import MigrationExecutor

from versioning import schema_state
from versioning.backends.errors import BranchNotFound, EngineError, VersioningError
from versioning.backends.repository import Author
from versioning.conf import connection, options
from versioning.names import is_hidden
from versioning.unit_of_work import schema_change


class CannotMigrate(VersioningError):
    """The branch can't be brought to what the code has; ``str()`` says why."""


@dataclass(frozen=True, slots=True)
class Migrated:
    branch: str
    applied: tuple[str, ...]  # names "app.0002_name"; () if it was up to date
    commit: str  # hash of the branch's head now


def bring_up_to_date(branch: str, author: Author) -> Migrated:
    """
    Run the versioned apps' migrations that a branch lacks, as one commit on it.

    Raises ``BranchNotFound``, ``EngineBusy``; ``CannotMigrate`` for a branch
    that has other migrations than the code, or whose rows a migration does not
    fit; and what else a migration raises. What was done by then is committed,
    as no engine takes back all of it.
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
    names = ", ".join(difference.missing)
    with schema_change(branch, author=author, message=f"Migrate to {names}"):
        executor = MigrationExecutor(connection())
        apps = options().apps
        leaves = executor.loader.graph.leaf_nodes()
        try:
            executor.migrate([node for node in leaves if node[0] in apps])
        except EngineError:
            raise
        except DatabaseError as error:
            raise CannotMigrate(
                f"The migrations of “{branch}” stopped, as the database refused one: "
                f"{error.args[-1]}. What was done before is committed on “{branch}”; "
                "no other branch was changed."
            ) from error
    return Migrated(branch, difference.missing, repository.head(branch))


def branch_names() -> list[str]:
    """All branches that people know of, by name."""
    repository = connection().repository
    return [b.name for b in repository.branches() if not is_hidden(b.name)]

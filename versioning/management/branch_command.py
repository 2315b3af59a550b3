"""What the commands that write to the versioned database have in common."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from versioning.backends.errors import BranchNotFound
from versioning.backends.repository import Author
from versioning.conf import options
from versioning.unit_of_work import schema_change

AUTHOR = Author("manage.py", "manage.py@pollard.invalid")


class Committing:
    """
    For a command of Django's that takes ``--database``, before it: what it does
    to the versioned database is one commit, on the branch that ``--branch`` names.
    """

    def message(self, *args: Any, **given: Any) -> str:
        """What the commit says, for a command's arguments and options."""
        raise NotImplementedError

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)  # type: ignore[misc]
        parser.add_argument(
            "--branch",
            help="Branch of the versioned database to work on (default: its default); "
            f"with --database {options().database}.",
        )

    def handle(self, *args: Any, **given: Any) -> None:
        branch, versioned = given.get("branch"), options().database
        if branch == "":  # of a shell's variable that nobody set
            raise CommandError("--branch names no branch.")
        if given["database"] == versioned:
            said = self.message(*args, **given)
            try:
                with schema_change(branch, author=AUTHOR, message=said):
                    super().handle(*args, **given)  # type: ignore[misc]
            except BranchNotFound as error:
                raise CommandError(str(error)) from error
        elif branch is None:
            super().handle(*args, **given)  # type: ignore[misc]
        else:
            raise CommandError(
                f"The database “{given['database']}” has no branches: "
                f"--branch goes with --database {versioned}."
            )

"""What the commands that write to the versioned database have in common."""

from contextlib import nullcontext
from typing import Any

from django.core.management.base import CommandParser

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
            help="Branch of the versioned database to work on (default: its default).",
        )

    def handle(self, *args: Any, **given: Any) -> None:
        given.setdefault("branch", None)
        with (
            schema_change(
                given["branch"], author=AUTHOR, message=self.message(*args, **given)
            )
            if given["database"] == options().database
            else nullcontext()
        ):
            super().handle(*args, **given)  # type: ignore[misc]

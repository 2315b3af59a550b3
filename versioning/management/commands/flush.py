from typing import Any

from django.core.management.base import CommandParser
from django.core.management.commands import flush

from versioning.management.branch_command import add_branch_argument, committed


class Command(flush.Command):
    """``flush`` that ends in a commit, on the branch it is given."""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        add_branch_argument(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        options.setdefault("branch", None)
        with committed(options, "Delete all rows"):
            super().handle(*args, **options)

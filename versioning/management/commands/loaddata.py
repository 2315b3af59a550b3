from typing import Any

from django.core.management.base import CommandParser
from django.core.management.commands import loaddata

from versioning.management.branch_command import add_branch_argument, committed


class Command(loaddata.Command):
    """``loaddata`` that ends in a commit, on the branch it is given."""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        add_branch_argument(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        options.setdefault("branch", None)
        with committed(options, f"Load {', '.join(args)}"):
            super().handle(*args, **options)

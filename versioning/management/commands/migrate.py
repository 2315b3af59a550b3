from typing import Any

from django.core.management.base import CommandParser
from django.core.management.commands import migrate

from versioning.management.branch_command import add_branch_argument, committed


class Command(migrate.Command):
    """``migrate`` that ends in a commit, on the branch it is given."""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        add_branch_argument(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        options.setdefault("branch", None)
        what = " ".join(filter(None, [options["app_label"], options["migration_name"]]))
        with committed(options, f"Migrate {what}".strip()):
            super().handle(*args, **options)

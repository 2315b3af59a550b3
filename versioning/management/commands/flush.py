from typing import Any

from django.core.management.commands import flush

from versioning.management.branch_command import Committing


class Command(Committing, flush.Command):
    """``flush`` that ends in a commit, on the branch it is given."""

    def message(self, *args: Any, **given: Any) -> str:
        return "Delete all rows"

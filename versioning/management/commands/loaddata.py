from typing import Any

from django.core.management.commands import loaddata

from versioning.management.branch_command import Committing


class Command(Committing, loaddata.Command):
    """``loaddata`` that ends in a commit, on the branch it is given."""

    def message(self, *args: Any, **given: Any) -> str:
        return f"Load {', '.join(args)}"

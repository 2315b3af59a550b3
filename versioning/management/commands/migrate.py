from typing import Any

from django.core.management.commands import migrate

from versioning.management.branch_command import Committing


class Command(Committing, migrate.Command):
    """``migrate`` that ends in a commit, on the branch it is given."""

    def message(self, *args: Any, **given: Any) -> str:
        what = (given["app_label"], given["migration_name"])
        return " ".join(filter(None, ["Migrate", *what]))

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from versioning.backends.errors import VersioningError
from versioning.management.branch_command import AUTHOR
from versioning.migrating import branch_names, bring_up_to_date


class Command(BaseCommand):
    help = "Bring branches up to the code's migrations, each by a commit of its own."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("branch", nargs="*", help="Names of branches.")
        parser.add_argument("--all", action="store_true", help="All branches.")

    def handle(self, *args: Any, **given: Any) -> None:
        names = given["branch"]
        if bool(names) == given["all"]:
            raise CommandError("Name branches, or --all of them.")
        failed = 0
        for name in branch_names() if given["all"] else names:
            try:
                done = bring_up_to_date(name, AUTHOR)
            except (VersioningError, DatabaseError) as error:
                failed += 1
                self.stderr.write(f"{name}: not migrated. {error}")
                continue
            if done.applied:
                self.stdout.write(f"{name}: {', '.join(done.applied)}")
            else:
                self.stdout.write(f"{name}: is up to date")
        if failed:
            raise CommandError(f"{failed} of the branches could not be migrated.")

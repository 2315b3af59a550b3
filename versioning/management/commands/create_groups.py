from typing import Any

from django.core.management.base import BaseCommand

from versioning.permissions import create_groups


class Command(BaseCommand):
    help = "Make the groups “Editors” and “Maintainers” with their permissions."

    def handle(self, *args: Any, **options: Any) -> None:
        for name in create_groups():
            self.stdout.write(name)

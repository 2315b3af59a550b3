from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from versioning.models import Receipt

DAYS = 30
MOST = 36_500


class Command(BaseCommand):
    help = (
        "Delete the receipts of forms that came long ago. Such a form counts anew if "
        "it is sent again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--days",
            type=int,
            default=DAYS,
            help="How old they are at least, in days. Default: %(default)s.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        days = options["days"]
        if not 1 <= days <= MOST:
            raise CommandError(f"--days takes a number from 1 to {MOST}.")
        before = timezone.now() - timedelta(days=days)
        count, _ = Receipt.objects.filter(made__lt=before).delete()
        self.stdout.write(f"{count} receipt{'' if count == 1 else 's'} deleted.")

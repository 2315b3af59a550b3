from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.core.management.base import BaseCommand, CommandError

from polls import demo
from polls.models import Question
from versioning.permissions import create_groups

#: User name, first and last name, group. The password is the name and “-demo”.
PEOPLE = (
    ("erin", "Erin", "Vale", "Editors"),
    ("max", "Max", "Okafor", "Maintainers"),
)


class Command(BaseCommand):
    help = "Fill an empty site with the demo’s polls, branches and accounts, once."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError(
                "The demo’s accounts have known passwords, so they are made in demo "
                "mode only (POLLARD_DEMO=1, as “make run” sets it)."
            )
        if User.objects.filter(username__in=[name for name, *_ in PEOPLE]).exists():
            return
        if Question.objects.exists():
            raise CommandError(
                "There are polls already, and no demo accounts: the demo goes into "
                "an empty site. If its first run was interrupted, “make reset” "
                "starts over."
            )
        self.stdout.write("Writing the demo’s polls, votes and branches")
        people = [
            User(
                username=name,
                first_name=first,
                last_name=last,
                email=f"{name}@example.org",
            )
            for name, first, last, _ in PEOPLE
        ]
        demo.tell(*people)
        # Last, so that an account says that the story is whole.
        create_groups()
        for user, (name, *_, group) in zip(people, PEOPLE, strict=True):
            user.set_password(f"{name}-demo")
            user.save()
            user.groups.add(Group.objects.get(name=group))

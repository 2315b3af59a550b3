"""How the polls' tables are named in diffs, and how they merge."""

from django.core.exceptions import ValidationError

from polls.forms import MIN_CHOICES
from polls.models import Choice, Question
from versioning import register, register_kind


def keeps_enough_choices(question: Question) -> None:
    """What each side did by a form can leave fewer together than a form allows."""
    if question.choices.count() < MIN_CHOICES:
        raise ValidationError(f"A question needs at least {MIN_CHOICES} choices.")


register(
    Question,
    label=lambda question: f"Question “{question}”",
    invariants=[keeps_enough_choices],
    prefetch=["choices"],
)
register(
    Choice,
    label=lambda choice: f"Choice “{choice}” of “{choice.question}”",
    counters=["votes"],
)
register_kind(
    "vote", one="vote", many="votes", about_one="question", about_many="questions"
)

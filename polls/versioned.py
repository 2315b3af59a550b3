"""How the polls' tables are named in diffs, and how they merge."""

from polls.models import Choice, Question
from versioning import register

register(Question, label=lambda question: f"Question “{question}”")
register(
    Choice,
    label=lambda choice: f"Choice “{choice}” of “{choice.question}”",
    counters=["votes"],
)

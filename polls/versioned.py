"""How the polls' tables are named in diffs, and how they merge."""

from polls.models import Choice, Question
from versioning import register, register_kind

register(Question, label=lambda question: f"Question “{question}”")
register(
    Choice,
    label=lambda choice: f"Choice “{choice}” of “{choice.question}”",
    counters=["votes"],
)
register_kind(
    "vote", one="vote", many="votes", about_one="question", about_many="questions"
)

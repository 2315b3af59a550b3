"""A merge into a branch on which people vote without a rest."""

import pytest
from django.db.models import F

import versioning
from polls.models import Choice, Question
from tests.contract.test_locks import Process
from tests.web.fields import press_merge

MERGE = {"source": "summer", "target": "main"}

VOTE = """
import sys
import django
django.setup()
from django.db.models import F
import versioning
from polls.models import Choice
while True:
    with versioning.on_branch("main", message="Vote"):
        Choice.objects.filter(pk=sys.argv[1]).update(votes=F("votes") + 1)
    print("voted", flush=True)
"""


@pytest.fixture
def choice(repository, erin):
    with versioning.on_branch("main", author=erin, message="Ask"):
        question = Question.objects.create(text="What’s up?")
        choice = Choice.objects.create(question=question, text="The sky")
    repository.create_branch("summer", repository.head("main"))
    with versioning.on_branch("summer", message="Vote"):
        Choice.objects.update(votes=F("votes") + 1)
    return choice


def test_it_is_looked_at_and_lands_and_no_vote_is_lost(
    repository, maintainer, erin, choice
):
    start = repository.head("main")
    with Process(VOTE, str(choice.pk)) as one, Process(VOTE, str(choice.pk)) as other:
        one.wait_for("voted")
        other.wait_for("voted")
        for number in range(4):
            with versioning.on_branch("summer", author=erin, message="Reword"):
                Choice.objects.update(text=f"Sky {number}")
            press_merge(maintainer, MERGE)
        one.wait_for("voted")
        other.wait_for("voted")
    head = repository.head("main")
    commits = list(repository.commits_between(start, head, limit=10_000))
    assert sum(commit.is_merge for commit in commits) == 4
    votes = sum(commit.subject == "Vote" for commit in commits)
    assert votes > 6
    choice.refresh_from_db()
    assert (choice.text, choice.votes) == ("Sky 3", votes)

"""
A landing whose server is killed at each change in turn. A script, as the
process outlives the server and has to recover from that: ``main()``.
"""

from pathlib import Path
from typing import Any

from django.db import connections
from django.db.models import F
from dolt_server import DoltServer

import versioning
from polls.models import Choice, Question
from tests.changes import at_change
from versioning.backends.errors import EngineUnavailable
from versioning.backends.repository import Author, Repository
from versioning.conf import connection
from versioning.merging import preview
from versioning.merging.hiding import sweep_all
from versioning.merging.landing import land

ERIN = Author("Erin Editor", "erin@example.org")


def main(data: str, port: int, when: str) -> None:
    """Prints how many changes there were, and after how many it had landed."""
    server = DoltServer(Path(data), port=port)
    server.start()
    try:
        changes, landed = _kill_at_each(server, when)
    finally:
        server.stop()
    print(changes, landed)


def _kill_at_each(server: DoltServer, when: str) -> tuple[int, int]:
    repository = connection().repository
    with versioning.on_branch(author=ERIN, message="Add a poll"):
        question = Question.objects.create(text="Who survives?")
        choice = Choice.objects.create(question=question, text="All", votes=0)
    repository.create_branch("summer", repository.head("main"))
    number, landed, votes = 0, 0, 0
    while True:
        number += 1
        for branch in ("main", "summer"):
            with versioning.on_branch(branch, author=ERIN, message=f"Vote {number}"):
                Choice.objects.filter(pk=choice.pk).update(votes=F("votes") + 1)
            votes += 1
        sides = preview.sides_of(
            repository, repository.head("main"), repository.head("summer")
        )
        assert sides is not None
        watch = at_change(number, when, server.kill)
        survived = False
        try:
            with connection().execute_wrapper(watch):
                land("summer", "main", sides, None, None)
                survived = True
        except EngineUnavailable:
            assert server.process is None  # that is why
        is_last = server.process is not None
        assert survived or not is_last
        if not is_last:
            server.start()
            connections.close_all()  # as each request does with dead ones
        head = repository.commit(repository.head("main"))
        assert not survived or head.hash != sides.ours
        if head.hash == sides.ours:
            # Nothing of it is there, and nothing is left that is in the way.
            assert repository.uncommitted() is None
            sweep_all()
            assert not _hidden(repository)
            land("summer", "main", sides, None, None)
        else:
            assert head.parents == (sides.ours, sides.theirs)
            landed += 1
            sweep_all()
        assert not _hidden(repository)
        with connection().bound("main"):
            assert Choice.objects.get(pk=choice.pk).votes == votes
        if is_last:
            return number, landed


def _hidden(repository: Any) -> list[str]:
    return [
        branch.name
        for branch in repository.branches()
        if branch.name.startswith(Repository.CANDIDATES)
    ]

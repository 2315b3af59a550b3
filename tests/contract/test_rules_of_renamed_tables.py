"""A model's rules about rows of a table that one side has under another name."""

import pytest
from django.core.exceptions import ValidationError
from django.db import models

import versioning
from tests.contract.work import SIDES
from versioning.backends.errors import MergeBlocked
from versioning.backends.repository import Author
from versioning.merging import preview
from versioning.merging.candidate import RowsInvalid

ERIN = Author("Erin Editor", "erin@example.org")
EVENTS, FORMER = "polls_event", "polls_former"


def starts_before(event):
    if event.start > event.last:
        raise ValidationError("It ends before it starts.")


@pytest.fixture(params=SIDES)
def merge(request, repository, new_model, write, work):
    """Each side moves the first event, and theirs alone the second."""
    event = new_model(
        "Event",
        id=models.BigAutoField(primary_key=True),
        start=models.IntegerField(),
        last=models.IntegerField(),
        clean=starts_before,
    )
    with versioning.on_branch("main", author=ERIN, message="Plan"):
        event.objects.create(pk=1, start=1, last=5)
        event.objects.create(pk=2, start=1, last=5)
    write("main", f"ALTER TABLE {EVENTS} RENAME TO {FORMER}")
    repository.create_branch("summer", repository.head("main"))
    write(request.param, f"ALTER TABLE {FORMER} RENAME TO {EVENTS}")
    names = {side: EVENTS if side == request.param else FORMER for side in SIDES}
    write("main", f"UPDATE {names['main']} SET start = 4 WHERE id = 1")  # noqa: S608
    write(
        "summer",
        f"UPDATE {names['summer']} SET last = 2 WHERE id = 1",  # noqa: S608
        f"UPDATE {names['summer']} SET last = 0 WHERE id = 2",  # noqa: S608
    )
    return work()


def test_what_came_of_both_is_judged_if_it_merges_at_all(repository, merge):
    """As the one side has the second event, it was good enough there."""
    head = repository.head("main")
    if preview.preview("main", merge.sides).can_land:
        assert merge.troubles == {(EVENTS, 1): ("It ends before it starts.",)}
        with pytest.raises(RowsInvalid):
            merge.land()
    else:
        with pytest.raises(MergeBlocked):
            merge.land()
    assert repository.head("main") == head

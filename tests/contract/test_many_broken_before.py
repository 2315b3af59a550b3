"""Rows that break a rule after a merge, where many broke it before."""

import pytest
from django.core.exceptions import ValidationError
from django.db import models

import versioning
from tests.contract.work import SIDES
from versioning import policies
from versioning.backends.repository import Author
from versioning.merging import trial
from versioning.merging.candidate import RowsInvalid
from versioning.merging.validation import REPORTED

ERIN = Author("Erin Editor", "erin@example.org")
EVENTS = "polls_event"
OLD = range(1, REPORTED + 2)  # more than are reported
NEW = 100


def starts_before(event):
    if event.start > event.end:
        raise ValidationError("It ends before it starts.")


@pytest.fixture(params=["clean", "invariant"])
def event(request, repository, new_model):
    """Both sides change them all, and each by itself leaves the new one right."""
    rule = {"clean": starts_before} if request.param == "clean" else {}
    made = new_model(
        "Event",
        id=models.BigAutoField(primary_key=True),
        start=models.IntegerField(),
        end=models.IntegerField(),
        **rule,
    )
    if not rule:
        policies.register(made, invariants=[starts_before])
    with versioning.on_branch("main", author=ERIN, message="Plan"):
        made.objects.bulk_create(made(pk=pk, start=30, end=20) for pk in OLD)
        made.objects.create(pk=NEW, start=10, end=40)
    repository.create_branch("summer", repository.head("main"))
    for side, name, by in zip(SIDES, ("start", "end"), (20, -20), strict=True):
        with versioning.on_branch(side, author=ERIN, message=f"Move {name}"):
            made.objects.update(**{name: models.F(name) + by})
    return made


def test_they_hide_none_that_is_new(repository, event, work):
    merge = work()
    assert merge.troubles == {(EVENTS, NEW): ("It ends before it starts.",)}
    head = repository.head("main")
    with pytest.raises(RowsInvalid):
        merge.land()
    assert repository.head("main") == head


def test_alone_they_are_told_and_block_nothing(event, work):
    with versioning.on_branch("summer", author=ERIN, message="Call off"):
        event.objects.filter(pk=NEW).delete()
    with versioning.on_branch("main", author=ERIN, message="Call off"):
        event.objects.filter(pk=NEW).delete()
    merge = work()
    found = trial.try_out("main", merge.sides, merge.draft)
    assert found.is_fine
    assert [row.key for row in found.old] == [(pk,) for pk in OLD[:REPORTED]]
    merge.land()
    assert set(event.objects.values_list("start", "end")) == {(50, 0)}

"""Rules of the application that fail themselves, instead of saying yes or no."""

import pytest
from django.db import models

import versioning
from tests.contract.test_mending import Merge, typed
from tests.contract.work import SIDES
from versioning import policies
from versioning.backends.repository import Author
from versioning.merging import validation
from versioning.merging.candidate import RowsInvalid

ERIN = Author("Erin Editor", "erin@example.org")
HALLS = "polls_hall"
SAID = "A rule of the application failed when it was asked (ZeroDivisionError: "


def each_door(hall):
    """Fails where there are seats and no door."""
    return hall.seats and hall.seats / hall.doors


@pytest.fixture(params=["clean", "invariant"])
def hall(request, repository, new_model):
    """Each side is right, and both together let the rule fail."""
    rule = {"clean": each_door} if request.param == "clean" else {}
    made = new_model(
        "Hall",
        id=models.BigAutoField(primary_key=True),
        seats=models.IntegerField(),
        doors=models.IntegerField(),
        **rule,
    )
    if not rule:
        policies.register(made, invariants=[each_door])
    with versioning.on_branch("main", author=ERIN, message="Open"):
        made.objects.create(pk=1, seats=0, doors=1)
    repository.create_branch("summer", repository.head("main"))
    for side, change in zip(SIDES, ({"doors": 0}, {"seats": 5}), strict=True):
        with versioning.on_branch(side, author=ERIN, message="Change"):
            made.objects.update(**change)
    return made


def test_the_row_is_named_and_can_be_mended(repository, hall, max_, caplog):
    merge = Merge(repository, max_)
    (fault,) = merge.trial().faults
    assert (fault.versions.table, fault.versions.key) == (HALLS, (1,))
    (reason,) = fault.reasons
    assert reason.startswith(SAID)
    assert caplog.records[-1].name == validation.__name__
    assert caplog.records[-1].exc_info[0] is ZeroDivisionError
    assert merge.refused(RowsInvalid)
    merge.mend(HALLS, (1,), doors=typed(2))
    assert merge.trial().is_fine
    merge.land()
    assert list(hall.objects.values_list("seats", "doors")) == [(5, 2)]

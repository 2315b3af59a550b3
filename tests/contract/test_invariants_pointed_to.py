"""Invariants of rows that others point to, however those do."""

import uuid
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import models

import versioning
from tests import own_models
from tests.contract.work import SIDES, refers_to
from versioning import policies
from versioning.backends.repository import Author
from versioning.merging.candidate import RowsInvalid

ERIN = Author("Erin Editor", "erin@example.org")
BALLOTS, OPTIONS = "polls_ballot", "polls_option"
SAID = "A ballot keeps two options."


def keeps_two(ballot):
    _keeps_two(ballot.pk)


def keeps_two_by_name(ballot):
    _keeps_two(ballot.name)


def _keeps_two(ballot):
    option: Any = apps.all_models["polls"]["option"]
    if option.objects.filter(ballot=ballot).count() < 2:
        raise ValidationError(SAID)


@pytest.fixture
def ballot(new_model):
    return new_model(
        "Ballot",
        id=models.BigAutoField(primary_key=True),
        name=models.CharField(max_length=20, unique=True),
    )


@pytest.fixture
def inheriting(new_model, ballot):
    above = own_models.part_of(ballot)
    return new_model("Runoff", ballot, above=above, round=models.IntegerField())


@pytest.fixture
def proxy(ballot):
    meta = type("Meta", (), {"app_label": "polls", "proxy": True})
    yield type("Shown", (ballot,), {"__module__": "polls.models", "Meta": meta})
    del apps.all_models["polls"]["shown"]


@pytest.fixture
def each_deletes_one(repository, new_model):
    """Of three options, which point to a ballot, each side deletes another one."""

    def make(points, row):
        option = new_model(
            "Option", id=models.BigAutoField(primary_key=True), ballot=points
        )
        with versioning.on_branch("main", author=ERIN, message="Set up"):
            row.save(force_insert=True)
            for pk in (1, 2, 3):
                option.objects.create(
                    pk=pk, ballot_id=getattr(row, points.to_fields[0] or "pk")
                )
        repository.create_branch("summer", repository.head("main"))
        for side, pk in zip(SIDES, (1, 2), strict=True):
            with versioning.on_branch(side, author=ERIN, message="Delete"):
                option.objects.filter(pk=pk).delete()

    return make


def check_refused(merge, table):
    """The rule's row is named, and the option whose deletion broke it."""
    assert merge.troubles == {(table, 5): (SAID,), (OPTIONS, 2): ()}
    with pytest.raises(RowsInvalid):
        merge.land()


def test_by_the_key(ballot, each_deletes_one, work):
    policies.register(ballot, invariants=[keeps_two])
    each_deletes_one(refers_to(ballot), ballot(pk=5, name="Sky"))
    check_refused(work(), BALLOTS)


def test_by_another_column(ballot, each_deletes_one, work):
    policies.register(ballot, invariants=[keeps_two_by_name])
    each_deletes_one(refers_to(ballot, to_field="name"), ballot(pk=5, name="Sky"))
    check_refused(work(), BALLOTS)


def test_by_way_of_a_proxy(ballot, proxy, each_deletes_one, work):
    policies.register(ballot, invariants=[keeps_two])
    each_deletes_one(refers_to(proxy), ballot(pk=5, name="Sky"))
    check_refused(work(), BALLOTS)


@pytest.mark.parametrize("to_field", [None, "name"])
def test_by_what_it_inherits_from(ballot, inheriting, each_deletes_one, work, to_field):
    rule = keeps_two_by_name if to_field else keeps_two
    policies.register(inheriting, invariants=[rule])
    each_deletes_one(
        refers_to(ballot, to_field=to_field), inheriting(pk=5, name="Sky", round=1)
    )
    check_refused(work(), "polls_runoff")


@pytest.mark.parametrize("to_field", [None, "name"])
def test_a_reference_that_no_key_can_be_breaks_no_rule(
    repository, new_model, write, work, to_field
):
    """Another client can write it."""
    key = uuid.UUID(int=5)
    ballot = new_model(
        "Ballot",
        id=models.UUIDField(primary_key=True),
        name=models.UUIDField(unique=True),
    )
    points = refers_to(ballot, to_field=to_field)
    option = new_model(
        "Option", id=models.BigAutoField(primary_key=True), ballot=points
    )
    policies.register(ballot, invariants=[keeps_two])
    with versioning.on_branch("main", author=ERIN, message="Set up"):
        ballot.objects.create(pk=key, name=key)
        for pk in (1, 2):
            option.objects.create(pk=pk, ballot_id=key)
    repository.create_branch("summer", repository.head("main"))
    write("main", lambda: option.objects.create(pk=3, ballot_id=key))
    insert = "INSERT INTO polls_option (id, ballot_id) VALUES (4, 'xyz')"
    write("summer", insert, lambda: option.objects.filter(pk__lt=3).delete())
    assert work().troubles[BALLOTS, key.hex] == (SAID,)

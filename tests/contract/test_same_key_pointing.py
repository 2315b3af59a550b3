"""Rows that point to one of which both are kept by something else than its key."""

import pytest
from django.db import models

import versioning
from tests.contract.work import KEY, SIDES, refers_to
from versioning.backends.repository import Author
from versioning.merging.resolution import Take

ERIN = Author("Erin Editor", "erin@example.org")


@pytest.mark.parametrize("alike", [True, False])
def test_both_are_kept_where_others_point_by_what_differs(
    repository, new_model, work, alike
):
    place = new_model(
        "Place",
        name=models.CharField(max_length=20, unique=True),
        text=models.TextField(),
    )
    visit = new_model(
        "Visit",
        place=refers_to(place, to_field="name"),
    )

    repository.create_branch("summer", repository.head("main"))
    for side in SIDES:
        name = "park" if alike else f"park of {side}"
        with versioning.on_branch(side, author=ERIN, message=f"Add on {side}"):
            place.objects.create(pk=KEY, name=name, text=f"Seen on {side}")
            visit.objects.create(pk=10 + SIDES.index(side), place_id=name)
    merge = work()
    if alike:
        with pytest.raises(ValueError):
            merge.keep_both("polls_place")
        merge.decide("polls_place", KEY, Take.OURS)
    else:
        merge.keep_both("polls_place")
    merge.land()
    found = {(v.pk, v.place.text) for v in visit.objects.all()}
    assert found == {
        (10, "Seen on main"),
        (11, "Seen on main" if alike else "Seen on summer"),
    }


@pytest.mark.parametrize("changed_on", ["summer", "main"])
def test_both_are_kept_where_those_that_point_there_are_called_by_a_name(
    repository, new_model, work, changed_on
):
    place = new_model("Place", text=models.TextField())
    visit = new_model(
        "Visit",
        name=models.CharField(max_length=20, primary_key=True),
        day=models.IntegerField(),
        place=refers_to(place),
    )
    with versioning.on_branch("main", author=ERIN, message="Set up"):
        old = place.objects.create(text="Seen before")
        visit.objects.create(name="first", day=1, place=old)
    repository.create_branch("summer", repository.head("main"))
    for side in SIDES:
        with versioning.on_branch(side, author=ERIN, message=f"Add on {side}"):
            place.objects.create(pk=KEY, text=f"Seen on {side}")
            visit.objects.create(name=f"of {side}", day=1, place_id=KEY)
    with versioning.on_branch(changed_on, author=ERIN, message="Put off"):
        visit.objects.filter(name="first").update(day=2)
    merge = work()
    merge.keep_both("polls_place")
    assert merge.troubles == {}
    merge.land()
    found = {(v.name, v.day, v.place.text) for v in visit.objects.all()}
    assert found == {
        ("first", 2, "Seen before"),
        ("of main", 1, "Seen on main"),
        ("of summer", 1, "Seen on summer"),
    }

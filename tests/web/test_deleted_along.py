"""What a card says of rows that were deleted along with the one it asks about."""

import pytest
from django.db import models

import versioning
from polls.models import Choice, Question
from tests import own_models
from tests.web import seen
from tests.web.test_merges import URL, decide, land, pins

SIDES = ("main", "summer")


@pytest.fixture(params=SIDES)
def deleter(request):
    return request.param


@pytest.fixture
def on(erin):
    def on(branch, act):
        with versioning.on_branch(branch, author=erin, message="Change"):
            act()

    return on


def test_what_pointed_to_it_is_counted_and_does_not_come_back(
    repository, maintainer, heaven, on, deleter
):
    """Not a choice that was changed meanwhile, which has a card of its own."""
    keeper = "summer" if deleter == "main" else "main"
    on(deleter, lambda: Question.objects.all().delete())
    on(keeper, lambda: Question.objects.update(details="Look up."))
    words = seen.main(maintainer.get(URL))
    told = (
        f"Deleted on {deleter} with it: 1 row of Choices. "
        "To keep the row does not bring these back."
    )
    assert words.count(told) == 1
    take = "theirs" if keeper == "summer" else "ours"
    sent = {"scope": "all", "take": take}
    assert decide(maintainer, pins(repository) | sent).status_code == 303
    assert told in seen.main(maintainer.get(URL))
    assert land(maintainer, pins(repository)).status_code == 303
    found = set(Choice.objects.values_list("text", flat=True))
    assert found == {"Skies" if keeper == "summer" else "Heaven"}


def test_nothing_is_said_where_nothing_went_with_it(maintainer, heaven, on):
    on("summer", lambda: Choice.objects.filter(pk=heaven.pk).delete())
    words = seen.main(maintainer.get(URL))
    assert "Changed on main, deleted on summer." in words
    assert "with it" not in words


def test_what_points_nowhere_did_not_point_to_it(repository, maintainer, new_model, on):
    place = new_model(
        "Place",
        id=models.IntegerField(primary_key=True),
        name=models.TextField(),
        code=models.IntegerField(unique=True, null=True),
    )
    to = models.ForeignKey(
        place, models.CASCADE, to_field="code", null=True, related_name="+"
    )
    visit = new_model("Visit", id=models.IntegerField(primary_key=True), place=to)
    for number in (1, 2):
        on("main", lambda pk=number: place.objects.create(pk=pk, name="A park"))
        on("main", lambda pk=number: visit.objects.create(pk=pk))
    repository.create_branch("summer", repository.head("main"))
    on("main", lambda: place.objects.filter(pk=1).delete())
    on("main", lambda: visit.objects.filter(pk=1).delete())
    on("summer", lambda: place.objects.update(name="The park"))
    words = seen.main(maintainer.get(URL))
    assert "Deleted on main, changed on summer." in words
    assert "Deleted on main with it" not in words


def test_the_part_in_another_table_is_kept_with_it(
    repository, maintainer, new_model, on, deleter
):
    keeper = "summer" if deleter == "main" else "main"
    place = new_model(
        "Place", id=models.IntegerField(primary_key=True), name=models.TextField()
    )
    above = own_models.part_of(place)
    hall = new_model("Hall", place, above=above, seats=models.IntegerField())
    on("main", lambda: hall.objects.create(pk=1, name="The hall", seats=3))
    repository.create_branch("summer", repository.head("main"))
    on(deleter, lambda: hall.objects.get().delete())
    on(keeper, lambda: place.objects.update(name="The great hall"))
    words = seen.main(maintainer.get(URL))
    assert (
        f"Its values in Halls were deleted on {deleter}, too. "
        "Keep the row, and they are kept with it."
    ) in words
    assert "0 of 1 settled" in words
    row = {"scope": "row", "table": "polls_place", "key": "[1]"}
    take = {"take:": "theirs" if keeper == "summer" else "ours"}
    assert decide(maintainer, pins(repository) | row | take).status_code == 303
    assert land(maintainer, pins(repository)).status_code == 303
    assert [(h.name, h.seats) for h in hall.objects.all()] == [("The great hall", 3)]


def test_another_part_that_was_deleted_on_its_own_is_not_said_to_be_kept(
    repository, maintainer, new_model, on, deleter
):
    keeper = "summer" if deleter == "main" else "main"
    place = new_model("Place", id=models.IntegerField(primary_key=True))
    hall, yard = (
        new_model(
            name, place, above=own_models.part_of(place), size=models.IntegerField()
        )
        for name in ("Hall", "Yard")
    )
    on("main", lambda: hall.objects.create(pk=1, size=3))
    on("main", lambda: yard(above_id=1, size=7).save_base(raw=True))
    repository.create_branch("summer", repository.head("main"))
    on(deleter, lambda: hall.objects.get().delete(keep_parents=True))
    on(deleter, lambda: yard.objects.get().delete(keep_parents=True))
    on(keeper, lambda: hall.objects.update(size=4))
    words = seen.main(maintainer.get(URL))
    assert f"eleted on {deleter}" in words
    assert "they are kept with it" not in words

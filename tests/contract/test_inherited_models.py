"""Models that inherit from others with a table of their own."""

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.db import models

import versioning
from tests import own_models
from tests.contract.work import KEY, SIDES, listed
from versioning import policies
from versioning.backends.repository import Author
from versioning.merging import trial
from versioning.merging.candidate import RowsInvalid
from versioning.merging.resolution import Take

ERIN = Author("Erin Editor", "erin@example.org")
PLACE, HALL, STAGE = "polls_place", "polls_hall", "polls_stage"
OLD = 1


def fits(hall):
    """More people than its place has room for, which is in the other table."""
    if hall.seats > hall.room:
        raise ValidationError(f"{hall.name} has no room for {hall.seats}.")


def says_where(stage):
    if stage.curtains + stage.lights > 3:
        raise ValidationError(f"{stage.name} has {stage.seats} seats.")


@pytest.fixture
def place(new_model):
    return own_models.place(new_model, room=models.IntegerField())


@pytest.fixture
def hall(repository, new_model, place):
    """With one hall of three seats and room for four, on both branches."""
    above = own_models.part_of(place)
    made = new_model(
        "Hall",
        place,
        above=above,
        seats=models.IntegerField(),
        doors=models.IntegerField(),
        clean=fits,
    )
    with versioning.on_branch("main", author=ERIN, message="Open"):
        made.objects.create(pk=OLD, name="The hall", room=4, seats=3, doors=1)
    repository.create_branch("summer", repository.head("main"))
    return made


@pytest.fixture
def change(hall):
    def change(branch, **values):
        with versioning.on_branch(branch, author=ERIN, message="Change"):
            hall.objects.filter(pk=OLD).update(**values)

    return change


@pytest.mark.parametrize("name", ["The hall", ""])
def test_a_row_put_together_has_what_it_inherits(hall, change, work, name):
    """Good or bad, it is no fault of that row."""
    change("main", seats=4, name=name)
    change("summer", doors=2, name=name)
    merge = work()
    assert trial.try_out("main", merge.sides, merge.draft) == trial.Trial()
    merge.land()
    found = hall.objects.get()
    assert (found.name, found.seats, found.doors) == (name, 4, 2)


def test_its_rules_see_what_it_inherits(repository, hall, change, work):
    change("main", seats=4)
    change("summer", doors=2, room=3, name="The shed")
    merge = work()
    with pytest.raises(RowsInvalid):
        merge.land()
    assert merge.troubles == {(HALL, OLD): ("The shed has no room for 4.",)}


@pytest.mark.parametrize("here", ["seats", "room"])
def test_its_rules_see_what_each_side_changed_in_another_part(
    repository, hall, change, work, here
):
    change("main" if here == "seats" else "summer", seats=4)
    change("summer" if here == "seats" else "main", room=3)
    merge = work()
    assert merge.troubles == {(HALL, OLD): ("The hall has no room for 4.",)}
    head = repository.head("main")
    with pytest.raises(RowsInvalid):
        merge.land()
    assert repository.head("main") == head
    merge.mend(HALL, OLD, Take.OURS if here == "room" else Take.THEIRS)
    assert merge.troubles == {}
    merge.land()
    found = hall.objects.get()
    assert (found.room, found.seats) == (3, 3)


@pytest.fixture
def stage(repository, new_model, hall):
    """What inherits from what inherits, with one under ``KEY`` on both branches."""
    hall_of_it = own_models.part_of(hall)
    made = new_model(
        "Stage",
        hall,
        hall_of_it=hall_of_it,
        curtains=models.IntegerField(),
        lights=models.IntegerField(),
    )
    repository.delete_branch("summer")
    with versioning.on_branch("main", author=ERIN, message="Build"):
        row = {"name": "The stage", "room": 4, "seats": 3, "doors": 1}
        made.objects.create(pk=KEY, curtains=1, lights=1, **row)
    repository.create_branch("summer", repository.head("main"))
    return made


def test_its_rules_see_what_is_inherited_twice(stage, work, monkeypatch):
    monkeypatch.setattr(stage, "clean", says_where)
    for side, given in zip(SIDES, ({"curtains": 2}, {"lights": 2}), strict=True):
        with versioning.on_branch(side, author=ERIN, message="Change"):
            stage.objects.update(**given)
    assert work().troubles == {(STAGE, KEY): ("The stage has 3 seats.",)}


def test_an_invariant_is_asked_of_what_is_inherited_twice(stage, work):
    policies.register(stage, invariants=[fits])
    for side, given in zip(SIDES, ({"lights": 2}, {"room": 1}), strict=True):
        with versioning.on_branch(side, author=ERIN, message="Change"):
            stage.objects.update(**given)
    said = "The stage has no room for 3."
    assert work().troubles == {(STAGE, KEY): (said,), (PLACE, KEY): ()}


@pytest.mark.parametrize("column", ["seats", "room"])
def test_an_invariant_is_asked_of_what_it_inherits(hall, change, work, column):
    """Also where nothing changed but that."""
    policies.register(hall, invariants=[fits])
    change("main", doors=2)
    change("summer", **{column: 9 if column == "seats" else 1})
    merge = work()
    seats = 9 if column == "seats" else 3
    assert (HALL, OLD) in merge.troubles
    said = {reason for reasons in merge.troubles.values() for reason in reasons}
    assert said == {f"The hall has no room for {seats}."}
    with pytest.raises(RowsInvalid):
        merge.land()


def test_both_that_were_added_under_one_key_are_kept(repository, hall, work):
    for side in SIDES:
        with versioning.on_branch(side, author=ERIN, message="Open"):
            hall.objects.create(
                pk=KEY, name=f"Of {side}", room=9, seats=len(side), doors=1
            )
    merge = work()
    merge.keep_both(PLACE)
    merge.keep_both(HALL)
    assert merge.troubles == {}
    merge.land()
    found = {(h.name, h.seats) for h in hall.objects.exclude(pk=OLD)}
    assert found == {("Of main", 4), ("Of summer", 6)}
    assert hall.objects.get(name="Of main").pk == KEY


def test_one_that_both_added_alike_goes_along(hall, work):
    for side in SIDES:
        with versioning.on_branch(side, author=ERIN, message="Open"):
            hall.objects.create(pk=KEY, name=f"Of {side}", room=9, seats=2, doors=1)
    merge = work()
    merge.keep_both(PLACE)
    assert merge.troubles == {}
    merge.land()
    found = {(h.name, h.seats) for h in hall.objects.exclude(pk=OLD)}
    assert found == {("Of main", 2), ("Of summer", 2)}


@pytest.mark.parametrize("kind", ["counters", "hidden"])
def test_what_is_in_another_table_is_registered_with_that(hall, kind):
    def register(*names):
        given: Any = {kind: names}
        policies.register(hall, **given)

    with pytest.raises(ImproperlyConfigured, match=r"inherits “room”.*polls\.Place"):
        register("room")
    register("seats")


@pytest.mark.parametrize("deleted_on", SIDES)
@pytest.mark.parametrize("changed", ["room", "seats"])
def test_one_that_is_kept_is_kept_with_all_its_parts(hall, work, deleted_on, changed):
    """Also with the part that only was deleted, and that nobody is asked about."""
    kept_on = "summer" if deleted_on == "main" else "main"
    with versioning.on_branch(deleted_on, author=ERIN, message="Close"):
        hall.objects.get(pk=OLD).delete()
    with versioning.on_branch(kept_on, author=ERIN, message="Rebuild"):
        hall.objects.filter(pk=OLD).update(**{changed: 5 if changed == "room" else 4})
    merge = work()
    take = Take.OURS if kept_on == "main" else Take.THEIRS
    decided, along = (PLACE, HALL) if changed == "room" else (HALL, PLACE)
    gone = [] if deleted_on == "main" else [("removed", OLD)]
    assert listed(merge, along) == gone
    merge.decide(decided, OLD, take)
    assert merge.troubles == {}
    back = [("added", OLD)] if deleted_on == "main" else []
    assert listed(merge, along) == back
    merge.land()
    found = hall.objects.get()
    room, seats = (5, 3) if changed == "room" else (4, 4)
    assert (found.name, found.room, found.seats) == ("The hall", room, seats)


@pytest.fixture
def yard(repository, new_model, place, hall):
    """Of another model that inherits the same; the hall has one, too."""
    above = own_models.part_of(place)
    made = new_model("Yard", place, above=above, trees=models.IntegerField())
    with versioning.on_branch("main", author=ERIN, message="Plant"):
        made(above_id=OLD, trees=7).save_base(raw=True)
    repository.delete_branch("summer")
    repository.create_branch("summer", repository.head("main"))
    return made


@pytest.mark.parametrize("deleted_on", SIDES)
@pytest.mark.parametrize("stays", [True, False])
def test_what_went_without_it_does_not_come_back_with_it(
    hall, yard, place, work, deleted_on, stays
):
    """Of two parts of a place that stays, each is deleted on its own."""
    kept_on = "summer" if deleted_on == "main" else "main"
    with versioning.on_branch(deleted_on, author=ERIN, message="Close"):
        hall.objects.get(pk=OLD).delete(keep_parents=True)
        yard.objects.get(pk=OLD).delete(keep_parents=True)
        if not stays:
            place.objects.all().delete()
    with versioning.on_branch(kept_on, author=ERIN, message="Rebuild"):
        hall.objects.filter(pk=OLD).update(seats=4)
    merge = work()
    merge.decide(HALL, OLD, Take.OURS if kept_on == "main" else Take.THEIRS)
    merge.land()
    found = hall.objects.get()
    assert (found.name, found.room, found.seats) == ("The hall", 4, 4)
    assert [one.trees for one in yard.objects.all()] == ([] if stays else [7])


def test_a_part_that_the_side_that_keeps_it_had_not_does_not_come_back(
    hall, yard, place, work
):
    with versioning.on_branch("main", author=ERIN, message="Close"):
        place.objects.get(pk=OLD).delete()
        hall.objects.all().delete()
        yard.objects.all().delete()
    with versioning.on_branch("summer", author=ERIN, message="Fell"):
        yard.objects.get(pk=OLD).delete(keep_parents=True)
        place.objects.filter(pk=OLD).update(room=5)
    merge = work()
    merge.decide(PLACE, OLD, Take.THEIRS)
    merge.land()
    assert hall.objects.get().room == 5
    assert not yard.objects.exists()


def test_a_part_that_is_decided_about_itself_goes_its_own_way(hall, place, work):
    with versioning.on_branch("main", author=ERIN, message="Close"):
        hall.objects.get(pk=OLD).delete()
    with versioning.on_branch("summer", author=ERIN, message="Rebuild"):
        hall.objects.filter(pk=OLD).update(room=5, seats=4)
    merge = work()
    merge.decide(PLACE, OLD, Take.THEIRS)
    merge.decide(HALL, OLD, Take.OURS)
    merge.land()
    assert place.objects.get().room == 5
    assert not hall.objects.exists()


def test_one_that_something_new_points_to_is_kept_with_all_its_parts(
    hall, work, new_model, write
):
    visit = new_model(
        "Visit",
        id=models.IntegerField(primary_key=True),
        hall=models.ForeignKey(hall, models.CASCADE, related_name="+"),
    )
    columns = "id int PRIMARY KEY, hall_id bigint"
    key = "FOREIGN KEY (hall_id) REFERENCES polls_hall (above_id)"
    for branch in SIDES:
        write(branch, f"CREATE TABLE polls_visits ({columns}, {key})")
    visit._meta.db_table = "polls_visits"
    write("main", lambda: hall.objects.get(pk=OLD).delete())
    write("summer", lambda: visit.objects.create(pk=1, hall_id=OLD))
    merge = work()
    assert set(merge.troubles) == {(HALL, OLD), ("polls_visits", 1)}
    merge.mend(HALL, OLD, Take.THEIRS)
    assert merge.troubles == {}
    merge.land()
    assert visit.objects.get().hall.name == "The hall"

"""Models whose key is of several columns."""

import pytest
from django.core.exceptions import ValidationError

import versioning
from tests import own_models
from tests.contract.work import SIDES
from versioning import policies, values
from versioning.backends.repository import Author
from versioning.merging import mending
from versioning.merging.candidate import RowsInvalid
from versioning.merging.resolution import Choice as Decided
from versioning.merging.resolution import Take

ERIN = Author("Erin Editor", "erin@example.org")
SEATS = "polls_seat"
KEY = (7, 2)  # number and line


def is_cheap(seat):
    if seat.price + seat.fee > 10:
        raise ValidationError(f"Seat {seat.line}-{seat.number} is too dear.")


@pytest.fixture
def seat(repository, new_model):
    """Two seats on both branches; the key's columns stand in another order."""
    made = own_models.seat(new_model)
    policies.register(made, invariants=[is_cheap])
    with versioning.on_branch("main", author=ERIN, message="Set up"):
        for line in (2, 3):
            made.objects.create(number=7, line=line, price=3, fee=1)
    repository.create_branch("summer", repository.head("main"))
    return made


@pytest.fixture
def change(seat):
    def change(*values_of_sides):
        for side, given in zip(SIDES, values_of_sides, strict=True):
            with versioning.on_branch(side, author=ERIN, message="Change"):
                seat.objects.filter(pk=KEY).update(**given)

    return change


def test_an_invariant_is_asked(change, work):
    change({"price": 7}, {"fee": 4})
    merge = work()
    assert merge.troubles == {(SEATS, *KEY): ("Seat 2-7 is too dear.",)}
    with pytest.raises(RowsInvalid):
        merge.land()


@pytest.mark.parametrize(("take", "price"), [(Take.OURS, 7), (Take.THEIRS, 6)])
def test_a_conflict_is_settled(seat, change, work, take, price):
    change({"price": 7}, {"price": 6})
    merge = work()
    merge.decide(SEATS, KEY, take)
    assert merge.troubles == {}
    merge.land()
    found = dict(seat.objects.values_list("line", "price"))
    assert found == {2: price, 3: 3}


def test_a_part_of_the_key_is_not_mended(seat, change, work):
    change({"price": 7}, {"fee": 4})
    merge = work()
    row = mending.row_of(merge.sides, SEATS, KEY)
    assert row is not None
    for column in ("line", "number"):
        made = {column: Decided(Take.VALUE, 9), "fee": Decided(Take.VALUE, 1)}
        with pytest.raises(ValueError, match=column):
            mending.mend(merge.draft, merge.sides, row, made, merge.user)
    made = {"fee": Decided(Take.VALUE, 1)}
    mending.mend(merge.draft, merge.sides, row, made, merge.user)
    merge.land()
    found = seat.objects.filter(pk=KEY).values_list("price", "fee")
    assert list(found) == [(7, 1)]


def test_the_key_of_an_instance_is_its_rows(repository, seat):
    key = values.key_of(seat.objects.get(line=2))
    assert key == KEY
    row = repository.rows(SEATS, [key], at=repository.head("main"))[key]
    assert (row["line"], row["number"]) == (2, 7)

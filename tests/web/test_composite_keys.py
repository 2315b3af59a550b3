"""Pages about rows whose key is of several columns."""

import pytest
from django.core.exceptions import ValidationError

import versioning
from tests import own_models
from tests.web import seen
from tests.web.fields import forms
from versioning import policies

MEND = "/merge/mend/"


def is_cheap(seat):
    if seat.price + seat.fee > 10:
        raise ValidationError("Too dear.")


@pytest.fixture
def seat(new_model, erin):
    made = own_models.seat(new_model)
    policies.register(made, invariants=[is_cheap])
    with versioning.on_branch("main", author=erin, message="Set up"):
        made.objects.create(number=7, line=2, price=3, fee=1)
    return made


def test_a_mend_offers_all_but_the_key(maintainer, repository, seat, erin):
    repository.create_branch("summer", repository.head("main"))
    for branch, change in (("main", {"price": 7}), ("summer", {"fee": 4})):
        with versioning.on_branch(branch, author=erin, message="Change"):
            seat.objects.update(**change)
    page = maintainer.get("/merge/?source=summer&target=main")
    (form,) = (form for form in forms(page) if form.action == MEND)
    assert form.typed == ["value:price", "value:fee"]


def test_the_key_of_a_row_stands_there_once(maintainer, repository, seat, erin):
    url = f"/commits/{repository.head('main')}/"
    words = seen.main(maintainer.get(url))
    assert "7, 2" in words
    assert "Price nothing 3" in words
    assert "Line" not in words
    assert "Number" not in words

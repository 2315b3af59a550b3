"""Texts with line ends where a browser keeps none: they stay while others are typed."""

import pytest
from django.core.exceptions import ValidationError
from django.db import models

import versioning
from tests.contract.work import SIDES
from tests.web.fields import forms, press_merge
from versioning.backends.repository import Author

ERIN = Author("Erin Editor", "erin@example.org")
QUERY = {"source": "summer", "target": "main"}
TEXTS = ["\nAt the lake", "\n\nAt the lake", "At\nthe lake", "At\r\nthe lake"]


def starts_before(event):
    if event.start > event.end:
        raise ValidationError("It ends before it starts.")


@pytest.fixture
def change_each(repository, new_model):
    def make(kind, text, changes, **more):
        made = new_model(
            "Event",
            id=models.BigAutoField(primary_key=True),
            start=models.IntegerField(),
            end=models.IntegerField(),
            note=kind(max_length=90),
            **more,
        )
        with versioning.on_branch("main", author=ERIN, message="Plan"):
            made.objects.create(start=1, end=5, note=text)
        repository.create_branch("summer", repository.head("main"))
        for side, change in zip(SIDES, changes, strict=True):
            with versioning.on_branch(side, author=ERIN, message="Change"):
                made.objects.update(**change)
        return made

    return make


def send(browser, action, **typed):
    """Press the button of the first such form; its fields stand as on the page."""
    page = browser.get("/merge/", QUERY)
    form = next(f for f in forms(page) if f.action == action and "key" in f.fields)
    answer = browser.post(action, form.fields | typed)
    assert answer.status_code == 303, answer.text


@pytest.mark.parametrize("kind", [models.TextField, models.CharField])
@pytest.mark.parametrize("text", TEXTS)
def test_beside_what_is_mended(maintainer, change_each, kind, text):
    changes = ({"start": 4}, {"end": 2})
    event = change_each(kind, text, changes, clean=starts_before)
    send(maintainer, "/merge/mend/", **{"value:end": "9"})
    press_merge(maintainer, QUERY)
    assert event.objects.values_list("start", "end", "note").get() == (4, 9, text)


def test_where_it_was_typed_and_another_cell_is_decided(maintainer, change_each):
    changes = ({"start": 2, "note": "Here"}, {"start": 3, "note": "There"})
    event = change_each(models.TextField, "At the lake", changes)
    typed = {"take:note": "value", "value:note": "\nHere and there"}
    send(maintainer, "/merge/decide/", **typed)
    send(maintainer, "/merge/decide/", **{"take:start": "theirs"})
    press_merge(maintainer, QUERY)
    assert event.objects.values_list("start", "note").get() == (3, "\nHere and there")

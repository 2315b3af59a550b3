"""What becomes of a text that somebody types for a column of a row."""

import json
from typing import Any

import pytest
from django.db import models

from tests import own_models
from tests.contract.work import refers_to
from versioning import values
from versioning.backends.repository import ConflictRow
from versioning.merging import choices
from versioning.merging.choices import ChoicesInvalid


@pytest.fixture(params=["mend", "conflict"])
def typed(request):
    """``typed(model, column, text)``: what is stored for it, in field values."""

    def typed(model, column, text):
        table = model._meta.db_table
        row = ConflictRow(table, (1,), None, None, None)
        posted = {f"value:{column}": text}
        if request.param == "mend":
            posted |= {"take": "", f"was:{column}": "other"}
            found = choices.read_mends(row, posted)[column]
        else:
            posted[f"take:{column}"] = "value"
            found = choices.read(row, posted)[column]
        held = values.TableValues(table)
        return None if found is None else held.to_field(column, found.value)

    return typed


@pytest.fixture(params=[False, True], ids=["", "that may be missing"])
def lamp(request, new_model):
    return new_model(
        "Lamp",
        id=models.BigAutoField(primary_key=True),
        lit=models.BooleanField(null=request.param),
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Yes", True),
        ("true", True),
        ("1", True),
        ("No", False),
        (" no ", False),
        ("FALSE", False),
        ("0", False),
    ],
)
def test_yes_and_no_are_read_as_pages_show_them(lamp, typed, text, value):
    assert typed(lamp, "lit", text) is value


@pytest.mark.parametrize("text", ["n", "off", "nonsense", "2", " "])
def test_no_other_word_is_taken_for_yes_or_no(lamp, typed, text):
    with pytest.raises(ChoicesInvalid) as refused:
        typed(lamp, "lit", text)
    assert refused.value.errors == {"lit": "Enter Yes or No."}


def test_nothing_is_typed_for_yes_or_no(lamp, typed):
    if lamp._meta.get_field("lit").null:
        assert typed(lamp, "lit", "") is None
    else:
        with pytest.raises(ChoicesInvalid, match="required"):
            typed(lamp, "lit", "")


@pytest.mark.parametrize("null", [False, True])
@pytest.mark.parametrize("text", ["{}", "[]", '""', "0", "false"])
def test_an_empty_document_is_stored(new_model, typed, null, text):
    cells: Any = models.JSONField(null=null, blank=True)
    sheet = new_model("Sheet", id=models.BigAutoField(primary_key=True), cells=cells)
    assert typed(sheet, "cells", text) == json.loads(text)


def test_the_document_null_is_not_no_document(new_model):
    cells: Any = models.JSONField(null=True, blank=True)
    new_model("Sheet", id=models.BigAutoField(primary_key=True), cells=cells)
    row = ConflictRow("polls_sheet", (1,), None, None, None)
    for text, stored in (("null", "null"), ("", None)):
        posted = {"take": "", "value:cells": text, "was:cells": "{}"}
        found = choices.read_mends(row, posted)["cells"]
        assert found is not None
        assert found.value == stored


@pytest.mark.parametrize("of_it", ["inherits", "refers to it"])
def test_a_key_is_typed_that_is_a_reference_itself(new_model, typed, of_it):
    place = own_models.place(new_model)
    link = models.OneToOneField(
        place,
        models.CASCADE,
        primary_key=True,
        parent_link=of_it == "inherits",
        related_name="+",
    )
    base = place if of_it == "inherits" else models.Model
    hall = new_model("Hall", base, place_of_it=link)
    visit = new_model(
        "Visit", id=models.BigAutoField(primary_key=True), hall=refers_to(hall)
    )
    assert typed(visit, "hall_id", "2") == 2
    with pytest.raises(ChoicesInvalid, match="whole number"):
        typed(visit, "hall_id", "two")

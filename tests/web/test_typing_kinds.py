"""What can be typed beside a conflict’s choices, by what a column holds."""

import pytest
from django.core.exceptions import ValidationError
from django.db import models

import versioning
from tests.web import seen
from tests.web.fields import forms, press_merge
from tests.web.test_merges import URL
from tests.web.test_typing_without_scripts import DECIDE, card
from versioning import policies


@pytest.fixture
def differ(new_model, repository, erin):
    """``differ(field, ours, theirs)``: a row whose cell main and summer set apart."""

    def differ(field, ours, theirs):
        model = new_model("Thing", id=models.IntegerField(primary_key=True), cell=field)
        with versioning.on_branch("main", author=erin, message="Make"):
            model.objects.create(pk=1)
        repository.create_branch("summer", repository.head("main"))
        for branch, value in (("main", ours), ("summer", theirs)):
            with versioning.on_branch(branch, author=erin, message="Set"):
                model.objects.filter(pk=1).update(cell=value)
        return model

    return differ


@pytest.mark.parametrize(
    ("kind", "ours", "theirs"),
    [
        (models.FileField, "a.pdf", "b.pdf"),
        (models.BinaryField, b"a", b"b"),
    ],
)
def test_files_and_bytes_are_chosen_and_not_typed(
    maintainer, differ, kind, ours, theirs
):
    differ(kind(null=True), ours, theirs)
    page = maintainer.get(URL)
    form = card(page)
    assert form.offered == {"take:cell": ["ours", "theirs", "base"]}
    assert form.typed == []
    assert "Another value" not in seen.main(page)
    sent = {**form.fields, "take:cell": "theirs"}
    assert maintainer.post(DECIDE, sent).status_code == 303


class Size(models.IntegerChoices):
    SMALL = 1, "Small enough"
    LARGE = 2, "Rather large"
    HUGE = 3, "Huge"


@pytest.mark.parametrize("is_optional", [False, True])
def test_what_has_choices_is_chosen_by_name(maintainer, differ, is_optional):
    given = {"null": True, "blank": True} if is_optional else {"default": Size.HUGE}
    model = differ(models.IntegerField(choices=Size.choices, **given), 1, 2)
    page = maintainer.get(URL)
    form = card(page)
    assert form.offered["value:cell"] == [*[""] * is_optional, "1", "2", "3"]
    fields = {**form.fields, "take:cell": "value"}
    assert "value:cell" not in fields  # a browser sends nothing of “choose one”
    unsaid = maintainer.post(DECIDE, fields)
    assert unsaid.status_code == 422
    assert "Choose one." in seen.main(unsaid)
    none = "none " if is_optional else ""
    listed = f"choose one {none}Small enough Rather large Huge"
    assert f"Another value {listed}" in seen.main(page)
    sent = {**form.fields, "value:cell": "3"}
    assert maintainer.post(DECIDE, sent).status_code == 303
    page = maintainer.get(URL)
    assert card(page).fields["value:cell"] == "3"
    assert "Will be Huge" in seen.main(page)
    if is_optional:
        sent = {**card(page).fields, "value:cell": ""}
        assert maintainer.post(DECIDE, sent).status_code == 303
        assert "Will be no value" in seen.main(maintainer.get(URL))
    press_merge(maintainer, {"source": "summer", "target": "main"})
    assert model.objects.get().cell == (None if is_optional else Size.HUGE)


def is_huge(thing):
    if thing.cell != Size.HUGE:
        raise ValidationError("Only huge things are left.")


def test_it_is_chosen_by_name_in_a_row_to_mend_too(
    maintainer, new_model, repository, erin
):
    cell = models.IntegerField(choices=Size.choices)
    model = new_model("Thing", id=models.IntegerField(primary_key=True), cell=cell)
    policies.register(model, invariants=[is_huge])
    repository.create_branch("summer", repository.head("main"))
    for number, branch in enumerate(("main", "summer"), start=2):
        with versioning.on_branch(branch, author=erin, message="Make"):
            model.objects.create(pk=number, cell=Size(5 - number))
    (form,) = (f for f in forms(maintainer.get(URL)) if f.action == "/merge/mend/")
    assert form.offered["value:cell"] == ["1", "2", "3"]
    assert form.fields["value:cell"] == "2"
    sent = {**form.fields, "value:cell": "3"}
    assert maintainer.post(form.action, sent).status_code == 303
    press_merge(maintainer, {"source": "summer", "target": "main"})
    assert {thing.cell for thing in model.objects.all()} == {Size.HUGE}


def test_a_choice_that_there_is_not_is_refused(maintainer, differ):
    differ(models.IntegerField(choices=Size.choices, default=3), 1, 2)
    sent = {**card(maintainer.get(URL)).fields, "value:cell": "7"}
    answer = maintainer.post(DECIDE, sent)
    assert answer.status_code == 422
    assert card(answer).fields["value:cell"] == "7"


@pytest.mark.parametrize(
    ("kind", "ours", "theirs", "typed"),
    [
        (models.BooleanField, True, False, "No"),
        (models.JSONField, {"a": 1}, {"a": 2}, "{}"),
        (models.JSONField, {"a": 1}, {"a": 2}, "null"),
    ],
)
def test_what_is_typed_stands_there_afterwards(
    maintainer, differ, kind, ours, theirs, typed
):
    differ(kind(null=True, blank=True), ours, theirs)
    sent = {**card(maintainer.get(URL)).fields, "take:cell": "value"}
    answer = maintainer.post(DECIDE, {**sent, "value:cell": typed})
    assert answer.status_code == 303
    assert card(maintainer.get(URL)).fields["value:cell"] == typed


def test_a_boolean_is_mended_in_the_words_of_the_page(
    maintainer, new_model, repository, erin
):
    def clean(lamp):
        if lamp.lit and lamp.watts > 60:
            raise ValidationError("Too hot.")

    lamp = new_model(
        "Lamp",
        id=models.BigAutoField(primary_key=True),
        lit=models.BooleanField(),
        watts=models.IntegerField(),
        clean=clean,
    )
    with versioning.on_branch("main", author=erin, message="Make"):
        lamp.objects.create(pk=1, lit=False, watts=40)
    repository.create_branch("summer", repository.head("main"))
    for branch, change in (("main", {"lit": True}), ("summer", {"watts": 100})):
        with versioning.on_branch(branch, author=erin, message="Set"):
            lamp.objects.update(**change)
    (form,) = (
        form for form in forms(maintainer.get(URL)) if form.action == "/merge/mend/"
    )
    assert form.fields["value:lit"] == "Yes"
    sent = {**form.fields, "value:lit": "No"}
    assert maintainer.post(form.action, sent).status_code == 303
    press_merge(maintainer, {"source": "summer", "target": "main"})
    assert list(lamp.objects.values_list("lit", "watts")) == [(False, 100)]

"""What can be typed beside a conflict’s choices, by what a column holds."""

import pytest
from django.db import models

import versioning
from tests.web import seen
from tests.web.test_merges import URL
from tests.web.test_typing_without_scripts import DECIDE, card


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

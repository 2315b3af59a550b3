"""Pages over rows that the application's own code fails to make anything of."""

from dataclasses import replace
from typing import Any

import pytest

from polls.models import Choice, Question
from tests.addresses import PATHS, POST_ONLY, make_things
from tests.web.test_merges import about, decide, pins
from versioning import policies
from versioning.models import Decision

MODELS = (Question, Choice)


class Mistake(Exception):
    """Of no type that anybody expects."""


def fails(*args: Any, **kwargs: Any) -> Any:
    raise Mistake("mistaken")


def name_fails(patch):
    for model in MODELS:
        patch.setattr(model, "__str__", fails)
        policy = replace(policies.for_model(model), label=str)
        patch.setitem(policies._policies, model, policy)


def label_fails(patch):
    for model in MODELS:
        policy = replace(policies.for_model(model), label=fails)
        patch.setitem(policies._policies, model, policy)


def field_fails(patch):
    for model in MODELS:
        field = model._meta.get_field("text")
        patch.setattr(field, "from_db_value", fails, raising=False)


def object_fails(patch):
    for model in MODELS:
        patch.setattr(model, "__init__", fails)


FAILURES = [name_fails, label_fails, field_fails, object_fails]


@pytest.mark.parametrize("failure", FAILURES)
def test_the_console_can_be_read(repository, owner, monkeypatch, failure):
    things = make_things()
    failure(monkeypatch)
    for name in PATHS:
        if not name.startswith("versioning:") or name in POST_ONLY:
            continue
        answer = owner.get(things.path(name))
        if answer.streaming:
            assert b"".join(answer), name
        assert answer.status_code in (200, 204), name


@pytest.mark.parametrize("failure", FAILURES)
def test_a_row_is_called_by_its_key(maintainer, heaven, monkeypatch, failure):
    failure(monkeypatch)
    page = maintainer.get("/compare/?from=main&to=summer&dots=2").content.decode()
    # Where the field fails, there is the value that is stored.
    name = f"Choice {heaven.pk}"
    if failure is field_fails:
        name = "Choice “Skies” of “What’s up?”"
    assert name in page


@pytest.mark.parametrize("method", ["clean", "get_db_prep_save"])
def test_what_was_typed_is_not_lost(
    repository, maintainer, heaven, monkeypatch, method
):
    form = pins(repository) | about(heaven, take__text="value", value__text="The sky!")
    monkeypatch.setattr(Choice._meta.get_field("text"), method, fails)
    answer = decide(maintainer, form)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "A rule of the application failed when it was asked" in page
    assert "Mistake: mistaken" in page
    assert "The sky!" in page
    assert not Decision.objects.exists()

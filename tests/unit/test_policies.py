"""What a project may say of its models, and what is refused when it says it."""

from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.db.models import Prefetch

from polls.models import Choice, Question
from versioning import policies


@pytest.fixture(autouse=True)
def _for_itself(monkeypatch):
    monkeypatch.setattr(policies, "_policies", {})


@pytest.fixture
def of_one_table():
    """``of_one_table(base, **meta)``: one more model of the choices' table."""

    def make(base, **options):
        meta = type("Meta", (), {"app_label": "polls", **options})
        return type("Voted", (base,), {"__module__": "polls.models", "Meta": meta})

    yield make
    del apps.all_models["polls"]["voted"]
    apps.clear_cache()


@pytest.mark.parametrize("given", ["choice_set", "choices_", "Choices", ""])
def test_a_relation_that_is_none_is_not_prefetched(given):
    with pytest.raises(ImproperlyConfigured, match=f"no relation “{given}” to prefe"):
        policies.register(Question, prefetch=[given])
    assert policies.for_model(Question).prefetch == ()


@pytest.mark.parametrize(
    "given", ["choices", "choices__question", Prefetch("choices", to_attr="answers")]
)
def test_a_relation_is_prefetched_as_django_takes_it(given):
    policies.register(Question, prefetch=[given])
    assert policies.for_model(Question).prefetch == (given,)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"counters": ["text"]}, "only whole numbers add up"),
        ({"counters": ["id"]}, "only whole numbers add up"),
        ({"counters": ["likes"]}, "no field “likes” to count"),
        ({"hidden": ["id"]}, "rows go by their key"),
        ({"hidden": ["likes"]}, "no field “likes” to hide"),
    ],
)
def test_what_can_be_neither_counted_nor_hidden_is_refused(given, reason):
    with pytest.raises(ImproperlyConfigured, match=reason):
        policies.register(Choice, **given)


@pytest.mark.parametrize("kind", ["counters", "hidden"])
def test_a_part_of_a_key_can_be_neither(of_one_table, kind):
    given: Any = {kind: ["number"]}
    voted = of_one_table(models.Model)
    voted.add_to_class("line", models.IntegerField())
    voted.add_to_class("number", models.IntegerField())
    voted.add_to_class("pk", models.CompositePrimaryKey("line", "number"))
    with pytest.raises(ImproperlyConfigured, match=r"only whole|go by their key"):
        policies.register(voted, **given)


def test_a_proxy_is_refused_with_the_model_to_register(of_one_table):
    """Else what both say would be of one table, and only one could be heeded."""
    proxy = of_one_table(Choice, proxy=True)
    policies.register(Choice, counters=["votes"], hidden=["text"])
    with pytest.raises(
        ImproperlyConfigured, match=r"Voted is a proxy: .*polls\.Choice"
    ):
        policies.register(proxy, label=lambda choice: choice.text, hidden=["votes"])
    assert policies.counters_of("polls_choice") == {"votes"}
    assert policies.hidden_of("polls_choice") == {"text"}


@pytest.mark.parametrize("first", [0, 1])
def test_what_is_said_of_two_models_of_one_table_holds_for_both(of_one_table, first):
    meta = {"managed": False, "db_table": "polls_choice"}
    twin = of_one_table(models.Model, **meta)
    twin.add_to_class("text", models.TextField())
    said = [
        (Choice, {"counters": ["votes"], "hidden": ["votes"]}),
        (twin, {"hidden": ["text"]}),
    ]
    for model, given in (said[first], said[1 - first]):
        policies.register(model, **given)
    assert policies.counters_of("polls_choice") == {"votes"}
    assert policies.hidden_of("polls_choice") == {"votes", "text"}

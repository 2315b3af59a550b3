"""What a project may say of its models, and what is refused when it says it."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db.models import Prefetch

from polls.models import Choice, Question
from versioning import policies


@pytest.fixture(autouse=True)
def _for_itself(monkeypatch):
    monkeypatch.setattr(policies, "_policies", {})


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

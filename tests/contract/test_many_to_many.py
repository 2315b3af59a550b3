"""Many-to-many fields, whose rows have keys that nobody chose."""

import pytest
from django.apps import apps
from django.db import models

from tests.contract.work import SIDES, listed

TABLE = "polls_thing_tags"
KEYS = {"main": 10, "summer": 20}
CREATE = (
    f"CREATE TABLE {TABLE} (id bigint PRIMARY KEY, thing_id int NOT NULL, "
    "tag_id int NOT NULL, UNIQUE (thing_id, tag_id))"
)


@pytest.fixture
def chosen(new_model, repository, write):
    """Rows of the field’s own table, of which both branches have one."""
    tag = new_model("Tag", id=models.IntegerField(primary_key=True))
    thing = new_model(
        "Thing",
        id=models.IntegerField(primary_key=True),
        tags=models.ManyToManyField(tag, related_name="+"),
    )
    through = thing.tags.through
    write(
        "main",
        CREATE,
        lambda: tag.objects.bulk_create([tag(pk=1), tag(pk=2), tag(pk=3)]),
        lambda: thing.objects.create(pk=1),
        lambda: through.objects.create(pk=1, thing_id=1, tag_id=1),
    )
    repository.create_branch("summer", repository.head("main"))
    yield through
    del apps.all_models["polls"][through._meta.model_name]
    apps.clear_cache()


@pytest.fixture
def choose(chosen, write):
    def choose(branch, tag, key=None):
        key = key or KEYS[branch]
        write(branch, lambda: chosen.objects.create(pk=key, thing_id=1, tag_id=tag))

    return choose


def found(chosen):
    return sorted(chosen.objects.values_list("pk", "tag_id"))


def test_what_both_chose_is_chosen_once(chosen, choose, work):
    for side in SIDES:
        choose(side, tag=2)
    merge = work()
    assert merge.troubles == {}
    assert listed(merge, TABLE) == []
    merge.land()
    assert found(chosen) == [(1, 1), (KEYS["main"], 2)]


def test_what_one_chose_besides_is_chosen_too(chosen, choose, work):
    for side in SIDES:
        choose(side, tag=2)
    choose("summer", tag=3, key=21)
    merge = work()
    assert listed(merge, TABLE) == [("added", 21)]
    merge.land()
    assert found(chosen) == [(1, 1), (10, 2), (21, 3)]


def test_it_is_once_where_it_was_taken_away_and_chosen_again(
    chosen, choose, work, write
):
    for side in SIDES:
        write(side, lambda: chosen.objects.all().delete())
        choose(side, tag=1)
    merge = work()
    assert merge.troubles == {}
    merge.land()
    assert found(chosen) == [(10, 1)]

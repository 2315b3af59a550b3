"""The console's own tables: brought forward, back and forward again."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections
from django.db.migrations.executor import MigrationExecutor

BEFORE = ("versioning", "0004_drafts_together")
AFTER = ("versioning", "0005_deleted_by_name")


def migrate(*targets: tuple[str, str]) -> Any:
    """The applications’ models as they are then."""
    executor = MigrationExecutor(connections["default"])
    state = executor.migrate(list(targets))
    return state.apps


@pytest.fixture
def at_0004(engine: Any, django_db_blocker: Any) -> Iterator[Any]:
    """Models as of 0004; nothing of what a test writes then stays."""
    with django_db_blocker.unblock():
        apps = migrate(BEFORE)
        user = apps.get_model("auth", "User").objects.create(username="ida")
        try:
            yield apps
        finally:
            newest = MigrationExecutor(connections["default"]).loader.graph
            apps = migrate(*newest.leaf_nodes("versioning"))
            apps.get_model("versioning", "DeletedBranch").objects.all().delete()
            apps.get_model("auth", "User").objects.filter(pk=user.pk).delete()


def columns() -> set[str]:
    connection = connections["default"]
    with connection.cursor() as cursor:
        described = connection.introspection.get_table_description(
            cursor, "versioning_deletedbranch"
        )
    return {column.name for column in described}


def named(apps: Any) -> dict[str, str]:
    found = apps.get_model("versioning", "DeletedBranch").objects.all()
    return dict(found.values_list("name", "deleted_by_name"))


def test_who_deleted_a_branch_is_written_down(at_0004):
    ida = at_0004.get_model("auth", "User").objects.get(username="ida")
    deleted = at_0004.get_model("versioning", "DeletedBranch").objects
    deleted.create(name="summer", head="a" * 40, deleted_by=ida)
    deleted.create(name="autumn", head="b" * 40)
    assert "deleted_by_name" not in columns()
    assert named(migrate(AFTER)) == {"summer": "ida", "autumn": ""}
    back = migrate(BEFORE)
    assert "deleted_by_name" not in columns()
    kept = back.get_model("versioning", "DeletedBranch").objects
    assert set(kept.values_list("name", "deleted_by__username")) == {
        ("summer", "ida"),
        ("autumn", None),
    }
    forward = migrate(AFTER)
    assert named(forward) == {"summer": "ida", "autumn": ""}

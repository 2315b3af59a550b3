"""What the system checks say of settings that would not work."""

import copy
from typing import Any

from django.conf import settings
from django.test import override_settings

from versioning import checks


def found() -> set[str]:
    return {str(message.id) for message in checks.check_settings(None)}


def without(name: str, things: list[str]) -> list[str]:
    assert name in things
    return [thing for thing in things if thing != name]


def test_this_project_is_fine():
    assert found() == set()


def test_middleware_that_is_missing():
    for name, id in ((checks.MIDDLEWARE, "W005"), (checks.HTMX, "E006")):
        with override_settings(MIDDLEWARE=without(name, settings.MIDDLEWARE)):
            assert found() == {f"versioning.{id}"}


def test_a_context_processor_that_is_missing():
    templates: list[Any] = copy.deepcopy(settings.TEMPLATES)
    given = templates[0]["OPTIONS"]
    given["context_processors"] = without(checks.CONTEXT, given["context_processors"])
    with override_settings(TEMPLATES=templates):
        assert found() == {"versioning.E007"}


def test_a_router_that_is_missing():
    with override_settings(DATABASE_ROUTERS=[]):
        assert found() == {"versioning.E004"}


def test_an_app_that_is_not_installed():
    with override_settings(VERSIONING={"APPS": ["polls", "pools"]}):
        assert found() == {"versioning.E003"}


def test_a_setting_that_does_not_exist():
    with override_settings(VERSIONING={"APPS": ["polls"], "BRANCH": "main"}):
        assert found() == {"versioning.E001"}


def test_a_database_that_has_no_versions():
    with override_settings(VERSIONING={"APPS": ["polls"], "DATABASE": "default"}):
        assert found() == {"versioning.E002"}

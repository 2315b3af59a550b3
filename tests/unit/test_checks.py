"""What the system checks say of settings that would not work."""

import copy
from typing import Any

import pytest
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import Group
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.test import override_settings

from polls.models import Choice, Question
from tests.engines import ENGINE
from versioning import checks
from versioning.admin import VersionedAdmin
from versioning.conf import connection


def found() -> set[str]:
    return {str(message.id) for message in checks.check_settings(None)}


def said(check: Any, isolated: Any) -> list[str]:
    """What a check says of the models that a test defines, before its hint."""
    return [message.msg for message in check(isolated.get_app_configs())]


def without(name: str, things: list[str]) -> list[str]:
    assert name in things
    return [thing for thing in things if thing != name]


def test_this_project_is_fine():
    assert found() == set()


def test_middleware_that_is_missing():
    for name, id in ((checks.MIDDLEWARE, "W005"), (checks.HTMX, "E006")):
        with override_settings(MIDDLEWARE=without(name, settings.MIDDLEWARE)):
            assert found() == {f"versioning.{id}"}


@pytest.mark.parametrize("name", checks.BEFORE)
def test_middleware_that_has_to_come_before(name):
    rest = without(name, settings.MIDDLEWARE)
    with override_settings(MIDDLEWARE=[*rest, name]):
        (error,) = checks.check_settings(None)
    assert error.id == "versioning.E020"
    assert f"“{name}” must have seen a request" in error.msg


def test_middleware_that_writes_never_come_to():
    skipped = "django.contrib.admindocs.middleware.XViewMiddleware"
    called = "django.middleware.locale.LocaleMiddleware"  # has no process_view()
    with override_settings(MIDDLEWARE=[*settings.MIDDLEWARE, called, skipped]):
        (warning,) = checks.check_settings(None)
    assert warning.id == "versioning.W021"
    assert warning.msg.startswith(f"process_view() of “{skipped}” is not called")


def test_middleware_that_looks_at_no_views_may_come_last():
    for name in ("django.middleware.locale.LocaleMiddleware", "no.such.Middleware"):
        with override_settings(MIDDLEWARE=[*settings.MIDDLEWARE, name]):
            assert found() == set()


@pytest.mark.parametrize("name", checks.NEEDED)
def test_an_app_that_the_pages_need(name):
    with override_settings(INSTALLED_APPS=without(name, settings.INSTALLED_APPS)):
        (error,) = checks.check_settings(None)
    assert error.id == "versioning.E019"
    assert error.hint == f"Add “{name}” there."


def test_a_context_processor_that_is_missing():
    templates: list[Any] = copy.deepcopy(settings.TEMPLATES)
    given = templates[0]["OPTIONS"]
    given["context_processors"] = without(checks.CONTEXT, given["context_processors"])
    with override_settings(TEMPLATES=templates):
        assert found() == {"versioning.E007"}


def test_a_router_that_is_missing():
    with override_settings(DATABASE_ROUTERS=[]):
        assert found() == {"versioning.E004"}


@pytest.mark.parametrize("option", ["APPS", "PUBLIC_BRANCHES", "PROTECTED_BRANCHES"])
def test_a_name_where_a_list_is_wanted(option):
    """Each of its letters would be a name, and the branch open to everybody."""
    with override_settings(VERSIONING={**settings.VERSIONING, option: "main"}):
        (error,) = checks.check_settings(None)
    assert error.id == "versioning.E001"
    assert error.msg == f'{option} of VERSIONING is a list of names, such as ["main"].'


def test_an_app_that_is_not_installed():
    with override_settings(VERSIONING={"APPS": ["polls", "pools"]}):
        assert found() == {"versioning.E003"}


def test_a_setting_that_does_not_exist():
    with override_settings(VERSIONING={"APPS": ["polls"], "BRANCH": "main"}):
        assert found() == {"versioning.E001"}


def test_a_database_that_has_no_versions_and_holds_what_must_have_none():
    with override_settings(VERSIONING={"APPS": ["polls"], "DATABASE": "default"}):
        assert found() == {"versioning.E002", "versioning.E016"}


def test_a_transaction_around_each_request(monkeypatch):
    monkeypatch.setitem(connection().settings_dict, "ATOMIC_REQUESTS", True)
    assert found() == {"versioning.E013"}


@pytest.mark.django_isolate_apps("polls", "django.contrib.auth")
def test_a_key_from_one_database_into_the_other(django_isolated_apps):
    class Person(models.Model):
        class Meta:
            app_label = "auth"

    def refers_to(model: Any, on_delete: Any = models.DO_NOTHING, **more: Any) -> Any:
        return models.ForeignKey(model, on_delete, related_name="+", **more)

    class Poll(models.Model):
        owner = refers_to(Person)
        editor = refers_to(Person, db_constraint=False)
        author = refers_to(Person, models.CASCADE, db_constraint=False)
        after = refers_to("self", models.CASCADE)

        class Meta:
            app_label = "polls"

    class Favourite(models.Model):
        poll = refers_to(Poll)

        class Meta:
            app_label = "auth"

    assert said(checks.check_foreign_keys, django_isolated_apps) == [
        "polls.Poll.owner points from the versioned database into the default one, "
        "where no constraint can reach.",
        "polls.Poll.author points from the versioned database into the default one, "
        "and no person can be deleted: Django would look for what points there in its "
        "own database.",
        "auth.Favourite.poll points from the default database into the versioned "
        "one, where no constraint can reach.",
    ]


@pytest.mark.django_isolate_apps("polls", "django.contrib.auth")
def test_a_table_that_is_called_like_the_engines_own(django_isolated_apps):
    for label in ("polls", "auth"):
        meta = type("Meta", (), {"app_label": label, "db_table": "Dolt_polls"})
        type("Poll", (models.Model,), {"__module__": __name__, "Meta": meta})
    assert said(checks.check_table_names, django_isolated_apps) == [
        "The table “Dolt_polls” can’t be made: names that begin with dolt_ belong to "
        "the engine."
    ]


@pytest.mark.django_isolate_apps("polls", "django.contrib.auth")
def test_a_key_that_is_called_like_a_column_of_the_engines_own(django_isolated_apps):
    for label in ("polls", "auth"):
        meta = type("Meta", (), {"app_label": label})
        key = models.IntegerField(primary_key=True, db_column="Commit")
        made = {"__module__": __name__, "Meta": meta, "key": key}
        type("Build", (models.Model,), made)
    found = said(checks.check_key_names, django_isolated_apps)
    assert [message.partition(",")[0] for message in found] == (
        ["The key of polls.Build is called “Commit”"] if ENGINE == "dolt" else []
    )


@pytest.mark.django_isolate_apps("polls", "django.contrib.auth")
def test_a_generic_key_whose_content_types_are_elsewhere(django_isolated_apps):
    for label in ("polls", "auth"):
        kind = models.ForeignKey(ContentType, models.CASCADE, db_constraint=False)
        fields = {
            "kind": kind,
            "number": models.IntegerField(),
            "about": GenericForeignKey("kind", "number"),
        }
        meta = type("Meta", (), {"app_label": label})
        made = {"__module__": __name__, "Meta": meta, **fields}
        type("Remark", (models.Model,), made)
    (message,) = said(checks.check_generic_keys, django_isolated_apps)
    assert message.startswith("polls.Remark.about is a generic key")
    with override_settings(VERSIONING={"APPS": ["polls", "contenttypes"]}):
        assert said(checks.check_generic_keys, django_isolated_apps) == []


def test_an_admin_that_knows_no_branches():
    site = admin.AdminSite("plain")
    site.register(Choice)
    site.register(Question, VersionedAdmin)
    site.register(Group)  # is in the other database
    (warning,) = checks.check_admin(None)
    assert (warning.id, warning.msg) == (
        "versioning.W015",
        "The admin of polls.Choice can’t save: it writes on no branch.",
    )

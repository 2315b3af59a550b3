"""People who use the site, each with a browser of their own."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from versioning import permissions
from versioning.backends.repository import Author

EDITOR = (permissions.VIEW_HISTORY, permissions.CREATE_BRANCH)
MAINTAINER = (*EDITOR, permissions.MERGE_BRANCH, permissions.DELETE_BRANCH)


def _signed_in(django_user_model, name: str, allowed: tuple[str, ...]) -> Client:
    user = django_user_model.objects.create_user(name, password="x")
    user.user_permissions.set(
        Permission.objects.filter(
            content_type__app_label="versioning",
            codename__in=[permission.partition(".")[2] for permission in allowed],
        )
    )
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def erin() -> Author:
    return Author("Erin Editor", "erin@example.org")


@pytest.fixture
def editor(repository, django_user_model) -> Client:
    """The browser of somebody who reads, branches and edits."""
    return _signed_in(django_user_model, "edith", EDITOR)


@pytest.fixture
def maintainer(repository, django_user_model) -> Client:
    """The browser of somebody who may do everything."""
    return _signed_in(django_user_model, "mo", MAINTAINER)


@pytest.fixture
def owner(repository, django_user_model) -> Client:
    """The browser of somebody with every permission that there is, rows’ too."""
    user = django_user_model.objects.create_user("olga", password="x")
    user.user_permissions.set(Permission.objects.all())
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def nobody(repository, django_user_model) -> Client:
    """The browser of somebody who is signed in and may do nothing."""
    return _signed_in(django_user_model, "nell", ())

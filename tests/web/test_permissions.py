"""What a person may do is asked in one statement, and is what Django says it is."""

import pytest
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Group, Permission
from django.db import connections
from django.test.utils import CaptureQueriesContext


@pytest.fixture
def people(db, django_user_model):
    """Users by what they have; each permission has many rows beside it."""
    of = {p.codename: p for p in Permission.objects.all()}
    readers, mergers = Group.objects.create(name="R"), Group.objects.create(name="M")
    readers.permissions.add(of["view_history"], of["add_question"])
    mergers.permissions.add(of["merge_branch"], of["view_history"])
    own, groups = (of["create_branch"], of["view_history"]), (readers, mergers)
    found = {}
    for name, permissions, teams, more in (
        ("nothing", (), (), {}),
        ("own", own, (), {}),
        ("group", (), groups[:1], {}),
        ("both", own, groups, {}),
        ("left", own, groups, {"is_active": False}),
        ("super", (), (), {"is_superuser": True}),
    ):
        user = django_user_model.objects.create_user(name, password="x", **more)
        user.user_permissions.set(permissions)
        user.groups.set(teams)
        found[name] = user.pk
    return found


@pytest.mark.parametrize("name", ["nothing", "own", "group", "both", "left", "super"])
def test_the_answer_is_djangos(people, django_user_model, name):
    ours, theirs = (django_user_model.objects.get(pk=people[name]) for _ in range(2))
    assert ours.get_all_permissions() == ModelBackend().get_all_permissions(theirs)


def test_both_kinds_come_at_once(people, django_user_model):
    user = django_user_model.objects.get(pk=people["both"])
    with CaptureQueriesContext(connections["default"]) as asked:
        assert user.has_perm("versioning.create_branch")
        assert user.has_perm("versioning.merge_branch")
        assert not user.has_perm("versioning.delete_branch")
    assert len(asked) == 1

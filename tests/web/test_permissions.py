"""A person and what they may do come in one statement, and are what Django says."""

import pytest
from django.contrib.auth import get_backends
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Group, Permission
from django.db import connections
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from config.auth import asking_once


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


@pytest.mark.parametrize("name", ["nothing", "own", "group", "both", "super"])
def test_the_answer_is_djangos(people, name):
    ours, theirs = (
        backend.get_user(people[name])
        for backend in (get_backends()[0], ModelBackend())
    )
    assert ours is not None
    assert theirs is not None
    assert ours.get_all_permissions() == theirs.get_all_permissions()
    fields = [field.attname for field in ours._meta.concrete_fields]
    assert [getattr(ours, f) for f in fields] == [getattr(theirs, f) for f in fields]


def test_who_left_or_never_was_is_nobody(people):
    (backend,) = get_backends()
    assert backend.get_user(people["left"]) is None
    assert backend.get_user(max(people.values()) + 1) is None


def test_a_person_comes_with_both_kinds_at_once(people):
    (backend,) = get_backends()
    with CaptureQueriesContext(connections["default"]) as asked:
        user = backend.get_user(people["both"])
        assert user is not None
        assert user.has_perm("versioning.create_branch")
        assert user.has_perm("versioning.merge_branch")
        assert not user.has_perm("versioning.delete_branch")
    assert len(asked) == 1


@pytest.mark.parametrize("name", ["nothing", "own", "group", "both", "super"])
def test_who_sends_a_form_may_do_the_same(people, name):
    (backend,) = get_backends()
    found = []
    see = asking_once(lambda request: found.append(backend.get_user(people[name])))
    for method in ("get", "post"):
        see(getattr(RequestFactory(), method)("/"))
    reader, sender = found
    assert reader is not None
    assert sender is not None
    assert sender.get_all_permissions() == reader.get_all_permissions()

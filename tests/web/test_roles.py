"""Who may open what: every address of the site, tried by everybody."""

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import resolve

from tests.addresses import PATHS, POST_ONLY, Things, make_things, names
from versioning.permissions import create_groups

SIGN_IN = 302  # to the page where one signs in, and from there back

OPEN = (200, 200, 200, 200)
SIGNED_IN = (SIGN_IN, 200, 200, 200)
EDITORS = (SIGN_IN, 403, 200, 200)
MAINTAINERS = (SIGN_IN, 403, 403, 200)
NO_GET = (405, 405, 405, 405)
TO_ITS_FORM = (302, 302, 302, 302)  # to a page that leads to the form
SILENT = (204, 204, 204, 204)  # no news, and none for those who may not know

PEOPLE = ("visitor", "nobody", "editor", "maintainer")

#: What GET answers to each of PEOPLE.
ANSWERS = {
    "polls:index": OPEN,
    "polls:create": EDITORS,
    "polls:choice-row": EDITORS,
    "polls:detail": OPEN,
    "polls:vote": TO_ITS_FORM,
    "polls:results": OPEN,
    "polls:edit": EDITORS,
    "polls:delete": EDITORS,
    "versioning:branches": EDITORS,
    "versioning:branch-create": EDITORS,
    "versioning:branch-switch": NO_GET,
    "versioning:branch-rename": EDITORS,
    "versioning:branch-delete": MAINTAINERS,
    "versioning:branch-restore": NO_GET,
    "versioning:branch-migrate": NO_GET,
    "versioning:branch-working": EDITORS,
    "versioning:branch-working-rows": EDITORS,
    "versioning:branch-working-commit": NO_GET,
    "versioning:branch-working-discard": NO_GET,
    "versioning:live": SILENT,
    "versioning:log": EDITORS,
    "versioning:commit": EDITORS,
    "versioning:tags": EDITORS,
    "versioning:tag-create": EDITORS,
    "versioning:tag-delete": MAINTAINERS,
    "versioning:search": EDITORS,
    "versioning:compare": EDITORS,
    "versioning:compare-table": EDITORS,
    "versioning:row-history": EDITORS,
    "versioning:compare-export": EDITORS,
    "versioning:compare-value": EDITORS,
    "versioning:merges": EDITORS,
    "versioning:merge-record": EDITORS,
    "versioning:merge": EDITORS,
    "versioning:merge-rows": EDITORS,
    "versioning:merge-value": EDITORS,
    "versioning:decided-value": EDITORS,
    "versioning:merge-decide": TO_ITS_FORM,
    "versioning:merge-land": TO_ITS_FORM,
    "versioning:merge-abandon": MAINTAINERS,
    "versioning:merge-mend": TO_ITS_FORM,
    "versioning:receipt": OPEN,
    "versioning:unsent": SIGNED_IN,
    "versioning:how": OPEN,
    "login": OPEN,
    "logout": NO_GET,
    "password_change": SIGNED_IN,
    "password_change_done": SIGNED_IN,
    "healthz": OPEN,
}

#: What an empty form sent to each POST_ONLY address answers: 400, 404 and 422
#: are about the form, so its sender was let through.
ANSWERS_TO_FORMS = {
    "polls:vote": (400, 400, 400, 400),
    "versioning:branch-switch": (404, 404, 404, 404),
    "versioning:branch-restore": (SIGN_IN, 403, 403, 400),
    "versioning:branch-migrate": (SIGN_IN, 403, 403, 409),
    "versioning:branch-working-commit": (SIGN_IN, 403, 403, 400),
    "versioning:branch-working-discard": (SIGN_IN, 403, 403, 400),
    "versioning:merge-decide": (SIGN_IN, 403, 403, 400),
    "versioning:merge-land": (SIGN_IN, 403, 403, 400),
    "versioning:merge-mend": (SIGN_IN, 403, 403, 400),
    "logout": (302, 302, 302, 302),
}


@pytest.fixture
def people(repository: Any, django_user_model: Any) -> list[Client]:
    """Browsers of PEOPLE; the last two in the groups that the site makes."""
    create_groups()
    clients = [Client()]
    for name, group in zip(PEOPLE[1:], (None, "Editors", "Maintainers"), strict=True):
        user = django_user_model.objects.create_user(name, password="x")
        if group:
            user.groups.add(Group.objects.get(name=group))
        client = Client()
        client.force_login(user)
        clients.append(client)
    return clients


@pytest.fixture
def things(repository: Any) -> Things:
    return make_things()


@pytest.mark.parametrize("name", names())
def test_every_address_opens_to_whom_it_is_for(
    name: str, people: list[Client], things: Things
):
    assert name in PATHS, f"{name} has no path in tests/addresses.py"
    assert name in ANSWERS, f"{name} has no row in ANSWERS"
    path = things.path(name)
    assert resolve(path.partition("?")[0]).view_name == name
    answers = [client.get(path) for client in people]
    assert tuple(answer.status_code for answer in answers) == ANSWERS[name]
    for answer in answers:
        if answer.status_code == SIGN_IN and ANSWERS[name] != TO_ITS_FORM:
            assert answer["Location"].startswith("/accounts/login/?next=")


@pytest.mark.parametrize("name", sorted(POST_ONLY))
def test_a_form_is_taken_from_whom_it_is_for(
    name: str, people: list[Client], things: Things
):
    path = things.path(name)
    answers = [client.post(path) for client in people]
    assert tuple(answer.status_code for answer in answers) == ANSWERS_TO_FORMS[name]


def test_no_row_is_about_an_address_that_is_gone():
    assert set(PATHS) == set(ANSWERS) == set(names())
    assert set(ANSWERS_TO_FORMS) == POST_ONLY
    takes_forms_only = {
        name for name, row in ANSWERS.items() if row in (NO_GET, TO_ITS_FORM)
    }
    assert takes_forms_only == POST_ONLY

"""Faults of an application's own code: what the page says became of what was sent."""

import re

import pytest
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.test import Client
from django.urls import include, path

import versioning
from polls.models import Question
from tests.web import seen
from tests.web.test_place import be_on
from versioning import versioned


def fail(*args: object) -> HttpResponse:
    raise ZeroDivisionError


def fail_within(request: HttpRequest) -> HttpResponse:
    Question.objects.create(text="Within")
    return fail()


def fail_when_rendered(request: HttpRequest) -> HttpResponse:
    Question.objects.create(text="Rendered")
    return TemplateResponse(request, "tests/there-is-none.html")


def fail_when_told(request: HttpRequest) -> HttpResponse:
    Question.objects.create(text="Told")
    versioning.after_commit(fail)
    return HttpResponse("Done")


@versioning.opens_unit
def fail_afterwards(request: HttpRequest) -> HttpResponse:
    with versioning.unit():
        Question.objects.create(text="Afterwards")
    return fail()


urlpatterns = [
    path("", include("config.urls")),
    path("within/", versioned(fail_within)),
    path("rendered/", versioned(fail_when_rendered)),
    path("told/", versioned(fail_when_told)),
    path("afterwards/", versioned(fail_afterwards)),
    path("elsewhere/", fail),
]
handler500 = "versioning.views.errors.server_error"
pytestmark = pytest.mark.urls(__name__)


@pytest.fixture
def sender(editor, repository):
    repository.create_branch("summer", repository.head("main"))
    be_on(editor, "summer")
    found = Client(raise_request_exception=False)
    found.cookies = editor.cookies
    return found


def test_nothing_was_written(sender, repository):
    before = repository.head("summer")
    page = sender.post("/within/")
    assert page.status_code == 500
    assert "rolled back as a whole: nothing was written." in seen.text(page)
    assert repository.head("summer") == before


@pytest.mark.parametrize("name", ["rendered", "told", "afterwards"])
def test_it_was_written_and_only_the_page_failed(sender, repository, name):
    before = repository.head("summer")
    page = sender.post(f"/{name}/")
    assert page.status_code == 500
    words = seen.text(page)
    told = re.search(r"was written, as commit (\w{7}) on summer: don’t send it", words)
    assert told
    assert "nothing was written" not in words
    head = repository.commit(repository.head("summer"))
    assert (head.hash[:7], head.parents) == (told[1], (before,))


def test_of_what_is_no_unit_nobody_knows(sender):
    words = seen.text(sender.post("/elsewhere/"))
    assert "Look whether what you sent was done, before you send it again." in words


def test_nothing_was_sent(sender):
    words = seen.text(sender.get("/elsewhere/"))
    assert "Something went wrong here" in words
    assert "sent" not in words

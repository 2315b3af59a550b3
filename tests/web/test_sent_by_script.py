"""Forms that a script sends, by a method that no form has by itself."""

import uuid

import pytest
from django.http import HttpRequest, HttpResponse
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from django.urls import include, path
from django.utils.http import urlencode

from polls.models import Question
from tests.web.test_place import be_on
from versioning import versioned
from versioning.place import BRANCH_FIELD, TOKEN_FIELD

URLENCODED = "application/x-www-form-urlencoded"


def put(request: HttpRequest) -> HttpResponse:
    Question.objects.create(text=f"{len(request.body)} bytes")
    return HttpResponse("Done")


urlpatterns = [path("", include("config.urls")), path("put/", versioned(put))]
pytestmark = [
    pytest.mark.urls(__name__),
    pytest.mark.parametrize(
        ("method", "encoding"),
        [
            ("put", URLENCODED),
            ("patch", MULTIPART_CONTENT),
            ("delete", URLENCODED),
            ("delete", ""),  # in the address, as HTMX does
        ],
    ),
]


@pytest.fixture
def summer(repository, editor) -> str:
    repository.create_branch("summer", repository.head("main"))
    be_on(editor, "summer")
    return "summer"


def send(browser, method, encoding, **given):
    carried = {
        {"branch": BRANCH_FIELD, "token": TOKEN_FIELD}.get(name, name): value
        for name, value in given.items()
    }
    by = getattr(browser, method)
    if not encoding:
        return by(f"/put/?{urlencode(carried)}")
    if encoding == MULTIPART_CONTENT:
        return by("/put/", encode_multipart(BOUNDARY, carried), content_type=encoding)
    return by("/put/", urlencode(carried), content_type=encoding)


def test_one_of_another_branch_is_refused(editor, summer, repository, method, encoding):
    heads = [repository.head(branch) for branch in ("main", summer)]
    answer = send(editor, method, encoding, branch="main")
    assert answer.status_code == 409
    assert "Switch to where it belongs, and send it from there." in answer.text
    assert [repository.head(branch) for branch in ("main", summer)] == heads


def test_it_counts_once(editor, summer, connection, method, encoding):
    given = {"branch": summer, "token": str(uuid.uuid4())}
    assert send(editor, method, encoding, **given).status_code == 200
    again = send(editor, method, encoding, **given)
    assert (again.status_code, again["Location"]) == (
        303,
        f"/receipts/{given['token']}/",
    )
    otherwise = send(editor, method, encoding, **given, text="Something else")
    assert otherwise.status_code == 409
    assert "This form was sent before" in otherwise.text
    with connection.bound(summer):
        assert Question.objects.count() == 1

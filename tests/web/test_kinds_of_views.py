"""Views as Django’s users write them, on a branch, with nothing done to them."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from functools import partial

import pytest
from asgiref.sync import async_to_sync
from django import forms
from django.contrib.auth.models import Group
from django.db import connections
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.template.response import TemplateResponse
from django.test import AsyncClient, Client
from django.urls import include, path
from django.utils.functional import SimpleLazyObject
from django.utils.http import urlencode
from django.views.generic import CreateView, DeleteView

import versioning
from polls.models import Choice, Question
from tests.web.test_place import be_on
from versioning import versioned, visibility
from versioning.place import TOKEN_FIELD


class ChoiceForm(forms.ModelForm):
    class Meta:
        model = Choice
        fields = ("question", "text")


class AddChoice(CreateView):
    form_class = ChoiceForm
    template_name = "tests/form.html"
    success_url = "/added/"


class DeleteQuestion(DeleteView):
    model = Question
    success_url = "/deleted/"


def refuse(request: HttpRequest) -> HttpResponse:
    Question.objects.create(text="Not to be kept")
    questions = Question.objects.order_by("text")
    return TemplateResponse(
        request, "tests/list.html", {"questions": questions}, status=422
    )


def go_far(request: HttpRequest) -> HttpResponse:
    Question.objects.create(text="From afar")
    return HttpResponseRedirect(f"/look/?{urlencode({'next': 'x' * 2000})}")


def stream(request: HttpRequest) -> StreamingHttpResponse:
    def lines() -> Iterator[str]:
        for question in Question.objects.order_by("text"):
            yield f"{question}\n"

    Question.objects.create(text="Streamed")
    return StreamingHttpResponse(lines())


def fail(request: HttpRequest) -> HttpResponse:
    Group.objects.create(name="Nobody’s")
    Question.objects.create(text="Nobody’s")
    raise ValueError("Half way through")


@versioning.open_to_all
def ask(request: HttpRequest, text: str) -> HttpResponse:
    Question.objects.create(text=text)
    return HttpResponse("Asked")


async def wait(request: HttpRequest) -> HttpResponse:
    question = await Question.objects.acreate(text=request.POST["text"])
    versioning.describe(f"Add “{question}”")
    names = [str(found) async for found in _all()]
    return HttpResponse("\n".join(names))


async def look(request: HttpRequest) -> HttpResponse:
    return HttpResponse("\n".join([str(found) async for found in _all()]))


async def _all() -> AsyncIterator[Question]:
    async for question in Question.objects.order_by("text"):
        yield question


urlpatterns = [
    path("", include("config.urls")),
    path("add/", versioned(AddChoice.as_view())),
    path("<int:pk>/delete/", versioned(DeleteQuestion.as_view())),
    path("refuse/", versioned(refuse)),
    path("far/", versioned(go_far)),
    path("stream/", versioned(stream)),
    path("fail/", versioned(fail)),
    path("ask/", partial(versioned(ask), text="Asked in part")),
    path("wait/", versioned(wait)),
    path("look/", look),
]

TEMPLATES = {
    "tests/form.html": "{{ form }}",
    "tests/list.html": "{% for question in questions %}{{ question }}\n{% endfor %}",
}
LOCMEM = "django.core.cache.backends.locmem.LocMemCache"
pytestmark = pytest.mark.urls(__name__)


@pytest.fixture(autouse=True)
def templates(settings) -> None:
    (engine,) = settings.TEMPLATES
    options = engine["OPTIONS"] | {
        "loaders": [("django.template.loaders.locmem.Loader", TEMPLATES)]
    }
    settings.TEMPLATES = [engine | {"OPTIONS": options, "APP_DIRS": False}]


@pytest.fixture(autouse=True)
def no_loop() -> Iterator[None]:
    """
    As in a server’s thread: once Playwright has opened a browser in this one, its
    event loop passes for running here, and no other may run.
    """
    loop = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    yield
    asyncio._set_running_loop(loop)


@pytest.fixture
def summer(repository, add) -> str:
    add("main", "Asked on both")
    repository.create_branch("summer", repository.head("main"))
    add("summer", "Asked in summer")
    return "summer"


def test_a_form_with_errors_offers_the_branchs_rows(editor, summer):
    be_on(editor, summer)
    page = editor.post("/add/", {"text": "Which question’s?"})
    assert "This field is required" in page.text
    assert "Asked on both" in page.text
    assert "Asked in summer" in page.text


def test_a_form_is_saved_on_the_branch(editor, summer, repository, connection):
    be_on(editor, summer)
    with connection.bound(summer):
        question = Question.objects.get(text="Asked in summer")
    answer = editor.post("/add/", {"question": question.pk, "text": "Yes"})
    assert (answer.status_code, answer["Location"]) == (302, "/added/")
    assert repository.commit(repository.head(summer)).author.name == "edith"
    with connection.bound(summer):
        assert Choice.objects.get().text == "Yes"
    assert not Choice.objects.exists()


def test_an_object_is_deleted_on_the_branch_alone(editor, summer, connection):
    be_on(editor, summer)
    question = Question.objects.get()
    assert editor.post(f"/{question.pk}/delete/").status_code == 302
    with connection.bound(summer):
        assert [q.text for q in Question.objects.all()] == ["Asked in summer"]
    assert Question.objects.get() == question


def test_a_page_that_is_rendered_later_shows_the_branch_without_what_was_refused(
    editor, summer
):
    be_on(editor, summer)
    page = editor.post("/refuse/")
    assert page.status_code == 422
    assert page.text.split("\n") == ["Asked in summer", "Asked on both", ""]


def test_a_form_that_came_again_leads_to_no_half_of_an_address(editor, summer):
    be_on(editor, summer)
    form = {TOKEN_FIELD: str(uuid.uuid4())}
    first, second = editor.post("/far/", form), editor.post("/far/", form)
    assert len(first["Location"]) > 2000
    assert (second.status_code, second["Location"]) == (
        303,
        f"/receipts/{form[TOKEN_FIELD]}/",
    )


def test_a_view_that_is_given_some_arguments_is_as_it_is_marked(
    editor, summer, repository
):
    before = repository.head("main")
    assert editor.post("/ask/").text == "Asked"
    assert Question.objects.filter(text="Asked in part").exists()
    assert repository.commit(repository.head("main")).parents == (before,)


def test_an_answer_that_is_streamed_reads_the_branch(editor, summer):
    be_on(editor, summer)
    page = editor.post("/stream/")
    assert b"".join(page.streaming_content).decode().splitlines() == [
        "Asked in summer",
        "Asked on both",
        "Streamed",
    ]


def test_an_asynchronous_view_is_one_commit(editor, summer, repository):
    be_on(editor, summer)
    before = repository.head(summer)
    page = editor.post("/wait/", {"text": "Waited for"})
    assert page.text.splitlines() == ["Asked in summer", "Asked on both", "Waited for"]
    commit = repository.commit(repository.head(summer))
    assert commit.parents == (before,)
    assert commit.subject == "Add “Waited for”"


def test_an_asynchronous_view_reads_the_branch(editor, summer):
    be_on(editor, summer)
    assert editor.get("/look/").text.splitlines() == [
        "Asked in summer",
        "Asked on both",
    ]


def test_a_cache_keeps_a_page_for_its_branch_alone(editor, summer, settings):
    settings.MIDDLEWARE = [
        "django.middleware.cache.UpdateCacheMiddleware",
        *settings.MIDDLEWARE,
        "django.middleware.cache.FetchFromCacheMiddleware",
    ]
    settings.CACHES = {"default": {"BACKEND": LOCMEM, "LOCATION": "pages"}}
    on_main, on_summer = ["Asked on both"], ["Asked in summer", "Asked on both"]
    visitor = Client()
    for browser, branch, expected in (
        (visitor, None, on_main),
        (editor, None, on_main),
        (editor, summer, on_summer),
        (editor, "main", on_main),
        (visitor, None, on_main),
    ):
        if branch:
            be_on(browser, branch)
        assert browser.get("/look/").text.splitlines() == expected


def test_who_is_signed_in_is_not_asked_for_where_a_coroutine_runs():
    """It would be asked of the database in the event loop, where nobody may."""
    asked: list[str] = []

    def find() -> str:
        asked.append("once more")
        return "somebody"

    async def nothing() -> None:
        pass

    with visibility.shown_to(SimpleLazyObject(find)):
        async_to_sync(nothing)()
    assert asked == []


@pytest.mark.parametrize("path", ["/wait/", "/add/"])
def test_a_server_that_is_asynchronous(editor, summer, repository, path):
    be_on(editor, summer)
    browser = AsyncClient()
    browser.cookies = editor.cookies
    before = repository.head(summer)
    answer = async_to_sync(browser.post)(path, {"text": "Waited for"})
    assert answer.status_code == 200
    assert "Asked in summer" in answer.content.decode()
    (commit,) = repository.log([repository.head(summer)], limit=1)
    if path == "/add/":  # a form with a mistake
        assert commit.hash == before
    else:
        assert (commit.parents, commit.author.name) == ((before,), "edith")


def test_a_view_that_fails_takes_back_what_atomic_requests_cover(
    editor, summer, repository, monkeypatch
):
    monkeypatch.setitem(connections.settings["default"], "ATOMIC_REQUESTS", True)
    be_on(editor, summer)
    before = repository.head(summer)
    with pytest.raises(ValueError, match="Half way"):
        editor.post("/fail/")
    assert repository.head(summer) == before
    assert not Group.objects.exists()

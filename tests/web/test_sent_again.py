"""Forms that come again: filled in otherwise, to another branch, after a sign-in."""

import uuid

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile, UploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.test import Client
from django.urls import include, path, reverse

import versioning
from polls.models import Question
from tests.web import seen
from tests.web.fields import fields, forms
from tests.web.test_admin import QuestionAdmin, office
from tests.web.test_place import be_on
from versioning.backends.errors import SerializationFailure, WriteOutsideBranch
from versioning.models import DeletedBranch
from versioning.place import BRANCH_FIELD, SESSION_KEY, TOKEN_FIELD

PAGE = """
{% load versioning %}
<main><form action="/note/" method="post">
{% csrf_token %}{% branch_fields %}<input type="text" name="text"><button>Save</button>
</form></main>
"""


@versioning.versioned
def note(request: HttpRequest) -> HttpResponse:
    """Each save is answered with the form, to go on."""
    if request.method == "POST":
        Question.objects.create(text=request.POST["text"])
    return HttpResponse(engines["django"].from_string(PAGE).render({}, request))


@versioning.open_to_all
@versioning.versioned
def open_note(request: HttpRequest) -> HttpResponse:
    Question.objects.create(text=request.POST["text"])
    return HttpResponse("done")


class Elsewhere(FileUploadHandler):
    """Keeps no file here, as one that sends it on to a store."""

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        return None

    def file_complete(self, file_size: int) -> UploadedFile:
        return UploadedFile(None, self.file_name, size=file_size)


class Upload:
    tries = 0


@versioning.versioned
def upload(request: HttpRequest) -> HttpResponse:
    """Meets somebody else's commit the first time."""
    Upload.tries += 1
    (file,) = request.FILES.getlist("file")
    for line in file.read().decode().splitlines():
        Question.objects.create(text=line)
    if Upload.tries == 1:
        raise SerializationFailure("another commit")
    return HttpResponse("done")


def elsewhere(request: HttpRequest) -> HttpResponse:
    with versioning.unit():
        Question.objects.create(text="By nobody")
    return HttpResponse("done")


urlpatterns = [
    path("office/", office.urls),
    path("note/", note),
    path("open-note/", open_note),
    path("upload/", upload),
    path("elsewhere/", elsewhere),
    path("", include("config.urls")),
]
pytestmark = pytest.mark.urls(__name__)
LIST = "/office/polls/question/"
POLL = {"text": "Which tea?", "choices-0-text": "Green", "choices-1-text": "Black"}


@pytest.fixture
def branches(repository, add):
    add("main", "Base")
    for name in ("summer", "autumn"):
        repository.create_branch(name, repository.head("main"))


@pytest.fixture
def writer(editor, branches, django_user_model):
    """An editor of polls, on summer."""
    person = django_user_model.objects.get(username="edith")
    person.user_permissions.add(
        *Permission.objects.filter(content_type__app_label="polls")
    )
    be_on(editor, "summer")
    return editor


@pytest.fixture
def staff(owner, branches, django_user_model):
    django_user_model.objects.update(is_staff=True)
    be_on(owner, "summer")
    return owner


@pytest.fixture
def texts(connection):
    def read(branch):
        with connection.bound(branch):
            return sorted(Question.objects.values_list("text", flat=True))

    return read


def resend(page, branch):
    """The form of an error page that sends it to a branch, if there is one."""
    return next(
        (f for f in forms(page) if f.fields.get(BRANCH_FIELD) == branch and f.action),
        None,
    )


def press(client, form):
    return client.post(form.action, form.fields)


# Filled in otherwise -----------------------------------------------------------


def test_what_is_typed_after_going_back_is_asked_about(writer, texts):
    form = fields(writer.get("/note/"))
    assert writer.post("/note/", form | {"text": "Tea?"}).status_code == 200
    page = writer.post("/note/", form | {"text": "Which tea?"})
    assert page.status_code == 409
    words = seen.main(page)
    assert "This form was sent before" in words
    assert "What you sent now is not written yet." in words
    assert "Which tea?" in words
    assert texts("summer") == ["Base", "Tea?"]
    again = resend(page, "summer")
    assert press(writer, again).status_code == 200
    assert texts("summer") == ["Base", "Tea?", "Which tea?"]
    assert press(writer, again).status_code == 303  # which counts once, too
    assert texts("summer") == ["Base", "Tea?", "Which tea?"]


def test_a_form_that_is_answered_with_itself_saves_each_time(writer, texts):
    page = writer.get("/note/")
    for text in ("One", "Two", "Two"):
        page = writer.post("/note/", fields(page) | {"text": text})
        assert page.status_code == 200
    assert texts("summer") == ["Base", "One", "Two", "Two"]


def test_a_form_that_came_to_nothing_can_be_filled_in_otherwise(writer, texts):
    url = reverse("polls:create")
    form = fields(writer.get(url)) | POLL
    assert writer.post(url, form | {"text": ""}).status_code == 422
    assert writer.post(url, form).status_code == 303
    assert writer.post(url, form).status_code == 303
    assert texts("summer") == ["Base", "Which tea?"]


# To another branch -------------------------------------------------------------


def test_what_came_to_nothing_on_one_branch_can_be_sent_to_another(writer, texts):
    url = reverse("polls:create")
    form = fields(writer.get(url)) | POLL
    assert writer.post(url, form | {"text": ""}).status_code == 422
    be_on(writer, "autumn")
    page = writer.post(url, form)
    assert page.status_code == 409
    assert press(writer, resend(page, "autumn")).status_code == 303
    assert (texts("summer"), texts("autumn")) == (["Base"], ["Base", "Which tea?"])


def test_what_counted_on_one_branch_counts_on_no_other(writer, texts):
    form = fields(writer.get("/note/")) | {"text": "Tea?"}
    assert writer.post("/note/", form).status_code == 200
    be_on(writer, "autumn")
    page = writer.post("/note/", form)
    assert page.status_code == 409
    assert press(writer, resend(page, "autumn")).status_code == 303
    assert (texts("summer"), texts("autumn")) == (["Base", "Tea?"], ["Base"])


@pytest.mark.parametrize("was_sent_before", [False, True])
def test_a_form_of_a_branch_that_is_gone_is_sent_to_the_default_one(
    repository, owner, branches, texts, was_sent_before
):
    be_on(owner, "summer")
    url = reverse("polls:create")
    form = fields(owner.get(url)) | POLL
    if was_sent_before:
        assert owner.post(url, form | {"text": ""}).status_code == 422
    repository.delete_branch("summer")
    page = owner.post(url, form)
    assert page.status_code == 409
    assert "The branch “summer” is gone" in seen.main(page)
    assert press(owner, resend(page, "main")).status_code == 303
    assert texts("main") == ["Base", "Which tea?"]
    assert "You are on main" not in seen.text(owner.get("/"))


def test_nobody_is_offered_a_branch_that_does_not_take_it(repository, writer):
    url = reverse("polls:create")
    form = fields(writer.get(url)) | POLL
    repository.delete_branch("summer")
    page = writer.post(url, form)
    assert page.status_code == 409
    assert resend(page, "main") is None
    (others,) = (f for f in forms(page) if BRANCH_FIELD in f.offered)
    assert others.offered[BRANCH_FIELD] == ["autumn"]
    assert "Which tea?" in seen.main(page)


@pytest.mark.parametrize("was_sent_before", [False, True])
def test_a_form_of_a_branch_that_is_gone_is_sent_to_another_and_counts_once(
    repository, writer, texts, was_sent_before
):
    url = reverse("polls:create")
    form = fields(writer.get(url)) | POLL
    if was_sent_before:
        assert writer.post(url, form | {"text": ""}).status_code == 422
    repository.delete_branch("summer")
    (again,) = (f for f in forms(writer.post(url, form)) if BRANCH_FIELD in f.offered)
    assert BRANCH_FIELD not in again.fields  # nobody has chosen one yet
    sent = again.fields | {BRANCH_FIELD: "autumn"}
    assert writer.post(again.action, sent).status_code == 303
    assert texts("autumn") == ["Base", "Which tea?"]
    assert texts("main") == ["Base"]
    assert writer.session[SESSION_KEY] == "autumn"
    twice = writer.post(again.action, sent, follow=True)
    assert "This had arrived already, so it counted once." in seen.text(twice)
    assert texts("autumn") == ["Base", "Which tea?"]


def test_the_branch_that_is_chosen_is_asked_for_whether_it_takes_it(
    repository, writer, texts
):
    url = reverse("polls:create")
    form = fields(writer.get(url)) | POLL
    repository.delete_branch("summer")
    (again,) = (f for f in forms(writer.post(url, form)) if BRANCH_FIELD in f.offered)
    refused = writer.post(again.action, again.fields | {BRANCH_FIELD: "main"})
    assert refused.status_code == 403
    assert "Which tea?" in seen.main(refused)
    assert texts("main") == ["Base"]


def test_a_visitor_is_offered_the_branches_that_visitors_see(
    client, repository, branches, settings, texts
):
    settings.VERSIONING = settings.VERSIONING | {
        "PUBLIC_BRANCHES": ["main", "summer"],
    }
    be_on(client, "summer")
    repository.delete_branch("summer")
    form = {BRANCH_FIELD: "summer", "text": "Tea?"}
    page = client.post("/open-note/", form)
    assert page.status_code == 409
    assert resend(page, "main") is not None
    assert "autumn" not in page.text


def test_a_branch_is_made_in_the_place_of_one_that_is_gone(
    repository, writer, add, texts
):
    """As it was: also a poll that was there only can be edited on."""
    add("summer", "Cake?")
    url = reverse("polls:create")
    form = fields(writer.get(url)) | POLL
    head = repository.head("summer")
    DeletedBranch.objects.create(name="summer", head=head)
    repository.delete_branch("summer")
    repository.delete_branch("autumn")
    new = seen.links(writer.post(url, form))["Make a branch for it"]
    sent = fields(writer.get(new)) | {"name": "winter", "switch": "on"}
    assert sent["at"] == head
    made = writer.post("/branches/new/", sent)
    assert made["Location"] == "/unsent/"
    page = writer.get("/unsent/")
    assert "The branch “summer” was gone when you sent it." in seen.main(page)
    assert "Send it to winter" in seen.main(page)
    assert press(writer, resend(page, "winter")).status_code == 303
    assert texts("winter") == ["Base", "Cake?", "Which tea?"]


def test_what_waits_for_a_branch_is_not_sent_to_one_that_takes_no_edits(
    repository, writer
):
    url = reverse("polls:create")
    form = fields(writer.get(url)) | POLL
    repository.delete_branch("summer")
    writer.post(url, form)
    page = writer.get("/unsent/")
    assert "“main” takes no edits of yours." in seen.main(page)
    assert "What you had typed Text Which tea?" in seen.main(page)
    assert not [f for f in forms(page) if f.action == url]
    assert seen.links(page)["New branch"] == "/branches/new/?next=%2Funsent%2F"


def test_it_goes_to_the_address_that_it_was_for(repository, staff, add, texts):
    """An action on all rows that a list was narrowed down to."""
    add("summer", "Tea one")
    add("summer", "Tea two")
    url = f"{LIST}?q=tea"
    (form,) = [f for f in forms(staff.get(url)) if "action" in f.offered]
    sent = form.fields | {
        "action": "shout",
        "select_across": "1",
        "index": "0",
        "_selected_action": "1",
    }
    be_on(staff, "autumn")
    page = staff.post(url, sent)
    assert page.status_code == 409
    press(staff, resend(page, "summer"))
    assert texts("summer") == ["Base", "TEA ONE", "TEA TWO"]


def test_a_file_is_not_left_out(writer, texts):
    file = SimpleUploadedFile("rows.txt", b"One\nTwo\n")
    sent = {BRANCH_FIELD: "autumn", "file": file, "text": "Typed"}
    page = writer.post("/upload/", sent)
    assert page.status_code == 409
    assert resend(page, "summer") is None
    assert resend(page, "autumn") is None
    words = seen.main(page)
    assert "rows.txt can’t be sent again from here" in words
    assert "Typed" in words


def test_a_file_with_something_else_in_it_is_asked_about(writer, texts):
    """As long as the one before it, and of the same name."""
    token = str(uuid.uuid4())

    def send(content):
        file = SimpleUploadedFile("rows.txt", content)
        return writer.post("/upload/", {TOKEN_FIELD: token, "file": file})

    assert send(b"One\nTwo\n").status_code == 200
    assert send(b"One\nTwo\n").status_code == 303
    page = send(b"One\nSix\n")
    assert page.status_code == 409
    assert "This form was sent before" in seen.main(page)
    assert texts("summer") == ["Base", "One", "Two"]


def test_a_file_that_is_kept_elsewhere_is_taken(writer, texts, settings):
    settings.FILE_UPLOAD_HANDLERS = [f"{__name__}.Elsewhere"]
    sent = {TOKEN_FIELD: str(uuid.uuid4()), "text": "Typed"}
    for status in (200, 303):
        file = SimpleUploadedFile("rows.txt", b"One\nTwo\n")
        assert writer.post("/note/", sent | {"file": file}).status_code == status
    assert texts("summer") == ["Base", "Typed"]


# Tried again -------------------------------------------------------------------


def test_a_view_that_is_run_again_reads_its_files_again(writer, texts):
    Upload.tries = 0
    file = SimpleUploadedFile("rows.txt", b"One\nTwo\n")
    assert writer.post("/upload/", {"file": file}).status_code == 200
    assert Upload.tries == 2
    assert texts("summer") == ["Base", "One", "Two"]


def test_the_admin_says_once_what_it_did(repository, staff, monkeypatch):
    with versioning.on_branch("summer"):
        url = f"{LIST}{Question.objects.get().pk}/change/"
    (form,) = [f for f in forms(staff.get(url)) if "text" in f.fields]
    answer, tries = QuestionAdmin.response_change, []

    def fails_once(self, request, obj):
        tries.append(obj)
        if len(tries) == 1:
            raise SerializationFailure("another commit")
        return answer(self, request, obj)

    monkeypatch.setattr(QuestionAdmin, "response_change", fails_once)
    assert staff.post(url, form.fields | {"text": "Other"}).status_code == 302
    head = repository.commit(repository.head("summer"))
    assert head.subject == "Change question “Other”"
    assert [str(entry) for entry in LogEntry.objects.all()] == [
        "Changed “Other” — Changed Question."
    ]


def test_the_admin_logs_once_what_it_deletes(repository, staff, texts, monkeypatch):
    with versioning.on_branch("summer"):
        pk = Question.objects.get().pk
    answer, tries = QuestionAdmin.response_delete, []

    def fails_once(self, *args):
        tries.append(args)
        if len(tries) == 1:
            raise SerializationFailure("another commit")
        return answer(self, *args)

    monkeypatch.setattr(QuestionAdmin, "response_delete", fails_once)
    url = f"{LIST}{pk}/delete/"
    (form,) = [f for f in forms(staff.get(url)) if "post" in f.fields]
    assert staff.post(url, form.fields).status_code == 302
    assert texts("summer") == []
    (entry,) = LogEntry.objects.all()
    assert (str(entry), entry.object_id) == ("Deleted “Base.”", str(pk))


def test_the_admin_logs_nothing_that_was_not_saved(staff, texts, monkeypatch):
    with versioning.on_branch("summer"):
        url = f"{LIST}{Question.objects.get().pk}/change/"
    (form,) = [f for f in forms(staff.get(url)) if "text" in f.fields]

    def fails(self, request, obj):
        raise SerializationFailure("another commit")

    monkeypatch.setattr(QuestionAdmin, "response_change", fails)
    assert staff.post(url, form.fields | {"text": "Other"}).status_code == 503
    assert texts("summer") == ["Base"]
    assert not LogEntry.objects.exists()


def test_a_view_of_no_unit_has_none(writer, texts):
    for ask in (writer.get, writer.post):
        with pytest.raises(WriteOutsideBranch):
            ask("/elsewhere/")
    assert texts("main") == texts("summer") == ["Base"]


# After a sign-in ---------------------------------------------------------------


@pytest.fixture
def signed_out(writer, django_user_model):
    """``signed_out(branch)``: a form of a poll, sent when its session had ended."""
    person = django_user_model.objects.get(username="edith")
    person.set_password("secret-edith")
    person.save()
    writer.force_login(person)

    def send(branch):
        be_on(writer, branch)
        form = fields(writer.get(reverse("polls:create"))) | POLL
        writer.logout()
        return writer.post(reverse("polls:create"), form)

    return send


def test_what_was_typed_waits_for_the_sign_in(writer, texts, signed_out):
    answer = signed_out("summer")
    assert answer.status_code == 302
    assert answer["Location"] == f"/accounts/login/?next={reverse('versioning:unsent')}"
    signed_in = writer.post(
        answer["Location"],
        {
            "username": "edith",
            "password": "secret-edith",
            "next": reverse("versioning:unsent"),
        },
        follow=True,
    )
    words = seen.main(signed_in)
    assert "You are signed in again" in words
    assert "Nothing was written." in words
    assert "Which tea?" in words
    again = resend(signed_in, "summer")
    assert press(writer, again).status_code == 303
    assert texts("summer") == ["Base", "Which tea?"]
    assert press(writer, again).status_code == 303
    assert texts("summer") == ["Base", "Which tea?"]


def test_the_sign_in_says_that_what_was_typed_is_kept(writer, signed_out):
    asked = writer.get(signed_out("summer")["Location"])
    assert "You had been signed out when you sent that form" in seen.main(asked)
    assert "is kept: sign in" in seen.main(asked)
    assert "signed out" not in seen.main(writer.get("/accounts/login/?next=/"))


def test_it_leads_to_the_page_that_it_was_on(writer, django_user_model):
    url, where = reverse("polls:create"), "http://testserver/polls/new/?from=here"
    form = fields(writer.get(url)) | POLL
    writer.logout()
    writer.post(url, form, headers={"Referer": where})
    writer.force_login(django_user_model.objects.get(username="edith"))
    page = writer.get(reverse("versioning:unsent"))
    assert seen.links(page)["The page it was on"] == where


@pytest.mark.parametrize("is_ours", [True, False])
def test_a_form_older_than_the_sign_in_leads_to_its_page(writer, is_ours):
    strict = Client(enforce_csrf_checks=True)
    where = f"http://{'testserver' if is_ours else 'elsewhere.example'}/polls/new/"
    url = reverse("polls:create")
    page = strict.post(url, POLL, headers={"Referer": where})
    assert page.status_code == 403
    assert seen.links(page).get("Open the page again") == (where if is_ours else None)


def test_nobody_else_s_page_offers_it(
    writer, client, owner, signed_out, django_user_model
):
    signed_out("summer")
    url = reverse("versioning:unsent")
    assert writer.get(url).status_code == client.get(url).status_code == 302
    client.force_login(django_user_model.objects.get(username="olga"))
    page = client.get(url)
    assert "Nothing waits to be sent" in seen.main(page)
    assert "Which tea?" not in seen.text(page)


def test_what_is_too_long_is_not_kept(writer, signed_out, branches):
    form = fields(writer.get(reverse("polls:create"))) | POLL
    writer.logout()
    answer = writer.post(reverse("polls:create"), form | {"details": "x" * 60_000})
    assert answer.status_code == 302
    assert reverse("versioning:unsent") not in answer["Location"]


@pytest.mark.parametrize("method", ["get", "post"])
def test_htmx_is_led_to_the_sign_in_as_a_page(client, repository, method):
    ask = {"get": client.get, "post": client.post}[method]
    url = {"get": "/branches/?q=x", "post": "/merge/decide/"}[method]
    answer = ask(
        url,
        headers={"HX-Request": "true", "Referer": "http://testserver/branches/?q=1"},
    )
    assert answer.status_code == 200
    assert answer.content == b""
    login = "/accounts/login/?next=http%3A//testserver/branches/%3Fq%3D1"
    assert answer["HX-Redirect"] == login

"""Django’s admin: on versioned models by ``VersionedAdmin``, and for accounts."""

from dataclasses import replace

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.db import DatabaseError, models, transaction
from django.test import Client
from django.urls import include, path, reverse

import versioning
from polls.models import Choice, Question
from tests import own_models
from tests.web import seen
from tests.web.fields import Form, forms
from tests.web.test_place import be_on
from versioning import permissions, policies
from versioning.admin import VersionedAdmin
from versioning.place import BRANCH_FIELD, Place

office = admin.AdminSite("office")


class Choices(admin.TabularInline):
    model = Choice
    extra = 1


@admin.register(Question, site=office)
class QuestionAdmin(VersionedAdmin):
    inlines = (Choices,)
    list_display = ("pk", "text")
    list_editable = ("text",)
    list_filter = ("published",)
    search_fields = ("text",)
    actions = ("shout",)

    @admin.action(description="Write in capitals")
    def shout(self, request, queryset):
        for question in queryset:
            question.text = question.text.upper()
            question.save()
        versioning.describe("Shout")


@admin.register(Choice, site=office)
class ChoiceAdmin(VersionedAdmin):
    list_filter = ("question",)


urlpatterns = [path("office/", office.urls), path("", include("config.urls"))]
pytestmark = pytest.mark.urls(__name__)

LIST = "/office/polls/question/"


@pytest.fixture
def staff(owner, django_user_model) -> Client:
    """The browser of somebody who may do everything, in the admin too."""
    django_user_model.objects.update(is_staff=True)
    return owner


@pytest.fixture
def helper(editor, django_user_model) -> Client:
    """The browser of an editor who may work in the admin, and not merge."""
    django_user_model.objects.update(is_staff=True)
    person = django_user_model.objects.get(username="edith")
    person.user_permissions.add(
        *Permission.objects.filter(content_type__app_label="polls")
    )
    return editor


@pytest.fixture
def question(repository, erin) -> Question:
    """On main and, worded otherwise, on summer."""
    with versioning.on_branch("main", author=erin, message="Ask"):
        question = Question.objects.create(text="What’s up?")
        Choice.objects.create(question=question, text="The sky", votes=3)
    repository.create_branch("summer", repository.head("main"))
    with versioning.on_branch("summer", author=erin, message="Reword"):
        Question.objects.update(text="What’s up in summer?")
        Question.objects.create(text="Only in summer?")
    return question


def form_of(page, field: str) -> Form:
    """The form of a page that has a field or a button of this name."""
    (found,) = (form for form in forms(page) if field in form.fields)
    return found


def texts(connection, branch: str) -> list[str]:
    with connection.bound(branch):
        return [question.text for question in Question.objects.order_by("pk")]


def test_a_page_names_its_branch_and_shows_what_is_there(staff, question):
    be_on(staff, "summer")
    page = staff.get(LIST)
    assert "Only in summer?" in page.text
    assert "On branch main summer Switch All branches" in seen.main(page)
    assert form_of(page, "next").fields["name"] == "summer"
    be_on(staff, "main")
    assert "Only in summer?" not in staff.get(LIST).text


def test_what_is_saved_is_one_commit_on_the_branch(
    staff, question, connection, repository
):
    be_on(staff, "summer")
    url = f"{LIST}{question.pk}/change/"
    page = staff.get(url)
    form = form_of(page, "text")
    assert form.fields[BRANCH_FIELD] == "summer"
    before = repository.head("summer")
    sent = form.fields | {
        "text": "Up, in summer?",
        "choices-0-text": "The warm sky",
        "choices-1-text": "The swallows",
        "_save": "Save",
    }
    answer = staff.post(url, sent)
    assert (answer.status_code, answer["Location"]) == (302, LIST)
    commit = repository.commit(repository.head("summer"))
    assert commit.parents == (before,)
    assert commit.subject == "Change question “Up, in summer?”"
    assert commit.author.name == "olga"
    assert texts(connection, "summer") == ["Up, in summer?", "Only in summer?"]
    assert texts(connection, "main") == ["What’s up?"]
    with connection.bound("summer"):
        rows = Choice.objects.order_by("pk").values_list("text", "votes")
        assert list(rows) == [("The warm sky", 3), ("The swallows", 0)]
    assert "was changed successfully" in staff.get(LIST).text
    # Once more: it counts once.
    staff.post(url, sent)
    assert repository.head("summer") == commit.hash
    assert "it counted once" in staff.get(LIST).text


@pytest.mark.parametrize("hides", ["what it inherits", "what it points to"])
def test_a_commit_quotes_nothing_hidden_of_what_belongs_to_a_row(
    new_model, django_user_model, rf, hides
):
    place = own_models.place(new_model)
    above = own_models.part_of(place)
    named = {"__str__": lambda self: self.name}
    hall = new_model("Hall", place, above=above, **named)
    named = {"__str__": lambda self: self.hall.name}
    at = models.ForeignKey(hall, models.CASCADE, related_name="+")
    visit = new_model(
        "Visit", id=models.BigAutoField(primary_key=True), hall=at, **named
    )
    policies.register(place, hidden=["name"])
    request = rf.post("/")
    request.user = django_user_model.objects.create_user("ada")
    with versioning.on_branch("main") as unit:
        row = hall.objects.create(pk=7, name="Whispered")
        if hides == "what it points to":
            row = visit.objects.create(pk=7, hall=row)
        VersionedAdmin(type(row), admin.AdminSite()).log_addition(request, row, [])
    assert unit.message == f"Add {row._meta.verbose_name} 7"


def test_a_commit_quotes_nothing_of_a_row_with_hidden_columns(
    staff, question, repository, monkeypatch
):
    policy = replace(policies.for_model(Question), hidden=frozenset({"text"}))
    monkeypatch.setitem(policies._policies, Question, policy)
    url = f"{LIST}{question.pk}/change/"
    form = form_of(staff.get(url), "text")
    assert staff.post(url, form.fields | {"text": "Whispered"}).status_code == 302
    commit = repository.commit(repository.head("main"))
    assert commit.subject == f"Change question {question.pk}"
    assert "Whispered" not in commit.message


def test_a_form_with_errors_is_shown_again_with_the_branchs_rows(
    staff, question, repository
):
    be_on(staff, "summer")
    form = form_of(staff.get("/office/polls/choice/add/"), "text")
    before = repository.head("summer")
    page = staff.post("/office/polls/choice/add/", form.fields | {"text": "A cloud"})
    assert "This field is required" in page.text
    assert "Only in summer?" in page.text
    assert repository.head("summer") == before


def test_a_form_of_another_branch_is_refused(staff, question, connection):
    be_on(staff, "summer")
    listed = staff.get(LIST)
    opened = [
        (f"{LIST}{question.pk}/change/", "text"),
        (f"{LIST}{question.pk}/delete/", "post"),
    ]
    sent = [(url, form_of(staff.get(url), field).fields) for url, field in opened]
    sent.append((LIST, form_of(listed, "form-0-text").fields | {"_save": "Save"}))
    asked = staff.post(LIST, _selected(listed, question, "delete_selected"))
    sent.append((LIST, form_of(asked, "post").fields))
    be_on(staff, "main")
    for url, fields in sent:
        answer = staff.post(url, fields)
        assert answer.status_code == 409, url
        assert "You have switched branches since" in seen.main(answer)
    assert texts(connection, "main") == ["What’s up?"]
    assert texts(connection, "summer") == ["What’s up in summer?", "Only in summer?"]


def _selected(page, question: Question, action: str) -> dict[str, str]:
    fields = form_of(page, "form-0-text").fields
    return fields | {
        "action": action,
        "_selected_action": str(question.pk),
        "index": "0",
    }


def test_an_object_is_deleted_on_the_branch_alone(
    staff, question, connection, repository
):
    be_on(staff, "summer")
    url = f"{LIST}{question.pk}/delete/"
    page = staff.get(url)
    assert "deleted on summer. Other branches keep it" in seen.main(page)
    assert "Choice: The sky" in seen.main(page)
    assert staff.post(url, form_of(page, "post").fields).status_code == 302
    assert texts(connection, "summer") == ["Only in summer?"]
    assert texts(connection, "main") == ["What’s up?"]
    commit = repository.commit(repository.head("summer"))
    assert commit.subject == "Delete question “What’s up in summer?”"


def test_selected_objects_are_deleted_after_a_question(
    staff, question, connection, repository
):
    be_on(staff, "summer")
    with connection.bound("summer"):
        other = Question.objects.get(text="Only in summer?")
    before = repository.head("summer")
    both = {"_selected_action": [question.pk, other.pk]}
    chosen = _selected(staff.get(LIST), question, "delete_selected")
    page = staff.post(LIST, {**chosen, **both})
    assert "deleted on summer" in seen.main(page)
    assert repository.head("summer") == before
    fields = form_of(page, "post").fields
    assert staff.post(LIST, {**fields, **both}).status_code == 302
    assert texts(connection, "summer") == []
    assert texts(connection, "main") == ["What’s up?"]
    commit = repository.commit(repository.head("summer"))
    assert (commit.parents, commit.subject) == ((before,), "Delete 2 questions")


def test_an_editable_list_and_an_action_are_one_commit_each(
    staff, question, connection, repository
):
    be_on(staff, "summer")
    fields = form_of(staff.get(LIST), "form-0-text").fields
    fields |= {"form-0-text": "First?", "form-1-text": "Second?", "_save": "Save"}
    before = repository.head("summer")
    assert staff.post(LIST, fields).status_code == 302
    commit = repository.commit(repository.head("summer"))
    assert (commit.parents, commit.subject) == ((before,), "Change 2 questions")
    assert sorted(texts(connection, "summer")) == ["First?", "Second?"]
    staff.post(LIST, _selected(staff.get(LIST), question, "shout"))
    after = repository.commit(repository.head("summer"))
    assert (after.parents, after.subject) == ((commit.hash,), "Shout")
    assert len([t for t in texts(connection, "summer") if t.isupper()]) == 1
    assert texts(connection, "main") == ["What’s up?"]


def test_an_objects_own_page_is_a_link_away(staff, question, monkeypatch):
    url = f"{LIST}{question.pk}/change/"
    assert "View on site" not in seen.links(staff.get(url))
    own = property(lambda self: lambda: reverse("polls:detail", args=[self.pk]))
    monkeypatch.setattr(Question, "get_absolute_url", own, raising=False)
    be_on(staff, "summer")
    link = seen.links(staff.get(url))["View on site"]
    assert "What’s up in summer?" in seen.main(staff.get(link))


def test_so_is_that_of_a_row_within_its_form(staff, question, monkeypatch):
    url = f"{LIST}{question.pk}/change/"
    own = property(
        lambda self: lambda: reverse("polls:detail", args=[self.question_id])
    )
    monkeypatch.setattr(Choice, "get_absolute_url", own, raising=False)
    link = seen.links(staff.get(url))["View on site"]
    assert link == f"/polls/{question.pk}/"


def test_a_list_shows_what_is_in_the_other_database(
    staff, question, new_model, django_user_model, rf
):
    authored = new_model(
        "Authored",
        id=models.IntegerField(primary_key=True),
        author=models.ForeignKey(
            django_user_model, models.DO_NOTHING, db_constraint=False
        ),
        question=models.ForeignKey(Question, models.DO_NOTHING),
    )
    user = django_user_model.objects.get()
    with versioning.on_branch(message="Write"):
        authored.objects.create(pk=1, author=user, question=question)

    class AuthoredAdmin(VersionedAdmin):
        list_display = ("pk", "author", "question")

    class JoiningNothing(AuthoredAdmin):
        list_select_related = ()

    request = rf.get("/")
    request.user, request.session = user, staff.session
    request.versioning = Place(request)
    shown = AuthoredAdmin(authored, office)
    (row,) = shown.get_changelist_instance(request).result_list
    assert (row.author, str(row.question)) == (user, "What’s up?")
    assert shown.get_list_select_related(request) == ["question"]
    assert JoiningNothing(authored, office).get_list_select_related(request) == ()


def test_history_is_the_objects_own_on_the_branch(staff, question):
    be_on(staff, "summer")
    answer = staff.get(f"{LIST}{question.pk}/history/", follow=True)
    assert answer.redirect_chain[0][0].startswith("/rows/history/?")
    assert "What’s up in summer?" in seen.main(answer)
    assert "Reword" in seen.main(answer)


def test_history_without_the_right_to_read_it_is_djangos(
    staff, question, django_user_model
):
    person = django_user_model.objects.get(username="olga")
    code = permissions.VIEW_HISTORY.partition(".")[2]
    person.user_permissions.remove(Permission.objects.get(codename=code))
    form = form_of(staff.get(f"{LIST}{question.pk}/change/"), "text")
    staff.post(f"{LIST}{question.pk}/change/", form.fields | {"text": "Up?"})
    answer = staff.get(f"{LIST}{question.pk}/history/")
    assert answer.status_code == 200
    assert "Changed Question." in answer.text
    assert "On branch main." in seen.main(answer)


def test_on_a_protected_branch_an_editor_looks_and_edits_elsewhere(
    helper, question, connection
):
    url = f"{LIST}{question.pk}/change/"
    page = helper.get(url)
    assert "View question" in seen.text(page)
    assert "main is protected" in seen.main(page)
    assert not any("text" in form.fields for form in forms(page))
    assert helper.get(f"{LIST}add/").status_code == 403
    answer = helper.post(url, {"text": "Mine?", BRANCH_FIELD: "main"})
    assert answer.status_code == 403
    assert "“main” is protected" in seen.main(answer)
    assert texts(connection, "main") == ["What’s up?"]
    be_on(helper, "summer")
    form = form_of(helper.get(url), "text")
    assert helper.post(url, form.fields | {"text": "Mine?"}).status_code == 302
    assert texts(connection, "summer") == ["Mine?", "Only in summer?"]


def test_parameters_of_a_list_are_its_own(staff, question):
    """A model may have a field that is called “branch”, or “at”."""
    be_on(staff, "summer")
    for name in ("branch", "at"):
        page = staff.get(f"{LIST}?{name}=nowhere")
        assert page["Location"] == f"{LIST}?e=1"  # Django: there is no such field
    page = staff.get(f"/office/polls/choice/?question__id__exact={question.pk}")
    assert "The sky" in page.text


def test_an_object_that_another_branch_has_is_not_here(staff, question, connection):
    with connection.bound("summer"):
        other = Question.objects.get(text="Only in summer?")
    be_on(staff, "main")
    answer = staff.get(f"{LIST}{other.pk}/change/")
    assert (answer.status_code, answer["Location"]) == (302, "/office/")
    assert "doesn’t exist" in staff.get("/office/").text


def test_what_the_admin_logs_itself_is_in_the_other_database(staff, question):
    be_on(staff, "summer")
    form = form_of(staff.get(f"{LIST}{question.pk}/change/"), "text")
    staff.post(f"{LIST}{question.pk}/change/", form.fields | {"text": "Up?"})
    (entry,) = LogEntry.objects.all()
    assert entry.object_repr == "Up?"
    assert "Up?" in staff.get("/office/").text


# Accounts -----------------------------------------------------------------------


def test_what_was_saved_is_told_where_it_can_not_be_logged(
    staff, question, connection, monkeypatch
):
    def fail(*args, **kwargs):
        raise DatabaseError("no space left")

    monkeypatch.setattr(LogEntry, "save", fail)
    page = staff.get(f"{LIST}{question.pk}/change/")
    given = form_of(page, "text").fields | {"text": "What’s new?"}
    answer = staff.post(f"{LIST}{question.pk}/change/", given, follow=True)
    assert answer.status_code == 200
    assert "was changed successfully" in seen.text(answer)
    assert texts(connection, "main") == ["What’s new?"]


def test_accounts_are_made_and_put_into_groups(client, repository, django_user_model):
    permissions.create_groups()
    client.force_login(django_user_model.objects.create_superuser("root"))
    url = "/admin/auth/user/add/"
    form = form_of(client.get(url), "password1")
    word = "a longer sentence"
    fields = form.fields | {"username": "nina", "password1": word, "password2": word}
    answer = client.post(url, fields)
    assert answer.status_code == 302, seen.main(answer)
    nina = django_user_model.objects.get(username="nina")
    form = form_of(client.get(answer["Location"]), "username")
    editors = Group.objects.get(name="Editors")
    fields = form.fields | {"groups": str(editors.pk)}
    assert client.post(answer["Location"], fields).status_code == 302
    assert list(nina.groups.all()) == [editors]
    visitor = Client()
    assert visitor.login(username="nina", password=word)
    assert visitor.get("/branches/").status_code == 200
    assert visitor.get("/admin/").status_code == 302  # no staff


@pytest.mark.parametrize("on_delete", [models.DO_NOTHING, models.CASCADE])
def test_an_account_that_versioned_rows_point_to_is_deleted(
    staff, new_model, django_user_model, on_delete
):
    """Where the key says so: see the check ``versioning.W017``."""
    authored = new_model(
        "Authored",
        id=models.IntegerField(primary_key=True),
        author=models.ForeignKey(django_user_model, on_delete, db_constraint=False),
    )
    user = django_user_model.objects.create_user("ada")
    with versioning.on_branch(message="Write"):
        authored.objects.create(pk=1, author=user)
    if on_delete is models.CASCADE:
        with pytest.raises(DatabaseError), transaction.atomic():
            user.delete()
    else:
        user.delete()
        assert not django_user_model.objects.filter(username="ada").exists()
    assert authored.objects.get().author_id is not None

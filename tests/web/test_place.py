"""The branch under every page: where a request is, and what it may write."""

import uuid

import pytest
from django.urls import reverse

import versioning
from polls.models import Choice, Question
from tests.web import seen
from versioning.backends.repository import Author
from versioning.models import Receipt
from versioning.place import BRANCH_FIELD, SESSION_KEY, SWITCH_FIELD, TOKEN_FIELD

ERIN = Author("Erin Editor", "erin@example.org")


@pytest.fixture
def choice(repository):
    with versioning.on_branch("main", author=ERIN, message="Add a poll"):
        question = Question.objects.create(text="What’s up?")
        Choice.objects.create(question=question, text="The clouds", votes=3)
        return Choice.objects.create(question=question, text="The sky", votes=12)


@pytest.fixture
def summer(repository, choice):
    repository.create_branch("summer", repository.head("main"))
    return "summer"


@pytest.fixture
def reader(client, django_user_model):
    """A client of somebody who may see every branch, and nothing more."""
    from django.contrib.auth.models import Permission

    user = django_user_model.objects.create_user("rita", password="x")
    user.user_permissions.add(Permission.objects.get(codename="view_history"))
    client.force_login(user)
    return client


def be_on(client, branch):
    session = client.session
    session[SESSION_KEY] = branch
    session.save()


def vote(client, choice, *, token=None, branch="main", **extra):
    fields = {
        "choice": choice.pk,
        TOKEN_FIELD: token or str(uuid.uuid4()),
        BRANCH_FIELD: branch,
    }
    url = reverse("polls:vote", args=[choice.question_id])
    return client.post(url, fields | extra)


def votes(connection, choice, branch="main"):
    with connection.bound(branch):
        return Choice.objects.get(pk=choice.pk).votes


def test_a_vote_is_one_commit_on_the_active_branch(
    repository, connection, reader, choice, summer
):
    be_on(reader, summer)
    before = repository.head(summer)
    response = vote(reader, choice, branch=summer)
    assert response.status_code == 303
    commit = repository.commit(repository.head(summer))
    assert commit.parents == (before,)
    assert commit.subject == "Vote for “The sky” in “What’s up?”"
    assert commit.author.name == "rita"
    assert votes(connection, choice, summer) == 13
    assert votes(connection, choice) == 12


@pytest.mark.parametrize(
    ("name", "email", "shown"),
    [
        ("Erin (she/her)", "erin@example.org", "Erin [she/her]"),
        ("Erin <Sales>", "Erin <erin@example.org>", "Erin [Sales]"),
        ("Erin\x01\x7f", "e\x02@example.org", "Erin"),
    ],
)
def test_who_has_brackets_in_their_name_can_vote(
    repository, client, choice, django_user_model, name, email, shown
):
    user = django_user_model.objects.create_user("erin", email, first_name=name)
    client.force_login(user)
    assert vote(client, choice).status_code == 303
    assert repository.commit(repository.head("main")).author.name == shown


def test_the_receipt_says_what_was_counted_and_where(repository, client, choice):
    response = vote(client, choice)
    page = client.get(response["Location"]).content.decode()
    commit = repository.head("main")
    assert "12 → 13" in page
    assert "on main" in page
    assert reverse("versioning:commit", args=[commit]) in page
    assert repository.commit(commit).author.name == "Anonymous visitor"


def test_a_form_that_comes_twice_counts_once(repository, connection, client, choice):
    token = str(uuid.uuid4())
    first = vote(client, choice, token=token)
    head = repository.head("main")
    again = vote(client, choice, token=token)
    assert again.status_code == 303
    assert again["Location"] == first["Location"]
    assert repository.head("main") == head
    assert votes(connection, choice) == 13


def test_a_form_counts_once_if_only_the_commit_survived(
    repository, connection, client, choice
):
    token = str(uuid.uuid4())
    vote(client, choice, token=token)
    vote(client, choice)  # somebody else's
    # As if the process had died between the commit and what follows it.
    Receipt.objects.filter(pk=token).update(commit="", location="")
    again = vote(client, choice, token=token)
    assert again.status_code == 303
    assert votes(connection, choice) == 14
    page = client.get(again["Location"]).content.decode()
    assert "12 → 13" in page


def test_it_counts_once_also_where_its_branch_has_another_name_by_then(
    repository, connection, reader, choice, summer
):
    be_on(reader, summer)
    token = str(uuid.uuid4())
    vote(reader, choice, token=token, branch=summer)
    Receipt.objects.filter(pk=token).update(commit="", location="")
    repository.rename_branch(summer, "winter")
    be_on(reader, "winter")
    again = vote(reader, choice, token=token, branch="winter")
    assert again.status_code == 303
    assert votes(connection, choice, "winter") == 13
    assert "12 → 13" in reader.get(again["Location"]).text


def test_a_damaged_token_is_refused(repository, connection, client, choice):
    for token in ("x", "'; DROP TABLE polls_choice", str(uuid.uuid4()).upper()):
        assert vote(client, choice, token=token).status_code == 400
    assert votes(connection, choice) == 12


def test_a_form_from_another_branch_is_refused(
    repository, connection, reader, choice, summer
):
    be_on(reader, summer)
    response = vote(reader, choice, branch="main")
    page = response.content.decode()
    assert response.status_code == 409
    assert "main" in page
    assert "summer" in page
    assert votes(connection, choice) == 12
    assert votes(connection, choice, summer) == 12


def test_a_landings_own_branch_is_no_place_to_be(
    repository, connection, reader, choice
):
    reader.get("/")  # the first request sweeps away what a landing left
    hidden = f"{repository.CANDIDATES}1"
    repository.create_branch(hidden, repository.head("main"))
    assert reader.get(f"/?branch={hidden}").status_code == 404
    answer = vote(reader, choice, branch=hidden, **{SWITCH_FIELD: "1"})
    assert answer.status_code == 409
    assert f"“{hidden}” is gone" in seen.main(answer)
    be_on(reader, hidden)
    assert vote(reader, choice, branch=hidden).status_code == 409
    assert f"The branch “{hidden}” is gone." in seen.text(reader.get("/"))
    assert repository.head(hidden) == repository.head("main")


def test_a_branch_that_is_gone_falls_back_once_on_a_get(
    repository, reader, choice, summer
):
    be_on(reader, summer)
    repository.delete_branch(summer)
    first = reader.get(reverse("polls:index")).content.decode()
    assert "“summer” is gone" in first
    second = reader.get(reverse("polls:index")).content.decode()
    assert "is gone" not in second


def test_a_branch_that_is_gone_takes_no_post(
    repository, connection, reader, choice, summer
):
    be_on(reader, summer)
    repository.delete_branch(summer)
    head = repository.head("main")
    response = vote(reader, choice, branch=summer)
    assert response.status_code == 409
    assert "“summer” is gone" in response.content.decode()
    assert repository.head("main") == head


def test_who_may_see_a_branch_no_more_is_told_so_and_not_that_it_is_gone(
    repository, connection, reader, choice, summer, django_user_model
):
    be_on(reader, summer)
    for user in django_user_model.objects.all():
        user.user_permissions.clear()
    refused = vote(reader, choice, branch=summer)
    assert refused.status_code == 409
    assert "You may no longer see “summer”" in seen.main(refused)
    assert "is gone" not in seen.main(refused)
    assert reverse("versioning:branches") not in seen.addresses(refused)
    first = seen.text(reader.get(reverse("polls:index")))
    assert "You may no longer see “summer”. You are on main now." in first
    second = seen.text(reader.get(reverse("polls:index")))
    assert "summer" not in second
    assert votes(connection, choice) == votes(connection, choice, summer)


@pytest.mark.parametrize("by", ["branch", "at"])
def test_another_state_is_shown_for_reading(
    repository, connection, reader, choice, summer, by
):
    with versioning.on_branch(summer, author=ERIN, message="Reword"):
        Question.objects.update(text="What is up there?")
    ref = summer if by == "branch" else repository.head(summer)
    page = reader.get(
        reverse("polls:detail", args=[choice.question_id]), {by: ref}
    ).content.decode()
    assert "What is up there?" in page
    assert "read-only" in page
    assert reverse("polls:vote", args=[choice.question_id]) not in page
    plain = reader.get(reverse("polls:detail", args=[choice.question_id]))
    assert "What is up there?" not in plain.content.decode()


def test_a_state_for_reading_takes_no_post(repository, connection, reader, choice):
    url = reverse("polls:vote", args=[choice.question_id])
    head = repository.head("main")
    response = reader.post(
        f"{url}?at={head}", {"choice": choice.pk, TOKEN_FIELD: str(uuid.uuid4())}
    )
    assert response.status_code == 409
    assert repository.head("main") == head


@pytest.mark.parametrize("query", ["branch=nowhere", "at=nothing", f"at={'0' * 40}"])
def test_a_state_that_is_not_there_is_not_found(reader, choice, query):
    response = reader.get(f"{reverse('polls:index')}?{query}")
    assert response.status_code == 404


def test_a_visitor_sees_public_branches_only(repository, client, choice, summer):
    response = client.get(reverse("polls:index"), {"branch": summer})
    assert response.status_code == 302
    assert response["Location"].startswith(reverse("login"))
    be_on(client, summer)
    page = client.get(reverse("polls:detail", args=[choice.question_id]))
    assert page.context["versioning"].branch == "main"


def test_an_edit_of_a_protected_branch_needs_the_merge_permission(
    repository, client, django_user_model, choice, summer
):
    from django.contrib.auth.models import Permission

    user = django_user_model.objects.create_user("erin", password="x")
    user.user_permissions.set(
        Permission.objects.filter(
            codename__in=["view_history", "delete_question", "change_question"]
        )
    )
    client.force_login(user)
    url = reverse("polls:delete", args=[choice.question_id])
    head = repository.head("main")
    refused = client.post(url, {BRANCH_FIELD: "main"})
    assert refused.status_code == 403
    assert "protected" in refused.content.decode()
    assert repository.head("main") == head
    be_on(client, summer)
    assert client.post(url, {BRANCH_FIELD: summer}).status_code == 303
    assert repository.head(summer) != head


def test_an_exception_in_a_view_leaves_no_row_and_no_commit(
    repository, connection, client, choice, monkeypatch
):
    def vote_and_fail(*args, **kwargs):
        raise ZeroDivisionError

    head = repository.head("main")
    monkeypatch.setattr("versioning.describe", vote_and_fail)
    client.raise_request_exception = False
    assert vote(client, choice).status_code == 500
    assert repository.head("main") == head
    assert repository.uncommitted() is None
    assert votes(connection, choice) == 12


def test_the_connection_is_left_on_no_branch(connection, reader, choice, summer):
    be_on(reader, summer)
    reader.get(reverse("polls:index"))
    assert connection.binding.branch is None
    vote(reader, choice, branch=summer)
    assert connection.binding.branch is None

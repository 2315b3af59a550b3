"""
People who use the site, each with a browser of their own, and what they find on it.
"""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission
from django.db import transaction
from django.test import Client

import versioning
from polls.models import Choice, Question
from versioning import permissions
from versioning.backends.repository import Author

EDITOR = (permissions.VIEW_HISTORY, permissions.CREATE_BRANCH)
MAINTAINER = (*EDITOR, permissions.MERGE_BRANCH, permissions.DELETE_BRANCH)


def signed_in(django_user_model, name: str, allowed: tuple[str, ...]) -> Client:
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
    return signed_in(django_user_model, "edith", EDITOR)


@pytest.fixture
def maintainer(repository, django_user_model) -> Client:
    """The browser of somebody who may do everything."""
    return signed_in(django_user_model, "mo", MAINTAINER)


@pytest.fixture
def ida(repository, django_user_model) -> Client:
    """The browser of another maintainer than ``mo``."""
    return signed_in(django_user_model, "ida", MAINTAINER)


@pytest.fixture
def owner(repository, django_user_model) -> Client:
    """The browser of somebody with every permission that there is, rows’ too."""
    user = django_user_model.objects.create_user("olga", password="x")
    user.user_permissions.set(Permission.objects.all())
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def blind(repository, django_user_model) -> Client:
    """The browser of somebody who may do everything but see what is hidden."""
    return signed_in(django_user_model, "bo", MAINTAINER)


@pytest.fixture
def sighted(repository, django_user_model) -> Client:
    """The browser of somebody who sees that, too."""
    return signed_in(django_user_model, "sam", (*MAINTAINER, permissions.VIEW_HIDDEN))


@pytest.fixture
def nobody(repository, django_user_model) -> Client:
    """The browser of somebody who is signed in and may do nothing."""
    return signed_in(django_user_model, "nell", ())


# What is on the branches ------------------------------------------------------


@pytest.fixture
def add(erin) -> Callable[..., str]:
    """``add(branch, text, message=None)``: a question of its own commit; its hash."""

    def add(branch: str, text: str, message: str | None = None) -> str:
        message = message or f"Add “{text}”"
        with versioning.on_branch(branch, author=erin, message=message) as unit:
            Question.objects.create(text=text)
        assert unit.commit is not None
        return unit.commit

    return add


@pytest.fixture
def write(connection, erin) -> Callable[..., str]:
    """``write(branch, *sql)``: statements in a commit of their own; its hash."""

    def write(branch: str, *work: str) -> str:
        with (
            connection.bound(branch),
            connection.writing(),
            transaction.atomic(using=connection.alias, durable=True),
        ):
            with connection.cursor() as cursor:
                for sql in work:
                    cursor.execute(sql)
            found: str = connection.repository.commit_all("Change rows", erin)
            return found

    return write


@pytest.fixture
def merge(connection, repository, erin) -> Callable[[str, str], str]:
    """``merge(source, target)``: merge, without the console; the commit's hash."""

    def merge(source: str, target: str) -> str:
        with (
            connection.bound(target),
            connection.writing(),
            transaction.atomic(using=connection.alias, durable=True),
        ):
            repository.start_merge(repository.head(source))
            found: str = repository.commit_all(f"Merge {source}", erin)
            return found

    return merge


@pytest.fixture
def sky(repository, erin) -> Choice:
    """A choice whose text differs on main and on summer, as its neighbour’s does."""
    with versioning.on_branch("main", author=erin, message="Add a poll"):
        question = Question.objects.create(text="What’s up?")
        choice = Choice.objects.create(question=question, text="The sky", votes=5)
        other = Choice.objects.create(question=question, text="The sea")
    repository.create_branch("summer", repository.head("main"))
    for branch in ("main", "summer"):
        with versioning.on_branch(branch, author=erin, message=f"Reword on {branch}"):
            Choice.objects.filter(pk=choice.pk).update(text=f"Sky of {branch}")
            Choice.objects.filter(pk=other.pk).update(text=f"Sea of {branch}")
    return choice


@pytest.fixture
def heaven(repository, erin) -> Choice:
    """A choice whose text and votes differ on main and on summer."""
    with versioning.on_branch("main", author=erin, message="Add a poll"):
        question = Question.objects.create(text="What’s up?")
        Choice.objects.create(question=question, text="The clouds")
        choice = Choice.objects.create(question=question, text="The sky", votes=5)
    repository.create_branch("summer", repository.head("main"))
    for branch, text, votes in (("main", "Heaven", 6), ("summer", "Skies", 7)):
        with versioning.on_branch(branch, author=erin, message=f"Reword on {branch}"):
            Choice.objects.filter(pk=choice.pk).update(text=text, votes=votes)
    return choice


@pytest.fixture
def orphan(repository, erin) -> Choice:
    """Summer adds a choice to a question that main deletes."""
    with versioning.on_branch("main", author=erin, message="Ask"):
        question = Question.objects.create(text="What’s up?")
    repository.create_branch("summer", repository.head("main"))
    with versioning.on_branch("summer", author=erin, message="Add"):
        choice = Choice.objects.create(question_id=question.pk, text="Stars")
    with versioning.on_branch("main", author=erin, message="Delete"):
        Question.objects.all().delete()
    return choice

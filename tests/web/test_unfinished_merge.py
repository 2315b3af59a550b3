"""A merge that another client of the database began on a branch, and left."""

import pytest

import versioning
from polls.models import Choice, Question
from tests import engines
from tests.web import seen
from tests.web.fields import fields
from tests.web.test_working import form, is_dirty, page


@pytest.fixture
def poll(repository, erin):
    """A question that two branches word otherwise."""
    with versioning.on_branch("main", author=erin, message="Ask"):
        question = Question.objects.create(text="What’s up?")
        for text in ("The sky", "The sea"):
            Choice.objects.create(question=question, text=text)
    repository.create_branch("summer", repository.head("main"))
    for branch in ("main", "summer"):
        with versioning.on_branch(branch, author=erin, message="Word"):
            Question.objects.update(details=f"On {branch}")
    return question


@pytest.fixture
def left(poll, stranger):
    if engines.ENGINE == "doltlite":
        pytest.skip("is refused: the next test")
    stranger.leave_merge("summer", "main")


def test_only_a_server_lets_somebody_leave_one(poll, stranger, repository):
    if engines.ENGINE == "doltlite":
        import sqlite3

        with pytest.raises(sqlite3.IntegrityError, match="cannot merge"):
            stranger.leave_merge("summer", "main")
    else:
        stranger.leave_merge("summer", "main")
    assert is_dirty(repository) == (engines.ENGINE == "dolt")


def test_an_unfinished_merge_is_told_of_and_what_was_sent_is_kept(
    owner, poll, left, repository, connection
):
    head = repository.head("summer")
    owner.post("/branches/switch/", {"name": "summer"})
    sent = fields(owner.get(f"/polls/{poll.pk}/edit/")) | {"text": "Renamed?"}
    answer = owner.post(f"/polls/{poll.pk}/edit/", sent)
    assert answer.status_code == 409
    said = seen.main(answer)
    assert "A merge was left unfinished on “summer”" in said
    assert "Renamed?" in said
    assert "Nothing was written." in said
    assert repository.head("summer") == head
    there = owner.get(seen.links(answer)["What was left there"])
    owner.post("/branches/working/discard/", form(there) | {"typed": "summer"})
    again = owner.post(f"/polls/{poll.pk}/edit/", fields(answer))
    assert again.status_code == 303
    with connection.bound("summer"):
        assert Question.objects.get().text == "Renamed?"


def test_what_is_left_of_it_can_be_discarded_and_not_committed(
    maintainer, editor, poll, left, repository
):
    head = repository.head("summer")
    for person in (maintainer, editor):
        said = seen.main(page(person))
        assert "A merge was left unfinished here" in said
        assert "before Questions was settled" in said
        assert "Commit them" not in said
        assert "commits them as well" not in said
    fields = form(page(maintainer))
    refused = maintainer.post(
        "/branches/working/commit/", fields | {"message": "Keep it"}
    )
    assert refused.status_code == 409
    assert "A merge was left unfinished here" in seen.main(refused)
    maintainer.post("/branches/working/discard/", fields | {"typed": "summer"})
    assert (is_dirty(repository), repository.head("summer")) == (False, head)


def test_a_row_that_breaks_a_constraint_is_as_unfinished(
    maintainer, poll, repository, stranger, erin
):
    if engines.ENGINE == "doltlite":
        pytest.skip("is refused, as one in conflict is")
    with versioning.on_branch("main", author=erin, message="Ask more"):
        other = Question.objects.create(text="And besides?")
        choice = Choice.objects.create(question=other, text="Nothing")
    repository.create_branch("autumn", repository.head("main"))
    with versioning.on_branch("autumn", author=erin, message="Take away"):
        Question.objects.filter(pk=poll.pk).delete()
    with versioning.on_branch("main", author=erin, message="Add"):
        Choice.objects.create(question=poll, text="Rain")
    sent = fields(maintainer.get(f"/polls/{other.pk}/")) | {"choice": choice.pk}
    stranger.leave_merge("main", "autumn")
    said = seen.main(page(maintainer, "main"))
    assert "A merge was left unfinished here" in said
    assert "Choices" in said
    answer = maintainer.post(f"/polls/{other.pk}/vote/", sent)
    assert "A merge was left unfinished on “main”" in seen.main(answer)

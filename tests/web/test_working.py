"""Rows that nobody committed: looked at, committed, discarded, never by surprise."""

import re

import pytest

import versioning
from polls.models import Choice, Question
from tests.web import seen

WRITE = "UPDATE polls_choice SET votes = 99"


@pytest.fixture
def poll(repository, erin):
    with versioning.on_branch("main", author=erin, message="Ask"):
        question = Question.objects.create(text="What’s up?")
        Choice.objects.create(question=question, text="The sky", votes=5)
    repository.create_branch("summer", repository.head("main"))
    return question


def page(client, name="summer"):
    return client.get("/branches/working/", {"name": name})


def form(response):
    """The pins that the page's forms carry."""
    html = response.content.decode()
    return {
        field: re.findall(f'name="{field}" value="([^"]*)"', html)[-1]
        for field in ("name", "head", "state")
    }


def votes(connection, branch="summer"):
    with connection.bound(branch):
        return Choice.objects.get().votes


def is_dirty(repository, branch="summer"):
    return repository.branch(branch).dirty


def test_the_page_shows_rows_and_cells_against_the_head(editor, poll, stranger):
    stranger.execute("summer", WRITE)
    said = seen.main(page(editor))
    assert "1 table ~ 1 changed" in said
    assert "Choice “The sky” of “What’s up?” changed" in said
    assert "Votes 5 99" in said
    assert "Discard" not in said


def test_rows_of_a_new_parent_go_by_the_name_that_nobody_committed(
    editor, poll, stranger
):
    stranger.execute("summer", "UPDATE polls_question SET text = 'Renamed?'")
    stranger.execute("summer", WRITE)
    assert "Choice “The sky” of “Renamed?”" in seen.main(page(editor))


def test_a_clean_branch_says_so_and_an_unknown_one_is_not_there(editor, poll):
    assert "Everything is committed" in seen.main(page(editor))
    for name in ("nope", "", "pollard/candidate/1", "-D", "x'--"):
        assert page(editor, name).status_code == 404


def test_the_list_of_branches_leads_there(editor, poll, stranger):
    assert "uncommitted rows" not in seen.main(editor.get("/branches/"))
    stranger.execute("summer", WRITE)
    links = seen.links(editor.get("/branches/"))
    there = links["uncommitted rows on summer"]
    assert "Votes 5 99" in seen.main(editor.get(there))


def test_the_merge_page_leads_there(maintainer, poll, stranger, erin):
    with versioning.on_branch("main", author=erin, message="More"):
        Question.objects.update(details="x")
    stranger.execute("summer", WRITE)
    merge = maintainer.get("/merge/", {"source": "main", "target": "summer"})
    assert "Votes 5 99" in seen.main(
        maintainer.get(seen.links(merge)["Look at these rows"])
    )


def test_they_become_a_commit_of_nobody_here_that_says_who_made_it(
    maintainer, poll, stranger, repository
):
    before = repository.head("summer")
    stranger.execute("summer", WRITE)
    fields = form(page(maintainer)) | {"message": "Votes counted by hand"}
    answer = maintainer.post("/branches/working/commit/", fields)
    commit = repository.commit(repository.head("summer"))
    assert (answer.status_code, answer["Location"]) == (303, f"/commits/{commit.hash}/")
    assert commit.parents == (before,)
    assert commit.author.name == "outside Pollard"
    assert commit.message == "Votes counted by hand\n\nCommitted-By: mo"
    assert not is_dirty(repository)
    assert "Committed by mo" in seen.main(maintainer.get(answer["Location"]))


def test_a_name_of_several_lines_makes_no_line_of_its_own(
    maintainer, poll, stranger, repository, django_user_model
):
    name = "Mo\nReverts: 1\u2028(Sales)"
    django_user_model.objects.filter(username="mo").update(first_name=name)
    stranger.execute("summer", WRITE)
    fields = form(page(maintainer)) | {"message": "Votes counted by hand"}
    maintainer.post("/branches/working/commit/", fields)
    message = repository.commit(repository.head("summer")).message
    line = "Committed-By: Mo Reverts: 1 [Sales]"
    assert message == f"Votes counted by hand\n\n{line}"


def test_they_are_discarded_once_the_name_is_typed(
    maintainer, poll, stranger, repository, connection
):
    before = repository.head("summer")
    stranger.execute("summer", WRITE)
    for typed in ("", "Summer", "main", "summer "):
        fields = form(page(maintainer)) | {"typed": typed}
        answer = maintainer.post("/branches/working/discard/", fields)
        assert answer.status_code == 422
        assert "type its name" in seen.main(answer)
        assert votes(connection) == 99
    fields = form(page(maintainer)) | {"typed": "summer"}
    assert maintainer.post("/branches/working/discard/", fields).status_code == 303
    assert (votes(connection), repository.head("summer")) == (5, before)
    assert not is_dirty(repository)


@pytest.mark.parametrize("act", ["commit", "discard"])
def test_what_was_not_shown_is_neither_committed_nor_discarded(
    act, maintainer, poll, stranger, repository, connection
):
    stranger.execute("summer", WRITE)
    fields = form(page(maintainer)) | {"typed": "summer", "message": "My words"}
    stranger.execute("summer", "UPDATE polls_choice SET votes = 100")
    before = repository.head("summer")
    answer = maintainer.post(f"/branches/working/{act}/", fields)
    assert answer.status_code == 409
    said = seen.main(answer)
    assert "These rows have changed since you looked" in said
    assert "Votes 5 100" in said
    assert (votes(connection), repository.head("summer")) == (100, before)
    assert act != "commit" or "My words" in answer.content.decode()


@pytest.mark.parametrize("act", ["commit", "discard"])
def test_what_was_committed_meanwhile_stays(
    act, maintainer, poll, stranger, repository, connection, erin
):
    stranger.execute("summer", WRITE)
    fields = form(page(maintainer)) | {"typed": "summer", "message": "x"}
    with versioning.on_branch("summer", author=erin, message="Edit"):
        Question.objects.update(details="y")
    head = repository.head("summer")
    answer = maintainer.post(f"/branches/working/{act}/", fields)
    assert answer.status_code == 409
    assert "Everything is committed" in seen.main(answer)
    assert (votes(connection), repository.head("summer")) == (99, head)


def test_a_message_is_asked_for(maintainer, poll, stranger, repository):
    stranger.execute("summer", WRITE)
    for message in ("", "  ", "two\nlines", "\x07"):
        fields = form(page(maintainer)) | {"message": message}
        answer = maintainer.post("/branches/working/commit/", fields)
        assert answer.status_code == 422
    assert is_dirty(repository)


def test_an_editor_looks_and_does_not_act(editor, poll, stranger, repository):
    stranger.execute("summer", WRITE)
    assert editor.post("/branches/working/discard/", {}).status_code == 403
    assert editor.post("/branches/working/commit/", {}).status_code == 403
    assert is_dirty(repository)


def test_many_rows_go_on_page_by_page(editor, poll, stranger, erin):
    with versioning.on_branch("summer", author=erin, message="More"):
        Question.objects.bulk_create(Question(text=f"Q {n}") for n in range(60))
    stranger.execute("summer", "UPDATE polls_question SET details = 'new'")
    first = page(editor)
    more = next(url for url in seen.addresses(first) if "after=" in url)
    part = editor.get(more, headers={"HX-Request": "true"})
    assert first.content.decode().count("diff__head") == 50
    assert part.content.decode().count("diff__head") == 11
    assert "HX-Request" in part["Vary"]
    assert editor.get(more + "x").status_code == 400
    gone = {"name": "summer", "table": "nope"}
    assert editor.get("/branches/working/rows/", gone).status_code == 404

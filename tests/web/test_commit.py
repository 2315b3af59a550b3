"""One commit: what it changed, and where it stands."""

import pytest
from django.db.models import F
from django.urls import reverse

import versioning
from polls.models import Choice, Question
from tests.web import seen


@pytest.fixture
def poll(repository, erin):
    with versioning.on_branch("main", author=erin, message="Add a poll"):
        question = Question.objects.create(text="What’s up?")
        return Choice.objects.create(question=question, text="The sky", votes=12)


def page_of(client, commit):
    response = client.get(f"/commits/{commit}/")
    assert response.status_code == 200
    return seen.main(response)


def test_what_it_changed_cell_by_cell(editor, erin, poll):
    with versioning.on_branch(
        "main",
        author=erin,
        message="Vote\n\nThe reason why.\n\nVote-Token: 1f0c",
    ) as unit:
        Choice.objects.update(votes=F("votes") + 1)
    page = page_of(editor, unit.commit)
    assert "Vote" in page
    assert "The reason why." in page
    assert "Vote-Token 1f0c" in page
    assert "1 table ~ 1 changed" in page
    assert "Choices polls_choice" in page
    assert "Choice “The sky” of “What’s up?”" in page
    assert "Votes 12 13" in page


def test_its_parents_children_and_branches(editor, repository, erin, poll):
    repository.create_branch("summer", repository.head("main"))
    parent = repository.head("main")
    with versioning.on_branch("main", author=erin, message="Change it") as unit:
        Choice.objects.update(text="The blue sky")
    assert unit.commit
    page = page_of(editor, parent)
    assert f"Child {unit.commit[:7]} Change it" in page
    assert "In main summer" in page
    page = page_of(editor, unit.commit)
    assert f"Parent {parent[:7]} Add a poll" in page
    assert "Child none yet" in page or "Children none yet" in page
    assert "In main" in page
    assert "summer" not in page


def test_the_first_commit_has_nothing_before_it(editor, repository):
    first = repository.log([repository.head("main")], limit=1000)[-1]
    page = page_of(editor, first.hash)
    assert "none: the history begins here" in page
    assert "Nothing came before it" in page
    assert "Browse as of here" not in page  # it has no tables
    assert "Browse as of here" in page_of(editor, repository.head("main"))


def test_a_commit_that_no_branch_has_can_still_be_read(editor, repository, erin, poll):
    repository.create_branch("summer", repository.head("main"))
    with versioning.on_branch("summer", author=erin, message="Alone") as unit:
        Choice.objects.update(votes=0)
    repository.delete_branch("summer")
    page = page_of(editor, unit.commit)
    assert "no branch; only its hash leads here" in page


def test_added_and_removed_rows_say_so_in_words(editor, erin, poll):
    with versioning.on_branch("main", author=erin, message="Swap") as unit:
        question = poll.question
        poll.delete()
        Choice.objects.create(question=question, text="The moon")
    page = page_of(editor, unit.commit)
    assert "+ 1 added − 1 removed" in page
    assert "− Choice “The sky” of “What’s up?” removed" in page
    assert "+ Choice “The moon” of “What’s up?” added" in page


@pytest.mark.parametrize("hash", ["0" * 32, "0" * 40])
def test_a_commit_that_is_not_there_is_a_404(editor, hash):
    assert editor.get(f"/commits/{hash}/").status_code == 404


def test_as_much_of_a_hash_as_pages_show_leads_to_the_commit(
    editor, nobody, client, repository, add
):
    hash = add("main", "Tea or coffee?")
    for length in (7, 12, len(hash) - 1):
        answer = editor.get(f"/commits/{hash[:length]}/")
        assert (answer.status_code, answer["Location"]) == (302, f"/commits/{hash}/")
    assert editor.get(f"/commits/{hash[:6]}/").status_code == 404
    assert nobody.get(f"/commits/{hash[:7]}/").status_code == 403
    where = f"/accounts/login/?next=/commits/{hash[:7]}/"
    assert client.get(f"/commits/{hash[:7]}/")["Location"] == where


def test_what_several_hashes_begin_with_leads_to_where_they_are_listed(
    editor, repository, add, monkeypatch
):
    hashes = [add("main", "Tea or coffee?"), add("main", "Cat or dog?")]
    monkeypatch.setattr(
        type(repository), "with_prefix", lambda *args, **options: hashes
    )
    page = editor.get("/commits/4a1113c/", follow=True)
    assert page.status_code == 200
    assert "These commits’ hashes begin with “4a1113c”" in seen.main(page)
    assert {f"/commits/{hash}/" for hash in hashes} <= set(seen.addresses(page))


@pytest.mark.parametrize("hash", ["main", "0" * 7, "x'--", "V" * 32, "%00"])
def test_what_is_no_hash_is_a_404(editor, hash):
    assert editor.get(f"/commits/{hash}/").status_code == 404


def test_the_data_can_be_browsed_as_of_here_and_not_changed(
    editor, repository, erin, poll
):
    before = repository.head("main")
    with versioning.on_branch("main", author=erin, message="Word it anew"):
        Question.objects.update(text="What’s new?")
    url = seen.links(editor.get(f"/commits/{before}/"))["Browse as of here"]
    shown = editor.get(url)
    assert "What’s up?" in seen.main(shown)
    assert "What’s new?" not in seen.text(shown)
    assert f"the data as of commit {before[:7]}, read-only" in seen.text(shown)


def test_the_page_to_browse_from_is_the_projects(editor, repository, settings, poll):
    settings.VERSIONING = {**settings.VERSIONING, "HOME": "polls:create"}
    head = repository.head("main")
    page = editor.get(f"/commits/{head}/")
    assert seen.links(page)["Browse as of here"] == f"/polls/new/?at={head}"


def test_the_tags_that_stand_here_and_those_that_hold_it(
    editor, repository, erin, poll
):
    before = repository.head("main")
    repository.create_tag("here", before, message="", author=erin)
    with versioning.on_branch("main", author=erin, message="Go on"):
        Choice.objects.update(votes=0)
    repository.create_tag("later", "main", message="", author=erin)
    page = page_of(editor, before)
    assert "In main later Tagged here" in page
    page = page_of(editor, repository.head("main"))
    assert "In main Tagged later" in page
    assert "here" not in page.partition("Tagged")[2].partition("Rows")[0]


def test_what_it_undoes_is_a_link_and_what_machines_read_is_left_out(
    repository, maintainer, add, erin
):
    first = add("main", "What’s up?")
    with versioning.on_branch("main", author=erin, message="Ask again"):
        Question.objects.create(text="What else?")
    hash = repository.head("main")
    maintainer.post(
        reverse("versioning:merge-land"),
        {
            "source": f"revert {hash}",
            "target": "main",
            "base": hash,
            "ours": hash,
            "theirs": repository.commit(hash).parents[0],
        },
    )
    undone = repository.head("main")
    assert undone not in (first, hash)
    page = maintainer.get(reverse("versioning:commit", args=[undone]))
    words = seen.main(page)
    assert f"Undoes {hash[:7]}" in words
    assert reverse("versioning:commit", args=[hash]) in page.content.decode()
    assert "Merge-Record" not in words

"""Undo and take over: from the commit's page, over the preview, to the commit."""

import pytest
from django.urls import reverse

import versioning
from polls.models import Choice, Question
from tests.schemas import NO_DETAILS
from tests.web import seen
from tests.web.fields import press_merge
from tests.web.test_place import be_on
from versioning.models import MergeDraft
from versioning.values import key_text

DECISIONS = "Who decided what"


@pytest.fixture
def question(repository, erin):
    with versioning.on_branch("main", author=erin, message="Ask"):
        return Question.objects.create(text="What’s up?")


def reword(branch, text, erin, message="Reword"):
    with versioning.on_branch(branch, author=erin, message=message) as unit:
        Question.objects.update(text=text)
    return unit.commit


def fields(page):
    """The pins of the merge form of a page."""
    found = {}
    for name in ("source", "target", "base", "ours", "theirs"):
        marker = f'name="{name}" value="'.encode()
        found[name] = page.content.partition(marker)[2].partition(b'"')[0].decode()
    return found


def land(client, page, **more):
    return client.post(reverse("versioning:merge-land"), fields(page) | more)


def test_a_commit_is_undone_from_its_page(repository, maintainer, question, erin):
    hash = reword("main", "Heaven?", erin)
    page = maintainer.get(f"/commits/{hash}/")
    url = seen.links(page)["Undo this on main…"]
    preview = maintainer.get(url)
    words = seen.main(preview)
    assert "Undo “Reword” on main" in words
    assert "Nothing is in the way." in words
    assert Question.objects.get().text == "Heaven?"
    answer = land(maintainer, preview)
    assert answer.status_code == 303
    head = repository.head("main")
    assert answer["Location"] == f"/commits/{head}/"
    done = maintainer.get(answer["Location"])
    assert f"Commit {hash[:7]} is undone on main." in done.content.decode()
    assert "Undo this on main…" in seen.main(done)
    assert Question.objects.get().text == "What’s up?"
    assert "There is nothing left to change." in seen.main(maintainer.get(url))


def test_a_commit_of_a_client_that_ends_lines_otherwise_is_undone(
    repository, maintainer, question, stranger
):
    word = "UPDATE polls_question SET text = 'Heaven?'"
    stranger.execute("main", word, commit="Fix\x0b it\r\n\r\nbecause")
    hash = repository.head("main")
    url = seen.links(maintainer.get(f"/commits/{hash}/"))["Undo this on main…"]
    assert land(maintainer, maintainer.get(url)).status_code == 303
    message = repository.commit(repository.head("main")).message
    assert message.startswith(f"Revert “Fix it”\n\nReverts: {hash}")


def test_what_came_since_asks_with_branch_and_commit_named(
    repository, maintainer, question, erin
):
    hash = reword("main", "Heaven?", erin)
    reword("main", "Skies?", erin, "Reword again")
    url = f"/merge/?source=revert+{hash}&target=main"
    page = maintainer.get(url)
    words = seen.main(page)
    assert f"without {hash[:7]}" in words
    assert "1 value changed on main in another way since" in words
    assert "1 decision still missing" in words
    answer = maintainer.post(
        reverse("versioning:merge-decide"),
        fields(page) | {"scope": "all", "take": "theirs"},
    )
    assert answer.status_code == 303
    listed = seen.main(maintainer.get("/merges/"))
    assert "undo of “Reword” on main" in listed
    assert land(maintainer, page).status_code == 303
    assert Question.objects.get().text == "What’s up?"
    assert MergeDraft.objects.get().state == "landed"


def test_a_commit_is_taken_over_to_the_branch_one_is_on(
    repository, maintainer, question, erin
):
    repository.create_branch("summer", repository.head("main"))
    hash = reword("summer", "Summer?", erin)
    page = maintainer.get(f"/commits/{hash}/")
    url = seen.links(page)["Take it over to main…"]
    preview = maintainer.get(url)
    assert "Take “Reword” over to main" in seen.main(preview)
    answer = land(maintainer, preview)
    assert answer.status_code == 303
    done = seen.text(maintainer.get(answer["Location"]))
    assert f"Commit {hash[:7]} is taken over to main, as this commit." in done
    assert "Made by Erin Editor" in done
    listed = seen.main(maintainer.get("/merges/"))
    assert "Merged, undone or taken over “Reword”, taken over to main" in listed
    assert Question.objects.get().text == "Summer?"
    assert len(repository.commit(repository.head("main")).parents) == 1
    assert "main holds this commit already" in seen.main(
        maintainer.get(f"/merge/?source=pick+{repository.head('main')}&target=main")
    )


def test_a_branch_that_moved_is_said(repository, maintainer, question, erin):
    hash = reword("main", "Heaven?", erin)
    page = maintainer.get(f"/merge/?source=revert+{hash}&target=main")
    head = reword("main", "Heaven, again?", erin, "Reword again")
    answer = land(maintainer, page)
    assert answer.status_code == 409
    assert "main moved while you were deciding" in seen.main(answer)
    assert repository.head("main") == head


@pytest.mark.parametrize("kind", ["revert", "pick"])
def test_what_is_no_commit_is_not_found(repository, maintainer, question, kind):
    for hash in ("0" * 40, "0" * 32, "main", "' OR 1=1 --"):
        url = reverse("versioning:merge")
        answer = maintainer.get(url, {"source": f"{kind} {hash}", "target": "main"})
        assert answer.status_code == 404, hash


def test_who_may_not_merge_is_offered_nothing(repository, editor, question, erin):
    hash = reword("main", "Heaven?", erin)
    assert "Undo" not in seen.main(editor.get(f"/commits/{hash}/"))
    page = editor.get(f"/merge/?source=revert+{hash}&target=main")
    assert "Merging is for maintainers." in seen.main(page)
    assert land(editor, page).status_code == 403
    assert Question.objects.get().text == "Heaven?"


def test_a_branch_is_updated_from_the_default_one_by_the_same_screen(
    repository, maintainer, question, erin
):
    repository.create_branch("summer", repository.head("main"))
    reword("summer", "Summer?", erin)
    with versioning.on_branch("main", author=erin, message="Explain"):
        Question.objects.update(details="Look up.")
    listed = maintainer.get("/branches/")
    url = seen.links(listed)["Update…"]
    preview = maintainer.get(url)
    assert "Merge main into summer" in seen.main(preview)
    main = repository.head("main")
    assert land(maintainer, preview).status_code == 303
    head = repository.commit(repository.head("summer"))
    assert head.parents[1] == main == repository.head("main")
    rows = repository.rows("polls_question", [(question.pk,)], at=head.hash)
    assert (rows[question.pk,]["text"], rows[question.pk,]["details"]) == (
        "Summer?",
        "Look up.",
    )
    assert "Update…" not in seen.links(maintainer.get("/branches/"))


def test_a_value_that_is_taken_by_now_is_mended_on_the_page(
    repository, maintainer, question, erin
):
    with versioning.on_branch("main", author=erin, message="Add"):
        sky = Choice.objects.create(question=question, text="The sky")
    with versioning.on_branch("main", author=erin, message="Reword") as unit:
        Choice.objects.update(text="Heaven")
    with versioning.on_branch("main", author=erin, message="Add again"):
        Choice.objects.create(question=question, text="The sky")
    url = f"/merge/?source=revert+{unit.commit}&target=main"
    page = maintainer.get(url)
    words = seen.main(page)
    assert "2 rows of the result would break a rule" in words
    assert "Another row has the same question and choice" in words
    assert "Keep it as on main" in words
    assert "engine" not in words
    assert land(maintainer, page).status_code == 422
    answer = maintainer.post(
        reverse("versioning:merge-mend"),
        fields(page)
        | {
            "table": "polls_choice",
            "key": key_text((sky.pk,)),
            "take": "",
            "value:text": "Skies",
            "was:text": "The sky",
        },
    )
    assert answer.status_code == 303
    assert land(maintainer, page).status_code == 303
    assert Choice.objects.get(pk=sky.pk).text == "Skies"


def test_a_merge_that_was_undone_says_so_and_how_to_have_it_back(
    repository, maintainer, question, erin
):
    """Its commits are in the branch for good, so it can't be merged again."""
    repository.create_branch("summer", repository.head("main"))
    reword("summer", "Heaven?", erin)
    merge_url = "/merge/?source=summer&target=main"
    merged = land(maintainer, maintainer.get(merge_url))["Location"]
    record = MergeDraft.objects.get()
    record_url = reverse("versioning:merge-record", args=[record.pk])
    links = seen.links(maintainer.get(record_url))
    preview = maintainer.get(links["Undo this on main…"])
    assert "To have it back, undo the undo." in seen.main(preview)
    assert land(maintainer, preview).status_code == 303
    assert Question.objects.get().text == "What’s up?"

    page = maintainer.get(merge_url)
    words = seen.main(page)
    assert "It was merged, and the merge was undone" in words
    assert "mo undid it on main" in words
    assert "has it all already" not in words
    told = maintainer.get(record_url)
    undone = repository.head("main")
    assert f"It was undone on main by mo, in {undone[:7]}" in seen.main(told)
    assert "Undo this on main…" not in seen.links(told)

    again = maintainer.get(seen.links(page)["Undo the undo…"])
    assert land(maintainer, again).status_code == 303
    assert Question.objects.get().text == "Heaven?"
    assert "has it all already" in seen.main(maintainer.get(merge_url))
    assert "Undo this on main…" in seen.links(maintainer.get(record_url))
    assert merged == f"/commits/{record.commit}/"


@pytest.mark.parametrize(
    ("name", "merge_url"),
    [
        ("autumn", "/merge/?source=summer&target=winter"),
        ("summer", "/merge/?source=winter&target=autumn"),
    ],
)
def test_an_undo_is_told_of_when_a_branch_has_another_name(
    repository, maintainer, question, erin, name, merge_url
):
    for branch in ("summer", "autumn"):
        repository.create_branch(branch, repository.head("main"))
    reword("summer", "Heaven?", erin)
    land(maintainer, maintainer.get("/merge/?source=summer&target=autumn"))
    merged = repository.head("autumn")
    land(maintainer, maintainer.get(f"/merge/?source=revert+{merged}&target=autumn"))
    undone = repository.head("autumn")
    renaming = {"name": name, "to": "winter"}
    assert maintainer.post("/branches/rename/", renaming).status_code == 303

    page = maintainer.get(merge_url)
    assert "It was merged, and the merge was undone" in seen.main(page)
    target = merge_url.rpartition("=")[2]
    told = maintainer.get(seen.links(maintainer.get(f"/commits/{merged}/"))[DECISIONS])
    assert f"It was undone on {target} by mo, in {undone[:7]}" in seen.main(told)
    again = maintainer.get(seen.links(page)["Undo the undo…"])
    assert land(maintainer, again).status_code == 303
    with versioning.on_branch(target):
        assert Question.objects.get().text == "Heaven?"


def test_what_has_no_column_any_more_is_said_and_left(
    repository, maintainer, question, erin, code
):
    with versioning.on_branch("main", author=erin, message="Reword") as unit:
        Question.objects.update(text="Heaven?", details="Look.")
    code.add("0002_no_details", NO_DETAILS)
    code.migrate("main")
    head = repository.head("main")
    page = maintainer.get(f"/merge/?source=revert+{unit.commit}&target=main")
    words = seen.main(page)
    assert "This can’t be done as the tables are now" in words
    assert "That commit changed values of details in polls_question" in words
    assert "has to be made by hand" in words
    assert "What the engine says" not in words
    assert reverse("versioning:merge-land") not in page.content.decode()
    assert repository.head("main") == head


def test_what_changed_other_columns_is_undone_without_it(
    repository, maintainer, question, erin, code
):
    hash = reword("main", "Heaven?", erin)
    code.add("0002_no_details", NO_DETAILS)
    code.migrate("main")
    page = maintainer.get(f"/merge/?source=revert+{hash}&target=main")
    assert "Nothing is in the way." in seen.main(page)
    assert land(maintainer, page).status_code == 303
    assert Question.objects.values_list("text", flat=True).get() == "What’s up?"


def test_what_has_no_table_any_more_is_not_called_done(
    repository, maintainer, question, erin, code
):
    hash = reword("main", "Heaven?", erin)
    code.add("0002_poll", "migrations.RenameModel('Question', 'Poll')")
    code.migrate("main")
    page = maintainer.get(f"/merge/?source=revert+{hash}&target=main")
    words = seen.main(page)
    assert "There is nothing left to change" not in words
    assert "no table of that name on the branch" in words


def test_a_merge_into_a_branch_one_is_not_on_is_undone_there(
    repository, maintainer, add
):
    add("main", "Base")
    repository.create_branch("summer", repository.head("main"))
    add("summer", "New")
    repository.create_branch("autumn", repository.head("main"))
    be_on(maintainer, "autumn")
    press_merge(maintainer, {"source": "summer", "target": "main"})
    merged = repository.head("main")
    page = maintainer.get(f"/commits/{merged}/").content.decode()
    assert f'href="/merge/?source=revert+{merged}&amp;target=main"' in page
    assert "Undo this merge on main…" in page


def test_who_may_not_merge_can_see_what_an_undo_would_do(repository, editor, add):
    hash = add("main", "New")
    page = editor.get(f"/commits/{hash}/")
    url = seen.links(page)["Preview undoing it on main"]
    words = seen.main(editor.get(url))
    assert "Merging is for maintainers." in words
    assert "− 1 removed" in words
    repository.create_branch("summer", repository.commit(hash).parents[0])
    be_on(editor, "summer")
    page = editor.get(f"/commits/{hash}/")
    url = seen.links(page)["Preview taking it over to summer"]
    assert "+ 1 added" in seen.main(editor.get(url))


def test_an_index_is_not_undone_and_the_page_says_so(maintainer, write):
    write("main", "CREATE TABLE things (id int NOT NULL, v int, PRIMARY KEY (id))")
    made = write("main", "CREATE INDEX by_v ON things (v)")
    page = maintainer.get("/merge/", {"source": f"revert {made}", "target": "main"})
    words = seen.main(page)
    assert "has it all already" not in words
    assert "This can’t be done as the tables are now" in words


def test_the_page_of_a_vote_that_is_undone_says_by_which_commit(
    repository, maintainer, ida, question, erin
):
    with versioning.on_branch("main", author=erin, message="Vote") as unit:
        Choice.objects.create(question=question, text="Yes", votes=1)
    url = f"/merge/?source=revert+{unit.commit}&target=main"
    assert land(maintainer, maintainer.get(url)).status_code == 303
    done_by = repository.head("main")[:7]
    words = seen.main(ida.get(url))  # the address, from a mail or an old tab
    assert f"This is undone on main already, by commit {done_by}." in words
    assert "Merge" not in words


def test_a_row_that_got_no_more_than_a_column_is_undone_without_a_question(
    maintainer, write, erin
):
    with versioning.on_branch("main", author=erin, message="Ask") as unit:
        Question.objects.create(text="Q?")
    write("main", "ALTER TABLE polls_question ADD COLUMN extra int")
    page = maintainer.get(f"/merge/?source=revert+{unit.commit}&target=main")
    assert "Nothing is in the way." in seen.main(page)
    assert land(maintainer, page).status_code == 303
    assert not Question.objects.filter(text="Q?").exists()

"""The history of one row: each commit that changed it, and who set which cell."""

import re

import pytest
from django.db import models, transaction

import versioning
from polls.models import Choice, Question
from tests import own_models
from tests.web import seen
from versioning.backends.repository import Author

MAX = Author("Max Maintainer", "max@example.org")


@pytest.fixture
def edit():
    def edit(act, author, message, branch="main"):
        with versioning.on_branch(branch, author=author, message=message) as unit:
            act()
        return unit.commit

    return edit


@pytest.fixture
def choice(edit, erin):
    def make():
        question = Question.objects.create(text="What’s up?")
        Choice.objects.create(question=question, text="The sky", votes=5)

    edit(make, erin, "Ask")
    return Choice.objects.get(text="The sky")


def votes(number):
    return lambda: Choice.objects.filter(text="The sky").update(votes=number)


def history(client, row, **query):
    table = row._meta.db_table
    return client.get("/rows/history/", {"table": table, "key": f"[{row.pk}]"} | query)


def listed(response):
    html = response.content.decode()
    return re.findall(r'class="commit__subject" href="/commits/(\w+)/"', html)


def found_in(pattern, text):
    """What a pattern's group, or all of it, matches."""
    match = re.search(pattern, text, re.S)
    assert match is not None, pattern
    return match[match.lastindex or 0]


def test_each_commit_with_old_and_new_who_and_when(
    editor, repository, choice, edit, erin
):
    made = repository.head("main")
    voted = edit(votes(6), MAX, "Count again")
    edit(lambda: Question.objects.update(text="Other"), erin, "Not this row")
    response = history(editor, choice)
    assert listed(response) == [voted, made]
    page = seen.main(response)
    assert "Choice “The sky” of “Other”" in page
    assert "Count again Max Maintainer, just now" in page
    assert "~ changed Votes 5 6" in page
    assert "Choice nothing The sky" in page
    assert "This is where the row’s history begins." in page


def test_who_last_changed_each_cell(editor, repository, choice, edit, erin):
    made = repository.head("main")
    voted = edit(votes(6), MAX, "Count again")
    html = history(editor, choice).content.decode()
    table = found_in(r'<table class="data [^>]*origins".*?</table>', html)
    cells = {
        found_in(r'scope="row"[^>]*>([^<]+)<', row): row
        for row in table.split("<tr ")[2:]
    }
    assert set(cells) == {"Question", "Choice", "Votes"}
    assert "Max Maintainer" in cells["Votes"]
    assert f"/commits/{voted}/" in cells["Votes"]
    assert "Erin Editor" in cells["Choice"]
    assert f"/commits/{made}/" in cells["Choice"]


@pytest.mark.parametrize("number", [6, 9])
def test_the_last_to_set_a_cell_is_not_whom_a_merge_overruled(
    editor, repository, connection, choice, edit, erin, number
):
    repository.create_branch("summer", repository.head("main"))
    made = {
        6: edit(votes(6), erin, "Here"),
        9: edit(votes(9), MAX, "There, later", "summer"),
    }
    from versioning.backends.repository import RowWrite

    with (
        connection.bound("main"),
        connection.writing(),
        transaction.atomic(using="versioned", durable=True),
    ):
        repository.start_merge(repository.head("summer"))
        whole = {
            "id": choice.pk,
            "question_id": choice.question_id,
            "text": choice.text,
            "votes": number,
        }
        repository.write_rows("polls_choice", [RowWrite((choice.pk,), whole)])
        repository.settle_conflicts("polls_choice", rows=1)
        merged = repository.commit_all("Merge", MAX)
    response = history(editor, choice)
    votes_row = found_in(r">Votes</th>.*?</tr>", response.content.decode())
    assert f"/commits/{made[number]}/" in votes_row
    assert listed(response)[0] == merged
    assert len(listed(response)) == 4
    page = seen.main(response)
    # What became of the other edit is told too, and by whom.
    assert "Merge Max Maintainer, just now settled in a merge" in page
    told = "had changed and the merge did not take, and what it has instead."
    heads = "Column Before After"
    assert f"{told} {heads} ~ changed Votes {15 - number} {number}" in page


@pytest.mark.parametrize("is_kept", [True, False])
def test_a_merge_that_decided_between_an_edit_and_a_deletion(
    editor, repository, connection, choice, edit, erin, is_kept
):
    def delete():
        Choice.objects.all().delete()

    repository.create_branch("summer", repository.head("main"))
    edit(votes(6) if is_kept else delete, erin, "Here")
    edit(delete if is_kept else votes(6), MAX, "There", "summer")
    with (
        connection.bound("main"),
        connection.writing(),
        transaction.atomic(using="versioned", durable=True),
    ):
        repository.start_merge(repository.head("summer"))
        repository.settle_conflicts("polls_choice", rows=1)
        merged = repository.commit_all("Merge", MAX)
    response = history(editor, choice)
    assert listed(response)[0] == merged
    page = seen.main(response)
    if is_kept:
        told = "It was deleted on one side and changed on the other. The merge kept it."
    else:
        told = "deleted on the other. The merge left it out."
    assert f"{told} Column Before After {'+ added' if is_kept else '− removed'}" in page
    gone = "This row is not there any more: the first commit below deleted it."
    assert (gone in page) == (not is_kept)


def test_a_deleted_row_has_a_history(editor, repository, choice, edit, erin):
    gone = edit(lambda: Choice.objects.all().delete(), erin, "Away with it")
    response = history(editor, choice)
    assert listed(response)[0] == gone
    page = seen.main(response)
    assert "This row is not there any more" in page
    assert "Choice “The sky”" in page


def test_it_goes_on_page_by_page_and_does_not_drift(editor, repository, choice, edit):
    made = repository.head("main")
    hashes = [made, *(edit(votes(n), MAX, f"To {n}") for n in range(10, 35))]
    response = history(editor, choice)
    assert listed(response) == hashes[:-21:-1]
    older = next(url for url in seen.addresses(response) if "after=" in url)
    edit(votes(99), MAX, "Meanwhile")
    part = editor.get(older, headers={"HX-Request": "true"})
    assert listed(part) == hashes[5::-1]
    assert "<html" not in part.content.decode()
    assert "HX-Request" in part["Vary"]
    whole = editor.get(older)
    assert listed(whole) == hashes[5::-1]
    assert "<html" in whole.content.decode()


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"table": "polls_choice"},
        {"table": "nope", "key": "[1]"},
        {"table": "polls_choice; DROP", "key": "[1]"},
        {"table": "polls_choice", "key": "[-1]"},
        {"table": "polls_choice", "key": "1"},
        {"table": "polls_choice", "key": "[" * 3000},
        {"table": "polls_choice", "key": "[99999999999999999999999999]"},
        {"table": "polls_choice", "key": '["\\ud800"]'},
        {"table": "polls_choice", "key": '[{"$":"decimal","v":"1.5"}]'},
        {"table": "polls_choice", "key": '[{"$":"nope","v":"1.5"}]'},
        {"table": "polls_choice", "key": "[1,2]"},
        {"table": "polls_choice", "key": "[1]", "ref": "nope"},
        {"table": "polls_choice", "key": "[1]", "ref": "pollard/candidate/x"},
    ],
    ids=str,
)
def test_what_is_not_there_is_a_page_that_says_so(editor, choice, query):
    response = editor.get("/rows/history/", query)
    assert response.status_code == 404
    assert "Not found" in seen.main(response)


def test_a_damaged_place_to_go_on_is_refused(editor, choice):
    assert history(editor, choice, after="x").status_code == 400


def test_a_row_of_a_diff_leads_to_its_history(editor, repository, choice, edit):
    made = repository.head("main")
    voted = edit(votes(6), MAX, "Count again")
    links = seen.links(editor.get(f"/commits/{voted}/"))
    response = editor.get(links["History of Choice “The sky” of “What’s up?”"])
    assert listed(response) == [voted, made]


@pytest.mark.parametrize("dots", [2, 3])
def test_a_removed_row_leads_to_where_it_was(
    editor, repository, choice, edit, erin, dots
):
    """What the new state never had, to the old one's; else to who removed it."""
    repository.create_branch("summer", repository.head("main"))
    deleted = edit(lambda: Choice.objects.all().delete(), MAX, "Tidy up", "summer")
    made = edit(lambda: Question.objects.create(text="Why?"), erin, "Ask why")
    page = editor.get("/compare/", {"from": "main", "to": "summer", "dots": dots})
    links = seen.links(page)
    sky = editor.get(links["History of Choice “The sky” of “What’s up?”"])
    assert listed(sky)[0] == deleted
    assert "This row is not there any more" in seen.main(sky)
    if dots == 2:
        assert listed(editor.get(links["History of Question “Why?”"])) == [made]


def test_a_poll_leads_those_who_may_to_its_rows_histories(
    editor, nobody, client, choice, edit
):
    url = f"/polls/{choice.question_id}/"
    for path in (url, f"{url}results/"):
        page = editor.get(path)
        links = seen.links(page)
        assert listed(editor.get(links["History of The sky"]))
        assert listed(editor.get(links["History of What’s up?"]))
        assert '"visually-hidden">History of </span>The sky</a>' in page.text
        for other in (nobody, client):
            assert "History of" not in seen.text(other.get(path))


def test_what_a_row_inherits_has_a_history_of_its_own(editor, new_model, edit, erin):
    place = new_model(
        "Place", id=models.IntegerField(primary_key=True), name=models.TextField()
    )
    above = own_models.part_of(place)
    hall = new_model("Hall", place, above=above, seats=models.IntegerField())
    edit(lambda: hall.objects.create(pk=1, name="The hall", seats=3), erin, "Open")
    edit(lambda: place.objects.create(pk=2, name="The park"), erin, "Plant")
    renamed = edit(lambda: hall.objects.update(name="The great hall"), MAX, "Rename")
    of_hall = history(editor, hall(pk=1))
    assert renamed not in listed(of_hall)
    of_place = editor.get(seen.links(of_hall)["Places"])
    assert listed(of_place)[0] == renamed
    assert seen.links(of_place)["Halls"]
    assert "history of its own" not in seen.main(history(editor, place(pk=2)))
    edit(lambda: hall.objects.all().delete(), MAX, "Close")
    gone = editor.get(seen.links(history(editor, hall(pk=1)))["Places"])
    assert renamed in listed(gone)


def values_of(page):
    return [url for url in seen.addresses(page) if url.startswith("/compare/value/")]


def test_a_long_value_leads_to_all_of_it(editor, choice, edit, erin):
    """As it is now, and as each commit changed it."""
    long = "word " * 5_000
    question = choice.question

    def word(text):
        return lambda: Question.objects.update(details=f"{long}{text}")

    edit(word("first"), erin, "Word it")
    edit(word("second"), MAX, "Word it anew")
    page = history(editor, question)
    assert "25,006 characters Show all" in seen.main(page)
    now, before, after, first = values_of(page)
    assert now == before == after
    html = editor.get(now).text
    assert f"{long}first</pre>" in html
    assert f"{long}second</pre>" in html
    assert f"{long}first</pre>" in editor.get(first).text
    edit(lambda: Question.objects.update(text="What else?"), erin, "Reword")
    same = values_of(history(editor, question))[1]
    assert f"{long}second</pre>" in editor.get(same).text

"""Asking, editing and deleting questions: what is written, and what is not."""

import datetime as dt
import re
from html import unescape
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

import versioning
from polls.models import Choice, Question
from tests.web import seen
from tests.web.fields import fields
from versioning.place import BRANCH_FIELD, SESSION_KEY, SWITCH_FIELD

CREATE = reverse("polls:create")


@pytest.fixture
def question(repository):
    with versioning.on_branch("main", message="Add a poll"):
        question = Question.objects.create(text="What’s up?", details="Look there.")
        question.choices.create(text="The sky", votes=12)
        question.choices.create(text="The clouds", votes=3)
    return question


@pytest.fixture
def writer(maintainer, django_user_model):
    """A browser that may edit the polls, on main too."""
    django_user_model.objects.get(username="mo").user_permissions.add(
        *Permission.objects.filter(content_type__app_label="polls")
    )
    return maintainer


def edit(question):
    return reverse("polls:edit", args=[question.pk])


def state(question):
    """Its text, and its choices with their votes."""
    question = Question.objects.get(pk=question.pk)
    return question.text, dict(question.choices.values_list("text", "votes"))


def subject(repository):
    return repository.commit(repository.head("main")).subject


def test_a_question_and_its_choices_are_one_commit(repository, writer):
    before = repository.head("main")
    sent = fields(writer.get(CREATE)) | {
        "text": "Which tea?",
        "choices-0-text": "Green",
        "choices-1-text": "Black",
    }
    response = writer.post(CREATE, sent)
    assert response.status_code == 303
    question = Question.objects.get()
    assert response["Location"] == reverse("polls:detail", args=[question.pk])
    assert state(question) == ("Which tea?", {"Green": 0, "Black": 0})
    commit = repository.commit(repository.head("main"))
    assert commit.parents == (before,)
    assert commit.subject == "Add “Which tea?”"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"text": ""}, "The question is missing."),
        ({"text": "x" * 201}, "at most 200 characters"),
        ({"published": "yesterday"}, "Enter a valid date/time"),
        ({"choices-1-text": ""}, "Choice 2 has no text yet."),
        ({"choices-1-text": "GREEN"}, "has that choice already"),
        ({"choices-1-text": "Gréen"}, "has that choice already"),
        ({"choices-TOTAL_FORMS": "1"}, "at least 2 choices"),
    ],
)
def test_a_form_with_a_mistake_says_so_and_keeps_what_was_typed(
    repository, writer, change, sentence
):
    head = repository.head("main")
    typed = {
        "text": "Which tea?",
        "details": "For Sunday.",
        "choices-0-text": "Green",
        "choices-1-text": "Black",
    }
    response = writer.post(CREATE, fields(writer.get(CREATE)) | typed | change)
    assert response.status_code == 422
    assert sentence in seen.main(response)
    assert fields(response)["details"] == "For Sunday."
    assert fields(response)["choices-0-text"] == "Green"
    assert repository.head("main") == head
    assert not Question.objects.exists()


@pytest.mark.parametrize(
    ("zone", "moment"),
    [
        ("Asia/Tokyo", "0001-01-01T00:00:00"),
        ("America/Los_Angeles", "9999-12-31T23:59:59"),
    ],
)
def test_a_moment_that_can_not_be_kept_is_a_mistake(
    repository, writer, settings, zone, moment
):
    settings.TIME_ZONE = zone
    head = repository.head("main")
    sent = fields(writer.get(CREATE)) | {
        "text": "Which tea?",
        "published": moment,
        "choices-0-text": "Green",
        "choices-1-text": "Black",
    }
    page = writer.post(CREATE, sent)
    assert page.status_code == 422
    assert "Choose a date nearer to today." in seen.text(page)
    assert repository.head("main") == head


def test_choices_of_another_question_are_refused(repository, writer, question):
    with versioning.on_branch(message="Ask"):
        other = Question.objects.create(text="Where?")
        there = other.choices.create(text="Here")
    head = repository.head("main")
    page = fields(writer.get(edit(question)))
    for change in (
        {"choices-0-id": there.pk, "choices-0-text": "Mine"},
        {"choices-INITIAL_FORMS": "-1"},
    ):
        answer = writer.post(edit(question), page | {"text": "Why?"} | change)
        assert answer.status_code == 422
        assert "These choices are not of this question." in seen.text(answer)
    assert repository.head("main") == head


@pytest.mark.parametrize("count", ["", "x", "9" * 5000])
def test_a_damaged_form_is_a_bad_request(repository, writer, question, count):
    head = repository.head("main")
    for url in (CREATE, edit(question)):
        sent = fields(writer.get(url)) | {"choices-TOTAL_FORMS": count}
        assert writer.post(url, sent).status_code == 400
        assert writer.post(url, sent | {"add": "1"}).status_code == 400
    assert repository.head("main") == head


def test_the_lines_of_a_text_end_as_they_did(repository, writer, question):
    sent = fields(writer.get(edit(question))) | {"details": "Look.\r\nThere."}
    assert writer.post(edit(question), sent).status_code == 303
    assert Question.objects.get().details == "Look.\nThere."
    head = repository.head("main")
    sent = fields(writer.get(edit(question)))
    for name in ("details", "initial-details"):  # as a browser sends both
        sent[name] = sent[name].replace("\n", "\r\n")
    page = writer.post(edit(question), sent, follow=True)
    assert "Nothing was changed." in seen.text(page)
    assert repository.head("main") == head


def test_too_many_choices_are_refused(repository, writer):
    typed = {"text": "Which?", "choices-TOTAL_FORMS": "21"}
    typed |= {f"choices-{n}-text": f"Choice {n}" for n in range(21)}
    response = writer.post(CREATE, fields(writer.get(CREATE)) | typed)
    assert response.status_code == 422
    assert "20 choices at most" in seen.main(response)
    assert not Question.objects.exists()


def test_a_choice_can_be_added_without_javascript(repository, writer):
    head = repository.head("main")
    typed = {"text": "Which tea?", "choices-0-text": "Green", "choices-1-text": "Black"}
    response = writer.post(CREATE, fields(writer.get(CREATE)) | typed | {"add": "1"})
    assert response.status_code == 200
    assert 'aria-invalid="true"' not in response.content.decode()
    assert repository.head("main") == head
    again = fields(response)
    assert {name: again[name] for name in typed} == typed
    again["choices-2-text"] = "White"
    assert writer.post(CREATE, again).status_code == 303
    assert list(Choice.objects.values_list("text", flat=True)) == [
        "Green",
        "Black",
        "White",
    ]


def test_a_choice_can_be_added_with_htmx(repository, writer):
    url = reverse("polls:choice-row")
    part = writer.get(url, {"choices-TOTAL_FORMS": "2"}).content.decode()
    assert 'name="choices-2-text"' in part
    assert re.search(r'name="choices-TOTAL_FORMS" value="3"', part)
    assert "<html" not in part
    for count in ("", "x", "-1", "9" * 5000):
        assert writer.get(url, {"choices-TOTAL_FORMS": count}).status_code == 400


FULL = "A question has 20 choices at most. To make room, remove one and save."


def test_where_no_more_choices_fit_the_form_says_so_in_place_of_the_button(
    repository, writer
):
    sent = fields(writer.get(CREATE)) | {"choices-TOTAL_FORMS": "18"}
    almost = writer.post(CREATE, sent | {"add": "1"})
    assert "Add a choice" in seen.main(almost)
    full = writer.post(CREATE, fields(almost) | {"add": "1"})
    assert full.status_code == 200
    assert "choices-19-text" in fields(full)
    assert FULL in seen.main(full)
    assert "Add a choice" not in seen.main(full)
    # A page from before, or a press that went out twice
    beyond = writer.post(CREATE, fields(full) | {"choices-0-text": "Green", "add": "1"})
    assert beyond.status_code == 422
    assert "Nothing was saved yet. A question has 20 choices" in seen.main(beyond)
    assert "choices-20-text" not in fields(beyond)
    assert fields(beyond)["choices-0-text"] == "Green"


@pytest.mark.parametrize(
    ("count", "status", "says"), [(18, 200, False), (19, 200, True), (20, 422, True)]
)
def test_with_htmx_too_the_last_choice_takes_the_button_along(
    writer, count, status, says
):
    part = writer.get(reverse("polls:choice-row"), {"choices-TOTAL_FORMS": count})
    assert part.status_code == status
    assert (FULL in seen.text(part)) == says
    assert ("#add-choice" in part.content.decode()) == says
    assert (f"choices-{count}-text" in part.content.decode()) == (status == 200)


def test_taking_a_new_row_away_leaves_the_others_counted(repository, writer):
    part = writer.get(f"{reverse('polls:choice-row')}?drop")
    assert part.status_code == 200
    assert part.content == b""


def test_a_row_that_was_taken_away_is_not_missed(repository, writer):
    typed = {
        "text": "Which tea?",
        "choices-TOTAL_FORMS": "4",
        "choices-0-text": "Green",
        "choices-1-text": "Black",
        "choices-3-text": "White",
    }
    assert writer.post(CREATE, fields(writer.get(CREATE)) | typed).status_code == 303
    assert Choice.objects.count() == 3


def test_an_edit_says_what_it_changed(repository, writer, question):
    sky = question.choices.get(text="The sky")
    sent = fields(writer.get(edit(question))) | {
        "text": "What is up?",
        "choices-0-text": "The blue sky",
        "choices-1-DELETE": "on",
        "choices-2-text": "The moon",
        "choices-3-text": "The stars",
        "choices-TOTAL_FORMS": "4",
    }
    assert writer.post(edit(question), sent).status_code == 303
    assert state(question) == (
        "What is up?",
        {"The blue sky": 12, "The moon": 0, "The stars": 0},
    )
    assert Choice.objects.get(text="The blue sky").pk == sky.pk
    assert subject(repository) == (
        "Edit “What is up?”: question, choice “The moon” added, choice “The stars” "
        "added, choice “The blue sky” reworded, choice “The clouds” removed"
    )


def test_an_edit_that_changes_nothing_is_no_commit(repository, writer, question):
    head = repository.head("main")
    sent = fields(writer.get(edit(question)))
    assert writer.post(edit(question), sent).status_code == 303
    assert repository.head("main") == head


def test_votes_that_come_during_an_edit_stay(repository, writer, question):
    sent = fields(writer.get(edit(question))) | {"choices-0-text": "The blue sky"}
    with versioning.on_branch("main", message="Vote"):
        Choice.objects.filter(question=question).update(votes=50)
    assert writer.post(edit(question), sent).status_code == 303
    assert state(question)[1] == {"The blue sky": 50, "The clouds": 50}


@pytest.mark.parametrize(
    ("changes", "texts"),
    [
        (
            {"choices-0-text": "The clouds", "choices-1-text": "The sky"},
            {"The clouds": 12, "The sky": 3},
        ),
        (
            {"choices-0-text": "The clouds", "choices-1-text": "Rain"},
            {"The clouds": 12, "Rain": 3},
        ),
        (
            {
                "choices-0-text": "The clouds",
                "choices-1-DELETE": "on",
                "choices-TOTAL_FORMS": "3",
                "choices-2-text": "The sky",
            },
            {"The clouds": 12, "The sky": 0},
        ),
    ],
)
def test_a_choice_takes_the_text_that_another_gives_up(
    repository, writer, question, changes, texts
):
    before = repository.head("main")
    sent = fields(writer.get(edit(question))) | changes
    assert writer.post(edit(question), sent).status_code == 303
    assert state(question) == ("What’s up?", texts)
    assert repository.commit(repository.head("main")).parents == (before,)


def test_an_edit_writes_the_changed_columns_alone(repository, writer, question):
    before = repository.head("main")
    sent = fields(writer.get(edit(question))) | {"details": "Look again."}
    assert writer.post(edit(question), sent).status_code == 303
    rows = list(
        repository.diff_rows(
            "polls_question", before, repository.head("main"), limit=10
        )
    )
    assert len(rows) == 1
    changed = {
        name
        for name, value in rows[0].after.items()
        if str(value) != str(rows[0].before[name])
    }
    assert changed == {"details"}


def test_an_edit_of_what_somebody_else_changed_is_refused(repository, writer, question):
    sent = fields(writer.get(edit(question))) | {
        "text": "What is up?",
        "choices-1-text": "All the clouds",
    }
    with versioning.on_branch("main", message="Reword"):
        Question.objects.filter(pk=question.pk).update(
            text="What is above?", details="Look up."
        )
        question.choices.filter(text="The sky").update(text="The blue sky")
        question.choices.create(text="The moon", votes=1)
    head = repository.head("main")
    response = writer.post(edit(question), sent)
    assert response.status_code == 409
    assert repository.head("main") == head
    page = seen.main(response)
    assert "Somebody changed this question meanwhile" in page
    assert (
        "Question: What’s up? became What is above? "
        "You wrote What is up?: if you save, it is that, and theirs is gone."
    ) in page
    assert "Details: Look there. became Look up. " in page
    assert "Choice: The sky became The blue sky " in page
    assert "Choice added: The moon " in page
    assert "All the clouds" not in page.partition("Below it is")[0]  # nobody else’s
    again = fields(response)
    assert again["text"] == "What is up?"  # what this person changed
    assert again["details"] == "Look up."  # what only the other one did
    assert again["choices-0-text"] == "The blue sky"
    assert again["choices-1-text"] == "All the clouds"
    assert again["choices-2-text"] == "The moon"
    # To send what is shown now is a decision.
    assert writer.post(edit(question), again).status_code == 303
    assert state(question) == (
        "What is up?",
        {"The blue sky": 12, "All the clouds": 3, "The moon": 1},
    )


def test_a_choice_that_somebody_else_removed_can_be_put_back(
    repository, writer, question
):
    sent = fields(writer.get(edit(question))) | {
        "choices-1-text": "All the clouds",
        "choices-2-text": "The moon",
        "choices-TOTAL_FORMS": "3",
    }
    with versioning.on_branch("main", message="Remove a choice"):
        question.choices.filter(text="The clouds").delete()
    response = writer.post(edit(question), sent)
    assert response.status_code == 409
    assert (
        "Choice removed: The clouds You wrote All the clouds: "
        "if you save, it is added anew, without votes."
    ) in seen.main(response)
    assert writer.post(edit(question), fields(response)).status_code == 303
    assert state(question)[1] == {"The sky": 12, "All the clouds": 0, "The moon": 0}


def test_a_date_that_two_people_chose_is_told_in_words(writer, question):
    opened = {"initial-published": "2026-01-01 08:00:00"}
    sent = (
        fields(writer.get(edit(question))) | opened | {"published": "2026-03-01T10:00"}
    )
    with versioning.on_branch("main", message="Later"):
        then = dt.datetime(2026, 2, 1, 9, 30, tzinfo=dt.UTC)
        Question.objects.update(published=then)
    words = seen.main(writer.post(edit(question), sent))
    assert (
        "Published on: 1 January 2026, 08:00:00 became 1 February 2026, 09:30:00 "
        "You wrote 1 March 2026, 10:00:00: if you save"
    ) in words


def test_details_that_two_people_wrote_are_shown_as_each_wrote_them(writer, question):
    sent = fields(writer.get(edit(question))) | {"details": "Mine,\r\nin two lines."}
    with versioning.on_branch("main", message="Details"):
        Question.objects.update(details="Theirs.")
    response = writer.post(edit(question), sent)
    assert response.status_code == 409
    words = seen.main(response)
    assert "Details: Look there. became Theirs. You wrote Mine, in two lines." in words
    for name in ("Question:", "Published on:", "Choice:"):
        assert name not in words
    assert Question.objects.get().details == "Theirs."


def test_a_deletion_says_what_goes_with_it(repository, writer, question):
    url = reverse("polls:delete", args=[question.pk])
    page = writer.get(url)
    assert "2 choices and 15 votes go with it, on main only" in seen.main(page)
    response = writer.post(url, fields(page))
    assert response.status_code == 303
    assert response["Location"] == reverse("polls:index")
    assert not Question.objects.exists()
    assert not Choice.objects.exists()
    assert subject(repository) == "Delete “What’s up?”"


def test_editors_find_what_is_not_open_yet(repository, writer, client, question):
    sent = fields(writer.get(edit(question))) | {"published": "2099-01-01T12:00"}
    response = writer.post(edit(question), sent)
    assert response["Location"] == reverse("polls:index")
    page = writer.get(reverse("polls:index"))
    assert edit(question) in seen.addresses(page)
    assert "What’s up?" in seen.main(page)
    assert "What’s up?" not in seen.main(client.get(reverse("polls:index")))


@pytest.mark.parametrize("name", ["create", "edit", "delete", "choice-row"])
def test_editing_asks_for_a_sign_in_and_a_permission(
    repository, client, nobody, question, name
):
    args = [question.pk] if name in ("edit", "delete") else []
    url = reverse(f"polls:{name}", args=args)
    response = client.get(url)
    assert response.status_code == 302
    assert response["Location"].startswith(reverse("login"))
    refused = nobody.get(url)
    assert refused.status_code == 403
    assert "isn’t allowed to" in seen.main(refused)


def test_a_protected_branch_says_so_before_anything_is_typed(
    repository, editor, django_user_model, question
):
    django_user_model.objects.get(username="edith").user_permissions.add(
        *Permission.objects.filter(content_type__app_label="polls")
    )
    names = ("edit", "delete", "detail", "results")
    about = [reverse(f"polls:{name}", args=[question.pk]) for name in names]
    for url in (CREATE, *about):
        page = editor.get(url)
        assert "main is protected" in seen.main(page)
        make = f"{reverse('versioning:branch-create')}?{urlencode({'next': url})}"
        assert make in seen.addresses(page)
        assert "text" not in fields(page)


def test_a_branch_is_made_on_the_way_to_an_edit(
    repository, editor, django_user_model, question
):
    django_user_model.objects.get(username="edith").user_permissions.add(
        *Permission.objects.filter(content_type__app_label="polls")
    )
    make = seen.links(editor.get(edit(question)))["Make a branch"]
    form = fields(editor.get(make))
    refused = editor.post(make, form | {"name": "two words"})
    assert fields(refused)["next"] == edit(question)
    made = editor.post(make, form | {"name": "summer", "switch": "on"})
    assert (made.status_code, made["Location"]) == (303, edit(question))
    page = editor.get(edit(question))
    assert "You are on the new branch “summer” now." in seen.text(page)
    assert fields(page)["text"] == "What’s up?"


@pytest.mark.parametrize("away", ["https://example.com/", "//example.com", "x:y"])
def test_a_branch_that_is_made_leads_nowhere_else(repository, editor, away):
    path = reverse("versioning:branch-create")
    page = editor.get(path, {"next": away})
    assert "example.com" not in page.content.decode().partition("<main")[2]
    form = {"name": "summer", "at": "main", "switch": "on", "next": away}
    assert editor.post(path, form)["Location"] == reverse("versioning:branches")


@pytest.mark.parametrize("branch", ["main", "summer"])
def test_what_was_saved_is_said_with_its_commit(repository, writer, question, branch):
    repository.create_branch("summer", repository.head("main"))
    writer.post(reverse("versioning:branch-switch"), {"name": branch})
    sent = fields(writer.get(edit(question)))
    page = writer.post(edit(question), sent, follow=True)
    assert "Nothing was changed." in seen.text(page)
    assert "Saved" not in seen.text(page)
    page = writer.post(edit(question), sent | {"text": "What is <up>?"}, follow=True)
    commit = repository.head(branch)
    assert f"Saved on {branch}, as commit {commit[:7]}." in seen.text(page)
    assert f'href="/commits/{commit}/"' in page.content.decode()
    assert ("Compare summer with main" in seen.text(page)) is (branch == "summer")
    page = writer.post(reverse("polls:delete", args=[question.pk]), follow=True)
    commit = repository.head(branch)
    said = f"“What is <up>?” is deleted on {branch}, as commit {commit[:7]}."
    assert said in seen.text(page)


def test_what_was_typed_on_another_branch_is_sent_to_that_one(
    repository, connection, writer, question
):
    """The session was switched in another tab since the form was opened."""
    repository.create_branch("summer", repository.head("main"))
    switch = reverse("versioning:branch-switch")
    sent = fields(writer.get(edit(question))) | {"text": "What is up?"}
    writer.post(switch, {"name": "summer"})
    heads = repository.head("main"), repository.head("summer")
    refused = writer.post(edit(question), sent)
    words = seen.main(refused)
    assert refused.status_code == 409
    assert "You have switched branches since" in words
    assert "What you had typed Text What is up?" in words
    assert "Look there." not in words  # which nobody typed
    assert (repository.head("main"), repository.head("summer")) == heads
    assert "Send it to main Send it to summer instead" in words
    hidden = r'<input type="hidden" name="([^"]*)" value="([^"]*)">'
    to_main, to_summer = (
        dict(re.findall(hidden, unescape(form)))
        for form in re.findall(
            r'<form action="/polls/.*?</form>', refused.content.decode(), re.DOTALL
        )
    )
    assert to_main["text"] == to_summer["text"] == "What is up?"

    assert writer.post(edit(question), to_main).status_code == 303
    assert subject(repository).startswith("Edit “What is up?”")
    assert repository.head("summer") == heads[1]
    assert state(question)[0] == "What is up?"
    assert writer.session[SESSION_KEY] == "main"


def test_a_branch_that_is_gone_by_then_is_not_switched_to(repository, writer, question):
    repository.create_branch("summer", repository.head("main"))
    sent = fields(writer.get(edit(question))) | {"text": "What is up?"}
    gone = sent | {BRANCH_FIELD: "autumn", SWITCH_FIELD: "1"}
    writer.post(reverse("versioning:branch-switch"), {"name": "summer"})
    refused = writer.post(edit(question), gone)
    assert refused.status_code == 409
    assert "The branch “autumn” is gone" in seen.main(refused)
    assert "What is up?" in seen.main(refused)
    assert writer.session[SESSION_KEY] == "summer"

"""A vote: counted once, on the right choice, or refused with a reason."""

import pytest
from django.urls import reverse

import versioning
from polls import views
from polls.models import Choice, Question
from tests.web import seen
from tests.web.fields import fields, forms
from versioning.place import TOKEN_FIELD


@pytest.fixture
def question(repository):
    with versioning.on_branch("main", message="Add a poll"):
        question = Question.objects.create(text="What’s up?")
        question.choices.create(text="The sky", votes=12)
        question.choices.create(text="The clouds", votes=3)
        other = Question.objects.create(text="And down?")
        other.choices.create(text="The ground", votes=7)
    return question


def address(question):
    return reverse("polls:vote", args=[question.pk])


def form(client, question):
    """The fields of the vote form as the page gives them."""
    return fields(client.get(reverse("polls:detail", args=[question.pk])))


def counts():
    return dict(Choice.objects.values_list("text", "votes"))


def test_a_vote_adds_one_to_its_choice_alone(connection, client, question):
    sky = question.choices.get(text="The sky")
    sent = form(client, question) | {"choice": sky.pk}
    response = client.post(address(question), sent)
    assert response.status_code == 303
    results = reverse("polls:results", args=[question.pk])
    assert response["Location"] == f"{results}?receipt={sent[TOKEN_FIELD]}"
    assert counts() == {"The sky": 13, "The clouds": 3, "The ground": 7}


def test_a_choice_whose_text_was_pasted_can_be_voted_for(repository, client, question):
    with versioning.on_branch("main", message="Import"):
        question.choices.filter(text="The sky").update(text="The\x0bsky\r\nabove")
    sky = question.choices.get(votes=12)
    answer = client.post(address(question), form(client, question) | {"choice": sky.pk})
    assert answer.status_code == 303
    message = repository.commit(repository.head("main")).message
    assert message.startswith("Vote for “The sky\nabove” in “What’s up?”\n\n")


def test_a_vote_that_is_not_taken_is_told_by_the_choice_s_words(
    repository, editor, question
):
    repository.create_branch("summer", repository.head("main"))
    sent = form(editor, question) | {"choice": question.choices.get(votes=12).pk}
    editor.post(reverse("versioning:branch-switch"), {"name": "summer"})
    refused = editor.post(address(question), sent)
    assert refused.status_code == 409
    assert "What you had typed Choice The sky To the start" in seen.main(refused)
    again = next(one for one in forms(refused) if one.action == address(question))
    assert editor.post(again.action, again.fields).status_code == 303
    assert counts()["The sky"] == 13


def test_the_page_after_a_vote_shows_its_receipt_first(client, question):
    sky = question.choices.get(text="The sky")
    response = client.post(
        address(question), form(client, question) | {"choice": sky.pk}, follow=True
    )
    page = seen.main(response)
    assert page.index("12 → 13") < page.index("What’s up?")


def test_a_receipt_leads_to_the_commit_or_says_how_to_get_there(
    repository, client, editor, nobody, question
):
    sent = form(client, question) | {"choice": question.choices.first().pk}
    receipt = client.post(address(question), sent)["Location"]
    hash = repository.head("main")
    visitors = client.get(receipt)
    assert f"commit {hash[:7]} (sign in to see it)" in seen.main(visitors)
    assert seen.links(visitors)["sign in"] == f"/commits/{hash}/"
    assert seen.links(editor.get(receipt))[hash[:7]] == f"/commits/{hash}/"
    # Who has an account and may not read the history has nothing to open.
    nobodys = nobody.get(receipt)
    assert f"commit {hash[:7]}" in seen.main(nobodys)
    assert f"/commits/{hash}/" not in seen.addresses(nobodys)


def test_each_page_has_a_token_of_its_own(client, question):
    first, second = form(client, question), form(client, question)
    assert first[TOKEN_FIELD] != second[TOKEN_FIELD]


@pytest.mark.parametrize("choice", [None, "", "x", "-1", "0", "9" * 5000, "٣", "²"])
def test_a_vote_for_nothing_says_what_to_do(repository, client, question, choice):
    head = repository.head("main")
    sent = form(client, question)
    if choice is not None:
        sent["choice"] = choice
    response = client.post(address(question), sent)
    assert response.status_code == 422
    assert "Choose one of the answers" in seen.main(response)
    # Nothing counted: what is sent now is another form.
    assert fields(response)[TOKEN_FIELD] != sent[TOKEN_FIELD]
    assert repository.head("main") == head


def test_a_vote_for_another_question_s_choice_counts_nowhere(
    repository, client, question
):
    head = repository.head("main")
    ground = Choice.objects.get(text="The ground")
    sent = form(client, question) | {"choice": ground.pk}
    assert client.post(address(question), sent).status_code == 422
    assert repository.head("main") == head
    assert counts()["The ground"] == 7


@pytest.mark.parametrize(
    "token", [None, "", "x", "A1E84B5B-C422-44BD-8DB4-76B7A7D53465"]
)
def test_a_vote_without_a_sound_token_is_a_bad_request(
    repository, client, question, token
):
    head = repository.head("main")
    sent = form(client, question) | {"choice": question.choices.first().pk}
    del sent[TOKEN_FIELD]
    if token is not None:
        sent[TOKEN_FIELD] = token
    assert client.post(address(question), sent).status_code == 400
    assert repository.head("main") == head


def test_a_form_that_failed_can_be_sent_again(repository, client, question):
    failed = client.post(address(question), form(client, question))
    sky = question.choices.get(text="The sky")
    response = client.post(address(question), fields(failed) | {"choice": sky.pk})
    assert response.status_code == 303
    assert counts()["The sky"] == 13


def test_reloading_the_page_of_a_failed_vote_shows_the_poll(client, question):
    response = client.get(address(question))
    assert response.status_code == 302
    assert response["Location"] == reverse("polls:detail", args=[question.pk])


def test_other_methods_are_refused(client, question):
    assert client.put(address(question)).status_code == 405
    assert counts()["The sky"] == 12


def test_nobody_waits_for_what_a_vote_reads(repository, client, question, monkeypatch):
    """A choice can even go meanwhile: then the vote says so, and counts nowhere."""
    sky = question.choices.get(text="The sky")
    sent = form(client, question) | {"choice": sky.pk}
    chosen = views._chosen

    def and_another_writes(*args):
        choice = chosen(*args)
        assert choice is not None
        with versioning.on_branch("main", message="Take the sky away"):
            Choice.objects.filter(pk=choice.pk).delete()
        return choice

    monkeypatch.setattr(views, "_chosen", and_another_writes)
    response = client.post(address(question), sent)
    assert response.status_code == 422
    assert "Choose one of the answers" in seen.main(response)
    assert counts() == {"The clouds": 3, "The ground": 7}
    head = repository.commit(repository.head("main"))
    assert head.message == "Take the sky away"


def test_a_request_has_one_unit_of_work(client, question, monkeypatch):
    """Its form counts once; a second commit would carry the same token."""
    sky = question.choices.get(text="The sky")
    sent = form(client, question) | {"choice": sky.pk}
    count = views._count
    monkeypatch.setattr(views, "_count", lambda choice: [count(choice), count(choice)])
    with pytest.raises(RuntimeError, match="one unit of work"):
        client.post(address(question), sent)
    assert counts()["The sky"] == 13

"""Sentences about broken rules, which may quote columns that are hidden."""

from dataclasses import replace

import pytest
from django.core.exceptions import ValidationError
from django.db import models

import versioning
from polls.models import Choice, Question
from tests import own_models
from tests.web import seen
from tests.web.test_hidden import body
from tests.web.test_merges import land, pins
from versioning import policies

MERGE = "/merge/?source=summer&target=main"
UNSAID = "The reason can’t be shown, as it may hold what you may not see."


@pytest.fixture
def hide(monkeypatch):
    """``hide(model, column, **policy)``: hide a column."""

    def hide(model, column, **more):
        policy = policies.for_model(model)
        policy = replace(policy, hidden=frozenset({column}), **more)
        monkeypatch.setitem(policies._policies, model, policy)

    return hide


@pytest.fixture
def write(repository, erin):
    """A poll on both branches, and ``write(branch, change)`` of one of them."""
    with versioning.on_branch("main", author=erin, message="Ask"):
        question = Question.objects.create(pk=1, text="Up?", details="Whispered")
        Choice.objects.create(pk=1, question=question, text="The sky")
    repository.create_branch("summer", repository.head("main"))

    def write(branch, change):
        with versioning.on_branch(branch, author=erin, message="Change"):
            change()

    return write


def add(number, text):
    return lambda: Choice.objects.create(pk=number, question_id=1, text=text)


def keeps_few(question):
    if question.choices.count() > 2:
        raise ValidationError(f"Too many for {question.details}.")


def texts(repository, client):
    """The merge's page, and the answer of a landing, which is refused."""
    page = client.get(MERGE)
    refused = land(client, pins(repository))
    assert refused.status_code == 422
    return [body(page), body(refused)]


def test_what_an_invariant_says_of_a_row_with_a_hidden_column(
    repository, blind, sighted, hide, write
):
    hide(Question, "details", invariants=(keeps_few,))
    write("main", add(500, "Here"))
    write("summer", add(501, "There"))
    for text in texts(repository, sighted):
        assert "Too many for Whispered." in text
        assert UNSAID not in text
    for text in texts(repository, blind):
        assert "Whispered" not in text
        assert f"It breaks a rule of its table. {UNSAID}" in text
        assert "Question “Up?”" in text
    page = seen.main(blind.get(MERGE))
    assert f"What was done with it breaks a rule of Questions. {UNSAID}" in page


def test_a_rule_that_was_broken_before_the_merge(
    repository, blind, sighted, hide, write
):
    hide(Question, "details", invariants=(keeps_few,))
    for number in (500, 501, 502):
        write("main", add(number, f"Here {number}"))
    write("summer", add(600, "There"))
    assert "Too many for Whispered." in seen.main(sighted.get(MERGE))
    page = body(blind.get(MERGE))
    assert "Whispered" not in page
    assert f"It breaks a rule of its table. {UNSAID}" in page


def test_what_a_model_says_of_a_row_with_a_hidden_column(
    repository, blind, sighted, hide, write, monkeypatch
):
    """It may quote it in a sentence about another column, too."""

    def clean(question):
        if question.text == "New" and question.published.year == 2030:
            raise ValidationError({"text": f"Not in 2030, {question.details}."})

    monkeypatch.setattr(Question, "clean", clean, raising=False)
    hide(Question, "details")
    write("main", lambda: Question.objects.update(text="New"))
    write(
        "summer",
        lambda: Question.objects.update(published="2030-01-01 00:00:00+00:00"),
    )
    for text in texts(repository, sighted):
        assert "Not in 2030, Whispered." in text
    for text in texts(repository, blind):
        assert "Whispered" not in text
        assert f"It breaks a rule of its table. {UNSAID}" in text


def test_that_a_hidden_value_is_another_row_s_too(
    repository, blind, sighted, hide, write
):
    hide(Choice, "text")
    write("main", add(500, "Secret"))
    write("summer", add(501, "Secret"))
    for text in texts(repository, sighted):
        assert "same" in text
    for text in texts(repository, blind):
        assert "Secret" not in text
        assert "It breaks a rule about a column that is hidden from you." in text
        assert "has the same value" not in text


def test_that_a_row_points_to_one_by_a_hidden_column(
    repository, blind, sighted, hide, write
):
    hide(Choice, "question_id")
    write("main", lambda: Choice.objects.all().delete())
    write("main", lambda: Question.objects.all().delete())
    write("summer", add(501, "There"))
    assert "points to it: Choice “There”" in seen.main(sighted.get(MERGE))
    assert "points to it: a row of Choices" in seen.main(blind.get(MERGE))


def test_where_nothing_is_hidden_the_sentence_is_whole(
    repository, blind, hide, write, monkeypatch
):
    hide(Choice, "votes")
    policy = policies.for_model(Question)
    policy = replace(policy, invariants=(keeps_few,), prefetch=())
    monkeypatch.setitem(policies._policies, Question, policy)
    write("main", add(500, "Here"))
    write("summer", add(501, "There"))
    for text in texts(repository, blind):
        assert "Too many for Whispered." in text


def test_what_a_model_says_of_a_row_that_inherits_a_hidden_column(
    repository, blind, sighted, hide, new_model, erin
):
    def fits(hall):
        if hall.seats + hall.doors > 5:
            raise ValidationError(f"{hall.name} has no room for {hall.seats}.")

    place = own_models.place(new_model)
    above = own_models.part_of(place)
    seats, doors = models.IntegerField(), models.IntegerField()
    hall = new_model("Hall", place, above=above, seats=seats, doors=doors, clean=fits)
    hide(place, "name")
    with versioning.on_branch("main", author=erin, message="Open"):
        hall.objects.create(pk=1, name="Whispered", seats=3, doors=1)
    repository.create_branch("summer", repository.head("main"))
    for branch, change in (("main", {"seats": 4}), ("summer", {"doors": 2})):
        with versioning.on_branch(branch, author=erin, message="Change"):
            hall.objects.update(**change)
    for text in texts(repository, sighted):
        assert "Whispered has no room for 4." in text
    for text in texts(repository, blind):
        assert "Whispered" not in text
        assert f"It breaks a rule of its table. {UNSAID}" in text


def test_what_a_model_says_of_a_row_that_points_to_one_with_a_hidden_column(
    repository, blind, sighted, hide, write, monkeypatch
):
    def clean(choice):
        if choice.text == "Sea" and choice.votes:
            raise ValidationError(f"No sea in {choice.question.details}.")

    monkeypatch.setattr(Choice, "clean", clean, raising=False)
    hide(Question, "details")
    write("main", lambda: Choice.objects.update(text="Sea"))
    write("summer", lambda: Choice.objects.update(votes=1))
    for text in texts(repository, sighted):
        assert "No sea in Whispered." in text
    for text in texts(repository, blind):
        assert "Whispered" not in text
        assert f"It breaks a rule of its table. {UNSAID}" in text


def test_what_an_invariant_says_of_hidden_rows_that_it_prefetches(
    repository, blind, sighted, hide, write, monkeypatch
):
    def told(question):
        if len(texts := [choice.text for choice in question.choices.all()]) > 2:
            raise ValidationError(f"Too many beside {texts[0]}.")

    hide(Choice, "text")
    policy = replace(policies.for_model(Question), invariants=(told,))
    policy = replace(policy, prefetch=("choices",))
    monkeypatch.setitem(policies._policies, Question, policy)
    write("main", add(500, "Here"))
    write("summer", add(501, "There"))
    for text in texts(repository, sighted):
        assert "Too many beside The sky." in text
    for text in texts(repository, blind):
        assert "The sky" not in text
        assert f"It breaks a rule of its table. {UNSAID}" in text

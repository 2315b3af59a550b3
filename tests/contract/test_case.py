"""
An edit that changes nothing but case or accents is an edit.

To a collation that is blind to both, as MySQL has it, the row is the same as it
was: Dolt's UPDATE leaves it alone, its diffs leave it out, its merges lose it.
"""

import pytest
from django.core import checks
from django.db import models, transaction
from django.db.models import F
from django.db.models.functions import Upper

import versioning
from polls.models import Choice, Question
from tests.contract.test_undoing import Bringing
from versioning.backends.repository import RowWrite
from versioning.merging import sources
from versioning.merging.resolution import Take


def save(question):
    question.text = "What’s Up?"
    question.save()


def save_one_field(question):
    question.text = "What’s Up?"
    question.save(update_fields=["text"])


def update(question):
    Question.objects.filter(text="What’s up?").update(text="What’s Up?")


def update_among_others(question):
    chosen = Question.objects.filter(choices__votes=0)
    chosen.update(text="What’s Up?", details=F("details"))


def update_in_bulk(question):
    question.text = "What’s Up?"
    Question.objects.bulk_update([question], ["text", "details"])


@pytest.mark.parametrize(
    "edit", [save, save_one_field, update, update_among_others, update_in_bulk]
)
def test_it_is_written(repository, poll, edit):
    with versioning.on_branch(message="Mend") as unit:
        edit(poll)
    poll.refresh_from_db()
    assert poll.text == "What’s Up?"
    assert unit.commit == repository.head("main")
    assert [c.text for c in poll.choices.all()] == ["The sky", "The clouds"]


def test_so_is_what_a_database_works_out(poll):
    with versioning.on_branch(message="Shout"):
        assert Choice.objects.update(text=Upper("text"), votes=F("votes") * 2) == 2
    found = Choice.objects.order_by("pk").values_list("text", "votes")
    assert [*found] == [("THE SKY", 10), ("THE CLOUDS", 0)]


def test_so_is_an_accent(new_model):
    named = new_model("Named", name=models.CharField(max_length=9, unique=True))
    with versioning.on_branch(message="Add"):
        row = named.objects.create(name="Zoe")
        other = named.objects.create(name="Eva")
    with versioning.on_branch(message="Mend"):
        row.name = "Zoë"
        row.save()
    assert [*named.objects.order_by("pk")] == [row, other]
    assert named.objects.get(pk=row.pk).name == "Zoë"


def test_rows_are_written_as_they_are_given(repository, connection, poll):
    with (
        connection.bound("main"),
        connection.writing(),
        transaction.atomic(using="versioned", durable=True),
    ):
        values = {"text": "WHAT’S UP?", "details": "look."}
        repository.write_rows("polls_question", [RowWrite((poll.pk,), values)])
        found = repository.rows("polls_question", [(poll.pk,)], at=None)[(poll.pk,)]
        transaction.set_rollback(True, using="versioned")
    assert {name: found[name] for name in values} == values


@pytest.mark.parametrize(
    ("take", "text"), [(Take.THEIRS, "What’s Up?"), (Take.OURS, "What’s UP?")]
)
def test_a_merge_has_what_was_decided(repository, poll, max_, take, text):
    repository.create_branch("summer", repository.head("main"))
    for branch, wording in (("main", "What’s UP?"), ("summer", "What’s Up?")):
        with versioning.on_branch(branch, message="Reword"):
            Question.objects.update(text=wording)
    bringing = Bringing(repository, max_, sources.parse("summer"))
    bringing.decide("polls_question", (poll.pk,), text=take)
    bringing.land()
    assert Question.objects.get().text == text


def test_it_can_be_undone_and_taken_over(repository, poll, max_):
    repository.create_branch("summer", repository.head("main"))
    with versioning.on_branch(message="Reword") as unit:
        Question.objects.update(text="What’s Up?")
    assert unit.commit
    Bringing(repository, max_, sources.revert(unit.commit)).land()
    assert Question.objects.get().text == "What’s up?"
    Bringing(repository, max_, sources.pick(unit.commit), "summer").land()
    with versioning.on_branch("summer", message="Look"):
        assert Question.objects.get().text == "What’s Up?"


@pytest.mark.parametrize("name", ["what’s up", "WHAT’S UP"])
def test_a_search_makes_no_difference(poll, name):
    for lookup in ("icontains", "istartswith"):
        assert Question.objects.filter(**{f"text__{lookup}": name}).get() == poll
    assert Question.objects.filter(text__iexact=f"{name}?").get() == poll
    same = Question.objects.filter(text__icontains=models.F("text"))
    assert same.get() == poll


def test_columns_that_are_blind_to_it_are_named(repository, write):
    def said():
        found = checks.run_checks(databases=["versioned"])
        return [message.msg for message in found if message.id == "versioning.W018"]

    assert said() == []
    if repository.features.engine == "Dolt":
        blind = "varchar(9) COLLATE utf8mb4_0900_ai_ci"
        write("main", f"CREATE TABLE words (id int PRIMARY KEY, word {blind})")
        (message,) = said()
        assert message.startswith("To the collation of words.word case makes no")

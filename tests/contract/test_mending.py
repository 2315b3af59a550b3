"""A merge whose result breaks a rule: what is said, and how it is mended."""

from datetime import UTC, datetime

import pytest
from django.core.exceptions import ValidationError

import versioning
from polls.models import Choice, Question
from versioning import policies
from versioning.backends.repository import Author
from versioning.merging import (
    candidate,
    deciding,
    drafts,
    gathering,
    memory,
    mending,
    preview,
    trial,
)
from versioning.merging.candidate import RowsInvalid, ViolationsRemain
from versioning.merging.landing import land
from versioning.merging.resolution import WHOLE_ROW, Take
from versioning.merging.resolution import Choice as Decided

pytestmark = pytest.mark.usefixtures("summer")

ERIN = Author("Erin Editor", "erin@example.org")
CHOICES = "polls_choice"
QUESTIONS = "polls_question"
NEW_YEAR = datetime(2027, 1, 1, tzinfo=UTC)


class Merge:
    """The merge of summer into main, as somebody works on it."""

    def __init__(self, repository, user):
        self.repository = repository
        self.user = user
        self.draft = drafts.begin("summer", "main", self.sides, user)

    @property
    def sides(self):
        found = preview.sides_of(
            self.repository,
            self.repository.head("main"),
            self.repository.head("summer"),
        )
        assert found is not None
        return found

    def trial(self):
        return trial.try_out("main", self.sides, self.draft)

    def mend(self, table, key, **choices):
        row = mending.row_of(self.sides, table, key)
        assert row is not None
        made = {
            WHOLE_ROW if column == "whole" else column: choice
            if choice is None or isinstance(choice, Decided)
            else Decided(choice)
            for column, choice in choices.items()
        }
        mending.mend(self.draft, self.sides, row, made, self.user)

    def land(self):
        return land("summer", "main", self.sides, self.draft, self.user)

    def refused(self, error=ViolationsRemain):
        head = self.repository.head("main")
        with pytest.raises(error):
            self.land()
        assert self.repository.head("main") == head
        return True


@pytest.fixture
def merge(repository, poll, max_):
    return lambda: Merge(repository, max_)


def typed(value):
    return Decided(Take.VALUE, value)


# A child without its parent ---------------------------------------------------


@pytest.fixture
def orphan(repository, poll):
    """Summer adds a choice to the question that main deletes."""
    with versioning.on_branch("summer", author=ERIN):
        choice = Choice.objects.create(question_id=poll.pk, text="Stars")
    with versioning.on_branch("main", author=ERIN):
        Question.objects.get(pk=poll.pk).delete()
        other = Question.objects.create(text="Another question")
    return choice.pk, poll.pk, other.pk


def test_an_orphan_and_its_parent_are_named(merge, orphan):
    child, parent, _ = orphan
    rows = {(t.versions.table, t.versions.key): t for t in merge().trial().faults}
    assert set(rows) == {(CHOICES, (child,)), (QUESTIONS, (parent,))}
    (fault,) = rows[CHOICES, (child,)].violations
    assert (fault.kind, fault.columns) == ("foreign key", ("question_id",))
    gone = rows[QUESTIONS, (parent,)]
    assert gone.result is None
    assert gone.versions.ours is None
    assert gone.versions.theirs is not None
    assert [one.key for one in gone.missed_by] == [(child,)]
    assert merge().refused()


def test_the_orphan_is_dropped(merge, orphan):
    work = merge()
    work.mend(CHOICES, (orphan[0],), whole=Take.DROP)
    assert work.trial().is_fine
    (mended,) = work.trial().rows
    assert mended.is_mended
    work.land()
    assert not Choice.objects.filter(pk=orphan[0]).exists()
    assert not Question.objects.filter(pk=orphan[1]).exists()


def test_the_parent_is_kept(merge, orphan):
    work = merge()
    work.mend(QUESTIONS, (orphan[1],), whole=Take.THEIRS)
    assert work.trial().is_fine
    work.land()
    assert Choice.objects.get(pk=orphan[0]).question.text == "What’s up?"


def test_the_orphan_is_given_another_parent(merge, orphan):
    work = merge()
    work.mend(CHOICES, (orphan[0],), question_id=typed(orphan[2]))
    assert work.trial().is_fine
    work.land()
    assert Choice.objects.get(pk=orphan[0]).question.text == "Another question"


def test_the_parent_is_kept_and_one_of_its_orphans_mended(merge, orphan):
    """DoltLite then counted fewer rows that point to nothing than none."""
    with versioning.on_branch("summer", author=ERIN):
        others = [
            Choice.objects.create(question_id=orphan[1], text=text).pk
            for text in ("Rain", "Snow")
        ]
    work = merge()
    for number, key in enumerate(others):
        work.mend(CHOICES, (key,), text=typed(f"Number {number}"))
    work.mend(QUESTIONS, (orphan[1],), whole=Take.THEIRS)
    assert work.trial().is_fine
    work.land()
    found = Choice.objects.filter(question_id=orphan[1]).order_by("text")
    assert [choice.text for choice in found] == ["Number 0", "Number 1", "Stars"]


def test_a_mend_that_mends_nothing_is_no_way_out(merge, orphan):
    work = merge()
    work.mend(CHOICES, (orphan[0],), question_id=typed(999))
    assert not work.trial().is_fine
    assert work.refused()
    work.mend(CHOICES, (orphan[0],), question_id=None)
    assert drafts.counts(work.draft).mends == 0
    assert not work.trial().is_fine


def test_a_mend_can_break_something_else(merge, orphan, repository):
    """A row that is dropped leaves those behind that point to it."""
    work = merge()
    work.mend(QUESTIONS, (orphan[1],), whole=Take.THEIRS)
    work.mend(QUESTIONS, (orphan[2],), whole=Take.DROP)
    assert work.trial().is_fine
    with versioning.on_branch("main", author=ERIN):
        late = Choice.objects.create(question_id=orphan[2], text="Late")
    work = merge()
    (one, *_) = [t for t in work.trial().faults if t.versions.table == CHOICES]
    assert one.versions.key == (late.pk,)
    assert work.refused()


def test_a_mend_made_on_other_values_does_not_count(merge, orphan):
    work = merge()
    work.mend(CHOICES, (orphan[0],), whole=Take.DROP)
    with versioning.on_branch("summer", author=ERIN):
        Choice.objects.filter(pk=orphan[0]).update(text="Many stars")
    work = merge()
    assert drafts.counts(work.draft).outdated == 1
    rows = {t.versions.key: t for t in work.trial().faults}
    assert rows[orphan[0],].mend.outdated
    assert work.refused()


# A value that must be unique --------------------------------------------------


@pytest.fixture
def twins(repository, poll):
    made = []
    for branch, votes in (("main", 1), ("summer", 2)):
        with versioning.on_branch(branch, author=ERIN):
            made.append(
                Choice.objects.create(
                    pk=7000 + votes, question_id=poll.pk, text="Stars", votes=votes
                ).pk
            )
    return made


def test_rows_of_one_unique_value_are_both_named(merge, twins):
    faults = merge().trial().faults
    assert [t.versions.key for t in faults] == [(pk,) for pk in twins]
    assert {v.columns for t in faults for v in t.violations} == {
        ("question_id", "text")
    }
    assert merge().refused()


@pytest.mark.parametrize("which", [0, 1])
def test_one_of_them_is_reworded(merge, twins, which):
    work = merge()
    work.mend(CHOICES, (twins[which],), text=typed("Planets"))
    assert work.trial().is_fine
    work.land()
    texts = {c.pk: c.text for c in Choice.objects.filter(pk__in=twins)}
    assert texts == {twins[which]: "Planets", twins[1 - which]: "Stars"}


@pytest.mark.parametrize("which", [0, 1])
def test_one_of_them_is_dropped(merge, twins, which):
    work = merge()
    work.mend(CHOICES, (twins[which],), whole=Take.DROP)
    work.land()
    assert Choice.objects.get(pk__in=twins).pk == twins[1 - which]


def test_more_faults_than_are_listed_are_refused_unseen(merge, twins, monkeypatch):
    """The engine's list is emptied as a whole: what is not on ours may not be."""
    work = merge()
    work.mend(CHOICES, (twins[0],), text=typed("Planets"))
    monkeypatch.setattr(candidate, "VIOLATIONS_LISTED", 1)
    monkeypatch.setattr(trial, "VIOLATIONS_LISTED", 1)
    memory.forget()
    assert work.trial().too_many
    assert not work.trial().is_fine
    assert work.refused()
    monkeypatch.undo()
    memory.forget()
    work.land()


# Rules of the application -----------------------------------------------------


def test_a_row_put_together_is_judged_by_its_model_and_mended(merge, poll, monkeypatch):
    def clean(self):
        if self.text == "Stars?" and self.details == "None of them.":
            raise ValidationError({"details": "There are stars."})

    monkeypatch.setattr(Question, "clean", clean)
    for branch, values in (
        ("main", {"text": "Stars?"}),
        ("summer", {"details": "None of them."}),
    ):
        with versioning.on_branch(branch, author=ERIN):
            Question.objects.filter(pk=poll.pk).update(**values)
    work = merge()
    (fault,) = work.trial().faults
    assert fault.versions.key == (poll.pk,)
    assert fault.reasons == ("details: There are stars.",)
    assert fault.columns == ("details",)
    assert work.refused(RowsInvalid)
    work.mend(QUESTIONS, (poll.pk,), details=typed("Some of them."))
    assert work.trial().is_fine
    work.land()
    assert Question.objects.get().details == "Some of them."


def keeps_two_choices(question):
    if question.choices.count() < 2:
        raise ValidationError("A question keeps two choices.")


@pytest.fixture
def two_choices(monkeypatch):
    monkeypatch.setattr(policies, "_policies", dict(policies._policies))
    policies.register(Question, invariants=[keeps_two_choices])
    memory.forget()


def test_an_invariant_is_asked_of_what_the_merge_bears_on(merge, poll, two_choices):
    """Each side deletes another of three choices, which is fine by itself."""
    with versioning.on_branch("summer", author=ERIN):
        Choice.objects.create(pk=8000, question_id=poll.pk, text="The moon")
    merge().land()
    # By text: keys go on counting from test to test on one engine.
    sky, clouds = (Choice.objects.get(text=t) for t in ("The sky", "The clouds"))
    with versioning.on_branch("main", author=ERIN):
        Choice.objects.get(pk=sky.pk).delete()
    with versioning.on_branch("summer", author=ERIN):
        Choice.objects.get(pk=clouds.pk).delete()
    work = merge()
    faults = {(t.versions.table, t.versions.key): t for t in work.trial().faults}
    assert set(faults) == {(QUESTIONS, (poll.pk,)), (CHOICES, (clouds.pk,))}
    assert faults[QUESTIONS, (poll.pk,)].reasons == ("A question keeps two choices.",)
    assert faults[CHOICES, (clouds.pk,)].bears_on == (
        (QUESTIONS, "A question keeps two choices."),
    )
    assert work.refused(RowsInvalid)
    work.mend(CHOICES, (clouds.pk,), whole=Take.OURS)
    assert work.trial().is_fine
    work.land()
    assert {choice.text for choice in Choice.objects.all()} == {
        "The clouds",
        "The moon",
    }


def test_it_is_asked_of_a_table_in_which_nothing_merges_by_itself(
    merge, poll, two_choices
):
    with versioning.on_branch("main", author=ERIN):
        Choice.objects.filter(text="The sky").update(text="A sky")
    with versioning.on_branch("summer", author=ERIN):
        sky = Choice.objects.get(text="The sky").pk
        Choice.objects.get(pk=sky).delete()
    work = merge()
    (row,) = preview.conflicts_of("main", work.sides, CHOICES, [(sky,)])
    deciding.decide(work.draft, row, {WHOLE_ROW: Decided(Take.THEIRS)}, work.user)
    expected = {(QUESTIONS, (poll.pk,)), (CHOICES, (sky,))}
    assert {(t.versions.table, t.versions.key) for t in work.trial().faults} == expected
    memory.forget()  # so that it is tried out within the first look
    shown = gathering.open_screen("summer", "main").trial.faults
    assert {(t.versions.table, t.versions.key) for t in shown} == expected


def test_what_was_broken_before_is_reported_and_does_not_block(
    merge, poll, two_choices
):
    with versioning.on_branch("main", author=ERIN):
        Choice.objects.get(text="The clouds").delete()
    with versioning.on_branch("summer", author=ERIN):
        Choice.objects.filter(text="The sky").update(votes=9)
    work = merge()
    found = work.trial()
    assert found.is_fine
    assert [(row.table, row.key, row.reasons) for row in found.old] == [
        (QUESTIONS, (poll.pk,), ("A question keeps two choices.",))
    ]
    work.land()
    assert Choice.objects.get().votes == 9


def test_a_row_that_its_model_refused_before_does_not_block(merge, poll):
    with versioning.on_branch("main", author=ERIN):
        Question.objects.update(text="", details="Ours")
    with versioning.on_branch("summer", author=ERIN):
        Question.objects.update(text="", published=NEW_YEAR)
    work = merge()
    found = work.trial()
    assert found.is_fine
    assert [(row.table, row.key, row.columns) for row in found.old] == [
        (QUESTIONS, (poll.pk,), ("text",))
    ]
    work.land()
    question = Question.objects.get()
    assert (question.text, question.details) == ("", "Ours")
    assert question.published == NEW_YEAR


def test_a_mend_of_a_cell_in_conflict_is_its_decision(merge, poll):
    sky = Choice.objects.get(text="The sky")
    for branch in ("main", "summer"):
        with versioning.on_branch(branch, author=ERIN):
            Choice.objects.filter(pk=sky.pk).update(text=f"Sky of {branch}")
    work = merge()
    work.mend(CHOICES, (sky.pk,), text=typed("The clouds"))
    (decision,) = work.draft.decisions.all()
    assert (decision.required, decision.mends) == (True, False)
    clouds = Choice.objects.get(text="The clouds")
    faults = {t.versions.key: t for t in work.trial().faults}
    assert set(faults) == {(sky.pk,), (clouds.pk,)}
    assert faults[sky.pk,].result["text"] == "The clouds"
    assert work.refused()
    work.mend(CHOICES, (sky.pk,), text=typed("Heaven"))
    assert work.trial().is_fine
    work.land()
    assert Choice.objects.get(pk=sky.pk).text == "Heaven"


def test_what_a_row_does_not_offer_is_refused(merge, orphan):
    work = merge()
    for choices in (
        {"whole": Take.BASE},
        {"nothing": typed("x")},
        {"text": Take.OURS},
        {"whole": Take.OURS},  # main has no such row
    ):
        with pytest.raises(ValueError):
            work.mend(CHOICES, (orphan[0],), **choices)
    assert not work.draft.decisions.exists()

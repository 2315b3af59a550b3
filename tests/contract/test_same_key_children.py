"""Rows that point to one of which both sides' are kept."""

import uuid

import pytest
from django.db import models

import versioning
from polls.models import Choice, Question
from tests.contract.work import KEY, QUESTIONS, SIDES, refers_to
from versioning.backends.repository import Author
from versioning.merging.candidate import RowsInvalid
from versioning.merging.resolution import Choice as Decided
from versioning.merging.resolution import Take

ERIN = Author("Erin Editor", "erin@example.org")
CHOICES = "polls_choice"
OLD = 1


@pytest.fixture
def question(repository):
    """One that both branches have."""
    with versioning.on_branch("main", author=ERIN, message="Ask"):
        return Question.objects.create(pk=OLD, text="What’s up?")


@pytest.fixture
def on_sides(repository, question):
    """``on_sides(add)``: a question under one key on both, and what is added to it."""

    def add_to(add):
        repository.create_branch("summer", repository.head("main"))
        for side in SIDES:
            with versioning.on_branch(side, author=ERIN, message=f"Ask on {side}"):
                Question.objects.create(pk=KEY, text=f"Asked on {side}")
                add(side)

    return add_to


def choices():
    """Texts and votes of the choices, by the question's text."""
    return {
        question.text: [(c.text, c.votes) for c in question.choices.order_by("pk")]
        for question in Question.objects.exclude(pk=OLD)
    }


@pytest.mark.parametrize("votes", [(0, 0), (1, 1), (3, 4), (0, 4)])
def test_choices_added_alike_are_of_both(repository, on_sides, work, votes):
    def add(side):
        count = votes[SIDES.index(side)]
        Choice.objects.create(pk=100, question_id=KEY, text="Yes", votes=count)
        Choice.objects.create(pk=101, question_id=KEY, text="No")

    on_sides(add)
    merge = work()
    merge.keep_both(QUESTIONS)
    assert merge.troubles == {}
    merge.land()
    assert choices() == {
        f"Asked on {side}": [("Yes", count), ("No", 0)]
        for side, count in zip(SIDES, votes, strict=True)
    }
    # Ours are where they were.
    assert {c.pk for c in Choice.objects.filter(question_id=KEY)} == {100, 101}


def test_what_points_to_those_follows_its_own(repository, new_model, on_sides, work):
    comment = new_model("Comment", choice=refers_to(Choice), text=models.TextField())

    def add(side):
        Choice.objects.create(pk=100, question_id=KEY, text="Yes")
        comment.objects.create(pk=5, choice_id=100, text="Me too")
        own = 10 + SIDES.index(side)
        comment.objects.create(pk=own, choice_id=100, text=f"Said on {side}")

    on_sides(add)
    merge = work()
    merge.keep_both(QUESTIONS)
    merge.land()
    found = {
        choice.question.text: [
            c.text for c in comment.objects.filter(choice=choice).order_by("text")
        ]
        for choice in Choice.objects.select_related("question")
    }
    assert found == {
        f"Asked on {side}": ["Me too", f"Said on {side}"] for side in SIDES
    }


def test_rows_of_one_tree_are_all_kept_twice(repository, new_model, question, work):
    node = new_model(
        "Node", above=refers_to("self", null=True), name=models.TextField()
    )
    repository.create_branch("summer", repository.head("main"))
    for side in SIDES:
        with versioning.on_branch(side, author=ERIN, message="Plant"):
            node.objects.create(pk=1, name=f"Root on {side}")
            node.objects.create(pk=2, above_id=1, name="Branch")
            node.objects.create(pk=3, above_id=2, name="Leaf")
    merge = work()
    merge.keep_both("polls_node", 1)
    assert merge.troubles == {}
    merge.land()
    leaves = node.objects.filter(name="Leaf").select_related("above__above")
    assert sorted(leaf.above.above.name for leaf in leaves) == [
        "Root on main",
        "Root on summer",
    ]
    assert node.objects.count() == 6


@pytest.fixture
def texts_differ(on_sides):
    """Both sides' choice has one key, and another text."""
    on_sides(
        lambda side: Choice.objects.create(
            pk=100, question_id=KEY, text=f"Yes on {side}", votes=3
        )
    )


@pytest.mark.parametrize("take", [Take.OURS, Take.THEIRS])
def test_a_choice_of_either_question_is_asked_about(
    repository, texts_differ, work, take
):
    before = repository.head("main")
    merge = work()
    merge.keep_both(QUESTIONS)
    merge.decide(CHOICES, 100, take)
    assert merge.troubles == {
        (CHOICES, 100): (
            "Question: both sides set it to one key, which is of two rows now that "
            "both are kept. Choose here whose row this is, or keep both of it too.",
        )
    }
    with pytest.raises(RowsInvalid):
        merge.land()
    assert repository.head("main") == before
    merge.mend(CHOICES, 100, take)
    assert merge.troubles == {}
    merge.land()
    taken, other = SIDES if take is Take.OURS else reversed(SIDES)
    assert choices() == {
        f"Asked on {taken}": [(f"Yes on {taken}", 3)],
        f"Asked on {other}": [],
    }


def test_both_of_such_a_choice_are_kept_too(texts_differ, work):
    merge = work()
    merge.keep_both(QUESTIONS)
    merge.keep_both(CHOICES, 100)
    assert merge.troubles == {}
    merge.land()
    assert choices() == {f"Asked on {side}": [(f"Yes on {side}", 3)] for side in SIDES}


def test_a_count_that_was_decided_is_of_neither(on_sides, work):
    on_sides(
        lambda side: Choice.objects.create(
            pk=100, question_id=KEY, text="Yes", votes=3 + SIDES.index(side)
        )
    )
    merge = work()
    merge.keep_both(QUESTIONS)
    merge.count(CHOICES, 100, Take.THEIRS)
    assert list(merge.troubles) == [(CHOICES, 100)]
    merge.count(CHOICES, 100, Take.SUM)
    assert merge.troubles == {}


def test_an_old_choice_moved_to_both_is_asked_about(repository, question, work):
    with versioning.on_branch("main", author=ERIN, message="Add"):
        Choice.objects.create(pk=50, question_id=OLD, text="The sky")
    repository.create_branch("summer", repository.head("main"))
    for side in SIDES:
        with versioning.on_branch(side, author=ERIN, message=side):
            Question.objects.create(pk=KEY, text=f"Asked on {side}")
            Choice.objects.filter(pk=50).update(question_id=KEY)
    merge = work()
    merge.keep_both(QUESTIONS)
    assert list(merge.troubles) == [(CHOICES, 50)]
    merge.mend(CHOICES, 50, Take.THEIRS)
    merge.land()
    assert choices() == {"Asked on main": [], "Asked on summer": [("The sky", 0)]}


def test_each_reference_follows_who_set_it(repository, new_model, question, work):
    link = new_model(
        "Link", one=refers_to(Question, null=True), two=refers_to(Question, null=True)
    )
    with versioning.on_branch("main", author=ERIN, message="Link"):
        link.objects.create(pk=1, one_id=OLD, two_id=OLD)
    repository.create_branch("summer", repository.head("main"))
    for side, column in zip(SIDES, ("one_id", "two_id"), strict=True):
        with versioning.on_branch(side, author=ERIN, message=side):
            Question.objects.create(pk=KEY, text=f"Asked on {side}")
            link.objects.filter(pk=1).update(**{column: KEY})
    merge = work()
    merge.keep_both(QUESTIONS)
    merge.land()
    found = link.objects.get()
    assert (found.one.text, found.two.text) == ("Asked on main", "Asked on summer")


class TestKeyOfAnother:
    """A row whose key is that of the row that it belongs to."""

    @pytest.fixture
    def extra(self, new_model):
        question = models.OneToOneField(
            Question, models.CASCADE, primary_key=True, related_name="+"
        )
        return new_model("Extra", question=question, note=models.TextField())

    def notes(self, extra):
        return {e.question.text: e.note for e in extra.objects.all()}

    @pytest.mark.parametrize("of", [("summer",), ("main",), SIDES])
    def test_it_goes_along(self, extra, on_sides, work, of):
        def add(side):
            if side in of:
                extra.objects.create(question_id=KEY, note="Look.")

        on_sides(add)
        merge = work()
        merge.keep_both(QUESTIONS)
        assert merge.troubles == {}
        merge.land()
        assert self.notes(extra) == {f"Asked on {side}": "Look." for side in of}

    @pytest.fixture
    def notes_differ(self, extra, on_sides):
        on_sides(lambda side: extra.objects.create(question_id=KEY, note=f"Of {side}"))

    def test_both_are_kept(self, extra, notes_differ, work):
        merge = work()
        merge.keep_both(QUESTIONS)
        merge.keep_both("polls_extra")
        assert merge.troubles == {}
        merge.land()
        assert self.notes(extra) == {f"Asked on {side}": f"Of {side}" for side in SIDES}

    def test_both_need_both_of_what_they_belong_to(
        self, repository, extra, notes_differ, work
    ):
        before = repository.head("main")
        merge = work()
        merge.decide(QUESTIONS, KEY, Take.OURS)
        merge.keep_both("polls_extra")
        assert list(merge.troubles) == [("polls_extra", KEY)]
        with pytest.raises(RowsInvalid):
            merge.land()
        assert repository.head("main") == before
        merge.mend("polls_extra", KEY, Take.THEIRS)
        merge.land()
        assert self.notes(extra) == {"Asked on main": "Of summer"}


def test_a_copy_keeps_its_key_while_it_is_mended(repository, new_model, write, work):
    """Also where keys are made up, as UUIDs are."""
    badge = new_model(
        "Badge",
        id=models.UUIDField(primary_key=True),
        text=models.CharField(max_length=50),
        note=models.CharField(max_length=50),
    )
    table, one = "polls_badge", uuid.UUID(int=1)
    write("main", "CREATE UNIQUE INDEX badge_once ON polls_badge (text)")
    repository.create_branch("summer", repository.head("main"))
    for side in SIDES:
        with versioning.on_branch(side, author=ERIN, message=f"Give on {side}"):
            badge.objects.create(pk=one, text="Star", note=side)
    merge = work()
    merge.keep_both(table, one.hex)
    [(_, copy)] = merge.troubles.keys() - {(table, one.hex)}
    merge.mend_copy(copy, table, text=Decided(Take.VALUE, "Moon"))
    assert merge.troubles == {}
    merge.land()
    found = {(b.pk, b.text, b.note) for b in badge.objects.all()}
    assert found == {(one, "Star", "main"), (uuid.UUID(copy), "Moon", "summer")}

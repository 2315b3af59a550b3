"""Rules that only a merge breaks, and values that trade places, page by page."""

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import models
from django.urls import reverse

import versioning
from polls.models import Choice, Question
from tests.web import seen
from tests.web.test_mending import URL, form, mend
from tests.web.test_merges import about, decide, land, pins
from versioning.merging.validation import REPORTED
from versioning.models import Decision


@pytest.fixture
def question(repository, erin):
    with versioning.on_branch("main", author=erin, message="Ask"):
        question = Question.objects.create(text="What’s up?")
        for text in ("The sky", "The sea", "The sun", "The moon"):
            question.choices.create(text=text)
    repository.create_branch("summer", repository.head("main"))
    return question


def is_disabled(page):
    """Whether the page's only button to merge can't be pressed."""
    html = page.content.decode()
    bar = html.partition(f'action="{reverse("versioning:merge-land")}"')[2]
    return " disabled>" in bar.partition("</form>")[0]


# Values that trade places -----------------------------------------------------


@pytest.fixture
def swap(question, erin):
    """``swap(branch, one, other)``: two choices of the question trade their texts."""

    def commit(branch, *texts):
        with versioning.on_branch(branch, author=erin, message="Swap"):
            one, other = (Choice.objects.get(text=text) for text in texts)
            # No two may have the same, not even for a moment.
            for choice, text in ((one, "—"), (other, one.text), (one, other.text)):
                Choice.objects.filter(pk=choice.pk).update(text=text)

    return commit


def texts():
    return list(Choice.objects.order_by("pk").values_list("text", flat=True))


def test_pairs_that_each_side_swapped_are_both_swapped(repository, maintainer, swap):
    swap("main", "The sky", "The sea")
    swap("summer", "The sun", "The moon")
    page = maintainer.get(URL)
    assert "This merges by itself" in seen.main(page)
    assert not is_disabled(page)
    assert land(maintainer, pins(repository)).status_code == 303
    assert texts() == ["The sea", "The sky", "The moon", "The sun"]


def test_a_pair_that_both_swapped_alike_is_swapped_once(repository, maintainer, swap):
    for branch in ("main", "summer"):
        swap(branch, "The sky", "The sea")
    swap("summer", "The sun", "The moon")
    assert "This merges by itself" in seen.main(maintainer.get(URL))
    assert land(maintainer, pins(repository)).status_code == 303
    assert texts() == ["The sea", "The sky", "The moon", "The sun"]


@pytest.mark.parametrize("side", ["ours", "theirs"])
def test_two_rows_that_have_each_other_s_value_on_the_other_side(
    repository, maintainer, question, erin, side
):
    """To take the other side's of both is to swap them in the result."""
    names = {"main": ["Noon", "Night"], "summer": ["Night", "Noon"]}
    one, other, *_ = Choice.objects.order_by("pk")
    for branch, (first, second) in names.items():
        with versioning.on_branch(branch, author=erin, message="Reword"):
            Choice.objects.filter(pk=one.pk).update(text=first)
            Choice.objects.filter(pk=other.pk).update(text=second)
    fields = pins(repository) | {"scope": "all", "take": side}
    assert decide(maintainer, fields).status_code == 303
    words = seen.main(maintainer.get(URL))
    assert "2 of 2 settled" in words
    assert "would break a rule" not in words
    assert land(maintainer, fields).status_code == 303
    taken = names["main" if side == "ours" else "summer"]
    assert texts() == [*taken, "The sun", "The moon"]


@pytest.mark.parametrize(
    ("take", "mended", "result"),
    [
        # Main’s answer for the one in the middle wants summer’s swap taken back,
        ("ours", (2, "The sun"), ["The sea", "The sky", "The sun"]),
        # and summer’s that of main.
        ("theirs", (0, "The sky"), ["The sky", "The sun", "The sea"]),
    ],
)
def test_swaps_that_meet_in_one_row_are_decided_and_mended(
    repository, maintainer, swap, take, mended, result
):
    swap("main", "The sky", "The sea")
    swap("summer", "The sea", "The sun")
    rows = list(Choice.objects.order_by("pk"))
    decide(maintainer, pins(repository) | about(rows[1], take__text=take))
    page = maintainer.get(URL)
    words = seen.main(page)
    assert "1 of 1 settled" in words
    assert "2 rows of the result would break a rule" in words
    said = "Another row has the same question and choice, which may be there only once."
    assert words.count(said) == 2
    assert is_disabled(page)
    place, text = mended
    fields = form(
        repository,
        "polls_choice",
        rows[place].pk,
        take="",
        value__text=text,
        was__text="The sea",
    )
    assert mend(maintainer, fields).status_code == 303
    assert land(maintainer, pins(repository)).status_code == 303
    assert texts() == [*result, "The moon"]


# What a model says ------------------------------------------------------------


def test_what_a_model_says_stands_at_the_row_and_is_mended_there(
    repository, maintainer, question, erin, monkeypatch
):
    """Each side's row is right; the two changes together are not."""

    def clean(self):
        if self.text.startswith("How many") and not self.details:
            raise ValidationError({"details": "Say what is to be counted."})

    with versioning.on_branch("main", author=erin, message="Explain"):
        Question.objects.update(details="Stars.")
    repository.delete_branch("summer")
    repository.create_branch("summer", repository.head("main"))
    with versioning.on_branch("main", author=erin, message="Reword"):
        Question.objects.update(text="How many are there?")
    with versioning.on_branch("summer", author=erin, message="Shorten"):
        Question.objects.update(details="")
    monkeypatch.setattr(Question, "clean", clean)

    page = maintainer.get(URL)
    words = seen.main(page)
    assert "1 row of the result would break a rule" in words
    assert "Question “How many are there?” to mend" in words
    assert "details: Say what is to be counted." in words
    assert is_disabled(page)
    fields = form(
        repository,
        "polls_question",
        question.pk,
        take="",
        value__details="Stars and moons.",
        was__details="",
    )
    refused = land(maintainer, fields)
    assert refused.status_code == 422
    assert "details: Say what is to be counted." in seen.main(refused)
    assert mend(maintainer, fields).status_code == 303
    page = maintainer.get(URL)
    assert "Say what is to be counted" not in seen.main(page)
    assert not is_disabled(page)
    assert land(maintainer, fields).status_code == 303
    merged = Question.objects.get()
    assert (merged.text, merged.details) == ("How many are there?", "Stars and moons.")


@pytest.mark.parametrize("count", [1, REPORTED + 2])
def test_all_that_break_a_rule_are_counted(
    repository, maintainer, erin, monkeypatch, count
):
    def clean(self):
        if self.text.startswith("How many") and self.details:
            raise ValidationError("Say so in a word.")

    with versioning.on_branch("main", author=erin, message="Ask"):
        for _ in range(count):
            Question.objects.create(text="What’s up?")
    repository.create_branch("summer", repository.head("main"))
    with versioning.on_branch("main", author=erin, message="Reword"):
        Question.objects.update(text="How many are there?")
    with versioning.on_branch("summer", author=erin, message="Explain"):
        Question.objects.update(details="Stars.")
    monkeypatch.setattr(Question, "clean", clean)
    words = seen.main(maintainer.get(URL))
    rows = "1 row" if count == 1 else f"{count} rows"
    follow = "Each is below" if count == 1 else "The first are below; the others follow"
    assert f"{rows} of the result would break a rule. {follow}" in words
    assert words.count("Say so in a word.") == min(count, REPORTED)
    refused = land(maintainer, pins(repository))
    assert refused.status_code == 422
    said = "1 row breaks" if count == 1 else f"{count} rows break"
    assert f"{said} a rule of the application." in seen.main(refused)


def not_too_much(order):
    if order.total > 100:
        raise ValidationError("Nobody eats so much.")


def test_a_rule_goes_by_what_the_database_works_out(
    repository, maintainer, new_model, erin
):
    order = new_model(
        "Order",
        id=models.BigAutoField(primary_key=True),
        soups=models.IntegerField(),
        cakes=models.IntegerField(),
        total=models.GeneratedField(
            expression=models.F("soups") + models.F("cakes"),
            output_field=models.IntegerField(),
            db_persist=True,
        ),
        clean=not_too_much,
    )
    with versioning.on_branch("main", author=erin, message="Order"):
        for key in (1, 2):
            order.objects.create(pk=key, soups=1, cakes=1)
    repository.create_branch("summer", repository.head("main"))
    for branch, column in (("main", "soups"), ("summer", "cakes")):
        for key, count in ((1, 2), (2, 60)):
            with versioning.on_branch(branch, author=erin, message="Order more"):
                order.objects.filter(pk=key).update(**{column: count})
    words = seen.main(maintainer.get(URL))
    assert "failed when it was asked" not in words
    assert "broke a rule before" not in words
    assert words.count("Nobody eats so much.") == 1


def test_all_that_broke_a_rule_before_are_counted(
    repository, maintainer, erin, monkeypatch
):
    def clean(self):
        raise ValidationError("Say so in a word.")

    with versioning.on_branch("main", author=erin, message="Ask"):
        for _ in range(REPORTED + 2):
            Question.objects.create(text="What’s up?")
    repository.create_branch("summer", repository.head("main"))
    with versioning.on_branch("main", author=erin, message="Reword"):
        Question.objects.update(text="How many are there?")
    with versioning.on_branch("summer", author=erin, message="Explain"):
        Question.objects.update(details="Stars.")
    monkeypatch.setattr(Question, "clean", clean)
    page = maintainer.get(URL)
    words = seen.main(page)
    said = "broke a rule before, and still do. That is no reason not to merge."
    assert f"{REPORTED + 2} rows {said} The first are:" in words
    assert words.count("Say so in a word.") == REPORTED
    assert not is_disabled(page)


def test_a_rule_that_goes_by_what_has_no_branches_is_asked_again(
    repository, maintainer, question, erin, monkeypatch
):
    def clean(self):
        is_both = self.text.startswith("How many") and self.details
        if is_both and not Group.objects.exists():
            raise ValidationError("Nobody may answer this.")

    with versioning.on_branch("main", author=erin, message="Reword"):
        Question.objects.update(text="How many are there?")
    with versioning.on_branch("summer", author=erin, message="Explain"):
        Question.objects.update(details="Stars.")
    monkeypatch.setattr(Question, "clean", clean)
    said = "Nobody may answer this."
    assert said in seen.main(maintainer.get(URL))
    group = Group.objects.create(name="Stargazers")
    page = maintainer.get(URL)
    assert said not in seen.main(page)
    assert not is_disabled(page)
    group.delete()
    refused = land(maintainer, pins(repository))
    assert refused.status_code == 422
    assert "Question “How many are there?” to mend" in seen.main(refused)
    Group.objects.create(name="Stargazers")
    assert land(maintainer, pins(repository)).status_code == 303


# A value that must be there ---------------------------------------------------

LOOSE = "migrations.AlterField('question', 'details', models.TextField(null=True))"
STRICT = "migrations.AlterField('question', 'details', models.TextField(blank=True))"


@pytest.mark.parametrize("strict", ["main", "summer"])
def test_a_value_that_is_missing_is_typed_on_the_page(
    repository, maintainer, question, erin, code, strict
):
    """One side wants a value in every row; the other has taken one out."""
    loose = {"main": "summer", "summer": "main"}[strict]
    code.add("0002_loose", LOOSE)
    code.migrate("main")
    repository.delete_branch("summer")
    repository.create_branch("summer", repository.head("main"))
    code.add("0003_strict", STRICT)
    code.migrate(strict)
    code.remove("0003_strict")
    with versioning.on_branch(loose, author=erin, message="Say nothing"):
        Question.objects.update(details=None)
    code.add("0003_strict", STRICT)

    page = maintainer.get(URL)
    words = seen.main(page)
    assert "1 row of the result would break a rule" in words
    assert "Question “What’s up?” to mend" in words
    assert "Details is missing, and may not be." in words
    assert is_disabled(page)
    fields = form(
        repository,
        "polls_question",
        question.pk,
        take="",
        value__details="Look up.",
        was__details="",
    )
    assert land(maintainer, fields).status_code == 422
    assert mend(maintainer, fields).status_code == 303
    (decision,) = Decision.objects.all()
    assert (decision.column, decision.value) == ("details", "Look up.")
    assert not is_disabled(maintainer.get(URL))
    assert land(maintainer, fields).status_code == 303
    head = repository.head("main")
    rows = repository.rows("polls_question", [(question.pk,)], at=head)
    assert rows[question.pk,]["details"] == "Look up."

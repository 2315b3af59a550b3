"""What the merge page says that a branch will hold, with what was mended."""

import re

import pytest

import versioning
from polls.models import Choice, Question
from tests.web import seen
from tests.web.fields import press_merge
from tests.web.test_mending import URL, form, mend
from versioning.presentation import mends
from versioning.presentation.mends import mend_anchor
from versioning.values import key_text

ROWS = "/merge/rows/?source=summer&target=main&table="


@pytest.fixture
def prices(repository, erin):
    """A poll that summer deletes, and main gives another choice; its choices."""
    with versioning.on_branch("main", author=erin, message="Ask"):
        question = Question.objects.create(text="How much?")
        choices = [
            Choice.objects.create(question=question, text=text, votes=votes)
            for text, votes in (("One euro", 44), ("Two euros", 30), ("Three euros", 0))
        ]
    repository.create_branch("summer", repository.head("main"))
    with versioning.on_branch("summer", author=erin, message="Delete"):
        question.delete()
        Question.objects.create(pk=9000, text="Another?")
    with versioning.on_branch("main", author=erin, message="Add"):
        choices.append(
            Choice.objects.create(question_id=choices[0].question_id, text="Four euros")
        )
    return choices


def keep(client, repository, table, pk):
    answer = mend(client, form(repository, table, pk, take="ours"))
    assert answer.status_code == 303


def tables(page):
    """What the page says of each table's rows: added, changed, removed."""
    found = re.findall(
        r'diff-table__name">(\w+)</span>.*?<ul class="stat".*?>(.*?)</ul>',
        page.content.decode(),
        re.S,
    )
    return {name: re.findall(r"(\d+) (\w+)", stat) for name, stat in found}


def card(page, table, pk):
    """The words of a row's card; "" if it has none."""
    where = mend_anchor(table, key_text((pk,)))
    found = re.search(rf'<article id="{where}".*?</article>', page.text, re.S)
    return " ".join(re.sub(r"<[^>]*>", " ", found[0]).split()) if found else ""


def test_what_lands_is_what_the_page_says(repository, maintainer, prices):
    one, two, three, _ = prices
    before = tables(maintainer.get(URL))
    assert before == {"Choices": [("3", "removed")], "Questions": [
        ("1", "added"), ("1", "removed")]}  # fmt: skip
    keep(maintainer, repository, "polls_question", one.question_id)
    keep(maintainer, repository, "polls_choice", one.pk)
    page = maintainer.get(URL)
    words = seen.main(page)
    assert "With what is mended, no row of the result breaks a rule." in words
    assert "3 rows of main change, 2 of them are deleted." in words
    assert "Nothing to decide" not in words
    assert "merges by itself" not in words.lower()
    said = {"Choices": [("2", "removed")], "Questions": [("1", "added")]}
    assert tables(page) == said
    gone = (
        "It was deleted on summer along with Question “How much?”, "
        "and is not kept with that."
    )
    for choice in (two, three):
        assert gone in card(page, "polls_choice", choice.pk)
        assert "will not be there" in card(page, "polls_choice", choice.pk)
    assert "Four euros" not in words
    listed = seen.main(maintainer.get(f"{ROWS}polls_choice"))
    assert "with all that was decided and mended" in listed
    assert "Two euros" in listed
    assert "Three euros" in listed
    assert "One euro" not in listed
    assert "How much?" not in seen.main(maintainer.get(f"{ROWS}polls_question"))
    ours = repository.head("main")
    press_merge(maintainer, {"source": "summer", "target": "main"})
    message = repository.commit(repository.head("main")).message
    assert "2 rows mended by 1 person." in message
    landed = {
        stat.table: (stat.rows_added, stat.rows_changed, stat.rows_removed)
        for stat in repository.diff_stat(ours, repository.head("main"))
    }
    assert landed == {"polls_choice": (0, 0, 2), "polls_question": (1, 0, 0)}
    assert {c.text for c in Choice.objects.all()} == {"One euro", "Four euros"}


def test_what_went_along_can_be_kept_as_well(repository, maintainer, prices):
    one, two, three, _ = prices
    keep(maintainer, repository, "polls_question", one.question_id)
    for choice in (one, two, three):
        keep(maintainer, repository, "polls_choice", choice.pk)
    page = maintainer.get(URL)
    assert "will not be there" not in seen.main(page)
    assert tables(page) == {"Questions": [("1", "added")]}
    press_merge(maintainer, {"source": "summer", "target": "main"})
    assert Choice.objects.count() == 4


@pytest.mark.usefixtures("enough_choices")
def test_a_row_that_still_breaks_a_rule_keeps_its_card(repository, maintainer, prices):
    """One choice is too few for a poll: its others say so, and what they are."""
    one, two, _, _ = prices
    keep(maintainer, repository, "polls_question", one.question_id)
    page = maintainer.get(URL)
    words = seen.main(page)
    assert "of the result would break a rule" in words
    assert "with what is decided and mended above so far" in words
    rule = "A question needs at least 2 choices."
    assert rule in card(page, "polls_question", one.question_id)
    said = card(page, "polls_choice", two.pk)
    assert f"to mend What was done with it breaks a rule: {rule} It was deleted" in said
    assert tables(page)["Choices"] == [("3", "removed")]


def test_of_many_that_went_along_the_rest_are_counted(
    repository, maintainer, prices, erin, monkeypatch
):
    monkeypatch.setattr("versioning.merging.trial.GONE_SHOWN", 1)
    one, *_ = prices
    keep(maintainer, repository, "polls_question", one.question_id)
    keep(maintainer, repository, "polls_choice", one.pk)
    words = seen.main(maintainer.get(URL))
    assert words.count("along with Question “How much?”") == 1
    assert (
        "1 more row was deleted along with what is kept, and is not kept with it."
        in words
    )


def test_by_a_hidden_column_no_row_has_a_card(
    repository, maintainer, prices, monkeypatch
):
    def hidden(table, columns):
        return {"question_id"} & set(columns) if table == "polls_choice" else set()

    one, two, *_ = prices
    keep(maintainer, repository, "polls_question", one.question_id)
    keep(maintainer, repository, "polls_choice", one.pk)
    assert card(maintainer.get(URL), "polls_choice", two.pk)
    monkeypatch.setattr(mends, "hidden_among", hidden)
    assert not card(maintainer.get(URL), "polls_choice", two.pk)


def test_what_the_target_deleted_along_is_named_too(repository, maintainer, erin):
    with versioning.on_branch("main", author=erin, message="Ask"):
        question = Question.objects.create(text="How much?")
        key = question.pk
        for text in ("One euro", "Two euros"):
            Choice.objects.create(question=question, text=text)
    repository.create_branch("summer", repository.head("main"))
    with versioning.on_branch("summer", author=erin, message="Add"):
        for text in ("Three euros", "Four euros"):
            Choice.objects.create(question=question, text=text)
    with versioning.on_branch("main", author=erin, message="Delete"):
        Question.objects.all().delete()
    kept = form(repository, "polls_question", key, take="theirs")
    assert mend(maintainer, kept).status_code == 303
    page = maintainer.get(URL)
    words = seen.main(page)
    for text in ("One euro", "Two euros"):
        assert f"Choice “{text}” of “How much?”" in words
    assert words.count("It was deleted on main along with Question “How much?”") == 2
    assert "3 rows of main change." in words
    assert tables(page) == {
        "Choices": [("2", "added")],
        "Questions": [("1", "added")],
    }

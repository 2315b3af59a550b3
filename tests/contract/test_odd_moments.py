"""Dates and times that no Python value stands for: shown, and merged without loss."""

import datetime as dt

import pytest
from django.db import OperationalError, models

from polls.models import Question
from tests.contract.conftest import ERIN
from tests.engines import ENGINE
from versioning import diffs
from versioning.merging import bulk, drafts, preview
from versioning.merging.landing import land
from versioning.merging.resolution import Take
from versioning.unit_of_work import on_branch

COLUMNS = ("day", "at", "clock")
#: As the engine takes them, and gives them back.
ODD = {
    "doltlite": ("soon", "2026-01-01 at noon", ""),
    "dolt": ("0000-00-00", "0000-00-00 00:00:00", "-25:00:00"),
}[ENGINE]
EARLY = (dt.date(1, 1, 2), dt.datetime(999, 12, 31, 23, 59, 59, tzinfo=dt.UTC), None)


@pytest.fixture
def dated(new_model, write, repository):
    """Row 1 has odd moments, row 2 early ones, row 3 none; both sides word them."""
    model = new_model(
        "Dated",
        id=models.IntegerField(primary_key=True),
        text=models.CharField(max_length=30),
        day=models.DateField(null=True),
        at=models.DateTimeField(null=True),
        clock=models.TimeField(null=True),
    )
    early = dict(zip(COLUMNS, EARLY, strict=True))
    write(
        "main",
        ("INSERT INTO polls_dated VALUES (1, 'base', %s, %s, %s)", list(ODD)),
        lambda: model.objects.create(pk=2, text="base", **early),
        lambda: model.objects.create(pk=3, text="base"),
    )
    repository.create_branch("summer", repository.head("main"))
    write("summer", "UPDATE polls_dated SET text = 'theirs'")
    return model


def held(repository, branch):
    rows = repository.rows("polls_dated", [(1,), (2,)], at=repository.head(branch))
    return {key: [row[column] for column in COLUMNS] for (key,), row in rows.items()}


@pytest.mark.parametrize(
    "change",
    ["UPDATE polls_dated SET text = 'ours'", "DELETE FROM polls_dated WHERE id < 3"],
)
def test_a_merge_loses_nothing(dated, repository, write, max_, change):
    before = held(repository, "main")
    assert before[1] == list(ODD)
    write("main", change)
    sides = preview.sides_of(
        repository, repository.head("main"), repository.head("summer")
    )
    assert sides is not None
    draft = drafts.begin("summer", "main", sides, max_)
    assert bulk.decide_rest(draft, sides, Take.THEIRS, max_) >= 2
    land("summer", "main", sides, draft, max_)
    assert held(repository, "main") == before


def test_a_model_has_nothing_there(dated, connection):
    with connection.bound("main"):
        found = list(dated.objects.order_by("pk").values_list(*COLUMNS))
    assert found == [(None, None, None), EARLY, (None, None, None)]


def test_each_is_shown_as_it_is(dated, repository, write):
    before = repository.head("main")
    write("main", "UPDATE polls_dated SET day = NULL, at = NULL, clock = NULL")
    overview = diffs.overview(repository, before, repository.head("main"))
    one, two = diffs.rows_page(repository, overview, "polls_dated").rows
    shown = {
        cell.column: (cell.before.text, cell.after.text)
        for cell in one.shown
        if cell.before and cell.after
    }
    assert shown.keys() == set(COLUMNS)
    assert [shown[column] for column in COLUMNS[:2]] == [
        (ODD[0], "no value"),
        (ODD[1], "no value"),
    ]
    assert [cell.before.text for cell in two.shown if cell.before] == [
        "2 January 0001",
        "31 December 0999, 23:59:59",
    ]


def test_distinct_values_in_the_order_of_something_worked_out(repository):
    with on_branch("main", author=ERIN, message="Ask"):
        for month in (3, 1):
            published = dt.datetime(2026, month, 5, 10, 30, tzinfo=dt.UTC)
            Question.objects.create(text="Which?", published=published)
    months = Question.objects.datetimes("published", "month")
    if repository.features.engine == "Dolt":  # so is no admin's date_hierarchy shown
        with pytest.raises(OperationalError, match="unable to sort"):
            list(months)
    else:
        assert [month.month for month in months] == [1, 3]

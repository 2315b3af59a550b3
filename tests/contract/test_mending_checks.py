"""Merges that break a check, or leave a value out where there must be one."""

import pytest
from django.contrib.auth import get_user_model

from polls.models import Choice, Question
from versioning.backends.repository import ViolationKind
from versioning.merging import candidate, deciding, drafts, mending, preview, trial
from versioning.merging.candidate import ViolationsRemain
from versioning.merging.landing import land
from versioning.merging.resolution import WHOLE_ROW, Take
from versioning.merging.resolution import Choice as Decided

SPANS = (
    "CREATE TABLE {} (id INTEGER PRIMARY KEY, low INTEGER, high INTEGER, "
    "word VARCHAR(20){}, CONSTRAINT low_below_high CHECK (low < high))"
)


def require_word(connection):
    """A word is to be in every row from now on."""
    if connection.vendor == "mysql":
        return ["ALTER TABLE spans MODIFY word VARCHAR(20) NOT NULL"]
    return [  # SQLite's way
        SPANS.format("anew", " NOT NULL"),
        "INSERT INTO anew SELECT * FROM spans",
        "DROP TABLE spans",
        "ALTER TABLE anew RENAME TO spans",
    ]


class Merge:
    """The merge of summer into main, as somebody works on it."""

    def __init__(self, repository, user):
        self.repository, self.user = repository, user
        sides = preview.sides_of(
            repository, repository.head("main"), repository.head("summer")
        )
        assert sides is not None
        self.sides = sides
        self.draft = drafts.begin("summer", "main", sides, user)

    def faults(self):
        found = trial.try_out("main", self.sides, self.draft)
        assert found.is_fine is not bool(found.faults)
        return {fault.versions.key[0]: fault for fault in found.faults}

    def mend(self, key, **values):
        row = mending.row_of(self.sides, "spans", (key,))
        assert row is not None
        choices = {
            WHOLE_ROW if name == "whole" else name: value
            if isinstance(value, Decided)
            else Decided(Take.VALUE, value)
            for name, value in values.items()
        }
        mending.mend(self.draft, self.sides, row, choices, self.user)

    def refused(self):
        head = self.repository.head("main")
        with pytest.raises(ViolationsRemain):
            self.land()
        assert self.repository.head("main") == head
        return True

    def land(self):
        return land("summer", "main", self.sides, self.draft, self.user)


@pytest.fixture
def spans(repository, write, db):
    """Rows on main and, as they are there, on summer."""
    write(
        "main",
        SPANS.format("spans", ""),
        "INSERT INTO spans VALUES (1, 1, 10, 'one'), (2, 1, 10, 'two')",
    )
    repository.create_branch("summer", repository.head("main"))


@pytest.fixture
def merge(repository, spans):
    user = get_user_model().objects.create_user("max", email="max@example.org")
    return lambda: Merge(repository, user)


@pytest.fixture
def on_main(rows):
    return lambda: rows("main", "SELECT id, low, high, word FROM spans ORDER BY id")


# Checks -----------------------------------------------------------------------


@pytest.fixture
def crossed(write, spans):
    """Each side is right; what the merge puts together is not."""
    write("main", "UPDATE spans SET low = 8 WHERE id = 1")
    write("summer", "UPDATE spans SET high = 5 WHERE id = 1")


def test_a_check_that_no_side_breaks_is_named_with_its_columns(merge, crossed):
    work = merge()
    assert list(work.faults()) == [1]
    (violation,) = work.faults()[1].violations
    assert violation.kind is ViolationKind.CHECK
    assert (violation.columns, violation.rule) == (("low", "high"), "low_below_high")
    assert work.faults()[1].result == {"id": 1, "low": 8, "high": 5, "word": "one"}
    assert work.refused()


@pytest.mark.parametrize(
    ("mend", "there"),
    [
        ({"high": 9}, [(1, 8, 9, "one"), (2, 1, 10, "two")]),
        ({"whole": Decided(Take.OURS)}, [(1, 8, 10, "one"), (2, 1, 10, "two")]),
        ({"whole": Decided(Take.THEIRS)}, [(1, 1, 5, "one"), (2, 1, 10, "two")]),
        ({"whole": Decided(Take.DROP)}, [(2, 1, 10, "two")]),
    ],
)
def test_it_is_mended(merge, crossed, on_main, mend, there):
    work = merge()
    work.mend(1, **mend)
    assert work.faults() == {}
    work.land()
    assert on_main() == there


def test_a_mend_that_breaks_the_check_again_is_named(merge, crossed, on_main):
    work = merge()
    work.mend(1, high=3)
    fault = work.faults()[1]
    assert [v.rule for v in fault.violations] == ["low_below_high"]
    assert fault.result == {"id": 1, "low": 8, "high": 3, "word": "one"}
    assert work.refused()
    work.mend(1, high=30)
    work.land()
    assert on_main()[0] == (1, 8, 30, "one")


def test_a_decision_that_breaks_a_check_names_its_row(merge, write, on_main):
    write("main", "UPDATE spans SET high = 20 WHERE id = 1")
    write("summer", "UPDATE spans SET high = 30 WHERE id = 1")
    work = merge()
    (row,) = preview.conflicts_of("main", work.sides, "spans", [(1,)])
    deciding.decide(work.draft, row, {"high": Decided(Take.VALUE, 0)}, work.user)
    assert [v.columns for v in work.faults()[1].violations] == [("low", "high")]
    assert work.refused()
    work.mend(1, high=40)
    work.land()
    assert on_main()[0] == (1, 1, 40, "one")


# Values that must be there ----------------------------------------------------


@pytest.fixture(params=["main", "summer"])
def wordless(request, write, spans, connection):
    """One side wants a word in every row; the other takes one word out."""
    other = {"main": "summer", "summer": "main"}[request.param]
    write(request.param, *require_word(connection))
    write(other, "UPDATE spans SET word = NULL WHERE id = 1")
    return other


def test_a_value_that_is_missing_is_named(merge, wordless):
    work = merge()
    assert list(work.faults()) == [1]
    (violation,) = work.faults()[1].violations
    assert (violation.kind, violation.columns) == (ViolationKind.NOT_NULL, ("word",))
    assert work.faults()[1].result == {"id": 1, "low": 1, "high": 10, "word": None}
    assert work.refused()


def test_it_is_filled_in(merge, wordless, on_main):
    work = merge()
    work.mend(1, word="filled")
    assert work.faults() == {}
    work.land()
    assert on_main() == [(1, 1, 10, "filled"), (2, 1, 10, "two")]


def test_another_value_of_the_row_does_not_mend_it(merge, wordless):
    work = merge()
    work.mend(1, high=11)
    assert work.faults()[1].result["high"] == 11
    assert work.refused()


def test_the_row_of_the_side_that_has_it_is_kept(merge, wordless, on_main):
    work = merge()
    has = Take.THEIRS if wordless == "main" else Take.OURS
    work.mend(1, whole=Decided(has))
    assert work.faults() == {}
    work.land()
    assert on_main()[0] == (1, 1, 10, "one")


def test_the_row_is_left_out(merge, wordless, on_main):
    work = merge()
    work.mend(1, whole=Decided(Take.DROP))
    work.land()
    assert on_main() == [(2, 1, 10, "two")]


def test_a_new_row_without_it_is_named_and_filled_in(merge, write, on_main, connection):
    write("main", *require_word(connection))
    write("summer", "INSERT INTO spans VALUES (3, 3, 4, NULL)")
    work = merge()
    assert list(work.faults()) == [3]
    assert work.refused()
    work.mend(3, word="three")
    work.land()
    assert on_main()[2] == (3, 3, 4, "three")


# The finished candidate -------------------------------------------------------


def test_what_the_engine_does_not_list_is_found_by_queries(
    repository, connection, merge, crossed, monkeypatch
):
    """The engines commit such a row once their list was emptied."""
    none = candidate.result.Faults([], [])
    monkeypatch.setattr(candidate.result, "faults", lambda *_: none)
    work = merge()
    assert work.refused()


def test_committed_rows_that_break_a_rule_are_found(
    repository, connection, spans, write, on_main
):
    def broken():
        with connection.bound("main"):
            found = repository.broken_constraints()
        return {(v.kind, v.key, v.columns) for v in found}

    def merge_and_look_away():
        repository.start_merge(repository.head("summer"))
        repository.settle_violations("spans")

    assert broken() == set()
    write("main", *require_word(connection))
    write("main", "UPDATE spans SET low = 8 WHERE id = 1")
    write("summer", "UPDATE spans SET high = 5 WHERE id = 1")
    write("summer", "UPDATE spans SET word = NULL WHERE id = 2")
    write("main", merge_and_look_away)
    wordless = {
        (ViolationKind.NOT_NULL, (key,), ("word",))
        for key, *_, word in on_main()
        if word is None  # Dolt keeps the row as it was instead
    }
    assert broken() == {(ViolationKind.CHECK, (1,), ("low", "high"))} | wordless
    assert len(wordless) == (connection.vendor == "sqlite")


# Counters ---------------------------------------------------------------------


def test_a_sum_that_may_not_be_is_named(repository, poll, merge, rows, write):
    """Both take votes away, more of them than there are."""
    pk = Choice.objects.get(text="The sky").pk
    repository.delete_branch("summer")
    repository.create_branch("summer", repository.head("main"))
    for branch, votes in (("main", 2), ("summer", 1)):
        write(branch, lambda n=votes: Choice.objects.filter(pk=pk).update(votes=n))
    work = merge()
    (fault,) = work.faults().values()
    assert (fault.versions.key, fault.result["votes"]) == ((pk,), -2)
    assert [v.columns for v in fault.violations] == [("votes",)]
    assert work.refused()
    row = mending.row_of(work.sides, "polls_choice", (pk,))
    assert row is not None
    choice = {"votes": Decided(Take.VALUE, 0)}
    mending.mend(work.draft, work.sides, row, choice, work.user)
    assert work.faults() == {}
    work.land()
    assert Choice.objects.get(pk=pk).votes == 0
    assert Question.objects.count() == 1


# A table that points to itself ------------------------------------------------


@pytest.fixture
def tree(repository, write, db):
    """Summer hangs a row on one that main deletes, with what hung on it before."""
    write(
        "main",
        "CREATE TABLE spans (id INTEGER PRIMARY KEY, up INTEGER, "
        "FOREIGN KEY (up) REFERENCES spans (id))",
        "INSERT INTO spans VALUES (1, NULL), (2, 1)",
    )
    repository.create_branch("summer", repository.head("main"))
    write("main", "DELETE FROM spans WHERE id = 2")
    write("summer", "INSERT INTO spans VALUES (3, 2)")
    write("summer", "INSERT INTO spans VALUES (4, 3)")
    user = get_user_model().objects.create_user("max", email="max@example.org")
    return Merge(repository, user)


@pytest.mark.parametrize(
    ("mends", "there"),
    [
        ({2: Decided(Take.THEIRS)}, [(1, None), (2, 1), (3, 2), (4, 3)]),
        ({3: 1}, [(1, None), (3, 1), (4, 3)]),
        ({3: Decided(Take.DROP), 4: 1}, [(1, None), (4, 1)]),
        ({3: Decided(Take.DROP), 4: Decided(Take.DROP)}, [(1, None)]),
    ],
)
def test_rows_that_point_to_rows_of_their_table_are_mended(tree, rows, mends, there):
    assert set(tree.faults()) == {2, 3}
    for key, mend in mends.items():
        named = {"whole": mend} if isinstance(mend, Decided) else {"up": mend}
        tree.mend(key, **named)
    assert tree.faults() == {}
    tree.land()
    assert rows("main", "SELECT id, up FROM spans ORDER BY id") == there


def test_a_row_that_is_dropped_leaves_those_behind_that_point_to_it(tree):
    tree.mend(3, whole=Decided(Take.DROP))
    faults = tree.faults()
    assert set(faults) == {3, 4}
    assert [v.key for v in faults[3].missed_by] == [(4,)]
    assert tree.refused()

"""What a row becomes when two sides changed it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from versioning.backends.repository import ConflictRow
from versioning.merging.resolution import (
    WHOLE_ROW,
    CellState,
    Choice,
    RowState,
    Take,
    asked,
    resolve,
)

VOTES = frozenset({"votes"})


def conflict(base, ours, theirs) -> ConflictRow:
    return ConflictRow("polls_choice", (1,), base, ours, theirs)


def cell(resolution, column):
    return next(cell for cell in resolution.cells if cell.column == column)


def test_a_cell_that_one_side_changed_is_taken_as_it_is():
    resolution = resolve(
        conflict(
            {"id": 1, "text": "Sky", "note": "a"},
            {"id": 1, "text": "The sky", "note": "a"},
            {"id": 1, "text": "Sky", "note": "b"},
        ),
        {},
    )
    assert resolution.settled
    assert resolution.result == {"id": 1, "text": "The sky", "note": "b"}


def test_a_cell_that_both_changed_differently_waits_for_a_decision():
    row = conflict({"text": "Sky"}, {"text": "The sky"}, {"text": "Skies"})
    resolution = resolve(row, {})
    assert cell(resolution, "text").state is CellState.DISPUTED
    assert resolution.pending == 1
    with pytest.raises(ValueError, match="1 decisions are missing"):
        _ = resolution.result


@pytest.mark.parametrize(
    ("choice", "text"),
    [
        (Choice(Take.OURS), "The sky"),
        (Choice(Take.THEIRS), "Skies"),
        (Choice(Take.BASE), "Sky"),
        (Choice(Take.VALUE, "Heaven"), "Heaven"),
        (Choice(Take.VALUE, None), None),
    ],
)
def test_each_decision_gives_its_value(choice, text):
    row = conflict({"text": "Sky"}, {"text": "The sky"}, {"text": "Skies"})
    assert resolve(row, {"text": choice}).result == {"text": text}


def test_null_and_empty_text_are_two_values():
    row = conflict({"text": "Sky"}, {"text": None}, {"text": ""})
    assert resolve(row, {}).pending == 1


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "total"),
    [(5, 6, 7, 8), (5, 6, 6, 7), (5, 3, 9, 7), (5, 0, 6, 1), (0, 2, 3, 5)],
)
def test_a_counter_that_both_changed_adds_up(base, ours, theirs, total):
    row = conflict({"votes": base}, {"votes": ours}, {"votes": theirs})
    resolution = resolve(row, {}, VOTES)
    assert cell(resolution, "votes").state is CellState.COUNTED
    assert resolution.result == {"votes": total}


def test_a_counter_that_one_side_changed_is_taken_as_it_is():
    row = conflict({"votes": 5}, {"votes": 5}, {"votes": 9})
    assert resolve(row, {}, VOTES).result == {"votes": 9}


def test_a_person_may_decide_otherwise_than_the_sum():
    row = conflict({"votes": 5}, {"votes": 6}, {"votes": 7})
    choices = {"votes": Choice(Take.OURS)}
    assert resolve(row, choices, VOTES).result == {"votes": 6}


def test_a_counter_without_a_number_is_not_guessed():
    row = conflict({"votes": 5}, {"votes": None}, {"votes": 7})
    assert resolve(row, {}, VOTES).pending == 1


def test_rows_added_on_both_sides_count_from_nought():
    row = conflict(None, {"id": 1, "votes": 2}, {"id": 1, "votes": 3})
    resolution = resolve(row, {}, VOTES)
    assert resolution.state is RowState.ADDED_BOTH
    assert resolution.result == {"id": 1, "votes": 5}


@pytest.mark.parametrize(
    ("ours", "theirs", "state", "keeps", "drops"),
    [
        ({"text": "x"}, None, RowState.DELETED_THERE, Take.OURS, Take.THEIRS),
        (None, {"text": "x"}, RowState.DELETED_HERE, Take.THEIRS, Take.OURS),
    ],
)
def test_a_row_that_one_side_deleted_is_one_question(ours, theirs, state, keeps, drops):
    row = conflict({"text": "a"}, ours, theirs)
    resolution = resolve(row, {})
    assert (resolution.state, resolution.pending) == (state, 1)
    assert resolve(row, {WHOLE_ROW: Choice(keeps)}).result == {"text": "x"}
    assert resolve(row, {WHOLE_ROW: Choice(drops)}).result is None


def test_a_row_kept_has_its_unchanged_cells_too():
    row = conflict({"id": 1, "text": "a"}, None, {"id": 1, "text": "b"})
    kept = resolve(row, {WHOLE_ROW: Choice(Take.THEIRS)}).result
    assert kept == {"id": 1, "text": "b"}


def test_a_column_that_only_one_side_has_is_taken_from_it():
    row = conflict({"a": 1}, {"a": 2}, {"a": 3, "new": "x"})
    assert resolve(row, {"a": Choice(Take.OURS)}).result == {"a": 2, "new": "x"}


ROWS = st.none() | st.dictionaries(
    st.sampled_from(["id", "text", "votes", "more"]),
    st.sampled_from([None, 0, 1, 5, "", "a", 1.5]),
)


@given(ROWS, ROWS, ROWS, st.booleans(), st.none() | st.integers(0, 3))
def test_what_is_asked_is_counted_as_it_is_resolved(base, ours, theirs, sure, common):
    if ours is None and theirs is None:
        return
    row = ConflictRow(
        "polls_choice",
        (1,),
        base,
        ours,
        theirs,
        common={} if common is None else {"votes": common},
        doubtful=frozenset() if sure else VOTES,
    )
    judged = resolve(row, {}, VOTES)
    counted = sum(cell.state is CellState.COUNTED for cell in judged.cells)
    assert asked(row, VOTES) == (judged.required, counted)

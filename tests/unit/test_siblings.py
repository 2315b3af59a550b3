"""
What a row was at each commit, told from the steps that an engine gives.

The history is ``top`` = merge of ``left`` and ``right``, both made of ``fork``,
which is made of ``root``; the engine compared ``right`` with ``fork``.
"""

from datetime import UTC, datetime

from versioning.backends.repository import ChangeKind, Row, RowChange
from versioning.backends.sql.siblings import LeftOut, Step, left_out

COMMITS = [
    ("top", ("left", "right"), 50.0),
    ("right", ("fork",), 40.0),
    ("left", ("fork",), 30.0),
    ("fork", ("root",), 20.0),
    ("root", (), 10.0),
]
COMPARED = {"top": "", "right": "top", "fork": "right", "root": "fork", "left": "top"}
DATES = {hash: datetime.fromtimestamp(date, UTC) for hash, _, date in COMMITS}
ONE, TWO, THREE = ({"id": 1, "votes": votes} for votes in (1, 2, 3))


def step(commit: str, parent: str, before: Row | None, after: Row | None) -> Step:
    kind = ChangeKind.CHANGED
    if before is None:
        kind = ChangeKind.ADDED
    elif after is None:
        kind = ChangeKind.REMOVED
    return Step(commit, parent, DATES[commit], RowChange(kind, (1,), before, after))


class Asked:
    """What was looked up, of a row that is ``held``; no other can be told."""

    def __init__(self, **held: Row | None):
        self.held = held
        self.hashes: list[str] = []

    def __call__(self, hash: str) -> Row | None:
        self.hashes.append(hash)
        return self.held[hash]


def find(
    row: Row | None,
    *steps: Step,
    asked: Asked | None = None,
    since: float | None = None,
    compared: dict[str, str] = COMPARED,
) -> LeftOut:
    look_up = asked or Asked()
    found = left_out(COMMITS, compared, (1,), row, steps, since=since, look_up=look_up)
    if asked is None:
        assert look_up.hashes == []
    return found


def test_a_fork_that_leaves_the_row_alone_has_nothing():
    found = find(ONE)
    assert (found.steps, found.may_hide) == ((), False)
    assert found.held == dict.fromkeys(DATES, ONE)


def test_what_the_sibling_did_follows_from_what_the_merge_has_of_it():
    found = find(
        THREE,
        step("top", "left", TWO, THREE),
        step("top", "right", ONE, THREE),
        step("right", "fork", THREE, ONE),
    )
    assert found.steps == (step("left", "fork", THREE, TWO),)


def test_both_siblings_did_the_same():
    found = find(TWO, step("right", "fork", ONE, TWO))
    assert found.steps == (step("left", "fork", ONE, TWO),)


def test_what_one_did_where_the_one_compared_did_nothing():
    found = find(TWO, step("top", "right", ONE, TWO))
    assert found.steps == (step("left", "fork", ONE, TWO),)
    assert found.held == {
        "top": TWO, "left": TWO, "right": ONE, "fork": ONE, "root": ONE
    }  # fmt: skip


def test_a_row_that_came_on_one_side():
    found = find(ONE, step("top", "right", None, ONE))
    assert found.steps == (step("left", "fork", None, ONE),)


def test_a_row_that_went_on_one_side():
    found = find(None, step("top", "right", ONE, None))
    assert found.steps == (step("left", "fork", ONE, None),)


def test_a_fork_below_the_row_may_hide_that_it_was_there_before():
    found = find(ONE, step("top", "left", None, ONE), step("top", "right", None, ONE))
    assert (found.steps, found.may_hide) == ((), True)


def test_what_is_older_than_asked_for_is_not_told():
    steps = [step("top", "right", ONE, TWO)]
    assert find(TWO, *steps, since=35.0).steps == ()
    assert find(TWO, *steps, since=25.0).steps == (step("left", "fork", ONE, TWO),)


def test_what_may_have_steps_that_were_not_asked_for_is_looked_up():
    """Of those made at the time itself there may be more than were given."""
    compared = COMPARED | {"fork": "left"}
    asked = Asked(fork=TWO)
    found = find(ONE, since=30.0, compared=compared, asked=asked)
    assert asked.hashes == ["fork"]
    assert found.steps == (step("right", "fork", TWO, ONE),)


def test_where_the_engine_did_not_go_the_row_is_looked_up():
    """It came to a table with another key at ``fork``, and went no further."""
    asked = Asked(left=ONE, fork=THREE)
    cut = {"top": "", "right": "top"}
    found = find(TWO, step("top", "right", THREE, TWO), compared=cut, asked=asked)
    assert found.steps == (
        step("top", "left", ONE, TWO),
        step("left", "fork", THREE, ONE),
    )


def test_what_cannot_be_looked_up_is_left_out():
    asked = Asked(left=ONE)
    cut = {"top": "", "right": "top"}
    found = find(TWO, compared=cut, asked=asked)
    assert found.steps == (step("top", "left", ONE, TWO),)

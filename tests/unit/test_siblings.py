"""
What a row was at each commit, told from the steps that an engine gives.

The history is ``top`` = merge of ``left`` and ``right``, both made of ``fork``,
which is made of ``root``; the engine compared one of the two with ``fork``.
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
    """What was looked up, of a row that is ``held``."""

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
) -> LeftOut:
    look_up = asked or Asked()
    return left_out(COMMITS, (1,), row, steps, since=since, look_up=look_up)


def test_a_fork_that_leaves_the_row_alone_has_nothing_and_asks_nothing():
    assert find(ONE) == LeftOut((), may_hide=False)


def test_the_step_of_the_sibling_follows_from_the_one_that_is_there():
    found = find(
        THREE,
        step("top", "left", TWO, THREE),
        step("top", "right", ONE, THREE),
        step("left", "fork", THREE, TWO),
    )
    assert found.steps == (step("right", "fork", THREE, ONE),)


def test_both_siblings_did_the_same_and_one_is_there():
    found = find(TWO, step("right", "fork", ONE, TWO))
    assert found.steps == (step("left", "fork", ONE, TWO),)


def test_where_the_sides_differ_the_fork_itself_is_looked_up():
    asked = Asked(fork=dict(ONE))
    found = find(TWO, step("top", "left", ONE, TWO), asked=asked)
    assert asked.hashes == ["fork"]
    assert found.steps == (step("right", "fork", ONE, TWO),)


def test_what_cannot_be_looked_up_is_left_out():
    def refuse(hash: str) -> Row | None:
        raise LookupError(hash)

    told = [step("top", "left", ONE, TWO)]
    found = left_out(COMMITS, (1,), TWO, told, since=None, look_up=refuse)
    assert found.steps == ()


def test_a_row_that_came_on_one_side():
    asked = Asked(fork=None)
    found = find(ONE, step("top", "left", None, ONE), asked=asked)
    assert found.steps == (step("right", "fork", None, ONE),)


def test_a_row_that_went_on_one_side():
    asked = Asked(fork=ONE)
    found = find(None, step("top", "left", ONE, None), asked=asked)
    assert found.steps == (step("right", "fork", ONE, None),)


def test_a_fork_below_the_row_may_hide_that_it_was_there_before():
    hidden = find(ONE, step("top", "left", None, ONE), step("top", "right", None, ONE))
    assert hidden == LeftOut((), may_hide=True)


def test_what_is_older_than_asked_for_is_not_told():
    steps = [step("top", "left", ONE, TWO)]
    asked = Asked(fork=ONE)
    found = find(TWO, *steps, since=45.0, asked=asked)
    assert (found, asked.hashes) == (LeftOut((), may_hide=False), [])
    found = find(TWO, *steps, since=35.0, asked=asked)
    assert found.steps == (step("right", "fork", ONE, TWO),)
    assert asked.hashes == ["fork"]

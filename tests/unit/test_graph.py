from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from versioning import graph
from versioning.backends.repository import Author, Commit

SOMEBODY = Author("Erin", "erin@example.org")
A_DAY = datetime(2026, 11, 24, tzinfo=UTC)


def commit(hash: str, *parents: str) -> Commit:
    return Commit(hash, SOMEBODY, A_DAY, f"Commit {hash}", parents)


def lanes_of(drawn: graph.Graph) -> list[int]:
    return [row.lane for row in drawn.rows]


def test_a_straight_line_takes_one_lane() -> None:
    drawn = graph.draw(
        [commit("c", "b"), commit("b", "a"), commit("a")], ("c",), fresh=True
    )
    assert lanes_of(drawn) == [0, 0, 0]
    assert [row.entered for row in drawn.rows] == [False, True, True]
    assert [row.parents for row in drawn.rows] == [(0,), (0,), ()]
    assert drawn.lanes == ()
    assert drawn.width == 1


def test_a_merge_opens_a_lane_that_joins_its_line_again() -> None:
    #  d      0
    #  |\
    #  b |    0
    #  | c    1
    #  |/
    #  a      0
    drawn = graph.draw(
        [commit("d", "b", "c"), commit("b", "a"), commit("c", "a"), commit("a")],
        ("d",),
        fresh=True,
    )
    assert lanes_of(drawn) == [0, 0, 1, 0]
    assert drawn.rows[0].parents == (0, 1)
    assert drawn.rows[0].is_merge
    assert drawn.rows[1].passing == (1,)
    assert drawn.rows[2].parents == (1,)
    assert drawn.rows[2].passing == (0,)
    assert (drawn.rows[3].joining, drawn.rows[3].passing) == ((1,), ())
    assert drawn.width == 2


def test_lines_meet_at_the_commit_where_they_parted() -> None:
    # Others are listed in between.
    commits = [
        commit("m", "x", "y"),
        commit("y", "p"),
        commit("x", "q", "p"),
        commit("q", "p"),
        commit("p", "a"),
        commit("a"),
    ]
    drawn = graph.draw(commits, ("m",), fresh=True)
    assert lanes_of(drawn) == [0, 1, 0, 0, 0, 0]
    assert [row.joining for row in drawn.rows] == [(), (), (), (), (1, 2), ()]
    assert drawn.rows[3].below == ("p", "p", "p")


def test_a_page_that_ends_before_lines_meet_goes_on_from_all_of_them() -> None:
    commits = [
        commit("m", "x", "y"),
        commit("y", "p"),
        commit("x", "p"),
        commit("p"),
    ]
    first = graph.draw(commits[:3], ("m",), fresh=True)
    assert (first.lanes, first.frontier) == (("p", "p"), ("p",))
    (last,) = graph.draw(commits[3:], first.lanes).rows
    assert (last.lane, last.joining, last.entered) == (0, (1,), True)


def test_a_drawing_does_not_grow_with_branches_of_one_commit() -> None:
    branches = [f"b{number}" for number in range(40)]
    commits = [
        *(commit(name, "p") for name in branches),
        commit("p"),
    ]
    drawn = graph.draw(commits, tuple(branches[:1]), fresh=True)
    assert drawn.width == graph.WIDEST + 1
    assert drawn.rows[-1].joining == tuple(range(1, graph.WIDEST))


def test_a_line_keeps_its_lane_across_a_page() -> None:
    commits = [
        commit("e", "d", "c"),
        commit("d", "b"),
        commit("c", "b"),
        commit("b", "a"),
        commit("a"),
    ]
    whole = graph.draw(commits, ("e",), fresh=True)
    first = graph.draw(commits[:2], ("e",), fresh=True)
    assert first.lanes == ("b", "c")
    assert first.frontier == ("b", "c")
    second = graph.draw(commits[2:], first.lanes)
    assert first.rows + second.rows == whole.rows


def test_a_gap_stays_a_gap_across_a_page() -> None:
    # The middle of three lanes ends first; the right one must not move.
    commits = [
        commit("m", "x", "y"),
        commit("x", "p", "z"),
        commit("y"),
        commit("z", "p"),
        commit("p"),
    ]
    first = graph.draw(commits[:3], ("m",), fresh=True)
    assert first.lanes == ("p", None, "z")
    assert first.frontier == ("p", "z")
    second = graph.draw(commits[3:], first.lanes)
    assert lanes_of(second) == [2, 0]


def test_the_first_line_stays_at_the_left() -> None:
    # The branch is listed down to where it began before the main line is.
    commits = [
        commit("m", "x", "y"),
        commit("y", "p"),
        commit("x", "p"),
        commit("p", "a"),
        commit("a"),
    ]
    drawn = graph.draw(commits, ("m",), fresh=True)
    assert lanes_of(drawn) == [0, 1, 0, 0, 0]
    assert drawn.rows[2].passing == (1,)
    assert drawn.rows[2].parents == (0,)
    assert drawn.rows[3].joining == (1,)


def test_two_starts_have_a_lane_each_and_no_line_from_above() -> None:
    drawn = graph.draw(
        [commit("x", "a"), commit("y", "a"), commit("a")], ("x", "y"), fresh=True
    )
    assert lanes_of(drawn) == [0, 1, 0]
    assert [row.entered for row in drawn.rows] == [False, False, True]


@st.composite
def histories(draw: st.DrawFn) -> list[Commit]:
    """Commits, children before parents, all reachable from the first."""
    size = draw(st.integers(1, 25))
    commits = []
    for number in range(size):
        older = st.integers(number + 1, size - 1)
        parents = (
            draw(st.lists(older, min_size=1, max_size=2, unique=True))
            if number < size - 1
            else []
        )
        if number < size - 1 and number + 1 not in parents:
            parents = [number + 1, *parents[:1]]
        commits.append(commit(str(number), *map(str, parents)))
    return commits


@given(histories(), st.data())
def test_every_line_is_drawn_without_a_break(
    commits: list[Commit], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(commits)))
    first = graph.draw(commits[:cut], ("0",), fresh=True)
    second = graph.draw(commits[cut:], first.lanes, fresh=cut == 0)
    rows = first.rows + second.rows
    assert rows == graph.draw(commits, ("0",), fresh=True).rows
    assert second.lanes == ()

    lane_of = {row.hash: row.lane for row in rows}
    position = {row.hash: number for number, row in enumerate(rows)}
    for row, made in zip(rows, commits, strict=True):
        assert row.lane not in row.passing
        assert len(row.parents) == len(made.parents)
        for start, parent in zip(row.parents, made.parents, strict=True):
            lane = start
            for other in rows[position[row.hash] + 1 : position[parent]]:
                assert lane in other.passing
            assert lane in (lane_of[parent], *rows[position[parent]].joining)

    listed = {made.hash for made in commits[:cut]}
    waited_for = {parent for made in commits[:cut] for parent in made.parents}
    assert set(first.frontier) == (waited_for - listed if cut else {"0"})

"""Columns that are called as the engines call their own, in lists of both."""

import pytest

from tests.contract.test_mending import Merge
from tests.engines import ENGINE
from versioning.backends.errors import MergeRefused
from versioning.backends.repository import ChangeKind
from versioning.merging import deciding, preview
from versioning.merging.resolution import Take

TABLE = "things"
NAMES = ["commit", "Commit_Date", "diff_type", "to_commit", "our_diff_type"]


def quoted(name):
    return f"`{name}`" if ENGINE == "dolt" else f'"{name}"'


@pytest.fixture(params=NAMES)
def column(request, repository, write):
    """Changed on both branches in row 1; summer adds a row and deletes another."""
    name = quoted(request.param)
    write(
        "main",
        f"CREATE TABLE things (id int PRIMARY KEY, {name} varchar(20), "
        f"commit_1 int, {quoted('diff_type_1')} int)",
        "INSERT INTO things VALUES (1, 'before', 1, 1), (2, 'gone', 2, 2)",
    )
    repository.create_branch("summer", repository.head("main"))
    update = "UPDATE things SET NAME = 'here' WHERE id = 1".replace("NAME", name)
    write("main", update)
    write(
        "summer",
        update.replace("here", "there"),
        "INSERT INTO things VALUES (3, 'new', 3, 3)",
        "DELETE FROM things WHERE id = 2",
    )
    return request.param


def test_its_values_are_what_differs(repository, column):
    after = repository.head("summer")
    before = repository.merge_base(repository.head("main"), after)
    found = {
        change.key: (change.kind, change.before, change.after)
        for change in repository.diff_rows(TABLE, before, after)
    }
    row = {"id": 1, column: "before", "commit_1": 1, "diff_type_1": 1}
    assert found == {
        (1,): (ChangeKind.CHANGED, row, row | {column: "there"}),
        (2,): (
            ChangeKind.REMOVED,
            {"id": 2, column: "gone", "commit_1": 2, "diff_type_1": 2},
            None,
        ),
        (3,): (
            ChangeKind.ADDED,
            None,
            {"id": 3, column: "new", "commit_1": 3, "diff_type_1": 3},
        ),
    }
    streamed = repository.stream_changes(TABLE, before, after)
    assert {c.key: (c.kind, c.before, c.after) for c in streamed} == found


def test_its_history_is_told(repository, column):
    at = repository.head("summer")
    history = repository.row_history(TABLE, (1,), at=at, limit=10)
    assert [
        (edit.change.before and edit.change.before[column], edit.change.after[column])
        for edit in history.edits
    ] == [("before", "there"), (None, "before")]


@pytest.mark.parametrize(("take", "kept"), [("ours", "here"), ("theirs", "there")])
def test_a_conflict_about_it_is_settled(repository, max_, column, take, kept):
    merge = Merge(repository, max_)
    (row,) = preview.conflicts_of("main", merge.sides, TABLE, [(1,)])
    values = [side and side[column] for side in (row.base, row.ours, row.theirs)]
    assert values == ["before", "here", "there"]
    choices = deciding.as_a_whole(row, Take(take))
    assert choices.keys() == {column}
    deciding.decide(merge.draft, row, choices, merge.user)
    merge.land()
    rows = repository.rows(TABLE, [(1,), (2,), (3,)], at=repository.head("main"))
    assert {key[0]: row[column] for key, row in rows.items()} == {1: kept, 3: "new"}


@pytest.mark.parametrize("name", ["violation_type", "violation_info"])
def test_what_breaks_a_rule_of_its_table_is_listed_or_refused(
    repository, write, max_, name
):
    column = quoted(name)
    write(
        "main",
        f"CREATE TABLE things (id int PRIMARY KEY, {column} varchar(20), a int UNIQUE)",
    )
    repository.create_branch("summer", repository.head("main"))
    write("main", "INSERT INTO things VALUES (1, 'here', 7)")
    write("summer", "INSERT INTO things VALUES (2, 'there', 7)")
    merge = Merge(repository, max_)
    if ENGINE == "doltlite":
        with pytest.raises(MergeRefused, match="a column violation_type or"):
            merge.trial()
        assert merge.refused(MergeRefused)
        return
    found = {row.versions.key: row.result[name] for row in merge.trial().faults}
    assert found == {(1,): "here", (2,): "there"}
    merge.mend(TABLE, (2,), whole=Take.DROP)
    merge.land()

"""What commits did to one row, and which rows nobody committed."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import transaction

from polls.models import Choice, Question
from tests.contract.conftest import ERIN
from versioning.backends.errors import UnknownRef, UnknownTable
from versioning.backends.repository import ChangeKind

QUESTIONS = "polls_question"
CHOICES = "polls_choice"
COLUMNS = ("id", "question_id", "text", "votes")


@pytest.fixture
def sky(poll) -> Choice:
    return poll.choices.get(text="The sky")


@pytest.fixture
def merge(connection, repository):
    """``merge(source, target, act)``: the merge's hash; ``act`` settles rows."""

    def merge(source, target, act=lambda: None):
        theirs = repository.head(source)
        with (
            connection.bound(target),
            connection.writing(),
            transaction.atomic(using="versioned", durable=True),
        ):
            repository.start_merge(theirs)
            act()
            return repository.commit_all(f"Merge {source}", ERIN)

    return merge


def votes(number):
    return lambda: Choice.objects.filter(text="The sky").update(votes=number)


def history(repository, row, branch="main", **more):
    table = row._meta.db_table
    more.setdefault("limit", 50)
    return repository.row_history(table, (row.pk,), at=repository.head(branch), **more)


def told(found):
    return [
        (edit.commit.hash, edit.change.kind, sorted(edit.columns))
        for edit in found.edits
    ]


def test_each_commit_that_changed_the_row_newest_first(repository, write, sky):
    made = repository.head("main")
    first = write("main", votes(6), message="Vote")
    write("main", lambda: Question.objects.update(text="Something else?"))
    second = write(
        "main", lambda: Choice.objects.filter(pk=sky.pk).update(votes=7, text="Sky")
    )
    found = history(repository, sky)
    assert told(found) == [
        (second, ChangeKind.CHANGED, ["text", "votes"]),
        (first, ChangeKind.CHANGED, ["votes"]),
        (made, ChangeKind.ADDED, ["id", "question_id", "text", "votes"]),
    ]
    edit = found.edits[1]
    assert (edit.change.before["votes"], edit.change.after["votes"]) == (5, 6)
    assert (edit.commit.message, edit.commit.author) == ("Vote", ERIN)
    assert found.row["text"] == "Sky"
    assert not found.more


def test_a_state_of_the_past_knows_nothing_of_what_came_after(repository, write, sky):
    made = repository.head("main")
    write("main", votes(6))
    found = repository.row_history(CHOICES, (sky.pk,), at=made, limit=9)
    assert [edit.commit.hash for edit in found.edits] == [made]
    assert found.row["votes"] == 5


def test_another_branchs_edits_are_none_of_this_ones(repository, write, summer, sky):
    there = write(summer, votes(9))
    assert there not in [e.commit.hash for e in history(repository, sky).edits]
    assert history(repository, sky, summer).edits[0].commit.hash == there


def test_what_a_merge_brought_is_listed_once_at_its_own_commit(
    repository, write, summer, sky, merge
):
    made = repository.head("main")
    there = write(summer, lambda: Choice.objects.filter(pk=sky.pk).update(text="Skies"))
    here = write("main", votes(6))
    merge(summer, "main")
    found = history(repository, sky)
    assert sorted(e.commit.hash for e in found.edits) == sorted([made, there, here])
    assert found.edits[-1].commit.hash == made
    assert (found.row["text"], found.row["votes"]) == ("Skies", 6)


@pytest.mark.parametrize("act", ["change", "delete", "add"])
def test_a_merge_that_has_the_row_from_one_side_alone_is_not_listed(
    repository, write, summer, sky, merge, act
):
    made = repository.head("main")
    row = sky
    if act == "change":
        there = write(summer, votes(6))
    elif act == "delete":
        there = write(summer, lambda: Choice.objects.filter(pk=sky.pk).delete())
    else:
        row = Choice(pk=sky.pk + 90, question=sky.question, text="New")
        there = write(summer, lambda: row.save(force_insert=True))
    write("main", lambda: Question.objects.update(details="Else"))
    merge(summer, "main")
    expected = [there] if act == "add" else [there, made]
    assert [edit.commit.hash for edit in history(repository, row).edits] == expected


def test_what_a_merge_settled_by_itself_is_the_merges(
    repository, write, summer, sky, merge, connection
):
    write(summer, lambda: Choice.objects.filter(pk=sky.pk).update(votes=7, text="T"))
    write("main", votes(6))

    def settle():
        repository.write_rows(CHOICES, [_write(sky.pk, votes=8)])
        repository.settle_conflicts(CHOICES, rows=1)

    merged = merge(summer, "main", settle)
    found = history(repository, sky)
    assert told(found)[0] == (merged, ChangeKind.CHANGED, ["votes"])
    assert len(found.edits) == 4


def test_what_a_merge_did_not_take_is_listed_at_the_merge(
    repository, write, summer, sky, merge
):
    there = write(summer, lambda: Choice.objects.filter(pk=sky.pk).update(text="Skies"))
    here = write("main", lambda: Choice.objects.filter(pk=sky.pk).update(text="Clouds"))
    merged = merge(summer, "main", lambda: repository.settle_conflicts(CHOICES, rows=1))
    found = history(repository, sky)
    newest = found.edits[0]
    assert (newest.commit.hash, newest.change.kind) == (merged, ChangeKind.CHANGED)
    assert (newest.columns, newest.discarded) == (set(), {"text"})
    before, after = newest.change.before, newest.change.after
    assert (before["text"], after["text"]) == ("Skies", "Clouds")
    assert {e.commit.hash for e in found.edits[1:3]} == {there, here}
    # Nor is it told of where the same is brought in once more.
    write(summer, lambda: Question.objects.update(details="More"))
    again = merge(summer, "main")
    assert again not in [e.commit.hash for e in history(repository, sky).edits]


@pytest.mark.parametrize("kept", [True, False])
def test_a_deletion_and_an_edit_that_met_in_a_merge(
    repository, write, summer, sky, merge, kept
):
    def reword() -> None:
        Choice.objects.filter(pk=sky.pk).update(text="Skies")

    def delete() -> None:
        Choice.objects.filter(pk=sky.pk).delete()

    write(summer, delete if kept else reword)
    write("main", reword if kept else delete)
    merged = merge(summer, "main", lambda: repository.settle_conflicts(CHOICES, rows=1))
    found = history(repository, sky)
    newest = found.edits[0]
    kind = ChangeKind.ADDED if kept else ChangeKind.REMOVED
    assert (newest.commit.hash, newest.change.kind) == (merged, kind)
    assert (newest.columns, newest.discarded) == (set(), set(COLUMNS))
    row = newest.change.after if kept else newest.change.before
    assert row["text"] == "Skies"
    assert (found.row is not None) == kept


def _write(pk, **values):
    from versioning.backends.repository import RowWrite

    return RowWrite((pk,), {"id": pk, **values})


def test_no_edit_is_lost_where_branches_part(repository, write, poll, sky, merge):
    """Dolt's own table of a row's diffs lists one commit of those after a fork."""
    expected = {repository.head("main")}
    start = repository.head("main")
    for number in range(4):
        repository.create_branch(f"b{number}", start)
        column = {"votes": number + 20} if number else {"text": "Another"}
        expected.add(
            write(
                f"b{number}",
                lambda column=column: Choice.objects.filter(pk=sky.pk).update(**column),
            )
        )

    def settle():
        if rows := len(repository.conflicts(CHOICES)):
            repository.settle_conflicts(CHOICES, rows=rows)

    for number in range(4):
        merge(f"b{number}", "main", settle)
    found = {edit.commit.hash for edit in history(repository, sky).edits}
    assert expected <= found


@pytest.mark.parametrize("edits", [1, 3])
def test_no_edit_is_lost_where_branches_part_after_the_key_was_another(
    repository, write, merge, edits
):
    """Dolt goes no further, on any branch, from where the key had another type."""
    write(
        "main",
        "CREATE TABLE things (id int NOT NULL, v int, w int, PRIMARY KEY (id))",
        "INSERT INTO things VALUES (1, 0, 0), (2, 0, 0)",
    )
    write(
        "main",
        "CREATE TABLE n (id bigint NOT NULL, v int, w int, PRIMARY KEY (id))",
        "INSERT INTO n SELECT * FROM things",
        "DROP TABLE things",
        "ALTER TABLE n RENAME TO things",
    )
    repository.create_branch("aside", repository.head("main"))
    made = {write("aside", "UPDATE things SET w = 1 WHERE id = 1"): ["w"]}
    sql = "UPDATE things SET v = v + 1 WHERE id = %s"
    for _ in range(edits):
        made[write("main", (sql, [1]))] = ["v"]
        write("main", (sql, [2]))
    merge("aside", "main")
    found = repository.row_history("things", (1,), at=repository.head("main"), limit=50)
    assert {hash: columns for hash, _, columns in told(found)} == made


def test_a_deleted_row_has_a_history_too(repository, write, sky):
    gone = write("main", lambda: Choice.objects.filter(pk=sky.pk).delete())
    found = history(repository, sky)
    assert told(found)[0][:2] == (gone, ChangeKind.REMOVED)
    assert found.edits[0].change.before["text"] == "The sky"
    assert found.row is None
    assert len(found.edits) == 2


@pytest.mark.parametrize("read", [3, 200])
@pytest.mark.parametrize("later", [0, 7])
def test_a_row_that_was_away_for_a_while(
    repository, write, summer, sky, merge, monkeypatch, read, later
):
    monkeypatch.setattr("versioning.backends.sql.row_history.READ", read)
    made = repository.head("main")
    gone = write("main", lambda: Choice.objects.filter(pk=sky.pk).delete())
    again = write("main", lambda: sky.save(force_insert=True))
    changed = [write("main", votes(20 + number)) for number in range(later)]
    found, since = [], ""
    while True:
        page = history(repository, sky, since=since, limit=2)
        found += [(edit.commit.hash, edit.change.kind) for edit in page.edits]
        if not page.more:
            break
        since = found[-1][0]
    assert found == [
        *((hash, ChangeKind.CHANGED) for hash in reversed(changed)),
        (again, ChangeKind.ADDED),
        (gone, ChangeKind.REMOVED),
        (made, ChangeKind.ADDED),
    ]


def test_a_row_that_was_away_on_a_branch(repository, write, summer, sky, merge):
    made = repository.head("main")
    here = write("main", lambda: Choice.objects.filter(pk=sky.pk).update(text="Skies"))
    gone = write(summer, lambda: Choice.objects.filter(pk=sky.pk).delete())
    sky.text = "The sky"
    again = write(summer, lambda: sky.save(force_insert=True))
    merge(summer, "main")
    found = {e.commit.hash: e.change.kind for e in history(repository, sky).edits}
    assert found == {
        here: ChangeKind.CHANGED,
        again: ChangeKind.ADDED,
        gone: ChangeKind.REMOVED,
        made: ChangeKind.ADDED,
    }


@pytest.mark.parametrize("first", ["here", "there"])
def test_a_row_that_came_and_went_on_a_branch_before_it_came_again(
    repository, write, summer, sky, merge, first
):
    row = Choice(pk=sky.pk + 90, question=sky.question, text="Rain")

    def here() -> None:
        write("main", votes(6))
        write("main", votes(7))

    if first == "here":
        here()
    came = write(summer, lambda: row.save(force_insert=True))
    went = write(summer, lambda: Choice.objects.filter(text="Rain").delete())
    if first == "there":
        here()
    merge(summer, "main")
    again = write("main", lambda: row.save(force_insert=True))
    assert [(e.commit.hash, e.change.kind) for e in history(repository, row).edits] == [
        (again, ChangeKind.ADDED),
        (went, ChangeKind.REMOVED),
        (came, ChangeKind.ADDED),
    ]


def test_it_goes_on_after_a_commit_and_says_whether_there_is_more(
    repository, write, sky
):
    made = repository.head("main")
    hashes = [made, *(write("main", votes(n)) for n in range(10, 15))]
    first = history(repository, sky, limit=2)
    assert [e.commit.hash for e in first.edits] == hashes[:-3:-1]
    assert first.more
    rest = history(repository, sky, since=hashes[-2], limit=4)
    assert [e.commit.hash for e in rest.edits] == hashes[-3::-1]
    assert not rest.more
    with pytest.raises(UnknownRef):
        history(repository, sky, since="main")
    with pytest.raises(UnknownRef):
        history(repository, sky, since="0" * len(hashes[0]))


def test_a_long_way_is_read_in_pieces_and_nothing_is_lost_between(
    repository, write, sky, monkeypatch
):
    monkeypatch.setattr("versioning.backends.sql.row_history.READ", 3)
    made = repository.head("main")
    hashes = [made, *(write("main", votes(n)) for n in range(10, 22))]
    found, since = [], ""
    while True:
        page = history(repository, sky, since=since, limit=2)
        found += [edit.commit.hash for edit in page.edits]
        if not page.more:
            break
        since = found[-1]
    assert found == hashes[::-1]


def test_rows_that_nobody_committed_are_no_history(repository, stranger, sky):
    made = repository.head("main")
    stranger.execute("main", "UPDATE polls_choice SET votes = 99")
    found = history(repository, sky)
    assert [edit.commit.hash for edit in found.edits] == [made]
    assert found.row["votes"] == 5


@pytest.mark.parametrize(
    "key",
    [
        (-1,),
        ("x",),
        ("",),
        ("0",),
        (None,),
        (2**80,),
        (1.5,),
        ("\ud800",),
        ("' OR 1=1 --",),
        (b"\x00",),
        (Decimal("1.5"),),
        (dt.date(2020, 1, 1),),
        (dt.timedelta(1),),
        (1, 2),
        (),
    ],
    ids=repr,
)
def test_a_key_that_is_no_rows_has_no_history(repository, sky, key):
    at = repository.head("main")
    found = repository.row_history(CHOICES, key, at=at, limit=5)
    assert (found.row, found.edits) == (None, ())


def test_a_table_that_is_not_there_is_unknown(repository, write, sky):
    before = repository.head("main")
    write(
        "main", "CREATE TABLE gone (id int PRIMARY KEY)", "INSERT INTO gone VALUES (4)"
    )
    there = repository.head("main")
    write("main", "DROP TABLE gone")
    for table, at in (
        ("gone", repository.head("main")),
        ("gone", before),
        ("polls_choice; --", before),
        ("dolt_log", before),
        ("", before),
    ):
        with pytest.raises(UnknownTable):
            repository.row_history(table, (4,), at=at, limit=5)
    found = repository.row_history("gone", (4,), at=there, limit=5)
    assert [edit.commit.hash for edit in found.edits] == [there]
    with pytest.raises(UnknownRef):
        repository.row_history(CHOICES, (4,), at="main", limit=5)


def test_a_column_that_came_later_was_not_there_before(repository, write, sky):
    write("main", "ALTER TABLE polls_choice ADD COLUMN note varchar(9)")
    noted = write("main", "UPDATE polls_choice SET note = 'x'")
    found = history(repository, sky)
    assert (found.edits[0].commit.hash, found.edits[0].columns) == (noted, {"note"})
    assert found.row["note"] == "x"


# The working set ---------------------------------------------------------------


def test_the_working_set_has_a_hash_of_its_own(repository, connection, stranger, poll):
    with connection.bound("main"):
        clean = repository.working_hash()
    stranger.execute("main", "UPDATE polls_choice SET votes = 99")
    with connection.bound("main"):
        dirty = repository.working_hash()
        assert repository.working_hash() == dirty
    stranger.execute("main", "UPDATE polls_choice SET votes = 100")
    with connection.bound("main"):
        assert len({clean, dirty, repository.working_hash()}) == 3
    stranger.execute("main", "UPDATE polls_choice SET votes = 99")
    with connection.bound("main"):
        assert repository.working_hash() == dirty


def test_a_branch_that_nobody_wrote_to_has_one_too(repository, connection, summer):
    with connection.bound(summer):
        found = repository.working_hash()
    with connection.bound("main"):
        assert repository.working_hash() == found


def test_what_nobody_committed_can_be_discarded(
    repository, connection, stranger, summer, rows
):
    before = repository.head("main")
    stranger.execute(summer, "UPDATE polls_choice SET votes = 33")
    stranger.execute("main", "UPDATE polls_choice SET votes = 99")
    stranger.execute("main", "CREATE TABLE left_over (id int PRIMARY KEY)")
    with (
        connection.bound("main"),
        connection.writing(),
        transaction.atomic(using="versioned", durable=True),
    ):
        repository.discard_uncommitted()
    with connection.bound("main"):
        assert repository.uncommitted() is None
        assert "left_over" not in repository.tables()
    assert repository.head("main") == before
    assert rows("main", "SELECT max(votes) FROM polls_choice") == [(5,)]
    assert rows(summer, "SELECT max(votes) FROM polls_choice") == [(33,)]

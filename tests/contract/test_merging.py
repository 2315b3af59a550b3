"""A merge that lives in one transaction: read, settled, committed or rolled back."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connections, transaction
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext

from polls.models import Choice, Question
from tests.contract.conftest import ERIN
from versioning.backends.errors import (
    ConflictsRemain,
    MergeBlocked,
    UncommittedRows,
    UnknownRef,
    UnknownTable,
)
from versioning.backends.repository import (
    ChangeKind,
    MergeStatus,
    RowWrite,
    ViolationKind,
)

QUESTIONS = "polls_question"
CHOICES = "polls_choice"


@pytest.fixture
def merging(repository, connection):
    """``with merging() as status:`` a merge into main that is rolled back."""

    @contextmanager
    def merge(theirs: str = "summer") -> Iterator[MergeStatus]:
        with connection.bound("main"), connection.writing():
            repository.prepare_merge()
            with transaction.atomic(using="versioned", durable=True):
                yield repository.start_merge(repository.resolve(theirs))
                transaction.set_rollback(True, using="versioned")

    return merge


@pytest.fixture
def committing(repository, connection):
    """As ``merging``, with a commit at the end of the block; the hash follows."""

    def run(work, theirs: str = "summer", message: str = "Merge") -> str:
        with (
            connection.bound("main"),
            connection.writing(),
            transaction.atomic(using="versioned", durable=True),
        ):
            work(repository.start_merge(repository.resolve(theirs)))
            return repository.commit_all(message, ERIN)

    return run


def update(model, pk, **values):
    return lambda: model.objects.filter(pk=pk).update(**values)


def untouched(repository, head: str) -> bool:
    return (
        repository.head("main") == head
        and repository.uncommitted() is None
        and repository.conflict_counts() == []
        and repository.schema_conflicts() == []
        and repository.violations() == []
        and not repository.branch("main").dirty
    )


# Without conflicts -------------------------------------------------------------


def test_a_merge_stays_in_its_transaction(repository, summer, poll, write, merging):
    write(summer, update(Question, poll.pk, text="Theirs"))
    ours = write("main", update(Question, poll.pk, details="Ours"))
    with merging() as status:
        assert status is MergeStatus.MERGED
        question = Question.objects.get()
        assert (question.text, question.details) == ("Theirs", "Ours")
        assert repository.head("main") == ours
    assert untouched(repository, ours)
    assert Question.objects.get().text == "What’s up?"


def test_a_merge_is_committed_with_both_parents(
    repository, summer, poll, write, committing
):
    theirs = write(summer, update(Question, poll.pk, text="Theirs"))
    ours = write("main", update(Question, poll.pk, details="Ours"))
    commit = repository.commit(committing(lambda status: None))
    assert commit.parents == (ours, theirs)
    assert (commit.message, commit.author) == ("Merge", ERIN)
    assert repository.head("main") == commit.hash
    assert repository.uncommitted() is None


def test_where_a_fast_forward_would_do_it_is_a_merge_all_the_same(
    repository, summer, poll, write, committing, merging
):
    ours = repository.head("main")
    theirs = write(summer, update(Question, poll.pk, text="Theirs"))
    with merging() as status:
        assert status is MergeStatus.MERGED
        assert repository.head("main") == ours
    assert repository.commit(committing(lambda status: None)).parents == (ours, theirs)


def test_a_merge_that_changes_nothing_is_still_a_commit(
    repository, summer, poll, write, committing
):
    """Both sides did the same."""
    theirs = write(summer, update(Question, poll.pk, text="Same"), message="Theirs")
    ours = write("main", update(Question, poll.pk, text="Same"))
    assert repository.commit(committing(lambda status: None)).parents == (ours, theirs)


def test_what_is_there_already_is_up_to_date(repository, summer, poll, write, merging):
    ours = write("main", update(Question, poll.pk, text="Ours"))
    for theirs in ("summer", "main"):
        with merging(theirs) as status:
            assert status is MergeStatus.UP_TO_DATE
    assert untouched(repository, ours)


def test_the_result_can_be_read_before_it_is_committed(
    repository, summer, poll, write, merging
):
    added: list[Choice] = []

    def work() -> None:
        Question.objects.update(text="Theirs")
        Choice.objects.filter(text="The clouds").delete()
        added.append(Choice.objects.create(question=poll, text="The stars"))

    write(summer, work)
    write("main", update(Question, poll.pk, details="Ours"))
    with merging():
        assert [c.table for c in repository.merged_summary()] == [CHOICES, QUESTIONS]
        stats = {s.table: s for s in repository.merged_stat()}
        assert (stats[CHOICES].rows_added, stats[CHOICES].rows_removed) == (1, 1)
        assert stats[QUESTIONS].rows_changed == 1
        (question,) = repository.merged_rows(QUESTIONS)
        assert question.before["text"] == "What’s up?"
        assert (question.after["text"], question.after["details"]) == ("Theirs", "Ours")
        choices = list(repository.merged_rows(CHOICES))
        assert [c.kind for c in choices] == [ChangeKind.REMOVED, ChangeKind.ADDED]
        first = list(repository.merged_rows(CHOICES, limit=1))
        rest = list(repository.merged_rows(CHOICES, since=first[0].key))
        assert first + rest == choices
        key = (added[0].pk,)
        assert [c.key for c in repository.merged_rows(CHOICES, keys=[key])] == [key]


# Refused -----------------------------------------------------------------------


def test_a_merge_belongs_into_the_outermost_transaction(
    repository, connection, summer, poll, write
):
    """Within a savepoint DoltLite throws conflicts away."""
    theirs = write(summer, update(Question, poll.pk, text="Theirs"))
    with pytest.raises(TransactionManagementError):
        repository.start_merge(theirs)
    with (
        connection.writing(),
        pytest.raises(TransactionManagementError),
        transaction.atomic(using="versioned"),
        transaction.atomic(using="versioned"),
    ):
        repository.start_merge(theirs)
    assert untouched(repository, repository.head("main"))


@pytest.mark.parametrize("ref", ["summer", "nope", "", "-D", "--abort", "0" * 32])
def test_only_a_hash_is_merged(repository, connection, summer, ref):
    with (
        connection.writing(),
        pytest.raises(UnknownRef),
        transaction.atomic(using="versioned"),
    ):
        repository.start_merge(ref)


def test_uncommitted_rows_in_the_way(
    repository, summer, poll, write, stranger, merging
):
    write(summer, update(Question, poll.pk, text="Theirs"))
    stranger.execute("main", "UPDATE polls_question SET details = 'dirt'")
    with pytest.raises(UncommittedRows) as caught, merging():
        pass
    assert caught.value.tables == (QUESTIONS,)
    assert Question.objects.get().details == "dirt"


def test_what_can_not_be_merged_at_all_is_said(repository, summer, write, merging):
    """Both sides gave one column another type: blocked, or a schema conflict."""
    add = "ALTER TABLE polls_question ADD COLUMN mood "
    write(summer, f"{add} varchar(9)")
    ours = write("main", f"{add} int")
    try:
        with merging() as status:
            assert status is MergeStatus.CONFLICTS
            (conflict,) = repository.schema_conflicts()
            assert conflict.table == QUESTIONS
            assert "mood" in conflict.ours
            assert "mood" in conflict.theirs
            assert "mood" not in conflict.base
            assert repository.conflict_counts() == []
            with pytest.raises(ConflictsRemain):
                repository.commit_all("Merge", ERIN)
    except MergeBlocked as blocked:
        assert "mood" in str(blocked)
    assert untouched(repository, ours)


# Conflicts ---------------------------------------------------------------------


@pytest.fixture
def conflicting(repository, write, summer, poll):
    """
    Every kind of conflict between two rows: changed twice, deleted here, deleted
    there, added twice; keys 1 to 4 of a table of their own.
    """
    write(
        "main",
        "CREATE TABLE item (id int PRIMARY KEY, a varchar(9), b varchar(9))",
        "INSERT INTO item VALUES (1, 'base', 'b'), (2, 'base', NULL), (3, 'base', '')",
    )
    repository.delete_branch(summer)
    repository.create_branch(summer, "main")
    theirs = write(
        summer,
        "UPDATE item SET a = 'theirs' WHERE id IN (1, 2)",
        "DELETE FROM item WHERE id = 3",
        "INSERT INTO item VALUES (4, 'theirs', NULL), (5, 'only', 'theirs')",
    )
    ours = write(
        "main",
        "UPDATE item SET a = 'ours' WHERE id IN (1, 3)",
        "DELETE FROM item WHERE id = 2",
        "INSERT INTO item VALUES (4, 'ours', NULL)",
    )
    return ours, theirs


def versions(row) -> tuple:
    return tuple(v and (v["a"], v["b"]) for v in (row.base, row.ours, row.theirs))


def test_every_kind_of_conflict_shows_its_three_versions(
    repository, conflicting, merging
):
    with merging() as status:
        assert status is MergeStatus.CONFLICTS
        (count,) = repository.conflict_counts()
        assert (count.table, count.rows) == ("item", 4)
        rows = {row.key: versions(row) for row in repository.conflicts("item")}
        assert rows == {
            (1,): (("base", "b"), ("ours", "b"), ("theirs", "b")),
            (2,): (("base", None), None, ("theirs", None)),
            (3,): (("base", ""), ("ours", ""), None),
            (4,): (None, ("ours", None), ("theirs", None)),
        }
        assert [list(r.theirs) for r in repository.conflicts("item", limit=1)] == [
            ["id", "a", "b"]
        ]
        # Ours is in the table, so only what merged by itself counts as changed.
        assert [c.key for c in repository.merged_rows("item")] == [(5,)]
        assert repository.conflicts(QUESTIONS) == []
    assert untouched(repository, conflicting[0])


def test_conflicts_are_paged_and_asked_by_key(repository, conflicting, merging):
    def keys(**options):
        return [row.key for row in repository.conflicts("item", **options)]

    with merging():
        assert keys() == [(1,), (2,), (3,), (4,)]
        assert keys(limit=2) == [(1,), (2,)]
        assert keys(since=(2,)) == [(3,), (4,)]
        assert keys(since=(1,), limit=1) == [(2,)]
        assert keys(keys=[(4,), (2,), (9,), (4,)]) == [(2,), (4,)]
        assert keys(keys=[(4,), (2,)], limit=1) == [(2,)]
        assert keys(keys=[]) == []
        with pytest.raises(UnknownTable):
            repository.conflicts("nope")


def test_decisions_are_written_by_key_and_land_as_one_commit(
    repository, conflicting, committing, rows
):
    def work(status) -> None:
        repository.write_rows(
            "item",
            [
                RowWrite((1,), {"a": "both", "b": None}),
                RowWrite((2,), {"id": 2, "a": "back", "b": "2"}),
                RowWrite((3,), None),
                RowWrite((4,), {"a": "theirs"}),
            ],
        )
        with pytest.raises(ConflictsRemain):
            repository.commit_all("Too early", ERIN)
        repository.settle_conflicts("item", rows=4)
        assert repository.conflicts("item") == []
        assert repository.conflict_counts() == []

    commit = repository.commit(committing(work))
    assert commit.parents == conflicting
    assert rows("main", "SELECT id, a, b FROM item ORDER BY id") == [
        (1, "both", None),
        (2, "back", "2"),
        (4, "theirs", None),
        (5, "only", "theirs"),
    ]
    assert repository.uncommitted() is None


def test_only_all_rows_in_conflict_can_be_settled(repository, conflicting, merging):
    with merging():
        for other in (0, 3, 5):
            with pytest.raises(ConflictsRemain):
                repository.settle_conflicts("item", rows=other)
        assert len(repository.conflicts("item")) == 4
        repository.settle_conflicts("item", rows=4)
        with pytest.raises(ConflictsRemain):
            repository.settle_conflicts("item", rows=4)


def test_one_look_asks_once_what_is_in_conflict(repository, conflicting, merging):
    with merging():
        with repository.one_look():
            (before,) = repository.conflict_counts()
            repository.write_rows("item", [RowWrite((1,), {"a": "both"})])
            with CaptureQueriesContext(connections["versioned"]) as asked:
                assert repository.conflict_counts() == [before]
            assert len(asked) == 0
        assert repository.conflict_counts() == [before]  # so the engine says too
        with repository.one_look():
            assert len(repository.conflicts("item")) == 4
            repository.settle_conflicts("item", rows=4)
            assert repository.conflict_counts() == []
            assert repository.conflicts("item") == []


def test_conflicts_of_keys_of_several_columns(
    repository, connection, summer, write, committing, rows
):
    write(
        "main",
        "CREATE TABLE pair (a varchar(9), b int, v int, PRIMARY KEY (a, b))",
        "INSERT INTO pair VALUES ('x', 1, 0), ('x', 2, 0), ('y', 1, 0)",
    )
    repository.delete_branch(summer)
    repository.create_branch(summer, "main")
    write(summer, "UPDATE pair SET v = 1", "INSERT INTO pair VALUES ('é', 1, 1)")
    write("main", "UPDATE pair SET v = 2", "INSERT INTO pair VALUES ('é', 1, 2)")
    keys = [("x", 1), ("x", 2), ("y", 1), ("é", 1)]

    def work(status) -> None:
        found = [row.key for row in repository.conflicts("pair")]
        assert sorted(found) == keys
        assert [
            row.key for row in repository.conflicts("pair", since=found[1], limit=9)
        ] == found[2:]
        repository.write_rows("pair", [RowWrite(key, {"v": 3}) for key in keys[:2]])
        repository.write_rows("pair", [RowWrite(keys[2], None)])
        repository.settle_conflicts("pair", rows=4)

    committing(work)
    assert sorted(rows("main", "SELECT a, b, v FROM pair")) == [
        ("x", 1, 3),
        ("x", 2, 3),
        ("é", 1, 2),
    ]


def test_hundreds_of_conflicts(repository, summer, write, committing, rows):
    write(
        "main",
        "CREATE TABLE many (id int PRIMARY KEY, v int)",
        *[("INSERT INTO many VALUES (%s, 0)", [n]) for n in range(450)],
    )
    repository.delete_branch(summer)
    repository.create_branch(summer, "main")
    write(summer, "UPDATE many SET v = 1")
    write("main", "UPDATE many SET v = 2")
    keys = [(n,) for n in range(450)]

    def work(status) -> None:
        assert repository.conflict_counts()[0].rows == 450
        assert [row.key for row in repository.conflicts("many", keys=keys)] == keys
        repository.write_rows("many", [RowWrite(key, {"v": 3}) for key in keys])
        repository.settle_conflicts("many", rows=450)

    committing(work)
    assert rows("main", "SELECT v, count(*) FROM many GROUP BY v") == [(3, 450)]


def test_columns_called_as_a_conflicts_own(repository, summer, write, merging):
    write(
        "main",
        "CREATE TABLE own (id int PRIMARY KEY, our_a varchar(9), base_b varchar(9))",
        "INSERT INTO own VALUES (1, 'a', 'b')",
    )
    repository.delete_branch(summer)
    repository.create_branch(summer, "main")
    write(summer, "UPDATE own SET our_a = 'theirs'")
    write("main", "UPDATE own SET our_a = 'ours'")
    with merging():
        (row,) = repository.conflicts("own")
        assert row.base == {"id": 1, "our_a": "a", "base_b": "b"}
        assert row.ours == {"id": 1, "our_a": "ours", "base_b": "b"}
        assert row.theirs == {"id": 1, "our_a": "theirs", "base_b": "b"}


# Rows --------------------------------------------------------------------------


def test_foreign_keys_wait_for_the_finished_result(repository, connection, poll, rows):
    """A child may be written before its parent."""
    with connection.writing(), transaction.atomic(using="versioned"):
        child = {"id": 900, "question_id": 800, "text": "c", "votes": 0}
        repository.write_rows(CHOICES, [RowWrite((900,), child)])
        parent = {"id": 800, "text": "p", "details": "", "published": poll.published}
        repository.write_rows(QUESTIONS, [RowWrite((800,), parent)])
        repository.commit_all("Rows", ERIN)
    assert Choice.objects.get(pk=900).question.text == "p"


def test_written_rows_roll_back_with_their_transaction(repository, connection, poll):
    with connection.writing(), transaction.atomic(using="versioned"):
        repository.write_rows(QUESTIONS, [RowWrite((poll.pk,), {"text": "x"})])
        assert Question.objects.get().text == "x"
        transaction.set_rollback(True, using="versioned")
    assert Question.objects.get().text == "What’s up?"
    with connection.writing(), transaction.atomic(using="versioned"):
        repository.write_rows(QUESTIONS, [])
        with pytest.raises(UnknownTable):
            repository.write_rows("nope", [RowWrite((1,), None)])
    assert repository.uncommitted() is None


# Violations --------------------------------------------------------------------


@pytest.fixture
def orphaned(summer, poll, write):
    """Theirs adds a choice to the question that ours deletes."""
    write(summer, lambda: Choice.objects.create(question=poll, text="Orphan"))

    def work() -> None:
        Choice.objects.all().delete()
        Question.objects.all().delete()

    return write("main", work)


def test_a_child_without_a_parent_is_a_violation(
    repository, summer, poll, orphaned, merging
):
    with merging() as status:
        assert status is MergeStatus.CONFLICTS
        (fault,) = repository.violations()
        assert (fault.table, fault.kind) == (CHOICES, ViolationKind.FOREIGN_KEY)
        assert fault.columns == ("question_id",)
        assert fault.referenced_table == QUESTIONS
        assert fault.row["text"] == "Orphan"
        assert fault.key == (fault.row["id"],)
        assert list(fault.row) == repository.columns(CHOICES)
        with pytest.raises(ConflictsRemain):
            repository.commit_all("Merge", ERIN)
    assert untouched(repository, orphaned)


def test_one_look_asks_once_which_tables_are_violated(repository, orphaned, merging):
    with merging():
        with repository.one_look():
            (before,) = repository.violations()
            repository.write_rows(CHOICES, [RowWrite(before.key, None)])
            assert repository.violations() == [before]
            with CaptureQueriesContext(connections["versioned"]) as asked:
                repository.settle_violations(QUESTIONS)  # none there
            assert len(asked) == 0
        assert repository.violations() == [before]  # so the engine says too
        with repository.one_look():
            assert repository.violations() == [before]
            repository.settle_violations(CHOICES)
            with CaptureQueriesContext(connections["versioned"]) as asked:
                assert repository.violations() == []
            assert len(asked) == 1  # whether any are left, and no table's own


def test_two_rows_of_one_unique_value_are_violations(
    repository, summer, poll, write, merging
):
    write(summer, lambda: Choice.objects.create(question=poll, text="Same", votes=1))
    ours = write(
        "main", lambda: Choice.objects.create(question=poll, text="Same", votes=2)
    )
    with merging():
        faults = repository.violations()
        assert {fault.kind for fault in faults} == {ViolationKind.UNIQUE}
        assert sorted(fault.row["votes"] for fault in faults) == [1, 2]
        assert {fault.columns for fault in faults} == {("question_id", "text")}
        assert [fault.key for fault in faults] == sorted(f.key for f in faults)
        assert repository.violations(limit=1) == faults[:1]
    assert untouched(repository, ours)


def test_violations_are_committed_once_the_rows_are_right(
    repository, summer, poll, orphaned, committing
):
    def work(status) -> None:
        (fault,) = repository.violations()
        repository.write_rows(CHOICES, [RowWrite(fault.key, None)])
        repository.settle_violations(CHOICES)
        repository.settle_violations(QUESTIONS)  # none there
        assert repository.violations() == []

    committing(work)
    assert Choice.objects.count() == 0
    assert repository.broken_constraints() == []


def test_a_fault_that_was_committed_all_the_same_is_found(
    repository, summer, poll, orphaned, committing
):
    """The engines commit it once the list of violations is empty."""
    committing(lambda status: repository.settle_violations(CHOICES))
    (fault,) = repository.broken_constraints()
    assert (fault.table, fault.kind) == (CHOICES, ViolationKind.FOREIGN_KEY)
    assert (fault.columns, fault.referenced_table) == (("question_id",), QUESTIONS)
    assert fault.row["text"] == "Orphan"
    assert repository.broken_constraints([QUESTIONS]) == []
    assert repository.broken_constraints([CHOICES]) == [fault]


def test_duplicates_that_were_committed_are_found_on_their_branch(
    repository, connection, summer, poll, write, committing
):
    for branch in (summer, "main"):
        write(branch, lambda: Choice.objects.create(question=poll, text="Same"))
    committing(lambda status: repository.settle_violations(CHOICES))
    faults = repository.broken_constraints()
    assert [fault.kind for fault in faults] == [ViolationKind.UNIQUE] * 2
    assert {fault.row["text"] for fault in faults} == {"Same"}
    with connection.bound(summer):
        assert repository.broken_constraints() == []
    with transaction.atomic(using="versioned"):
        assert repository.broken_constraints() == faults


def test_faults_of_some_rows_are_found_in_the_merge_itself(
    repository, summer, poll, orphaned, merging, write
):
    with merging():
        (fault,) = repository.violations()
        (found,) = repository.faults_of(CHOICES, [fault.key])
        assert (found.kind, found.key, found.row) == (
            ViolationKind.FOREIGN_KEY,
            fault.key,
            fault.row,
        )
        assert (found.columns, found.referenced_table) == (("question_id",), QUESTIONS)
        # Asked of the parent that is not there, the child is the fault.
        assert repository.faults_of(QUESTIONS, [(poll.pk,)]) == [found]
        repository.write_rows(CHOICES, [RowWrite(fault.key, None)])
        assert repository.faults_of(CHOICES, [fault.key]) == []
        assert repository.faults_of(QUESTIONS, [(poll.pk,)]) == []
    assert write("main", lambda: Question.objects.create(text="Later"))


def test_all_rows_that_share_a_unique_value_are_faults_of_one(
    repository, summer, poll, write, merging
):
    for branch in (summer, "main"):
        write(branch, lambda: Choice.objects.create(question=poll, text="Same"))
    with merging():
        listed = repository.violations()
        for fault in listed:
            found = repository.faults_of(CHOICES, [fault.key])
            assert {one.key for one in found} == {one.key for one in listed}
            assert {one.columns for one in found} == {("question_id", "text")}
        others = [(pk,) for pk in Choice.objects.values_list("pk", flat=True)]
        alone = [key for key in others if key not in {one.key for one in listed}]
        assert repository.faults_of(CHOICES, alone) == []
        repository.write_rows(CHOICES, [RowWrite(listed[0].key, {"text": "Other"})])
        assert repository.faults_of(CHOICES, [one.key for one in listed]) == []


def test_looking_for_faults_harms_no_later_write(
    repository, summer, poll, orphaned, committing, write
):
    """As Dolt's own check does, when it is rolled back."""
    committing(lambda status: repository.settle_violations(CHOICES))
    assert repository.broken_constraints()
    assert write("main", lambda: Question.objects.create(text="Later"))


def test_swapped_values_take_no_rows_along(repository, connection, write, rows):
    """What points to a row that is written anew stays, whatever its key says."""
    write(
        "main",
        "CREATE TABLE tree (id int PRIMARY KEY, place varchar(9) UNIQUE)",
        "CREATE TABLE leaf (id int PRIMARY KEY, tree_id int, "
        "FOREIGN KEY (tree_id) REFERENCES tree (id) ON DELETE CASCADE)",
        "INSERT INTO tree VALUES (1, 'north'), (2, 'south')",
        "INSERT INTO leaf VALUES (10, 1), (20, 2)",
    )
    swapped = [
        RowWrite((1,), {"id": 1, "place": "south"}),
        RowWrite((2,), {"id": 2, "place": "north"}),
    ]
    with (
        connection.bound("main"),
        connection.writing(),
        transaction.atomic(using="versioned", durable=True),
    ):
        refused = repository.try_rows("tree", swapped)
        repository.commit_all("Swap", ERIN)
    assert rows("main", "SELECT id, tree_id FROM leaf ORDER BY id") == [
        (10, 1),
        (20, 2),
    ]
    taken = [(1, "south"), (2, "north")]
    as_before = [(1, "north"), (2, "south")]
    found = rows("main", "SELECT id, place FROM tree ORDER BY id")
    assert found == (as_before if refused else taken)


# Tables that somebody else made ------------------------------------------------


def test_a_table_made_since_the_connection_was_opened(repository, stranger, merging):
    """As by a migration while the site runs."""
    assert Question.objects.count() == 0
    create = "CREATE TABLE notes (id int PRIMARY KEY, a int UNIQUE)"
    stranger.execute("main", create, commit="Make a table")
    repository.create_branch("summer", "main")
    stranger.execute("main", "INSERT INTO notes VALUES (1, 5)", commit="Add a row")
    stranger.execute("summer", "INSERT INTO notes VALUES (2, 5)", commit="Add a row")
    with merging() as status:
        assert status is MergeStatus.CONFLICTS
        found = {(v.table, v.key, v.kind) for v in repository.violations()}
        assert found == {
            ("notes", (1,), ViolationKind.UNIQUE),
            ("notes", (2,), ViolationKind.UNIQUE),
        }

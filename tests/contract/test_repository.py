"""What ``Repository`` promises, on the engine at hand."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.transaction import TransactionManagementError

from polls.models import Choice, Question
from versioning.backends.errors import (
    BranchExists,
    BranchIsDefault,
    BranchMoved,
    BranchNotFound,
    EngineBusy,
    InvalidBranchName,
    ReadOnlyState,
    UncommittedRows,
    UnknownRef,
    UnknownTable,
    WriteOutsideBranch,
)
from versioning.backends.repository import Author, ChangeKind, MergeStatus, RowWrite
from versioning.unit_of_work import on_branch

ERIN = Author("Erin Editor", "erin@example.org")
HOSTILE = ["x'--", "-D", "a@b", "a%b", 'a"b', "a`b", "%s", "n" * 300, "a#b", "a;b"]
NOTHING = ["", "nope", "main~1", "HEAD", "'; DROP TABLE x", "0" * 32, "0" * 40, "%s"]
QUESTIONS = "polls_question"


def add(branch, text, **values):
    with on_branch(branch, author=ERIN, message=f"Add {text}") as unit:
        question = Question.objects.create(text=text, **values)
    return question.pk, unit.commit


@pytest.fixture
def main(repository):
    return repository.head("main")


@pytest.fixture
def summer(repository, main):
    repository.create_branch("summer", main)
    return "summer"


@pytest.fixture
def transact(connection):
    """A transaction that may write, as a unit of work opens it."""

    def begin():
        return transaction.atomic(using=connection.alias, durable=True)

    with connection.writing():
        yield begin


# Branches -------------------------------------------------------------------


def test_a_branch_is_made_at_a_commit_and_listed(repository, main):
    _, later = add("main", "later")
    repository.create_branch("summer", main)
    repository.create_branch("autumn", later)
    heads = {branch.name: branch.head for branch in repository.branches()}
    assert heads == {"main": later, "summer": main, "autumn": later}
    branch = repository.branch("autumn")
    assert (branch.author, branch.message) == (ERIN, "Add later")
    assert branch.date.utcoffset().total_seconds() == 0
    assert not branch.dirty


@pytest.mark.parametrize(
    "name", ["", "a b", "a..b", "/a", "a?", "HEAD", ".a", "a.lock"]
)
def test_a_name_that_the_engine_refuses(repository, main, name):
    with pytest.raises(InvalidBranchName):
        repository.create_branch(name, main)
    assert [branch.name for branch in repository.branches()] == ["main"]


@pytest.mark.parametrize("name", ["summer", "Summer", "MAIN"])
def test_a_name_that_is_taken_in_any_case(repository, main, summer, name):
    with pytest.raises(BranchExists):
        repository.create_branch(name, main)


@pytest.mark.parametrize("at", NOTHING)
def test_a_branch_at_nothing(repository, at):
    with pytest.raises(UnknownRef):
        repository.create_branch("summer", at)


def test_a_branch_is_renamed(repository, summer, main):
    repository.rename_branch("summer", "autumn")
    assert repository.head("autumn") == main
    with pytest.raises(BranchNotFound):
        repository.head("summer")
    with pytest.raises(BranchNotFound):
        repository.rename_branch("summer", "winter")
    with pytest.raises(BranchIsDefault):
        repository.rename_branch("main", "winter")
    with pytest.raises(BranchExists):
        repository.rename_branch("autumn", "main")


def test_a_branch_is_deleted_unmerged_too_and_its_head_told(repository, summer):
    _, head = add("summer", "unmerged")
    assert repository.delete_branch("summer", expected_head=head) == head
    with pytest.raises(BranchNotFound):
        repository.delete_branch("summer")
    repository.create_branch("summer", head)  # the commit is still there
    assert repository.head("summer") == head


def test_a_branch_that_moved_is_not_deleted(repository, summer, main):
    _, head = add("summer", "moved")
    with pytest.raises(BranchMoved):
        repository.delete_branch("summer", expected_head=main)
    assert repository.head("summer") == head


def test_the_default_branch_stays(repository):
    with pytest.raises(BranchIsDefault):
        repository.delete_branch("main")


def test_a_branch_that_this_connection_is_on_can_go(repository, connection, summer):
    with connection.bound("summer"):
        assert Question.objects.count() == 0
    connection.bind("summer")
    Question.objects.count()
    repository.delete_branch("summer")
    connection.unbind()
    assert Question.objects.count() == 0


@pytest.mark.parametrize("name", HOSTILE)
def test_names_made_outside_are_read_written_and_deleted(
    repository, connection, stranger, main, name
):
    stranger.branch(name)
    assert repository.branch(name).head == main
    assert repository.resolve(name) == main
    pk, commit = add(name, "here")
    assert repository.head(name) == commit
    with connection.bound(name):
        assert Question.objects.get().pk == pk
    assert Question.objects.count() == 0
    assert repository.delete_branch(name) == commit
    assert [branch.name for branch in repository.branches()] == ["main"]


@pytest.mark.parametrize("work", ["create", "rename", "delete"])
def test_branches_are_no_part_of_a_transaction(
    repository, transact, summer, main, work
):
    with pytest.raises(TransactionManagementError), transact():
        match work:
            case "create":
                repository.create_branch("x", main)
            case "rename":
                repository.rename_branch("summer", "x")
            case "delete":
                repository.delete_branch("summer")
    assert [branch.name for branch in repository.branches()] == ["main", "summer"]


# Place ----------------------------------------------------------------------


def test_a_connection_is_where_it_is_bound(repository, connection, summer):
    add("summer", "in summer")
    with connection.bound("summer"):
        assert Question.objects.count() == 1
    assert Question.objects.count() == 0
    with connection.bound(at=repository.head("summer")):
        assert Question.objects.count() == 1


def test_a_branch_that_is_gone_is_said_at_the_first_statement(connection, repository):
    connection.bind("nowhere")
    with pytest.raises(BranchNotFound):
        Question.objects.count()
    connection.unbind()
    assert Question.objects.count() == 0


def test_a_branch_deleted_under_a_connection(repository, connection, stranger, summer):
    other = "CALL dolt_branch('-D', 'summer')"
    if repository.features.engine == "DoltLite":
        other = "SELECT dolt_branch('-D', 'summer')"
    connection.bind("summer")
    assert Question.objects.count() == 0
    connection.close()
    stranger.execute("main", other)
    with pytest.raises(BranchNotFound):
        Question.objects.count()
    connection.unbind()
    assert Question.objects.count() == 0


def test_a_connection_stays_where_it_is_within_a_transaction(
    connection, transact, summer
):
    with transact():
        Question.objects.count()
        with pytest.raises(TransactionManagementError):
            connection.bind("summer")


def test_what_was_rolled_back_on_one_branch_is_on_no_other(
    repository, connection, transact, summer
):
    """A DoltLite connection moved by dolt_connect_branch() fails this."""
    add("main", "on main")
    connection.bind("summer")
    with transact():
        Question.objects.create(text="rolled back")
        transaction.set_rollback(True, using=connection.alias)
    assert repository.uncommitted() is None
    assert Question.objects.count() == 0
    connection.unbind()
    assert [question.text for question in Question.objects.all()] == ["on main"]


def test_a_savepoint_is_undone_on_a_branch_that_is_not_the_default(
    repository, connection, transact, summer
):
    """A Dolt connection to "db/branch" fails this."""
    connection.bind("summer")
    with transact():
        Question.objects.create(text="outer")
        with pytest.raises(ZeroDivisionError), transaction.atomic("versioned"):
            Question.objects.create(text="inner")
            _ = 1 / 0
        repository.commit_all("One row", ERIN)
    assert [question.text for question in Question.objects.all()] == ["outer"]
    assert repository.uncommitted() is None


# Writes ---------------------------------------------------------------------


def test_nothing_is_written_without_a_door(repository):
    with pytest.raises(WriteOutsideBranch):
        Question.objects.create(text="stray")


def test_a_state_for_reading_stays_as_it_is(connection, transact):
    with connection.read_only("main"), pytest.raises(ReadOnlyState):
        Question.objects.create(text="stray")


def test_a_commit_takes_everything_and_says_its_hash(repository, transact, main):
    with transact():
        Question.objects.create(text="one")
        found = repository.commit_all("One", ERIN)
    assert found == repository.head("main")
    commit = repository.commit(found)
    assert (commit.message, commit.author, commit.parents) == ("One", ERIN, (main,))
    assert repository.uncommitted() is None


def test_nothing_to_commit_is_no_commit(repository, transact, main):
    with transact():
        assert repository.commit_all("Nothing", ERIN) is None
    assert repository.head("main") == main


@pytest.mark.parametrize(
    ("left", "tables"),
    [
        ([], None),
        (["UPDATE polls_question SET text = 'Theirs'"], (QUESTIONS,)),
        (["CREATE TABLE aside (id int PRIMARY KEY)"], ("aside",)),
        (["ALTER TABLE polls_choice ADD COLUMN colour int"], ("polls_choice",)),
        (["UPDATE polls_question SET text = 'Staged'", "ADD"], (QUESTIONS,)),
    ],
)
def test_a_unit_begins_with_the_head_and_what_was_left(
    repository, connection, transact, stranger, summer, left, tables
):
    _, head = add("summer", "one")
    add("main", "elsewhere")
    # That table alone: the numbers of another may stand further on than its branch
    # has them, if tests before have counted on, and Dolt would stage that too.
    verb = "CALL" if connection.vendor == "mysql" else "SELECT"
    stage = f"{verb} dolt_add('{QUESTIONS}')"
    for sql in left:
        stranger.execute("summer", stage if sql == "ADD" else sql)
    with connection.bound("summer"), transact():
        found, uncommitted = repository.head_and_uncommitted()
    assert found == head
    assert (uncommitted and uncommitted.tables) == tables


@pytest.mark.parametrize(
    ("message", "author"),
    [
        ("", ERIN),
        ("  \n", ERIN),
        ("a\x00b", ERIN),
        ("x", Author("", "a@b")),
        ("x", Author("A <B", "a@b")),
        ("x", Author("A", "a\nb")),
    ],
)
def test_what_can_not_be_committed_leaves_the_transaction_alone(
    repository, transact, main, message, author
):
    with transact():
        Question.objects.create(text="one")
        with pytest.raises(ValueError):
            repository.commit_all(message, author)
        transaction.set_rollback(True, using="versioned")
    assert repository.head("main") == main
    assert repository.uncommitted() is None


def test_rows_are_written_by_their_keys(repository, transact, main):
    pk, _ = add("main", "old")
    gone, _ = add("main", "gone")
    row = repository.rows(QUESTIONS, [(pk,)], at=repository.head("main"))[pk,]
    key = gone + 1000  # keys go on counting from test to test on one engine
    with transact():
        repository.write_rows(
            QUESTIONS,
            [
                RowWrite((pk,), {"text": "new"}),
                RowWrite((gone,), None),
                RowWrite((key,), {**row, "id": key, "text": "added"}),
            ],
        )
        repository.commit_all("Rows", ERIN)
    found = Question.objects.order_by("pk").values_list("pk", "text")
    assert list(found) == [(pk, "new"), (key, "added")]


# Refs and history -----------------------------------------------------------


@pytest.mark.parametrize("ref", NOTHING)
def test_what_names_nothing(repository, ref):
    with pytest.raises(UnknownRef):
        repository.resolve(ref)
    with pytest.raises(UnknownRef):
        repository.commit(ref)


def test_the_log_lists_children_first(repository, summer, main):
    ours = [add("main", f"main {n}")[1] for n in range(3)]
    theirs = [add("summer", f"summer {n}")[1] for n in range(3)]
    log = repository.log([ours[-1], theirs[-1]], limit=100)
    order = [commit.hash for commit in log]
    assert len(set(order)) == len(order)
    assert {*ours, *theirs, main} <= set(order)
    for commit in log:
        for parent in commit.parents:
            assert order.index(commit.hash) < order.index(parent)
    between = repository.commits_between(ours[-1], theirs[-1], limit=10)
    assert [commit.hash for commit in between] == theirs[::-1]
    assert repository.count_between(ours[-1], theirs[-1]) == 3
    assert repository.count_between(theirs[-1], theirs[-1]) == 0
    assert repository.children(main, [ours[-1], theirs[-1]]) == sorted(
        [ours[0], theirs[0]]
    )


def test_pages_of_the_log_go_on_from_their_frontier(repository, transact, summer):
    for number in range(4):
        add("main", f"main {number}")
        add("summer", f"summer {number}")
    with transact():
        repository.start_merge(repository.head("summer"))
        repository.commit_all("Merge", ERIN)
    start = repository.head("main")
    whole = [commit.hash for commit in repository.log([start], limit=100)]
    pages, frontier = [], [start]
    while frontier:
        page = repository.log(frontier, limit=3)
        pages += [commit.hash for commit in page]
        listed = {commit.hash for commit in page}
        further = [p for c in page for p in c.parents] + frontier
        frontier = [h for h in dict.fromkeys(further) if h not in listed | set(pages)]
    assert pages == whole


def test_merge_bases(repository, connection, transact, summer, main):
    _, one = add("main", "one")
    _, two = add("summer", "two")
    assert repository.merge_base(one, two) == main
    assert repository.merge_bases(one, two) == [main]
    assert repository.merge_bases(main, two) == [main]
    for branch, other in (("main", two), ("summer", one)):
        connection.bind(branch)
        with transact():
            repository.start_merge(other)
            repository.commit_all(f"Merge into {branch}", ERIN)
    connection.unbind()
    heads = repository.head("main"), repository.head("summer")
    assert repository.merge_bases(*heads) == sorted([one, two])


# Diffs ----------------------------------------------------------------------


def test_a_diff_counts_and_lists_rows_by_key(repository, main):
    pks = [add("main", f"question {n}")[0] for n in range(5)]
    before = repository.head("main")
    with on_branch("main", author=ERIN):
        Question.objects.filter(pk=pks[1]).update(text="other")
        Question.objects.filter(pk=pks[2]).delete()
        added = Question.objects.create(text="new").pk
    after = repository.head("main")
    (stat,) = repository.diff_stat(before, after)
    assert (stat.rows_added, stat.rows_removed, stat.rows_changed) == (1, 1, 1)
    assert (stat.old_rows, stat.new_rows, stat.cells_changed) == (5, 5, 1)
    (change,) = repository.diff_summary(before, after)
    assert (change.table, change.data_changed, change.schema_changed) == (
        QUESTIONS,
        True,
        False,
    )
    rows = list(repository.diff_rows(QUESTIONS, before, after))
    assert [(row.kind, row.key) for row in rows] == [
        (ChangeKind.CHANGED, (pks[1],)),
        (ChangeKind.REMOVED, (pks[2],)),
        (ChangeKind.ADDED, (added,)),
    ]
    assert (rows[0].before["text"], rows[0].after["text"]) == ("question 1", "other")
    assert rows[1].after is None
    assert rows[2].before is None
    first = list(repository.diff_rows(QUESTIONS, before, after, limit=2))
    rest = list(repository.diff_rows(QUESTIONS, before, after, since=first[-1].key))
    assert first + rest == rows
    some = repository.diff_rows(QUESTIONS, before, after, keys=[(pks[2],), (-1,)])
    assert [row.key for row in some] == [(pks[2],)]
    kinds = repository.diff_rows(QUESTIONS, before, after, kinds=[ChangeKind.ADDED])
    assert [row.key for row in kinds] == [(added,)]
    back = list(repository.diff_rows(QUESTIONS, after, before))
    assert [row.kind for row in back] == ["changed", "added", "removed"]


def test_rows_are_read_as_of_a_commit(repository, main):
    pk, first = add("main", "first")
    with on_branch("main", author=ERIN):
        Question.objects.update(text="second")
    head = repository.head("main")
    for at, text in ((first, "first"), (head, "second")):
        rows = repository.rows(QUESTIONS, [(pk,), (-1,)], at=at)
        assert {key: row["text"] for key, row in rows.items()} == {(pk,): text}
    assert repository.rows(QUESTIONS, [(pk,)], at=main) == {}
    with pytest.raises(UnknownTable):
        repository.rows("no'table", [(1,)], at=head)


def test_a_column_that_only_one_state_has_is_in_its_rows(
    repository, connection, transact, summer
):
    pk, before = add("summer", "widened")
    name = connection.ops.quote_name(QUESTIONS)
    connection.bind("summer")
    with transact(), connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {name} ADD COLUMN mood varchar(20)")
    with transact():
        repository.write_rows(QUESTIONS, [RowWrite((pk,), {"mood": "calm"})])
        after = repository.commit_all("Add a column", ERIN)
    connection.unbind()
    (row,) = repository.diff_rows(QUESTIONS, before, after)
    assert row.after["mood"] == "calm"
    (change,) = repository.diff_summary(before, after)
    assert change.schema_changed
    (schema,) = repository.schema_changes(before, after)
    assert "mood" in schema.after
    assert "mood" not in schema.before
    assert "mood" in repository.columns(QUESTIONS, at=after)
    assert "mood" not in repository.columns(QUESTIONS, at=before)


# Merging --------------------------------------------------------------------


def test_a_merge_lives_in_its_transaction(repository, transact, summer):
    _, theirs = add("summer", "theirs")
    _, ours = add("main", "ours")
    with transact():
        assert repository.start_merge(theirs) is MergeStatus.MERGED
        assert Question.objects.count() == 2
        transaction.set_rollback(True, using="versioned")
    assert repository.head("main") == ours
    assert Question.objects.count() == 1
    assert repository.uncommitted() is None


def test_a_merge_of_what_is_there_is_up_to_date(repository, transact, summer, main):
    add("main", "ours")
    with transact():
        assert repository.start_merge(main) is MergeStatus.UP_TO_DATE


def test_a_merge_has_no_place_in_a_savepoint(repository, transact, summer):
    _, theirs = add("summer", "theirs")
    with transact():
        with (
            pytest.raises(TransactionManagementError),
            transaction.atomic("versioned"),
        ):
            repository.start_merge(theirs)
        transaction.set_rollback(True, using="versioned")


def test_a_conflict_is_listed_settled_and_committed(repository, transact, summer):
    pk, base = add("main", "base")
    repository.delete_branch("summer")
    repository.create_branch("summer", base)
    for branch in ("main", "summer"):
        with on_branch(branch, author=ERIN):
            Question.objects.filter(pk=pk).update(text=f"{branch}’s")
    ours, theirs = repository.head("main"), repository.head("summer")
    with transact():
        assert repository.start_merge(theirs) is MergeStatus.CONFLICTS
        assert [(c.table, c.rows) for c in repository.conflict_counts()] == [
            (QUESTIONS, 1)
        ]
        (row,) = repository.conflicts(QUESTIONS)
        assert row.key == (pk,)
        assert [v["text"] for v in (row.base, row.ours, row.theirs)] == [
            "base",
            "main’s",
            "summer’s",
        ]
        repository.write_rows(QUESTIONS, [RowWrite((pk,), {"text": "both"})])
        repository.settle_conflicts(QUESTIONS, rows=1)
        assert repository.conflict_counts() == []
        commit = repository.commit_all("Merge", ERIN)
    assert repository.commit(commit).parents == (ours, theirs)
    assert Question.objects.get(pk=pk).text == "both"


def test_faults_that_were_committed_are_found(repository, connection, stranger, main):
    off = (
        "PRAGMA foreign_keys = OFF"
        if repository.features.engine == "DoltLite"
        else "SET foreign_key_checks = 0"
    )
    assert repository.broken_constraints() == []
    with connection.writing(), connection.cursor() as cursor:
        cursor.execute(off)
        cursor.execute(
            "INSERT INTO polls_choice (id, question_id, text, votes) "
            "VALUES (5, 404, 'orphan', 0)"
        )
    (fault,) = repository.broken_constraints()
    assert (fault.table, fault.key, fault.kind) == ("polls_choice", (5,), "foreign key")
    assert fault.referenced_table == QUESTIONS
    connection.close()


def test_a_branch_moves_forward_only_from_where_it_was(
    repository, connection, stranger, summer, main
):
    _, head = add("summer", "ahead")
    with connection.bound("main"):
        repository.fast_forward("main", expected=main, to=head)
    assert repository.head("main") == head
    _, further = add("summer", "further")
    _, moved = add("main", "moved")
    with connection.bound("main"), pytest.raises(BranchMoved):
        repository.fast_forward("main", expected=head, to=further)
    assert repository.head("main") == moved


def test_uncommitted_rows_are_in_the_way_of_a_move(
    repository, connection, stranger, summer, main
):
    _pk, head = add("main", "here")
    repository.delete_branch("summer")
    repository.create_branch("summer", head)
    with on_branch("summer", author=ERIN):
        Question.objects.update(details="ahead")
    stranger.execute("main", "UPDATE polls_question SET details = 'dirty'")
    with connection.bound("main"), pytest.raises(UncommittedRows):
        repository.fast_forward("main", expected=head, to=repository.head("summer"))
    assert repository.head("main") == head


# Locks ----------------------------------------------------------------------


def test_one_landing_at_a_time(repository, connection):
    from django.db import connections

    with repository.landing_lock("main"):
        other: Any = connections.create_connection("versioned")
        try:
            with (
                pytest.raises(EngineBusy),
                other.repository.landing_lock("main", timeout=0.1),
            ):
                pass
            with other.repository.landing_lock("summer", timeout=0.1):
                pass
        finally:
            other.close()
    with repository.landing_lock("main", timeout=0.1):
        pass


def test_a_lock_is_free_after_an_exception(repository):
    for lock in (repository.landing_lock, repository.write_lock):
        with pytest.raises(ZeroDivisionError), lock("main"):
            _ = 1 / 0
        with lock("main", timeout=0.1):
            pass


def test_a_unique_value_is_unique_within_a_unit(repository):
    pk, _ = add("main", "one")
    with pytest.raises(IntegrityError), on_branch("main", author=ERIN):
        for _ in range(2):
            Choice.objects.create(question_id=pk, text="same")
    assert Choice.objects.count() == 0


def test_how_many_rows_a_table_has_is_of_a_state(repository, poll, write):
    before = repository.head("main")
    write("main", lambda: Choice.objects.create(question=poll, text="The sea"))
    assert repository.row_count("polls_choice", at=before) == 2
    assert repository.row_count("polls_choice", at=repository.head("main")) == 3
    with pytest.raises(UnknownTable):
        repository.row_count("nothing", at=before)
    with pytest.raises(UnknownRef):
        repository.row_count("polls_choice", at="f" * len(before))


def test_a_tool_for_developers_can_show_what_was_executed(connection):
    """Also what was run for many rows at once, as the rows of a merge are."""
    shown = []

    def show(execute, sql, params, many, context):
        try:
            return execute(sql, params, many, context)
        finally:
            cursor = context["cursor"].cursor
            shown.append(connection.ops.last_executed_query(cursor, sql, params))

    with on_branch("main", author=ERIN, message="Ask"):
        question = Question.objects.create(text="What’s up?")
        with connection.execute_wrapper(show):
            connection.repository.write_rows(
                QUESTIONS, [RowWrite((question.pk,), {"text": "Who’s there?"})]
            )
    assert any("UPDATE" in sql and "polls_question" in sql for sql in shown)
    assert Question.objects.get().text == "Who’s there?"

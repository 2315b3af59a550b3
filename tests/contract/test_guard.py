"""No row is written unless somebody opened a branch for writing."""

import pytest
from django.db import transaction

from polls.models import Question
from versioning.backends.binding import is_write
from versioning.backends.errors import ReadOnlyState, WriteOutsideBranch

WRITES = [
    "INSERT INTO t VALUES (1)",
    "  update t set a = 1",
    "DELETE FROM t",
    "REPLACE INTO t VALUES (1)",
    "/* select */ UPDATE t SET a = 1",
    "-- a comment\nDELETE FROM t",
    "(((DELETE FROM t)))",
    "WITH x AS (SELECT 1) UPDATE t SET a = 1",
    "with x as (select 1) delete from t",
    "CREATE TABLE t (a int)",
    "ALTER TABLE t ADD b int",
    "DROP TABLE t",
    "TRUNCATE TABLE t",
    "CALL dolt_commit('-Am', 'x')",
    "LOAD DATA INFILE 'x' INTO TABLE t",
    "SELECT dolt_commit('-Am', 'x')",
    "select DOLT_BRANCH ('x')",
    "SELECT dolt_default_branch('x')",
]
READS = [
    "SELECT * FROM t",
    "(SELECT 1)",
    "SELECT 'insert into t'",
    "WITH x AS (SELECT 'delete') SELECT * FROM x",
    'WITH x AS (SELECT 1 AS "update") SELECT * FROM x',
    "SAVEPOINT s1",
    "SHOW TABLES",
    "PRAGMA table_info(t)",
    "SET autocommit = 0",
    "SELECT * FROM dolt_log('main')",
    "SELECT * FROM dolt_branches",
    "SELECT dolt_hashof('main'), dolt_default_branch()",
    "",
]


@pytest.mark.parametrize("sql", WRITES)
def test_a_statement_that_may_write(sql):
    assert is_write(sql)


@pytest.mark.parametrize("sql", READS)
def test_a_statement_that_only_reads(sql):
    assert not is_write(sql)


def everything(question: Question):
    return {
        "create": lambda: Question.objects.create(text="x"),
        "save": lambda: question.save(),
        "update": lambda: Question.objects.update(text="x"),
        "delete": lambda: question.delete(),
        "bulk": lambda: Question.objects.bulk_create([Question(text="x")]),
    }


@pytest.mark.parametrize("work", everything(Question()))
def test_a_write_outside_a_branch_is_refused_with_the_cure(repository, poll, work):
    head = repository.head("main")
    with pytest.raises(WriteOutsideBranch, match=r"on_branch\(.*author=.*message="):
        everything(poll)[work]()
    with (
        pytest.raises(WriteOutsideBranch),
        transaction.atomic(using="versioned"),
    ):
        everything(Question.objects.get())[work]()
    assert repository.head("main") == head
    assert repository.uncommitted() is None
    assert Question.objects.get().text == "What’s up?"


def test_raw_sql_is_refused_too(repository, connection):
    sql = "INSERT INTO polls_question (text, details, published) VALUES (%s, '', %s)"
    row = ["x", "2026-01-01"]
    with connection.cursor() as cursor:
        with pytest.raises(WriteOutsideBranch):
            cursor.execute(sql, row)
        with pytest.raises(WriteOutsideBranch):
            cursor.executemany(sql, [row, row])
    assert Question.objects.count() == 0


def test_the_door_closes_with_its_block_and_after_an_exception(connection):
    with pytest.raises(ZeroDivisionError), connection.writing():
        _ = 1 / 0
    with connection.writing():
        with connection.writing():
            pass
        Question.objects.create(text="still open")
    with pytest.raises(WriteOutsideBranch):
        Question.objects.create(text="closed")


def test_a_state_for_reading_is_read_only_until_its_block_ends(connection):
    with connection.writing():
        with connection.read_only("summer"):
            assert Question.objects.count() == 0
            with pytest.raises(ReadOnlyState, match="“summer”"):
                Question.objects.create(text="x")
        Question.objects.create(text="x")
    assert Question.objects.count() == 1


def test_reading_methods_work_on_a_state_for_reading(repository, connection, poll):
    head = repository.head("main")
    with connection.read_only("main"):
        assert repository.branches()
        assert repository.log([head], limit=1)
        assert repository.uncommitted() is None
        assert repository.tables()
        assert repository.rows("polls_question", [(poll.pk,)], at=head)


def test_unbinding_ends_a_state_for_reading(connection):
    with connection.writing(), connection.read_only("summer"):
        connection.unbind()
        Question.objects.create(text="x")
    assert Question.objects.count() == 1

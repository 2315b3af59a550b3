"""What ``Repository.features`` and docs/engines.md say of an engine, tried on it."""

import dataclasses
from pathlib import Path

import pytest
from django.db import OperationalError, transaction

from versioning.backends.errors import MergeBlocked
from versioning.backends.repository import Features, MergeStatus

DOCS = Path(__file__).resolve().parent.parent.parent / "docs" / "engines.md"


@pytest.fixture
def both_change(repository, connection, write):
    """``both_change(before, ours, theirs)``: what the merge of both sides says."""

    def change(before: list[str], ours: str, theirs: str) -> MergeStatus:
        write("main", *before)
        repository.create_branch("summer", repository.head("main"))
        write("main", ours)
        write("summer", theirs)
        with (
            connection.bound("main"),
            connection.writing(),
            transaction.atomic(using="versioned", durable=True),
        ):
            try:
                return repository.start_merge(repository.head("summer"))
            finally:
                transaction.set_rollback(True, using="versioned")

    return change


def test_documents_merge_by_key(repository, both_change):
    column = "json" if repository.features.merges_json_by_key else "text"
    status = both_change(
        [
            f"CREATE TABLE doc (id int PRIMARY KEY, j {column})",
            """INSERT INTO doc VALUES (1, '{"a": 1, "b": 1}')""",
        ],
        """UPDATE doc SET j = '{"a": 2, "b": 1}'""",
        """UPDATE doc SET j = '{"a": 1, "b": 2}'""",
    )
    merges = repository.features.merges_json_by_key
    assert status is (MergeStatus.MERGED if merges else MergeStatus.CONFLICTS)


def test_a_dropped_column_against_changed_values(repository, both_change):
    def merge() -> MergeStatus:
        return both_change(
            [
                "CREATE TABLE wide (id int PRIMARY KEY, a int, b int)",
                "INSERT INTO wide VALUES (1, 1, 1)",
            ],
            "ALTER TABLE wide DROP COLUMN b",
            "UPDATE wide SET b = 2",
        )

    if repository.features.reports_dropped_column_as_conflict:
        assert merge() is MergeStatus.CONFLICTS
    else:
        with pytest.raises(MergeBlocked, match="was dropped"):
            merge()


def test_dates_of_commits(repository, write):
    write("main", "CREATE TABLE dated (id int PRIMARY KEY)")
    for n in range(5):
        write("main", ("INSERT INTO dated VALUES (%s)", [n]))
    commits = repository.log([repository.head("main")], limit=5)
    parts = {commit.date.microsecond for commit in commits}
    assert (parts != {0}) is repository.features.commit_dates_have_milliseconds


def test_definitions_roll_back(repository, connection):
    with (
        connection.bound("main"),
        connection.writing(),
        transaction.atomic(using="versioned", durable=True),
    ):
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE undone (id int PRIMARY KEY)")
        transaction.set_rollback(True, using="versioned")
    is_gone = "undone" not in repository.tables()
    assert is_gone is repository.features.schema_changes_roll_back


def test_writers_of_two_branches(repository, connection, other_connection, summer):
    takes_turns = repository.features.branches_take_turns_in_writing
    with (
        connection.bound("main"),
        connection.writing(),
        transaction.atomic(using="versioned", durable=True),
        connection.cursor() as cursor,
        other_connection.bound("summer"),
        other_connection.writing(),
        other_connection.cursor() as other,
    ):
        cursor.execute("UPDATE polls_question SET text = 'new'")
        if takes_turns:
            other.execute("PRAGMA busy_timeout = 1")  # milliseconds
            with pytest.raises(OperationalError, match="locked"):
                other.execute("UPDATE polls_question SET text = 'newer'")
        else:
            other.execute("UPDATE polls_question SET text = 'newer'")
            assert other.rowcount == 1


def test_the_documentation_has_them_all(repository):
    features = repository.features
    rows = [
        [cell.strip() for cell in line.strip("|\n").split("|")]
        for line in DOCS.read_text().splitlines()
        if line.startswith("| `")
    ]
    said = {
        name.strip("`"): dict(zip(("DoltLite", "Dolt"), said, strict=True))
        for name, *said, _ in rows
    }
    flags = [
        field.name
        for field in dataclasses.fields(Features)
        if field.type in ("bool", bool)
    ]
    assert sorted(said) == sorted(flags)
    for flag in flags:
        yes = said[flag][features.engine] == "yes"
        assert yes is getattr(features, flag), flag
    assert f"{features.engine} {features.version}" in DOCS.read_text()


def test_how_much_of_a_table_a_merge_reads(repository, connection, write):
    def steps(rows: int) -> int:
        """How many steps the engine takes to merge two rows, in hundreds."""
        table, summer = f"of_{rows}", f"summer-{rows}"
        numbers = ", ".join(f"({n}, 'Row {n}', 0)" for n in range(rows))
        write(
            "main",
            f"CREATE TABLE {table} (id int PRIMARY KEY, name varchar(20) UNIQUE, "
            f"up int REFERENCES {table} (id))",
            f"INSERT INTO {table} VALUES {numbers}",  # noqa: S608
        )
        repository.create_branch(summer, repository.head("main"))
        reword = f"UPDATE {table} SET name = 'Other' WHERE id = "  # noqa: S608
        write("main", f"{reword}1")
        write(summer, f"{reword}2".replace("Other", "Another"))
        taken = []
        with (
            connection.bound("main"),
            connection.writing(),
            transaction.atomic(using="versioned", durable=True),
        ):
            connection.connection.set_progress_handler(lambda: taken.append(1), 100)
            try:
                status = repository.start_merge(repository.head(summer))
            finally:
                connection.connection.set_progress_handler(None, 0)
                transaction.set_rollback(True, using="versioned")
        assert status is MergeStatus.MERGED
        return len(taken)

    reads_all = steps(5000) > 20 * steps(50)
    assert reads_all is repository.features.merges_read_whole_tables

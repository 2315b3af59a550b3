"""
A merge with a thousand rows in conflict, and one with a hundred tables.

How long they take is for the benchmarks; here, that nothing is lost.
"""

from contextlib import closing
from dataclasses import replace

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from versioning.merging import bulk, deciding, drafts, picks, preview
from versioning.merging.dropped import without_dropped
from versioning.merging.landing import land
from versioning.merging.preview import PAGE
from versioning.merging.rehearsal import rehearsal
from versioning.merging.resolution import Choice, Take

CREATE = "CREATE TABLE {table} (id int NOT NULL PRIMARY KEY, v varchar(20), w int)"
INSERT = "INSERT INTO {table} VALUES {values}"
UPDATE = "UPDATE {table} SET v = '{word}'"
SELECT = "SELECT v, count(*) FROM {table} GROUP BY v"


@pytest.fixture
def conflicts(repository, write):
    """``conflicts({table: rows})``: that many rows in conflict; the three hashes."""

    def make(tables: dict[str, int]):
        made = []
        for table, rows in tables.items():
            values = ", ".join(f"({n}, 'base', 0)" for n in range(rows))
            made.append(CREATE.format(table=table))
            made.append(INSERT.format(table=table, values=values))
        write("main", *made)
        repository.create_branch("summer", repository.head("main"))
        for branch, word in (("main", "ours"), ("summer", "theirs")):
            write(branch, *(UPDATE.format(table=t, word=word) for t in tables))
        heads = (repository.head("main"), repository.head("summer"))
        sides = preview.sides_of(repository, *heads)
        assert sides is not None
        return sides

    return make


MUCH = {"one table": {"many": 1000}, "many tables": {f"t{n:03}": 1 for n in range(100)}}


@pytest.mark.parametrize("shape", MUCH)
def test_pages_neither_repeat_nor_drop_a_row(conflicts, shape):
    sides = conflicts(MUCH[shape])
    found = preview.preview("main", sides)
    assert found.required == sum(MUCH[shape].values())
    pages, place = [], None
    while True:
        page = preview.conflict_page("main", found, place)
        pages.append([(row.table, *row.key) for row in page.rows])
        place = page.next
        if place is None:
            break
    assert {len(page) for page in pages} == {PAGE}
    assert [row for page in pages for row in page] == [
        (table, key) for table, rows in MUCH[shape].items() for key in range(rows)
    ]


@pytest.mark.parametrize("shape", MUCH)
def test_what_is_left_is_decided_at_once_and_lands(
    repository, conflicts, rows, max_, shape
):
    sides = conflicts(MUCH[shape])
    draft = drafts.begin("summer", "main", sides, max_)
    found = preview.preview("main", sides)
    first = preview.conflict_page("main", found, None).rows[0]
    deciding.decide(draft, first, {"v": Choice(Take.VALUE, "typed")}, max_)
    made = bulk.decide_rest(draft, sides, Take.THEIRS, max_)
    assert made == found.required - 1
    assert drafts.counts(draft).settled == found.required
    commit = land("summer", "main", sides, draft, max_)
    assert repository.commit(commit).parents == (sides.ours, sides.theirs)
    landed = [
        row for table in MUCH[shape] for row in rows("main", SELECT.format(table=table))
    ]
    assert landed.count(("typed", 1)) == 1
    assert sum(n for v, n in landed if v == "theirs") == found.required - 1
    assert sum(n for _, n in landed) == found.required


def test_no_more_rows_are_held_than_are_looked_at(conflicts, max_, monkeypatch):
    """What a service asks for is bounded, so what it holds is."""
    sides = conflicts({"many": 1200})
    asked = []

    def counted(rows, columns):
        found = without_dropped(rows, columns)
        asked.append(len(found))
        return found

    monkeypatch.setattr(preview, "without_dropped", counted)
    draft = drafts.begin("summer", "main", sides, max_)
    bulk.decide_rest(draft, sides, Take.OURS, max_)
    land("summer", "main", sides, draft, max_)
    assert sum(asked) >= 3 * 1200
    assert max(asked) == 501  # the last says that there are more


def test_all_rows_in_conflict_come_in_parts_by_one_question(conflicts):
    sides = conflicts({"few": 1, "many": 1200})
    with rehearsal("main", sides) as merge:
        with CaptureQueriesContext(connections["versioned"]) as asked:
            parts = list(merge.each_conflict("many", at_once=500))
        assert [len(part) for part in parts] == [500, 500, 200]
        reads = [q for q in asked.captured_queries if "dolt_conflicts_many" in q["sql"]]
        assert len(reads) == 1
        assert [row for part in parts for row in part] == merge.conflicts("many")
        assert list(merge.each_conflict("polls_question", at_once=500)) == []


def test_who_stops_reading_rows_in_conflict_can_ask_on(conflicts):
    sides = conflicts({"many": 1200})
    with rehearsal("main", sides) as merge:
        with closing(merge.each_conflict("many", at_once=500)) as parts:
            assert [row.key for row in next(parts)] == [(n,) for n in range(500)]
        assert merge.head("main") == sides.ours
        assert [count.rows for count in merge.conflict_counts()] == [1200]


def test_a_change_laid_over_a_branch_gives_its_conflicts_in_parts(conflicts):
    sides = replace(conflicts({"many": 12}), is_merge=False)
    with rehearsal("main", sides) as merge:
        parts = list(merge.each_conflict("many", at_once=5))
        assert [len(part) for part in parts] == [5, 5, 2]
        assert [row for part in parts for row in part] == merge.conflicts("many")


def test_conflicts_in_parts_say_what_is_in_doubt(repository, conflicts):
    sides = conflicts({"many": 12})
    doubts = {"many": {(7,): frozenset({"w"})}}
    with rehearsal("main", sides):
        merge = picks.Doubting(repository, sides, doubts)
        parts = list(merge.each_conflict("many", at_once=5))
    assert [len(part) for part in parts] == [5, 5, 2]
    rows = {row.key: row.doubtful for part in parts for row in part}
    assert rows == {(n,): frozenset({"w"} if n == 7 else ()) for n in range(12)}


def test_a_first_look_reads_each_row_in_conflict_once(conflicts):
    sides = conflicts({"many": 1200})
    with CaptureQueriesContext(connections["versioned"]) as asked:
        assert preview.preview("main", sides).required == 1200
    reads = [q for q in asked.captured_queries if "dolt_conflicts_many" in q["sql"]]
    assert len(reads) == 1


@pytest.mark.parametrize("rows", [3, 4])
def test_how_long_a_merge_takes_is_told_by_the_tables_that_changed(
    repository, poll, write, monkeypatch, rows
):
    """Of all their rows, not of those that changed; one that is gone has none."""
    monkeypatch.setattr(preview, "READ_AT_ONCE", 3)
    numbers = ", ".join(f"({n})" for n in range(rows))
    write("main", "CREATE TABLE kept (id int PRIMARY KEY, a int)")
    write("main", f"INSERT INTO kept (id) VALUES {numbers}")  # noqa: S608
    write("main", "CREATE TABLE dropped (id int PRIMARY KEY)")
    write("main", "INSERT INTO dropped VALUES (1), (2), (3), (4)")
    repository.create_branch("autumn", repository.head("main"))
    write("autumn", "UPDATE kept SET a = 1 WHERE id = 1", "DROP TABLE dropped")
    heads = repository.head("main"), repository.head("autumn")
    sides = preview.sides_of(repository, *heads)
    assert sides is not None
    is_many = rows > 3
    takes_long = is_many and repository.features.merges_read_whole_tables
    assert preview.takes_long(repository, sides) is takes_long

"""Commits by prefix, by table and by descent; rows by a text."""

import pytest
from django.db import connections, transaction
from django.test.utils import CaptureQueriesContext

from polls.models import Choice, Question
from tests.contract.conftest import ERIN
from versioning.backends.errors import BadCursor, UnknownRef, UnknownTable


def queries():
    return CaptureQueriesContext(connections["versioned"])


def rename(text):
    return lambda: Question.objects.update(text=text)


@pytest.fixture
def merged(repository, connection, write, summer):
    """(one on main, two on summer, their merge on main)"""
    one = write("main", rename("Main"), message="one")
    two = write("summer", lambda: Choice.objects.update(votes=7), message="two")
    with (
        connection.bound("main"),
        connection.writing(),
        transaction.atomic(using="versioned", durable=True),
    ):
        repository.start_merge(two)
        return one, two, repository.commit_all("Merge summer", ERIN)


# Commits -----------------------------------------------------------------------


def test_commits_by_hash_in_the_order_asked_for(repository, merged):
    one, two, merge = merged
    with queries() as asked:
        found = repository.commits([two, merge, one, merge])
    assert [commit.hash for commit in found] == [two, merge, one, merge]
    assert [commit.message for commit in found][:3] == ["two", "Merge summer", "one"]
    assert found[1].parents == (one, two)
    assert found == [repository.commit(commit.hash) for commit in found]
    assert len(asked) <= 3
    assert repository.commits([two]) == [repository.commit(two)]
    assert repository.commits([]) == []
    with pytest.raises(UnknownRef):
        repository.commits([one, "0" * len(one)])


def test_commits_by_the_beginning_of_their_hash(repository, merged):
    for hash in merged:
        assert repository.with_prefix(hash[:12], limit=2) == [hash]
        assert repository.with_prefix(hash, limit=2) == [hash]
    missing = "0000" if not merged[0].startswith("0000") else "1111"
    assert repository.with_prefix(missing, limit=2) == []
    for prefix in ("", "abc", "%%%%", "____", "ABCD", "zzzz", "0" * 41):
        with pytest.raises(ValueError, match="begins"):
            repository.with_prefix(prefix, limit=2)


def test_commits_that_a_tag_alone_leads_to_are_found_by_the_beginning(
    repository, merged, write
):
    repository.create_branch("autumn", merged[-1])
    made = [write("autumn", lambda n=n: Choice.objects.update(votes=n)) for n in (8, 9)]
    repository.create_tag("v1", made[1], message="", author=ERIN)
    repository.delete_branch("autumn")
    for commit in made:
        assert repository.with_prefix(commit[:7], limit=2) == [commit]


def test_which_tables_a_commit_changed(repository, connection, merged, write):
    one, two, merge = merged
    added = repository.commit(one).parents[0]
    first = repository.log([one], limit=1000)[-1].hash
    for place in ({}, {"at": first}, {"branch": "summer"}):
        with connection.bound(**place):
            found = repository.tables_changed([one, two, merge, added, first])
        assert found == {
            one: {"polls_question"},
            two: {"polls_choice"},
            merge: {"polls_choice"},
            added: {"polls_choice", "polls_question"},
            first: frozenset(),
        }
    assert repository.tables_changed([]) == {}


def test_who_holds_a_commit(repository, write, merged):
    one, two, merge = merged
    repository.create_branch("autumn", two)
    three = write("autumn", rename("Autumn"), message="three")
    heads = [merge, three, two, one]
    with queries() as asked:
        assert repository.holders(two, heads) == {merge, three, two}
    assert len(asked) <= 2
    assert repository.holders(one, heads) == {merge, one}
    assert repository.holders(merge, heads) == {merge}
    assert repository.holders(three, []) == frozenset()
    for hash in heads:
        assert repository.holders(hash, heads) == {
            head for head in heads if repository.merge_base(head, hash) == hash
        }
    with pytest.raises(UnknownRef):
        repository.holders("0" * len(one), heads)


def test_what_heads_have_beyond_others(repository, write, merged):
    one, two, merge = merged
    added = repository.commit(one).parents[0]
    repository.create_branch("autumn", two)
    three = write("autumn", rename("Autumn"), message="three")
    four = write("autumn", rename("Late autumn"), message="four")
    with queries() as asked:
        found = repository.beyond([one], [merge, four, one, added])
    assert len(asked) <= 2
    assert found == {merge: [merge, two], four: [four, three, two], one: [], added: []}
    assert repository.beyond([merge], [four]) == {four: [four, three]}
    assert repository.beyond([merge, four], [three, one]) == {three: [], one: []}
    assert repository.beyond([one], []) == {}
    with pytest.raises(UnknownRef):
        repository.beyond(["0" * len(one)], [merge])


def test_how_far_heads_are_from_each_other(repository, write, merged):
    one, two, merge = merged
    repository.create_branch("autumn", two)
    three = write("autumn", rename("Autumn"), message="three")
    repository.create_tag("kept", three, message="", author=ERIN)
    repository.delete_branch("autumn")
    heads = [merge, three, two, one]
    with queries() as asked:
        counts = repository.ahead_behind(merge, heads)
    assert len(asked) <= 3
    assert counts == {merge: (0, 0), three: (1, 2), two: (0, 2), one: (0, 2)}
    for base in heads:
        assert repository.ahead_behind(base, heads) == {
            head: (
                repository.count_between(base, head),
                repository.count_between(head, base),
            )
            for head in heads
        }
    assert repository.holders(two, heads) == {merge, three, two}
    assert repository.ahead_behind(one, []) == {}


# Rows --------------------------------------------------------------------------


@pytest.fixture
def many(write, poll):
    texts = ["100 %", "100 x", "A_b", "Axb", "wow!", "Été", 'q"', "\\", "NOTE", "note"]
    return write(
        "main",
        lambda: [
            Question.objects.create(text=text, details="Look." if n < 3 else "")
            for n, text in enumerate(texts)
        ],
    )


def search(repository, at, text, columns=("text",), **options):
    options = {"limit": 50, "scanned": 1000, **options}
    rows, more = repository.search_rows(
        "polls_question", columns, text, at=at, **options
    )
    return [row["text"] for row in rows], more


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("0 %", ["100 %"]),
        ("A_", ["A_b"]),
        ("!", ["wow!"]),
        ('"', ['q"']),
        ("\\", ["\\"]),
        ("note", ["NOTE", "note"]),
        ("t’s u", ["What’s up?"]),
        ("'; --", []),
    ],
)
def test_rows_that_hold_a_text(repository, many, text, found):
    assert search(repository, many, text) == (found, None)


def test_rows_as_of_a_commit_and_in_the_columns_asked_for(repository, many, write):
    write("main", "DELETE FROM polls_choice", "DELETE FROM polls_question")
    both = search(repository, many, "look", ("text", "details"))
    assert both == (["What’s up?", "100 %", "100 x", "A_b"], None)
    assert search(repository, many, "look") == ([], None)
    assert search(repository, many, "look", ("nowhere",)) == ([], None)
    assert search(repository, repository.head("main"), "100") == ([], None)


def test_rows_are_found_in_pages_and_within_bounds(repository, many):
    def walk(**options):
        found, since, pages = [], None, 0
        while True:
            texts, since = search(repository, many, "0", since=since, **options)
            found += texts
            pages += 1
            if since is None:
                return found, pages

    assert walk(limit=1) == (["100 %", "100 x"], 2)
    # Eleven rows, three looked at for each page.
    assert walk(scanned=3) == (["100 %", "100 x"], 4)
    assert walk(scanned=11) == (["100 %", "100 x"], 1)


@pytest.mark.parametrize("text", ["été", "ETE", "ÉTÉ"])
def test_case_and_accents_make_no_difference(repository, many, text):
    assert search(repository, many, text) == (["Été"], None)


def test_a_place_by_another_key_is_none(repository, many):
    for since in ((1, 2), ("1", "2", "3")):
        with pytest.raises(BadCursor):
            search(repository, many, "0", since=since)


def test_rows_of_what_is_not_there(repository, poll):
    head = repository.head("main")
    for table, at in (("nowhere", head), ("polls_question", "0" * len(head))):
        with pytest.raises((UnknownTable, UnknownRef)):
            repository.search_rows(table, ["text"], "x", at=at, limit=1, scanned=1)

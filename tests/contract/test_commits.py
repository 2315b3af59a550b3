"""Commits: made, found by ref, listed, and who descends from whom."""

import random

import pytest
from django.db import transaction
from django.db.transaction import TransactionManagementError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from polls.models import Question
from tests.contract.conftest import ERIN
from versioning.backends.errors import UnknownRef
from versioning.backends.repository import Author, Commit, clean_author

NOTHING = ["", "nope", "main~1", "main^", "HEAD", "WORKING", "-D", "%s", "'; --"]


def add(text: str = "q") -> Question:
    return Question.objects.create(text=text)


# Refs --------------------------------------------------------------------------


def test_a_branch_goes_before_a_tag_of_the_same_name(repository, write, stranger):
    first = repository.head("main")
    stranger.tag("summer")
    assert repository.resolve("summer") == first
    second = write("main", add)
    repository.create_branch("summer", second)
    assert repository.resolve("summer") == second
    assert repository.resolve(first) == first


@pytest.mark.parametrize("ref", NOTHING)
def test_what_names_no_commit(repository, ref):
    with pytest.raises(UnknownRef) as caught:
        repository.resolve(ref)
    assert caught.value.ref == ref
    with pytest.raises(UnknownRef):
        repository.commit(ref)
    for ask in (repository.children, repository.holders):
        with pytest.raises(UnknownRef):
            ask(ref, [])
    with pytest.raises(UnknownRef):
        repository.log([ref], limit=1)


def test_a_part_of_a_hash_is_no_hash(repository):
    head = repository.head("main")
    for ref in (head[:8], head[:-1], f"{head}0", head.upper(), f" {head}"):
        with pytest.raises(UnknownRef):
            repository.resolve(ref)


def test_every_method_that_takes_two_hashes_checks_both(repository):
    head = repository.head("main")
    nowhere = "0" * len(head)
    for ask in (
        repository.merge_base,
        repository.merge_bases,
        repository.count_between,
        repository.diff_summary,
        repository.diff_stat,
        repository.schema_changes,
        lambda a, b: repository.commits_between(a, b, limit=1),
        lambda a, b: repository.commits_saying(["x"], a, b),
        lambda a, b: repository.diff_rows("polls_question", a, b),
    ):
        for pair in ((nowhere, head), (head, nowhere), ("main", head)):
            with pytest.raises(UnknownRef):
                ask(*pair)


def test_commits_are_found_by_their_message(repository, write):
    before = repository.head("main")
    repository.create_branch("summer", before)
    one = write("main", add, message="One\n\nWord: a-b")
    another = write("main", add, message="Another")
    two = write("main", add, message="Two\n\nWord: a-bc")
    write("summer", add, message="There\n\nWord: a-b")
    head = repository.head("main")
    found = repository.commits_saying(["Word: a-b"], before, head)
    assert [commit.hash for commit in found] == [two, one]
    assert found == repository.commits_saying(["Word: a-b"], before, head)
    assert repository.commits_saying(["Word: a-b"], two, head) == []
    found = repository.commits_saying(["Word: a-bc", "Another"], before, head)
    assert [commit.hash for commit in found] == [two, another]
    assert repository.commits_saying(["Nobody said it"], before, head) == []


# Made --------------------------------------------------------------------------


def test_a_commit_keeps_its_whole_message_and_its_author(repository, write):
    message = "Vote for “The sky”\n\nIt’s 100 % -- 'blue'; \\ \"\n\nVote-Token: x-1"
    before = repository.head("main")
    hash = write("main", add, message=message)
    commit = repository.commit(hash)
    assert (commit.message, commit.subject) == (message, "Vote for “The sky”")
    assert commit.author == ERIN
    assert commit.parents == (before,)
    assert commit.date.utcoffset().total_seconds() == 0
    assert not commit.is_merge


@pytest.mark.parametrize("message", ["--amend", "-m", "--", "-"])
def test_a_message_is_no_option(repository, write, message):
    before = repository.head("main")
    commit = repository.commit(write("main", add, message=message))
    assert (commit.message, commit.parents) == (message, (before,))


def test_nothing_changed_is_no_commit(repository, write):
    before = repository.head("main")
    assert write("main") is None
    assert write("main", "UPDATE polls_question SET text = 'x' WHERE 1 = 0") is None
    assert repository.head("main") == before


def test_a_commit_takes_all_rows_of_the_branch(repository, write, stranger):
    stranger.execute(
        "main",
        "INSERT INTO polls_choice (question_id, text, votes) "
        "SELECT id, 'x', 0 FROM polls_question",
    )
    write("main", add)
    assert repository.uncommitted() is None
    assert not repository.branch("main").dirty


def test_rows_and_commit_become_durable_together(repository, connection):
    """Nothing is written by a transaction whose commit never came."""
    before = repository.head("main")
    with connection.writing(), transaction.atomic(using="versioned"):
        add()
        assert repository.uncommitted() is not None
        assert "polls_question" in repository.uncommitted().tables
        transaction.set_rollback(True, using="versioned")
    assert repository.uncommitted() is None
    assert repository.head("main") == before


def test_what_follows_the_commit_can_still_read(repository, connection):
    with connection.writing(), transaction.atomic(using="versioned", durable=True):
        add()
        hash = repository.commit_all("Add", ERIN)
        assert Question.objects.count() == 1
        assert repository.head("main") == hash
    assert Question.objects.count() == 1


def test_a_failure_after_the_commit_does_not_undo_it(repository, connection):
    with (
        pytest.raises(ZeroDivisionError),
        connection.writing(),
        transaction.atomic(using="versioned"),
    ):
        add()
        repository.commit_all("Add", ERIN)
        _ = 1 / 0
    assert Question.objects.count() == 1
    assert repository.uncommitted() is None


@pytest.mark.parametrize("depth", [0, 2])
def test_a_commit_belongs_into_the_outermost_transaction(repository, connection, depth):
    before = repository.head("main")
    with connection.writing():
        if depth == 0:
            with pytest.raises(TransactionManagementError):
                repository.commit_all("x", ERIN)
            return
        with transaction.atomic(using="versioned"):
            with transaction.atomic(using="versioned"):
                add()
                with pytest.raises(TransactionManagementError):
                    repository.commit_all("x", ERIN)
            transaction.set_rollback(True, using="versioned")
    assert repository.head("main") == before
    assert Question.objects.count() == 0


@pytest.mark.parametrize(
    ("message", "author"),
    [
        ("", ERIN),
        (" \n\t", ERIN),
        ("a\x00b", ERIN),
        ("a\x1bb", ERIN),
        ("x", Author("", "a@b")),
        ("x", Author("A", "")),
        ("x", Author("A\nB", "a@b")),
        ("x", Author("A <b>", "a@b")),
        ("x", Author("A (Ops)", "a@b")),
        ("x", Author("A", "a@b>")),
    ],
)
def test_what_no_engine_could_keep_is_refused_before_it_is_sent(
    repository, connection, message, author
):
    with connection.writing(), transaction.atomic(using="versioned"):
        add()
        with pytest.raises(ValueError):
            repository.commit_all(message, author)
        assert repository.commit_all("Now", ERIN)
    assert repository.commit(repository.head("main")).message == "Now"


@pytest.mark.parametrize(
    ("name", "email", "expected"),
    [
        ("Erin Editor", "erin@example.org", ERIN),
        ("Max (Ops)", "max@example.org", Author("Max [Ops]", "max@example.org")),
        ("A <b>\n\tC", "a@b\r\n>", Author("A [b] C", "a@b")),
        ("  ", "", Author("Somebody", "nobody@pollard.invalid")),
        ("Zoë Ångström", "z@ü.example", Author("Zoë Ångström", "z@ü.example")),
        ("\x01\x7f", "<>", Author("Somebody", "nobody@pollard.invalid")),
        ("A\u2028B\x85C", "a@b", Author("A B C", "a@b")),
    ],
)
def test_a_persons_name_is_cleaned_for_the_engines(
    repository, connection, name, email, expected
):
    author = clean_author(name, email)
    assert author == expected
    with connection.writing(), transaction.atomic(using="versioned"):
        add()
        hash = repository.commit_all("Add", author)
    assert repository.commit(hash).author == expected


# Listed ------------------------------------------------------------------------


def assert_children_first(commits: list[Commit]) -> None:
    place = {commit.hash: number for number, commit in enumerate(commits)}
    assert len(place) == len(commits)
    for commit in commits:
        for parent in commit.parents:
            if parent in place:
                assert place[commit.hash] < place[parent]


def pages(repository, starts: list[str], limit: int) -> list[Commit]:
    """The whole log, page by page, each going on from the frontier of the last."""
    found: list[Commit] = []
    frontier = list(starts)
    while frontier:
        page = repository.log(frontier, limit=limit)
        assert 0 < len(page) <= limit
        found += page
        listed = {commit.hash for commit in found}
        parents = [parent for commit in page for parent in commit.parents]
        frontier = [
            hash for hash in dict.fromkeys([*frontier, *parents]) if hash not in listed
        ]
    return found


class Tangle:
    """A random history of a few branches, made with real commits and merges."""

    def __init__(self, repository, connection, write, choices: random.Random):
        self.repository, self.connection, self.write = repository, connection, write
        self.choices = choices
        self.names = ["main"]

    def grow(self, steps: int) -> None:
        for step in range(steps):
            name = self.choices.choice(self.names)
            kind = self.choices.random()
            if kind < 0.2 and len(self.names) < 4:
                self.names.append(f"b{len(self.names)}")
                self.repository.create_branch(self.names[-1], name)
            elif kind < 0.5 and len(self.names) > 1:
                other = self.choices.choice([n for n in self.names if n != name])
                self.merge(name, self.repository.head(other))
            else:
                self.write(name, lambda step=step: add(f"q{step}"))

    def merge(self, name: str, theirs: str) -> None:
        with (
            self.connection.bound(name),
            self.connection.writing(),
            transaction.atomic(using="versioned"),
        ):
            if self.repository.start_merge(theirs) == "up to date":
                return
            self.repository.commit_all("Merge", ERIN)

    @property
    def heads(self) -> list[str]:
        return [self.repository.head(name) for name in self.names]


def reachable(repository, starts: list[str]) -> dict[str, Commit]:
    """What a plain walk from parent to parent finds."""
    found: dict[str, Commit] = {}
    waiting = list(starts)
    while waiting:
        hash = waiting.pop()
        if hash not in found:
            found[hash] = repository.commit(hash)
            waiting += found[hash].parents
    return found


@settings(
    max_examples=12,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(seed=st.integers(0, 10**6), limit=st.integers(1, 7))
def test_any_history_is_listed_whole_in_order_and_in_pages(
    engine, repository, connection, write, rows, seed, limit
):
    engine.reset()
    tangle = Tangle(repository, connection, write, random.Random(seed))
    tangle.grow(14)
    for starts in ([tangle.heads[0]], tangle.heads, tangle.heads[::-1]):
        everything = reachable(repository, starts)
        whole = repository.log(starts, limit=1000)
        assert {commit.hash: commit for commit in whole} == everything
        assert_children_first(whole)
        assert repository.log(starts, limit=limit) == whole[:limit]
        paged = pages(repository, starts, limit)
        assert {commit.hash for commit in paged} == set(everything)
        assert_children_first(paged)
        if len(starts) == 1:
            assert paged == whole
    for one in tangle.heads:
        mine = set(reachable(repository, [one]))
        for other in tangle.heads:
            theirs = set(reachable(repository, [other]))
            assert repository.count_between(one, other) == len(theirs - mine)
            between = repository.commits_between(one, other, limit=1000)
            assert {commit.hash for commit in between} == theirs - mine
            assert_children_first(between)
            assert repository.merge_bases(one, other) == best(mine & theirs, everything)
            base = repository.merge_base(one, other)
            assert base in repository.merge_bases(one, other)
            assert rows("main", "SELECT dolt_merge_base(%s, %s)", [one, other]) == [
                (base,)
            ]
    for hash, commit in everything.items():
        for parent in commit.parents:
            assert hash in repository.children(parent, tangle.heads)
    for _ in range(3):  # what is known of a history that grows, is added to
        base, *heads = tangle.heads
        mine = set(reachable(repository, [base]))
        for head, counts in repository.ahead_behind(base, heads).items():
            theirs = set(reachable(repository, [head]))
            assert counts == (len(theirs - mine), len(mine - theirs))
        tangle.grow(4)


def best(common: set[str], commits: dict[str, Commit]) -> list[str]:
    """Common ancestors that no other one descends from, the slow way."""
    below: set[str] = set()
    for hash in common:
        waiting = list(commits[hash].parents)
        while waiting:
            parent = waiting.pop()
            if parent not in below:
                below.add(parent)
                waiting += commits[parent].parents
    return sorted(common - below)


def test_a_log_is_bounded_and_its_starts_may_repeat(repository, write):
    first = repository.head("main")
    second = write("main", add)
    assert repository.log([], limit=5) == []
    assert [c.hash for c in repository.log([second], limit=1)] == [second]
    twice = repository.log([second, second, first], limit=5)
    assert [commit.hash for commit in twice][:2] == [second, first]
    assert_children_first(twice)


def test_the_children_of_a_commit_are_those_that_heads_descend_from(repository, write):
    start = repository.head("main")
    repository.create_branch("summer", start)
    found = [write("main", add), write("summer", add)]
    assert repository.children(start, found) == sorted(found)
    assert repository.children(start, [start, found[1]]) == [found[1]]
    assert repository.children(found[0], found) == []
    with pytest.raises(UnknownRef):
        repository.children("0" * len(start), found)


def test_criss_cross_merges_have_two_bases(repository, connection, write):
    repository.create_branch("summer", "main")
    ours, theirs = write("main", add), write("summer", add)
    tangle = Tangle(repository, connection, write, random.Random(1))
    tangle.merge("main", theirs)
    tangle.merge("summer", ours)
    heads = repository.head("main"), repository.head("summer")
    assert repository.merge_bases(*heads) == sorted([ours, theirs])
    assert repository.merge_base(*heads) in (ours, theirs)
    assert repository.count_between(*heads) == 1

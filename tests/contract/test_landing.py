"""A merge: previewed, decided, built on a hidden branch, and landed whole."""

from typing import Any

import pytest
from django.db import connections, transaction
from django.db.models import F

import versioning
from polls.models import Choice, Question
from versioning.backends.errors import (
    BranchMoved,
    ConflictsRemain,
    MergeBlocked,
    UncommittedRows,
)
from versioning.backends.repository import Author, Repository
from versioning.merging import deciding, drafts, memory, merged, preview
from versioning.merging.candidate import (
    NothingToMerge,
    RowsInvalid,
    ViolationsRemain,
)
from versioning.merging.hiding import lock_key
from versioning.merging.landing import land
from versioning.merging.preview import TableConflicts
from versioning.merging.resolution import WHOLE_ROW, Take
from versioning.merging.resolution import Choice as Decided

pytestmark = pytest.mark.usefixtures("summer")

ERIN = Author("Erin Editor", "erin@example.org")
CHOICES = "polls_choice"
QUESTIONS = "polls_question"


def change(branch, model, pk, **values):
    with versioning.on_branch(branch, author=ERIN, message=f"Change {branch}"):
        model.objects.filter(pk=pk).update(**values)


def sky(poll):
    return Choice.objects.get(question_id=poll.pk, text="The sky")


def sides(repository, source="summer", target="main"):
    found = preview.sides_of(
        repository, repository.head(target), repository.head(source)
    )
    assert found is not None
    return found


def decide(repository, user, decisions, source="summer", target="main"):
    """Keep decisions {(table, key): {column: take or Decided}} as a draft."""
    at = sides(repository, source, target)
    draft = drafts.begin(source, target, at, user)
    for (table, key), choices in decisions.items():
        (row,) = preview.conflicts_of(target, at, table, [key])
        deciding.decide(
            draft,
            row,
            {
                column: take if isinstance(take, Decided) else Decided(take)
                for column, take in choices.items()
            },
            user,
        )
    return draft


def merge(repository, user, draft=None, source="summer", target="main"):
    return land(source, target, sides(repository, source, target), draft, user)


def hidden(repository):
    return [
        branch.name
        for branch in repository.branches()
        if branch.name.startswith(Repository.CANDIDATES)
    ]


def state(repository, connection, branch="main"):
    with connection.bound(branch):
        return {
            "questions": list(Question.objects.order_by("pk").values()),
            "choices": list(Choice.objects.order_by("pk").values()),
        }


# Clean merges ---------------------------------------------------------------


def test_a_clean_merge_is_a_commit_of_two_parents(repository, connection, poll, max_):
    change("summer", Question, poll.pk, text="What is up there?")
    change("main", Question, poll.pk, details="Look around.")
    at = sides(repository)
    found = preview.preview("main", at)
    assert (found.is_clean, found.fast_forward, found.required) == (True, False, 0)
    commit = merge(repository, max_)
    landed = repository.commit(commit)
    assert repository.head("main") == commit
    assert landed.parents == (at.ours, at.theirs)
    assert landed.author.name == "max"
    assert landed.subject == "Merge summer into main"
    question = Question.objects.get()
    assert (question.text, question.details) == ("What is up there?", "Look around.")
    assert hidden(repository) == []
    assert repository.uncommitted() is None


def test_a_fast_forward_takes_the_same_road(repository, connection, poll, max_):
    change("summer", Question, poll.pk, text="What is up there?")
    at = sides(repository)
    assert preview.preview("main", at).fast_forward
    commit = merge(repository, max_)
    assert repository.commit(commit).parents == (at.ours, at.theirs)
    assert Question.objects.get().text == "What is up there?"


def test_two_definitions_of_a_column_do_not_land(repository, poll, write, max_):
    add = "ALTER TABLE polls_question ADD COLUMN mood "
    write("summer", f"{add} varchar(9)")
    ours = write("main", f"{add} int")
    with pytest.raises(MergeBlocked):
        merge(repository, max_)
    assert repository.head("main") == ours
    assert hidden(repository) == []


def test_a_branch_that_is_merged_already_is_up_to_date(repository, poll, max_):
    change("summer", Question, poll.pk, text="What is up there?")
    merge(repository, max_)
    at = sides(repository)
    assert preview.preview("main", at).up_to_date
    head = repository.head("main")
    with pytest.raises(NothingToMerge):
        merge(repository, max_)
    assert repository.head("main") == head
    assert hidden(repository) == []


def test_a_preview_leaves_nothing_behind(repository, connection, poll):
    change("summer", Choice, sky(poll).pk, text="Skies")
    change("main", Choice, sky(poll).pk, text="Heaven")
    heads = [repository.head("main"), repository.head("summer")]
    memory.forget()
    found = preview.preview("main", sides(repository))
    assert found.required == 1
    assert [repository.head("main"), repository.head("summer")] == heads
    for branch in ("main", "summer"):
        with connection.bound(branch):
            assert repository.uncommitted() is None
            assert repository.conflict_counts() == []
    change("main", Question, poll.pk, details="Still writable")


# Decisions ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("take", "text"),
    [
        (Take.OURS, "Heaven"),
        (Take.THEIRS, "Skies"),
        (Take.BASE, "The sky"),
        (Decided(Take.VALUE, "The firmament"), "The firmament"),
    ],
)
def test_a_cell_that_both_changed_takes_what_was_decided(
    repository, poll, max_, take, text
):
    choice = sky(poll)
    change("summer", Choice, choice.pk, text="Skies")
    change("main", Choice, choice.pk, text="Heaven")
    draft = decide(repository, max_, {(CHOICES, (choice.pk,)): {"text": take}})
    commit = merge(repository, max_, draft)
    choice.refresh_from_db()
    assert (choice.text, choice.votes) == (text, 5)
    draft.refresh_from_db()
    assert (draft.state, draft.commit) == ("landed", commit)


def test_nothing_lands_while_a_decision_is_missing(repository, connection, poll, max_):
    change("summer", Choice, sky(poll).pk, text="Skies")
    with versioning.on_branch("main", author=ERIN):
        Choice.objects.filter(text="The sky").update(text="Heaven")
    before = state(repository, connection)
    head = repository.head("main")
    with pytest.raises(ConflictsRemain):
        merge(repository, max_)
    assert repository.head("main") == head
    assert state(repository, connection) == before
    assert hidden(repository) == []


@pytest.mark.parametrize(("take", "left"), [(Take.OURS, ["Heaven"]), (Take.THEIRS, [])])
def test_changed_here_and_deleted_there(repository, poll, max_, take, left):
    choice = sky(poll)
    with versioning.on_branch("summer", author=ERIN):
        Choice.objects.filter(pk=choice.pk).delete()
    change("main", Choice, choice.pk, text="Heaven")
    draft = decide(repository, max_, {(CHOICES, (choice.pk,)): {WHOLE_ROW: take}})
    merge(repository, max_, draft)
    found = Choice.objects.filter(pk=choice.pk).values_list("text", flat=True)
    assert list(found) == left


@pytest.mark.parametrize(
    ("take", "left"), [(Take.OURS, []), (Take.THEIRS, [("Skies", 5)])]
)
def test_deleted_here_and_changed_there(repository, poll, max_, take, left):
    choice = sky(poll)
    with versioning.on_branch("main", author=ERIN):
        Choice.objects.filter(pk=choice.pk).delete()
    change("summer", Choice, choice.pk, text="Skies")
    draft = decide(repository, max_, {(CHOICES, (choice.pk,)): {WHOLE_ROW: take}})
    merge(repository, max_, draft)
    found = Choice.objects.filter(pk=choice.pk).values_list("text", "votes")
    assert list(found) == left


def test_added_on_both_with_the_same_key(repository, poll, max_):
    for branch, text, votes in (("main", "Stars", 2), ("summer", "The stars", 3)):
        with versioning.on_branch(branch, author=ERIN):
            Choice.objects.create(pk=7000, question_id=poll.pk, text=text, votes=votes)
    draft = decide(repository, max_, {(CHOICES, (7000,)): {"text": Take.THEIRS}})
    merge(repository, max_, draft)
    row = Choice.objects.get(pk=7000)
    assert (row.text, row.votes) == ("The stars", 5)


# Counters -------------------------------------------------------------------


@pytest.mark.parametrize(("here", "there", "total"), [(1, 2, 8), (1, 1, 7), (3, 0, 8)])
def test_votes_of_both_sides_add_up(repository, poll, max_, here, there, total):
    choice = sky(poll)
    for branch, count in (("main", here), ("summer", there)):
        for _ in range(count):
            change(branch, Choice, choice.pk, votes=F("votes") + 1)
    change("summer", Question, poll.pk, details="So that there is a merge")
    found = preview.preview("main", sides(repository))
    assert found.required == 0
    merge(repository, max_)
    choice.refresh_from_db()
    assert choice.votes == total


def test_equal_changes_are_listed_with_their_sum(repository, poll):
    choice = sky(poll)
    change("main", Choice, choice.pk, votes=6)
    change("summer", Choice, choice.pk, votes=6)
    (line,) = preview.preview("main", sides(repository)).sums
    assert (line.key, line.common, line.ours, line.theirs, line.sum) == (
        (choice.pk,),
        *(5, 6, 6, 7),
    )


def test_an_equal_count_adds_up_on_a_row_in_conflict_too(repository, poll, max_):
    choice = sky(poll)
    change("main", Choice, choice.pk, votes=6, text="Heaven")
    change("summer", Choice, choice.pk, votes=6, text="Skies")
    assert preview.preview("main", sides(repository)).sums == ()
    draft = decide(repository, max_, {(CHOICES, (choice.pk,)): {"text": Take.OURS}})
    merge(repository, max_, draft)
    choice.refresh_from_db()
    assert (choice.text, choice.votes) == ("Heaven", 7)


@pytest.mark.parametrize("texts", [("", ""), ("Heaven", "Skies")])
def test_after_criss_cross_merges_each_vote_counts_once(repository, poll, max_, texts):
    """There are two best merge bases then, and each holds a vote of its own."""
    choice = sky(poll)
    for branch in ("main", "summer"):
        change(branch, Choice, choice.pk, votes=F("votes") + 1)
    before = sides(repository)
    land("summer", "main", before, None, max_)
    back = preview.sides_of(repository, before.theirs, before.ours)
    assert back is not None
    land("main", "summer", back, None, max_)
    for branch, text in zip(("main", "summer"), texts, strict=True):
        change(branch, Choice, choice.pk, votes=F("votes") + 1)
        if text:
            change(branch, Choice, choice.pk, text=text)
    at = sides(repository)
    assert len(repository.merge_bases(at.ours, at.theirs)) == 2
    made = {}
    if texts[0]:
        made = {(CHOICES, (choice.pk,)): {"text": Take.OURS}}
        (asked,) = preview.preview("main", at).conflicts
        assert asked == TableConflicts(CHOICES, rows=1, decisions=1, sums=1)
    else:
        (line,) = preview.preview("main", at).sums
        assert (line.common, line.ours, line.theirs, line.sum) == (7, 8, 8, 9)
    merge(repository, max_, decide(repository, max_, made))
    choice.refresh_from_db()
    assert choice.votes == 9


def test_a_row_added_alike_on_both_sides_counts_both(repository, poll, max_):
    for branch in ("main", "summer"):
        with versioning.on_branch(branch, author=ERIN, message="Add"):
            Choice.objects.create(pk=7000, question=poll, text="The stars", votes=0)
        for _ in range(3):
            change(branch, Choice, 7000, votes=F("votes") + 1)
    merge(repository, max_)
    assert Choice.objects.get(pk=7000).votes == 6


def test_a_sum_can_be_decided_otherwise(repository, poll, max_):
    choice = sky(poll)
    change("main", Choice, choice.pk, votes=6)
    change("summer", Choice, choice.pk, votes=9)
    draft = decide(repository, max_, {(CHOICES, (choice.pk,)): {"votes": Take.THEIRS}})
    merge(repository, max_, draft)
    choice.refresh_from_db()
    assert choice.votes == 9


# What lands is what was shown -----------------------------------------------


def test_what_lands_equals_the_preview_cell_for_cell(
    repository, connection, poll, max_
):
    choice = sky(poll)
    clouds = Choice.objects.get(text="The clouds")
    with versioning.on_branch("main", author=ERIN):
        Question.objects.filter(pk=poll.pk).update(text="Heaven?")
        Choice.objects.filter(pk=choice.pk).update(votes=6, text="Heaven")
        Choice.objects.filter(pk=clouds.pk).update(votes=1)
        Question.objects.create(text="New on main")
    with versioning.on_branch("summer", author=ERIN):
        Question.objects.filter(pk=poll.pk).update(details="Up.")
        Choice.objects.filter(pk=choice.pk).update(votes=9, text="Skies")
        Choice.objects.filter(pk=clouds.pk).update(votes=1)
        Question.objects.create(text="New on summer")
    at = sides(repository)
    before = {
        table: repository.rows(table, keys(repository, table), at=at.ours)
        for table in (QUESTIONS, CHOICES)
    }
    draft = decide(repository, max_, {(CHOICES, (choice.pk,)): {"text": Take.THEIRS}})
    expected = {table: dict(rows) for table, rows in before.items()}
    for table in (QUESTIONS, CHOICES):
        rows, more = merged.changes("main", at, table)
        assert not more
        for row in rows:
            if row.after is None:
                del expected[table][row.key]
            else:
                expected[table][row.key] = row.after
    for line in preview.preview("main", at).sums:
        expected[line.table][line.key] = {
            **expected[line.table][line.key],
            line.column: line.sum,
        }
    for judged in drafts.judge(
        draft, preview.conflicts_of("main", at, CHOICES, [(choice.pk,)])
    ):
        expected[CHOICES][judged.resolution.key] = judged.resolution.result
    commit = merge(repository, max_, draft)
    for table in (QUESTIONS, CHOICES):
        assert (
            repository.rows(table, keys(repository, table), at=commit)
            == expected[table]
        )
    assert {row["text"] for row in expected[QUESTIONS].values()} == {
        "Heaven?",
        "New on main",
        "New on summer",
    }


def keys(repository, table):
    model: Any = {QUESTIONS: Question, CHOICES: Choice}[table]
    return [(pk,) for pk in model.objects.values_list("pk", flat=True)]


# Everything that moves ------------------------------------------------------


def test_a_target_that_moved_is_not_merged_into(repository, connection, poll, max_):
    change("summer", Question, poll.pk, text="What is up there?")
    at = sides(repository)
    change("main", Question, poll.pk, details="Moved on")
    head = repository.head("main")
    with pytest.raises(BranchMoved):
        land("summer", "main", at, None, max_)
    assert repository.head("main") == head
    assert hidden(repository) == []


def test_a_target_that_moves_during_the_landing_stays_untouched(
    repository, connection, stranger, poll, max_, monkeypatch
):
    """Also by a writer that takes none of our locks."""
    change("summer", Question, poll.pk, text="What is up there?")
    at = sides(repository)
    forward = type(repository).fast_forward

    def late(self, branch, **kwargs):
        stranger.execute(
            "main", "UPDATE polls_question SET details = 'Late'", commit="Late"
        )
        return forward(self, branch, **kwargs)

    monkeypatch.setattr(type(repository), "fast_forward", late)
    with pytest.raises(BranchMoved):
        land("summer", "main", at, None, max_)
    assert repository.commit(repository.head("main")).message == "Late"
    question = Question.objects.get()
    assert (question.text, question.details) == ("What’s up?", "Late")
    assert hidden(repository) == []


def test_uncommitted_rows_on_the_target_are_said_not_swept_in(
    repository, connection, stranger, poll, max_
):
    change("summer", Question, poll.pk, text="What is up there?")
    stranger.execute("main", "UPDATE polls_question SET details = 'Not committed'")
    head = repository.head("main")
    with pytest.raises(UncommittedRows):
        preview.preview("main", sides(repository))
    with pytest.raises(UncommittedRows):
        merge(repository, max_)
    assert repository.head("main") == head
    assert hidden(repository) == []


def test_decisions_that_still_hold_survive_a_move(repository, poll, max_):
    choice = sky(poll)
    clouds = Choice.objects.get(text="The clouds")
    for branch, texts in (("main", ("a", "b")), ("summer", ("c", "d"))):
        change(branch, Choice, choice.pk, text=texts[0])
        change(branch, Choice, clouds.pk, text=texts[1])
    draft = decide(
        repository,
        max_,
        {
            (CHOICES, (choice.pk,)): {"text": Take.OURS},
            (CHOICES, (clouds.pk,)): {"text": Take.THEIRS},
        },
    )
    change("summer", Choice, clouds.pk, text="e")
    at = sides(repository)
    drafts.refresh(draft, at)
    assert drafts.counts(draft).settled == 1
    assert drafts.counts(draft).outdated == 1
    rows = preview.conflicts_of("main", at, CHOICES, [(choice.pk,), (clouds.pk,)])
    first, second = drafts.judge(draft, rows)
    assert first.resolution.settled
    assert second.resolution.pending == 1
    assert second.outdated["text"].take == "theirs"
    with pytest.raises(ConflictsRemain):
        merge(repository, max_, draft)


def test_what_a_killed_landing_left_is_swept(repository, poll, max_):
    left = f"{Repository.CANDIDATES}{lock_key('main')}-left"
    other = f"{Repository.CANDIDATES}{lock_key('other')}-alive"
    for name in (left, other):
        repository.create_branch(name, repository.head("main"))
    change("summer", Question, poll.pk, text="What is up there?")
    merge(repository, max_)
    assert hidden(repository) == [other]


def test_a_new_process_sweeps_what_is_nobodys(repository, client, poll):
    left = f"{Repository.CANDIDATES}{lock_key('a branch that is gone')}-left"
    alive = f"{Repository.CANDIDATES}{lock_key('main')}-alive"
    for name in (left, alive):
        repository.create_branch(name, repository.head("main"))
    other: Any = connections.create_connection("versioned")
    try:
        with other.repository.landing_lock(lock_key("main")):
            assert client.get("/").status_code == 200
    finally:
        other.close()
    assert hidden(repository) == [alive]


# Rules of the tables and of the application ---------------------------------


def test_a_result_that_breaks_a_foreign_key_blocks(repository, connection, poll, max_):
    with versioning.on_branch("summer", author=ERIN):
        Choice.objects.create(question_id=poll.pk, text="Stars")
    with versioning.on_branch("main", author=ERIN):
        poll.delete()
    found = preview.preview("main", sides(repository))
    assert not found.is_clean
    assert "foreign key" in {violation.kind for violation in found.violations}
    head = repository.head("main")
    with pytest.raises((ViolationsRemain, ConflictsRemain)):
        merge(repository, max_)
    assert repository.head("main") == head


def test_a_result_that_breaks_a_unique_index_blocks(repository, connection, poll, max_):
    for branch in ("main", "summer"):
        with versioning.on_branch(branch, author=ERIN):
            Choice.objects.create(question_id=poll.pk, text="Stars")
    found = preview.preview("main", sides(repository))
    assert {violation.kind for violation in found.violations} == {"unique index"}
    head = repository.head("main")
    with pytest.raises(ViolationsRemain):
        merge(repository, max_)
    assert repository.head("main") == head
    assert hidden(repository) == []


def test_a_typed_value_that_breaks_a_unique_index_is_refused(repository, poll, max_):
    choice = sky(poll)
    change("summer", Choice, choice.pk, text="Skies")
    change("main", Choice, choice.pk, text="Heaven")
    typed = Decided(Take.VALUE, "The clouds")
    draft = decide(repository, max_, {(CHOICES, (choice.pk,)): {"text": typed}})
    head = repository.head("main")
    with pytest.raises(ViolationsRemain) as refused:
        merge(repository, max_, draft)
    clouds = Choice.objects.get(text="The clouds")
    assert {v.key for v in refused.value.violations} == {(choice.pk,), (clouds.pk,)}
    assert repository.head("main") == head
    assert hidden(repository) == []
    choice.refresh_from_db()
    assert choice.text == "Heaven"


def test_a_row_that_the_model_refuses_does_not_land(repository, poll, max_):
    choice = sky(poll)
    change("summer", Choice, choice.pk, text="Skies")
    change("main", Choice, choice.pk, text="Heaven")
    draft = decide(
        repository, max_, {(CHOICES, (choice.pk,)): {"text": Decided(Take.VALUE, "")}}
    )
    with pytest.raises(RowsInvalid) as refused:
        merge(repository, max_, draft)
    (row,) = refused.value.rows
    assert row.key == (choice.pk,)
    assert "can" in row.reasons[0]  # “This field cannot be blank.”
    assert hidden(repository) == []


def test_the_default_database_is_not_asked_to_hold_the_merge(repository, poll, max_):
    """Landing works although ``default`` is in a transaction of its own."""
    change("summer", Question, poll.pk, text="What is up there?")
    with transaction.atomic(using="default"):
        commit = merge(repository, max_)
    assert repository.head("main") == commit

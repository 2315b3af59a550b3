"""
Counts after any history: votes, edits, branches, merges in all directions,
commits undone and taken over.

The oracle knows commits and their parents, and by how much each commit that is
no merge changed each count. A head's count is the sum over what it descends
from. Nothing of how merges work is in it.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db.models import F
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

import versioning
from polls.models import Choice, Question
from tests.afresh import ON_AN_ENGINE, begin_afresh
from versioning.backends.errors import BranchMoved
from versioning.backends.repository import Author, MergeSides
from versioning.merging import bulk, deciding, drafts, preview, sources
from versioning.merging.candidate import NothingToMerge
from versioning.merging.landing import land
from versioning.merging.resolution import Choice as Decided
from versioning.merging.resolution import Take, resolve
from versioning.merging.sources import Impossible
from versioning.models import MergeDraft

ERIN = Author("Erin Editor", "erin@example.org")
NAMES = ("main", "spring", "summer", "autumn")
TEXTS = ("The sky", "The Sky", "Skies", "Up")
CHOICES = "polls_choice"
CHOICES_AT_MOST = 4
ENOUGH = 100  # so that taking some back leaves a count that a column takes

some_branch = st.integers(0, len(NAMES) - 1)
some_choice = st.integers(0, CHOICES_AT_MOST - 1)
some_votes = st.sampled_from([1, 1, 1, 2, -1])
some_text = st.sampled_from(TEXTS)
some_side = st.sampled_from([Take.OURS, Take.THEIRS])


@dataclass
class Oracle:
    """What each commit that is no merge changed; the rest follows from parents."""

    parents: dict[str, tuple[str, ...]] = field(default_factory=dict)
    changes: dict[str, dict[int, int]] = field(default_factory=dict)

    def count(self, head: str) -> dict[int, int]:
        """The counts at a commit, by choice, without those that are nought."""
        total: dict[int, int] = defaultdict(int)
        waiting, seen = [head], {head}
        while waiting:
            commit = waiting.pop()
            for choice, change in self.changes.get(commit, {}).items():
                total[choice] += change
            new = [p for p in self.parents.get(commit, ()) if p not in seen]
            seen.update(new)
            waiting += new
        return {choice: votes for choice, votes in total.items() if votes}


@dataclass(frozen=True)
class OpenPreview:
    source: str
    target: str
    sides: MergeSides


class History(RuleBasedStateMachine):
    engine: Any
    user: Any

    @initialize()
    def begin(self) -> None:
        begin_afresh(self.engine)
        self.repository = versioning_repository()
        self.oracle = Oracle()
        self.open: list[OpenPreview] = []
        with versioning.on_branch("main", author=ERIN, message="Ask") as unit:
            for pk in range(1, CHOICES_AT_MOST + 1):
                Question.objects.create(pk=pk, text=f"Question {pk}?")
            for pk, votes in ((1, ENOUGH), (2, ENOUGH)):
                Choice.objects.create(
                    pk=pk, question_id=pk, text="The sky", votes=votes
                )
        self._note(unit.commit, {1: ENOUGH, 2: ENOUGH})

    def _branch(self, number: int) -> str:
        names = self._names()
        return names[number % len(names)]

    def _names(self) -> list[str]:
        return sorted(branch.name for branch in self.repository.branches())

    def _note(self, commit: str | None, changes: dict[int, int]) -> None:
        if commit is not None:
            parents = self.repository.commit(commit).parents
            self.oracle.parents[commit] = parents
            self.oracle.changes[commit] = changes

    @rule(branch=some_branch, choice=some_choice, votes=some_votes)
    def vote(self, branch: int, choice: int, votes: int) -> None:
        with versioning.on_branch(
            self._branch(branch), author=ERIN, message="Vote"
        ) as unit:
            found = Choice.objects.filter(pk=choice + 1)
            done = found.update(votes=F("votes") + votes)
        self._note(unit.commit, {choice + 1: votes} if done else {})

    @rule(branch=some_branch, choice=some_choice, text=some_text, votes=some_votes)
    def edit(self, branch: int, choice: int, text: str, votes: int) -> None:
        """A text and a count in one row, so that rows are in conflict."""
        with versioning.on_branch(
            self._branch(branch), author=ERIN, message="Edit"
        ) as unit:
            found = Choice.objects.filter(pk=choice + 1)
            done = found.update(text=text, votes=F("votes") + votes)
        self._note(unit.commit, {choice + 1: votes} if done else {})

    @rule(branch=some_branch, choice=some_choice, text=some_text, votes=some_votes)
    def add(self, branch: int, choice: int, text: str, votes: int) -> None:
        """Under a key that another branch may use too."""
        with versioning.on_branch(
            self._branch(branch), author=ERIN, message="Add"
        ) as unit:
            is_new = not Choice.objects.filter(pk=choice + 1).exists()
            if is_new:
                Choice.objects.create(
                    pk=choice + 1,
                    question_id=choice + 1,
                    text=text,
                    votes=ENOUGH + votes,
                )
        self._note(unit.commit, {choice + 1: ENOUGH + votes} if is_new else {})

    @rule(name=some_branch, at=some_branch)
    def make_branch(self, name: int, at: int) -> None:
        if NAMES[name] not in self._names():
            head = self.repository.head(self._branch(at))
            self.repository.create_branch(NAMES[name], head)

    @rule(name=st.integers(1, len(NAMES) - 1))
    def delete_branch(self, name: int) -> None:
        if NAMES[name] in self._names():
            self.repository.delete_branch(NAMES[name])

    @rule(source=some_branch, into=some_branch)
    def open_preview(self, source: int, into: int) -> None:
        self._open(self._branch(source), self._branch(into))

    def _open(self, source: str, target: str) -> OpenPreview:
        heads = self.repository.head(target), self.repository.head(source)
        sides = preview.sides_of(self.repository, *heads)
        assert sides is not None
        preview.preview(target, sides)
        opened = OpenPreview(source, target, sides)
        if source != target:
            self.open.append(opened)
        return opened

    @precondition(lambda self: self.open)
    @rule(number=st.integers(0, 5), take=some_side)
    def land_a_preview(self, number: int, take: Take) -> None:
        """One of those that are open, in any order, its branches moved or not."""
        self._land(self.open.pop(number % len(self.open)), take)

    @rule(source=some_branch, into=some_branch, take=some_side)
    def merge(self, source: int, into: int, take: Take) -> None:
        self._land(self._open(self._branch(source), self._branch(into)), take)

    @rule(one=some_branch, other=some_branch, take=some_side)
    def cross(self, one: int, other: int, take: Take) -> None:
        """Merge two branches into each other, each as it was before."""
        one_name, other_name = self._branch(one), self._branch(other)
        if one_name != other_name:
            there = self._open(one_name, other_name)
            back = self.repository.head(other_name)
            self._land(there, take)
            sides = preview.sides_of(
                self.repository, self.repository.head(one_name), back
            )
            assert sides is not None
            self._land(OpenPreview(other_name, one_name, sides), take)

    def _land(self, opened: OpenPreview, take: Take) -> None:
        target, sides = opened.target, opened.sides
        if opened.source == target or target not in self._names():
            return
        try:
            found = preview.preview(target, sides)
            draft = drafts.begin(opened.source, target, sides, self.user)
            self._decide(draft, found, take)
            commit = land(opened.source, target, sides, draft, self.user)
        except BranchMoved:
            assert self.repository.head(target) != sides.ours
            return
        except NothingToMerge:
            assert found.up_to_date
            return
        self.oracle.parents[commit] = (sides.ours, sides.theirs)
        assert self.repository.head(target) == commit

    def _decide(self, draft: MergeDraft, found: preview.Preview, take: Take) -> None:
        """Count what is in doubt each for its own; take one side of the rest."""
        target, sides = draft.target, found.sides
        for table in found.conflicts:
            rows = [
                row
                for page in preview.each_conflict_page(target, sides, [table.table])
                for row in page
            ]
            for row in rows:
                judged = resolve(row, {}, frozenset({"votes"}))
                if doubts := [c.column for c in judged.cells if c.in_doubt]:
                    sums = dict.fromkeys(doubts, Decided(Take.SUM))
                    deciding.decide(draft, row, sums, self.user)
            bulk.decide_pending(draft, [rows], take, self.user)

    @rule(branch=some_branch, number=st.integers(0, 9), take=some_side)
    def undo(self, branch: int, number: int, take: Take) -> None:
        name = self._branch(branch)
        log = self.repository.log([self.repository.head(name)], limit=10)
        self._bring(sources.revert(log[number % len(log)].hash), name, take)

    @rule(
        origin=some_branch, into=some_branch, number=st.integers(0, 9), take=some_side
    )
    def take_over(self, origin: int, into: int, number: int, take: Take) -> None:
        head = self.repository.head(self._branch(origin))
        log = self.repository.log([head], limit=10)
        source = sources.pick(log[number % len(log)].hash)
        self._bring(source, self._branch(into), take)

    def _bring(self, source: sources.Source, target: str, take: Take) -> None:
        try:
            sides = sources.sides(self.repository, source, target)
        except Impossible:
            return
        assert sides is not None
        if not {sides.base, sides.theirs} <= self.oracle.parents.keys():
            return  # from before the first poll
        before, after = self.oracle.count(sides.base), self.oracle.count(sides.theirs)
        keys = {
            key[0]
            for change in self.repository.diff_summary(sides.base, sides.theirs)
            for row in self.repository.diff_rows(change.table, sides.base, sides.theirs)
            for key in [row.key]
        }
        if not keys <= {1, 2}:
            return  # a row that comes or goes is a person's decision as a whole
        changes = {pk: after.get(pk, 0) - before.get(pk, 0) for pk in keys}
        found = preview.preview(target, sides)
        draft = drafts.begin(str(source), target, sides, self.user)
        self._decide(draft, found, take)
        try:
            commit = land(str(source), target, sides, draft, self.user)
        except NothingToMerge:
            assert not any(changes.values())
            return
        self._note(commit, changes)
        assert self.oracle.parents[commit] == (sides.ours,)

    @invariant()
    def every_head_agrees(self) -> None:
        if not hasattr(self, "oracle"):
            return
        for branch in self.repository.branches():
            assert not branch.name.startswith(self.repository.CANDIDATES)
            keys = [(pk,) for pk in range(1, CHOICES_AT_MOST + 1)]
            rows = self.repository.rows(CHOICES, keys, at=branch.head)
            counts = {pk: row["votes"] for (pk,), row in rows.items() if row["votes"]}
            assert counts == self.oracle.count(branch.head), branch.name


def versioning_repository() -> Any:
    from versioning.conf import repository

    return repository()


@pytest.mark.usefixtures("db")
def test_each_vote_counts_once_whatever_was_merged(engine, connection):
    History.engine = engine
    History.user = get_user_model().objects.create_user("max")
    run_state_machine_as_test(
        History,
        settings=settings(ON_AN_ENGINE, max_examples=40, stateful_step_count=25),
    )

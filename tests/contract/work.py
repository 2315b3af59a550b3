"""A merge of two branches, as somebody decides about it."""

from django.db import models

from tests.engines import ENGINE
from versioning.merging import deciding, drafts, mending, merged, preview, trial
from versioning.merging.landing import land
from versioning.merging.resolution import WHOLE_ROW, Take
from versioning.merging.resolution import Choice as Decided

SIDES = ("main", "summer")
QUESTIONS = "polls_question"
KEY = 7000  # of what both sides add


def commit_nothing(connection, branch, times):
    """So many commits on a branch, as other people make them meanwhile."""
    call = {"doltlite": "SELECT dolt_commit", "dolt": "CALL dolt_commit"}[ENGINE]
    with connection.bound(branch), connection.writing(), connection.cursor() as cursor:
        for number in range(times):
            words = f"Nothing {number}"
            cursor.execute(f"{call}('--allow-empty', '-m', %s)", [words])
            cursor.fetchall()


def refers_to(model, **options):
    """A foreign key of a test's own model."""
    return models.ForeignKey(model, models.CASCADE, related_name="+", **options)


def listed(work, table):
    """Rows that the merge’s page says change in a table: how, and their keys."""
    found = merged.merged_rows("summer", "main", work.sides, table)
    return [(str(row.kind), int(row.key)) for row in found.rows] if found else []


class Work:
    """The merge of summer into main, as somebody decides about it."""

    def __init__(self, repository, user):
        self.user = user
        sides = preview.sides_of(
            repository, repository.head("main"), repository.head("summer")
        )
        assert sides is not None
        self.sides = sides
        self.draft = drafts.begin("summer", "main", self.sides, user)

    def keep_both(self, table, key=KEY):
        self.decide(table, key, Take.BOTH)

    def decide(self, table, key, take):
        row = self.conflict(table, key)
        deciding.decide(self.draft, row, deciding.as_a_whole(row, take), self.user)

    def count(self, table, key, take):
        row = self.conflict(table, key)
        deciding.decide(self.draft, row, {"votes": Decided(take)}, self.user)

    def mend(self, table, key, take):
        row = mending.row_of(self.sides, table, (key,))
        assert row is not None
        choices = {WHOLE_ROW: Decided(take)}
        mending.mend(self.draft, self.sides, row, choices, self.user)

    def mend_copy(self, key, table=QUESTIONS, **made):
        """As the page does that shows its card."""
        assert mending.row_of(self.sides, table, (key,)) is None
        row = mending.copy_of(self.draft, self.sides, table, (key,))
        assert row is not None
        choices = {
            WHOLE_ROW if column == "whole" else column: choice
            for column, choice in made.items()
        }
        mending.mend(self.draft, self.sides, row, choices, self.user)

    def conflict(self, table, key):
        whole = key if isinstance(key, tuple) else (key,)
        (row,) = preview.conflicts_of("main", self.sides, table, [whole])
        return row

    @property
    def troubles(self):
        """What the page says before anything lands, by table and key."""
        found = trial.try_out("main", self.sides, self.draft)
        return {
            (row.versions.table, *row.versions.key): row.reasons for row in found.faults
        }

    def land(self):
        return land("summer", "main", self.sides, self.draft, self.user)

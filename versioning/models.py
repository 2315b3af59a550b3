"""What must not be branched: it lives in the default database."""

import hashlib
import json
import uuid
from typing import Any

from django.conf import settings
from django.db import models

from versioning.merging import sources
from versioning.merging.resolution import Take
from versioning.unit_of_work import author_of

# Long enough for any name that an engine takes, made here or not.
BRANCH_NAME_LENGTH = 500
HASH_LENGTH = 64
PERSON_NAME_LENGTH = 255
LOCATION_LENGTH = 1000
PAGE_LENGTH = 32


def name_of(user: Any) -> str:
    """
    What a user is called in what outlives the account, as in commits; "" for
    nobody.
    """
    return "" if user is None else author_of(user).name[:PERSON_NAME_LENGTH]


class Access(models.Model):
    """No table: only a place for the permissions of the console."""

    class Meta:
        managed = False
        default_permissions = ()
        permissions = [
            ("view_history", "Can read branches, history and diffs"),
            ("create_branch", "Can make and rename branches"),
            ("merge_branch", "Can merge, and edit protected branches"),
            ("delete_branch", "Can delete branches"),
            ("view_hidden", "Can see columns that are hidden from others"),
        ]


class Receipt(models.Model):
    """
    A form that was sent, so that it counts once however often it arrives.

    Written before the change is made, as an intent: the form's token and the
    branch's head before it. The commit that makes the change carries the
    token as a trailer; ``commit`` repeats what that says once it is known.
    ``digest`` is of what was sent, as a form can be filled in otherwise and sent
    again; "" where that is not known.
    """

    token = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    branch = models.CharField(max_length=BRANCH_NAME_LENGTH)
    head_before = models.CharField(max_length=HASH_LENGTH)
    path = models.CharField(max_length=500)
    digest = models.CharField(max_length=64, blank=True)
    commit = models.CharField(max_length=HASH_LENGTH, blank=True)
    location = models.CharField(max_length=LOCATION_LENGTH, blank=True)
    made = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["made"])]

    def __str__(self) -> str:
        return f"{self.path} on {self.branch}"


class DeletedBranch(models.Model):
    """
    The head of a branch that was deleted, so that it can be had back. Who did
    it is named as they were called then.
    """

    name = models.CharField(max_length=BRANCH_NAME_LENGTH)
    head = models.CharField(max_length=HASH_LENGTH)
    deleted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL
    )
    deleted_by_name = models.CharField(
        max_length=PERSON_NAME_LENGTH, blank=True, default=""
    )
    deleted_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-deleted_at", "-pk"]

    def __str__(self) -> str:
        return self.name


class MergeDraft(models.Model):
    """
    Decisions about a merge that is not landed yet, and then its record.

    Anybody who may merge can pick it up. The three hashes are those that the
    decisions were last judged against. People are named as they were when they
    did it, so that their names stay when the accounts are gone.
    """

    class State(models.TextChoices):
        OPEN = "open", "being settled"
        LANDED = "landed", "merged"
        ABANDONED = "abandoned", "set aside"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    source = models.CharField(max_length=BRANCH_NAME_LENGTH)
    target = models.CharField(max_length=BRANCH_NAME_LENGTH)
    base = models.CharField(max_length=HASH_LENGTH)
    ours = models.CharField(max_length=HASH_LENGTH)
    theirs = models.CharField(max_length=HASH_LENGTH)
    required = models.PositiveIntegerField(default=0)  # decisions, at those hashes
    revision = models.PositiveIntegerField(default=0)  # its last one's number
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    # The merge that it became; of an open draft, the one that is landing now.
    commit = models.CharField(max_length=HASH_LENGTH, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_by_name = models.CharField(
        max_length=PERSON_NAME_LENGTH, blank=True, default=""
    )
    created_at = models.DateTimeField(auto_now_add=True)
    landed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    landed_by_name = models.CharField(
        max_length=PERSON_NAME_LENGTH, blank=True, default=""
    )
    landed_at = models.DateTimeField(null=True, blank=True)
    abandoned_by_name = models.CharField(
        max_length=PERSON_NAME_LENGTH, blank=True, default=""
    )
    abandoned_at = models.DateTimeField(null=True, blank=True)

    #: What a commit's message says that is undone or taken over, where it was read.
    subject = ""

    class Meta:
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return sources.short(sources.parse(self.source), self.target, self.subject)

    @property
    def is_landing(self) -> bool:
        return self.state == self.State.OPEN and self.commit != ""

    @property
    def is_closed(self) -> bool:
        """Whether it takes no decision: it has ended, or is about to."""
        return self.state != self.State.OPEN or self.is_landing


class Revision(models.Model):
    """
    One change of what a draft's decisions are, made or taken back, and whose.

    Numbered, as the clocks of two machines may go apart: which came later is
    for no clock to say. ``page`` is that of the form that made it, a random text:
    what the same person does in another tab, this one has not seen.
    """

    draft = models.ForeignKey(
        MergeDraft, on_delete=models.CASCADE, related_name="revisions"
    )
    number = models.PositiveIntegerField()  # from 1, in each draft
    page = models.CharField(max_length=PAGE_LENGTH, blank=True, default="")
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["draft", "number"], name="versioning_one_revision_a_number"
            )
        ]

    def __str__(self) -> str:
        return f"{self.number} of {self.draft}"


class Decision(models.Model):
    """
    What somebody chose for a cell, or for a whole row, of a merge.

    ``seen`` holds the three values it was made on, so that it can be shown
    later and judged when a side moves.
    """

    draft = models.ForeignKey(
        MergeDraft, on_delete=models.CASCADE, related_name="decisions"
    )
    table = models.CharField(max_length=128)
    key = models.TextField()  # values.key_text() of the primary key
    key_hash = models.CharField(max_length=64)  # of ``key``: short enough to index
    column = models.CharField(max_length=128, blank=True)  # "" for the whole row
    take = models.CharField(max_length=10, choices=[(t, t) for t in Take])
    required = models.BooleanField()  # False for a sum that somebody overrode
    outdated = models.BooleanField(default=False)  # a side moved; see drafts.refresh()
    needed = models.BooleanField(default=True)  # False: and nothing is asked there now
    mends = models.BooleanField(default=False)  # a row that broke a rule: see result.py
    value = models.JSONField(null=True, blank=True)  # for Take.VALUE, encoded
    seen = models.JSONField()  # [base, ours, theirs], encoded
    revision = models.PositiveIntegerField(default=0)  # of the draft, that made it
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    decided_by_name = models.CharField(
        max_length=PERSON_NAME_LENGTH, blank=True, default=""
    )
    decided_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["draft", "table", "key_hash", "column"],
                name="versioning_one_decision_a_cell",
            )
        ]

    def __str__(self) -> str:
        return f"{self.table} {self.key} {self.column}: {self.take}"

    @property
    def stamp(self) -> str:
        """Another one whenever it is decided anew; a form says which it showed."""
        return str(self.revision)

    @property
    def answer(self) -> str:
        """The same for the same choice, whoever made it."""
        return answer_of(self.take, self.value)

    @property
    def shown_as(self) -> str:
        """What a form says that offers this decision as the one that counts."""
        return f"{self.stamp} {self.answer}"


def answer_of(take: str, value: Any) -> str:
    """A short text for a choice; ``value`` is encoded, as it is stored."""
    text = json.dumps([take, value], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]

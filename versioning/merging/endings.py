"""How a draft ends: it lands and is the record of that, or is set aside."""

from typing import Any

from django.db.models import Count, Max
from django.utils import timezone

from versioning.backends.errors import BranchNotFound, UnknownRef, VersioningError
from versioning.conf import repository
from versioning.merging.drafts import alone
from versioning.models import MergeDraft, name_of

LOOKED_AT = 500  # commits, for the merge that an open draft may have become
TRAILER = "Merge-Record"  # in a merge's message: its draft's id


class DraftChanged(VersioningError):
    """Somebody decided something, or ended the draft, since it was looked at."""


def stamp(draft: MergeDraft) -> str:
    """Another one whenever what is decided is another; a form says which it showed."""
    made = draft.decisions.aggregate(
        count=Count("pk"), newest=Max("pk"), last=Max("decided_at")
    )
    last = made["last"].isoformat() if made["last"] else ""
    return f"{made['count']} {made['newest']} {last}"


def abandon(draft: MergeDraft, user: Any, *, seen: str) -> None:
    """
    Let a draft's decisions count no more; they can still be read.

    Raises ``DraftChanged``, and leaves it as it is, if its ``stamp()`` is not
    the one that was ``seen`` or it is open no more.
    """
    with alone(draft):
        draft.refresh_from_db(fields=["state"])
        if draft.state != MergeDraft.State.OPEN or stamp(draft) != seen:
            raise DraftChanged
        draft.state = MergeDraft.State.ABANDONED
        draft.abandoned_by_name = name_of(user)
        draft.abandoned_at = timezone.now()
        draft.save(update_fields=["state", "abandoned_by_name", "abandoned_at"])


def found_landed(draft: MergeDraft) -> bool:
    """
    Whether the merge of an open draft is in its target all the same, as the
    process died between the two; makes it the record that it should be.

    The commit says which record it belongs to, so that the two can't part.
    """
    if draft.state != MergeDraft.State.OPEN:
        return False
    at_hand = repository()
    try:
        head = at_hand.head(draft.target)
        if head == draft.ours:
            return False
        since = at_hand.commits_between(draft.ours, head, limit=LOOKED_AT)
    except (BranchNotFound, UnknownRef):
        return False
    for commit in since:
        if f"{TRAILER}: {draft.pk}" in commit.message.splitlines():
            draft.landed_at = commit.date
            draft.landed_by_name = commit.author.name
            draft.commit = commit.hash
            draft.state = MergeDraft.State.LANDED
            draft.save(update_fields=["state", "commit", "landed_at", "landed_by_name"])
            return True
    return False


def record_of(commit: str) -> MergeDraft | None:
    """The record of the merge that made a commit (a hash), if it has one."""
    return MergeDraft.objects.filter(
        commit=commit, state=MergeDraft.State.LANDED
    ).first()


def landed(draft: MergeDraft, commit: str, user: Any) -> None:
    """Turn a draft into the record of the merge that it became."""
    draft.state = MergeDraft.State.LANDED
    draft.commit = commit
    draft.landed_by = user
    draft.landed_by_name = name_of(user)
    draft.landed_at = timezone.now()
    draft.save(
        update_fields=["state", "commit", "landed_by", "landed_by_name", "landed_at"]
    )

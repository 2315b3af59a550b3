"""How a draft ends: it lands and is the record of that, or is set aside."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from django.utils import timezone

from versioning import trailers
from versioning.backends.errors import (
    BranchNotFound,
    EngineBusy,
    UnknownRef,
    VersioningError,
)
from versioning.backends.repository import Commit
from versioning.conf import repository
from versioning.history import Message
from versioning.merging import sources
from versioning.merging.hiding import lock_key
from versioning.merging.locking import DraftClosed, alone, look_again, while_open
from versioning.merging.undone import with_undo
from versioning.models import MergeDraft, name_of
from versioning.moments import stored


class DraftChanged(VersioningError):
    """Somebody decided something since the draft was looked at."""


def abandon(draft: MergeDraft, user: Any, *, seen: int) -> None:
    """
    Let a draft's decisions count no more; they can still be read.

    Raises ``DraftClosed``, or ``DraftChanged`` if its revision is not the one
    that was ``seen``, and leaves it as it is.
    """
    with while_open(draft):
        if draft.revision != seen:
            raise DraftChanged
        draft.state = MergeDraft.State.ABANDONED
        draft.abandoned_by_name = name_of(user)
        draft.abandoned_at = timezone.now()
        draft.save(update_fields=["state", "abandoned_by_name", "abandoned_at"])


def found_landed(draft: MergeDraft, heads: Mapping[str, str] | None = None) -> bool:
    """
    Whether the merge of an open draft is in its target all the same, as the
    process died between the two; makes it the record that it should be.

    The commit says which record it belongs to, so that the two can't part. A
    draft whose landing came to nothing takes decisions again. ``heads`` are the
    branches' hashes by name, where they are at hand.
    """
    if draft.state != MergeDraft.State.OPEN:
        return False
    return _is_in_target(draft, heads) or (draft.is_landing and _came_to_an_end(draft))


def _is_in_target(draft: MergeDraft, heads: Mapping[str, str] | None = None) -> bool:
    at_hand = repository()
    try:
        head = at_hand.head(draft.target) if heads is None else heads.get(draft.target)
        if head is None or head == draft.ours:
            return False
        line = f"{trailers.MERGE_RECORD}: {draft.pk}"
        since = at_hand.commits_saying([line], draft.ours, head)
    except (BranchNotFound, UnknownRef):
        return False
    for commit in since:
        if _is_of(commit, draft):
            draft.landed_at = stored(commit.date)
            draft.landed_by_name = commit.author.name
            draft.commit = commit.hash
            draft.state = MergeDraft.State.LANDED
            with alone(draft):
                draft.save(
                    update_fields=["state", "commit", "landed_at", "landed_by_name"]
                )
            return True
    return False


def _is_of(commit: Commit, draft: MergeDraft) -> bool:
    """Whether a commit says that it is what a draft became, and can be that."""
    says = Message.parse(commit.message).trailers
    is_merge = sources.parse(draft.source).is_merge
    return (
        trailers.MERGE_RECORD,
        str(draft.pk),
    ) in says and commit.is_merge is is_merge


def _came_to_an_end(draft: MergeDraft) -> bool:
    """
    Whether a draft that was landing has landed; gives it back if it has not.
    One that is under way holds its target's lock: that is left alone.
    """
    lock = repository().landing_lock(lock_key(draft.target), timeout=0)
    with suppress(EngineBusy), lock:
        look_again(draft)
        if draft.is_landing and not _is_in_target(draft):
            draft.commit = ""
            draft.save(update_fields=["commit"])
    return draft.state == MergeDraft.State.LANDED


def record_of(commit: str) -> MergeDraft | None:
    """The record of the merge that made a commit (a hash), ``with_undo()``, or None."""
    landed = MergeDraft.objects.filter(commit=commit, state=MergeDraft.State.LANDED)
    return with_undo(landed).first()


@contextmanager
def landing(draft: MergeDraft, commit: str, user: Any, *, seen: int) -> Iterator[None]:
    """
    Around the moment in which a target moves to ``commit`` (a hash), under the
    target's landing lock: turns the draft into the record of that merge.

    From here on the draft takes no decision, so that the record holds what was
    merged and nothing else. Raises, before anything moves, ``DraftClosed`` if
    it was set aside, and ``DraftChanged`` if its revision is not the one that
    was ``seen`` before the decisions were read. If the block raises,
    nobody knows here whether the target moved: ``found_landed()`` finds out.
    """
    with alone(draft):
        look_again(draft)
        # One that seems to be landing is not: its lock is ours.
        if draft.state != MergeDraft.State.OPEN:
            raise DraftClosed(draft)
        if draft.revision != seen:
            raise DraftChanged
        draft.commit = commit
        draft.save(update_fields=["commit"])
    yield
    draft.state = MergeDraft.State.LANDED
    draft.landed_by = user
    draft.landed_by_name = name_of(user)
    draft.landed_at = timezone.now()
    with alone(draft):  # others may find out at this moment that it has landed
        draft.save(
            update_fields=[
                "state",
                "commit",
                "landed_by",
                "landed_by_name",
                "landed_at",
            ]
        )

"""Merges that were undone: a branch holds their commits, and not what they changed."""

from collections.abc import Mapping
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Concat

from versioning.merging import sources
from versioning.merging.standing import is_on
from versioning.models import MergeDraft

LOOKED_AT = 10  # merges of one branch into another, the latest


def undoing(commit: str, target: str) -> MergeDraft | None:
    """
    The record of what undid a commit (a hash) on a branch, if it was undone, and
    that was not undone in turn.
    """
    undos = _landed(str(sources.revert(commit)), target)[:LOOKED_AT]
    # Others are of a branch that had the name before.
    undo = next((undo for undo in undos if is_on(undo.commit, target)), None)
    return None if undo is None or undoing(undo.commit, target) else undo


def with_undo(drafts: QuerySet[MergeDraft]) -> QuerySet[MergeDraft]:
    """Records with ``undone_in``: the hash that ``undoing()`` may be about, or None."""
    source = Concat(Value(f"{sources.Kind.REVERT} "), OuterRef("commit"))
    undos = _landed(source, OuterRef("target")).values("commit")
    return drafts.annotate(undone_in=Subquery(undos[:1]))


def undoing_merge(source: str, target: str) -> MergeDraft | None:
    """The same of one of the latest merges of a branch into another."""
    merges = _landed(source, target).values_list("commit", flat=True)[:LOOKED_AT]
    found = (undoing(commit, target) for commit in merges)
    return next(filter(None, found), None)


def merging(source: str, target: str, theirs: str) -> MergeDraft | None:
    """The record of what merged a branch as it is (a hash) into another, if any did."""
    merges = _landed(source, target).filter(theirs=theirs)[:LOOKED_AT]
    return next((one for one in merges if is_on(one.commit, target)), None)


def merged(heads: Mapping[str, str], target: str) -> set[str]:
    """
    Which of some branches (hashes by name) were merged into another as they are,
    and not undone there.
    """
    landed = MergeDraft.objects.filter(
        target=target, theirs__in=heads.values(), state=MergeDraft.State.LANDED
    )
    return {
        record.source
        for record in with_undo(landed)
        if record.theirs == heads.get(record.source)
        and not getattr(record, "undone_in", None)
    }


def _landed(source: Any, target: Any) -> QuerySet[MergeDraft]:
    return MergeDraft.objects.filter(
        source=source, target=target, state=MergeDraft.State.LANDED
    ).order_by("-landed_at")

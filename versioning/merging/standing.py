"""What became of an open draft's branches, other than by landing it."""

from collections.abc import Mapping
from enum import StrEnum

from versioning.backends.errors import BranchNotFound, UnknownRef
from versioning.backends.repository import Repository
from versioning.conf import repository as versioned_repository
from versioning.merging import sources
from versioning.merging.sources import Kind
from versioning.models import MergeDraft


class Standing(StrEnum):
    WAITS = "waits"  # for decisions, or for somebody to land it
    HELD = "held"  # the target has it all already
    GONE = "gone"  # a branch of it was deleted


def standing(
    repository: Repository, draft: MergeDraft, heads: Mapping[str, str]
) -> Standing:
    """
    How an open draft stands; ``heads`` are all branches' hashes by name. Asks
    the engine only of a draft whose branches moved since it was judged last.
    """
    given = sources.parse(draft.source)
    head = heads.get(draft.target)
    if head is None:
        return Standing.GONE
    if given.kind is Kind.REVERT:
        return Standing.WAITS  # to undo is no commit that the target may hold
    theirs = given.name if given.kind is Kind.PICK else heads.get(given.name)
    if (head, theirs) == (draft.ours, draft.theirs):
        is_held = given.is_merge and draft.base == draft.theirs
        return Standing.HELD if is_held else Standing.WAITS
    if _holds(repository, head, theirs or draft.theirs):
        return Standing.HELD
    return Standing.GONE if theirs is None else Standing.WAITS


def gone(draft: MergeDraft, heads: Mapping[str, str]) -> list[str]:
    """The draft's branches that are no more."""
    names = [draft.target]
    given = sources.parse(draft.source)
    if given.is_merge:
        names.insert(0, given.name)
    return [name for name in names if name not in heads]


def is_on(commit: str, branch: str) -> bool:
    """
    Whether a branch has a commit (a hash): not one that was deleted and made anew
    since, or put back.
    """
    at_hand = versioned_repository()
    try:
        return _holds(at_hand, at_hand.head(branch), commit)
    except BranchNotFound:
        return False


def _holds(repository: Repository, head: str, commit: str) -> bool:
    try:
        return repository.merge_base(head, commit) == commit
    except UnknownRef:  # cleared away, with the branch
        return False

"""
What is brought into a branch: another branch, or one commit's changes.

All three are the same combination of three states, so they share the screen,
the drafts and the landing. To merge is to combine with another branch's head
since the merge base; to undo a commit, with the state before it, since it; to
pick a commit, with its state, since the one before it.
"""

from dataclasses import dataclass
from enum import StrEnum

from versioning import trailers
from versioning.backends.errors import BranchNotFound, VersioningError
from versioning.backends.repository import Commit, MergeSides, Repository
from versioning.history import Message
from versioning.merging.effects import standing
from versioning.names import is_hash, is_hidden

SHORT = 7  # characters of a hash on the page


class Kind(StrEnum):
    MERGE = "merge"
    REVERT = "revert"
    PICK = "pick"


class Impossible(VersioningError):
    """This can't be brought into that branch; ``str()`` is a sentence about why."""


@dataclass(frozen=True, slots=True)
class Source:
    """``name`` is a branch for a merge, else a commit's hash."""

    kind: Kind
    name: str

    def __str__(self) -> str:
        """As addresses and drafts have it: no branch's name holds a blank."""
        return self.name if self.is_merge else f"{self.kind} {self.name}"

    @property
    def is_merge(self) -> bool:
        return self.kind is Kind.MERGE

    @property
    def label(self) -> str:
        """What its side is called, beside the target branch."""
        match self.kind:
            case Kind.REVERT:
                return f"without {self.name[:SHORT]}"
            case Kind.PICK:
                return f"commit {self.name[:SHORT]}"
        return self.name


def revert(commit: str) -> Source:
    return Source(Kind.REVERT, commit)


def pick(commit: str) -> Source:
    return Source(Kind.PICK, commit)


def parse(text: str) -> Source:
    """What ``str()`` of a source gave; any other text is a branch's name."""
    kind, blank, commit = text.partition(" ")
    if blank and kind in (Kind.REVERT, Kind.PICK) and is_hash(commit):
        return Source(Kind(kind), commit)
    return Source(Kind.MERGE, text)


def head(repository: Repository, branch: str) -> str:
    """The hash of a branch that people see. Raises ``BranchNotFound``."""
    if is_hidden(branch):
        raise BranchNotFound(branch)
    return repository.head(branch)


def sides(
    repository: Repository, source: Source, target: str, ours: str | None = None
) -> MergeSides | None:
    """
    The three hashes as of now; None for branches that share no history.
    ``ours`` is the target's, if it is at hand.

    Raises ``BranchNotFound``, ``UnknownRef``, ``Impossible``.
    """
    ours = ours or head(repository, target)
    if source.is_merge:
        theirs = head(repository, source.name)
        base = repository.merge_base(ours, theirs)
        return None if base is None else MergeSides(base, ours, theirs)
    commit = repository.commit(source.name)
    if not commit.parents:
        raise Impossible("The first commit can’t be undone: nothing came before it.")
    before = commit.parents[0]
    is_held = repository.merge_base(ours, commit.hash) == commit.hash
    is_undo = source.kind is Kind.REVERT
    if is_held and not is_undo:
        raise Impossible(f"{target} holds this commit already.")
    if is_undo and not is_held:
        raise Impossible(f"There is nothing to undo: {target} lacks this commit.")
    if done_by := standing(repository, commit, ours, is_undo=is_undo).done_by:
        done = "This is undone on" if is_undo else "What this commit changed is on"
        raise Impossible(f"{done} {target} already, by commit {done_by[:SHORT]}.")
    if is_undo:
        return MergeSides(commit.hash, ours, before, is_merge=False)
    return MergeSides(before, ours, commit.hash, is_merge=False)


def title(source: Source, target: str, commit: Commit | None) -> str:
    """What is about to be done; ``commit`` is the source's, if it is one."""
    if commit is None:
        return f"Merge {source.name} into {target}"
    if source.kind is Kind.PICK:
        return f"Take “{commit.subject}” over to {target}"
    what = "the merge " if commit.is_merge else ""
    return f"Undo {what}“{commit.subject}” on {target}"


def short(source: Source, target: str, subject: str = "") -> str:
    """
    What is brought into what, for lists; a commit by its message's ``subject``,
    if that is at hand.
    """
    commit = f"“{subject}”" if subject else source.name[:SHORT]
    match source.kind:
        case Kind.REVERT:
            return f"undo of {commit} on {target}"
        case Kind.PICK:
            return f"{commit}, taken over to {target}"
    return f"{source.name} into {target}"


def message(
    source: Source, target: str, commit: Commit | None
) -> tuple[str, list[str]]:
    """Subject and trailers of the commit that lands."""
    if commit is None:
        return f"Merge {source.name} into {target}", []
    if source.kind is Kind.PICK:
        told = dict(Message.parse(commit.message).trailers)
        maker = told.get(trailers.MADE_BY) or trailers.one_line(commit.author.name)
        return commit.subject, [
            f"{trailers.PICKED_FROM}: {commit.hash}",
            f"{trailers.MADE_BY}: {maker}",
        ]
    what = "Undo the merge" if commit.is_merge else "Revert"
    return f"{what} “{commit.subject}”", [f"{trailers.REVERTS}: {commit.hash}"]


def done(source: Source, target: str) -> str:
    """What was done, for the message that follows."""
    match source.kind:
        case Kind.REVERT:
            what = f"Commit {source.name[:SHORT]} is undone on {target}."
            return f"{what} This one, which does so, can be undone in turn."
        case Kind.PICK:
            what = f"Commit {source.name[:SHORT]} is taken over to {target}"
            return f"{what}, as this commit."
    return f"{source.name} is merged into {target}."

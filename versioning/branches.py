"""Branches: the list, what may be done with each, and doing it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.db.models import Q

from versioning import names, permissions
from versioning.backends.errors import (
    BranchError,
    BranchMoved,
    BranchNotFound,
    EngineError,
)
from versioning.backends.repository import Branch, Commit, Repository
from versioning.comparison import state
from versioning.conf import repository as versioned_repository
from versioning.merging.standing import is_on
from versioning.models import DeletedBranch, MergeDraft, name_of
from versioning.refs import Refs

LOST_SHOWN = 10  # commits that a deletion would lose


class BranchRefused(BranchError):
    """The console does not do this to this branch; ``str()`` says why."""


@dataclass(frozen=True, slots=True)
class BranchChoice:
    """A branch in a list. Counts are commits, against the default branch."""

    branch: Branch
    is_active: bool
    is_default: bool
    is_protected: bool
    ahead: int  # commits that the default branch lacks
    behind: int  # commits of the default branch that this one lacks

    @property
    def name(self) -> str:
        return self.branch.name

    @property
    def head(self) -> str:
        return self.branch.head

    @property
    def subject(self) -> str:
        return self.branch.message.partition("\n")[0]

    @property
    def why_not_delete(self) -> str | None:
        """The reason why this branch stays, as a sentence; None if it may go."""
        return self._why_not("delete it")

    @property
    def why_not_rename(self) -> str | None:
        """The reason why this name stays, as a sentence; None if it may change."""
        return self._why_not("rename it")

    def _why_not(self, what: str) -> str | None:
        if self.is_default:
            return "This is the default branch; it stays what it is."
        if self.is_protected:
            return "This branch is protected; it stays what it is."
        if self.is_active:
            return f"You are on this branch. Switch to another one to {what}."
        return None


# Lists ------------------------------------------------------------------------


def listing(
    repository: Repository, *, active: str, among: Sequence[Branch] | None = None
) -> list[BranchChoice]:
    """
    All branches but hidden ones: the default first, then the newest change.
    ``among`` are all that there are, if they are at hand.
    """
    default = repository.default_branch()
    protected = permissions.protected_branches()
    if among is None:
        among = repository.branches()
    branches = [b for b in among if not names.is_hidden(b.name)]
    heads = {branch.name: branch.head for branch in branches}
    counts = _counts(repository, heads[default], heads.values())
    lines = [
        BranchChoice(
            branch=branch,
            is_active=branch.name == active,
            is_default=branch.name == default,
            is_protected=branch.name in protected,
            ahead=counts[branch.head][0],
            behind=counts[branch.head][1],
        )
        for branch in branches
    ]
    lines.sort(key=lambda line: line.branch.date, reverse=True)
    lines.sort(key=lambda line: not line.is_default)
    return lines


def choices(
    user: Any, *, active: str, among: Sequence[Branch] | None = None
) -> list[BranchChoice]:
    """The branches that a person may switch to, as ``listing()`` has them."""
    lines = listing(versioned_repository(), active=active, among=among)
    if user.has_perm(permissions.VIEW_HISTORY):
        return lines
    public = permissions.public_branches()
    return [line for line in lines if line.name in public]


def _counts(
    repository: Repository, default: str, heads: Iterable[str]
) -> dict[str, tuple[int, int]]:
    """
    (ahead, behind) of each head against the default branch's, by hash.

    Between two commits this never changes, so it is kept.
    """
    keys = {head: f"versioning:ahead-behind:{default}:{head}" for head in set(heads)}
    known = cache.get_many(keys.values())
    counts = {head: known[key] for head, key in keys.items() if key in known}
    missing = keys.keys() - counts.keys()
    found = repository.ahead_behind(default, missing) if missing else {}
    cache.set_many({keys[head]: pair for head, pair in found.items()}, timeout=None)
    return counts | found


def find(
    repository: Repository,
    name: str,
    *,
    active: str,
    among: Sequence[Branch] | None = None,
) -> BranchChoice:
    """One branch as ``listing()`` has it. Raises ``BranchNotFound``."""
    for line in listing(repository, active=active, among=among):
        if line.name == name:
            return line
    raise BranchNotFound(name)


def spent(
    record: MergeDraft | None, lines: Iterable[BranchChoice]
) -> BranchChoice | None:
    """
    The branch that a merge took in, if it has had nothing since and may go, or
    could from another branch; of a record ``with_undo()``, only if that stands.
    """
    if record is None or record.state != MergeDraft.State.LANDED:
        return None
    if getattr(record, "undone_in", None):
        return None
    was = (record.source, record.theirs)
    for line in lines:
        if (line.name, line.head) == was:
            return None if line.is_default or line.is_protected else line
    return None


# Making and renaming ----------------------------------------------------------


def refusal(refs: Refs, name: str, *, old: str = "") -> str | None:
    """
    Why a new branch, or the one that is called ``old``, can't have this name, as
    a sentence; None if it can.
    """
    taken = (branch.name for branch in refs.branches if branch.name != old)
    return names.refusal(name, taken) or _tag_refusal(refs, name)


def reservation(user: Any, name: str) -> str | None:
    """Why a person can give no branch this name, as a sentence; None if they can."""
    if permissions.may_name_branch(user, name):
        return None
    return (
        f"“{name}” is kept for a protected or public branch, so only people who may "
        "merge can give a branch this name."
    )


def _tag_refusal(refs: Refs, name: str) -> str | None:
    for tag in refs.tags:
        if tag.name.lower() == name.lower():
            return (
                f"There is a tag “{tag.name}”, which the branch could not be told from."
            )
    return None


def create(repository: Repository, name: str, *, at: str) -> str:
    """
    Make a branch at a ref and return the hash of its head.

    Raises ``BranchRefused`` for a name that is not to be given, and what
    ``state()`` raises for the ref.
    """
    refs = Refs.of(repository)
    if reason := refusal(refs, name):
        raise BranchRefused(name, reason)
    head = state(repository, at, refs).hash
    repository.create_branch(name, head)
    return head


def rename(repository: Repository, old: str, new: str, *, active: str) -> None:
    """Raises ``BranchNotFound``, ``BranchRefused``."""
    if reason := find(repository, old, active=active).why_not_rename:
        raise BranchRefused(old, reason)
    if new == old:
        return
    if reason := refusal(Refs.of(repository), new, old=old):
        raise BranchRefused(new, reason)
    repository.rename_branch(old, new)
    _rename_in_drafts(old, new)


def _rename_in_drafts(old: str, new: str) -> None:
    """
    What is being decided goes along with its branch. Of two drafts, one of a
    branch that had the new name before, that one is the pair's as it was.

    So does the record of a merge whose commits the branch holds: not that of an
    earlier one which had the old name, too.
    """
    of_branch = MergeDraft.objects.filter(Q(source=old) | Q(target=old))
    being_settled = MergeDraft.objects.filter(state=MergeDraft.State.OPEN)
    for draft in of_branch.filter(state=MergeDraft.State.OPEN):
        if draft.source == old:
            draft.source = new
        if draft.target == old:
            draft.target = new
        pair = {"source": draft.source, "target": draft.target}
        if not being_settled.filter(**pair).exists():
            draft.save(update_fields=["source", "target"])
    for record in of_branch.filter(state=MergeDraft.State.LANDED):
        before = record.source, record.target
        if record.source == old and is_on(record.theirs, new):
            record.source = new
        if record.target == old and is_on(record.commit, new):
            record.target = new
        if (record.source, record.target) != before:
            record.save(update_fields=["source", "target"])


# Deleting and bringing back ---------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pin:
    """A branch and the head it was seen with."""

    name: str
    head: str  # hash


@dataclass(frozen=True, slots=True)
class Loss:
    """What goes with a branch: commits that no branch that stays has."""

    branch: Branch
    count: int  # commits
    newest: tuple[Commit, ...]  # some of them

    @property
    def is_any(self) -> bool:
        return self.count > 0 or self.branch.dirty


def losses(repository: Repository, names_to_go: Sequence[str]) -> list[Loss]:
    """
    What deleting these branches together would lose, one by one.

    Raises ``BranchNotFound``.
    """
    branches = {branch.name: branch for branch in repository.branches()}
    for name in names_to_go:
        if name not in branches:
            raise BranchNotFound(name)
    staying = {
        branch.head
        for name, branch in branches.items()
        if name not in names_to_go and not names.is_hidden(name)
    }
    going = [branches[name] for name in names_to_go]
    lost = repository.beyond(staying, {branch.head for branch in going})
    shown = {hash for hashes in lost.values() for hash in hashes[:LOST_SHOWN]}
    commits = {commit.hash: commit for commit in repository.commits(list(shown))}
    return [
        Loss(
            branch,
            len(lost[branch.head]),
            tuple(commits[hash] for hash in lost[branch.head][:LOST_SHOWN]),
        )
        for branch in going
    ]


def check_deletable(
    repository: Repository, pins: Sequence[Pin], *, active: str
) -> None:
    """
    Raises ``BranchNotFound``, ``BranchRefused`` for a branch that stays, and
    ``BranchMoved`` for one whose head is no longer the pinned one.
    """
    lines = {line.name: line for line in listing(repository, active=active)}
    for pin in pins:
        if pin.name not in lines:
            raise BranchNotFound(pin.name)
        if reason := lines[pin.name].why_not_delete:
            raise BranchRefused(pin.name, reason)
        if lines[pin.name].head != pin.head:
            raise BranchMoved(pin.name, pin.head, lines[pin.name].head)


def delete(
    repository: Repository, pins: Sequence[Pin], *, active: str, by: Any
) -> list[DeletedBranch]:
    """
    Delete branches, all or none, and return what brings each of them back.

    Raises what ``check_deletable()`` raises.
    """
    check_deletable(repository, pins, active=active)
    # Written before the branch goes, so that no crash leaves it without one.
    gone: list[DeletedBranch] = []
    for pin in pins:
        record = DeletedBranch.objects.create(
            name=pin.name,
            head=pin.head,
            deleted_by=by,
            deleted_by_name=name_of(by),
        )
        try:
            repository.delete_branch(pin.name, expected_head=pin.head)
        except EngineError:
            record.delete()
            for earlier in gone:
                _bring_back(repository, earlier)
            raise
        gone.append(record)
    return gone


def deletion_of(name: str) -> DeletedBranch | None:
    """The latest deletion of a branch with that name, if it can be undone."""
    return DeletedBranch.objects.filter(name=name).first()


def restore(repository: Repository, deleted: DeletedBranch, *, by: Any) -> None:
    """
    Bring a deleted branch back for a user, under its name, at the head it had.

    Raises ``BranchExists`` if the name was given again meanwhile,
    ``BranchRefused`` if it was given to a tag or is not for this user to give,
    and ``UnknownRef`` if the engine has since cleared its commits away.
    """
    name = deleted.name
    if reason := reservation(by, name) or _tag_refusal(Refs.of(repository), name):
        raise BranchRefused(name, reason)
    _bring_back(repository, deleted)


def _bring_back(repository: Repository, deleted: DeletedBranch) -> None:
    repository.create_branch(deleted.name, deleted.head)
    deleted.delete()

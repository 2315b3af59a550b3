"""Which two states a comparison is of, and since when."""

from collections.abc import Sequence
from dataclasses import dataclass

from versioning import names
from versioning.backends.errors import AmbiguousRef, BranchNotFound, UnknownRef
from versioning.backends.repository import Branch, Repository
from versioning.refs import Refs


@dataclass(frozen=True, slots=True)
class State:
    """A ref that somebody named, and the commit it stands for."""

    ref: str
    hash: str
    is_branch: bool
    branches: tuple[str, ...]  # names of those whose head this is

    @property
    def label(self) -> str:
        """The branch's or tag's name, or the short hash."""
        return self.hash[:7] if self.ref == self.hash else self.ref


@dataclass(frozen=True, slots=True)
class Comparison:
    """
    ``old`` and ``new`` as named; ``before`` and ``after`` are the hashes that
    the diff leads between. With three dots ``before`` is the merge base, None
    if the two share no history.
    """

    old: State
    new: State
    dots: int  # 2: directly; 3: since the merge base
    base: str | None
    ahead: int  # commits that new has and old lacks
    behind: int  # commits that old has and new lacks

    @property
    def before(self) -> str | None:
        return self.base if self.dots == 3 else self.old.hash

    @property
    def after(self) -> str:
        return self.new.hash

    @property
    def is_same_commit(self) -> bool:
        return self.old.hash == self.new.hash

    @property
    def can_merge(self) -> bool:
        """Whether merging ``new`` into ``old`` would bring anything."""
        return (
            self.old.is_branch
            and self.new.is_branch
            and self.base is not None
            and self.ahead > 0
        )


def state(repository: Repository, ref: str, refs: Refs | None = None) -> State:
    """
    What a ref stands for, among ``refs``, if they are at hand. The beginning of
    a commit's hash, from the length on that pages show, stands for the commit.

    Raises ``UnknownRef``, as ``AmbiguousRef`` where several hashes begin so, and
    ``BranchNotFound`` for a landing's own branches, as if they were not there.
    """
    if names.is_hidden(ref):
        raise BranchNotFound(ref)
    refs = refs or Refs.of(repository)
    try:
        found = refs.find(ref) or repository.resolve(ref)
    except UnknownRef:
        ref = found = _begun_by(repository, ref)
    return State(ref, found, refs.has_branch(ref), refs.branches_at(found))


def _begun_by(repository: Repository, text: str) -> str:
    """The one hash that begins with a text. Raises as ``state()``."""
    found = repository.with_prefix(text, limit=2) if names.begins_hash(text) else []
    if not found:
        raise UnknownRef(text)
    if len(found) > 1:
        raise AmbiguousRef(text)
    return found[0]


def compare(
    repository: Repository,
    old: str,
    new: str,
    *,
    dots: int = 3,
    branches: Sequence[Branch] | None = None,
) -> Comparison:
    """
    What two refs stand for. ``branches`` are all of them but hidden ones, if
    the caller has read them already. Raises ``UnknownRef``, ``ValueError`` for
    dots that are neither 2 nor 3.
    """
    if dots not in (2, 3):
        raise ValueError("A comparison has two dots or three.")
    # A tag that is named is resolved by itself: most comparisons name none.
    refs = Refs.of(repository) if branches is None else Refs.made(branches)
    one, other = state(repository, old, refs), state(repository, new, refs)
    return Comparison(
        old=one,
        new=other,
        dots=dots,
        base=repository.merge_base(one.hash, other.hash),
        ahead=repository.count_between(one.hash, other.hash),
        behind=repository.count_between(other.hash, one.hash),
    )

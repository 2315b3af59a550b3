"""Tags: the list, making and deleting them."""

from versioning import names
from versioning.backends.errors import TagError
from versioning.backends.repository import Author, Repository
from versioning.comparison import state
from versioning.refs import Refs


class TagRefused(TagError):
    """The console does not make this tag; ``str()`` says why."""


def refusal(refs: Refs, name: str) -> str | None:
    """Why a new tag can't have this name, as a sentence; None if it can."""
    reason = names.refusal(name, (tag.name for tag in refs.tags), what="tag")
    if reason is None and any(
        branch.name.lower() == name.lower() for branch in refs.branches
    ):
        return f"There is a branch “{name}”, which the tag could not be told from."
    return reason


def create(
    repository: Repository, name: str, *, at: str, message: str, author: Author
) -> str:
    """
    Tag the commit that a ref stands for, and return its hash.

    Raises ``TagRefused`` for a name that is not to be given, ``UnknownRef``,
    and ``ValueError`` for a message or an author that no engine keeps.
    """
    refs = Refs.of(repository)
    if reason := refusal(refs, name):
        raise TagRefused(name, reason)
    found = state(repository, at, refs).hash
    repository.create_tag(name, found, message=message, author=author)
    return found

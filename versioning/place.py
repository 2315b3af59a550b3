"""Where a request is: the active branch, or a state that is open for reading."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest

from versioning import names, permissions
from versioning.backends.errors import BranchNotFound
from versioning.conf import repository

if TYPE_CHECKING:
    from versioning.backends.repository import Branch
    from versioning.branches import BranchChoice
    from versioning.unit_of_work import Unit

SESSION_KEY = "versioning_branch"
BRANCH_FIELD = "versioning_branch"
SWITCH_FIELD = "versioning_switch"  # the form's branch is to be the active one
TOKEN_FIELD = "versioning_token"


@dataclass(frozen=True, slots=True)
class State:
    """A branch or a commit that is looked at, and can't be written."""

    name: str  # branch name, or hash
    is_commit: bool
    back_url: str  # the same page on the active branch

    @property
    def short(self) -> str:
        return self.name[:7] if self.is_commit else self.name

    @property
    def query(self) -> str:
        """What a link within this state adds to its address."""
        return urlencode({"at" if self.is_commit else "branch": self.name})


class Place:
    """
    ``request.versioning``. Everything is found out when first asked for, so
    that a page that shows nothing of it pays nothing.
    """

    def __init__(self, request: HttpRequest):
        self._request = request
        self.state: State | None = None
        self.digest = ""  # of the form that was sent: see ``receipts.digest_of()``
        self.unit: Unit | None = None  # of a request that writes, also once it is over

    @cached_property
    def default_branch(self) -> str:
        return repository().default_branch()

    @cached_property
    def _chosen(self) -> str | None:
        """The branch in the session; None without one, or without a session."""
        if settings.SESSION_COOKIE_NAME not in self._request.COOKIES and not (
            self._request.session.modified
        ):
            return None
        return self._request.session.get(SESSION_KEY)

    @cached_property
    def gone(self) -> str | None:
        """The branch in the session, if it is no more or no longer visible."""
        name = self._chosen
        if name is None or name == self.default_branch:
            return None
        if not permissions.may_see_branch(self._request.user, name):
            return name
        return None if self._is_there(name) else name

    def _is_there(self, name: str) -> bool:
        if names.is_hidden(name):
            return False
        if self._request.method in ("GET", "HEAD"):
            # The page’s header shows all of them anyway.
            return any(branch.name == name for branch in self.all_branches)
        try:
            repository().branch(name)
        except BranchNotFound:
            return False
        return True

    @cached_property
    def branch(self) -> str:
        """Name of the active branch; the default one if the chosen one is gone."""
        if self._chosen is None or self.gone:
            return self.default_branch
        return self._chosen

    def switch(self, branch: str) -> None:
        """Make ``branch`` the session's active branch. The caller has checked it."""
        self._request.session[SESSION_KEY] = branch
        for name in (
            *("_chosen", "gone", "branch", "is_protected"),
            *("branches", "all_branches"),
        ):
            self.__dict__.pop(name, None)

    @property
    def is_default(self) -> bool:
        return self.branch == self.default_branch

    @cached_property
    def is_protected(self) -> bool:
        return self.branch in permissions.protected_branches()

    @property
    def can_write(self) -> bool:
        """Whether this page may offer forms at all: not in a read-only state."""
        return self.state is None

    @property
    def can_edit(self) -> bool:
        """Whether this person's edits are taken here; votes are always."""
        return self.can_write and permissions.may_edit_branch(
            self._request.user, self.branch
        )

    @cached_property
    def all_branches(self) -> Sequence[Branch]:
        """Every branch there is, read once for a page and its header."""
        return list(repository().branches())

    @cached_property
    def branches(self) -> Sequence[BranchChoice]:
        """The branches that this person may switch to."""
        from versioning import branches

        return branches.choices(
            self._request.user, active=self.branch, among=self.all_branches
        )

    @cached_property
    def engine(self) -> Any:
        """``Features`` of the engine, for the footer."""
        return repository().features

"""
Where a connection is, and whether it may write there.

Both backends mix ``VersionedConnection`` into Django's ``DatabaseWrapper``. It
keeps two promises for the whole project: a connection is on the branch that
was asked for, and on no other, before the first statement of a request runs;
and no row is written unless somebody opened a branch for writing, so that
every row belongs to a commit.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db.transaction import TransactionManagementError

from versioning.backends.errors import ReadOnlyState, WriteOutsideBranch


@dataclass(frozen=True, slots=True)
class Binding:
    """
    A place for a connection to be: a branch, by name, or a fixed state, by hash.

    With neither it is the default branch, as a connection that nobody bound.
    """

    branch: str | None = None
    at: str | None = None

    @property
    def name(self) -> str:
        return self.at or self.branch or "the default branch"


DEFAULT = Binding()

# The first keyword of a statement that may change rows or tables. Statements
# that begin with WITH are looked into, as they may be either.
_FIRST_WORD = re.compile(r"(?:\s|/\*.*?\*/|--[^\n]*\n|\()*([a-z]+)", re.I | re.S)
_WRITES = frozenset(
    "insert update delete replace merge call load truncate import "
    "create alter drop rename".split()
)
_WRITE_WITHIN = re.compile(r"\b(insert|update|delete|replace)\b", re.I)
# DoltLite's procedures are functions, called in a SELECT.
_PROCEDURE = re.compile(
    r"\bdolt_(add|branch|checkout|cherry_pick|clean|commit|conflicts_resolve|"
    r"connect_branch|fetch|gc|merge|pull|push|rebase|remote|reset|revert|tag|"
    r"verify_constraints)\s*\(|\bdolt_default_branch\s*\(\s*[^\s)]",
    re.I,
)
_QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`(?:[^`]|``)*`")


def is_write(sql: str) -> bool:
    """Whether a statement may change something. Errs only towards yes."""
    match = _FIRST_WORD.match(sql)
    if match is None:
        return False
    word = match[1].lower()
    if word == "with":
        return _WRITE_WITHIN.search(_QUOTED.sub("", sql)) is not None
    return word in _WRITES or _PROCEDURE.search(sql) is not None


class VersionedConnection:
    """
    Mixin for a ``DatabaseWrapper``, before Django's own class.

    A backend supplies ``_switch()``, which takes an open connection to where
    it should be, and calls ``_note_place()`` when it made a new connection.

    A connection that nobody bound is *at home*. While it is there it serves
    whoever names that branch, too, without a statement.
    """

    connection: Any
    repository: Any
    in_atomic_block: bool
    errors_occurred: bool
    execute_wrappers: list[Callable[..., Any]]
    close: Callable[[], None]
    close_if_unusable_or_obsolete: Callable[[], None]

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self._wanted = DEFAULT
        self._actual: Binding | None = None
        self._home: str | None = None
        self._moving = False
        self._lost = False
        self._doors = 0
        self._read_only: str | None = None
        self.execute_wrappers.append(self._guard)

    # Place -------------------------------------------------------------------

    @property
    def binding(self) -> Binding:
        """Where the next statement will run."""
        return self._wanted

    def bind(self, branch: str | None = None, *, at: str | None = None) -> None:
        """
        Say where the next statements run: on a branch (by name), or at a
        commit (``at``, a hash), for reading. Costs nothing until one does.

        Nothing is checked here; the first statement raises ``BranchNotFound``
        or ``UnknownRef``. Inside ``atomic()`` a connection stays where it is:
        ``TransactionManagementError``.
        """
        place = Binding(branch, at)
        if place == self._wanted:
            return
        if self.in_atomic_block:
            raise TransactionManagementError(
                f"A connection can't leave {self._wanted.name} for {place.name} "
                "in the middle of a transaction."
            )
        self._wanted = place

    def unbind(self) -> None:
        """
        Leave whatever the connection was bound to, at once, so that a pooled
        or persistent connection keeps no branch from being deleted.

        A connection on which something failed is checked, and closed if it is
        of no more use. ``TransactionManagementError`` inside ``atomic()``.
        """
        self.bind()
        self.repository.forget()
        self._read_only = None
        if self.in_atomic_block:
            return
        if self._lost:
            self.close()  # to ask whether it is usable would open another
        elif self.errors_occurred:
            self.close_if_unusable_or_obsolete()
        self._go_home()

    @contextmanager
    def bound(
        self, branch: str | None = None, *, at: str | None = None
    ) -> Iterator[None]:
        """``bind()`` for the length of a block, then back to where it was."""
        before = self._wanted
        self.bind(branch, at=at)
        try:
            yield
        finally:
            self.bind(before.branch, at=before.at)
            if before == DEFAULT:
                self._go_home()

    def ensure_connection(self) -> None:
        if self._lost and not self.in_atomic_block:
            self.close()
        super().ensure_connection()  # type: ignore[misc]
        if self._moving or self._actual == self._wanted:
            return
        if self._is_home(self._actual) and self._is_home(self._wanted):
            self._actual = self._wanted
            return
        self._moving = True
        try:
            self._switch(self._wanted)
            self._actual = self._wanted
        finally:
            self._moving = False

    def _note_place(self, place: Binding | None, *, home: str | None = None) -> None:
        """
        Called by a backend for a connection just made or just closed.

        ``home`` is the branch that a connection which nobody bound is on; None
        if that is not known, and then nothing is taken for granted.
        """
        self._actual = place
        self._home = home
        self._lost = False

    def _is_home(self, place: Binding | None) -> bool:
        if place is None or place.at is not None:
            return False
        return place.branch is None or place.branch == self._home

    def _go_home(self) -> None:
        if self._is_home(self._actual):
            self._actual = DEFAULT
        elif self._actual is not None:
            self._leave()

    def _note_loss(self) -> None:
        """Called by a backend where it sees that the connection is dead."""
        self._lost = True

    def _switch(self, place: Binding) -> None:
        raise NotImplementedError

    def _leave(self) -> None:
        raise NotImplementedError

    # Permission to write -----------------------------------------------------

    @contextmanager
    def writing(self) -> Iterator[None]:
        """
        Let statements write for the length of a block.

        For ``versioning.unit_of_work``, for merges and for tests of the
        backends: other code opens a branch with ``on_branch()``.
        """
        self._doors += 1
        try:
            yield
        finally:
            self._doors -= 1

    @contextmanager
    def read_only(self, state: str) -> Iterator[None]:
        """
        Refuse writes for the length of a block, ``writing()`` or not.

        ``state`` is named in the error: a branch's name or a hash.
        """
        before, self._read_only = self._read_only, state
        try:
            yield
        finally:
            self._read_only = before

    def _guard(
        self, execute: Any, sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        state = self._read_only or self._wanted.at
        if (state or not self._doors) and is_write(sql):
            if state:
                raise ReadOnlyState(state)
            raise WriteOutsideBranch
        return execute(sql, params, many, context)

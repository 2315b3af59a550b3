"""
One unit of work: a branch, a lock, a transaction, a commit.

``on_branch()`` is the only way to write to the versioned database. Requests
go through it by the middleware, scripts and shells by themselves.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from django.db import transaction

from versioning import trailers
from versioning.backends.errors import ConflictsRemain, SerializationFailure
from versioning.backends.repository import (
    Author,
    Repository,
    Uncommitted,
    clean_author,
)
from versioning.conf import connection as versioned_connection
from versioning.kinds import ABOUT, KIND

#: Whom rows are attributed to that some other client left uncommitted.
OUTSIDE = Author("outside Pollard", "outside@pollard.invalid")
ANONYMOUS = Author("Anonymous visitor", "anonymous@pollard.invalid")

Opener: TypeAlias = "Callable[[], AbstractContextManager[Unit]]"

_TRAILER = "{}: {}"
_current: ContextVar[Unit | None] = ContextVar("versioning_unit", default=None)
_opener: ContextVar[Opener | None] = ContextVar("versioning_opener", default=None)


@dataclass
class Unit:
    """
    A unit of work while it is open, and what came of it afterwards.

    ``commit`` is the hash that the unit made; None before its end, and if
    nothing had changed. ``head_before`` is the hash that the branch's head
    had when the unit began.
    """

    branch: str
    author: Author
    message: str
    head_before: str = ""
    commit: str | None = None
    trailers: dict[str, str] = field(default_factory=dict)
    is_unique: bool = False  # whether no other unit has these trailers
    _callbacks: list[Callable[[str], Any]] = field(default_factory=list)
    _rolled_back: bool = False

    def roll_back(self) -> None:
        """Undo everything that the unit wrote; its block still runs to its end."""
        self._rolled_back = True

    @property
    def full_message(self) -> str:
        """Subject and body, then the trailers as a paragraph of their own."""
        text = trailers.as_text(self.message)
        lines = [_TRAILER.format(key, value) for key, value in self.trailers.items()]
        return "\n\n".join(filter(None, [text, "\n".join(lines)]))


def current_unit() -> Unit | None:
    """The unit that this thread of work is in; None outside one."""
    return _current.get()


def describe(message: str, *, kind: str = "", about: str = "", **more: str) -> None:
    """
    Say in the reader's words what the current unit does: its commit's message.

    ``kind`` is one that ``register_kind()`` named, so that the log can fold
    runs of it, and ``about`` the name of what it is about. Whatever ``more``
    there is becomes lines "Key: value" below it, underscores in a key read as
    hyphens. All of it may quote what somebody typed, whatever signs that holds;
    a message of none but blanks says nothing better than what was said before.
    Outside a unit this does nothing, so that an app's views can be called, and
    tested, without versions.
    """
    if unit := _current.get():
        unit.message = message if trailers.as_text(message) else unit.message
        given = {KIND: kind, ABOUT: about, **more}
        unit.trailers |= {
            key.replace("_", "-"): line
            for key, text in given.items()
            if (line := trailers.one_line(text))
        }


def after_commit(callback: Callable[[str], Any]) -> None:
    """
    Have ``callback`` called with the hash of the unit's commit, once it is
    durable. Not called if nothing had changed, or if the unit rolls back.
    Outside a unit this does nothing.
    """
    if unit := _current.get():
        unit._callbacks.append(callback)


def author_of(user: Any) -> Author:
    """
    The author that commits by a Django user carry, whatever signs are in their
    name; anonymous ones share a name.
    """
    if not user or not user.is_authenticated:
        return ANONYMOUS
    # A model that is made of AbstractBaseUser alone knows no full name.
    full_name = getattr(user, "get_full_name", str)
    name = str(full_name() or user.get_username())
    email = getattr(user, user.get_email_field_name(), "") or ""
    return clean_author(name, email or f"{user.get_username()}@users.pollard.invalid")


@contextmanager
def on_branch(
    branch: str | None = None, *, author: Any = None, message: str = "Change rows"
) -> Iterator[Unit]:
    """
    Write to a branch; whatever changed is one commit at the end of the block.

    ``branch`` is a branch's name (None: the default branch), ``author`` an
    ``Author`` or a user, ``message`` what the commit says unless
    ``describe()`` says better. An exception rolls everything back.

    Rows that another client left uncommitted on the branch become a commit of
    their own first, so that nobody is named for what they did not do.

    Raises ``BranchNotFound``, ``EngineBusy`` (the branch's lock was not free),
    ``SerializationFailure`` (repeat the block), ``EngineUnavailable``; and
    ``RuntimeError`` inside another unit or transaction, as the commit has to
    be the outermost transaction's last statement.
    """
    connection = versioned_connection()
    if connection.in_atomic_block:
        raise RuntimeError(
            "A unit of work can’t be inside another one, or inside a transaction of "
            "the versioned database: its commit ends that. In tests, use the test "
            "cases of versioning.test."
        )
    repository = connection.repository
    unit = Unit(
        branch=repository.default_branch() if branch is None else branch,
        author=author if isinstance(author, Author) else author_of(author),
        message=message,
    )
    with (
        connection.bound(unit.branch),
        repository.write_lock(unit.branch),
    ):
        while not (yield from _attempt(connection, unit)):
            pass
    if unit.commit:
        for callback in unit._callbacks:
            callback(unit.commit)


@contextmanager
def unit() -> Iterator[Unit]:
    """
    The unit of work of a request whose view is marked ``opens_unit``: the
    branch's lock is held for this block, and not for what the view reads
    before. The commit is made at its end; what the view answers afterwards
    takes nothing back.

    Within a unit it is that one; where there is no request, as in a test, it
    is one on the default branch. Raises as ``on_branch()``, and
    ``RuntimeError`` at the second of a request, whose form counts once.
    """
    if current := _current.get():
        yield current
        return
    opener = _opener.get() or on_branch
    with opener() as opened:
        yield opened


@contextmanager
def opened_by(opener: Opener) -> Iterator[None]:
    """Have ``unit()`` open what ``opener`` does, for the length of a block."""
    token = _opener.set(opener)
    try:
        yield
    finally:
        _opener.reset(token)


def _attempt(connection: Any, unit: Unit) -> Generator[Unit, None, bool]:
    """
    Open the transaction and run the block in it, unless rows that another
    client left are found first: then commit those alone, and return False.

    They get a transaction to themselves because an engine begins a new one at
    a commit, and only the first is known to hold DoltLite's write lock.
    """
    repository = connection.repository
    # What runs after the transaction, by on_commit(), would be in no commit.
    with transaction.atomic(using=connection.alias, durable=True), connection.writing():
        unit.head_before, left = repository.head_and_uncommitted()
        if left:
            commit_strangers_rows(repository, left)
            return False
        token = _current.set(unit)
        try:
            yield unit
        finally:
            _current.reset(token)
        if unit._rolled_back:
            transaction.set_rollback(True, using=connection.alias)
        else:
            unit.commit = _commit(repository, unit)
            if unit.commit and _is_on_another_branch(repository, unit):
                unit.trailers[trailers.UNIT] = uuid.uuid4().hex
                unit.commit = repository.reword(unit.full_message, unit.author)
    return True


def _commit(repository: Repository, unit: Unit) -> str | None:
    """
    Dolt merges a transaction into what came to the branch since it began; only
    a client that takes none of our locks can have put that there.
    """
    try:
        return repository.commit_all(unit.full_message, unit.author)
    except ConflictsRemain as error:
        raise SerializationFailure(str(error)) from error


def _is_on_another_branch(repository: Repository, unit: Unit) -> bool:
    """
    Whether a commit just made is one that another branch had before: of what is
    done alike on two branches within a second, DoltLite makes one commit, and
    a merge would count it once.
    """
    if unit.is_unique or repository.features.commit_dates_have_milliseconds:
        return False
    commit = unit.commit
    assert commit is not None
    branches = repository.branches()
    made = next(b.date for b in branches if b.name == unit.branch)
    return any(
        commit in (other.head, repository.merge_base(other.head, commit))
        for other in branches
        if other.name != unit.branch and other.date >= made
    )


def commit_strangers_rows(repository: Repository, left: Uncommitted) -> None:
    """Commit what another client wrote and left: the last statement in ``atomic()``."""
    repository.commit_all(f"Rows left uncommitted in {', '.join(left.tables)}", OUTSIDE)


@contextmanager
def schema_change(
    branch: str | None, *, author: Author, message: str
) -> Iterator[None]:
    """
    As ``on_branch()`` for statements that can't live in one transaction:
    migrations and fixtures. Ends in one commit of everything, also after an
    exception: what the engine has made durable by then is on record, and the
    error goes on its way.
    """
    connection = versioned_connection()
    repository = connection.repository
    with connection.bound(branch), connection.writing():
        name = repository.default_branch() if branch is None else branch
        with repository.write_lock(name):
            with transaction.atomic(using=connection.alias, durable=True):
                if left := repository.uncommitted():
                    commit_strangers_rows(repository, left)
            failed = True
            try:
                yield
                failed = False
            finally:
                with transaction.atomic(using=connection.alias, durable=True):
                    repository.commit_all(
                        f"{message} (stopped by an error)" if failed else message,
                        author,
                    )

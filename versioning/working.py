"""
Rows on a branch that nobody committed, as another client left them: what they
are, and how they become a commit, or nothing.

Both actions are pinned to what was shown: to the branch's head and to the hash
of its working set.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any, Self

from django.db import transaction

from versioning import names, trailers, values
from versioning.backends.errors import BranchNotFound, EngineError, UnknownTable
from versioning.backends.repository import Repository
from versioning.conf import connection as versioned_connection
from versioning.cursors import sign_key, unsign_key
from versioning.diffs import (
    AT_ONCE,
    PAGE,
    RowsPage,
    SchemaDiff,
    TableDiff,
    TableSection,
    replaced_page,
    schema_diffs,
    table_diffs,
    withholds,
)
from versioning.presentation.rows import present_rows
from versioning.unit_of_work import OUTSIDE, author_of

#: The line of a commit's message that says who made a commit of such rows.
TRAILER = trailers.COMMITTED_BY


class WorkingStateMoved(EngineError):
    """What nobody committed isn't what was shown any more. Nothing was done."""

    def __init__(self, branch: str):
        super().__init__(f"What nobody committed on “{branch}” has changed since.")
        self.branch = branch


@dataclass(frozen=True, slots=True)
class WorkingPin:
    """What was shown: the branch's head (a hash), and its working set's hash."""

    head: str
    state: str

    @classmethod
    def read(cls, repository: Repository, branch: str) -> Self:
        """As they are now; the connection is bound to ``branch``."""
        return cls(repository.head(branch), repository.working_hash())


@dataclass(frozen=True, slots=True)
class Working:
    branch: str
    pin: WorkingPin
    is_dirty: bool
    tables: tuple[TableSection, ...]  # those of the application first
    schema: tuple[SchemaDiff, ...] = ()
    unsettled: tuple[str, ...] = ()  # tables of a merge that somebody left so

    @property
    def only_bookkeeping(self) -> bool:
        """Whether nothing but the engine's own record is uncommitted."""
        return self.is_dirty and not self.tables and not self.schema

    @property
    def is_counted(self) -> bool:
        """Whether the counts tell all: rows of a replaced table have none."""
        return not any(t.diff.is_replaced for t in self.tables)

    @property
    def added(self) -> int:
        return sum(t.diff.stat.rows_added for t in self.tables if t.diff.stat)

    @property
    def changed(self) -> int:
        return sum(t.diff.stat.rows_changed for t in self.tables if t.diff.stat)

    @property
    def removed(self) -> int:
        return sum(t.diff.stat.rows_removed for t in self.tables if t.diff.stat)


def working(branch: str) -> Working:
    """Raises ``BranchNotFound``, also for the branches of a landing."""
    with _on(branch) as repository, repository.one_look():
        # First, so that rows written while this is read make the pin too old,
        # and never one that covers rows that nobody saw.
        pin = WorkingPin.read(repository, branch)
        if repository.uncommitted() is None:
            return Working(branch, pin, False, ())
        diffs = _diffs(repository)
        sections, left = [], AT_ONCE
        for diff in diffs:
            page = None
            if left > 0 and (diff.change.data_changed or diff.is_replaced):
                page = _rows(repository, diffs, diff, pin.head, "")
                left -= len(page.rows)
            sections.append(TableSection(diff, page))
        schema = schema_diffs(
            repository.merged_schema_changes(), repository.merged_index_changes()
        )
        unsettled = tuple(values.table_name(t) for t in repository.unsettled())
        return Working(branch, pin, True, tuple(sections), schema, unsettled)


def working_rows(branch: str, table: str, after: str) -> RowsPage:
    """
    One page of a table's uncommitted rows; ``after`` is the ``next`` of the
    page before. Raises ``BranchNotFound``, ``UnknownTable``, ``BadCursor``.
    """
    with _on(branch) as repository, repository.one_look():
        diffs = _diffs(repository)
        for diff in diffs:
            if diff.table == table:
                head = repository.head(branch)
                return _rows(repository, diffs, diff, head, after)
    raise UnknownTable(table)


def commit(branch: str, pin: WorkingPin, message: str, by: Any) -> str | None:
    """
    Make a commit of what nobody committed, and return its hash. ``by`` is the
    user who does so: named in a trailer, and not as the author, as it is not
    their work.

    Raises ``WorkingStateMoved``, ``BranchNotFound``, ``ConflictsRemain`` where
    somebody left a merge half settled, ``ValueError`` for a message that no
    commit can have.
    """
    full = f"{trailers.as_text(message)}\n\n{TRAILER}: {author_of(by).name}"
    with _pinned(branch, pin) as repository:
        return repository.commit_all(full, OUTSIDE)


def discard(branch: str, pin: WorkingPin) -> None:
    """Put the branch back to its head. Raises as ``commit()``."""
    with _pinned(branch, pin) as repository:
        repository.discard_uncommitted()


# ---------------------------------------------------------------------------------


@contextmanager
def _on(branch: str) -> Iterator[Repository]:
    if not branch or names.is_hidden(branch):
        raise BranchNotFound(branch)
    connection = versioned_connection()
    with connection.bound(branch):
        yield connection.repository


@contextmanager
def _pinned(branch: str, pin: WorkingPin) -> Iterator[Repository]:
    connection = versioned_connection()
    with (
        _on(branch) as repository,
        repository.write_lock(branch),
        connection.writing(),
        transaction.atomic(using=connection.alias, durable=True),
    ):
        if WorkingPin.read(repository, branch) != pin or not repository.uncommitted():
            raise WorkingStateMoved(branch)
        yield repository


def _diffs(repository: Repository) -> list[TableDiff]:
    found = table_diffs(
        repository.merged_summary(),
        repository.merged_stat(),
        repository.merged_key_changes(),
    )
    return sorted(found, key=lambda diff: values.is_bookkeeping(diff.table))


def _rows(
    repository: Repository,
    diffs: Sequence[TableDiff],
    diff: TableDiff,
    head: str,
    after: str,
) -> RowsPage:
    """A page of ``diff``, one of all ``diffs``."""
    if withholds(repository, diff, head, None):
        return RowsPage(diff, (), None, is_withheld=True)
    since = unsign_key(diff.table, after) if after else None
    differing = {name for d in diffs for name in (d.table, d.change.old_table)}
    if diff.is_replaced:
        return replaced_page(
            repository, diff, head, None, since=since, differing=differing
        )
    rows = repository.merged_rows(diff.table, since=since, limit=PAGE + 1)
    found = list(islice(rows, PAGE + 1))
    shown = present_rows(
        repository, diff.table, found[:PAGE], head, None, differing=differing
    )
    next = sign_key(diff.table, found[PAGE - 1].key) if len(found) > PAGE else None
    return RowsPage(diff, shown, next, head)

"""Version control on an embedded DoltLite file."""

import fcntl
import hashlib
import os
import re
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from typing import Any

from django.db import DatabaseError, IntegrityError, OperationalError, transaction

from versioning.backends.doltlite import garbage
from versioning.backends.doltlite.export import Exporting
from versioning.backends.errors import (
    COMMIT_BY_COMMIT,
    BranchExists,
    BranchMoved,
    BranchNotFound,
    EngineBusy,
    EngineError,
    InvalidBranchName,
    MergeBlocked,
    MergeRefused,
    UncommittedRows,
)
from versioning.backends.repository import (
    Author,
    Features,
    MergeSides,
    MergeStatus,
    Violation,
)

LOCK_ASKED_EVERY = 0.002  # seconds
#: Beside the database: see ``write_lock()`` and ``landing_lock()``.
LOCK_FILES = ("gate", "writing", "landing-*")
MENDED_AT_MOST = 10_000  # rows of a merge that point to nothing


class DoltLiteRepository(Exporting):
    _unsettled = re.compile("cannot commit: unresolved")
    _is_alone = False  # within ``without_writers()``

    @property
    def features(self) -> Features:
        return Features(
            engine="DoltLite",
            version=self._version().removeprefix("v"),
            merges_json_by_key=False,
            reports_dropped_column_as_conflict=False,
            commit_dates_have_milliseconds=False,
            schema_changes_roll_back=True,
            branches_take_turns_in_writing=True,
            merges_read_whole_tables=True,
            knows_what_was_renamed=False,
            merges_generated_columns=True,
            merges_any_definitions=True,
            keeps_foreign_keys_of_renamed_tables=True,
            merges_other_unique_rules=False,
        )

    def _version(self) -> str:
        """The engine is in this process, so it stays the same."""
        return self._always(
            "version", ask=lambda: str(self._value("SELECT dolt_version()"))
        )

    def tidy(self) -> None:
        garbage.collect()

    # Branches ----------------------------------------------------------------

    def default_branch(self) -> str:
        connection = self.connection
        connection.close_if_health_check_failed()  # as before any statement
        connection.ensure_connection()
        return str(connection.default_branch or connection.ask_default_branch())

    def _branch_call(self, name: str, *args: str) -> None:
        marks = ", ".join(["%s"] * len(args))
        try:
            self._execute(f"SELECT dolt_branch({marks})", args)
        except OperationalError as error:
            text = str(error)
            if text.startswith(("invalid branch name", "branch name required")):
                raise InvalidBranchName(name) from error
            if text.startswith("branch already exists"):
                raise BranchExists(name) from error
            if text.startswith("branch not found"):
                raise BranchNotFound(name) from error
            raise

    def _call(self, procedure: str, arguments: int) -> str:
        return f"SELECT {procedure}({', '.join(['%s'] * arguments)})"

    # Writing -----------------------------------------------------------------

    def discard_uncommitted(self) -> None:
        self.reset("HEAD")

    def reset(self, to: str) -> None:
        self._in_outermost_atomic()
        # Tables that were made and never committed survive a reset.
        self._execute("SELECT dolt_clean()")
        self._execute("SELECT dolt_reset('--hard', %s)", [to])

    def prepare_merge(self) -> None:
        self._outside_atomic()
        self.connection.know_all_tables()

    def require_same_unique_rules(self, sides: MergeSides) -> None:
        # The engine calls its indexes for a table's own UNIQUEs, which Django
        # writes, by number, and puts the one's entries into the other, or finds the
        # file malformed, which it isn't.
        if not self.schema_changes(sides.base, sides.theirs):
            return
        before, ours, new = (
            self._uniques(at) for at in (sides.base, sides.ours, sides.theirs)
        )
        for table in sorted(before.keys() & ours.keys() & new.keys()):
            if new[table] not in (before[table], ours[table]):
                raise MergeRefused(
                    "The branches have different rules about which values of "
                    f"“{table}” may be there only once, and this database can’t merge "
                    "those. Give both branches the same tables first; then look again."
                )

    def start_merge(self, theirs: str) -> MergeStatus:
        self._in_outermost_atomic()
        self._known(theirs)
        try:
            said = self._value(
                "SELECT dolt_merge('--no-ff', '--no-commit', %s)", [theirs]
            )
        except DatabaseError as error:
            text = str(error)
            # These leave the transaction usable, with the merge in it.
            if text.startswith(("Merge has", "Merge resulted in")):
                return MergeStatus.CONFLICTS
            if text.startswith(("cannot merge:", "cannot merge because")):
                reason = text.removeprefix("cannot merge:").strip()
                raise MergeBlocked(reason) from error
            if text.startswith(("uncommitted changes", "local changes")):
                left = self.uncommitted()
                raise UncommittedRows(left.tables if left else ()) from error
            raise
        if str(said).startswith("Already up to date"):
            return MergeStatus.UP_TO_DATE
        return MergeStatus.MERGED

    def _uniques(self, at: str) -> Mapping[str, Sequence[tuple[str, str]]]:
        """The columns of the indexes that it made by itself, in order, by table."""

        def ask() -> dict[str, list[tuple[str, str]]]:
            sql = (
                "SELECT m.name, i.name, c.name FROM sqlite_master m "
                "LEFT JOIN pragma_index_list(m.name) i ON i.origin = 'u' "
                "LEFT JOIN pragma_index_info(i.name) c "
                "WHERE m.type = 'table' ORDER BY m.name, i.name, c.seqno"
            )
            found: dict[str, list[tuple[str, str]]] = defaultdict(list)
            for table, index, column in self._table_at(at, sql)[1]:
                found[table] += [(index, column)] if index else []
            return found

        return self._always("uniques", at, ask=ask)

    def _in_no_table(self, names: Sequence[str]) -> MergeBlocked:
        indexed = self._fetch(
            "SELECT DISTINCT tbl_name FROM sqlite_master WHERE type = 'index' "
            f"AND name IN ({', '.join(['%s'] * len(names))}) ORDER BY tbl_name",
            names,
        )
        if not indexed:
            return super()._in_no_table(names)
        tables = " and ".join(f"“{table}”" for (table,) in indexed)
        return MergeRefused(
            f"{tables} got another definition, and rows were changed that stand in an "
            "index of it: this database finds the index in conflict, which nobody can "
            f"settle. {COMMIT_BY_COMMIT}"
        )

    def fill_new_columns(self, sides: MergeSides) -> None:
        """Nothing is left out."""

    def fill_new_indexes(self, sides: MergeSides) -> None:
        """Nothing is left out."""

    def _violations_of(self, table: str, limit: int | None) -> list[Violation]:
        try:
            return super()._violations_of(table, limit)
        except OperationalError as error:
            if not str(error).startswith("vtable constructor failed"):
                raise
            raise self._unlisted(
                table,
                "the engine can’t say which: the table has a column violation_type or "
                "violation_info, as the engine’s list of them has",
            ) from error

    def commit_all(self, message: str, author: Author) -> str | None:
        try:
            return super().commit_all(message, author)
        except IntegrityError:  # leaves all as it is, the merge too
            if not self._value("SELECT is_merging FROM dolt_merge_status"):
                raise
            self._even_out()
            return super().commit_all(message, author)

    def _even_out(self) -> None:
        """
        Bring SQLite's count of rows that point to nothing back to zero where it
        is below: then the engine refuses to commit, whatever the rows are.

        A merge's own such rows are not counted. Once a row that was written is,
        to insert what both point to takes off both. To insert rows that point to
        nothing always adds to the count, to delete them takes nothing off at
        zero: so both at once lift a count that is below, and leave any other.
        """
        self._execute("CREATE TEMP TABLE versioning_parent (id integer PRIMARY KEY)")
        self._execute(
            "CREATE TEMP TABLE versioning_orphan (parent integer "
            "REFERENCES versioning_parent DEFERRABLE INITIALLY DEFERRED)"
        )
        self._execute(
            "WITH RECURSIVE n (i) AS "
            f"(SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {MENDED_AT_MOST}) "
            "INSERT INTO versioning_orphan SELECT i FROM n"
        )
        self._execute("DELETE FROM versioning_orphan")
        self._execute("DROP TABLE versioning_orphan")
        self._execute("DROP TABLE versioning_parent")

    def leave_conflicts(self, message: str, author: Author) -> str | None:
        return None  # one client writes at a time, and none commits conflicts

    def fast_forward(self, branch: str, *, expected: str, to: str) -> None:
        self._outside_atomic()
        self._require_bound(branch)
        self._known(to)
        # BEGIN IMMEDIATE holds the file's only write lock, so the head that is
        # read within it is the head that is moved.
        with transaction.atomic(using=self.connection.alias, durable=True):
            self._require_head(branch, expected)
            if left := self.uncommitted():
                raise UncommittedRows(left.tables)
            if self._engines_base(expected, to) != expected:
                raise BranchMoved(branch, expected, expected)
            # Asked of the engine's answer: once the lock is gone, somebody may
            # commit on top.
            tip = self._value("SELECT dolt_merge(%s)", [to])
            if tip != to and expected != to:
                raise EngineError(f"“{branch}” was moved to {tip}, not to {to}.")

    def _working(self) -> str:
        # On a branch that nobody ever wrote to, the engine knows no WORKING.
        return "WORKING" if self.uncommitted() else self._head()

    def _clear_conflicts(self, table: str) -> None:
        # Keeps what was written to the rows since (the contract's tests say so),
        # and takes 0.6 ms for a thousand. Deleting them takes 280.
        self._execute("SELECT dolt_conflicts_resolve('--ours', %s)", [table])

    def _takes_rows_along(self, table: str) -> bool:
        # ON DELETE CASCADE and the like act at once, deferred check or not.
        # Django makes no such keys, other tables may have them.
        return bool(
            self._fetch(
                "SELECT 1 FROM sqlite_master m, pragma_foreign_key_list(m.name) k "
                "WHERE m.type = 'table' AND lower(k.\"table\") = lower(%s) "
                "AND k.on_delete NOT IN ('NO ACTION', 'RESTRICT') LIMIT 1",
                [table],
            )
        )

    @contextmanager
    def _unchecked(self) -> Iterator[None]:
        # Until the transaction ends: Django's own constraints wait till then
        # anyway, and switching the check off is not possible within one.
        self._execute("PRAGMA defer_foreign_keys = ON")
        yield

    # Locks -------------------------------------------------------------------

    @contextmanager
    def write_lock(self, branch: str, *, timeout: float = 20.0) -> Iterator[None]:
        if self._is_alone:
            yield
            return
        with ExitStack() as stack:
            with self._file_lock("gate", fcntl.LOCK_EX, timeout):
                stack.enter_context(self._file_lock("writing", fcntl.LOCK_SH, timeout))
            yield

    @contextmanager
    def without_writers(self, branch: str, *, timeout: float = 20.0) -> Iterator[None]:
        with (
            self._file_lock("gate", fcntl.LOCK_EX, timeout),  # nobody begins
            self._file_lock("writing", fcntl.LOCK_EX, timeout),  # all have ended
        ):
            self._is_alone = True
            try:
                yield
            finally:
                self._is_alone = False

    def _without_writers(self, branch: str) -> AbstractContextManager[Any]:
        # Other programs' writers are kept off as well.
        return transaction.atomic(using=self.connection.alias, durable=True)

    @contextmanager
    def landing_lock(self, branch: str, *, timeout: float = 20.0) -> Iterator[None]:
        digest = hashlib.sha256(branch.encode()).hexdigest()[:16]
        with self._file_lock(f"landing-{digest}", fcntl.LOCK_EX, timeout):
            yield

    @contextmanager
    def _file_lock(self, kind: str, how: int, timeout: float) -> Iterator[None]:
        """A lock file beside the database, whose lock ends with the process."""
        deadline = time.monotonic() + timeout
        handle = os.open(
            f"{self.connection.path}.{kind}", os.O_CREAT | os.O_RDWR, 0o600
        )
        try:
            while True:
                with suppress(BlockingIOError):
                    fcntl.flock(handle, how | fcntl.LOCK_NB)
                    break
                if time.monotonic() >= deadline:
                    raise EngineBusy("The lock was not free in time.")
                time.sleep(LOCK_ASKED_EVERY)
            yield
        finally:
            os.close(handle)

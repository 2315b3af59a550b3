"""Version control on a Dolt SQL server."""

import hashlib
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from django.db import DatabaseError, OperationalError

from versioning.backends.dolt.completing import Completing
from versioning.backends.errors import (
    BranchExists,
    BranchIsDefault,
    BranchMoved,
    BranchNotFound,
    EngineBusy,
    EngineError,
    InvalidBranchName,
    MergeBlocked,
    RowsLeftBehind,
    SerializationFailure,
    UncommittedRows,
)
from versioning.backends.repository import (
    Author,
    Features,
    MergeSides,
    MergeStatus,
    Uncommitted,
)


class DoltRepository(Completing):
    _unsettled = re.compile("in conflict|have schema conflicts|constraint violations")

    def __init__(self, connection: Any):
        super().__init__(connection)
        self._versions: tuple[Any, str] = None, ""  # by connection

    @property
    def features(self) -> Features:
        return Features(
            engine="Dolt",
            version=self._version(),
            merges_json_by_key=True,
            reports_dropped_column_as_conflict=True,
            commit_dates_have_milliseconds=True,
            schema_changes_roll_back=False,
            branches_take_turns_in_writing=False,
            merges_read_whole_tables=False,
            knows_what_was_renamed=True,
            merges_generated_columns=False,
            merges_any_definitions=False,
            keeps_foreign_keys_of_renamed_tables=False,
            merges_other_unique_rules=True,
        )

    def _version(self) -> str:
        """The server's version: a connection never outlives it."""
        self.connection.ensure_connection()
        raw = self.connection.connection
        if self._versions[0] is not raw:
            self._versions = raw, str(self._value("SELECT dolt_version()"))
        return self._versions[1]

    @contextmanager
    def _cursor_as_they_come(self) -> Iterator[Any]:
        from MySQLdb.cursors import SSCursor

        connection = self.connection
        connection.ensure_connection()
        with connection.wrap_database_errors:
            rows = connection.connection.cursor(SSCursor)
        is_logged = connection.queries_logged
        make = connection.make_debug_cursor if is_logged else connection.make_cursor
        with make(rows) as cursor:
            yield cursor

    def tidy(self) -> None:
        """Nothing: the server collects its garbage by itself."""

    # Place -------------------------------------------------------------------

    def checkout(self, branch: str) -> None:
        """
        Put the connection on a branch that exists.

        ``dolt_checkout`` takes a table's name too, and then restores the
        table: never give it a name that is not known to be a branch's.
        """
        # A connection at a commit can list branches, but only from its base.
        self._use_base()
        self.head(branch)
        if branch.startswith("-"):
            # dolt_checkout would read an option, whatever comes before it.
            variable = self._name(self._database, "_head_ref")
            self._execute(f"SET @@{variable} = %s", [f"refs/heads/{branch}"])
        else:
            self._execute("CALL dolt_checkout(%s)", [branch])
        if self._value("SELECT active_branch()") != branch:
            # Another branch's name differs by case alone, made outside: the
            # server goes to either.
            raise BranchNotFound(branch)

    def use(self, at: str) -> None:
        """Put the connection at a commit, for reading."""
        self._use_base()
        self._known(at)
        self._execute(f"USE {self._name(self._database, '/', at)}")

    # Branches ----------------------------------------------------------------

    def default_branch(self) -> str:
        if self.connection.default_branch is None:
            named = self._value(
                f"SELECT @@GLOBAL.{self._name(self._database, '_default_branch')}"
            )
            # Where the server names none, it is the one that a new connection
            # is on, and nobody has moved this one yet.
            name = str(named or self._value("SELECT active_branch()"))
            self.connection.default_branch = name.removeprefix("refs/heads/")
        return str(self.connection.default_branch)

    def _branch_call(self, name: str, *args: str) -> None:
        marks = ", ".join(["%s"] * len(args))
        try:
            self._execute(f"CALL dolt_branch({marks})", args)
        except OperationalError as error:
            text = str(error)
            for sign, kind in (
                ("is an invalid branch name", InvalidBranchName),
                ("not a valid user branch name", InvalidBranchName),
                ("cannot branch empty string", InvalidBranchName),
                ("new branch name is empty", InvalidBranchName),
                ("already exists", BranchExists),
                ("branch not found", BranchNotFound),
                ("default branch", BranchIsDefault),
            ):
                if sign in text or (
                    kind is BranchNotFound and isinstance(error, BranchNotFound)
                ):
                    raise kind(name) from error
            raise

    def _call(self, procedure: str, arguments: int) -> str:
        return f"CALL {procedure}({', '.join(['%s'] * arguments)})"

    # Writing -----------------------------------------------------------------

    def head_and_uncommitted(self) -> tuple[str, Uncommitted | None]:
        # dolt_status goes through all tables; their hashes are at hand.
        [(head, is_clean)] = self._fetch(
            "SELECT dolt_hashof('HEAD'), dolt_hashof_db('HEAD') = dolt_hashof_db()"
        )
        return str(head), None if is_clean else self.uncommitted()

    def leave_conflicts(self, message: str, author: Author) -> str | None:
        by = self._check_commit(message, author)
        self._in_outermost_atomic()
        # The list is part of what the head's hash is of, and of no row: the
        # branch's own state has none, and dolt_status names no table for it.
        head_is_whole = "SELECT dolt_hashof_db('HEAD') = dolt_hashof_db()"
        if self._value(head_is_whole) or self.uncommitted():
            return None
        args = ["-A", "--allow-empty", "-m", message, "--author", by]
        return str(self._value(self._call("dolt_commit", len(args)), args))

    def discard_uncommitted(self) -> None:
        self.reset("HEAD")

    def reset(self, to: str) -> None:
        self._in_outermost_atomic()
        # Tables that were made and never committed survive a reset.
        self._execute("CALL dolt_clean()")
        self._execute("CALL dolt_reset('--hard', %s)", [to])

    def prepare_merge(self) -> None:
        """Nothing: the server knows of all tables."""

    def require_same_unique_rules(self, sides: MergeSides) -> None:
        """Nothing: the engine merges other ones."""

    def start_merge(self, theirs: str) -> MergeStatus:
        self._in_outermost_atomic()
        self._known(theirs)
        try:
            row = self._one("CALL dolt_merge('--no-ff', '--no-commit', %s)", [theirs])
        except DatabaseError as error:  # a value that a type can't hold, too
            text = str(error.args[-1])
            if isinstance(error, EngineError) or "permission" in text:
                raise
            if "would be stomped" in text:
                raise self._rows_in_the_way() from error
            raise MergeBlocked(text) from error
        assert row is not None
        _, _, conflicts, message = row
        if conflicts:
            return MergeStatus.CONFLICTS
        if message and ("up-to-date" in message or "ahead of" in message):
            return MergeStatus.UP_TO_DATE
        return MergeStatus.MERGED

    def _rows_in_the_way(self) -> UncommittedRows:
        left = self.uncommitted()
        return UncommittedRows(left.tables if left else ())

    def fast_forward(self, branch: str, *, expected: str, to: str) -> None:
        self._outside_atomic()
        self._require_bound(branch)
        self._known(to)
        self._require_head(branch, expected)
        if self.uncommitted():
            raise self._rows_in_the_way()
        try:
            # Atomic: refused if the head is no ancestor of ``to`` any more,
            # whoever moved it since it was compared. If it moved to another
            # commit that ``to`` holds, nothing is lost.
            [(_, moved, *_)] = self._fetch("CALL dolt_merge('--ff-only', %s)", [to])
        except OperationalError as error:
            text = str(error)
            # The second is said where the head moved while the engine was at it.
            if "Not possible to fast-forward" in text or "not ancestor of" in text:
                raise BranchMoved(branch, expected, self.head(branch)) from error
            if "would be stomped" in text:
                raise self._rows_in_the_way() from error
            # The head moves first and the rows after it, in two writes.
            if isinstance(error, SerializationFailure) and self._holds(branch, to):
                raise RowsLeftBehind(branch) from error
            raise
        # Asked of the engine's answer, not of the head alone: somebody may have
        # committed on top since. A head that was past ``to`` is no error to it.
        if not int(moved):
            self._require_head(branch, to)

    def _holds(self, branch: str, commit: str) -> bool:
        return self.merge_base(self.head(branch), commit) == commit

    def _clear_conflicts(self, table: str) -> None:
        # dolt_conflicts_resolve() refuses where the sides' columns differ.
        self._execute(f"DELETE FROM {self._name('dolt_conflicts_', table)}")

    def _takes_rows_along(self, table: str) -> bool:
        return False  # not while foreign keys are unchecked

    @contextmanager
    def _unchecked(self) -> Iterator[None]:
        self._execute("SET foreign_key_checks = 0")
        try:
            yield
        finally:
            self._execute("SET foreign_key_checks = 1")

    # Locks -------------------------------------------------------------------

    @contextmanager
    def write_lock(self, branch: str, *, timeout: float = 20.0) -> Iterator[None]:
        with self._named_lock("write", branch, timeout):
            yield

    def without_writers(
        self, branch: str, *, timeout: float = 20.0
    ) -> AbstractContextManager[None]:
        return self.write_lock(branch, timeout=timeout)

    @contextmanager
    def landing_lock(self, branch: str, *, timeout: float = 20.0) -> Iterator[None]:
        with self._named_lock("land", branch, timeout):
            yield

    @contextmanager
    def _named_lock(self, kind: str, branch: str, timeout: float) -> Iterator[None]:
        # The server's own names end at 64 characters; a branch's do not.
        digest = hashlib.sha256(f"{kind} {self._database} {branch}".encode())
        name = f"pollard-{digest.hexdigest()[:40]}"
        if self._value("SELECT GET_LOCK(%s, %s)", [name, timeout]) != 1:
            raise EngineBusy("The lock was not free in time.")
        holder = self.connection.connection
        try:
            yield
        finally:
            # A connection that died or was closed has lost the lock with it.
            if self.connection.connection is holder and holder is not None:
                self._release(name)

    def _release(self, name: str) -> None:
        try:
            self._value("SELECT RELEASE_LOCK(%s)", [name])
        except DatabaseError:
            self.connection.close()

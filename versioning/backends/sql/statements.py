"""Asking an engine: statements, names, keys, and where a transaction may be."""

import re
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, time
from functools import partial
from typing import Any, ClassVar, TypeVar

from django.db import OperationalError
from django.db.transaction import TransactionManagementError

from versioning.backends.errors import (
    BadCursor,
    EngineError,
    UnknownRef,
    UnknownTable,
)
from versioning.backends.repository import Author, Commit, Key, Repository
from versioning.backends.sql.facts import Facts

KEYS_AT_ONCE = 200
FETCHED_AT_ONCE = 500

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_CONTROL_IN_MESSAGE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")

_Fact = TypeVar("_Fact")

#: Column names, and rows in the same order.
Table = tuple[list[str], list[tuple[Any, ...]]]


def escaped(sql: str) -> str:
    """SQL as it is written in a statement with parameters."""
    return sql.replace("%", "%%")


class Statements(Repository):
    """What the other parts of a repository ask with."""

    #: The engine's own tables, besides those that begin with ``dolt_``.
    OWN_TABLES: frozenset[str] = frozenset()

    #: Of all databases that the process uses: see ``_always()``.
    facts: ClassVar[Facts] = Facts()

    def __init__(self, connection: Any):
        super().__init__(connection)
        self._met: set[str] = set()  # hashes of commits that exist
        self._look: Facts | None = None  # within ``one_look()``

    def forget(self) -> None:
        self._met.clear()

    # Asking ------------------------------------------------------------------

    @contextmanager
    def _engine(self) -> Iterator[None]:
        """Statements of the repository itself may be ones that write."""
        with self.connection.writing():
            yield

    @contextmanager
    def _history(self) -> Iterator[None]:
        """
        Around questions about commits, which are the same wherever the
        connection is; an engine may have to ask them from elsewhere.
        """
        yield

    def _table(self, sql: str, params: Sequence[Any] = ()) -> Table:
        with self._engine(), self.connection.cursor() as cursor:
            cursor.execute(sql, list(params))
            names = [column[0] for column in cursor.description or ()]
            return names, list(cursor.fetchall()) if names else []

    def _cursor_as_they_come(self) -> AbstractContextManager[Any]:
        """A cursor that gives rows before it has read them all."""
        cursor: AbstractContextManager[Any] = self.connection.cursor()
        return cursor

    def _fetch(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self._table(sql, params)[1]

    def _one(self, sql: str, params: Sequence[Any] = ()) -> tuple[Any, ...] | None:
        rows = self._fetch(sql, params)
        return rows[0] if rows else None

    def _value(self, sql: str, params: Sequence[Any] = ()) -> Any:
        """The first column of the first row; None if there is no row."""
        row = self._one(sql, params)
        return row[0] if row else None

    def _execute(self, sql: str, params: Sequence[Any] = ()) -> None:
        with self._engine(), self.connection.cursor() as cursor:
            cursor.execute(sql, list(params))

    def _execute_many(self, sql: str, rows: list[list[Any]]) -> None:
        with self._engine(), self.connection.cursor() as cursor:
            cursor.executemany(sql, rows)

    def ping(self) -> None:
        self._fetch("SELECT 1")

    @abstractmethod
    def _place(self) -> str:
        """What tells this database from any other that the process uses."""

    # Names and keys ----------------------------------------------------------

    @abstractmethod
    def _quote(self, name: str) -> str:
        """An identifier as the engine reads it, whatever is in it."""

    def _name(self, *parts: str) -> str:
        """
        An identifier, quoted for this engine and for a statement with
        parameters. The parts are known names, or checked to exist.
        """
        return escaped(self._quote("".join(parts)))

    def _names(self, columns: Sequence[str]) -> str:
        return ", ".join(self._name(column) for column in columns)

    @staticmethod
    def _key_in(columns: Sequence[str], keys: Sequence[Key]) -> tuple[str, list[Any]]:
        """A condition that a row has one of these keys; ``columns`` are SQL."""
        if not keys:
            return "1 = 0", []
        # Dolt finds no TIME in a list.
        if len(columns) == 1 and not isinstance(keys[0][0], time):
            marks = ", ".join(["%s"] * len(keys))
            return f"{columns[0]} IN ({marks})", [key[0] for key in keys]
        one = "(" + " AND ".join(f"{column} = %s" for column in columns) + ")"
        return (
            "(" + " OR ".join([one] * len(keys)) + ")",
            [part for key in keys for part in key],
        )

    @staticmethod
    def _key_after(columns: Sequence[str], key: Key) -> tuple[str, list[Any]]:
        """
        A condition that a row comes after a key where rows are ordered by the
        same ``columns``, SQL, and so by the same collation. Raises ``BadCursor``
        for a key of another table, or of another time's.
        """
        if len(key) != len(columns):
            raise BadCursor
        parts, params = [], []
        for number, column in enumerate(columns):
            equal = [f"{c} = %s" for c in columns[:number]]
            parts.append("(" + " AND ".join([*equal, f"{column} > %s"]) + ")")
            params += [*key[:number], key[number]]
        return "(" + " OR ".join(parts) + ")", params

    # What is known -----------------------------------------------------------

    @abstractmethod
    def is_hash(self, text: str) -> bool:
        """Whether a text has the form of this engine's full hashes."""

    def _commits_among(self, hashes: Sequence[str]) -> set[str]:
        """Those of these texts, which have the form, that are commits’ hashes."""
        # Not of dolt_commit_ancestors: asked for one merge by its hash, Dolt
        # fails with “max1Row iterator returned more than one row”.
        asked = ", ".join(["dolt_hashof(%s)"] * len(hashes))
        try:
            found = self._one(f"SELECT {asked}", hashes)
        except OperationalError as error:
            if isinstance(error, EngineError):
                raise
            if len(hashes) == 1:
                return set()
            return {hash for one in hashes for hash in self._commits_among([one])}
        # Not all of what it found: a branch may be called like a hash.
        return set(hashes) & set(found or ())

    def _known(self, *hashes: str) -> None:
        """
        Raises ``UnknownRef`` unless each is the hash of a commit.

        Asks once for all that were not met since ``forget()``.
        """
        met = self._met
        unmet = [hash for hash in dict.fromkeys(hashes) if hash not in met]
        for hash in unmet:
            if not self.is_hash(hash):
                raise UnknownRef(hash)
        for batch in batches(unmet):
            met |= self._commits_among(batch)
        for hash in unmet:
            if hash not in met:
                raise UnknownRef(hash)

    def _note_commit(self, hash: str) -> None:
        self._met.add(hash)

    @abstractmethod
    def _log_where(
        self, within: str, where: str, params: Sequence[str]
    ) -> list[Commit]:
        """
        The commits of a hash or of a range ``a..b`` for which a condition holds,
        children before parents.
        """

    def _always(self, *what: str | None, ask: Callable[[], _Fact]) -> _Fact:
        """
        What holds of a commit holds always, so the process asks once. ``what``
        names the question and ends with hashes; None among them stands for
        where the connection is, which does not last.
        """
        if None in what:
            return self._look.get(what, ask) if self._look is not None else ask()
        return self.facts.get((self._place(), *what), ask)

    def _no_longer(self, *what: str | None) -> None:
        """What was found out within ``one_look()`` is another now."""
        if self._look is not None:
            self._look.drop(what)

    def _peek(self, *what: str) -> Any:
        """What ``_always()`` would answer without asking, else None."""
        return self.facts.peek((self._place(), *what))

    @contextmanager
    def one_look(self) -> Iterator[None]:
        before, self._look = self._look, Facts()
        try:
            yield
        finally:
            self._look = before

    def _head(self) -> str:
        """The hash of the commit that the working set is laid over."""
        ask = partial(self._value, "SELECT dolt_hashof('HEAD')")
        return str(self._always("head", None, ask=ask))

    def _own(self, table: str) -> bool:
        return table in self.OWN_TABLES or table.startswith("dolt_")

    def _require_table(self, table: str, at: str | None = None) -> None:
        if table not in self.tables(at):
            raise UnknownTable(table)

    # Where in a transaction --------------------------------------------------

    def _outside_atomic(self) -> None:
        if self.connection.in_atomic_block:
            raise TransactionManagementError(
                "The engine commits here, so this can't be done within atomic()."
            )

    @abstractmethod
    def _call(self, procedure: str, arguments: int) -> str:
        """A statement that calls a procedure with so many parameters."""

    def _in_outermost_atomic(self) -> None:
        if not self.connection.in_atomic_block or self.connection.savepoint_ids:
            raise TransactionManagementError(
                "This belongs into the outermost atomic() and into no savepoint."
            )

    # Signed by whom ----------------------------------------------------------

    def _check_commit(self, message: str, author: Author) -> str:
        """The author as the engines parse it. Raises ``ValueError``."""
        if not message.strip():
            raise ValueError("A commit needs a message.")
        self._check_message(message)
        return self._check_author(author)

    @staticmethod
    def _check_message(message: str) -> None:
        if _CONTROL_IN_MESSAGE.search(message):
            raise ValueError("A message can’t hold control characters.")

    @staticmethod
    def _check_author(author: Author) -> str:
        text = f"{author.name}{author.email}"
        if (
            not author.name.strip()
            or not author.email.strip()
            or _CONTROL.search(text)
            or set(text) & set("<>()")
        ):
            raise ValueError(f"This can’t be an author: {author}")
        return f"{author.name} <{author.email}>"


def utc(date: Any) -> datetime:
    """A commit's date, which the engines give without a zone, in UTC."""
    if isinstance(date, str):
        year, dash, rest = date.partition("-")  # “1-01-01” is the first day of all
        date = datetime.fromisoformat(f"{year:0>4}{dash}{rest}")
    found: datetime = date.replace(tzinfo=UTC)
    return found


def batches(items: Sequence[Any], size: int = KEYS_AT_ONCE) -> Iterator[list[Any]]:
    """The items, each once, in lists as long as one statement takes."""
    once = list(dict.fromkeys(items))
    for start in range(0, len(once), size):
        yield once[start : start + size]

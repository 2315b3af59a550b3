"""
What a versioned engine promises: ``Repository`` and the types it speaks in.

A database connection made by one of the backends carries a repository as
``connection.repository``, as it carries ``connection.ops``. The contract suite
(``tests/contract``) states each promise and runs on every engine.

Three words recur. A *hash* is the full text of a commit's hash (32 characters
on Dolt, 40 on DoltLite; never a prefix). A *ref* is a hash, a branch name or a
tag name. *Rows* are mappings from column name to the value as the driver gave
it; ``versioning.values`` turns them into what a model field would hold.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple

Row = Mapping[str, Any]
Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Author:
    """
    Who a commit is by. Neither part may hold a control character, or one of
    the brackets ``( ) < >``: ``clean_author()`` makes one of any texts.
    """

    name: str
    email: str


#: What ends a name or an address where the engines parse an author.
_NOT_IN_AN_AUTHOR = re.compile(r"[\x00-\x1f\x7f()<>\s]+")
_SQUARE = str.maketrans("()<>", "[][]")


def clean_author(name: str, email: str) -> Author:
    """
    An author that both engines can keep, of whatever a person goes by.

    Brackets in a name become square ones, so that it reads as it did, and
    control characters spaces; an address goes without both. Somebody who has
    no name or no address gets one that says so.
    """
    name = _NOT_IN_AN_AUTHOR.sub(" ", name.translate(_SQUARE)).strip()
    email = _NOT_IN_AN_AUTHOR.sub("", email)
    return Author(name or "Somebody", email or "nobody@pollard.invalid")


@dataclass(frozen=True, slots=True)
class Commit:
    hash: str
    author: Author
    date: datetime  # aware, UTC
    message: str  # the whole of it: subject, body and trailers
    parents: tuple[str, ...]  # hashes, first parent first; () for the first commit

    @property
    def subject(self) -> str:
        return self.message.partition("\n")[0].rstrip()  # some end lines in \r\n

    @property
    def is_merge(self) -> bool:
        return len(self.parents) > 1


@dataclass(frozen=True, slots=True)
class Branch:
    name: str
    head: str  # hash
    author: Author  # of the head commit
    date: datetime  # of the head commit; aware, UTC
    message: str  # of the head commit
    dirty: bool  # rows were written on it and not committed


@dataclass(frozen=True, slots=True)
class Tag:
    """A name that somebody gave to a commit, and that stays there."""

    name: str
    hash: str  # of the commit that it names
    tagger: Author
    date: datetime  # when it was made; aware, UTC
    message: str  # "" if none was given


class ChangeKind(StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    RENAMED = "renamed"  # tables only
    REPLACED = "replaced"  # tables only: rows go by another primary key


@dataclass(frozen=True, slots=True)
class TableChange:
    """One line of a diff's summary."""

    table: str  # its name in the later state; in the earlier one if it is gone
    kind: ChangeKind
    old_table: str  # its name in the earlier state, or ``table``
    data_changed: bool
    schema_changed: bool


@dataclass(frozen=True, slots=True)
class TableStat:
    """How many rows a table's diff holds. Counts are rows, or cells where said."""

    table: str
    rows_added: int
    rows_removed: int
    rows_changed: int
    cells_changed: int
    old_rows: int
    new_rows: int

    @property
    def rows(self) -> int:
        """How many rows differ."""
        return self.rows_added + self.rows_removed + self.rows_changed


@dataclass(frozen=True, slots=True)
class RowChange:
    """One row that differs between two states."""

    kind: ChangeKind
    key: Key  # primary key values, in the order of ``Repository.primary_key()``
    before: Row | None  # None if added
    after: Row | None  # None if removed


@dataclass(frozen=True, slots=True)
class RowEdit:
    """
    What one commit did to one row. ``columns`` are those that it changed by
    itself: of a merge, those that hold what no parent holds. ``discarded`` are
    those of a merge that hold what one parent holds, where the other's side had
    changed them to something else since the two parted; all of them where it kept
    a row that was deleted there, or left out one that was changed there.
    ``change`` is against the first parent that has the row, if any has, and in
    ``discarded`` columns against the one whose value did not stay.
    """

    commit: Commit
    change: RowChange
    columns: frozenset[str]
    discarded: frozenset[str] = frozenset()


class TrailEnds(StrEnum):
    """What was different of a table before its rows' histories can be followed."""

    RENAMED = "renamed"
    KEY = "key"
    COLUMNS = "columns"  # it had some that may be called otherwise since
    TYPES = "types"  # one held what it could not hold now


@dataclass(frozen=True, slots=True)
class TrailEnd:
    """Where a row's history goes on in a table that was another one then."""

    what: TrailEnds
    commit: str  # hash of the one that changed the table; "" if that is not known
    before: str  # hash of a state before
    table: str  # its name there
    key: Key | None  # the row's there; None if it is not known
    primary: Key = ()  # names of the columns that rows went by, of another key


@dataclass(frozen=True, slots=True)
class RowHistory:
    """A row as it is in one state, None if it is not there, and how it came to it."""

    row: Row | None
    edits: tuple[RowEdit, ...]  # newest first
    more: bool  # older edits were left out, as the limit was reached
    end: TrailEnd | None = None  # older edits are of the table as it was before


@dataclass(frozen=True, slots=True)
class SchemaChange:
    """Two definitions of one table, as the engine writes them; "" where absent."""

    table: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class KeyChange:
    """A table whose rows go by another primary key in the later state."""

    table: str
    old_table: str  # its name in the earlier state, or ``table``
    before: tuple[str, ...]  # names of the key's columns, in order
    after: tuple[str, ...]  # the same ones where only their types are others

    @property
    def change(self) -> TableChange:
        """The table's line in a summary, which leaves it out."""
        return TableChange(self.table, ChangeKind.REPLACED, self.old_table, False, True)


@dataclass(frozen=True, slots=True, order=True)
class ForeignKey:
    """``columns`` of a table's rows hold what ``parent_columns`` of a parent do."""

    table: str
    columns: tuple[str, ...]
    parent: str  # table
    parent_columns: tuple[str, ...]

    def columns_of(self, primary: Key) -> tuple[str, ...]:
        """
        Its columns in the order of the parent's ``primary`` key; () where it points
        by others.
        """
        pointing = dict(zip(self.parent_columns, self.columns, strict=True))
        if pointing.keys() != set(primary):
            return ()
        return tuple(pointing[column] for column in primary)


class MergeStatus(StrEnum):
    MERGED = "merged"  # the working set holds the result; nothing is left to settle
    CONFLICTS = "conflicts"  # conflicts, violations or schema conflicts are listed
    UP_TO_DATE = "up to date"  # the current branch holds theirs already


@dataclass(frozen=True, slots=True)
class ConflictCount:
    table: str
    rows: int


class ConflictRow(NamedTuple):  # there may be many: made in a third of the time
    """
    Three versions of a row that a merge can't decide alone.

    None stands for "no such row": deleted on that side, or (base) never there.
    ``common`` is for counters, where the sides' common history adds up to
    something else than ``base`` holds; ``doubtful`` are counters that nobody
    but a person can add up. Engines leave both empty.
    """

    table: str
    key: Key
    base: Row | None
    ours: Row | None
    theirs: Row | None
    common: Mapping[str, int] = MappingProxyType({})  # by column
    doubtful: frozenset[str] = frozenset()  # columns


@dataclass(frozen=True, slots=True)
class SchemaConflict:
    table: str
    base: str
    ours: str
    theirs: str
    description: str


class ViolationKind(StrEnum):
    FOREIGN_KEY = "foreign key"
    UNIQUE = "unique index"
    CHECK = "check constraint"
    NOT_NULL = "not null"


@dataclass(frozen=True, slots=True)
class Violation:
    """A row of a merge's result that breaks a constraint."""

    table: str
    kind: ViolationKind
    key: Key
    row: Row
    columns: tuple[str, ...]  # those that the constraint is about; () if unknown
    referenced_table: str  # for a foreign key: the parent's table, else ""
    detail: str  # the engine's own JSON, for the curious
    rule: str = ""  # name of a check constraint, where it has one
    referenced_key: Key = ()  # of the parent; () where it is not known


@dataclass(frozen=True, slots=True)
class Features:
    """Where the engines can't do the same. Pages say so instead of asking which."""

    engine: str  # "Dolt" or "DoltLite"
    version: str
    merges_json_by_key: bool  # else two edits of one document always conflict
    reports_dropped_column_as_conflict: bool  # else the merge is blocked
    commit_dates_have_milliseconds: bool
    schema_changes_roll_back: bool
    branches_take_turns_in_writing: bool  # else only writers of one branch do
    merges_read_whole_tables: bool  # of those that changed; else only what changed
    knows_what_was_renamed: bool  # of columns; else it goes by names and places
    merges_generated_columns: bool  # else not where a row of their table is in conflict
    merges_any_definitions: bool  # else some that would end the server are not begun
    keeps_foreign_keys_of_renamed_tables: bool  # in merges, which are refused else
    merges_other_unique_rules: bool  # of one table; else such a merge is refused


@dataclass(frozen=True, slots=True)
class Uncommitted:
    """Rows on a branch that nobody committed."""

    tables: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RowWrite:
    """
    A row to be written or deleted by its primary key.

    ``values`` gives each column's value as the driver takes it; None deletes.
    Columns left out keep their value (on an existing row) or take their
    default (on a new one).
    """

    key: Key
    values: Row | None


@dataclass(frozen=True, slots=True)
class MergeSides:
    """
    The three hashes that a merge is of: what both sides come from, the state
    that changes, and the state that is brought in. ``is_merge`` is False where
    that is one commit's change, or its reversal, so that ``base`` is no merge
    base and the result has one parent.
    """

    base: str
    ours: str
    theirs: str
    is_merge: bool = True


class Repository(ABC):
    """
    Version control on one connection.

    Reading methods may be called anywhere, also inside a transaction, and
    write nothing. What a writing method does to the transaction is said at
    each. All take refs and names as untrusted text; none of it reaches SQL
    other than as a parameter or as an identifier that is quoted and known to
    exist. Every method may raise ``EngineUnavailable`` and ``EngineBusy``.
    """

    #: Prefix of the branches that a landing makes for itself.
    CANDIDATES = "pollard/candidate/"

    def __init__(self, connection: Any):
        self.connection = connection

    @abstractmethod
    def forget(self) -> None:
        """Drop what was kept for the length of a request."""

    @abstractmethod
    def one_look(self) -> AbstractContextManager[None]:
        """
        Around questions of one picture of where the connection is, which is not
        moved from within: what tables there are is asked once, and of a merge
        under way, what is left to settle. Rows may be written.
        """

    # What this engine is -----------------------------------------------------

    @property
    @abstractmethod
    def features(self) -> Features: ...

    @abstractmethod
    def ping(self) -> None:
        """Ask the engine for a constant. Raises ``EngineUnavailable``."""

    @abstractmethod
    def tidy(self) -> None:
        """
        Give back the disk space of superseded rows where that is much, else do
        nothing: cheap to call after every write. Waits for writers, for two
        seconds at most, and loses nothing. (Dolt's server does this by itself.)
        """

    # Branches ----------------------------------------------------------------

    @abstractmethod
    def default_branch(self) -> str:
        """The name of the branch that the engine calls its default."""

    @abstractmethod
    def branches(self) -> list[Branch]:
        """All branches by name, hidden ones (``CANDIDATES``) included."""

    @abstractmethod
    def branch(self, name: str) -> Branch:
        """One branch, its name matched exactly. Raises ``BranchNotFound``."""

    @abstractmethod
    def head(self, branch: str) -> str:
        """
        The hash of a branch's head, as the transaction at hand sees it.

        Raises ``BranchNotFound``; a tag or a hash is not a branch.
        """

    @abstractmethod
    def new_commits(self, seen: Mapping[str, str]) -> dict[str, int | None]:
        """
        Branches whose head is another than the hash that was seen, by name,
        with how many commits are new there: None where that can't be told, as
        the branch is gone or the hash is no commit's. Takes two questions at
        most, and one if nothing moved.
        """

    @abstractmethod
    def create_branch(self, name: str, at: str) -> None:
        """
        Make branch ``name`` whose head is the commit that the ref ``at`` names.

        Outside ``atomic()`` only. Raises ``BranchExists`` (names that differ
        by case alone count as equal), ``InvalidBranchName``, ``UnknownRef``.
        """

    @abstractmethod
    def rename_branch(self, old: str, new: str) -> None:
        """
        Outside ``atomic()`` only. Raises ``BranchNotFound``, ``BranchExists``,
        ``InvalidBranchName``, ``BranchIsDefault``, ``BranchInUse``.
        """

    @abstractmethod
    def delete_branch(self, name: str, *, expected_head: str | None = None) -> str:
        """
        Delete a branch, merged or not, and return the hash its head had.

        Outside ``atomic()`` only. Never the default branch
        (``BranchIsDefault``). With ``expected_head``, raises ``BranchMoved``
        if the head is another hash, and no unit of work ends in between
        (``EngineBusy`` if one goes on for long). Connections that idle on the
        branch do not keep it. Raises ``BranchNotFound``.
        """

    # Tags --------------------------------------------------------------------

    @abstractmethod
    def tags(self) -> list[Tag]:
        """All tags by name."""

    @abstractmethod
    def tag(self, name: str) -> Tag:
        """One tag, its name matched exactly. Raises ``TagNotFound``."""

    @abstractmethod
    def create_tag(self, name: str, at: str, *, message: str, author: Author) -> None:
        """
        Give a name to the commit that the ref ``at`` names; ``message`` may be
        empty.

        Outside ``atomic()`` only. Raises ``TagExists`` (names that differ by
        case alone count as equal), ``InvalidTagName``, ``UnknownRef``, and
        ``ValueError`` for control characters or an author that the engine
        could not parse.
        """

    @abstractmethod
    def delete_tag(self, name: str, *, expected: str | None = None) -> str:
        """
        Delete a tag, never its commit, and return the hash it stood for.

        Outside ``atomic()`` only. With ``expected``, a hash, raises
        ``TagMoved`` if the tag is at another one. Raises ``TagNotFound``.
        """

    # Commits -----------------------------------------------------------------

    @abstractmethod
    def resolve(self, ref: str) -> str:
        """
        The hash that a ref names: a branch by exact name first, then a tag,
        then a full hash. Ancestor forms (``main~2``) are not refs here.
        Raises ``UnknownRef``.
        """

    @abstractmethod
    def commit(self, hash: str) -> Commit:
        """One commit. Raises ``UnknownRef``."""

    @abstractmethod
    def commits(self, hashes: Sequence[str]) -> list[Commit]:
        """
        The commits with these hashes, in their order, in as few statements as
        the engine takes. Raises ``UnknownRef``.
        """

    @abstractmethod
    def with_prefix(self, prefix: str, *, limit: int) -> list[str]:
        """
        Hashes of commits that begin with ``prefix``, at least four characters
        of a hash, in order, at most ``limit``. Reads all hashes, so it takes
        longer the longer the history is. Raises ``ValueError`` for a prefix
        that no hash has.
        """

    @abstractmethod
    def tables_changed(self, hashes: Sequence[str]) -> dict[str, frozenset[str]]:
        """
        Names of the tables that each of these commits changed, against its
        first parent, without the engine's own; a commit that is unknown, or
        the first, changed none.
        """

    @abstractmethod
    def log(self, starts: Sequence[str], *, limit: int) -> list[Commit]:
        """
        Commits reachable from the hashes ``starts``, each once, at most
        ``limit``, children always before their parents, newest first as far
        as that allows. Raises ``UnknownRef``.

        The same starts give the same list whoever commits meanwhile. A page
        goes on by passing the *frontier*: the parents of what was listed that
        were not listed themselves, and the starts that were not.
        """

    @abstractmethod
    def commits_between(
        self, exclude: str, include: str, *, limit: int
    ) -> list[Commit]:
        """
        Commits reachable from ``include`` and not from ``exclude`` (hashes),
        ordered as in ``log()``, at most ``limit``. Raises ``UnknownRef``.
        """

    @abstractmethod
    def commits_saying(
        self, texts: Sequence[str], exclude: str, include: str
    ) -> list[Commit]:
        """
        Those commits of ``commits_between()``, however many they are, whose
        message has one of some texts in it: without ``%``, ``_`` and the like.
        """

    @abstractmethod
    def count_between(self, exclude: str, include: str) -> int:
        """How many commits ``commits_between()`` would list without a limit."""

    # The next four are answered from what the process has learned of commits'
    # parents, which never change: the first time it reads all of them, and then
    # what is new. Callers keep what takes long all the same.

    @abstractmethod
    def ahead_behind(
        self, base: str, heads: Iterable[str]
    ) -> dict[str, tuple[int, int]]:
        """
        For each of ``heads`` (hashes) how many commits it has that ``base``
        lacks, and how many it lacks, as two ``count_between()``.
        """

    @abstractmethod
    def children(self, hash: str, heads: Iterable[str]) -> list[str]:
        """
        Hashes of the commits that have this one as a parent, of those that any
        of ``heads`` (hashes) is or descends from; sorted.
        """

    @abstractmethod
    def holders(self, hash: str, heads: Iterable[str]) -> frozenset[str]:
        """Those of ``heads`` (hashes) that are this commit or descend from it."""

    @abstractmethod
    def beyond(self, held: Iterable[str], heads: Iterable[str]) -> dict[str, list[str]]:
        """
        By each of ``heads`` (hashes): the hashes of what it descends from, or
        is, and none of ``held`` does or is; the nearest first.
        """

    @abstractmethod
    def merge_base(self, one: str, other: str) -> str | None:
        """
        The hash of a best common ancestor of two hashes, the one that the
        engine's own merge uses; None if they share no history.
        """

    @abstractmethod
    def merge_bases(self, one: str, other: str) -> list[str]:
        """
        All best common ancestors, sorted by hash: more than one after
        criss-cross merges, none without shared history.
        """

    @abstractmethod
    def common_ancestors(self, ones: Sequence[str], other: str) -> list[str]:
        """
        As ``merge_bases()``, for the histories of several hashes taken as one.
        """

    # Tables and rows ---------------------------------------------------------

    @abstractmethod
    def tables(self, at: str | None = None) -> list[str]:
        """
        Names of the tables in a state (a hash; None is where the connection
        is), without the engine's own.
        """

    @abstractmethod
    def columns(self, table: str, at: str | None = None) -> list[str]:
        """
        Column names in order, without generated ones. Raises ``UnknownTable``.
        """

    @abstractmethod
    def generated_columns(self, table: str, at: str | None = None) -> frozenset[str]:
        """
        Columns that the engine works out from others of their row. They are in
        no row that a repository gives, as nobody decides about them, and can't
        be written. Raises ``UnknownTable``.
        """

    @abstractmethod
    def column_definitions(self, table: str, at: str) -> dict[str, str]:
        """
        Columns in order, each with the rest of its definition as the engine
        writes it, so that it compares within one engine. ``UnknownTable``.
        """

    @abstractmethod
    def primary_key(self, table: str, at: str | None = None) -> tuple[str, ...]:
        """Names of the key columns in order; () if there is no key."""

    @abstractmethod
    def rows(
        self,
        table: str,
        keys: Sequence[Key],
        *,
        at: str | None,
        by: str | None = None,
    ) -> dict[Key, Row]:
        """
        The rows with these primary keys as of a hash (None is where the
        connection is, with what it wrote); keys without a row are left out.
        Any number of keys: the method splits them. With ``by``, keys are values
        of that unique column instead; none match one that the table did not
        have. Raises ``UnknownRef``, ``UnknownTable``.
        """

    @abstractmethod
    def search_rows(
        self,
        table: str,
        columns: Sequence[str],
        text: str,
        *,
        at: str,
        since: Key | None = None,
        limit: int,
        scanned: int,
        documents: Collection[str] = (),
    ) -> tuple[list[Row], Key | None]:
        """
        Rows as of a hash that hold ``text`` in one of ``columns``, in order of
        primary key after the key ``since``, at most ``limit``, among the next
        ``scanned`` rows; and the key to go on from, None at the table's end.
        Upper and lower case, and letters with and without accents, count as
        equal (Dolt: as utf8mb4_0900_ai_ci has it). ``documents`` are those
        of the columns that hold JSON. Columns that the state lacks hold nothing.
        Raises ``UnknownRef``, ``UnknownTable``, ``BadCursor`` for a ``since`` that
        is no key of the table, and ``ValueError`` for a table without one.
        """

    @abstractmethod
    def row_count(self, table: str, *, at: str) -> int:
        """
        How many rows a table has as of a hash. DoltLite knows it, Dolt goes
        through them. Raises ``UnknownTable``, ``UnknownRef``.
        """

    @abstractmethod
    def highest_key(self, table: str, *, at: str | None) -> int | None:
        """
        The highest primary key, of one column of whole numbers, as of a hash
        (None is where the connection is); None for an empty table. Raises
        ``UnknownRef``, ``UnknownTable``.
        """

    @abstractmethod
    def columns_at(
        self, table: str, columns: Sequence[str], hashes: Iterable[str]
    ) -> dict[str, list[tuple[Any, ...]]]:
        """
        These columns of all rows of a small table, as of each of several
        hashes; no rows where a state lacks the table. One statement for fifty
        states that have it. Raises ``UnknownRef``.
        """

    # Diffs. Both refs are hashes; the diff leads from the first to the second.

    @abstractmethod
    def diff_summary(self, before: str, after: str) -> list[TableChange]:
        """Which tables differ, by name, without the engine's own."""

    @abstractmethod
    def diff_stat(self, before: str, after: str) -> list[TableStat]:
        """Row counts for each table of ``diff_summary()`` whose data differ."""

    @abstractmethod
    def key_changes(self, before: str, after: str) -> list[KeyChange]:
        """
        Tables of both states whose primary key differs, in its columns or in
        their types, by name. No row of one state is the same row in the other, so
        ``diff_summary()``, ``diff_stat()`` and ``diff_rows()`` say nothing of such
        a table.
        """

    @abstractmethod
    def diff_rows(
        self,
        table: str,
        before: str,
        after: str,
        *,
        since: Key | None = None,
        limit: int | None = None,
        kinds: Sequence[ChangeKind] = (),
        keys: Sequence[Key] | None = None,
    ) -> Iterator[RowChange]:
        """
        Rows that differ, in order of primary key, after the key ``since``, at
        most ``limit``; of ``kinds`` only, if given; of ``keys`` only, if given.

        Every column of either state appears in its own side's row, also when
        the schemas differ. Takes work in proportion to what changed, not to
        what the table holds. A table made, dropped or without a primary key
        is fine (without one the key is all columns, and a number behind them
        where a row repeats).
        """

    @abstractmethod
    def row_history(
        self, table: str, key: Key, *, at: str, since: str = "", limit: int
    ) -> RowHistory:
        """
        What commits did to the row with a primary key (driver values, as in
        ``RowChange.key``), of those that the hash ``at`` can reach: the newest
        ``limit`` edits, after the commit ``since`` (a hash that this method
        listed) if given, in order of date.

        Each edit once, at the commit that made it: a merge that only brought
        it along is left out; one that settled a cell by itself is not, nor one
        that took one side's value where the other had changed it too. None
        from before the table was renamed or got another key, or a column may have
        been renamed.
        Rows have the columns that the table has at ``at``. A key that no state
        had, or that the driver can't take, has no row and no edits. Takes work
        in proportion to the commits, not to what the table holds. Raises
        ``UnknownRef`` for ``at`` and ``since``, ``UnknownTable`` for a table
        that is not there at ``at`` or has no primary key.
        """

    @abstractmethod
    def schema_changes(self, before: str, after: str) -> list[SchemaChange]:
        """Definitions of the tables whose schema differs, by name."""

    @abstractmethod
    def index_changes(self, before: str, after: str) -> list[SchemaChange]:
        """
        Indexes whose definitions differ, by their own names, where the engine
        defines them apart from their tables. (Dolt: within, so there are none.)
        """

    # All of a diff, as a stream. The iterators read on connections of their own,
    # which they close with themselves: read to the end, or call ``close()``.

    @abstractmethod
    def state_rows(
        self, table: str, *, at: str | None, since: Key | None = None, limit: int
    ) -> list[Row]:
        """
        Rows of a table as of the hash ``at`` (None is where the connection is), in
        order of its primary key, from the one after ``since`` on. Raises
        ``UnknownTable``, ``UnknownRef``, and ``ValueError`` for a table without a
        key.
        """

    @abstractmethod
    def stream_changes(
        self, table: str, before: str, after: str
    ) -> Iterator[RowChange]:
        """
        All that ``diff_rows()`` would give, in the engine's order; of a table
        whose key changed, all rows before, as removed, and all after, as added.
        Holds a few hundred rows at a time, however many there are.
        """

    @abstractmethod
    def stream_sql(
        self, before: str, after: str, *, without: Mapping[str, Collection[str]]
    ) -> Iterator[str]:
        """
        Statements of this engine that make ``after`` of ``before``, each ended
        by a semicolon. The columns ``without``, by table, are left out: what
        they hold appears nowhere, and is not changed. Nor are rows that go by
        them.
        """

    # The working set ---------------------------------------------------------

    @abstractmethod
    def uncommitted(self) -> Uncommitted | None:
        """
        What the current branch's working set, as this transaction sees it,
        holds beyond its head; None if nothing. The engine's own bookkeeping
        (such as a sequence table by itself) counts: it would be committed.
        """

    @abstractmethod
    def head_and_uncommitted(self) -> tuple[str, Uncommitted | None]:
        """
        The hash of the current branch's head and what ``uncommitted()`` says,
        both as this transaction sees them: what a unit of work begins with.
        """

    @abstractmethod
    def working_hash(self) -> str:
        """
        What tells the current branch's working set, as this transaction sees
        it, from any other: the hash of all its tables. No commit's hash.
        """

    @abstractmethod
    def discard_uncommitted(self) -> None:
        """
        Put the current branch's working set back to its head; what was not
        committed is gone. Ends the transaction, as a commit does: the last
        statement of the outermost ``atomic()``.
        """

    @abstractmethod
    def reset(self, to: str) -> None:
        """
        Move the current branch to the hash ``to``, which has no need to descend
        from its head, and its rows with it; what was on the branch since is
        gone. For tests alone: see ``versioning.test``. Ends the transaction, as
        a commit does: the last statement of the outermost ``atomic()``.
        """

    @abstractmethod
    def commit_all(self, message: str, author: Author) -> str | None:
        """
        Commit everything in the current branch's working set.

        The last statement of the outermost ``atomic()``: the transaction's
        rows and the commit become durable together, and savepoints are gone
        afterwards. Returns the new hash, or None if nothing had changed.
        A merge begun by ``start_merge()`` becomes a commit with two parents,
        changed or not. Raises ``ConflictsRemain`` (the transaction is
        intact), ``SerializationFailure`` (it is rolled back), ``ValueError``
        before anything is sent for an empty message, an author that the
        engine could not parse, or control characters.
        """

    @abstractmethod
    def leave_conflicts(self, message: str, author: Author) -> str | None:
        """
        Commit anew, without its list of conflicts, a head that holds one: no
        commit can be made on a branch that begins there. At the end of the
        outermost ``atomic()``; the new hash, or None if the head holds none.

        (Dolt writes such a commit for a client that takes no lock and commits
        at the moment in which the branch moves and changes the same cells.
        DoltLite writes none.)
        """

    @abstractmethod
    def reword(self, message: str, author: Author) -> str:
        """
        Give the commit that ``commit_all()`` just made another message, at the
        end of the same ``atomic()``; its new hash. Not for merges.
        """

    # Merging. Inside the outermost ``atomic()``, on a branch. ----------------

    @abstractmethod
    def prepare_merge(self) -> None:
        """
        Before the transaction of ``start_merge()``, on its branch: see that
        ``violations()`` will know of all tables. (DoltLite lists those of a table
        only for connections that were opened since it was made.)
        """

    @abstractmethod
    def require_same_unique_rules(self, sides: MergeSides) -> None:
        """
        Raise ``MergeRefused`` for a merge that the engine would make wrong, as theirs
        has other rules about what may be in a table only once: see ``features``.
        """

    @abstractmethod
    def start_merge(self, theirs: str) -> MergeStatus:
        """
        Merge the commit ``theirs`` (a hash) into the working set without
        committing and without moving the head, also where a fast-forward
        would do. The merge lives in this transaction: rolled back, it leaves
        nothing. The transaction stays usable when there are conflicts.

        Raises ``MergeBlocked`` (nothing was merged), ``UncommittedRows``,
        ``UnknownRef``. Not within a savepoint: ``TransactionManagementError``.
        """

    @abstractmethod
    def fill_new_columns(self, sides: MergeSides) -> None:
        """
        In the transaction of ``start_merge()``, right after it: give each row what
        a side holds in columns that only that side has, where both redefined a
        table and the engine may have taken one column for another.
        """

    @abstractmethod
    def fill_new_indexes(self, sides: MergeSides) -> None:
        """
        After ``fill_new_columns()``, where a side redefined a table: see to it
        that its unique indexes hold all rows, so that they are found by them. And
        once more when no row breaks a rule any longer, if one did.
        """

    @abstractmethod
    def unsettled(self) -> list[str]:
        """
        Tables, by name, with rows in conflict or breaking a constraint in the
        merge that the branch is in: nothing can be committed there. Outside
        ``start_merge()`` that is one which another client left; DoltLite
        lets nobody leave one.
        """

    @abstractmethod
    def conflict_counts(self) -> list[ConflictCount]:
        """
        Tables with rows in conflict, by name, and how many. Raises
        ``MergeBlocked`` where one of them is in the result no more.
        """

    @abstractmethod
    def conflicts(
        self,
        table: str,
        *,
        since: Key | None = None,
        limit: int | None = None,
        keys: Sequence[Key] | None = None,
    ) -> list[ConflictRow]:
        """
        Rows in conflict in order of primary key; as ``diff_rows()``. Raises
        ``MergeRefused`` if there are any and the table has no primary key.
        """

    @abstractmethod
    def each_conflict(
        self, table: str, *, at_once: int
    ) -> Generator[list[ConflictRow], None, None]:
        """
        All of ``conflicts()`` in one question, in lists of at most ``at_once``
        rows, read as they are asked for. Until the last one, or ``close()``,
        nothing else can be asked of the engine.
        """

    @abstractmethod
    def schema_conflicts(self) -> list[SchemaConflict]:
        """Tables whose definitions can't be merged. Not to be settled here."""

    @abstractmethod
    def violations(self, *, limit: int | None = None) -> list[Violation]:
        """
        Rows of the result that break a constraint, by table and key. Raises
        ``MergeRefused`` if a table of theirs has no primary key.
        """

    @abstractmethod
    def merged_summary(self) -> list[TableChange]:
        """``diff_summary()`` from the current head to the working set."""

    @abstractmethod
    def merged_stat(self) -> list[TableStat]:
        """
        ``diff_stat()`` from the current head to the working set. A row in
        conflict holds ours there, and so is not counted.
        """

    @abstractmethod
    def merged_key_changes(self) -> list[KeyChange]:
        """``key_changes()`` from the current head to the working set."""

    @abstractmethod
    def merged_schema_changes(self) -> list[SchemaChange]:
        """``schema_changes()`` from the current head to the working set."""

    @abstractmethod
    def merged_index_changes(self) -> list[SchemaChange]:
        """``index_changes()`` from the current head to the working set."""

    @abstractmethod
    def merged_rows(
        self,
        table: str,
        *,
        since: Key | None = None,
        limit: int | None = None,
        keys: Sequence[Key] | None = None,
        before: str | None = None,
    ) -> Iterator[RowChange]:
        """
        ``diff_rows()`` to the working set, from the hash ``before`` or from the
        current head.
        """

    @abstractmethod
    def write_rows(self, table: str, writes: Sequence[RowWrite]) -> None:
        """
        Insert, update or delete rows by primary key, in as few statements as
        the engine takes. Foreign keys are not checked row by row here: the
        caller checks the finished result. Stays within the transaction.
        """

    @abstractmethod
    def try_rows(self, table: str, writes: Sequence[RowWrite]) -> list[RowWrite]:
        """
        ``write_rows()``, without the rows that the engine refuses, which are
        returned. Rows that swap values of a unique index are taken, unless
        rows that point to them would change along. Each write is to hold all
        columns: of the refused rows, those that were in the table may be gone
        from it.
        """

    @abstractmethod
    def unwritten(self, listed: Sequence[Violation]) -> dict[tuple[str, Key], Row]:
        """
        Rows of the merge under way that its working set does not hold as they
        should become, as the engine did not take them, of those that
        ``violations()`` gave. Dolt keeps ours, or no row, where a value is
        missing from a column that must have one.
        """

    @abstractmethod
    def settle_conflicts(self, table: str, *, rows: int) -> None:
        """
        Take all rows of a table off the list of conflicts, as they are in the
        table now.

        Raises ``ConflictsRemain``, and takes none off, if it is not this many.
        """

    @abstractmethod
    def settle_violations(self, table: str) -> None:
        """
        Take all rows of a table off the list of violations.

        Deletes the list, not the fault: the engines commit orphans and
        duplicates after this (measured), so check the rows first.
        """

    @abstractmethod
    def foreign_keys(self, at: str | None = None) -> list[ForeignKey]:
        """
        Those of all tables, in order, as of a hash or where the connection is.
        Raises ``UnknownRef``.
        """

    @abstractmethod
    def broken_constraints(
        self, tables: Sequence[str] | None = None
    ) -> list[Violation]:
        """
        Constraints that the current branch's rows break: foreign keys without
        a parent, values of a unique index that occur twice, checks, and values
        missing where there must be one; of ``tables`` only, if given. At most
        100 rows for each constraint. Reads whole tables.
        """

    @abstractmethod
    def faults_of(
        self, table: str, keys: Sequence[Key], *, written: bool = False
    ) -> list[Violation]:
        """
        Constraints that the rows of ``table`` with these primary keys break as
        they are now, in this transaction: foreign keys without a parent, values
        that must be unique and are shared (each row that shares them is
        listed), checks, values missing where there must be one, and rows of any
        table that point to one of these keys where there is no row. Takes work
        in proportion to ``keys``, and to the table where it has unique indexes.

        With ``written`` the rows were written in this transaction, and only
        foreign keys are asked about: in any other respect they are right, else
        they had not been taken.
        """

    @abstractmethod
    def refusals_of(self, table: str, key: Key, row: Row) -> list[Violation]:
        """
        Why ``try_rows()`` did not take a row: its violations, and those of the
        rows that hold a value of it that must be unique. Where none of its
        table's constraints says, a check without columns stands for the reason.
        """

    @abstractmethod
    def fast_forward(self, branch: str, *, expected: str, to: str) -> None:
        """
        Move ``branch`` from the hash ``expected`` to its descendant ``to``.

        A compare-and-swap: outside ``atomic()``; raises ``BranchMoved`` and
        changes nothing if the head is another hash, even when a writer that
        takes no lock moved it meanwhile (unless to a commit that ``to`` holds,
        so that nothing is lost), ``UncommittedRows`` if the branch has rows
        that nobody committed. Afterwards the head is ``to``, or what somebody
        committed on top of it by then. The connection must be bound to
        ``branch``: ``ValueError``.

        Dolt writes the head and then the rows, so that a client that takes no
        lock can get in between: its commit on top of ``to`` is without what
        ``to`` changed, and that is then among the rows that nobody committed.
        If it wrote the same cells, the rows stay as it wrote them:
        ``RowsLeftBehind``. Use ``moving.move()``, which puts both right.
        """

    # Locks -------------------------------------------------------------------

    @abstractmethod
    def write_lock(
        self, branch: str, *, timeout: float = 20.0
    ) -> AbstractContextManager[None]:
        """
        One writer on a branch at a time, between processes. Taken before the
        transaction begins, held until it has ended. ``timeout`` in seconds;
        raises ``EngineBusy``. Not reentrant.

        (Dolt: ``GET_LOCK``. DoltLite: the transactions themselves begin with
        ``BEGIN IMMEDIATE``, the file's only write lock; here they wait for
        ``without_writers()`` alone.)
        """

    @abstractmethod
    def without_writers(
        self, branch: str, *, timeout: float = 20.0
    ) -> AbstractContextManager[None]:
        """
        Keep all who take the branch's write lock off it, for as many transactions
        as the block has: they wait. Its own must take no such lock. ``timeout`` in
        seconds; raises ``EngineBusy``. (DoltLite: off every branch, as the file has
        one writer at a time in any case; by two lock files beside the database, so
        that many who write all the time don't keep it waiting.)
        """

    @abstractmethod
    def landing_lock(
        self, branch: str, *, timeout: float = 20.0
    ) -> AbstractContextManager[None]:
        """
        One landing on a target branch at a time, between processes, for as
        long as it builds and checks; writers of the branch do not wait for
        it. ``timeout`` in seconds; raises ``EngineBusy``. Released when the
        process dies. (Dolt: ``GET_LOCK``; DoltLite: a lock file beside the
        database.)
        """

"""
The result of a merge, written into its working set, and what is wrong with it.

For a merge that is under way: in a rehearsal, to show what would be wrong, and
in the candidate, to build what lands. Both write the same and ask the same.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby, islice
from operator import attrgetter
from typing import Any, NamedTuple

from versioning.backends.errors import ConflictsRemain
from versioning.backends.repository import (
    ConflictRow,
    Key,
    MergeSides,
    Repository,
    Row,
    RowWrite,
    Violation,
    ViolationKind,
)
from versioning.inheritance import parts_of
from versioning.merging import copies, drafts, pairs, parts, preview
from versioning.merging.bulk import TableDecisions
from versioning.merging.resolution import WHOLE_ROW, RowState, Take
from versioning.merging.writing import NewKeys, ResultWriter
from versioning.models import Decision, MergeDraft
from versioning.values import same

BATCH = 200  # mended rows at a time


def write(
    repository: Repository,
    sides: MergeSides,
    draft: MergeDraft | None,
    listed: Sequence[Violation],
    *,
    settle: bool,
) -> ResultWriter:
    """
    Write counters' sums, a draft's decisions, and its mends over them, where
    the engine ``listed`` these violations before; what was written, and what
    could not be.

    With ``settle`` rows are taken off the list of conflicts, and one that
    lacks a decision raises ``ConflictsRemain``; without, it stays as ours.
    """
    writer = ResultWriter(repository, sides, listed)
    # Sums before conflicts: which rows are in conflict decides which sums are
    # anybody's, and settling takes rows off that list.
    _write_sums(repository, writer)
    made = _Made()
    for count in repository.conflict_counts():
        _write_decisions(repository, writer, count.table, draft, settle, made)
    copies.write(repository, writer, made.both)
    pairs.write(repository, writer, listed)
    parts.write(repository, writer, made.kept, made.alone)
    if draft is not None:
        _write_mends(repository, writer, draft, made.alone)
    writer.write_what_was_refused()
    return writer


@dataclass(slots=True)
class _Made:
    """What decisions made of rows in conflict, as far as others depend on it."""

    both: list[ConflictRow] = field(default_factory=list)  # both sides' are kept
    #: Those that one side deleted, by table and the hash of the other.
    kept: dict[tuple[str, str], list[Key]] = field(
        default_factory=lambda: defaultdict(list)
    )
    #: Those whose other parts don't bring them along.
    alone: set[tuple[str, Key]] = field(default_factory=set)


def _write_sums(repository: Repository, writer: ResultWriter) -> None:
    for table, changes in groupby(
        preview.outside_conflicts(repository, writer.sides), key=attrgetter("table")
    ):
        while batch := list(islice(changes, BATCH)):
            rows: dict[Key, dict[str, int]] = defaultdict(dict)
            for change in batch:
                rows[change.key][change.column] = change.sum
            writer.write(table, [RowWrite(key, values) for key, values in rows.items()])


def _write_decisions(
    repository: Repository,
    writer: ResultWriter,
    table: str,
    draft: MergeDraft | None,
    settle: bool,
    made: _Made,
) -> None:
    count = 0
    has_parts = bool(parts_of(table))
    keepers = {
        RowState.DELETED_HERE: writer.sides.theirs,
        RowState.DELETED_THERE: writer.sides.ours,
    }
    decided = TableDecisions(draft, table)
    for rows in preview.conflict_pages(repository, writer.sides, table):
        writes = []
        for row, resolution in zip(rows, decided.resolve(rows), strict=True):
            if resolution.keeps_both:
                made.both.append(row)
            if has_parts:
                keeper = keepers.get(resolution.state)
                if keeper and not resolution.pending and resolution.result:
                    made.kept[table, keeper].append(row.key)
                made.alone.add((table, row.key))
            if not resolution.pending:
                writes.append(RowWrite(resolution.key, resolution.result))
            elif settle:
                raise ConflictsRemain(f"Decisions are missing in {table}.")
            else:
                writer.left_open += 1
        writer.write(table, writes)
        count += len(rows)
    if settle:
        repository.settle_conflicts(table, rows=count)


# Mends ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MendedRow:
    """A row of the result with what people decided to mend in it."""

    versions: ConflictRow  # as the three states hold it
    decisions: dict[str, Decision]  # by column; those that count
    outdated: dict[str, Decision]  # made on other values


def mended_rows(
    repository: Repository, sides: MergeSides, draft: MergeDraft, new_keys: NewKeys
) -> Iterator[list[MendedRow]]:
    """A draft's mends by row, of one table and a few hundred at a time."""
    made = draft.decisions.filter(mends=True)
    for table, of_table in groupby(
        made.order_by("table", "pk").iterator(), key=attrgetter("table")
    ):
        while batch := list(islice(of_table, BATCH)):
            yield _judge_mends(repository, sides, table, batch, new_keys)


def versions(
    repository: Repository,
    sides: MergeSides,
    table: str,
    keys: Sequence[Key],
    new_keys: NewKeys,
) -> list[ConflictRow]:
    """``preview.versions()``, with what ``copies.versions()`` says of copies."""
    found = preview.versions(repository, sides, table, keys)
    return copies.versions(repository, sides, found, new_keys)


def _judge_mends(
    repository: Repository,
    sides: MergeSides,
    table: str,
    made: Sequence[Decision],
    new_keys: NewKeys,
) -> list[MendedRow]:
    """Which mends count, as the values that they were made on are still there."""
    by_key: dict[Key, list[Decision]] = defaultdict(list)
    for decision in made:
        by_key[drafts.key_of(decision)].append(decision)
    rows = versions(repository, sides, table, list(by_key), new_keys)
    found = []
    for row in rows:
        fits: dict[str, Decision] = {}
        outdated: dict[str, Decision] = {}
        for decision in by_key[row.key]:
            stands = decision.seen == drafts.seen(row, decision.column)
            (fits if stands else outdated)[decision.column] = decision
        found.append(MendedRow(row, fits, outdated))
    return found


def _write_mends(
    repository: Repository,
    writer: ResultWriter,
    draft: MergeDraft,
    alone: set[tuple[str, Key]],
) -> None:
    kept: dict[tuple[str, str], list[Key]] = defaultdict(list)
    for rows in mended_rows(repository, writer.sides, draft, writer.new_keys):
        rows = [row for row in rows if row.decisions]
        if not rows:
            continue
        table = rows[0].versions.table
        now = writer.rows(table, [row.versions.key for row in rows])
        writer.write(
            table,
            [
                RowWrite(
                    row.versions.key,
                    mended(row, now.get(row.versions.key), writer.new_keys),
                )
                for row in rows
            ],
        )
        for row in rows:
            _make_clear(writer, row)
            if WHOLE_ROW in row.decisions:
                alone.add((table, row.versions.key))
                if keeper := only_keeper(row, writer.sides):
                    kept[table, keeper].append(row.versions.key)
    parts.write(repository, writer, kept, alone)


def only_keeper(row: MendedRow, sides: MergeSides) -> str | None:
    """The side as which a row is kept, if the other one has none."""
    whole = row.decisions.get(WHOLE_ROW)
    if whole is None:
        return None
    if whole.take == Take.OURS and row.versions.theirs is None:
        return sides.ours
    if whole.take == Take.THEIRS and row.versions.ours is None:
        return sides.theirs
    return None


def _make_clear(writer: ResultWriter, row: MendedRow) -> None:
    """Whose row it is, if that is what somebody said."""
    where = row.versions.table, row.versions.key
    why = writer.unclear.get(where)
    if why and (WHOLE_ROW in row.decisions or set(why.columns) <= row.decisions.keys()):
        del writer.unclear[where]


def mended(row: MendedRow, result: Row | None, new_keys: NewKeys) -> Row | None:
    """What mends make of a row of the result; None is no row."""
    if whole := row.decisions.get(WHOLE_ROW):
        match Take(whole.take):
            case Take.OURS:
                result = row.versions.ours
            case Take.THEIRS:
                result = copies.as_theirs(row.versions, new_keys)
            case Take.DROP:
                result = None
    if result is None:
        return None
    typed = {
        column: drafts.choice_of(decision).value
        for column, decision in row.decisions.items()
        if column != WHOLE_ROW
    }
    return {**result, **typed}


# What is wrong ----------------------------------------------------------------


class Faults(NamedTuple):
    """Constraints that a merge's result breaks, by table and key."""

    new: list[Violation]
    old: list[Violation]  # that ours breaks, too: no reason to refuse the merge


def faults(
    repository: Repository, listed: Sequence[Violation], writer: ResultWriter
) -> Faults:
    """
    What the result breaks, of what the engine ``listed`` before anything was
    written, of the rows written since, and of those that could not be.
    """
    by_engine: dict[str, set[Key]] = defaultdict(set)
    for violation in listed:
        by_engine[violation.table].add(violation.key)
    asked = [
        *(
            fault
            for keys_by_table, written in ((by_engine, False), (writer.keys, True))
            for table, keys in keys_by_table.items()
            for fault in repository.faults_of(table, sorted(keys), written=written)
        ),
        *(
            fault
            for (table, key), row in writer.unwritten.items()
            for fault in repository.refusals_of(table, key, row)
        ),
        *_not_asked(listed, writer),
    ]
    # Asked of the child alone, none is known that it points to by no key.
    parents = {
        _pointing(fault): fault.referenced_key
        for fault in (*listed, *asked)
        if fault.referenced_key
    }
    found = {
        _which(fault): replace(fault, referenced_key=parents.get(_pointing(fault), ()))
        for fault in asked
        if not _will_have_a_parent(fault, writer)
    }
    ordered = sorted(found.values(), key=lambda fault: (fault.table, fault.key))
    old = _orphans_of_ours(repository, writer, ordered)
    before = {_which(fault) for fault in old}
    return Faults([fault for fault in ordered if _which(fault) not in before], old)


def _which(fault: Violation) -> tuple[Any, ...]:
    return fault.table, fault.key, fault.kind, fault.columns


def _orphans_of_ours(
    repository: Repository, writer: ResultWriter, found: Sequence[Violation]
) -> list[Violation]:
    """
    Those that point to the same in ours already, where it is not there either: some
    other client wrote them unchecked.
    """
    ours = writer.sides.ours
    orphans = [
        fault
        for fault in found
        if fault.referenced_key
        and (fault.table, fault.key) not in writer.unwritten
        and fault.referenced_table in repository.tables(at=ours)
    ]
    wanted: dict[str, set[Key]] = defaultdict(set)
    for fault in orphans:
        wanted[fault.table].add(fault.key)
        wanted[fault.referenced_table].add(fault.referenced_key)
    there = {
        table: repository.rows(table, sorted(keys), at=ours)
        for table, keys in wanted.items()
        if table in repository.tables(at=ours)
    }
    return [
        fault
        for fault in orphans
        if (row := there.get(fault.table, {}).get(fault.key))
        and all(same(row.get(c), fault.row.get(c)) for c in fault.columns)
        and fault.referenced_key not in there[fault.referenced_table]
    ]


def _pointing(fault: Violation) -> tuple[Any, ...]:
    held = tuple(fault.row.get(column) for column in fault.columns)
    return *_which(fault), held


def _not_asked(
    listed: Sequence[Violation], writer: ResultWriter
) -> Iterator[Violation]:
    """
    Checks that the engine listed, of rows that it did not take anew since: it
    knows better than we do what it checks.
    """
    for violation in listed:
        if violation.kind is not ViolationKind.CHECK:
            continue
        if violation.key not in writer.keys.get(violation.table, ()):
            yield violation


def _will_have_a_parent(fault: Violation, writer: ResultWriter) -> bool:
    """Whether what a row points to is missing only until it is mended."""
    return (fault.referenced_table, fault.referenced_key) in writer.unwritten

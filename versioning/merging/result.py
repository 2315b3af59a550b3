"""
The result of a merge, written into its working set, and what is wrong with it.

For a merge that is under way: in a rehearsal, to show what would be wrong, and
in the candidate, to build what lands. Both write the same and ask the same.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby, islice
from operator import attrgetter

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
from versioning.merging import copies, drafts, preview
from versioning.merging.bulk import TableDecisions
from versioning.merging.resolution import WHOLE_ROW, Take
from versioning.models import Decision, MergeDraft

BATCH = 200  # mended rows at a time

#: The engine notices these alone, and only when a row is written.
_ON_WRITING = (ViolationKind.CHECK, ViolationKind.NOT_NULL)


@dataclass(slots=True)
class Written:
    """Keys of the rows that decisions and mends wrote, by table."""

    keys: dict[str, set[Key]] = field(default_factory=lambda: defaultdict(set))
    left_open: int = 0  # rows in conflict whose decisions are not all made

    def __contains__(self, row: tuple[str, Key]) -> bool:
        table, key = row
        return key in self.keys.get(table, ())


def write(
    repository: Repository,
    sides: MergeSides,
    draft: MergeDraft | None,
    *,
    settle: bool,
) -> Written:
    """
    Write counters' sums, a draft's decisions, and its mends over them.

    With ``settle`` rows are taken off the list of conflicts, and one that
    lacks a decision raises ``ConflictsRemain``; without, it stays as ours.
    """
    written = Written()
    # Sums before conflicts: which rows are in conflict decides which sums are
    # anybody's, and settling takes rows off that list.
    _write_sums(repository, sides)
    both: list[ConflictRow] = []
    for count in repository.conflict_counts():
        both += _write_decisions(repository, sides, count.table, draft, written, settle)
    for table, keys in copies.write(repository, sides, both).items():
        written.keys[table] |= keys
    if draft is not None:
        _write_mends(repository, sides, draft, written)
    return written


def _write_sums(repository: Repository, sides: MergeSides) -> None:
    for table, changes in groupby(
        preview.outside_conflicts(repository, sides), key=attrgetter("table")
    ):
        while batch := list(islice(changes, BATCH)):
            rows: dict[Key, dict[str, int]] = defaultdict(dict)
            for change in batch:
                rows[change.key][change.column] = change.sum
            repository.write_rows(
                table, [RowWrite(key, values) for key, values in rows.items()]
            )


def _write_decisions(
    repository: Repository,
    sides: MergeSides,
    table: str,
    draft: MergeDraft | None,
    written: Written,
    settle: bool,
) -> list[ConflictRow]:
    """Returns the rows of which both sides' are kept."""
    both = []
    count = 0
    decided = TableDecisions(draft, table)
    for rows in preview.conflict_pages(repository, sides, table):
        writes = []
        for row, resolution in zip(rows, decided.resolve(rows), strict=True):
            if resolution.keeps_both:
                both.append(row)
            if not resolution.pending:
                writes.append(RowWrite(resolution.key, resolution.result))
            elif settle:
                raise ConflictsRemain(f"Decisions are missing in {table}.")
            else:
                written.left_open += 1
        repository.write_rows(table, writes)
        written.keys[table].update(one.key for one in writes)
        count += len(rows)
    if settle:
        repository.settle_conflicts(table, rows=count)
    return both


# Mends ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MendedRow:
    """A row of the result with what people decided to mend in it."""

    versions: ConflictRow  # as the three states hold it
    decisions: dict[str, Decision]  # by column; those that count
    outdated: dict[str, Decision]  # made on other values


def mended_rows(
    repository: Repository, sides: MergeSides, draft: MergeDraft
) -> Iterator[list[MendedRow]]:
    """A draft's mends by row, of one table and a few hundred at a time."""
    made = draft.decisions.filter(mends=True).select_related("decided_by")
    for table, of_table in groupby(
        made.order_by("table", "pk").iterator(), key=attrgetter("table")
    ):
        while batch := list(islice(of_table, BATCH)):
            yield judge_mends(repository, sides, table, batch)


def judge_mends(
    repository: Repository,
    sides: MergeSides,
    table: str,
    made: Sequence[Decision],
) -> list[MendedRow]:
    """Which mends count, as the values that they were made on are still there."""
    by_key: dict[Key, list[Decision]] = defaultdict(list)
    for decision in made:
        by_key[drafts.key_of(decision)].append(decision)
    rows = preview.versions(repository, sides, table, list(by_key))
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
    repository: Repository, sides: MergeSides, draft: MergeDraft, written: Written
) -> None:
    for rows in mended_rows(repository, sides, draft):
        rows = [row for row in rows if row.decisions]
        if not rows:
            continue
        table = rows[0].versions.table
        keys = [row.versions.key for row in rows]
        now = repository.rows(table, keys, at=None)
        writes = [
            RowWrite(row.versions.key, mended(row, now.get(row.versions.key)))
            for row in rows
        ]
        repository.write_rows(table, writes)
        written.keys[table].update(keys)


def mended(row: MendedRow, result: Row | None) -> Row | None:
    """What mends make of a row of the result; None is no row."""
    if whole := row.decisions.get(WHOLE_ROW):
        match Take(whole.take):
            case Take.OURS:
                result = row.versions.ours
            case Take.THEIRS:
                result = row.versions.theirs
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


def faults(
    repository: Repository, listed: Sequence[Violation], written: Written
) -> list[Violation]:
    """
    Constraints that the result breaks, of those that the engine ``listed``
    before anything was written, and of the rows written since.
    """
    by_engine: dict[str, set[Key]] = defaultdict(set)
    for violation in listed:
        by_engine[violation.table].add(violation.key)
    found: dict[tuple[str, Key, str, tuple[str, ...]], Violation] = {}
    for violation in listed:
        if violation.kind in _ON_WRITING:
            # The engine took the row when it was written anew, so it is right.
            where = (violation.table, violation.key)
            if where not in written:
                found[(*where, violation.kind, violation.columns)] = violation
    asked = [
        fault
        for keys_by_table, unique in ((by_engine, True), (written.keys, False))
        for table, keys in keys_by_table.items()
        for fault in repository.faults_of(table, sorted(keys), unique=unique)
    ]
    for fault in asked:
        found[fault.table, fault.key, fault.kind, fault.columns] = fault
    return sorted(found.values(), key=lambda fault: (fault.table, fault.key))

"""One cell of a merge in full: as its states have it, or when it was decided."""

from collections.abc import Sequence
from dataclasses import dataclass

from versioning.backends.repository import MergeSides, Repository, Row
from versioning.merging import preview, records
from versioning.merging.again import row_then
from versioning.merging.resolution import WHOLE_ROW, Take
from versioning.merging.withheld import withheld
from versioning.models import Decision
from versioning.presentation.cells import Shown, show, told_apart
from versioning.presentation.conflicts import Names
from versioning.presentation.snapshot import Snapshot
from versioning.presentation.stretches import stretch
from versioning.values import TableValues, key_from_outside
from versioning.visibility import hidden_among


@dataclass(frozen=True, slots=True)
class SideText:
    """``text`` is None where that side has no such value."""

    label: str
    text: str | None


@dataclass(frozen=True, slots=True)
class WholeValue:
    heading: str  # what the row is, in words
    name: str  # of the column
    sides: tuple[SideText, ...]  # before, the target's, and what is brought in

    def part(self, start: int) -> tuple[list[SideText], int | None]:
        """As ``stretch()`` of the sides' texts."""
        texts, more = stretch([side.text for side in self.sides], start)
        labels = [side.label for side in self.sides]
        return list(map(SideText, labels, texts)), more


def whole_value(
    repository: Repository,
    sides: MergeSides,
    names: Names,
    table: str,
    key: str,
    column: str,
) -> WholeValue | None:
    """
    ``key`` as ``values.key_text()`` writes it. None if no side has such a value
    that the reader may see. Raises ``UnknownRef``, and ``ValueError`` for what
    is no key.
    """
    found = key_from_outside(key)
    states = (sides.base, sides.ours, sides.theirs)
    there = [at for at in states if table in repository.tables(at=at)]
    if not there or hidden_among(table, [column]) or withheld(sides, [table]):
        return None
    if len(found) != len(repository.primary_key(table, there[-1])):
        raise ValueError(key)
    (row,) = preview.versions(repository, sides, table, [found])
    rows = (row.base, row.ours, row.theirs)
    if not any(version and column in version for version in rows):
        return None
    at, version = next(
        (at, found) for at, found in zip(states, rows, strict=True) if found
    )
    labels = Snapshot(repository, at).labels(table, {row.key: version})
    values = TableValues(table, repository.connection)
    return WholeValue(
        labels[row.key],
        values.column_name(column),
        _texts(values, column, names, [version or {} for version in rows]),
    )


def decided_value(decision: Decision, column: str) -> WholeValue | None:
    """
    What a decision was made on, and what was typed if that is what it takes.
    ``column`` is the decision's own, or any of one about a row as a whole. None
    if there is no such value that the reader may see. Raises ``UnknownRef``.
    """
    table = decision.table
    if decision.column not in (WHOLE_ROW, column) or hidden_among(table, [column]):
        return None
    versions = [row_then(decision.column, encoded) or {} for encoded in decision.seen]
    (made,) = records.decided(decision.draft, [decision])
    values = TableValues(table)
    texts = _texts(values, column, records.names_of(decision.draft), versions)
    if decision.take == Take.VALUE and made.result is not None:
        texts += (SideText(f"Typed by {made.who}", made.result.whole_text),)
    if not any(side.text is not None for side in texts):
        return None
    return WholeValue(made.heading, values.column_name(column), texts)


def _texts(
    values: TableValues, column: str, names: Names, versions: Sequence[Row]
) -> tuple[SideText, ...]:
    """A column's text in three versions of a row."""
    field = values.field(column)

    def shown_in(version: Row) -> Shown | None:
        if column not in version:
            return None
        raw = version[column]
        return show(values.to_field(column, raw), field, raw=raw)

    labels = ("Before", names.ours, names.theirs)
    shown = told_apart([shown_in(version) for version in versions])
    return tuple(
        SideText(label, one.whole_text if one else None)
        for label, one in zip(labels, shown, strict=True)
    )

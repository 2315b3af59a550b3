"""One cell of a merge in full, as each of its three states has it."""

from dataclasses import dataclass

from versioning.backends.repository import MergeSides, Repository
from versioning.merging import preview
from versioning.presentation.cells import show
from versioning.presentation.conflicts import Names
from versioning.presentation.snapshot import Snapshot
from versioning.presentation.stretches import stretch
from versioning.values import TableValues, key_from_text
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
    found = key_from_text(key)
    states = (sides.base, sides.ours, sides.theirs)
    there = [at for at in states if table in repository.tables(at=at)]
    if not there or hidden_among(table, [column]):
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
    field = values.field(column)

    def text_of(raw: object) -> str:
        return show(values.to_field(column, raw), field, raw=raw).whole_text

    return WholeValue(
        labels[row.key],
        values.column_name(column),
        tuple(
            SideText(label, text_of(version[column]) if column in version else None)
            for label, version in zip(
                ("Before", names.ours, names.theirs),
                (version or {} for version in rows),
                strict=True,
            )
        ),
    )

"""Why a merge that was built did not pass, in words."""

from collections.abc import Sequence
from dataclasses import dataclass

from versioning import values
from versioning.backends.repository import MergeSides, Repository, Violation
from versioning.merging.validation import InvalidRow
from versioning.presentation import reasons
from versioning.presentation.snapshot import Snapshot, spoken_key
from versioning.visibility import hidden_among

_RULES = {
    "foreign key": "points to a row that will not be there",
    "unique index": "has the same value as another row, where it must be unique",
    "check constraint": "breaks a check of its table",
    "not null": "lacks a value that must be there",
}


@dataclass(frozen=True, slots=True)
class BrokenRule:
    """A row of the result that breaks a constraint, in words."""

    table_name: str
    heading: str
    reason: str


def broken_rules(
    repository: Repository, sides: MergeSides, violations: Sequence[Violation]
) -> list[BrokenRule]:
    """Rows that break a constraint of their table, by name and in words."""
    broken = []
    snapshot = Snapshot(repository, sides.theirs)
    for violation in violations:
        names = values.TableValues(violation.table, repository.connection)
        labels = snapshot.labels(violation.table, {violation.key: violation.row})
        broken.append(
            BrokenRule(
                values.table_name(violation.table),
                labels[violation.key],
                _reason(names, violation),
            )
        )
    return broken


def _reason(names: values.TableValues, violation: Violation) -> str:
    if hidden_among(violation.table, violation.columns):
        return reasons.BREAKS_HIDDEN
    columns = ", ".join(names.column_name(c) for c in violation.columns)
    reason = _RULES[violation.kind]
    return f"{columns}: {reason}" if columns else reason


def invalid_rules(rows: Sequence[InvalidRow]) -> list[BrokenRule]:
    """Rows that their model refuses, in words."""
    return [
        BrokenRule(
            values.table_name(row.table),
            f"{values.table_name(row.table)} {spoken_key(row.key)}",
            " ".join(reasons.of_row(row.table, row.reasons, row.columns)),
        )
        for row in rows
    ]

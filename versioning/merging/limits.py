"""
Merges that an engine can't make, found before it is asked to.

Dolt works the generated columns of a merged row out anew, unless the row is in
conflict: then it fails, and with a STORED column the server ends. It ends at
some tables, too, that the sides define otherwise, see ``_Forms``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from versioning import values
from versioning.backends.errors import MergeRefused
from versioning.backends.repository import (
    Key,
    MergeSides,
    Repository,
    Row,
    SchemaChange,
)
from versioning.presentation.snapshot import spoken_key
from versioning.values import same

BATCH = 500  # rows

#: Types whose values Dolt keeps apart from their rows.
_APART = ("text", "blob", "json", "geometry", "vector")


def require_mergeable(repository: Repository, sides: MergeSides) -> None:
    """
    Raise ``MergeRefused`` for what the engine can't have. Takes work in
    proportion to the rows that changed in tables with generated columns.
    """
    repository.require_same_unique_rules(sides)
    features = repository.features
    if features.merges_generated_columns and features.merges_any_definitions:
        return
    ours, theirs = (
        {change.table: change for change in repository.diff_summary(sides.base, at)}
        for at in (sides.ours, sides.theirs)
    )
    both = {table: (ours[table], theirs[table]) for table in ours.keys() & theirs}
    there = [set(repository.tables(at)) for at in (sides.ours, sides.theirs)]
    tables = sorted(both.keys() & there[0] & there[1])
    if any(change.schema_changed for table in tables for change in both[table]):
        for change in repository.schema_changes(sides.ours, sides.theirs):
            if change.table in tables:
                _Forms(repository, sides, change).check()
    for table in tables:
        if all(change.data_changed for change in both[table]):
            _require_no_conflict_of_generated(repository, sides, table)


# Tables defined otherwise -------------------------------------------------------


@dataclass(frozen=True)
class _Forms:
    """
    A table that both sides changed and define otherwise than one another. All of
    these refuse more than ends Dolt's server, as nothing is to be guessed here:

    - Each side dropped other columns: it looks one up by the place that it had
      before, in a list of those that the side has left.
    - There is a STORED generated column, and others stand elsewhere on one side:
      it works the value out of the wrong ones. Where others are gone that a new
      one is made of, the table can't be read any more.
    - On one side a column has become of a type whose values are kept apart, and
      there is a check, or it is in an index: it takes the other side's values
      for their addresses.
    """

    repository: Repository
    sides: MergeSides
    definitions: SchemaChange  # from ours to theirs

    def check(self) -> None:
        if self._has_stored:
            raise self._refused(
                "The table has columns that the database works out by itself and stores"
            )
        if self._has_lost_its_places:
            raise self._refused(
                "Both dropped or renamed columns of it, and not the same ones"
            )
        if self._is_made_of_what_is_gone:
            raise self._refused(
                "One branch dropped or renamed a column, and the other has a new one "
                "that the database works out by itself"
            )
        apart = self._kept_apart_on_one_side
        if apart and (self._has_checks or any(map(self._is_indexed, apart))):
            raise self._refused(
                "The table has rules or indexes, and one branch gave a column a type "
                "for long values"
            )

    def _refused(self, why: str) -> MergeRefused:
        return MergeRefused(
            f"The branches define “{values.table_name(self._table)}” in different "
            f"ways, and both changed it. {why}, and this database can’t merge such a "
            "table unless both branches have it alike. Give both branches the same "
            "tables first; then look again."
        )

    @property
    def _table(self) -> str:
        return self.definitions.table

    @property
    def _sides(self) -> tuple[str, str]:
        return self.sides.ours, self.sides.theirs

    @cached_property
    def _columns(self) -> tuple[Mapping[str, str], Mapping[str, str]]:
        """Of ours and of theirs, with their definitions."""
        ours, theirs = (
            self.repository.column_definitions(self._table, at) for at in self._sides
        )
        return ours, theirs

    @cached_property
    def _generated(self) -> tuple[frozenset[str], frozenset[str]]:
        ours, theirs = (
            self.repository.generated_columns(self._table, at) for at in self._sides
        )
        return ours, theirs

    @property
    def _has_lost_its_places(self) -> bool:
        table, base = self._table, self.sides.base
        if table not in self.repository.tables(base):
            return False
        key = self.repository.primary_key(table, base)
        definitions = self.repository.column_definitions(table, base)
        generated = self.repository.generated_columns(table, base)
        before = [
            column
            for column, definition in definitions.items()
            if column not in key and (column not in generated or _is_stored(definition))
        ]
        ours, theirs = (
            columns.keys() - made - set(key)
            for columns, made in zip(self._columns, self._generated, strict=True)
        )
        # Nobody can tell by its name whether a column was renamed, or dropped and
        # another one added.
        return any(
            column not in other and (column in left or not left <= set(before))
            for left, other in ((ours, theirs), (theirs, ours))
            for column in before[len(left) :]
        )

    @property
    def _has_stored(self) -> bool:
        return any(
            _is_stored(columns[column])
            for columns, made in zip(self._columns, self._generated, strict=True)
            for column in made
        )

    @property
    def _is_made_of_what_is_gone(self) -> bool:
        (ours, theirs), (made, made_there) = self._columns, self._generated
        return any(
            new - old and columns.keys() - new - others.keys()
            for new, old, columns, others in (
                (made, made_there, ours, theirs),
                (made_there, made, theirs, ours),
            )
        )

    @property
    def _texts(self) -> tuple[str, str]:
        return self.definitions.before, self.definitions.after

    @property
    def _has_checks(self) -> bool:
        return any("CHECK" in text.upper() for text in self._texts)

    def _is_indexed(self, column: str) -> bool:
        name = "`" + column.replace("`", "``") + "`"
        lines = [line for text in self._texts for line in text.splitlines()]
        return any("KEY" in line.upper() and name in line for line in lines)

    @property
    def _kept_apart_on_one_side(self) -> list[str]:
        ours, theirs = self._columns
        return [
            column
            for column in ours.keys() & theirs.keys()
            if ours[column] != theirs[column]
            and any(
                kind in definition.lower()
                for definition in (ours[column], theirs[column])
                for kind in _APART
            )
        ]


def _is_stored(definition: str) -> bool:
    """Of a generated column: whether its values stand in the rows."""
    return "STORED" in definition.upper()


# Columns that are worked out ----------------------------------------------------


def _require_no_conflict_of_generated(
    repository: Repository, sides: MergeSides, table: str
) -> None:
    if not any(
        repository.generated_columns(table, at) for at in (sides.ours, sides.theirs)
    ):
        return
    for key in _in_conflict(repository, sides, table):
        raise MergeRefused(
            f"Both branches changed row {spoken_key(key)} of "
            f"“{values.table_name(table)}”, and not to the same. The table has "
            "columns that the database works out by itself, and this database "
            "can’t have such a row decided in a merge. Give it the same values "
            "on one branch that it has on the other; then look again."
        )


def _in_conflict(
    repository: Repository, sides: MergeSides, table: str
) -> Iterator[Key]:
    changes = repository.diff_rows(table, sides.base, sides.theirs)
    while batch := list(islice(changes, BATCH)):
        theirs = {change.key: change for change in batch}
        for ours in repository.diff_rows(
            table, sides.base, sides.ours, keys=list(theirs)
        ):
            base = ours.before or {}
            if _conflict(base, ours.after, theirs[ours.key].after):
                yield ours.key


def _conflict(base: Row, ours: Row | None, theirs: Row | None) -> bool:
    if ours is None or theirs is None:
        return ours is not theirs
    for one, other in ((ours, theirs), (theirs, ours)):
        for column in base.keys() & one.keys() - other.keys():  # dropped there
            if not same(one[column], base[column]):
                return True
    return any(
        not same(ours[column], theirs[column])
        and not (
            column in base
            and (same(ours[column], base[column]) or same(theirs[column], base[column]))
        )
        for column in ours.keys() & theirs.keys()
    )

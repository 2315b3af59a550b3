"""Checks, and columns that must have a value: rules about a row by itself."""

import re
from abc import abstractmethod
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from versioning.backends.repository import Key, Row, Violation, ViolationKind
from versioning.backends.sql.statements import escaped
from versioning.backends.sql.tables import Tables

_TEXT = re.compile(r"'(?:[^']|'')*'")


@dataclass(frozen=True, slots=True)
class Rule:
    """``broken`` is SQL, for a statement with parameters."""

    kind: ViolationKind
    broken: str
    columns: tuple[str, ...]
    name: str = ""


class Rules(Tables):
    @abstractmethod
    def _check_clauses(self) -> Iterable[tuple[str, str, str]]:
        """Table, name ("" if none was given) and SQL of each check, of all tables."""

    @abstractmethod
    def _required_columns(self) -> Iterable[tuple[str, str]]:
        """Table and column, where no value may be missing, of all tables."""

    def _ranges(self, table: str) -> Mapping[str, tuple[int, int]]:
        """
        The least and the greatest integer of columns where the engine does not
        refuse others by itself, by column.
        """
        return {}

    def _rules(self) -> Mapping[str, Sequence[Rule]]:
        """By table."""
        found: dict[str, list[Rule]] = defaultdict(list)
        for table, column in self._required_columns():
            # Not as ``column IS NULL``: the engines know that this can't be,
            # and don't look.
            quoted = self._name(column)
            missing = f"coalesce({quoted}, {quoted}) IS NULL"
            found[table].append(Rule(ViolationKind.NOT_NULL, missing, (column,)))
        for table, name, clause in self._check_clauses():
            columns = columns_in(clause, self._columns(table, None))
            broken = escaped(f"NOT ({clause})")
            found[table].append(Rule(ViolationKind.CHECK, broken, columns, name))
        return found

    def _beyond(self, table: str, row: Row) -> list[str]:
        """Columns of a row that can't hold so small or so large an integer."""
        return [
            column
            for column, (lowest, highest) in self._ranges(table).items()
            if isinstance(value := row.get(column), int)
            and not lowest <= value <= highest
        ]

    def _broken_by(
        self, table: str, key: Key, row: Row, rules: Sequence[Rule]
    ) -> Iterator[Violation]:
        """What a row would break that is in no table."""
        names = list(row)
        values = ", ".join(f"%s AS {self._name(name)}" for name in names)
        params = [row[name] for name in names]
        generated = list(self._generated(table, None))
        for rule in rules:
            if columns_in(rule.broken, generated):
                continue  # what they would hold is not known
            if self._value(
                f"SELECT 1 FROM (SELECT {values}) {self._name(table)} "
                f"WHERE {rule.broken}",
                params,
            ):
                yield Violation(
                    table, rule.kind, key, row, rule.columns, "", "", rule.name
                )


def columns_in(clause: str, columns: Sequence[str]) -> tuple[str, ...]:
    """The columns that SQL names, for people: those of a text are left out."""
    words = set(re.findall(r"\w+", _TEXT.sub("", clause)))
    return tuple(column for column in columns if column in words)

"""Why two sides' tables can't be merged, in words, with both definitions."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from versioning import values
from versioning.backends.repository import MergeSides, Repository
from versioning.merging.preview import Preview
from versioning.presentation.conflicts import Names
from versioning.presentation.definitions import (
    Line,
    PartKind,
    parts,
    side_by_side,
    table_of,
)

SHOWN = 20  # tables
_DELETED = "<deleted>"  # how engines write a definition that is not there


@dataclass(frozen=True, slots=True)
class Definitions:
    """One table as the base and both sides define it; "" where there is none."""

    table: str
    base: str
    ours: str
    theirs: str
    said: str = ""  # by the engine


@dataclass(frozen=True, slots=True)
class TableBlock:
    """A table that keeps two sides from being merged."""

    table: str
    name: str  # as people call it
    reasons: tuple[str, ...]  # sentences
    lines: tuple[Line, ...]  # () where a side has no such table
    ours: str  # definitions; "" where there is none
    theirs: str
    said: str  # by the engine, for the curious


def blocks(
    repository: Repository, found: Preview, names: Names
) -> tuple[TableBlock, ...]:
    """
    The tables to bring to one definition before the merge can be; () if it
    can. Where the engine names none, those whose definitions differ.
    """
    if found.blocked:
        tables: Iterable[Definitions] = _differing(repository, found.sides)
    else:
        tables = [
            Definitions(
                conflict.table,
                _there(conflict.base),
                _there(conflict.ours),
                _there(conflict.theirs),
                conflict.description,
            )
            for conflict in found.schema_conflicts
        ]
    return tuple(_block(each, names) for each in list(tables)[:SHOWN])


def _there(definition: str) -> str:
    return "" if definition == _DELETED else definition


def _differing(repository: Repository, sides: MergeSides) -> list[Definitions]:
    since = {
        change.table: change.before
        for change in repository.schema_changes(sides.base, sides.ours)
    }
    return [
        Definitions(
            change.table,
            since.get(change.table, change.before),
            change.before,
            change.after,
        )
        for change in repository.schema_changes(sides.ours, sides.theirs)
    ]


def _block(of: Definitions, names: Names) -> TableBlock:
    return TableBlock(
        table=of.table,
        name=values.table_name(of.table),
        reasons=tuple(_reasons(of, names)),
        lines=side_by_side(of.ours, of.theirs) if of.ours and of.theirs else (),
        ours=of.ours,
        theirs=of.theirs,
        said=of.said,
    )


def _reasons(of: Definitions, names: Names) -> Iterator[str]:
    """What each side did to the table, in sentences."""
    if not of.ours or not of.theirs:
        without, with_it = (
            (names.ours, names.theirs) if not of.ours else (names.theirs, names.ours)
        )
        if of.base:
            yield (
                f"{without} has no such table any more, and it or its rows were "
                f"changed on {with_it}."
            )
        else:
            yield f"{without} has no such table; {with_it} made it."
        return
    called = table_of(of.ours), table_of(of.theirs)
    if called[0] != called[1]:
        yield (
            f"Its name is {called[0]} on {names.ours} "
            f"and {called[1]} on {names.theirs}."
        )
    base, ours, theirs = (
        {part.key: part.text for part in parts(text)}
        for text in (of.base, of.ours, of.theirs)
    )
    of_table = values.TableValues(of.table)
    other = False
    for key in dict.fromkeys((*ours, *theirs)):
        was, left, right = base.get(key), ours.get(key), theirs.get(key)
        if left == right:
            continue
        kind, column = key
        if kind is not PartKind.COLUMN:
            other = True
            continue
        yield _of_column(f"“{of_table.column_name(column)}”", was, left, right, names)
    if other:
        yield "Their rules or indexes differ."


def _of_column(
    name: str, was: str | None, ours: str | None, theirs: str | None, names: Names
) -> str:
    if ours is None or theirs is None:
        having, lacking = (
            (names.ours, names.theirs) if theirs is None else (names.theirs, names.ours)
        )
        if was is None:
            return f"{having} added the column {name}; {lacking} lacks it."
        return f"{lacking} dropped the column {name}; {having} still has it."
    if was is None:
        return f"Both added the column {name}, each with another definition."
    if was == ours:
        return f"{names.theirs} changed the definition of the column {name}."
    if was == theirs:
        return f"{names.ours} changed the definition of the column {name}."
    return f"Both changed the definition of the column {name}, each in another way."

"""
The application's own rules, on the result of a merge.

Two kinds: what a model's ``clean_fields()`` and ``clean()`` say of rows that
equal neither side, and the invariants that a project registered, asked of what
the merge touched and of what that points to. Uniqueness and foreign keys are
for ``result.faults()``: in bulk, not a query a row.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, NamedTuple

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import DatabaseError, models

from versioning import conf, policies, values
from versioning.backends.repository import (
    ChangeKind,
    Key,
    MergeSides,
    Repository,
    Row,
    Violation,
)
from versioning.merging.changed_rows import ChangedRows
from versioning.merging.worked_out import with_generated
from versioning.policies import Policy

_log = logging.getLogger(__name__)

BATCH = 500  # rows compared at a time
REPORTED = 50  # rows, at most: of those that are new, and of the others
TOUCHED_SHOWN = 20  # rows that broke one invariant together


@dataclass(frozen=True, slots=True)
class InvalidRow:
    """A row that the application would not have taken, and its reasons."""

    table: str
    key: Key
    reasons: tuple[str, ...]
    columns: tuple[str, ...] = ()  # that the reasons are about, if known
    was_before: bool = False  # it broke the same rules before: no fault of the merge
    touched: tuple[tuple[str, Key], ...] = ()  # rows whose change broke it
    is_unclear: bool = False  # nobody can tell which side's row it is


class Reported(NamedTuple):
    """The first of some invalid rows, and how many there are besides."""

    rows: list[InvalidRow]
    more: int = 0  # that are new
    more_old: int = 0  # that were broken before


def invalid_rows(
    changed: ChangedRows, mended: Mapping[str, Collection[Key]]
) -> Reported:
    """
    Rows of a merge that were put together from both sides, typed or ``mended``,
    and that their model refuses, as ``reported()``.

    A row as one side has it was good enough there and is not asked again.
    """
    by_hand = {table for table, keys in mended.items() if keys}
    return reported(
        invalid
        for table in _of_both(changed.repository, changed.sides, by_hand)
        for rows in _new_rows(changed, table)
        for invalid in _judge(table, rows)
    )


def reported(rows: Iterable[InvalidRow]) -> Reported:
    """
    Those that are new, and those that were broken before: these may be all that a
    table holds, and hide none of the others.
    """
    found: dict[bool, list[InvalidRow]] = {False: [], True: []}
    more = Counter[bool]()
    for row in rows:
        if len(found[row.was_before]) < REPORTED:
            found[row.was_before].append(row)
        else:
            more[row.was_before] += 1
    return Reported([*found[False], *found[True]], more[False], more[True])


def with_orphans(found: Reported, old: Sequence[Violation]) -> Reported:
    """Reported along: rows that point to what was not there before the merge either."""
    orphans = reported(
        InvalidRow(
            fault.table,
            fault.key,
            (_pointing_nowhere(fault),),
            fault.columns,
            was_before=True,
        )
        for fault in old
    )
    return found._replace(
        rows=[*found.rows, *orphans.rows],
        more_old=found.more_old + orphans.more_old,
    )


def _pointing_nowhere(fault: Violation) -> str:
    held = values.TableValues(fault.table)
    columns = " and ".join(held.column_name(column) for column in fault.columns)
    verb = "points" if len(fault.columns) == 1 else "point"
    return f"{columns} {verb} to what is not there."


def _of_both(repository: Repository, sides: MergeSides, by_hand: set[str]) -> list[str]:
    """
    Tables that both sides changed, or somebody did ``by_hand``; or whose rows
    inherit what the one changed, while the other changed another part of them.
    """
    changed = [
        [
            change
            for change in repository.diff_summary(sides.base, side)
            if change.kind is not ChangeKind.REMOVED
        ]
        for side in (sides.ours, sides.theirs)
    ]
    ours, theirs = (
        {name for change in of for name in (change.table, change.old_table)}
        for of in changed
    )
    both = [c for of in changed for c in of if {c.table, c.old_table} & ours & theirs]
    renamed = [change for change in both if change.kind is ChangeKind.RENAMED]
    found = {change.table for change in both} | by_hand
    found -= {c.old_table for c in renamed} - {c.table for c in renamed}
    for table, model in values.models_by_table().items():
        above = {str(parent._meta.db_table) for parent in model._meta.get_parent_list()}
        parts = above | {table}
        if above and (by_hand & parts or (ours & parts and theirs & parts)):
            found.add(table)
    return sorted(found)


@dataclass(frozen=True, slots=True)
class _NewRow:
    key: Key
    row: Row
    sides: tuple[Row, ...]  # as either side has it


def _new_rows(changed: ChangedRows, table: str) -> Iterator[list[_NewRow]]:
    """Rows of the merge that neither side has like this."""
    repository, sides = changed.repository, changed.sides
    there = _name_in_theirs(repository, sides, table)
    if there and not repository.primary_key(there, sides.theirs):
        return  # no model has such a table, so there is nothing to judge by
    model = values.model_for(table)
    if model is not None and model._meta.parents:
        yield from _new_of_parts(changed, model)
        return
    left = iter(changed.of(table))
    while batch := list(islice(left, BATCH)):
        merged = {c.key: c.after for c in batch if c.after is not None}
        theirs = repository.rows(there, list(merged), at=sides.theirs) if there else {}
        new = {key: row for key, row in merged.items() if theirs.get(key) != row}
        ours = {c.key: c.before for c in batch if c.before is not None}
        yield [
            _NewRow(
                key, row, tuple(side[key] for side in (ours, theirs) if key in side)
            )
            for key, row in new.items()
        ]


def _name_in_theirs(repository: Repository, sides: MergeSides, table: str) -> str:
    """What theirs calls a table, which ours may have renamed; "" if it has none."""
    there = repository.tables(at=sides.theirs)
    if table in there:
        return table
    former = (
        change.old_table
        for change in repository.diff_summary(sides.base, sides.ours)
        if change.kind is ChangeKind.RENAMED and change.table == table
    )
    return next((name for name in former if name in there), "")


def _new_of_parts(
    changed: ChangedRows, model: type[models.Model]
) -> Iterator[list[_NewRow]]:
    """
    The same of a model that inherits: its rows are new, too, where each side
    changed another part of them.
    """
    repository, sides = changed.repository, changed.sides
    table = str(model._meta.db_table)
    if table not in repository.tables(at=changed.result):
        return
    keys = dict.fromkeys(
        [c.key for c in changed.of(table)] if table in changed.tables else ()
    )
    keys |= dict.fromkeys(key for key, _ in _changed_above(changed, model))
    left = iter(keys)
    while batch := list(islice(left, BATCH)):
        rows, *of_sides = (
            _whole_rows(repository, model, batch, at)
            for at in (changed.result, sides.ours, sides.theirs)
        )
        yield [
            _NewRow(key, row, tuple(side[key] for side in of_sides if key in side))
            for key, row in rows.items()
            if all(side.get(key) != row for side in of_sides)
        ]


def _whole_rows(
    repository: Repository,
    model: type[models.Model],
    keys: Collection[Key],
    at: str | None,
) -> Mapping[Key, Row]:
    """Rows as of a state, with what their model inherits from others' tables."""

    def read(table: str, keys: Collection[Key]) -> Mapping[Key, Row]:
        there = table in repository.tables(at=at)
        return repository.rows(table, list(keys), at=at) if there else {}

    rows = read(str(model._meta.db_table), keys)
    whole = values.with_inherited(model, list(rows.values()), read)
    return dict(zip(rows, whole, strict=True))


def _judge(table: str, rows: Sequence[_NewRow]) -> Iterator[InvalidRow]:
    held = values.TableValues(table)
    for row in rows:
        broken = _broken(held, row.row)
        if not broken:
            continue
        old = {reason for side in row.sides for _, reason in _broken(held, side)}
        new = [(column, reason) for column, reason in broken if reason not in old]
        yield InvalidRow(
            table,
            row.key,
            tuple(reason for _, reason in new or broken),
            tuple(dict.fromkeys(column for column, _ in new or broken if column)),
            was_before=not new,
        )


def _broken(held: values.TableValues, row: Row) -> list[tuple[str, str]]:
    """What a model says against a row: by column, "" for the row as a whole."""
    model = held.model
    if model is None:
        return []
    try:
        instance: Any = held.instance(row)
        with_generated(instance, conf.connection().alias)
        instance.clean_fields(exclude=_not_of_the_row(model))
        instance.clean()
    except ValidationError as error:
        return list(_sentences(model, error))
    except DatabaseError:
        raise
    except Exception as error:  # a mistake of the application's own
        return [("", rule_failed(error, held.table))]
    return []


def rule_failed(error: Exception, table: str) -> str:
    """
    What is said of a rule that gave no answer, logged besides. No row lands that
    it is about.
    """
    _log.error("A rule about rows of %s failed.", table, exc_info=error)
    name = type(error).__name__
    return f"A rule of the application failed when it was asked ({name}: {error})."


def _not_of_the_row(model: type[models.Model]) -> list[str]:
    """Fields that point elsewhere, and those that it inherits from another table."""
    return [
        field.name
        for field in model._meta.fields
        if field.remote_field or values.is_inherited(field, model)
    ]


def _sentences(
    model: type[models.Model], error: ValidationError
) -> Iterator[tuple[str, str]]:
    if not hasattr(error, "error_dict"):
        yield from (("", message) for message in error.messages)
        return
    for name, messages in error.message_dict.items():
        if name == NON_FIELD_ERRORS:
            yield from (("", message) for message in messages)
        else:
            field: Any = model._meta.get_field(name)
            is_inherited = values.is_inherited(field, model)
            column, label = "" if is_inherited else field.column, field.verbose_name
            yield from ((column, f"{label}: {message}") for message in messages)


# Invariants -------------------------------------------------------------------


def broken_invariants(changed: ChangedRows) -> list[InvalidRow]:
    """
    Rows whose invariants do not hold in a merge's result, of those that it
    touched, or that point or pointed to them. As ``invalid_rows()``, but all of
    them: which are new, and ``reported()``, is for ``mark_old()`` to tell.
    """
    return [
        row
        for policy in policies.with_invariants()
        for row in _of_policy(changed, policy)
    ]


def _of_policy(changed: ChangedRows, policy: Policy) -> Iterator[InvalidRow]:
    table = policy.model._meta.db_table
    touched = _touched(changed, policy)
    keys = sorted(touched, key=_order)
    for start in range(0, len(keys), BATCH):
        for key, reasons in _failures(policy, keys[start : start + BATCH]).items():
            yield InvalidRow(
                table, key, reasons, touched=tuple(touched[key][:TOUCHED_SHOWN])
            )


def _order(key: Key) -> list[tuple[str, Any]]:
    """Of any keys: a damaged one may be of another type than the others."""
    return [(type(part).__name__, part) for part in key]


def _touched(changed: ChangedRows, policy: Policy) -> dict[Key, list[tuple[str, Key]]]:
    """Keys of a model's rows that a merge bears on, and by which rows."""
    model = policy.model
    table = model._meta.db_table
    found: dict[Key, list[tuple[str, Key]]] = defaultdict(list)
    if table in changed.tables:
        for change in changed.of(table):
            found[change.key].append((table, change.key))
    for child, fields in _pointing_to(model).items():
        if child not in changed.tables:
            continue
        of_ends: list[dict[Any, list[Key]]] = [defaultdict(list) for _ in fields]
        for change in changed.of(child):
            rows = [row for row in (change.before, change.after) if row is not None]
            for field, of_end in zip(fields, of_ends, strict=True):
                for end in {row.get(str(field.column)) for row in rows} - {None}:
                    of_end[end].append(change.key)
        for field, of_end in zip(fields, of_ends, strict=True):
            for key, end in _pointed_to(model, field.target_field, of_end):
                found[key] += [(child, at) for at in of_end.get(end, ())]
    for key, above in _changed_above(changed, model):
        found[key].append(above)
    return found


def _changed_above(
    changed: ChangedRows, model: type[models.Model]
) -> Iterator[tuple[Key, tuple[str, Key]]]:
    """
    Keys of a model's rows of which a merge changes what they inherit, with the
    table and the key of that.
    """
    for parent in model._meta.get_parent_list():
        above = str(parent._meta.db_table)
        if above in changed.tables:
            rows = changed.of(above)
            parents = {row.key[0]: row.key for row in rows if len(row.key) == 1}
            for key, end in _holding(model, parent._meta.pk, parents):
                yield key, (above, parents.get(end, (end,)))


def _pointing_to(model: type[models.Model]) -> dict[str, list[Any]]:
    """
    Foreign keys by table that point to a model's rows, or to those that they
    inherit from.
    """
    concrete = {parent._meta.concrete_model for parent in model._meta.get_parent_list()}
    concrete.add(model._meta.concrete_model)
    links = model._meta.parents.values()
    found: dict[str, list[Any]] = defaultdict(list)
    for table, other in values.models_by_table().items():
        for field in other._meta.local_concrete_fields:
            if (
                isinstance(field, models.ForeignKey)
                and field.related_model._meta.concrete_model in concrete
                and field not in links
            ):
                found[table].append(field)
    return found


def _pointed_to(
    model: type[models.Model], target: Any, ends: Collection[Any]
) -> Iterator[tuple[Key, Any]]:
    """Keys of a model's rows that foreign keys point to, with what those hold."""
    if target.primary_key and not values.is_inherited(target, model):
        return (((end,), end) for end in ends)
    return _holding(model, target, ends)


def _holding(
    model: type[models.Model], field: Any, wanted: Collection[Any]
) -> Iterator[tuple[Key, Any]]:
    """
    Keys of a model's rows that hold one of some values in a field, which may be
    inherited, with the value: as it was asked for, unless only a collation
    calls them equal.
    """
    held = values.TableValues(model._meta.db_table)
    key = model._meta.pk_fields
    left = iter(wanted)
    while batch := list(islice(left, BATCH)):
        by_value = {
            held.to_field(field.column, value): value
            for value in batch
            if _can_hold(field, value)
        }
        rows = model._base_manager.filter(**{f"{field.attname}__in": list(by_value)})
        for *parts, value in rows.values_list(*(f.attname for f in key), field.attname):
            columns = (
                held.to_driver(str(part.column), one)
                for part, one in zip(key, parts, strict=True)
            )
            yield tuple(columns), by_value.get(value, value)


def _can_hold(field: Any, value: Any) -> bool:
    """Whether a lookup takes a value: a damaged one is of no row that it finds."""
    try:
        field.to_python(value)
    except Exception:  # of a field of the application's own, it may be any
        return False
    return True


def _failures(policy: Policy, keys: Sequence[Key]) -> dict[Key, tuple[str, ...]]:
    """What the invariants say of rows as the connection sees them."""
    held = values.TableValues(policy.model._meta.db_table)
    fields = policy.model._meta.pk_fields
    by_pk = {
        held.pk_of(key): key
        for key in keys
        if len(key) == len(fields) and all(map(_can_hold, fields, key))
    }
    found: dict[Key, tuple[str, ...]] = {}
    rows = policy.model._base_manager.prefetch_related(*policy.prefetch)
    for pk, instance in rows.in_bulk(list(by_pk)).items():
        said: list[str] = []
        for invariant in policy.invariants:
            try:
                invariant(instance)
            except ValidationError as error:
                said += error.messages
            except DatabaseError:
                raise
            except Exception as error:
                said.append(rule_failed(error, policy.model._meta.db_table))
        if said:
            key = by_pk.get(pk) or values.key_of(instance)  # else alike by a collation
            found[key] = tuple(said)
    return found


def mark_old(rows: Sequence[InvalidRow]) -> Reported:
    """
    Broken invariants, with those marked that were broken in the same words
    before the merge, as ``reported()``. The connection is to be at ours.
    """
    before: dict[tuple[str, Key], tuple[str, ...]] = {}
    for policy in policies.with_invariants():
        table = policy.model._meta.db_table
        left = iter([row.key for row in rows if row.table == table])
        while keys := list(islice(left, BATCH)):
            for key, said in _failures(policy, keys).items():
                before[table, key] = before.get((table, key), ()) + said
    marked = []
    for row in rows:
        said = before.get((row.table, row.key), ())
        new = tuple(reason for reason in row.reasons if reason not in said)
        marked.append(
            replace(row, reasons=new) if new else replace(row, was_before=True)
        )
    return reported(marked)

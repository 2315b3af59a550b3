"""
The application's objects as they were in one commit.

Labels are the application's own code: ``str(choice)`` may follow
``choice.question``. The ORM would answer that from wherever the connection is
now. So instances are built from rows read at a hash, and the objects that they
refer to are put in place beforehand, for all rows of a page at once: the
number of queries follows the model's relations, not the number of rows.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cache, cached_property
from typing import Any, NoReturn

from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError, models

from versioning import policies
from versioning.backends.repository import ChangeKind, Key, Repository, Row
from versioning.conf import connection, options
from versioning.policies import DEPTH
from versioning.values import TableValues, model_for, with_inherited
from versioning.visibility import hidden_columns, hides_any, withholds_rows

LONGEST = 200  # characters of a name

_log = logging.getLogger(__name__)

# What a label can raise when what it follows was never there, or held NULL.
_LABEL_FAILS = (
    ObjectDoesNotExist, AttributeError, LookupError, TypeError, ValueError
)  # fmt: skip


class Snapshot:
    """
    Objects of the versioned tables as of one commit (a hash), each row read
    once; None is where the connection is, with what nobody committed.

    Rows of all tables but ``differing`` ones are the same in a ``twin``, if
    there is one, and are read there.
    """

    def __init__(
        self,
        repository: Repository,
        at: str | None,
        *,
        twin: Snapshot | None = None,
        differing: Container[str] = (),
    ):
        self._repository = repository
        self.at = at
        self._twin = twin
        self._differing = differing
        self._rows: dict[str, dict[Key, Row | None]] = {}
        self._tables: dict[str, TableValues] = {}

    def table(self, name: str) -> TableValues:
        if name not in self._tables:
            self._tables[name] = TableValues(name, self._repository.connection)
        return self._tables[name]

    def labels(self, table: str, rows: Mapping[Key, Row]) -> dict[Key, str]:
        """What each row is, in words: “Choice “The sky” of “What’s up?””."""
        model = model_for(table)
        spoken = _unnamed if self._withholds(table) else spoken_key
        if model is None:
            return {key: f"{table} {spoken(key)}" for key in rows}
        keys = list(rows)
        instances = self._instances(model, [rows[key] for key in keys], DEPTH)
        return {
            key: _label(model, instance) or f"{_name(model)} {spoken(key)}"
            for key, instance in zip(keys, instances, strict=True)
        }

    def _withholds(self, table: str) -> bool:
        """Whether the reader may not see what the rows of a table are told apart by."""
        if not hides_any(table):
            return False
        return table not in self._tables_then or withholds_rows(
            self._repository, [(table, self.at)]
        )

    def own_names(self, table: str, rows: Sequence[Row]) -> list[str]:
        """What the object of each row calls itself; "" if it can't."""
        model = model_for(table)
        if model is None:
            return ["" for _ in rows]
        return [_own_name(found) for found in self._instances(model, rows, DEPTH)]

    def related_names(
        self, table: str, rows: Iterable[Row]
    ) -> dict[str, dict[Any, str]]:
        """
        Names of the objects that rows refer to: by column, by stored value.

        A value whose object was not there in this commit is left out.
        """
        values = self.table(table)
        rows = list(rows)
        names: dict[str, dict[Any, str]] = {}
        hidden = hidden_columns(table)
        for column, field in values.fields.items():
            if not isinstance(field, models.ForeignKey) or column in hidden:
                continue
            wanted = {row[column] for row in rows if row.get(column) is not None}
            found = self._related(field, wanted, DEPTH - 1)
            names[column] = {
                raw: name
                for raw, instance in found.items()
                if (name := _own_name(instance))
            }
        return names

    def names_to_point_to(
        self, table: str, column: str, *, limit: int, since: str | None = None
    ) -> dict[Any, str] | None:
        """
        Names of all objects that a foreign key's column can refer to, by stored
        value, or of those that came ``since`` a hash; None if there are more than
        ``limit``, or if they have no past.
        """
        field = self.table(table).field(column)
        if not isinstance(field, models.ForeignKey) or self.at is None:
            return None
        model, held = field.related_model, str(field.target_field.column)
        there = str(model._meta.db_table)
        if model._meta.app_label not in options().apps or (
            there not in self._tables_then or held in hidden_columns(there)
        ):
            return None
        if since is None:
            rows = self._repository.state_rows(there, at=self.at, limit=limit + 1)
        else:
            added = self._repository.diff_rows(
                there, since, self.at, kinds=[ChangeKind.ADDED], limit=limit + 1
            )
            rows = [change.after for change in added if change.after is not None]
        if len(rows) > limit:
            return None
        instances = self._instances(model, rows, DEPTH - 1)
        return {
            row[held]: _own_name(instance) or str(row[held])
            for row, instance in zip(rows, instances, strict=True)
        }

    # Building objects ----------------------------------------------------------

    def _instances(
        self, model: type[models.Model], rows: Sequence[Row], depth: int
    ) -> list[models.Model | None]:
        hidden = _hidden_fields(model)
        complete = [
            {column: value for column, value in row.items() if column not in hidden}
            if hidden
            else row
            for row in with_inherited(model, rows, self._read)
        ]
        values = self.table(model._meta.db_table)
        instances = [_instance(values, row, model) for row in complete]
        for field in model._meta.concrete_fields:
            if isinstance(field, models.ForeignKey) and not _is_parent_link(field):
                self._place(field, instances, complete, depth)
        return instances

    def _place(
        self,
        field: models.ForeignKey[Any, Any],
        instances: Sequence[models.Model | None],
        rows: Sequence[Row],
        depth: int,
    ) -> None:
        """Put related objects where the ORM would have put them."""
        if not depth:
            return
        wanted = {
            row[field.column] for row in rows if row.get(field.column) is not None
        }
        found = self._related(field, wanted, depth - 1)
        for instance, row in zip(instances, rows, strict=True):
            # None, too: a row that was missing then is missing, not looked up now.
            if instance is not None:
                field.set_cached_value(instance, found.get(row.get(field.column)))

    def _related(
        self, field: models.ForeignKey[Any, Any], wanted: set[Any], depth: int
    ) -> Mapping[Any, models.Model | None]:
        """Objects that a foreign key's stored values stand for."""
        model = field.related_model
        if not wanted:
            return {}
        if model._meta.app_label not in options().apps:
            return _unversioned(field, model, wanted, self.table_of(field))
        keys = {(raw,) for raw in wanted}
        if field.target_field.primary_key:
            rows = self._read(model._meta.db_table, keys)
        else:
            rows = self._read_by(str(field.target_field.column), model, keys)
        instances = self._instances(model, list(rows.values()), depth)
        return {key[0]: instance for key, instance in zip(rows, instances, strict=True)}

    def table_of(self, field: models.ForeignKey[Any, Any]) -> TableValues:
        return self.table(field.model._meta.db_table)

    def _read(self, table: str, keys: Iterable[Key]) -> dict[Key, Row]:
        if self._twin and table not in self._differing:
            return self._twin._read(table, keys)
        known = self._rows.setdefault(table, {})
        wanted = set(keys)
        if missing := [key for key in wanted if key not in known]:
            known.update(dict.fromkeys(missing))
            if table in self._tables_then:
                known.update(self._repository.rows(table, missing, at=self.at))
        return {key: row for key in wanted if (row := known[key]) is not None}

    def _read_by(
        self, column: str, model: type[models.Model], keys: Iterable[Key]
    ) -> dict[Key, Row]:
        """Rows by a unique column that a foreign key's ``to_field`` names."""
        table = model._meta.db_table
        if self._twin and table not in self._differing:
            return self._twin._read_by(column, model, keys)
        if table not in self._tables_then:
            return {}
        return self._repository.rows(table, list(keys), at=self.at, by=column)

    @cached_property
    def _tables_then(self) -> frozenset[str]:
        return frozenset(self._repository.tables(at=self.at))


def _unversioned(
    field: models.ForeignKey[Any, Any],
    model: type[models.Model],
    wanted: set[Any],
    values: TableValues,
) -> dict[Any, models.Model]:
    """Objects outside the versioned tables have no past: as they are now."""
    by_value = {}
    for raw in wanted:
        with suppress(Exception):  # a damaged value, which is no object's
            held = values.to_field(field.column, raw)
            by_value[raw] = field.target_field.to_python(held)
    name = field.target_field.attname
    found = model._base_manager.filter(**{f"{name}__in": list(by_value.values())})
    instances = {getattr(instance, name): instance for instance in found}
    return {raw: instances[held] for raw, held in by_value.items() if held in instances}


def _hidden_fields(model: type[models.Model]) -> frozenset[str]:
    """
    Columns of a model, inherited ones too, that no label of the reader's may
    be made of: its instances hold the fields' defaults instead.
    """
    return frozenset(
        str(field.column)
        for field in model._meta.concrete_fields
        if field.column in hidden_columns(field.model._meta.db_table)
    )


def _is_parent_link(field: models.ForeignKey[Any, Any]) -> bool:
    return bool(getattr(field.remote_field, "parent_link", False))


# Names ------------------------------------------------------------------------


def spoken_key(key: Key) -> str:
    return ", ".join("NULL" if part is None else _shortened(str(part)) for part in key)


def _unnamed(key: Key) -> str:
    return "(a row)"


def _name(model: type[models.Model]) -> str:
    name = str(model._meta.verbose_name)
    return name[:1].upper() + name[1:]


def _instance(
    values: TableValues, row: Row, model: type[models.Model]
) -> models.Model | None:
    """
    An object of a row; None if the application's own code makes none of it. What
    only the database could tell is left for it to ask: see ``_said()``.
    """
    try:
        made = values.instance(row, model)
    except DatabaseError:
        raise
    except Exception as error:
        _failed(error, values.table)
        return None
    for field in model._meta.concrete_fields:
        if field.column not in row and (field.generated or field.has_db_default()):
            vars(made).pop(field.attname, None)
    return made


def _label(model: type[models.Model], instance: models.Model | None) -> str:
    """The registered label, or the model's name and the object's; "" if neither."""
    if instance is None:
        return ""
    if model._meta.auto_created:
        return _through_label(model, instance)
    policy = policies.for_model(model)
    if policy.label is str:
        own = _own_name(instance)
        return f"{_name(model)} “{own}”" if own else ""
    return _said(policy.label, instance)


def _own_name(instance: models.Model | None) -> str:
    """What an object calls itself; "" if it can't."""
    if instance is None:
        return ""
    if instance._meta.auto_created:
        return _through_label(type(instance), instance)
    return _said(str, instance)


class _AsksForMore(Exception):
    """A label asked the versioned database."""


def _said(label: Callable[[Any], str], instance: models.Model) -> str:
    """
    What a label makes of an object and of what was put in place for it. What it
    asks the database for besides would be as of another state, and hide nothing.
    """
    try:
        with connection().execute_wrapper(_refuse):
            return _shortened(str(label(instance)).strip())
    except _AsksForMore:
        _tell_once(instance._meta.label)
        return ""
    except _LABEL_FAILS:
        return ""
    except DatabaseError:
        raise
    except Exception as error:
        _failed(error, instance._meta.db_table)
        return ""


def _shortened(name: str) -> str:
    """For pages that name many rows: a name may be all that somebody wrote."""
    return name if len(name) <= LONGEST else f"{name[:LONGEST].rstrip()}…"


def _refuse(*_: Any) -> NoReturn:
    raise _AsksForMore


@cache
def _tell_once(model: str) -> None:
    _log.warning(
        "The label of %s asks the database, so its rows go by their keys: it may only "
        "follow %d foreign keys in a row.",
        model,
        DEPTH,
    )


def _failed(error: Exception, table: str) -> None:
    """A mistake of the application's own: what there is can be read all the same."""
    _log.error("A row of %s can’t be named.", table, exc_info=error)


def _through_label(model: type[models.Model], instance: models.Model) -> str:
    """A row that links two objects reads as both of them."""
    ends = [
        _own_name(end)
        for field in model._meta.concrete_fields
        if isinstance(field, models.ForeignKey)
        and (end := field.get_cached_value(instance, default=None)) is not None
    ]
    return " – ".join(f"“{end}”" for end in ends) if len(ends) == 2 else ""

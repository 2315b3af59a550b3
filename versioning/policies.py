"""What a project says about its models: their labels, and how they merge."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import FieldDoesNotExist, ImproperlyConfigured
from django.db import models
from django.db.models.constants import LOOKUP_SEP

from versioning.values import is_inherited

#: How many foreign keys in a row a label may follow: a choice's question's author.
DEPTH = 2


@dataclass(frozen=True, slots=True)
class Policy:
    """
    ``label`` gives the name of a row as people say it, from an instance.
    ``counters`` are columns that count: when two sides changed one, the merge
    adds both changes up. ``invariants`` are rules that a merge must not break, and
    ``prefetch`` what they read besides, fetched for many rows at once.
    ``hidden`` are columns that not everybody may see: see ``visibility``.
    """

    model: type[models.Model]
    label: Callable[[Any], str] = str
    counters: frozenset[str] = frozenset()  # column names
    invariants: tuple[Callable[[Any], None], ...] = ()
    hidden: frozenset[str] = frozenset()  # column names
    prefetch: tuple[Any, ...] = ()  # as prefetch_related() takes them


_policies: dict[type[models.Model], Policy] = {}


def register(
    model: type[models.Model],
    *,
    label: Callable[[Any], str] = str,
    counters: Iterable[str] = (),
    invariants: Iterable[Callable[[Any], None]] = (),
    hidden: Iterable[str] = (),
    prefetch: Iterable[str | models.Prefetch[Any]] = (),
) -> None:
    """
    Say how rows of a model are named and merged.

    ``label`` takes an instance and returns a short name for a heading;
    ``counters`` are names of integer fields. Each of ``invariants`` takes an
    instance and raises ``ValidationError`` with a sentence if a rule does not
    hold that spans rows ("a question keeps two choices"); it is asked of what
    a merge touched, and of what that points to, in the merge's result.
    ``prefetch`` is what the invariants follow from an instance, as
    ``prefetch_related()`` takes it, so that many rows don't ask one by one.
    ``hidden`` are names of fields whose values are for those alone who have
    the permission ``versioning.view_hidden``.

    Call it from a module ``versioned.py`` in the model's app, which is found
    by itself. Raises
    ``ImproperlyConfigured`` for a counter that is no integer field of the
    model, for a hidden field that is none or of the primary key, by which
    rows are told apart, for either in the table of another model, from
    which it is inherited, for a relation to prefetch that it has not, and for a
    proxy, whose rows are those of another model and can have but one label.
    """
    if model._meta.proxy:
        owner: Any = model._meta.concrete_model
        raise ImproperlyConfigured(
            f"{model._meta.label} is a proxy: register {owner._meta.label}, as its "
            "rows are in the table of that."
        )
    key = model._meta.pk_fields
    columns: set[str] = set()
    for name in counters:
        field = _field(model, name, "count")
        if not isinstance(field, models.IntegerField) or field in key:
            raise ImproperlyConfigured(
                f"{model._meta.label}.{name} can’t be a counter: only whole "
                "numbers add up, and rows go by their key."
            )
        columns.add(str(field.column))
    kept: set[str] = set()
    for name in hidden:
        field = _field(model, name, "hide")
        if field in key or not getattr(field, "column", None):
            raise ImproperlyConfigured(
                f"{model._meta.label}.{name} can’t be hidden: only a column "
                "of its own can, and rows go by their key."
            )
        kept.add(str(field.column))
    followed = tuple(prefetch)
    for lookup in followed:
        relation = str(getattr(lookup, "prefetch_through", lookup)).split(LOOKUP_SEP)[0]
        if not hasattr(model, relation):
            raise ImproperlyConfigured(
                f"{model._meta.label} has no relation “{relation}” to prefetch."
            )
    _policies[model] = Policy(
        model,
        label,
        frozenset(columns),
        tuple(invariants),
        frozenset(kept),
        followed,
    )


def _field(model: type[models.Model], name: str, what: str) -> Any:
    try:
        field: Any = model._meta.get_field(name)
    except FieldDoesNotExist as error:
        raise ImproperlyConfigured(
            f"{model._meta.label} has no field “{name}” to {what}."
        ) from error
    if is_inherited(field, model):
        raise ImproperlyConfigured(
            f"{model._meta.label} inherits “{name}”: register "
            f"{field.model._meta.label} to {what} it, as it is in the table of that."
        )
    return field


def for_model(model: type[models.Model]) -> Policy:
    """The policy registered for a model, or one that says nothing."""
    return _policies.get(model) or Policy(model)


def with_invariants() -> list[Policy]:
    """Policies of the models that have invariants."""
    return [policy for policy in _policies.values() if policy.invariants]


def counters_of(table: str) -> frozenset[str]:
    """The counter columns of a table, by its name; empty where none count."""
    return counting_tables().get(table, frozenset())


def counting_tables() -> dict[str, frozenset[str]]:
    """Counter columns by table, for the tables that have any."""
    return _by_table((policy.model, policy.counters) for policy in _policies.values())


def hidden_of(table: str) -> frozenset[str]:
    """The hidden columns of a table, by its name; empty where none are."""
    return hiding_tables().get(table, frozenset())


def quotable_tables(model: type[models.Model], depth: int = DEPTH) -> set[str]:
    """
    Tables that a text about a model's rows may quote: their own, those of what
    they inherit from, of what they point to, and of what their rules prefetch.
    """
    found = {str(one._meta.db_table) for one in (model, *model._meta.get_parent_list())}
    found |= _prefetched(model)
    for field in model._meta.concrete_fields if depth else ():
        if isinstance(field, models.ForeignKey):
            found |= quotable_tables(field.related_model, depth - 1)
    return found


def _prefetched(model: type[models.Model]) -> set[str]:
    """Tables that a model's invariants read besides, as ``register()`` was told."""
    found: set[str] = set()
    for lookup in for_model(model).prefetch:
        at: Any = model
        for name in str(getattr(lookup, "prefetch_through", lookup)).split(LOOKUP_SEP):
            relations = {
                getattr(one, "get_accessor_name", lambda one=one: one.name)(): one
                for one in at._meta.get_fields()
                if one.is_relation and one.related_model
            }
            if name not in relations:
                break
            at = relations[name].related_model
            found.add(str(at._meta.db_table))
    return found


def hiding_tables() -> dict[str, frozenset[str]]:
    """
    Hidden columns by table, for the tables that have any: those that are registered,
    and foreign keys that hold the values of one, as by ``to_field``.
    """
    hiding = [(p.model, p.hidden) for p in _policies.values() if p.hidden]
    for model, columns in hiding:  # and what is found on the way
        for relation in model._meta.get_fields(include_hidden=True):
            if isinstance(relation, models.ManyToOneRel):
                pointing = relation.related_model, frozenset({relation.field.column})
                is_new = pointing not in hiding
                if relation.field.target_field.column in columns and is_new:
                    hiding.append(pointing)
    return _by_table(hiding)


def _by_table(
    columns: Iterable[tuple[type[models.Model], frozenset[str]]],
) -> dict[str, frozenset[str]]:
    """Columns united by table, as two models may be of one."""
    found: dict[str, frozenset[str]] = {}
    for model, named in columns:
        if named:
            table = model._meta.db_table
            found[table] = found.get(table, frozenset()) | named
    return found

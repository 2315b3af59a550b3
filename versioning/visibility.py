"""
Columns that are not for everybody: kept from whoever may not see them.

``versioning.register(Model, hidden=["email"])`` says which. Who is reading is
known for the length of a request, as the reader's time zone is; outside one
nobody is, and hidden columns stay hidden. What merges, checks and commits rows
works with the values all the same: this is asked where they are shown,
exported or decided upon.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.core.exceptions import PermissionDenied

from versioning import policies
from versioning.permissions import VIEW_HIDDEN
from versioning.values import TableValues

_reader: ContextVar[Any] = ContextVar("versioning_reader", default=None)
_NONE: frozenset[str] = frozenset()


@contextmanager
def shown_to(user: Any) -> Iterator[None]:
    """Show what ``user`` may see, for the length of a block."""
    token = _reader.set(user)
    try:
        yield
    finally:
        _reader.reset(token)


def hidden_columns(table: str) -> frozenset[str]:
    """Columns of a table that the reader may not see."""
    hidden = policies.hidden_of(table)
    return hidden if hidden and not _sees_all() else _NONE


def shown_among(table: str, columns: Iterable[str]) -> list[str]:
    """Those of the columns that the reader may see, in their order."""
    hidden = hidden_columns(table)
    return [column for column in columns if column not in hidden]


def hidden_among(table: str, columns: Iterable[str]) -> frozenset[str]:
    """
    Which of a state's columns the reader may not see. Where something is
    hidden, so is a column that the model does not know: it may be what a
    hidden one was called.
    """
    hidden = hidden_columns(table)
    if not hidden:
        return _NONE
    known = TableValues(table).fields
    return frozenset(c for c in columns if c in hidden or c not in known)


def hidden_by_table() -> Mapping[str, Collection[str]]:
    """The same, for all tables that have any."""
    hidden = policies.hiding_tables()
    return hidden if hidden and not _sees_all() else {}


def require_shown(table: str, columns: Collection[str]) -> None:
    """Raises ``PermissionDenied`` if one of the columns is hidden."""
    if hidden_columns(table) & set(columns):
        raise PermissionDenied(VIEW_HIDDEN)


def _sees_all() -> bool:
    reader = _reader.get()
    return reader is not None and bool(reader.has_perm(VIEW_HIDDEN))

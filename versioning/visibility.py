"""
Columns that are not for everybody: kept from whoever may not see them.

``versioning.register(Model, hidden=["email"])`` says which. Who is reading is
known for the length of a request, as the reader's time zone is; outside one
nobody is, and hidden columns stay hidden. What merges, checks and commits rows
works with the values all the same: this is asked where they are shown,
exported or decided upon.
"""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.core.exceptions import PermissionDenied

from versioning import policies
from versioning.backends.repository import Repository
from versioning.permissions import VIEW_HIDDEN
from versioning.values import is_bookkeeping, model_for, models_by_table

# In a tuple: where a coroutine is run, what a context holds is looked at, and a
# user who was not asked for yet would be read from the database there.
_reader: ContextVar[tuple[Any]] = ContextVar("versioning_reader", default=(None,))
_NONE: frozenset[str] = frozenset()


@contextmanager
def shown_to(user: Any) -> Iterator[None]:
    """Show what ``user`` may see, for the length of a block."""
    token = _reader.set((user,))
    try:
        yield
    finally:
        _reader.reset(token)


def hidden_columns(table: str) -> frozenset[str]:
    """Columns of a model's table, as it is now, that the reader may not see."""
    hidden = policies.hidden_of(table)
    return hidden if hidden and not _sees_all() else _NONE


def shown_among(table: str, columns: Iterable[str]) -> list[str]:
    """Those of the columns that the reader may see, in their order."""
    found = list(columns)
    hidden = hidden_among(table, found)
    return [column for column in found if column not in hidden]


def hidden_among(table: str, columns: Iterable[str]) -> frozenset[str]:
    """
    Which of a state's columns the reader may not see; "" is the row as a whole,
    and none of them.

    What a table or a column was called is not known. So where something is
    hidden, a column that the model does not know is, too: it may be a hidden
    one's former name. And in a table that belongs to no model, which may be any
    model's former one, only what every model with hidden columns has, and shows,
    is shown.
    """
    if not hides_any(table):
        return _NONE
    by_table = models_by_table()
    shown = [
        {str(field.column) for field in by_table[owner]._meta.concrete_fields} - hidden
        for owner, hidden in _may_be(table).items()
    ]
    return frozenset(c for c in columns if c and not all(c in known for known in shown))


def hides_any(table: str) -> bool:
    """Whether a table may have columns, in any state, that the reader may not see."""
    return bool(_may_be(table)) and not _sees_all()


def may_quote_hidden(table: str) -> bool:
    """
    Whether what the application says of a table's rows may quote a column that
    the reader may not see: also of what they inherit from or point to.
    """
    model, by_table = model_for(table), models_by_table()
    quotable = policies.quotable_tables(model) & by_table.keys() if model else {table}
    return any(map(hides_any, quotable))


def _may_be(table: str) -> dict[str, frozenset[str]]:
    """
    Hidden columns by table, of the tables with any that a table is, or may have
    been before they were renamed.
    """
    hiding = policies.hiding_tables()
    if not hiding or is_bookkeeping(table):
        return {}
    by_table = models_by_table()
    return {
        owner: hidden
        for owner, hidden in hiding.items()
        if owner in by_table and (owner == table or table not in by_table)
    }


def withholds_rows(
    repository: Repository, states: Iterable[tuple[str, str | None]]
) -> bool:
    """
    Whether no row of a table can be shown to the reader, as a column by which
    they are told apart is hidden in one of the states: rows are called by it,
    and pages go on from it. Without a primary key all columns are.

    ``states`` are pairs of what the table is called and the hash, or None for
    where the connection is; those without the table are left out.
    """
    return any(
        hidden_among(
            table, repository.primary_key(table, at) or repository.columns(table, at)
        )
        for table, at in states
        if hides_any(table) and table in repository.tables(at)
    )


def require_shown(table: str, columns: Collection[str]) -> None:
    """Raises ``PermissionDenied`` if one of the columns is hidden."""
    if hidden_among(table, columns):
        raise PermissionDenied(VIEW_HIDDEN)


def hides_something() -> bool:
    """Whether any column of any table is hidden from the reader."""
    return bool(policies.hiding_tables()) and not _sees_all()


def _sees_all() -> bool:
    (reader,) = _reader.get()
    return reader is not None and bool(reader.has_perm(VIEW_HIDDEN))

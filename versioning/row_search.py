"""Rows that hold a text, as of one commit."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import models

from versioning import values
from versioning.backends.repository import Repository, Row
from versioning.backends.spelling import folded, folded_signs, readable
from versioning.conf import connection
from versioning.cursors import sign_key, unsign_key
from versioning.presentation.cells import Shown, show
from versioning.presentation.snapshot import Snapshot, spoken_key
from versioning.presentation.words import Segment
from versioning.visibility import shown_among, withholds_rows

PER_TABLE = 20  # rows of one table on a page
SCANNED = 20_000  # rows of one table that a page looks through
TABLES = 20  # on a page
AROUND = 60  # characters that are shown at each side of what was found

_TEXT = re.compile(r"(?:var)?char\b|\w*text\b", re.I)


@dataclass(frozen=True, slots=True)
class FoundRow:
    label: str
    key: str
    address: str  # ``values.key_text()``
    excerpts: tuple[tuple[str, Shown], ...]  # (column's name, text around it)


@dataclass(frozen=True, slots=True)
class FoundRows:
    """What one table holds of the text."""

    table: str
    rows: tuple[FoundRow, ...]
    next: str | None  # the cursor to look on from
    is_cut: bool  # the page looked at as many rows as it may, and there are more

    @property
    def name(self) -> str:
        return values.table_name(self.table)


def searched_columns(table: str) -> list[str]:
    """
    The columns of a table that a search looks into: those that hold text, and
    that the reader may see, as finding nothing tells as much as a value.
    """
    fields = values.TableValues(table).fields.items()
    return shown_among(table, [column for column, f in fields if _holds_text(f)])


def _holds_text(field: values.ConcreteField) -> bool:
    """
    Also names of files, addresses, and what an application's own field keeps as
    text; not the keys of other rows, or digits alone.
    """
    if isinstance(field, (models.ForeignKey, models.UUIDField)):
        return False
    if isinstance(field, (models.CharField, models.TextField, models.JSONField)):
        return True
    return _TEXT.match(field.db_type(connection()) or "") is not None


def searched_tables(repository: Repository, at: str) -> list[str]:
    """
    Tables of a state (a hash) that a search looks into, by name. Of one without a
    primary key no page could go on: see ``keyless_tables()``.
    """
    return [t for t in _tables(repository, at) if repository.primary_key(t, at)]


def keyless_tables(repository: Repository, at: str) -> list[str]:
    """Those that it would look into if they had a primary key in that state."""
    return [t for t in _tables(repository, at) if not repository.primary_key(t, at)]


def _tables(repository: Repository, at: str) -> list[str]:
    return [
        table
        for table in repository.tables(at)
        if not values.is_bookkeeping(table)
        and searched_columns(table)
        and not withholds_rows(repository, [(table, at)])
    ]


def find(
    repository: Repository,
    tables: Sequence[str],
    text: str,
    *,
    at: str,
    after: str = "",
) -> list[FoundRows]:
    """
    Rows as of a hash that hold ``text``, table by table, of the first ``TABLES``,
    without those that hold none. ``after`` is the ``next`` of a page of a single
    table.

    Raises ``UnknownRef``, ``UnknownTable``, ``BadCursor``.
    """
    snapshot = Snapshot(repository, at)
    found = []
    for table in tables[:TABLES]:
        columns = searched_columns(table)
        rows, more = repository.search_rows(
            table,
            columns,
            text,
            at=at,
            since=unsign_key(table, after) if after else None,
            limit=PER_TABLE,
            scanned=SCANNED,
            documents=_documents(values.TableValues(table)),
        )
        if rows or more is not None:
            found.append(
                FoundRows(
                    table,
                    _present(repository, snapshot, table, columns, rows, text),
                    None if more is None else sign_key(table, more),
                    more is not None and len(rows) < PER_TABLE,
                )
            )
    return found


def _documents(names: values.TableValues) -> frozenset[str]:
    """Columns that hold JSON."""
    fields = names.fields.items()
    return frozenset(c for c, field in fields if isinstance(field, models.JSONField))


def _present(
    repository: Repository,
    snapshot: Snapshot,
    table: str,
    columns: Sequence[str],
    rows: list[Row],
    text: str,
) -> tuple[FoundRow, ...]:
    names = snapshot.table(table)
    primary = repository.primary_key(table, snapshot.at)
    keyed = {tuple(row[column] for column in primary): row for row in rows}
    labels = snapshot.labels(table, keyed)
    return tuple(
        FoundRow(
            labels[key],
            spoken_key(key),
            values.key_text(key),
            tuple(_excerpts(names, columns, row, text)),
        )
        for key, row in keyed.items()
    )


def _excerpts(
    names: values.TableValues, columns: Sequence[str], row: Row, text: str
) -> list[tuple[str, Shown]]:
    documents = _documents(names)
    held = [
        (names.column_name(c), readable(str(row[c])) if c in documents else str(row[c]))
        for c in columns
        if row.get(c) not in (None, "")
    ]
    wanted = folded(text)
    found = [(name, value) for name, value in held if wanted in folded(value)]
    if found:
        return [(name, _excerpt(value, text)) for name, value in found]
    # An engine's collation takes more for the same than is known here.
    return [(name, _opening(value)) for name, value in held]


def _opening(value: str) -> Shown:
    text = value[: 2 * AROUND] + ("…" if len(value) > 2 * AROUND else "")
    return Shown(show(value).kind, text, segments=(Segment(text, changed=False),))


def _place(value: str, text: str) -> tuple[int, int]:
    """Where a value holds a text first, as ``folded()``: its start and its end."""
    signs, wanted = folded_signs(value), folded(text)
    start = "".join(signs).find(wanted)
    if start < 0:  # marks that are in another order there
        return 0, 0
    # Some signs are several, as “ß” is “ss”, and some are none.
    origins = [place for place, sign in enumerate(signs) for _ in sign]
    return origins[start], origins[start + len(wanted) - 1] + 1


def _excerpt(value: str, text: str) -> Shown:
    """The text around what was found in a value that holds it, that itself marked."""
    start, end = _place(value, text)
    opening = max(start - AROUND, 0)
    before = ("…" if opening else "") + value[opening:start]
    after = value[end : end + AROUND] + ("…" if len(value) > end + AROUND else "")
    return Shown(
        show(value).kind,
        value[opening : end + AROUND],
        segments=(
            Segment(before, changed=False),
            Segment(value[start:end], changed=True),
            Segment(after, changed=False),
        ),
    )

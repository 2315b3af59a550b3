"""
``{% load versioning_rows %}``: the rows of a diff.

Written here, not in a template: a page holds hundreds of cells, and a template
takes ten times as long for each. (So deep within others, its calls may also
meet the end of a block of the interpreter's stack, which Python 3.11 then takes
and gives back at every call.) Whatever is somebody's text goes through
``escape()`` or ``cell()``.
"""

from collections.abc import Iterator, Sequence
from html import escape
from urllib.parse import quote

from django import template
from django.urls import reverse
from django.utils.safestring import SafeString

from versioning import addresses
from versioning.backends.repository import ChangeKind, Commit
from versioning.presentation.cells import CellChange, Shown
from versioning.presentation.lines import in_columns
from versioning.presentation.rows import RowDiff
from versioning.row_history import HistoryPage, Origin
from versioning.templatetags.versioning_history import cell, text_lines

register = template.Library()

_SIGNS = {ChangeKind.ADDED: "+", ChangeKind.REMOVED: "−"}


@register.simple_tag
def diff_rows(
    rows: Sequence[RowDiff],
    table: str,
    at: str = "",
    was: str = "",
    then: str = "",
    value_start: str = "",
) -> SafeString:
    """
    Each row of a table's diff as a body of an HTML table: what the row is, and
    its cells. ``at`` is the hash that the way to the row's history starts at,
    ``was`` the one that had what was removed, ``then`` what the table was called
    there, ``value_start`` the beginning of the address of one cell's page; each may
    be "".
    """
    removed = f"&was={was}" if was else ""
    if was and then and then != table:
        removed += f"&then={quote(then, safe='')}"
    return SafeString("".join(_bodies(rows, table, at, removed, value_start)))


def _bodies(
    rows: Sequence[RowDiff], table: str, at: str, removed: str, value_start: str
) -> Iterator[str]:
    history = f"{reverse('versioning:row-history')}?table={quote(table, safe='')}"
    for row in rows:
        label = escape(row.label)
        yield (
            f'<tbody class="is-{row.kind}" role="rowgroup">'
            '<tr class="diff__head" role="row">'
            '<th colspan="3" scope="rowgroup" role="rowheader">'
            f'<span class="sign" aria-hidden="true">{_SIGNS.get(row.kind, "~")}</span> '
            f'{label} <span class="diff__kind">{row.kind}</span> '
            f'<span class="diff__raw">{escape(row.key)}</span>'
        )
        if at and row.address:
            url = f"{history}&key={quote(row.address, safe='')}&ref={at}"
            if row.kind is ChangeKind.REMOVED:
                url += removed
            yield (
                f' <a class="diff__history" href="{escape(url)}">'
                f'History<span class="visually-hidden"> of {label}</span></a>'
            )
        yield "</th></tr>\n"
        yield from _cells(row, table, value_start)
        yield "</tbody>\n"


@register.simple_tag
def row_cells(row: RowDiff, table: str, commit: Commit) -> SafeString:
    """A row's cells alone, as rows of a table: what a commit did to it."""
    return SafeString("".join(_cells(row, table, addresses.value_of_commit(commit))))


@register.simple_tag
def origin_cell(origin: Origin, page: HistoryPage) -> SafeString:
    """A cell as it is now; a long value is shown in full where it came from."""
    url = ""
    if origin.shown is not None and origin.shown.is_cut and origin.commit is not None:
        start = addresses.value_of_commit(origin.commit)
        url = addresses.of_cell(start, page.table, page.key, origin.column)
    return cell(origin.shown, "", url)


def _cells(row: RowDiff, table: str, value_start: str) -> Iterator[str]:
    """
    Old and new side by side, those that are the same folded. A narrow screen
    stacks the rows of the table: hence the roles.
    """

    def value(one: CellChange, shown: Shown | None, side: str) -> str:
        url = ""
        if shown is not None and shown.is_cut:
            url = addresses.of_cell(value_start, table, row.key_text, one.column)
        return cell(shown, side, url)

    for one in row.shown:
        title = f' title="{escape(one.column)}"' if one.name != one.column else ""
        yield (
            f'<tr role="row"><th scope="row" role="rowheader"{title}>{escape(one.name)}'
        )
        if one.renamed_from:
            former = escape(one.renamed_from)
            yield f' <span class="diff__raw">renamed from {former}</span>'
        yield "</th>"
        if one.lines:
            url = addresses.of_cell(value_start, table, row.key_text, one.column)
            for side, lines in zip(("old", "new"), in_columns(one.lines), strict=True):
                yield (
                    f'<td role="cell" class="diff__lines {side}">'
                    f"{text_lines(lines, url)}</td>"
                )
        else:
            for side, shown in (("old", one.before), ("new", one.after)):
                none = "" if shown else " none"
                yield (
                    f'<td role="cell" class="{side}{none}">'
                    f"{value(one, shown, side)}</td>"
                )
        yield "</tr>\n"
    if same := row.context:
        columns = "column" if len(same) == 1 else "columns"
        yield (
            '<tr role="row"><td role="cell" colspan="3" class="diff__same">'
            f'<details class="fold"><summary>{len(same)} {columns} the same</summary>'
            '<dl class="facts">'
        )
        for one in same:
            yield (
                f"<div><dt>{escape(one.name)}</dt>"
                f"<dd>{value(one, one.after, '')}</dd></div>"
            )
        yield "</dl></details></td></tr>\n"

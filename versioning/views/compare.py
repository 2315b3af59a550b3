"""Two states side by side."""

from typing import Any

from django.core.exceptions import BadRequest
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    StreamingHttpResponse,
)
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import content_disposition_header, urlencode
from django.views.decorators.http import require_safe

from versioning import addresses, comparison, diffs, exporting, permissions
from versioning.access import needs
from versioning.backends.errors import (
    BadCursor,
    BranchNotFound,
    UnknownRef,
    UnknownTable,
)
from versioning.backends.repository import Branch, ChangeKind
from versioning.comparison import Comparison
from versioning.conf import repository
from versioning.diffs import Overview, RowFilter
from versioning.forms import CompareForm
from versioning.http import page_or_part, whole_number
from versioning.immutable import immutable

COMMITS_SHOWN = 20
KINDS = (ChangeKind.ADDED, ChangeKind.CHANGED, ChangeKind.REMOVED)


def address(old: str, new: str, dots: int) -> str:
    """The address of a comparison of two refs."""
    return f"{reverse('versioning:compare')}?{_query(old, new, dots)}"


def rows_address(old: str, new: str, dots: int) -> str:
    """The beginning of the address of a table's rows; ``&table=…`` completes it."""
    return f"{reverse('versioning:compare-table')}?{_query(old, new, dots)}"


def export_address(old: str, new: str, dots: int) -> str:
    """The beginning of the address of a file; ``&format=…`` completes it."""
    return f"{reverse('versioning:compare-export')}?{_query(old, new, dots)}"


def _query(old: str, new: str, dots: int) -> str:
    return urlencode({"from": old, "to": new, "dots": str(dots)})


@require_safe
@needs(permissions.VIEW_HISTORY)
@immutable("from", "to")
def compare(request: Any) -> HttpResponse:
    """
    What differs between ``?from=`` and ``?to=``: counts, then rows.

    Without them it is what the active branch has and the default one has not.
    """
    old = request.GET.get("from") or request.versioning.default_branch
    new = request.GET.get("to") or request.versioning.branch
    dots = _dots(request)
    form = CompareForm({"from": old, "to": new, "dots": dots})
    context: dict[str, Any] = {
        "form": form,
        "refs": [line.name for line in request.versioning.branches],
    }
    try:
        compared = comparison.compare(
            repository(), old, new, dots=dots, branches=_branches(request)
        )
    except (UnknownRef, BranchNotFound) as error:
        missing = error.ref if isinstance(error, UnknownRef) else error.branch
        form.full_clean()
        form.add_error("from" if missing == old else "to", str(error))
        return page_or_part(
            request, "versioning/compare.html", "comparison", context, status=404
        )
    context |= _links(compared)
    if compared.before is not None:
        context |= _differences(compared)
    return page_or_part(request, "versioning/compare.html", "comparison", context)


def _dots(request: HttpRequest) -> int:
    dots = request.GET.get("dots") or "3"
    if dots not in ("2", "3"):
        raise BadRequest("A comparison has two dots (directly) or three (since…).")
    return int(dots)


def _links(compared: Comparison) -> dict[str, Any]:
    old, new, dots = compared.old, compared.new, compared.dots
    return {
        "compared": compared,
        "this_url": address(old.ref, new.ref, dots),
        "swap_url": address(new.ref, old.ref, dots),
        "other_dots_url": address(old.ref, new.ref, 5 - dots),
        "pinned_url": address(old.hash, new.hash, dots),
        "rows_url": rows_address(old.hash, new.hash, dots),
        "export_url": export_address(old.hash, new.hash, dots),
        "value_start": addresses.compared_value(old.hash, new.hash, dots),
    }


def _differences(compared: Comparison) -> dict[str, Any]:
    assert compared.before is not None
    at_hand = repository()
    overview = diffs.overview(at_hand, compared.before, compared.after)
    return {
        "overview": overview,
        "migrations": diffs.migrations(at_hand, overview),
        "sections": diffs.sections(at_hand, overview, overview.tables),
        "bookkeeping": diffs.sections(at_hand, overview, overview.bookkeeping),
        "commits": at_hand.commits_between(
            compared.old.hash, compared.new.hash, limit=COMMITS_SHOWN
        ),
    }


@require_safe
@needs(permissions.VIEW_HISTORY)
@immutable("from", "to")
def compare_table(request: HttpRequest) -> HttpResponse:
    """One table's rows that differ, fifty at a time, by kind and by column."""
    at_hand = repository()
    table = request.GET.get("table", "")
    kind, column = _kind(request), request.GET.get("column", "")
    compared, overview = _overview(request)
    try:
        page = diffs.rows_page(
            at_hand,
            overview,
            table,
            wanted=RowFilter((kind,) if kind else (), column),
            after=request.GET.get("after", ""),
        )
        columns = diffs.columns(at_hand, overview, table)
    except BadCursor as error:
        raise BadRequest(str(error)) from error
    except UnknownTable as error:
        raise _nothing_of(table) from error
    if column and column not in dict(columns):
        raise Http404(f"“{table}” has no column “{column}”.")
    return page_or_part(
        request,
        "versioning/compare_table.html",
        "rows",
        {
            "page": page,
            "compared": compared,
            "kinds": KINDS,
            "kind": kind,
            "columns": columns,
            "column": column,
            "is_first": not request.GET.get("after"),
            "back_url": address(compared.old.ref, compared.new.ref, compared.dots),
            "rows_url": _same_rows(compared, kind, column),
            "every_url": rows_address(
                compared.old.hash, compared.new.hash, compared.dots
            ),
            "export_url": export_address(
                compared.old.hash, compared.new.hash, compared.dots
            ),
            "value_start": addresses.compared_value(
                compared.old.hash, compared.new.hash, compared.dots
            ),
        },
    )


def _branches(request: Any) -> list[Branch]:
    """All of them, which the header lists as well."""
    return [line.branch for line in request.versioning.branches]


def _overview(request: HttpRequest) -> tuple[Comparison, Overview]:
    """What is compared, and what differs. Raises ``Http404``."""
    at_hand = repository()
    try:
        compared = comparison.compare(
            at_hand,
            request.GET.get("from", ""),
            request.GET.get("to", ""),
            dots=_dots(request),
            branches=_branches(request),
        )
        if compared.before is None:
            raise Http404("These two states share no history.")
        return compared, diffs.overview(at_hand, compared.before, compared.after)
    except (UnknownRef, BranchNotFound) as error:
        raise Http404(str(error)) from error


def _nothing_of(table: str) -> Http404:
    return Http404(f"Nothing of “{table}” differs between these two.")


@require_safe
@needs(permissions.VIEW_HISTORY)
def export(request: HttpRequest) -> StreamingHttpResponse:
    """
    All that differs as a file: one table's rows as CSV, or SQL that makes the
    change. Sent as it is read, so that its size does not matter.
    """
    at_hand = repository()
    table, form = request.GET.get("table", ""), request.GET.get("format", "")
    if form not in ("csv", "sql"):
        raise BadRequest("A file is CSV or SQL.")
    _, overview = _overview(request)
    between = f"{overview.before[:7]}-{overview.after[:7]}"
    if form == "sql":
        lines = exporting.sql_lines(at_hand, overview.before, overview.after)
        name = f"change-{between}.sql"
    else:
        try:
            columns = diffs.all_columns(at_hand, overview, table)
        except UnknownTable as error:
            raise _nothing_of(table) from error
        lines = exporting.csv_lines(
            at_hand, table, overview.before, overview.after, columns
        )
        name = f"{table}-{between}.csv"
    content_type = {"csv": "text/csv", "sql": "application/sql"}[form]
    return StreamingHttpResponse(
        exporting.chunks(lines),
        content_type=f"{content_type}; charset=utf-8",
        headers={
            "Content-Disposition": content_disposition_header(True, name),
            "Cache-Control": "private, no-store",
        },
    )


@require_safe
@needs(permissions.VIEW_HISTORY)
def value(request: HttpRequest) -> HttpResponse:
    """The whole of one cell on both sides, however long, in pages of its text."""
    at_hand = repository()
    table, column = request.GET.get("table", ""), request.GET.get("column", "")
    start = whole_number(request.GET.get("start", "0"))
    compared, overview = _overview(request)
    try:
        cell = diffs.whole_cell(
            at_hand, overview, table, request.GET.get("key", ""), column
        )
    except UnknownTable as error:
        raise _nothing_of(table) from error
    except ValueError as error:
        raise BadRequest("The address is damaged: it names no row.") from error
    if cell is None:
        raise Http404(f"There is no such value in “{table}”.")
    ends = compared.old.hash, compared.new.hash, compared.dots
    query = urlencode({"table": table, "key": request.GET["key"], "column": column})
    return render(
        request,
        "versioning/compare_value.html",
        {
            "compared": compared,
            "cell": cell,
            "part": cell.part(start),
            "back_url": f"{rows_address(*ends)}&{urlencode({'table': table})}",
            "this_url": f"{addresses.compared_value(*ends)}&{query}",
        },
    )


def _kind(request: HttpRequest) -> ChangeKind | None:
    text = request.GET.get("kind", "")
    if not text:
        return None
    if text not in KINDS:
        raise BadRequest(f"Rows are added, changed or removed, never “{text}”.")
    return ChangeKind(text)


def _same_rows(compared: Comparison, kind: ChangeKind | None, column: str) -> str:
    """``rows_address()`` with the filters kept, pinned so that paging can't drift."""
    url = rows_address(compared.old.hash, compared.new.hash, compared.dots)
    kept = {"kind": kind or "", "column": column}
    query = urlencode({name: value for name, value in kept.items() if value})
    return f"{url}&{query}" if query else url

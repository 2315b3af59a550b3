"""What a merge is about, in parts: rows that merge by themselves, whole values."""

import uuid
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import path, reverse
from django.views.decorators.http import require_safe

from versioning import addresses, permissions
from versioning.access import needs
from versioning.backends.errors import BadCursor
from versioning.backends.repository import MergeSides
from versioning.conf import repository
from versioning.http import name_given, page_or_part, whole_number
from versioning.merging import gathering, merged, sources
from versioning.merging.whole_value import WholeValue, decided_value, whole_value
from versioning.models import Decision
from versioning.names import is_hash
from versioning.presentation.conflicts import Names
from versioning.views.gone import tells_of_gone_branches
from versioning.views.merges import url_of


@require_safe
@needs(permissions.VIEW_HISTORY)
@tells_of_gone_branches
def merged_rows(request: HttpRequest) -> HttpResponse:
    """The rows of one table that merge by themselves, as they will be."""
    source, target = (name_given(request.GET, name) for name in ("source", "target"))
    table = request.GET.get("table", "")
    sides = gathering.current_sides(repository(), source, target)
    if sides is None:
        raise Http404("These two branches share no history.")
    try:
        after = request.GET.get("after", "")
        rows = merged.merged_rows(source, target, sides, table, after)
    except BadCursor as error:
        raise BadRequest(str(error)) from error
    if rows is None:
        raise Http404(f"The merge changes no rows of “{table}” by itself.")
    return page_or_part(
        request,
        "versioning/merged_rows.html",
        "rows",
        {
            "merged": rows,
            "source": source,
            "target": target,
            "merge_url": url_of(source, target),
            "value_start": addresses.merged_value(source, target, sides),
            "table_url": f"{reverse('versioning:merge-rows')}?"
            + urlencode({"source": source, "target": target, "table": table}),
        },
    )


@require_safe
@needs(permissions.VIEW_HISTORY)
def merge_value(request: HttpRequest) -> HttpResponse:
    """
    The whole of one cell on each side, however long, in pages of its text; of
    the three hashes that the address says.
    """
    given = {
        name: request.GET.get(name, "")
        for name in ("source", "target", "base", "ours", "theirs", "table", "key")
    }
    column = request.GET.get("column", "")
    source, target = given["source"], given["target"]
    try:
        value = whole_value(
            repository(),
            _sides_of(given),
            Names(target, sources.parse(source).label),
            given["table"],
            given["key"],
            column,
        )
    except ValueError as error:
        raise BadRequest("The address is damaged: it names no row.") from error
    if value is None:
        raise Http404(f"There is no such value in “{given['table']}”.")
    query = urlencode(given | {"column": column})
    return _value_page(
        request,
        value,
        {
            "back": "The merge",
            "back_url": url_of(source, target),
            "this_url": f"{reverse('versioning:merge-value')}?{query}&",
        },
    )


@require_safe
@needs(permissions.VIEW_HISTORY)
def decided(request: HttpRequest, id: uuid.UUID, decision: int) -> HttpResponse:
    """The same of the values that a decision was made on, and what was typed."""
    found = get_object_or_404(
        Decision.objects.select_related("draft"), draft=id, pk=decision
    )
    column = found.column or request.GET.get("column", "")
    value = decided_value(found, column)
    if value is None:
        raise Http404("This decision is about no such value.")
    here = reverse("versioning:decided-value", args=[id, decision])
    return _value_page(
        request,
        value,
        {
            "back": "What was decided",
            "back_url": reverse("versioning:merge-record", args=[id]),
            "this_url": f"{here}?{urlencode({'column': column})}&",
            "decision": found,
        },
    )


def _value_page(
    request: HttpRequest, value: WholeValue, context: dict[str, Any]
) -> HttpResponse:
    part, more = value.part(whole_number(request.GET.get("start", "0")))
    shown = {"value": value, "part": part, "next": more}
    return render(request, "versioning/merge_value.html", shown | context)


def _sides_of(given: dict[str, str]) -> MergeSides:
    base, ours, theirs = (given[name] for name in ("base", "ours", "theirs"))
    if not (is_hash(base) and is_hash(ours) and is_hash(theirs)):
        raise BadRequest("The address does not say which commits it is about.")
    is_merge = sources.parse(given["source"]).is_merge
    return MergeSides(base, ours, theirs, is_merge)


urlpatterns = [
    path("merge/rows/", merged_rows, name="merge-rows"),
    path("merge/value/", merge_value, name="merge-value"),
    path("merges/<uuid:id>/values/<int:decision>/", decided, name="decided-value"),
]

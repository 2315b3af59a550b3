"""Search: rows that hold a text, as of a branch, a tag or a commit."""

from typing import Any

from django.core.exceptions import BadRequest
from django.http import Http404, HttpResponse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from versioning import comparison, permissions, row_search, values
from versioning.access import needs
from versioning.backends.errors import (
    BadCursor,
    BranchNotFound,
    UnknownRef,
    UnknownTable,
)
from versioning.conf import repository
from versioning.http import page_or_part
from versioning.refs import Refs

LONGEST = 200  # characters of a text to look for


@require_safe
@needs(permissions.VIEW_HISTORY)
def rows(request: Any) -> HttpResponse:
    """
    ``?q=`` in all tables of ``?ref=``, or in those after ``?past=``; ``?table=`` and
    ``?after=`` in one.
    """
    at_hand = repository()
    ref = request.GET.get("ref") or request.versioning.branch
    text = request.GET.get("q", "").strip()[:LONGEST]
    table, after = request.GET.get("table", ""), request.GET.get("after", "")
    past = request.GET.get("past", "")
    refs = Refs.of(at_hand, request.versioning.all_branches)
    unknown, found = "", []
    try:
        start = comparison.state(at_hand, ref, refs)
    except (UnknownRef, BranchNotFound) as error:
        unknown = str(error)
        start = comparison.state(at_hand, request.versioning.branch, refs)
    try:
        every = row_search.searched_tables(at_hand, start.hash)
        if table and table not in every:
            raise UnknownTable(table)
        chosen = [table] if table else [name for name in every if name > past]
        if text and not unknown:
            found = row_search.find(
                at_hand, chosen, text, at=start.hash, after=after if table else ""
            )
    except UnknownTable as error:
        raise Http404(str(error)) from error
    except BadCursor as error:
        raise BadRequest(str(error)) from error
    looked = chosen[: row_search.TABLES]
    left = len(chosen) - len(looked)
    return page_or_part(
        request,
        "versioning/search.html",
        "found",
        {
            "q": text,
            "start": start,
            "ref": ref,
            "unknown": unknown,
            "refs": refs,
            "table": table,
            "tables": [(name, values.table_name(name)) for name in every],
            "keyless": [
                values.table_name(name)
                for name in row_search.keyless_tables(at_hand, start.hash)
            ],
            "past": past,
            "looked": len(looked),
            "left": left,
            "beyond": urlencode({"ref": start.ref, "q": text, "past": looked[-1]})
            if left
            else "",
            "found": [
                (part, _further(start.ref, text, part) if part.next else "")
                for part in found
            ],
        },
        status=404 if unknown else 200,
    )


def _further(ref: str, text: str, part: row_search.FoundRows) -> str:
    query = {"ref": ref, "q": text, "table": part.table, "after": part.next or ""}
    return urlencode(query)

"""The history of a single row."""

from typing import Any

from django.core.exceptions import BadRequest
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from versioning import comparison, permissions, row_history, values
from versioning.access import needs
from versioning.backends.errors import BranchNotFound, UnknownRef, UnknownTable
from versioning.backends.repository import Key
from versioning.conf import repository
from versioning.http import page_or_part
from versioning.refs import Refs

KEY_LENGTH = 4000  # characters of an address


@require_safe
@needs(permissions.VIEW_HISTORY)
def history(request: Any) -> HttpResponse:
    """
    Each commit that changed the row ``?table=`` ``?key=``, as ``?ref=`` has it, or
    ``?was=`` where that never had it: in the table ``?then=``, if it was called so.
    """
    table = request.GET.get("table", "")
    ref = request.GET.get("ref") or request.versioning.branch
    since = request.GET.get("after", "")
    key = _key(request.GET.get("key", ""))
    try:
        start, page = _found(request, table, key, ref, since)
    except Http404:
        if not (was := request.GET.get("was")):
            raise
        then = request.GET.get("then") or table
        start, page = _found(request, then, key, was, since)
    # Pinned, so that paging can't drift.
    query = {
        "table": page.table,
        "key": page.key,
        "ref": start.hash,
        "after": page.next,
    }
    older = f"{reverse('versioning:row-history')}?{urlencode(query)}"
    return page_or_part(
        request,
        "versioning/row_history.html",
        "entries",
        {
            "page": page,
            "start": start,
            "older": older if page.next else "",
            "is_first": not since,
        },
    )


def _found(
    request: Any, table: str, key: Key, ref: str, since: str
) -> tuple[comparison.State, row_history.HistoryPage]:
    """Raises ``Http404`` and ``BadRequest``."""
    at_hand = repository()
    try:
        refs = Refs.of(at_hand, request.versioning.all_branches)
        start = comparison.state(at_hand, ref, refs)
    except (UnknownRef, BranchNotFound) as error:
        raise Http404(str(error)) from error
    try:
        page = row_history.history_page(at_hand, table, key, at=start.hash, since=since)
    except UnknownTable as error:
        raise Http404(f"{start.label} has no table “{table}” with a key.") from error
    except row_history.NoSuchRow as error:
        raise Http404(str(error)) from error
    except UnknownRef as error:
        raise BadRequest(
            "The address is damaged: it doesn’t say where to go on."
        ) from error
    return start, page


def _key(text: str) -> Key:
    """The key that an address names. Raises ``Http404``."""
    try:
        if len(text) > KEY_LENGTH:
            raise ValueError
        return values.key_from_outside(text)
    except (ValueError, RecursionError) as error:
        raise Http404("The address names no row.") from error

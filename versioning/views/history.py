"""The log of a branch, and single commits."""

from typing import Any

from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from versioning import comparison, diffs, history, permissions
from versioning.access import needs
from versioning.backends.errors import UnknownRef
from versioning.conf import repository
from versioning.cursors import BadCursor
from versioning.http import page_or_part
from versioning.merging.drafts import record_of
from versioning.views.compare import rows_address


@require_safe
@needs(permissions.VIEW_HISTORY)
def log(request: Any) -> HttpResponse:
    """The commits of a branch, a tag or a hash, fifty at a time."""
    at_hand = repository()
    ref = request.GET.get("branch") or request.versioning.branch
    try:
        start = comparison.state(at_hand, ref)
    except UnknownRef as error:
        raise Http404(str(error)) from error
    after = request.GET.get("after", "")
    try:
        cursor = history.Cursor.parse(after) if after else None
        page = history.log_page(at_hand, start.hash, cursor=cursor)
    except BadCursor as error:
        raise BadRequest(str(error)) from error
    older = urlencode({"branch": ref, "after": str(page.next)}) if page.next else ""
    return page_or_part(
        request,
        "versioning/log.html",
        "commits",
        {"page": page, "start": start, "older": older, "is_first": cursor is None},
    )


@require_safe
@needs(permissions.VIEW_HISTORY)
def commit(request: HttpRequest, hash: str) -> HttpResponse:
    """One commit and what it changed, against its first parent."""
    at_hand = repository()
    try:
        details = history.commit_details(at_hand, hash)
    except UnknownRef as error:
        raise Http404(str(error)) from error
    overview, sections, bookkeeping, rows_url = None, [], [], ""
    if details.parents:
        before = details.parents[0].hash
        overview = diffs.overview(at_hand, before, details.commit.hash)
        sections = diffs.sections(at_hand, overview, overview.tables)
        bookkeeping = diffs.sections(at_hand, overview, overview.bookkeeping)
        rows_url = rows_address(before, details.commit.hash, 2)
    return render(
        request,
        "versioning/commit.html",
        {
            "details": details,
            "overview": overview,
            "sections": sections,
            "bookkeeping": bookkeeping,
            "rows_url": rows_url,
            "record": record_of(details.commit.hash),
        },
    )

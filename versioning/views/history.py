"""The log of a branch, and single commits."""

import re
from typing import Any

from django.core.exceptions import BadRequest
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.urls import get_script_prefix, reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from versioning import (
    addresses,
    branches,
    comparison,
    diffs,
    history,
    names,
    permissions,
    trailers,
    values,
)
from versioning.access import needs
from versioning.backends.errors import BadCursor, BranchNotFound, UnknownRef
from versioning.backends.repository import Repository
from versioning.commits import commit_details
from versioning.conf import options, repository
from versioning.folding import fold
from versioning.forms import LogForm
from versioning.http import page_or_part
from versioning.merging.endings import record_of
from versioning.refs import Refs
from versioning.views.compare import export_address, rows_address

HASHES_OFFERED = 10
READ = 250  # commits, for the lines of a folded page
_PREFIX = re.compile("[0-9a-v]{4,40}")


@require_safe
@needs(permissions.VIEW_HISTORY)
def log(request: Any) -> HttpResponse:
    """
    The commits of a branch, a tag or a hash, in pages; ``?q=`` and more filter.
    It may also be named as ``?ref=``, as where rows are found.
    """
    at_hand = repository()
    refs = Refs.of(at_hand, request.versioning.all_branches)
    given = request.GET.get("branch") or request.GET.get("ref")
    ref = given or request.versioning.branch
    unknown = ""
    try:
        start = comparison.state(at_hand, ref, refs)
    except (UnknownRef, BranchNotFound) as error:
        unknown = str(error)
        start = comparison.state(at_hand, request.versioning.branch, refs)
    form = LogForm(request.GET, tables=_tables(at_hand, start.hash))
    context = {
        "form": form,
        "start": start,
        "refs": refs,
        "ref": ref,
        "unknown": unknown,
    }
    if not form.is_valid() or unknown:
        return page_or_part(
            request,
            "versioning/log.html",
            "commits",
            context,
            status=404 if unknown else 422,
        )
    wanted = form.wanted()
    hashes = _hashes(at_hand, wanted.text)
    # As much of a hash as pages show is no part of a text by chance. A word may be.
    is_hash = names.begins_hash(wanted.text.lower()) and not wanted.text.isalpha()
    if len(hashes) == 1 and is_hash:
        return redirect("versioning:commit", hashes[0])
    folded = not wanted.is_any and form.cleaned_data["fold"] != "no"
    after = request.GET.get("after", "")
    try:
        cursor = history.Cursor.parse(after) if after else None
        page = history.log_page(
            at_hand,
            start.hash,
            cursor=cursor,
            wanted=wanted,
            limit=READ if folded else history.PAGE,
            refs=refs,
        )
    except BadCursor as error:
        raise BadRequest(str(error)) from error
    looked_at_all = page.scan is None or not page.scan.is_cut
    if len(hashes) == 1 and not page.entries and cursor is None and looked_at_all:
        # No message holds it, so it can only be meant as a hash.
        return redirect("versioning:commit", hashes[0])
    lines = fold(page.entries) if folded else list(page.entries)
    if len(lines) > history.PAGE:
        lines = lines[: history.PAGE]
        page = page.until(lines[-1].last)
    query = {"branch": start.ref} | {
        name: value
        for name in form.fields
        if name != "branch" and (value := request.GET.get(name))
    }
    if page.next:
        context["older"] = urlencode({**query, "after": str(page.next)})
    return page_or_part(
        request,
        "versioning/log.html",
        "commits",
        context
        | {
            "page": page,
            "is_filtered": wanted.is_any,
            "lines": lines,
            "wanted": wanted,
            "newest": urlencode(query),
            "is_first": cursor is None,
            "is_folded": folded,
            "folds": any(hasattr(line, "kind") for line in lines),
            "hashes": hashes,
        },
    )


def _tables(at_hand: Repository, hash: str) -> list[tuple[str, str]]:
    """The application's tables, to choose one: (raw name, name)."""
    return [
        (table, values.table_name(table))
        for table in at_hand.tables(hash)
        if not values.is_bookkeeping(table)
    ]


def _hashes(at_hand: Repository, text: str) -> list[str]:
    """Hashes that begin with what was typed into the search box."""
    text = text.strip().lower()
    if not _PREFIX.fullmatch(text):
        return []
    return at_hand.with_prefix(text, limit=HASHES_OFFERED)


@require_safe
@needs(permissions.VIEW_HISTORY)
def commit(request: Any, hash: str) -> HttpResponse:
    """
    One commit and what it changed, against its first parent. The beginning of a
    hash leads to the commit; of several, to the log, which lists them.
    """
    at_hand = repository()
    try:
        details = commit_details(
            at_hand, hash, Refs.of(at_hand, request.versioning.all_branches)
        )
    except UnknownRef as error:
        hashes = _hashes(at_hand, hash)
        if len(hashes) == 1:
            return redirect("versioning:commit", hashes[0])
        if hashes:
            return redirect(f"{reverse('versioning:log')}?{urlencode({'q': hash})}")
        raise Http404(str(error)) from error
    overview, sections, bookkeeping, rows_url, export_url = None, [], [], "", ""
    values_at = ""
    if details.parents:
        before = details.parents[0].hash
        overview = diffs.overview(at_hand, before, details.commit.hash)
        sections = diffs.sections(at_hand, overview, overview.tables)
        bookkeeping = diffs.sections(at_hand, overview, overview.bookkeeping)
        rows_url = rows_address(before, details.commit.hash, 2)
        export_url = export_address(before, details.commit.hash, 2)
        values_at = addresses.compared_value(before, details.commit.hash)
    recorded = any(
        name == trailers.MERGE_RECORD for name, _ in details.message.trailers
    )
    record = record_of(hash) if recorded else None
    home = resolve_url(options().home or get_script_prefix())
    return render(
        request,
        "versioning/commit.html",
        {
            "details": details,
            "overview": overview,
            "migrations": diffs.migrations(at_hand, overview) if overview else (),
            "sections": sections,
            "bookkeeping": bookkeeping,
            "rows_url": rows_url,
            "export_url": export_url,
            "value_start": values_at,
            "record": record,
            "spent": branches.spent(record, request.versioning.branches),
            "browse_url": f"{home}?{urlencode({'at': details.commit.hash})}",
        },
    )

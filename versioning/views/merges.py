"""Merges: lists of them, one as it stands, and what was decided about it."""

import uuid
from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import path, reverse
from django.utils.cache import patch_cache_control
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from versioning import addresses, branches, permissions
from versioning.access import needs
from versioning.backends.errors import BadCursor
from versioning.backends.repository import Key, MergeSides
from versioning.conf import repository
from versioning.http import name_given, page_or_part, wants_part, whole_number
from versioning.merging import (
    endings,
    gathering,
    moved,
    records,
    screen,
    sources,
)
from versioning.merging.locking import DraftClosed
from versioning.merging.resolution import WHOLE_ROW
from versioning.merging.standing import gone
from versioning.merging.undone import undoing, with_undo
from versioning.models import MergeDraft
from versioning.names import is_hash
from versioning.policies import counters_of
from versioning.presentation.choices import typed_texts
from versioning.values import key_from_outside
from versioning.views.gone import View, tells_of_gone_branches

PAGE = "versioning/merge.html"

#: (request, source, target, the three hashes) → answer
DecidingView = Callable[[HttpRequest, str, str, MergeSides], HttpResponse]


def url_of(source: str, target: str) -> str:
    """The address of the merge of one branch into another."""
    query = urlencode({"source": source, "target": target})
    return f"{reverse('versioning:merge')}?{query}"


@require_safe
@needs(permissions.VIEW_HISTORY)
def merge_list(request: HttpRequest) -> HttpResponse:
    """Merges that are being settled, the latest that landed, and a new one."""
    being_settled = records.being_settled(_heads(request))
    ended = records.ended()
    records.name_commits(
        [*(line.draft for line in being_settled), *ended.landed, *ended.set_aside]
    )
    return render(
        request, "versioning/merges.html", {"open": being_settled, "ended": ended}
    )


@require_safe
@needs(permissions.VIEW_HISTORY)
def record(request: Any, id: uuid.UUID) -> HttpResponse:
    """What was decided about a merge, by whom and when, now and later."""
    draft = get_object_or_404(with_undo(MergeDraft.objects.all()), pk=id)
    endings.found_landed(draft, _heads(request))
    undone = getattr(draft, "undone_in", None)
    undo = undoing(draft.commit, draft.target) if undone else None
    after = whole_number(request.GET.get("after", "0"))
    page = records.page_of(draft, after=after)
    records.name_commits([draft])
    return page_or_part(
        request,
        "versioning/record.html",
        "decisions",
        {
            "draft": draft,
            "page": page,
            "undo": undo,
            "spent": branches.spent(draft, request.versioning.branches),
        },
    )


@require_safe
@needs(permissions.VIEW_HISTORY)
@tells_of_gone_branches
def merge(request: Any) -> HttpResponse:
    """What a merge would do; with decisions, what it will do."""
    source = name_given(request.GET, "source")
    target = name_given(request.GET, "target") or request.versioning.branch
    if not source:
        return HttpResponseRedirect(reverse("versioning:merges"))
    place, cards = request.GET.get("from", ""), request.GET.get("cards", "")
    if cards == "rest":
        return _rest(request, source, target, place)
    return screen_page(
        request,
        source,
        target,
        place=place,
        whole=cards == "all",
        # With a script, what takes long comes after the page.
        can_follow="wait" not in request.GET and not wants_part(request),
    )


def _rest(request: HttpRequest, source: str, target: str, place: str) -> HttpResponse:
    """The cards that a page did not begin with; without HTMX, the whole page."""
    if not wants_part(request):
        return screen_page(request, source, target, place=place, whole=True)
    faults = whole_number(request.GET.get("faults", "0"))
    try:
        shown = gathering.open_cards(
            source, target, place, part=screen.REST, faults=faults
        )
    except BadCursor as error:
        raise BadRequest(str(error)) from error
    shown_to = request.GET.get("ours"), request.GET.get("theirs")
    if shown.sides is None or (shown.sides.ours, shown.sides.theirs) != shown_to:
        # A branch moved in between: the cards there belong to another merge.
        return screen_page(request, source, target, place=place)
    return render(
        request,
        f"{PAGE}#cards",
        {
            "screen": shown,
            "may_merge": permissions.may_merge_into(request.user, target),
            "place": place,
            "whole": True,
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
@needs(permissions.MERGE_BRANCH)
def abandon(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """GET: what would count no more. POST: set aside the decisions that were seen."""
    draft = get_object_or_404(MergeDraft, pk=id)
    record_url = reverse("versioning:merge-record", args=[draft.pk])
    if (
        endings.found_landed(draft, _heads(request))
        or draft.state != MergeDraft.State.OPEN
    ):
        messages.info(request, str(DraftClosed(draft)))
        return see_other(record_url)
    if request.method != "POST":
        return _abandon_page(request, draft)
    seen = whole_number(
        request.POST.get("seen", ""), "The form does not say what it was made for."
    )
    try:
        endings.abandon(draft, request.user, seen=seen)
    except DraftClosed as error:
        messages.info(request, str(error))
        return see_other(record_url)
    except endings.DraftChanged:
        return _abandon_page(request, draft, has_changed=True, status=409)
    messages.success(
        request,
        f"The decisions about “{draft}” are set aside. No branch was changed.",
    )
    return see_other(record_url)


def _abandon_page(
    request: HttpRequest,
    draft: MergeDraft,
    *,
    has_changed: bool = False,
    status: int = 200,
) -> HttpResponse:
    shares = records.shares(draft)
    is_there = not gone(draft, _heads(request))
    return render(
        request,
        "versioning/merge_abandon.html",
        {
            "draft": draft,
            "seen": draft.revision,
            "shares": shares,
            "total": sum(share.decisions for share in shares),
            "is_merge": sources.parse(draft.source).is_merge,
            "merge_url": url_of(draft.source, draft.target) if is_there else "",
            "has_changed": has_changed,
        },
        status=status,
    )


# Pieces -----------------------------------------------------------------------


def _heads(request: Any) -> dict[str, str]:
    """All branches' hashes by name, as the page's header has them."""
    return {branch.name: branch.head for branch in request.versioning.all_branches}


def pinned(request: HttpRequest) -> tuple[str, str, MergeSides]:
    """Branch names and hashes that a form carries. ``BadRequest`` if damaged."""
    pins = [request.POST.get(name, "") for name in ("base", "ours", "theirs")]
    if not all(is_hash(pin) for pin in pins):
        raise BadRequest("The form does not say what it was made for.")
    source, target = (
        name_given(request.POST, name, "The form names no branch.")
        for name in ("source", "target")
    )
    base, ours, theirs = pins
    sides = MergeSides(base, ours, theirs, sources.parse(source).is_merge)
    return source, target, sides


def seen_draft(request: HttpRequest) -> screen.Seen:
    """What a form says that its page showed of the draft. ``BadRequest`` if damaged."""
    # With a script, also what the bar says: it is made anew with every answer.
    text = request.POST.get("seen-now") or request.POST.get("seen", "")
    try:
        return screen.Seen.parse(text)
    except ValueError as error:
        raise BadRequest("The form does not say what it was made for.") from error


def sent_from_a_page(view: View) -> View:
    """
    Take POST only, and lead who opens the address to the merges: it stands in the
    browser after an answer that says why nothing was done.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method in ("GET", "HEAD"):
            return HttpResponseRedirect(reverse("versioning:merges"))
        return require_POST(view)(request, *args, **kwargs)

    return guarded


def of_the_merge_shown(view: DecidingView) -> Callable[[HttpRequest], HttpResponse]:
    """
    Calls a view that decides something with the branches of a form, and the
    hashes that its page was about, or those of now, where a branch has moved
    since by what is apart from the merge. If it moved otherwise: 409 with the
    merge as it stands. What is about one row is decided either way if its values
    are what they were, and only then: a row to mend may be none that the merge
    touches. 409, and nothing decided, if the draft was set aside or has landed.
    """

    @wraps(view)
    def decide(request: HttpRequest) -> HttpResponse:
        source, target, pins = pinned(request)
        now = gathering.current_sides(repository(), source, target)
        if now is None:
            return moved_page(request, source, target, pins)
        is_as_shown = now == pins or moved.is_apart(repository(), pins, now)
        means_the_same = is_as_shown
        if now != pins and (row := _row_of(request)):
            but = _counts_left(request, row[0])
            means_the_same = moved.row_stands(repository(), pins, now, *row, but=but)
        if not means_the_same:
            return moved_page(request, source, target, pins)
        try:
            require_seen_draft(request)
            answer = view(request, source, target, now)
        except DraftClosed as error:
            return closed_page(request, source, target, error)
        if is_as_shown or answer.status_code not in (200, 303):
            return answer
        return moved_page(request, source, target, pins, is_kept=True)

    return decide


def _row_of(request: HttpRequest) -> tuple[str, Key] | None:
    """The table and the key of the one row that a form is about, if it is."""
    if request.POST.get("scope", "row") != "row":
        return None
    try:
        key = key_from_outside(request.POST.get("key", ""))
    except ValueError:
        return None
    return request.POST.get("table", ""), key


def _counts_left(request: HttpRequest, table: str) -> frozenset[str]:
    """
    Counters of a row that a form decides nothing about: they add up by themselves,
    and on a branch that people vote on they never rest.
    """
    chosen = {name for name, value in request.POST.items() if value not in ("", "sum")}
    about_all = {"row", "again", "take", f"take:{WHOLE_ROW}"}
    if chosen & about_all or "scope" not in request.POST:
        return frozenset()
    named = {name.partition(":")[2] for name in chosen if name.startswith("take:")}
    return counters_of(table) - named


def require_seen_draft(request: HttpRequest) -> screen.Seen:
    """
    ``seen_draft()``. Raises ``DraftClosed`` if that draft was set aside since:
    what is decided now would begin another, and the page would show both as one.
    """
    seen = seen_draft(request)
    aside = MergeDraft.objects.filter(state=MergeDraft.State.ABANDONED)
    if seen.draft and (draft := aside.filter(pk=seen.draft).first()):
        raise DraftClosed(draft)
    return seen


def screen_page(
    request: Any,
    source: str,
    target: str,
    *,
    place: str = "",
    whole: bool = False,
    can_follow: bool = False,
    status: int = 200,
    change: Callable[[screen.Screen], screen.Screen] | None = None,
    **context: Any,
) -> HttpResponse:
    """
    The merge as it stands; ``change`` adds what a form sent to what is shown.
    Unless the page is to be ``whole``, it begins with a few cards; ``can_follow``
    as for ``gathering.open_screen()``.
    """
    whole = whole or change is not None
    part = screen.ALL if whole else screen.FIRST
    try:
        shown = gathering.open_screen(
            source, target, place, part=part, can_follow=can_follow
        )
    except BadCursor as error:
        raise BadRequest(str(error)) from error
    if change:
        shown = change(shown)
    # What answers a form is the same page to whoever sent it.
    page = seen_draft(request).page or screen.new_page()
    response = page_or_part(
        request,
        PAGE,
        "merge",
        {
            "screen": replace(shown, page=page),
            "may_merge": permissions.may_merge_into(request.user, target),
            "may_align": _may_align(request, shown),
            "spent": branches.spent(shown.merged, request.versioning.branches),
            "here": _address(source, target, place, "all" if whole else ""),
            "place": place,
            "whole": whole,
            "value_start": addresses.merged_value(source, target, shown.sides)
            if shown.sides
            else "",
            **context,
        },
        status=status,
    )
    # Back would show decisions that have long been made otherwise, or landed.
    patch_cache_control(response, private=True, no_store=True)
    if wants_part(request):
        response["HX-Retarget"] = "#merge"
        response["HX-Reswap"] = "outerHTML"
    return response


def _may_align(request: HttpRequest, shown: screen.Screen) -> list[str]:
    """Branches of this merge whose migrations this person may run."""
    behind = shown.alignment.behind if shown.alignment else ()
    return [
        side.branch
        for side in behind
        if permissions.may_merge_into(request.user, side.branch)
    ]


def moved_page(
    request: HttpRequest,
    source: str,
    target: str,
    pins: MergeSides,
    *,
    is_kept: bool = False,
) -> HttpResponse:
    """
    409: a branch has moved since the page was made. Nothing is decided by it,
    unless what was pressed ``is_kept``.
    """
    return screen_page(
        request,
        source,
        target,
        place=request.POST.get("from", "") if is_kept else "",
        status=409,
        moved=moved.moved(repository(), source, target, pins),
        is_kept=is_kept,
        typed=[] if is_kept else typed_texts(request.POST),
    )


def closed_page(
    request: HttpRequest, source: str, target: str, error: DraftClosed
) -> HttpResponse:
    """409: the draft was set aside or landed while somebody decided. No decision."""
    return screen_page(
        request,
        source,
        target,
        status=409,
        closed=error.draft,
        typed=typed_texts(request.POST),
    )


def _address(source: str, target: str, place: str, cards: str = "") -> str:
    more = {key: text for key, text in (("from", place), ("cards", cards)) if text}
    url = url_of(source, target)
    return f"{url}&{urlencode(more)}" if more else url


def back_to(request: HttpRequest, source: str, target: str) -> str:
    """Where the form was: the same page, as whole as it was."""
    place, cards = request.POST.get("from", ""), request.POST.get("cards", "")
    return _address(source, target, place, cards if cards == "all" else "")


def see_other(url: str) -> HttpResponseRedirect:
    response = HttpResponseRedirect(url)
    response.status_code = 303
    return response


urlpatterns = [
    path("merges/", merge_list, name="merges"),
    path("merges/<uuid:id>/", record, name="merge-record"),
    path("merges/<uuid:id>/set-aside/", abandon, name="merge-abandon"),
    path("merge/", merge, name="merge"),
]

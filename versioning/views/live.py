"""Has the page that somebody reads gone stale? Asked by the page itself."""

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from versioning import live, permissions
from versioning.conf import repository
from versioning.decorators import of_no_branch

AT_ONCE = 8  # branches


@of_no_branch
@require_safe
@never_cache
def news(request: HttpRequest) -> HttpResponse:
    """
    204, or a note of what is new since ``?branch=`` had the ``head=`` beside
    it, or since all branches had the fingerprint ``all=``.

    Who may not read history is told nothing, and not sent to sign in: nobody
    asked for this but the page.
    """
    silence = HttpResponse(status=204)
    if not request.user.has_perm(permissions.VIEW_HISTORY):
        return silence
    names, heads = request.GET.getlist("branch"), request.GET.getlist("head")
    if len(names) != len(heads) or len(names) > AT_ONCE:
        raise BadRequest("The address does not say which commits it is about.")
    at_hand = repository()
    found = live.news(at_hand, dict(zip(names, heads, strict=True)))
    seen = request.GET.get("all")
    moved = seen is not None and seen != live.fingerprint(at_hand.branches())
    if not found and not moved:
        return silence
    htmx = getattr(request, "htmx", None)
    here = (htmx and htmx.current_url_abs_path) or ""
    return render(
        request,
        "versioning/live.html",
        {"news": found, "branches_moved": moved, "here": here},
    )

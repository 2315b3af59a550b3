"""Django's error handlers, answered with pages of the site."""

import re
import sys
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template import loader

from versioning import pages
from versioning.http import came_from

#: What ``get_object_or_404()`` says, to developers.
_OF_DJANGO = re.compile(r"No \w+ matches the given query\.")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return pages.bad_request(
        request, "Something in the address or the form is not as this site makes it."
    )


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return pages.forbidden(request, str(exception))


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404. Words that a view gave with ``Http404`` are shown, Django's own not."""
    words = exception.args[0] if exception.args else ""
    is_said = isinstance(words, str) and words and not _OF_DJANGO.fullmatch(words)
    return pages.not_found(
        request,
        words if is_said else "There is nothing here. It may be on another branch.",
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """
    500, or 503 if the error at hand is a database's that can't be reached:
    sessions are stored before any view runs and after it, where no other
    place could catch it.
    """
    error = sys.exc_info()[1]
    if error is not None and (page := _page_for_outage(request, error)):
        return page
    template = loader.select_template(["500.html", "versioning/fault.html"])
    return HttpResponse(template.render({"became": _became_of(request)}), status=500)


def _became_of(request: HttpRequest) -> str:
    """What became of what was sent, in a sentence; "" if nothing was."""
    if request.method in ("GET", "HEAD"):
        return ""
    place: Any = getattr(request, "versioning", None)
    unit = place.unit if place else None
    if unit is None:
        return "Look whether what you sent was done, before you send it again."
    if unit.commit:
        return (
            f"What you sent was written, as commit {unit.commit[:7]} on {unit.branch}: "
            "don’t send it again. Only the page that tells of it is missing."
        )
    return "What you sent was rolled back as a whole: nothing was written."


def _page_for_outage(request: HttpRequest, error: BaseException) -> Any:
    from django.db import DatabaseError

    from versioning.backends import is_unavailable

    if isinstance(error, DatabaseError) and is_unavailable(error):
        return pages.unavailable(request)
    return None


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form whose CSRF token is missing or old."""
    return pages.page(
        request,
        403,
        "This form can’t be taken",
        "It is older than your sign-in, or your browser keeps no cookies. "
        "Open the page again and send it anew.",
        actions=[pages.Action("Open the page again", where)]
        if (where := came_from(request))
        else [],
        resend=pages._resend(request, None),
    )

"""What is answered about a merge whose branch is gone, by page or part."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from versioning import permissions
from versioning.backends.errors import BranchNotFound
from versioning.http import page_or_part, wants_part
from versioning.merging.gone import gone_merge
from versioning.presentation.choices import typed_texts

View = Callable[..., HttpResponseBase]


def tells_of_gone_branches(view: View) -> View:
    """
    Say what became of a branch of the merge that a request names as ``source``
    and ``target``, where the view raises ``BranchNotFound``.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except BranchNotFound:
            if (page := _gone_page(request)) is None:
                raise
            return page

    return guarded


def _gone_page(request: Any) -> HttpResponse | None:
    """404, or 409 where something was sent or a part is swapped for it."""
    is_sent = request.method == "POST"
    given = request.POST if is_sent else request.GET
    source = given.get("source", "")
    target = given.get("target") or request.versioning.branch
    there = {branch.name for branch in request.versioning.all_branches}
    found = gone_merge(source, target, there)
    if not found.branches:  # it is here again, or another one was missed
        return None
    response = page_or_part(
        request,
        "versioning/merge_gone.html",
        "gone",
        {
            "gone": found,
            "source": source,
            "target": target,
            "is_sent": is_sent,
            "typed": typed_texts(request.POST),
            "may_merge": permissions.may_merge_into(request.user, target),
        },
        status=409 if is_sent or wants_part(request) else 404,
    )
    if wants_part(request):
        response["HX-Retarget"] = "#content"
        response["HX-Reswap"] = "innerHTML"
    return response

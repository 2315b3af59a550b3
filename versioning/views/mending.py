"""Rows of a merge's result that break a rule: what becomes of them."""

from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.http import require_POST

from versioning import permissions
from versioning.access import needs
from versioning.conf import repository
from versioning.http import wants_part
from versioning.merging import choices, drafts, mending, screen
from versioning.presentation.mends import mend_anchor
from versioning.values import key_from_text, key_text, model_for
from versioning.views.merges import (
    back_to,
    moved_page,
    pinned,
    screen_page,
    see_other,
)


@require_POST
@needs(permissions.MERGE_BRANCH)
def mend(request: HttpRequest) -> HttpResponse:
    """Keep what was decided about one row; with ``clear``, take it all back."""
    source, target, pins = pinned(request)
    sides = screen.current_sides(repository(), source, target)
    if sides is None or sides != pins:
        return moved_page(request, source, target, pins)
    table = request.POST.get("table", "")
    try:
        key = key_from_text(request.POST.get("key", ""))
    except ValueError as error:
        raise BadRequest("The form does not say which row it is about.") from error
    row = mending.row_of(sides, table, key) if model_for(table) else None
    if row is None:
        raise Http404("No branch of this merge has this row.")
    draft = drafts.begin(source, target, sides, request.user)
    try:
        if "clear" in request.POST:
            drafts.take_back_mends(draft, row)
        else:
            made = choices.read_mends(row, request.POST)
            mending.mend(draft, sides, row, made, request.user)
    except choices.ChoicesInvalid as error:
        return screen_page(
            request,
            source,
            target,
            place=request.POST.get("from", ""),
            status=422,
            problem="One of the values can’t be taken: see below.",
            refused_mend=(mend_anchor(table, key_text(key)), error),
        )
    except ValueError as error:
        raise BadRequest(str(error)) from error
    if wants_part(request):
        return screen_page(request, source, target, place=request.POST.get("from", ""))
    where = mend_anchor(table, key_text(key))
    return see_other(f"{back_to(request, source, target)}#{where}")


urlpatterns = [path("merge/mend/", mend, name="merge-mend")]

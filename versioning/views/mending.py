"""Rows of a merge's result that break a rule: what becomes of them."""

from django.core.exceptions import BadRequest, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path

from versioning import permissions
from versioning.access import needs
from versioning.backends.repository import MergeSides
from versioning.http import wants_part
from versioning.merging import (
    choices,
    deciding,
    drafts,
    mending,
    screen,
    sources,
)
from versioning.merging.meanwhile import DecidedMeanwhile
from versioning.merging.withheld import withheld
from versioning.presentation.clashes import clash_of
from versioning.presentation.conflicts import Names
from versioning.presentation.mends import mend_anchor
from versioning.values import is_bookkeeping, key_from_outside, key_text
from versioning.views.gone import tells_of_gone_branches
from versioning.views.merges import (
    back_to,
    of_the_merge_shown,
    screen_page,
    see_other,
    seen_draft,
    sent_from_a_page,
)

NOTHING_CHOSEN = (
    "Nothing was chosen for this row, and none of its values was typed anew, so it "
    "would be as before. Choose what becomes of it, or change a value, then press "
    "“Mend this row”."
)


@sent_from_a_page
@needs(permissions.MERGE_BRANCH)
@tells_of_gone_branches
@of_the_merge_shown
def mend(
    request: HttpRequest, source: str, target: str, sides: MergeSides
) -> HttpResponse:
    """Keep what was decided about one row; with ``clear``, take it all back."""
    table = request.POST.get("table", "")
    try:
        key = key_from_outside(request.POST.get("key", ""))
    except ValueError as error:
        raise BadRequest("The form does not say which row it is about.") from error
    if is_bookkeeping(table):
        raise Http404("What migrations were applied can’t be mended.")
    if withheld(sides, [table]):
        raise PermissionDenied(permissions.VIEW_HIDDEN)
    row = mending.row_of(sides, table, key)
    if row is None:
        at_hand = drafts.open_draft(source, target)
        row = mending.copy_of(at_hand, sides, table, key)
    if row is None:
        raise Http404("No branch of this merge has this row.")
    where = mend_anchor(table, key_text(key))
    place = request.POST.get("from", "")
    seen, page = choices.shown(request.POST), seen_draft(request).page
    try:
        draft = drafts.begin(source, target, sides, request.user)
        if "leave" in request.POST:  # what somebody else decided meanwhile
            pass
        elif "clear" in request.POST:
            deciding.take_back_mends(draft, row, request.user, shown=seen, page=page)
        elif "again" in request.POST:
            made = mending.same_again(draft, row, request.POST["again"], request.user)
            mending.mend(draft, sides, row, made, request.user, shown=seen, page=page)
        else:
            made = choices.read_mends(row, request.POST)
            if not seen and not any(made.values()):
                return screen_page(
                    request,
                    source,
                    target,
                    place=place,
                    status=422,
                    change=lambda shown: screen.with_unanswered_mend(
                        shown, where, NOTHING_CHOSEN
                    ),
                )
            mending.mend(draft, sides, row, made, request.user, shown=seen, page=page)
    except DecidedMeanwhile as error:
        clash = clash_of(
            error,
            row,
            Names(target, sources.parse(source).label),
            _fields(request),
            drafts.made_about(draft, row),
        )
        return screen_page(
            request,
            source,
            target,
            place=place,
            status=409,
            change=lambda shown: screen.with_clashing_mend(shown, row, clash),
        )
    except choices.ChoicesInvalid as error:
        refused = error
        return screen_page(
            request,
            source,
            target,
            place=place,
            status=422,
            problem=f"One of the values can’t be taken: {refused}",
            change=lambda shown: screen.with_refused_mend(shown, where, refused),
        )
    except ValueError as error:
        raise BadRequest(str(error)) from error
    if wants_part(request):
        return screen_page(request, source, target, place=place)
    return see_other(f"{back_to(request, source, target)}#{where}")


def _fields(request: HttpRequest) -> list[tuple[str, str]]:
    """What a form sends to choose the same again."""
    return [
        (name, str(value))
        for name, value in request.POST.items()
        if name in ("take", "clear") or name.startswith(("value:", "was:"))
    ]


urlpatterns = [path("merge/mend/", mend, name="merge-mend")]

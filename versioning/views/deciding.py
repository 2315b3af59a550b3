"""What is decided about a merge's conflicts: a row, or all that is left."""

from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path

from versioning import permissions
from versioning.access import needs
from versioning.backends.repository import ConflictRow, MergeSides
from versioning.http import wants_part
from versioning.merging import (
    bulk,
    choices,
    deciding,
    drafts,
    gathering,
    preview,
    screen,
    sources,
)
from versioning.merging.again import same_again
from versioning.merging.meanwhile import DecidedMeanwhile, Wanted
from versioning.merging.resolution import Choice, Take
from versioning.merging.withheld import withheld
from versioning.models import MergeDraft
from versioning.presentation.clashes import Clash, clash_of
from versioning.presentation.conflicts import Card, Line, Names, anchor
from versioning.values import key_from_outside, key_text
from versioning.views.gone import tells_of_gone_branches
from versioning.views.merges import (
    PAGE,
    back_to,
    of_the_merge_shown,
    screen_page,
    see_other,
    seen_draft,
    sent_from_a_page,
)


@sent_from_a_page
@needs(permissions.MERGE_BRANCH)
@tells_of_gone_branches
@of_the_merge_shown
def decide(
    request: HttpRequest, source: str, target: str, sides: MergeSides
) -> HttpResponse:
    """Keep what was chosen for one row, or for all that is left to choose."""
    is_one_row = request.POST.get("scope", "row") == "row"
    answer = _decide_row if is_one_row else _decide_rest
    return answer(request, source, target, sides)


def _decide_row(
    request: HttpRequest, source: str, target: str, sides: MergeSides
) -> HttpResponse:
    row = _posted_row(request, target, sides)
    draft = drafts.open_draft(source, target)
    if "leave" in request.POST:  # what somebody else decided meanwhile
        return _answer(request, source, target, sides, draft, row)
    try:
        side = request.POST.get("row")  # pressed, whatever else was chosen
        by_script = bool(side) or wants_part(request)
        if "back" in request.POST:
            made = _taken_back(draft, row, request.POST["back"])
        else:
            made = choices.read(row, request.POST, by_script=by_script)
        if side:
            made |= deciding.as_a_whole(row, Take(side))
        draft = drafts.begin(source, target, sides, request.user)
        if "again" in request.POST:
            made |= _same_again(draft, row, request.POST["again"], request.user)
        seen = choices.shown(request.POST)
        page = seen_draft(request).page
        deciding.decide(draft, row, made, request.user, shown=seen, page=page)
    except DecidedMeanwhile as error:
        clash = clash_of(
            error,
            row,
            Names(target, sources.parse(source).label),
            _fields(request, error.wanted),
            drafts.made_about(draft, row, mends=False) if draft else {},
        )
        return _answer(request, source, target, sides, draft, row, clash=clash)
    except choices.ChoicesInvalid as error:
        return _answer(request, source, target, sides, draft, row, refused=error)
    except ValueError as error:
        raise BadRequest(str(error)) from error
    return _answer(request, source, target, sides, draft, row)


def _decide_rest(
    request: HttpRequest, source: str, target: str, sides: MergeSides
) -> HttpResponse:
    """Settle all cells of a table, or of the merge, that are still open."""
    table = request.POST.get("table", "")
    try:
        take = Take(request.POST.get("take", ""))
        draft = drafts.begin(source, target, sides, request.user)
        page = seen_draft(request).page
        made = bulk.decide_rest(
            draft, sides, take, request.user, table=table, page=page
        )
    except ValueError as error:
        raise BadRequest(str(error)) from error
    side = target if take is Take.OURS else sources.parse(source).label
    messages.success(
        request,
        f"{made} {'cell takes' if made == 1 else 'cells take'} the value of {side}.",
    )
    return see_other(back_to(request, source, target))


def _taken_back(
    draft: MergeDraft | None, row: ConflictRow, column: str
) -> dict[str, Choice | None]:
    """The decision about one cell; where both rows are kept, about all of them."""
    made = drafts.made_about(draft, row, mends=False) if draft else {}
    both = [name for name, decision in made.items() if decision.take == Take.BOTH]
    return dict.fromkeys(both if column in both else [column])


def _same_again(
    draft: MergeDraft, row: ConflictRow, column: str, user: Any
) -> dict[str, Choice | None]:
    """
    What comes to an outdated decision now; nothing if the same person has
    decided again since. Raises ``DecidedMeanwhile`` if somebody else has,
    ``ValueError`` if there is nothing to choose again.
    """
    (judged,) = drafts.judge(draft, [row])
    if (made := judged.decisions.get(column)) is not None:
        if made.decided_by_id == user.pk:
            return {}
        raise DecidedMeanwhile({column: made}, {})
    earlier = judged.outdated.get(column)
    found = same_again(judged.resolution, earlier) if earlier else None
    if found is None:
        raise ValueError("There is no such choice to make again.")
    if found.take is Take.BOTH:  # which a row has, and not one of its cells
        return dict(deciding.as_a_whole(row, Take.BOTH))
    return {column: found}


# Pieces -----------------------------------------------------------------------


def _posted_row(request: HttpRequest, target: str, sides: MergeSides) -> ConflictRow:
    try:
        key = key_from_outside(request.POST.get("key", ""))
    except ValueError as error:
        raise BadRequest("The form does not say which row it is about.") from error
    found = preview.preview(target, sides)
    table = request.POST.get("table", "")
    tables = {conflicts.table for conflicts in found.conflicts}
    if table not in tables - withheld(sides, tables):
        raise Http404(f"No row of “{table}” is in conflict.")
    rows = preview.conflicts_of(target, sides, table, [key])
    if not rows:
        raise Http404("This row is in no conflict.")
    return rows[0]


def _answer(
    request: HttpRequest,
    source: str,
    target: str,
    sides: MergeSides,
    draft: MergeDraft | None,
    row: ConflictRow,
    *,
    refused: choices.ChoicesInvalid | None = None,
    clash: Clash | None = None,
) -> HttpResponse:
    """One row's card and the bar, or the whole page where that is not enough."""
    place = request.POST.get("from", "")
    status = 422 if refused else 409 if clash else 200
    if status == 200 and not wants_part(request):
        where = anchor(row.table, key_text(row.key))
        return see_other(f"{back_to(request, source, target)}#{where}")
    card, shown = gathering.open_answer(source, target, sides, draft, row)
    if refused:
        card = _with_typed(card, refused)
    if clash:
        card = replace(card, clash=clash)
    seen = seen_draft(request)
    shown = replace(shown, page=seen.page)
    if draft and drafts.changed_since(draft, seen.revision, request.user, seen.page):
        # The other cards of the page are older than that: it is not seen yet.
        shown = replace(shown, revision=seen.revision)
    # What is to be mended stands beside the cards: all of it anew.
    has_mends = shown.trial.rows or request.POST.get("faults", "0") != "0"
    if has_mends or not wants_part(request):
        return screen_page(
            request,
            source,
            target,
            place=place,
            status=status,
            change=lambda shown: screen.with_card(shown, card),
        )
    return render(
        request,
        f"{PAGE}#answer",
        {
            "card": card,
            "screen": shown,
            "may_merge": True,
            "place": place,
        },
        status=status,
    )


def _fields(request: HttpRequest, wanted: Wanted) -> list[tuple[str, str]]:
    """What a form sends to choose the same again."""
    fields = []
    for column, choice in wanted.items():
        fields.append((f"take:{column}", choice.take if choice else ""))
        if choice and choice.take is Take.VALUE:
            fields.append((f"value:{column}", request.POST[f"value:{column}"]))
    return fields


def _with_typed(card: Card, refused: choices.ChoicesInvalid) -> Card:
    """The card with what was typed still in its fields."""

    def keep(line: Line) -> Line:
        if line.column not in {*refused.typed, *refused.errors}:
            return line
        return replace(
            line,
            typed=refused.typed.get(line.column),
            error=refused.errors.get(line.column, ""),
        )

    return replace(card, lines=tuple(keep(line) for line in card.lines))


urlpatterns = [path("merge/decide/", decide, name="merge-decide")]

"""Landing a merge: all of it, or a page that says why not."""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse

from versioning import permissions
from versioning.access import needs
from versioning.backends.errors import (
    BranchMoved,
    ConflictsRemain,
    MergeBlocked,
    MergeRefused,
    UncommittedRows,
)
from versioning.backends.repository import MergeSides
from versioning.conf import repository
from versioning.merging import (
    drafts,
    endings,
    gathering,
    moved,
    records,
    refusals,
    sources,
    trial,
)
from versioning.merging.candidate import (
    NothingToMerge,
    RowsInvalid,
    ViolationsRemain,
)
from versioning.merging.landing import alone_on, land
from versioning.merging.locking import DraftClosed
from versioning.merging.standing import is_on
from versioning.models import MergeDraft
from versioning.values import table_name
from versioning.views.gone import tells_of_gone_branches
from versioning.views.merges import (
    closed_page,
    moved_page,
    pinned,
    require_seen_draft,
    screen_page,
    see_other,
    sent_from_a_page,
    url_of,
)

TRIES = 3  # where the target moves while its merge is built

OTHERS_SINCE = "Somebody else decided something since you looked."
OWN_SINCE = "You decided something in another tab since this page was made."


@sent_from_a_page
@needs(permissions.MERGE_BRANCH)
@tells_of_gone_branches
def land_merge(request: HttpRequest) -> HttpResponse:
    """Merge what the page showed, or say why not and change nothing."""
    source, target, pins = pinned(request)
    if not permissions.may_merge_into(request.user, target):
        raise PermissionDenied(permissions.MERGE_BRANCH)
    for number in range(TRIES):
        # Who votes meanwhile waits the last time: else it might never land.
        alone = number == TRIES - 1
        with alone_on(target) if alone else nullcontext():
            sides = gathering.current_sides(repository(), source, target)
            if sides is None or not (
                sides == pins or moved.is_apart(repository(), pins, sides)
            ):
                break
            try:
                return _land(request, source, target, pins, sides, alone=alone)
            except (BranchMoved, endings.DraftChanged):
                continue
    done = _landed_already(request, source, target, pins)
    return done or moved_page(request, source, target, pins)


def _land(
    request: HttpRequest,
    source: str,
    target: str,
    pins: MergeSides,
    sides: MergeSides,
    *,
    alone: bool,
) -> HttpResponse:
    """
    ``sides`` are those of the page, or where the target moved on apart from
    what is merged, as they are now. Raises ``BranchMoved`` if it moves again, and
    ``DraftChanged`` if a choice of the same person's came while it was built, as
    of a field that was left by pressing the button.
    """
    draft = drafts.open_draft(source, target)
    try:
        # Also where nothing is to be decided: the record of who merged what.
        seen = require_seen_draft(request)
        known = seen.revision, request.user, seen.page
        if draft is None or sides != pins:
            if draft is None and (
                done := _landed_already(request, source, target, pins)
            ):
                return done
            draft = drafts.begin(source, target, sides, request.user)
            if sides != pins and drafts.have_to_be_looked_at(draft):
                return moved_page(request, source, target, pins)
        if drafts.changed_since(draft, *known):
            raise endings.DraftChanged
        commit = land(source, target, sides, draft, request.user, alone=alone)
    except UncommittedRows as error:
        tables = tuple(table_name(table) for table in error.tables)
        return screen_page(
            request,
            source,
            target,
            status=409,
            change=lambda shown: replace(shown, uncommitted=tables),
        )
    except DraftClosed as error:
        return closed_page(request, source, target, error)
    except endings.DraftChanged:
        if draft is None or not drafts.changed_since(draft, *known):
            raise
        since = records.since(draft, *known)
        return screen_page(
            request,
            source,
            target,
            status=409,
            problem=f"{OWN_SINCE if since.is_own else OTHERS_SINCE} Look at it "
            "below, then press the button again.",
            since=since,
        )
    except ConflictsRemain:
        return screen_page(
            request,
            source,
            target,
            status=422,
            problem="Decisions are still missing. Nothing was merged.",
        )
    except NothingToMerge:
        messages.info(request, f"Nothing was left to do: {target} has it all already.")
        return see_other(url_of(source, target))
    except ViolationsRemain as error:
        rules = refusals.broken_rules(repository(), sides, error.violations)
        return _refuse(request, source, target, str(error), rules)
    except RowsInvalid as error:
        trial.ask_again(sides, draft)
        rules = refusals.invalid_rules(error.rows)
        return _refuse(request, source, target, str(error), rules)
    except MergeRefused as error:
        return _refuse(request, source, target, str(error))
    except MergeBlocked:  # in the engine's words, which the page has further down
        problem = "Their tables differ in a way that no choice between rows can settle."
        return _refuse(request, source, target, problem)
    done_so = sources.done(sources.parse(source), target)
    messages.success(request, done_so + _meanwhile(target, pins, sides))
    return see_other(reverse("versioning:commit", args=[commit]))


def _meanwhile(target: str, pins: MergeSides, sides: MergeSides) -> str:
    """What is to be told of a target that moved on apart from what was merged."""
    if sides == pins:
        return ""
    count = repository().count_between(pins.ours, sides.ours)
    came = "1 commit" if count == 1 else f"{count} commits"
    return f" {target} had taken in {came}, which changed none of its rows but counts."


def _refuse(
    request: HttpRequest,
    source: str,
    target: str,
    problem: str,
    rules: Sequence[refusals.BrokenRule] = (),
) -> HttpResponse:
    """422: the merge was built and did not pass; the target is untouched."""
    return screen_page(
        request, source, target, status=422, problem=problem, broken_rules=rules
    )


def _landed_already(
    request: HttpRequest, source: str, target: str, pins: MergeSides
) -> HttpResponseRedirect | None:
    """A second press of Merge: lead to what the first made, and say whose it was."""
    landed = MergeDraft.objects.filter(
        source=source,
        target=target,
        theirs=pins.theirs,
        state=MergeDraft.State.LANDED,
    )
    done = landed.order_by("-landed_at").first()
    if done is None or not _holds(done.ours, pins.ours):
        return None
    if not is_on(done.commit, target):  # the branch was made anew since
        return None
    if done.landed_by_id != request.user.pk:
        who = done.landed_by_name or "Somebody"
        messages.info(request, f"{who} did this already, by this commit.")
    return see_other(reverse("versioning:commit", args=[done.commit]))


def _holds(later: str, earlier: str) -> bool:
    """Whether a target that was merged into had come from what a page showed."""
    if later == earlier:
        return True
    return repository().merge_base(later, earlier) == earlier


urlpatterns = [path("merge/land/", land_merge, name="merge-land")]

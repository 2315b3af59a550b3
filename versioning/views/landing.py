"""Landing a merge: all of it, or a page that says why not."""

from collections.abc import Sequence

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.views.decorators.http import require_POST

from versioning import permissions
from versioning.access import needs
from versioning.backends.errors import (
    BranchMoved,
    ConflictsRemain,
    MergeBlocked,
    UncommittedRows,
)
from versioning.backends.repository import MergeSides
from versioning.conf import repository
from versioning.merging import drafts, endings, gathering, refusals, sources
from versioning.merging.candidate import (
    NothingToMerge,
    RowsInvalid,
    ViolationsRemain,
)
from versioning.merging.landing import land
from versioning.merging.locking import DraftClosed
from versioning.models import MergeDraft
from versioning.views.gone import tells_of_gone_branches
from versioning.views.merges import (
    closed_page,
    moved_page,
    pinned,
    require_seen_draft,
    screen_page,
    see_other,
    url_of,
)


@require_POST
@needs(permissions.MERGE_BRANCH)
@tells_of_gone_branches
def land_merge(request: HttpRequest) -> HttpResponse:
    """Merge what the page showed, or say why not and change nothing."""
    source, target, pins = pinned(request)
    if not permissions.may_merge_into(request.user, target):
        raise PermissionDenied(permissions.MERGE_BRANCH)
    sides = gathering.current_sides(repository(), source, target)
    draft = drafts.open_draft(source, target)
    if sides != pins:
        done = None if draft else _landed_already(source, target, pins)
        return done or moved_page(request, source, target, pins)
    try:
        # Also where nothing is to be decided: the record of who merged what.
        seen = require_seen_draft(request)
        draft = draft or drafts.begin(source, target, sides, request.user)
        if drafts.changed_since(draft, seen.revision, request.user):
            raise endings.DraftChanged
        commit = land(source, target, sides, draft, request.user)
    except (BranchMoved, UncommittedRows):
        return moved_page(request, source, target, pins)
    except DraftClosed as error:
        return closed_page(request, source, target, error)
    except endings.DraftChanged:
        return screen_page(
            request,
            source,
            target,
            status=409,
            problem="Somebody else decided something since you looked. Look at it "
            "below, then press the button again.",
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
        rules = refusals.broken_rules(repository(), pins, error.violations)
        return _refuse(request, source, target, str(error), rules)
    except RowsInvalid as error:
        rules = refusals.invalid_rules(error.rows)
        return _refuse(request, source, target, str(error), rules)
    except MergeBlocked as error:
        return _refuse(request, source, target, str(error))
    messages.success(request, sources.done(sources.parse(source), target))
    return see_other(reverse("versioning:commit", args=[commit]))


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
    source: str, target: str, pins: MergeSides
) -> HttpResponseRedirect | None:
    """A second press of Merge: lead to what the first one made."""
    done = MergeDraft.objects.filter(
        source=source,
        target=target,
        ours=pins.ours,
        theirs=pins.theirs,
        state=MergeDraft.State.LANDED,
    ).first()
    if done is None:
        return None
    return see_other(reverse("versioning:commit", args=[done.commit]))


urlpatterns = [path("merge/land/", land_merge, name="merge-land")]

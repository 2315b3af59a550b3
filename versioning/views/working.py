"""What nobody committed on a branch: look at it, commit it, discard it."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST, require_safe

from versioning import permissions, working
from versioning.access import needs
from versioning.backends.errors import (
    BadCursor,
    BranchNotFound,
    ConflictsRemain,
    UnknownTable,
)
from versioning.forms import CommitRowsForm, DiscardRowsForm
from versioning.http import page_or_part
from versioning.names import is_hash
from versioning.views.branches import see_other
from versioning.working import WorkingPin, WorkingStateMoved


@require_safe
@needs(permissions.VIEW_HISTORY)
def working_page(request: HttpRequest) -> HttpResponse:
    """The rows that nobody committed on ``?name=``, as a diff from its head."""
    return _page(request, request.GET.get("name", ""))


@require_safe
@needs(permissions.VIEW_HISTORY)
def working_rows(request: HttpRequest) -> HttpResponse:
    """More rows of one table."""
    name, table = request.GET.get("name", ""), request.GET.get("table", "")
    try:
        page = working.working_rows(name, table, request.GET.get("after", ""))
    except BadCursor as error:
        raise BadRequest(str(error)) from error
    except BranchNotFound as error:
        raise Http404(str(error)) from error
    except UnknownTable as error:
        raise Http404(f"Nothing of “{table}” is uncommitted on “{name}”.") from error
    return page_or_part(
        request,
        "versioning/working_rows.html",
        "rows",
        {"page": page, "branch": name, "rows_url": _rows_url(name)},
    )


@require_POST
@needs(permissions.MERGE_BRANCH)
def working_commit(request: Any) -> HttpResponse:
    name, pin = request.POST.get("name", ""), _pin(request)
    form = CommitRowsForm(request.POST)
    if not form.is_valid():
        return _page(request, name, commit_form=form, status=422)
    try:
        made = working.commit(name, pin, form.cleaned_data["message"], request.user)
    except WorkingStateMoved:
        return _page(request, name, commit_form=form, moved=True, status=409)
    except ConflictsRemain as error:
        return _page(request, name, commit_form=form, problem=str(error), status=409)
    except BranchNotFound as error:
        raise Http404(str(error)) from error
    messages.success(request, f"What was uncommitted on “{name}” is a commit now.")
    return see_other(reverse("versioning:commit", args=[made]))


@require_POST
@needs(permissions.MERGE_BRANCH)
def working_discard(request: HttpRequest) -> HttpResponse:
    name, pin = request.POST.get("name", ""), _pin(request)
    form = DiscardRowsForm(request.POST, branch=name)
    if not form.is_valid():
        return _page(request, name, discard_form=form, status=422)
    try:
        working.discard(name, pin)
    except WorkingStateMoved:
        return _page(request, name, moved=True, status=409)
    except BranchNotFound as error:
        raise Http404(str(error)) from error
    messages.success(
        request, f"What was uncommitted on “{name}” is gone. It is as its last commit."
    )
    return see_other(_address("versioning:branch-working", name))


def _pin(request: HttpRequest) -> WorkingPin:
    head, state = request.POST.get("head", ""), request.POST.get("state", "")
    if not is_hash(head) or not is_hash(state):
        raise BadRequest("The form does not say which rows it was made for.")
    return WorkingPin(head, state)


def _address(view: str, name: str) -> str:
    return f"{reverse(view)}?{urlencode({'name': name})}"


def _rows_url(name: str) -> str:
    return _address("versioning:branch-working-rows", name)


def _page(
    request: HttpRequest,
    name: str,
    *,
    commit_form: CommitRowsForm | None = None,
    discard_form: DiscardRowsForm | None = None,
    moved: bool = False,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    try:
        found = working.working(name)
    except BranchNotFound as error:
        raise Http404(str(error)) from error
    return render(
        request,
        "versioning/working.html",
        {
            "working": found,
            "rows_url": _rows_url(name),
            "may_act": permissions.may_merge_into(request.user, name),
            "commit_form": commit_form or CommitRowsForm(),
            "discard_form": discard_form or DiscardRowsForm(branch=name),
            "moved": moved,
            "problem": problem,
        },
        status=status,
    )


urlpatterns = [
    path("branches/working/", working_page, name="branch-working"),
    path("branches/working/rows/", working_rows, name="branch-working-rows"),
    path("branches/working/commit/", working_commit, name="branch-working-commit"),
    path("branches/working/discard/", working_discard, name="branch-working-discard"),
]

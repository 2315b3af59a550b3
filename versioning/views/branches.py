"""Branches: the list, and what is done with one or several of them."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import get_script_prefix, reverse
from django.utils.http import urlencode
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)
from django_tables2 import RequestConfig

from versioning import branches, live, permissions, schema_state
from versioning.access import needs
from versioning.backends.errors import (
    BranchError,
    BranchMoved,
    BranchNotFound,
    UnknownRef,
)
from versioning.branches import BranchChoice, Pin
from versioning.conf import repository
from versioning.forms import BranchCreateForm, BranchDeleteForm, BranchRenameForm
from versioning.http import page_or_part, safe_next, whole_number
from versioning.merging.undone import merged
from versioning.models import DeletedBranch
from versioning.names import is_hash
from versioning.refs import Refs
from versioning.tables import BranchTable

PAGE = 50  # branches
DELETED_AT_ONCE = 100
DELETED_SHOWN = 20


def see_other(url: str) -> HttpResponseRedirect:
    """303: look there with a GET."""
    response = HttpResponseRedirect(url)
    response.status_code = 303
    return response


# The list ---------------------------------------------------------------------


@require_safe
@needs(permissions.VIEW_HISTORY)
def branch_list(request: Any) -> HttpResponse:
    wanted = request.GET.get("q", "").strip()
    here = request.versioning
    lines = branches.listing(repository(), active=here.branch, among=here.all_branches)
    found = [line for line in lines if wanted.lower() in line.name.lower()]
    may_delete = request.user.has_perm(permissions.DELETE_BRANCH)
    table = BranchTable(found, may_delete=may_delete, request=request)
    RequestConfig(request, paginate=False).configure(table)
    rows, more = _page_of(table, request.GET.get("after", ""))
    in_default = {
        row.record.name: row.record.head for row in rows if not row.record.ahead
    }
    migrations = schema_state.differences(row.record.head for row in rows)
    return page_or_part(
        request,
        "versioning/branches.html",
        "list",
        {
            "table": table,
            "rows": [(row, migrations[row.record.head]) for row in rows],
            "may_migrate": {
                row.record.name
                for row in rows
                if permissions.may_merge_into(request.user, row.record.name)
            },
            "merged": merged(in_default, here.default_branch),
            "more": more,
            "found": len(found),
            "total": len(lines),
            "fingerprint": live.fingerprint(line.branch for line in lines),
            "q": wanted,
            "undo": _undo(request) if may_delete else [],
            "deleted": _deleted_lately(lines),
        },
    )


def _page_of(table: BranchTable, after: str) -> tuple[Any, str]:
    """The rows after the branch named ``after``, and the name to go on after."""
    start = 0
    if after:
        order = [row.record.name for row in table.rows]
        if after not in order:
            raise BadRequest(
                f"The list can’t go on after “{after}”: it isn’t there any more."
            )
        start = order.index(after) + 1
    rows = list(table.rows[start : start + PAGE])
    is_last = start + PAGE >= len(table.rows)
    return rows, "" if is_last else rows[-1].record.name


def _deleted_lately(lines: Iterable[branches.BranchChoice]) -> list[DeletedBranch]:
    """Without those that a crash kept from going, which are there as they were."""
    there = {(line.branch.name, line.branch.head) for line in lines}
    latest = DeletedBranch.objects.all()[:DELETED_SHOWN]
    return [record for record in latest if (record.name, record.head) not in there]


def _undo(request: HttpRequest) -> list[DeletedBranch]:
    """Deletions that the address names, to be undone from this page."""
    given = request.GET.getlist("deleted")[:DELETED_AT_ONCE]
    chosen = [whole_number(number) for number in given]
    return list(DeletedBranch.objects.filter(pk__in=chosen))


# Making, switching, renaming --------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@needs(permissions.CREATE_BRANCH)
def branch_create(request: Any) -> HttpResponse:
    at_hand = repository()
    refusal = partial(_refusal, request, "")
    if request.method != "POST":
        at = request.GET.get("at") or request.versioning.branch
        form = BranchCreateForm(
            refusal=refusal, initial={"at": at, "name": request.GET.get("name", "")}
        )
        return _branch_form(request, form)
    form = BranchCreateForm(request.POST, refusal=refusal)
    if form.is_valid():
        name = form.cleaned_data["name"]
        try:
            branches.create(at_hand, name, at=form.cleaned_data["at"])
        except (UnknownRef, BranchNotFound) as error:
            form.add_error("at", str(error))
        except BranchError as error:
            form.add_error("name", str(error))
        else:
            listing = reverse("versioning:branches")
            if not form.cleaned_data["switch"]:
                messages.success(request, f"There is a new branch “{name}” now.")
                return see_other(listing)
            request.versioning.switch(name)
            messages.success(request, f"You are on the new branch “{name}” now.")
            return see_other(safe_next(request, listing))
    return _branch_form(request, form, status=422)


def _refusal(request: Any, old: str, name: str) -> str | None:
    """Why this person gives no such name to a new branch, or to the ``old`` one."""
    refs = Refs.of(repository(), request.versioning.all_branches)
    return branches.refusal(refs, name, old=old) or branches.reservation(
        request.user, name
    )


def _branch_form(
    request: Any, form: BranchCreateForm, *, status: int = 200
) -> HttpResponse:
    return render(
        request,
        "versioning/branch_form.html",
        {"form": form, "refs": _offered(request), "next": safe_next(request, "")},
        status=status,
    )


def _offered(request: Any) -> Sequence[str]:
    """Names of branches and tags for a picker."""
    found = [line.name for line in request.versioning.branches]
    return [*found, *(tag.name for tag in repository().tags())]


@require_POST
def branch_switch(request: Any) -> HttpResponse:
    """For visitors too, among the branches that they may see."""
    name = request.POST.get("name", "")
    if name not in {line.name for line in request.versioning.branches}:
        raise Http404(f"There is no branch “{name}” to switch to.")
    request.versioning.switch(name)
    messages.success(request, f"You are on “{name}” now.")
    return see_other(safe_next(request, get_script_prefix()))


@require_http_methods(["GET", "HEAD", "POST"])
@needs(permissions.CREATE_BRANCH)
def branch_rename(request: Any) -> HttpResponse:
    at_hand, active = repository(), request.versioning.branch
    given = request.GET if request.method != "POST" else request.POST
    line = _line(request, given.get("name", ""))
    refusal = partial(_refusal, request, line.name)
    if request.method != "POST":
        form = BranchRenameForm(
            refusal=refusal, initial={"name": line.name, "to": line.name}
        )
        return _rename_form(request, form, line)
    form = BranchRenameForm(request.POST, refusal=refusal)
    if form.is_valid():
        new = form.cleaned_data["to"]
        try:
            branches.rename(at_hand, line.name, new, active=active)
        except BranchError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"“{line.name}” is called “{new}” now.")
            return see_other(reverse("versioning:branches"))
    return _rename_form(request, form, line, status=422)


def _line(request: Any, name: str) -> BranchChoice:
    here = request.versioning
    try:
        return branches.find(
            repository(), name, active=here.branch, among=here.all_branches
        )
    except BranchNotFound as error:
        raise Http404(str(error)) from error


def _rename_form(
    request: Any, form: BranchRenameForm, line: BranchChoice, *, status: int = 200
) -> HttpResponse:
    return render(
        request,
        "versioning/branch_form.html",
        {"form": form, "line": line},
        status=status,
    )


# Deleting and bringing back ---------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@needs(permissions.DELETE_BRANCH)
def branch_delete(request: Any) -> HttpResponse:
    """GET: what would be lost. POST: delete what was seen, and nothing else."""
    names = _chosen(request)
    if not names:
        messages.warning(request, "Select the branches to delete first.")
        return see_other(reverse("versioning:branches"))
    lines = [_line(request, name) for name in names]
    if request.method != "POST":
        return _delete_page(request, lines)
    pins = _pins(request, names)
    form = BranchDeleteForm(request.POST, losses=branches.losses(repository(), names))
    at_hand, active = repository(), request.versioning.branch
    try:
        branches.check_deletable(at_hand, pins, active=active)
        if not form.is_valid():
            return _delete_page(request, lines, form, status=422)
        gone = branches.delete(at_hand, pins, active=active, by=request.user)
    except BranchMoved as error:
        return _delete_page(request, lines, moved=error.branch, status=409)
    except BranchNotFound as error:
        raise Http404(str(error)) from error
    except BranchError as error:
        return _delete_page(request, lines, problem=str(error), status=409)
    undo = urlencode([("deleted", record.pk) for record in gone])
    return see_other(f"{reverse('versioning:branches')}?{undo}")


def _chosen(request: HttpRequest) -> list[str]:
    """Branch names of the address or the form, each once."""
    given = request.GET if request.method != "POST" else request.POST
    names = list(dict.fromkeys(name for name in given.getlist("name") if name))
    if len(names) > DELETED_AT_ONCE:
        raise BadRequest(f"Delete {DELETED_AT_ONCE} branches at a time at most.")
    return names


def _pins(request: HttpRequest, names: Sequence[str]) -> list[Pin]:
    heads = request.POST.getlist("head")
    if len(heads) != len(names) or not all(is_hash(head) for head in heads):
        raise BadRequest("The form does not say which commits it was made for.")
    return [Pin(name, head) for name, head in zip(names, heads, strict=True)]


def _delete_page(
    request: Any,
    lines: Sequence[BranchChoice],
    form: BranchDeleteForm | None = None,
    *,
    moved: str = "",
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    losses = branches.losses(repository(), [line.name for line in lines])
    form = form or BranchDeleteForm(losses=losses)
    return render(
        request,
        "versioning/branch_delete.html",
        {
            "entries": [
                (line, loss, form.field_for(number))
                for number, (line, loss) in enumerate(zip(lines, losses, strict=True))
            ],
            "form": form,
            "stays": any(line.why_not_delete for line in lines),
            "moved": moved,
            "problem": problem,
        },
        status=status,
    )


@require_POST
@needs(permissions.DELETE_BRANCH)
def branch_restore(request: HttpRequest) -> HttpResponse:
    """Bring back branches that were deleted, each at the head it had."""
    number = whole_number(
        request.POST.get("deleted", ""),
        "The form does not say which branch to bring back.",
    )
    record = get_object_or_404(DeletedBranch, pk=number)
    try:
        branches.restore(repository(), record, by=request.user)
    except UnknownRef:
        messages.error(
            request,
            f"“{record.name}” can’t be brought back: the database has cleared its "
            "commits away since.",
        )
    except BranchError as error:
        messages.error(request, f"“{record.name}” can’t be brought back. {error}")
    else:
        messages.success(
            request, f"“{record.name}” is back, with all that was committed on it."
        )
    return see_other(safe_next(request, reverse("versioning:branches")))

"""Tags: the list, making and deleting them."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from versioning import permissions, tags
from versioning.access import needs
from versioning.backends.errors import (
    BranchNotFound,
    TagError,
    TagMoved,
    TagNotFound,
    UnknownRef,
)
from versioning.conf import repository
from versioning.forms import TagForm
from versioning.names import is_hash
from versioning.refs import Refs
from versioning.unit_of_work import author_of
from versioning.views.branches import see_other

PAGE = 50  # tags


@require_safe
@needs(permissions.VIEW_HISTORY)
def tag_list(request: HttpRequest) -> HttpResponse:
    """All tags by name; ``?after=NAME`` goes on."""
    found = repository().tags()
    after = request.GET.get("after", "")
    rest = [tag for tag in found if tag.name > after]
    shown = rest[:PAGE]
    return render(
        request,
        "versioning/tags.html",
        {
            "tags": shown,
            "total": len(found),
            "more": shown[-1].name if len(rest) > PAGE else "",
            "is_first": not after,
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
@needs(permissions.CREATE_BRANCH)
def tag_create(request: Any) -> HttpResponse:
    if request.method != "POST":
        at = request.GET.get("at") or request.versioning.branch
        return _tag_form(request, TagForm(initial={"at": at}))
    form = TagForm(request.POST)
    if form.is_valid():
        given = form.cleaned_data
        try:
            found = tags.create(
                repository(),
                given["name"],
                at=given["at"],
                message=given["message"].replace("\r\n", "\n"),
                author=author_of(request.user),
            )
        except TagError as error:
            form.add_error("name", str(error))
        except (UnknownRef, BranchNotFound) as error:
            form.add_error("at", str(error))
        except ValueError as error:
            form.add_error("message", str(error))
        else:
            messages.success(request, f"The tag “{given['name']}” is made.")
            return see_other(reverse("versioning:commit", args=[found]))
    return _tag_form(request, form, status=422)


def _tag_form(request: Any, form: TagForm, *, status: int = 200) -> HttpResponse:
    return render(
        request,
        "versioning/tag_form.html",
        {"form": form, "refs": Refs.of(repository(), request.versioning.all_branches)},
        status=status,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@needs(permissions.DELETE_BRANCH)
def tag_delete(request: HttpRequest) -> HttpResponse:
    """GET: which commit loses the name. POST: delete the tag that was seen."""
    given = request.GET if request.method != "POST" else request.POST
    name = given.get("name", "")
    try:
        tag = repository().tag(name)
        if request.method != "POST":
            return render(request, "versioning/tag_delete.html", {"tag": tag})
        seen = request.POST.get("hash", "")
        if not is_hash(seen):
            raise BadRequest("The form does not say which commit it was made for.")
        repository().delete_tag(name, expected=seen)
    except TagNotFound as error:
        raise Http404(str(error)) from error
    except TagMoved as error:
        return render(
            request,
            "versioning/tag_delete.html",
            {"tag": tag, "problem": str(error)},
            status=409,
        )
    messages.success(request, f"The tag “{name}” is deleted; its commit stays.")
    return see_other(reverse("versioning:tags"))

"""What was sent and could not be taken, to be sent again."""

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from versioning import pages, permissions, unsent
from versioning.access import ask_to_sign_in
from versioning.presentation.choices import chosen_texts


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    if not request.user.is_authenticated:
        return ask_to_sign_in(request)
    if branch := unsent.gone(request):
        return _of_a_branch_that_was_gone(request, branch)
    form = unsent.kept(request)
    if form is None:
        return pages.page(
            request,
            200,
            "Nothing waits to be sent",
            "All that you sent has come to this site.",
            saved="",
        )
    return pages.page(
        request,
        200,
        "You are signed in again",
        "You had been signed out when you sent this form, so it was kept for you.",
        resend=_of_a_merge(form),
        actions=[pages.Action("The page it was on", where)]
        if (where := unsent.page_of(request))
        else [],
    )


def _of_a_branch_that_was_gone(request: Any, gone: str) -> HttpResponse:
    """The form, to be sent to the branch that somebody is on now."""
    active = request.versioning.branch
    takes_it = permissions.may_edit_branch(request.user, active)
    how = (
        "Send it to the branch that you are on now."
        if takes_it
        else f"“{active}” takes no edits of yours. Switch to a branch that does, or "
        "make one, and come back here."
    )
    may_create = request.user.has_perm(permissions.CREATE_BRANCH)
    new = f"{reverse('versioning:branch-create')}?{urlencode({'next': request.path})}"
    return pages.page(
        request,
        200,
        "A form of yours waits here",
        f"The branch “{gone}” was gone when you sent it. {how}",
        resend=unsent.kept_for_another_branch(request, active if takes_it else ""),
        actions=[pages.Action("New branch", new)] if may_create else [],
    )


def _of_a_merge(form: pages.Resend) -> pages.Resend:
    """The form; of a merge's, only what was chosen and typed is told, in words."""
    addresses = {reverse(f"versioning:merge-{name}") for name in ("decide", "mend")}
    if urlsplit(form.url).path not in addresses:
        return form
    return replace(form, said=chosen_texts(dict(form.fields)))

"""Branches whose tables are behind the application's."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.views.decorators.http import require_POST

from versioning import pages, permissions, visibility
from versioning.access import needs
from versioning.http import safe_next
from versioning.migrating import CannotMigrate, bring_up_to_date
from versioning.unit_of_work import author_of
from versioning.views.merges import see_other


@require_POST
@needs(permissions.MERGE_BRANCH)
def migrate_branch(request: HttpRequest) -> HttpResponse:
    """Run the migrations that a branch lacks, as a commit of whoever asked."""
    branch = request.POST.get("name", "")
    if not permissions.may_merge_into(request.user, branch):
        raise PermissionDenied(permissions.MERGE_BRANCH)
    back = safe_next(request, reverse("versioning:branches"))
    try:
        done = bring_up_to_date(branch, author_of(request.user))
    except CannotMigrate as error:
        return pages.page(
            request,
            409,
            f"“{branch}” could not be brought up to date",
            _reason(error),
            saved="Nothing was lost.",
            actions=[
                pages.Action("Back", back),
                pages.Action("Branches", reverse("versioning:branches")),
            ],
        )
    messages.success(
        request,
        f"{branch} is up to date now: {', '.join(done.applied)}."
        if done.applied
        else f"{branch} was up to date already.",
    )
    return see_other(back)


def _reason(error: CannotMigrate) -> str:
    if error.said and visibility.hides_something():
        return f"{error.text} Why is in the server’s log: it may quote hidden values."
    return str(error)


urlpatterns = [path("branches/migrate/", migrate_branch, name="branch-migrate")]

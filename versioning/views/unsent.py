"""What was sent after its sender had been signed out, to be sent again."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from versioning import pages, unsent
from versioning.access import ask_to_sign_in


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    if not request.user.is_authenticated:
        return ask_to_sign_in(request)
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
        resend=form,
    )

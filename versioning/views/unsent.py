"""What was sent after its sender had been signed out, to be sent again."""

from dataclasses import replace
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from versioning import pages, unsent
from versioning.access import ask_to_sign_in
from versioning.presentation.choices import chosen_texts


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
        resend=_of_a_merge(form),
        actions=[pages.Action("The page it was on", where)]
        if (where := unsent.page_of(request))
        else [],
    )


def _of_a_merge(form: pages.Resend) -> pages.Resend:
    """The form; of a merge's, only what was chosen and typed is told, in words."""
    addresses = {reverse(f"versioning:merge-{name}") for name in ("decide", "mend")}
    if urlsplit(form.url).path not in addresses:
        return form
    return replace(form, said=chosen_texts(dict(form.fields)))

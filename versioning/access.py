"""Who may open a view."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import resolve_url
from django_htmx.http import HttpResponseClientRedirect

from versioning import unsent
from versioning.http import came_from, wants_part

View = Callable[..., HttpResponseBase]


def ask_to_sign_in(request: HttpRequest) -> HttpResponse:
    """
    The way to the sign-in page and back. Back from a form that was sent is what
    was sent, if it is kept, or the page that it was on: its own address takes no
    GET.
    """
    to = redirect_to_login(_way_back(request))
    # HTMX would put the sign-in page where the part was to be.
    return HttpResponseClientRedirect(to.url) if wants_part(request) else to


def _way_back(request: HttpRequest) -> str:
    if request.method in ("GET", "HEAD") and not wants_part(request):
        return request.get_full_path()
    if kept := unsent.keep(request):
        return kept
    return came_from(request) or resolve_url(settings.LOGIN_REDIRECT_URL)


def needs(*permissions: str) -> Callable[[View], View]:
    """
    Open a view to people with a permission only; of several, any will do.

    Who is not signed in is asked to; who is, and lacks it, gets a 403 page
    that names what they may not do.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(
            request: HttpRequest, *args: Any, **kwargs: Any
        ) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return ask_to_sign_in(request)
            if not any(request.user.has_perm(name) for name in permissions):
                raise PermissionDenied(permissions[0])
            return view(request, *args, **kwargs)

        return guarded

    return decorate

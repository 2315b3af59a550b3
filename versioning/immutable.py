"""Pages of what never changes: answered 304 where the reader has them already."""

import hashlib
import time
from collections.abc import Callable
from functools import cache, wraps
from pathlib import Path
from typing import Any, cast

import django
from django.conf import settings
from django.contrib.messages import get_messages
from django.http import HttpRequest, HttpResponse
from django.template.utils import get_app_template_dirs
from django.utils import timezone, translation
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.views.decorators.http import condition

from versioning import conf, live, names, permissions
from versioning.unit_of_work import author_of

TIMES_FOR = 60  # seconds that “5 minutes ago” may stand

View = Callable[..., HttpResponse]


def immutable(*pins: str) -> Callable[[View], View]:
    """
    Give a view's pages an ETag, where each of ``pins`` (names of the query) is
    a commit's hash.

    The tag covers all that such a page shows besides: who reads it and what
    they may do, language and zone, the branches in its header, the code that
    made it. A page that brings a message has none: it is shown once. Goes
    inside ``needs()``: who may not see the page gets no 304 either.
    """

    def decorate(view: View) -> View:
        conditional = condition(etag_func=_tag)(view)

        @wraps(view)
        def tagged(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not all(names.is_hash(request.GET.get(pin, "")) for pin in pins):
                return view(request, *args, **kwargs)
            if len(get_messages(request)):
                return view(request, *args, **kwargs)
            response = conditional(request, *args, **kwargs)
            if response.status_code not in (200, 304):
                del response["ETag"]
                return response
            patch_cache_control(response, private=True, no_cache=True)
            patch_vary_headers(response, ["Cookie", "HX-Request"])
            return response

        return tagged

    return decorate


def _tag(request: Any, *args: Any, **kwargs: Any) -> str:
    user, place = request.user, request.versioning
    parts = (
        request.get_full_path(),
        request.headers.get("HX-Request", ""),
        request.headers.get("HX-Boosted", ""),
        user.pk,
        author_of(user).name,
        user.get_username(),
        permissions.of(user),
        request.META.get("CSRF_COOKIE", ""),
        translation.get_language(),
        timezone.get_current_timezone_name(),
        place.branch,
        live.fingerprint(line.branch for line in place.branches),
        conf.options(),
        code(),
        int(time.time() / TIMES_FOR),
    )
    digest = hashlib.sha256(repr(parts).encode()).hexdigest()
    return f'W/"{digest[:32]}"'


@cache
def code() -> str:
    """What tells the code and the templates that make pages from any other's."""
    folders = [Path(__file__).parent, *map(Path, get_app_template_dirs("templates"))]
    for engine in settings.TEMPLATES:
        folders += [Path(str(folder)) for folder in cast(Any, engine).get("DIRS", ())]
    digest = hashlib.sha256(django.get_version().encode())
    files = {
        file
        for folder in folders
        for pattern in ("*.py", "*.html")
        for file in folder.rglob(pattern)
    }
    for file in sorted(files):
        digest.update(f"{file}\0".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()

"""Small helpers of views: one template for the whole page and for its parts."""

from io import BytesIO
from typing import Any

from django.core.exceptions import BadRequest, RequestDataTooBig
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.multipartparser import MultiPartParser
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme

DAMAGED = "The address is damaged."
LONGEST_NUMBER = 15  # digits, which any column of ours can be compared with


def wants_part(request: HttpRequest) -> bool:
    """
    Whether HTMX asks for a part of a page, and not for the page itself, as
    it does when it restores one from its history or follows a boosted link.
    """
    htmx: Any = getattr(request, "htmx", None)
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def page_or_part(
    request: HttpRequest,
    template: str,
    part: str,
    context: dict[str, Any] | None = None,
    *,
    status: int = 200,
) -> HttpResponse:
    """
    Render a template, or only its ``{% partialdef part %}`` for HTMX.

    Both answers name ``HX-Request`` in ``Vary``, so that no cache gives a
    fragment to somebody who opens the address in a new tab.
    """
    name = f"{template}#{part}" if wants_part(request) else template
    response = render(request, name, context, status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response


def form_of(request: HttpRequest) -> QueryDict:
    """
    The form that a request carries, which a script may send by another method than
    POST: in the body, or HTMX's DELETE in the address. Django reads it of a POST
    alone. Of one with more than is held in memory, nothing is known here.
    """
    if request.method == "POST":
        return request.POST
    match request.content_type:
        case "application/x-www-form-urlencoded":
            if body := request.body:
                return QueryDict(body, encoding=request.encoding)
        case "multipart/form-data":
            try:
                body = request.body
            except RequestDataTooBig:
                return QueryDict()
            given, _ = MultiPartParser(request.META, BytesIO(body), []).parse()
            return given
    return request.GET if request.method == "DELETE" else QueryDict()


def safe_next(request: HttpRequest, fallback: str) -> str:
    """
    The ``next`` that a form carries, or the address of one that was not sent yet,
    if it stays on this site, else ``fallback``.
    """
    url = (request.POST if request.method == "POST" else request.GET).get("next", "")
    if url_has_allowed_host_and_scheme(
        url, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        return url
    return fallback


def came_from(request: HttpRequest) -> str:
    """The address of this site's page that a request was sent from, else ""."""
    url = str(request.META.get("HTTP_REFERER", ""))
    is_ours = url_has_allowed_host_and_scheme(
        url, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return url if is_ours else ""


def name_given(given: QueryDict, field: str, damaged: str = DAMAGED) -> str:
    """
    A branch's name that an address or a form carries, "" if it carries none.
    ``BadRequest`` for NUL, which no name has and PostgreSQL compares with none.
    """
    if "\0" in (name := given.get(field, "")):
        raise BadRequest(damaged)
    return name


def whole_number(text: str, damaged: str = DAMAGED) -> int:
    """A number that an address or a form carries. ``BadRequest`` if it is none."""
    if not (text.isascii() and text.isdecimal() and len(text) <= LONGEST_NUMBER):
        raise BadRequest(damaged)
    return int(text)

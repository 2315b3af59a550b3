import uuid

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from versioning import receipt_view


@require_safe
def receipt(request: HttpRequest, token: uuid.UUID) -> HttpResponse:
    """What came of a form that was sent; its token is the only key to it."""
    found = receipt_view.show(token)
    if found is None:
        raise Http404("No form with this token has been committed.")
    return render(request, "versioning/receipt.html", {"receipt": found})


@require_safe
def how_this_works(request: HttpRequest) -> HttpResponse:
    return render(request, "versioning/how.html")

from django.db import DatabaseError, connections
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from versioning.decorators import of_no_branch


@of_no_branch
@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """200 if both databases answer, else 503 that names those that do not."""
    silent = []
    for alias in ("default", "versioned"):
        try:
            with connections[alias].cursor() as cursor:
                cursor.execute("SELECT 1")
        except DatabaseError:
            silent.append(alias)
    if silent:
        return HttpResponse(
            f"no answer from: {', '.join(silent)}\n",
            status=503,
            content_type="text/plain",
        )
    return HttpResponse("ok\n", content_type="text/plain")

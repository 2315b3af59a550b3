from typing import Any

from django.http import HttpRequest


def versioning(request: HttpRequest) -> dict[str, Any]:
    """``versioning``: the request's place, for the header and for forms."""
    return {"versioning": getattr(request, "versioning", None)}

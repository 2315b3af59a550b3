from django.conf import settings
from django.http import HttpRequest


def demo(request: HttpRequest) -> dict[str, bool]:
    """``demo``: whether this site was filled with the demo's story."""
    return {"demo": settings.DEMO}

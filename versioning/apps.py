from typing import Any

from django.apps import AppConfig
from django.core.signals import request_finished


class VersioningConfig(AppConfig):
    name = "versioning"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Versions"

    def ready(self) -> None:
        from django.utils.module_loading import autodiscover_modules

        from versioning import checks  # noqa: F401

        autodiscover_modules("versioned")
        # After the answer was sent, so that nobody waits for it.
        request_finished.connect(_tidy, dispatch_uid="versioning.tidy")


def _tidy(**kwargs: Any) -> None:
    from versioning.conf import repository

    repository().tidy()

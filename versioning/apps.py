from django.apps import AppConfig


class VersioningConfig(AppConfig):
    name = "versioning"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Versions"

    def ready(self) -> None:
        from django.utils.module_loading import autodiscover_modules

        from versioning import checks  # noqa: F401

        autodiscover_modules("versioned")

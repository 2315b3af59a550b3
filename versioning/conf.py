"""The project's ``VERSIONING`` setting, with defaults, read when asked for."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.db import connections
from django.dispatch import receiver


@dataclass(frozen=True, slots=True)
class Options:
    apps: tuple[str, ...]  # labels of the apps whose tables are branched
    database: str  # the alias that holds them
    public_branches: tuple[str, ...] | None  # None: the default branch alone
    protected_branches: tuple[str, ...] | None  # None: the default branch alone
    home: str  # path, or name of a URL, where the application's pages begin


_KNOWN = {"APPS", "DATABASE", "PUBLIC_BRANCHES", "PROTECTED_BRANCHES", "HOME"}


@cache  # each query asks, by the router
def options() -> Options:
    """Raises ``ImproperlyConfigured`` with the name of what is wrong."""
    given: dict[str, Any] = getattr(settings, "VERSIONING", {})
    if unknown := set(given) - _KNOWN:
        raise ImproperlyConfigured(
            f"VERSIONING knows no {', '.join(sorted(unknown))}; "
            f"it knows {', '.join(sorted(_KNOWN))}."
        )
    database = given.get("DATABASE", "versioned")
    if database not in settings.DATABASES:
        raise ImproperlyConfigured(
            f"VERSIONING names the database “{database}”, which DATABASES lacks."
        )
    return Options(
        apps=_names(given, "APPS") or (),
        database=database,
        public_branches=_names(given, "PUBLIC_BRANCHES"),
        protected_branches=_names(given, "PROTECTED_BRANCHES"),
        home=given.get("HOME", ""),
    )


@receiver(setting_changed)
def _read_anew(*, setting: str, **_: Any) -> None:
    """For tests that override it."""
    if setting in ("VERSIONING", "DATABASES"):
        options.cache_clear()


def _names(given: dict[str, Any], option: str) -> tuple[str, ...] | None:
    value = given.get(option)
    if isinstance(value, str):  # else each letter would be a name
        raise ImproperlyConfigured(
            f'{option} of VERSIONING is a list of names, such as ["{value}"].'
        )
    return None if value is None else tuple(value)


def connection() -> Any:
    """The connection to the versioned database, for this thread."""
    return connections[options().database]


def repository() -> Any:
    """``connection().repository``."""
    return connection().repository

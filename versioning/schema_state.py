"""Whether a state has the migrations that the code has."""

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.core.cache import cache
from django.core.signals import setting_changed
from django.db import DatabaseError
from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.dispatch import receiver

from versioning.conf import connection, options, repository

Name = tuple[str, str]  # an app's label, a migration's name


@dataclass(frozen=True, slots=True)
class Difference:
    """Names "app.0002_name": ``missing`` in the state, or ``unknown`` to the code."""

    missing: tuple[str, ...]
    unknown: tuple[str, ...]


def difference() -> Difference | None:
    """
    Compare the migrations of the versioned apps, as the code has them and as
    the state that the connection is bound to has them. None if they agree or
    the state can't be asked.
    """
    try:
        applied = MigrationRecorder(connection()).applied_migrations()
    except DatabaseError:
        return None
    return _compare(_of_code(), applied)


def differences(hashes: Iterable[str]) -> dict[str, Difference | None]:
    """
    As ``difference()``, for commits. One statement for fifty that were not
    asked about before: what a commit holds never changes, so it is kept.
    """
    on_disk = _of_code()
    return {
        hash: _compare(on_disk, applied) for hash, applied in _recorded(hashes).items()
    }


def _recorded(hashes: Iterable[str]) -> dict[str, frozenset[Name]]:
    """The migrations that commits have on record, of all apps."""
    keys = {hash: f"versioning:migrations:{hash}" for hash in hashes}
    known = cache.get_many(keys.values())
    recorded = {hash: known[key] for hash, key in keys.items() if key in known}
    if missing := keys.keys() - recorded.keys():
        table = MigrationRecorder.Migration._meta.db_table
        rows = repository().columns_at(table, ("app", "name"), missing)
        found = {hash: frozenset(names) for hash, names in rows.items()}
        cache.set_many({keys[hash]: names for hash, names in found.items()}, None)
        recorded |= found
    return {hash: recorded[hash] for hash in keys}


def _of_code() -> Mapping[Name, frozenset[Name]]:
    """The versioned apps' migrations, each with those that it replaces."""
    apps = options().apps
    return {name: of for name, of in _of_all_apps().items() if name[0] in apps}


@functools.cache
def _of_all_apps() -> Mapping[Name, frozenset[Name]]:
    """What the process was started with: to look it up reads all folders again."""
    loader = MigrationLoader(None, ignore_no_migrations=True)
    found: Mapping[Name, Migration] = loader.disk_migrations
    return {name: frozenset(one.replaces) for name, one in found.items()}


@receiver(setting_changed)
def _look_again(*, setting: str, **kwargs: object) -> None:
    if setting in ("INSTALLED_APPS", "MIGRATION_MODULES"):
        _of_all_apps.cache_clear()


def _compare(
    on_disk: Mapping[Name, frozenset[Name]], applied: Iterable[Name]
) -> Difference | None:
    """
    A migration is there, too, where all are that it replaces; and these are known,
    also once their files are gone.
    """
    apps = options().apps
    there = {name for name in applied if name[0] in apps}
    missing = {
        name
        for name, replaced in on_disk.items()
        if name not in there and not (replaced and replaced <= there)
    }
    unknown = there.difference(on_disk, *on_disk.values())
    if not (missing or unknown):
        return None
    return Difference(
        missing=tuple(".".join(name) for name in sorted(missing)),
        unknown=tuple(".".join(name) for name in sorted(unknown)),
    )

"""System checks: what would go wrong with this project's settings and models."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS, models
from django.utils.module_loading import import_string

from versioning.backends.binding import VersionedConnection
from versioning.backends.sql.merging import OF_CONFLICTS
from versioning.backends.sql.tables import OF_DIFFS
from versioning.conf import connection, options

MIDDLEWARE = "versioning.middleware.VersioningMiddleware"
HTMX = "django_htmx.middleware.HtmxMiddleware"
#: What a request has to have been through before.
BEFORE = (
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    HTMX,
)
NEEDED = ("django_htmx", "django_tables2", "template_partials")
ROUTER = "versioning.routers.VersionedRouter"
CONTEXT = "versioning.context_processors.versioning"
CONTENT_TYPES = "contenttypes"
DOLT = "versioning.backends.dolt"
NAMED = 10  # columns in one message


@checks.register("versioning")
def check_settings(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    try:
        given = options()
    except ImproperlyConfigured as error:
        return [checks.Error(str(error), id="versioning.E001")]
    found: list[checks.CheckMessage] = []
    if not isinstance(connection(), VersionedConnection):
        found.append(
            checks.Error(
                f"The database “{given.database}” has no versioned engine.",
                hint="ENGINE is versioning.backends.doltlite or "
                "versioning.backends.dolt.",
                id="versioning.E002",
            )
        )
    if given.database == DEFAULT_DB_ALIAS:
        found.append(
            checks.Error(
                "VERSIONING names the default database, which holds users, sessions "
                "and merge drafts: they would be on branches too.",
                hint="Give the versioned apps a database of their own.",
                id="versioning.E016",
            )
        )
    if connection().settings_dict.get("ATOMIC_REQUESTS"):
        found.append(
            checks.Error(
                f"The database “{given.database}” has ATOMIC_REQUESTS, and a "
                "transaction can’t go from one branch to another.",
                hint="Leave it out: whatever a request writes is one transaction, "
                "and one commit, as it is.",
                id="versioning.E013",
            )
        )
    labels = {config.label for config in apps.get_app_configs()}
    for label in given.apps:
        if label not in labels:
            found.append(
                checks.Error(
                    f"VERSIONING names the app “{label}”, which isn’t installed.",
                    hint="APPS takes app labels, such as “polls”.",
                    id="versioning.E003",
                )
            )
    if missing := [name for name in NEEDED if not apps.is_installed(name)]:
        found.append(
            checks.Error(
                f"The console’s pages need {_listed(missing)} in INSTALLED_APPS.",
                hint=f"Add {_listed(missing)} there.",
                id="versioning.E019",
            )
        )
    if ROUTER not in settings.DATABASE_ROUTERS:
        found.append(
            checks.Error(
                "Nothing sends the versioned apps to their database.",
                hint=f"Add “{ROUTER}” to DATABASE_ROUTERS.",
                id="versioning.E004",
            )
        )
    if MIDDLEWARE not in settings.MIDDLEWARE:
        found.append(
            checks.Warning(
                "Requests are on no branch: the middleware is missing.",
                hint=f"Add “{MIDDLEWARE}” as the last of MIDDLEWARE.",
                id="versioning.W005",
            )
        )
    if HTMX not in settings.MIDDLEWARE:
        found.append(
            checks.Error(
                "The console can’t tell a request for a part of a page.",
                hint=f"Add “{HTMX}” to MIDDLEWARE, before “{MIDDLEWARE}”.",
                id="versioning.E006",
            )
        )
    found += _check_order(settings.MIDDLEWARE)
    engines: list[dict[str, Any]] = settings.TEMPLATES
    if not any(
        CONTEXT in engine.get("OPTIONS", {}).get("context_processors", ())
        for engine in engines
    ):
        found.append(
            checks.Error(
                "Pages can’t name the branch that they are on.",
                hint=f"Add “{CONTEXT}” to the templates’ context_processors.",
                id="versioning.E007",
            )
        )
    return found


def _check_order(middleware: Sequence[str]) -> Iterator[checks.CheckMessage]:
    """The view of a request that writes is run by ours, not after the last one."""
    if MIDDLEWARE not in middleware:
        return
    after = middleware[middleware.index(MIDDLEWARE) + 1 :]
    hint = f"Make “{MIDDLEWARE}” the last of MIDDLEWARE."
    if late := [name for name in after if name in BEFORE]:
        yield checks.Error(
            f"{_listed(late)} must have seen a request before it is on a branch.",
            hint=hint,
            id="versioning.E020",
        )
    elif skipped := [name for name in after if _looks_at_views(name)]:
        yield checks.Warning(
            f"process_view() of {_listed(skipped)} is not called for a request that "
            "writes.",
            hint=hint,
            id="versioning.W021",
        )


def _looks_at_views(middleware: str) -> bool:
    try:
        return hasattr(import_string(middleware), "process_view")
    except ImportError:  # Django says so itself
        return False


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"“{name}”" for name in names)


@checks.register("versioning")
def check_foreign_keys(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[checks.CheckMessage]:
    """Neither a key's constraint nor a deletion reaches into the other database."""
    versioned = _versioned_apps()
    found: list[checks.CheckMessage] = []
    for model in _models(app_configs):
        if not model._meta.managed:
            continue
        for field in model._meta.local_fields:
            target = field.related_model
            if not isinstance(target, type):
                continue
            here = model._meta.app_label in versioned
            there = target._meta.app_label in versioned
            if here == there:
                continue
            points = (
                f"{model._meta.label}.{field.name} points from the "
                f"{'versioned' if here else 'default'} database into the "
                f"{'versioned' if there else 'default'} one"
            )
            if getattr(field, "db_constraint", False):
                found.append(
                    checks.Error(
                        f"{points}, where no constraint can reach.",
                        hint="Set db_constraint=False, and expect the other row "
                        "to be missing at times.",
                        obj=field,
                        id="versioning.E010",
                    )
                )
            on_delete = getattr(field.remote_field, "on_delete", models.DO_NOTHING)
            if on_delete is not models.DO_NOTHING:
                found.append(
                    checks.Warning(
                        f"{points}, and no {target._meta.verbose_name} can be "
                        "deleted: Django would look for what points there in its "
                        "own database.",
                        hint="Set on_delete=DO_NOTHING; of a many-to-many field, in "
                        "a model of its own (through=…).",
                        obj=field,
                        id="versioning.W017",
                    )
                )
    return found


@checks.register("versioning")
def check_table_names(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[checks.CheckMessage]:
    """Both engines keep names that begin with ``dolt_`` for themselves."""
    versioned = _versioned_apps()
    return [
        checks.Error(
            f"The table “{model._meta.db_table}” can’t be made: names that begin "
            "with dolt_ belong to the engine.",
            obj=model,
            id="versioning.E011",
        )
        for model in _models(app_configs)
        if model._meta.app_label in versioned
        and model._meta.db_table.lower().startswith("dolt_")
    ]


@checks.register("versioning")
def check_key_names(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[checks.CheckMessage]:
    """
    Dolt's lists of what changed have columns of their own beside a table's, and
    no way to ask for one of two that have the same name.
    """
    versioned = _versioned_apps()
    if not _is_dolt():
        return []
    return [
        checks.Error(
            f"The key of {model._meta.label} is called “{field.column}”, and Dolt "
            "can’t tell that from a column of its own lists of what changed.",
            hint="Give the field another db_column.",
            obj=field,
            id="versioning.E014",
        )
        for model in _models(app_configs)
        if model._meta.app_label in versioned
        for field in model._meta.pk_fields
        if str(field.column).lower() in OF_DIFFS | OF_CONFLICTS
    ]


@checks.register(checks.Tags.database)
def check_collations(
    app_configs: Any, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[checks.CheckMessage]:
    """
    Text on Dolt that takes no notice of case: what differs in nothing else is the
    same to it, so an UPDATE, a diff and a merge leave it out.
    """
    if not _is_dolt() or connection().alias not in (databases or ()):
        return []
    with connection().cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name FROM information_schema.columns "
            r"WHERE table_schema = %s AND collation_name LIKE '%%\_ci' ORDER BY 1, 2",
            [connection().settings_dict["NAME"]],
        )
        blind = [f"{table}.{column}" for table, column in cursor.fetchall()]
    if not blind:
        return []
    more = f" and {len(blind) - NAMED} more" if len(blind) > NAMED else ""
    return [
        checks.Warning(
            f"To the collation of {', '.join(blind[:NAMED])}{more} case makes no "
            "difference: an edit that changes nothing else is not written, not shown "
            "and not merged.",
            hint="On each branch, MODIFY these columns with COLLATE utf8mb4_0900_bin, "
            "and ALTER DATABASE likewise for tables to come. Searches by icontains "
            "and the like stay as they are.",
            id="versioning.W018",
        )
    ]


@checks.register("versioning")
def check_generic_keys(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[checks.CheckMessage]:
    """Django looks for a row's content type in the database that the row is in."""
    versioned = _versioned_apps()
    return [
        checks.Error(
            f"{model._meta.label}.{field.name} is a generic key, and the versioned "
            "database has no content types: neither setting nor reading it works.",
            hint="Use a foreign key for each model that it may point to.",
            obj=field,
            id="versioning.E012",
        )
        for model in _models(app_configs)
        if model._meta.app_label in versioned and CONTENT_TYPES not in versioned
        for field in model._meta.private_fields
        # By what it has, as its class can't be imported without its app.
        if hasattr(field, "ct_field")
    ]


@checks.register("versioning")
def check_admin(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[checks.CheckMessage]:
    """An admin that knows nothing of branches shows rows and can't save them."""
    if not apps.is_installed("django.contrib.admin"):
        return []
    from django.contrib.admin.sites import all_sites

    from versioning.admin import VersionedAdmin

    versioned = _versioned_apps()
    return [
        checks.Warning(
            f"The admin of {model._meta.label} can’t save: it writes on no branch.",
            hint="Make it a versioning.admin.VersionedAdmin.",
            obj=type(model_admin),
            id="versioning.W015",
        )
        for site in all_sites
        for model, model_admin in site._registry.items()
        if model._meta.app_label in versioned
        and not isinstance(model_admin, VersionedAdmin)
    ]


def _versioned_apps() -> frozenset[str]:
    """None where the settings are wrong, which ``check_settings()`` says."""
    try:
        return frozenset(options().apps)
    except ImproperlyConfigured:
        return frozenset()


def _is_dolt() -> bool:
    """False where the settings are wrong, which ``check_settings()`` says."""
    return bool(_versioned_apps()) and connection().settings_dict["ENGINE"] == DOLT


def _models(app_configs: Sequence[AppConfig] | None) -> Iterator[type[models.Model]]:
    for config in apps.get_app_configs() if app_configs is None else app_configs:
        yield from config.get_models(include_auto_created=True)

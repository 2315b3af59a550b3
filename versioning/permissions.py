"""Who may what. The names are Django permissions, so groups and tests know them."""

from typing import Any

from django.apps import apps

from versioning.conf import options, repository

VIEW_HISTORY = "versioning.view_history"
CREATE_BRANCH = "versioning.create_branch"
MERGE_BRANCH = "versioning.merge_branch"
DELETE_BRANCH = "versioning.delete_branch"
VIEW_HIDDEN = "versioning.view_hidden"

_MEANING = {
    VIEW_HISTORY: "read the history",
    CREATE_BRANCH: "make and rename branches",
    MERGE_BRANCH: "merge, and edit protected branches",
    DELETE_BRANCH: "delete branches",
    VIEW_HIDDEN: "see or decide about hidden columns",
}


def meaning(permission: str) -> str:
    """
    What a permission lets a person do, for the page that refuses it: of the
    console's own, or of a model ("polls.add_question": "add questions").
    """
    if permission in _MEANING:
        return _MEANING[permission]
    app, _, codename = permission.partition(".")
    verb, _, model = codename.partition("_")
    try:
        return f"{verb} {apps.get_model(app, model)._meta.verbose_name_plural}"
    except (LookupError, ValueError):
        return "do this"


def of(user: Any) -> list[str]:
    """
    What a person has of the console's permissions, and of all others where the
    user model lists them: Django asks one of your own for ``has_perm()`` alone.
    """
    listed: set[str] = getattr(user, "get_all_permissions", set)()
    return sorted({*listed, *filter(user.has_perm, _MEANING)})


def public_branches() -> tuple[str, ...]:
    """Names of the branches that visitors see."""
    given = options().public_branches
    return (repository().default_branch(),) if given is None else given


def protected_branches() -> tuple[str, ...]:
    """Names of the branches that take edits and merges from maintainers only."""
    given = options().protected_branches
    return (repository().default_branch(),) if given is None else given


def may_see_branch(user: Any, branch: str) -> bool:
    return user.has_perm(VIEW_HISTORY) or branch in public_branches()


def may_edit_branch(user: Any, branch: str) -> bool:
    """
    Whether a person's edits are taken on a branch. Which rows they may edit
    is for the app's own permissions.
    """
    return branch not in protected_branches() or user.has_perm(MERGE_BRANCH)


def may_merge_into(user: Any, branch: str) -> bool:
    """Merging into any branch, protected or not, asks for the permission."""
    return user.has_perm(MERGE_BRANCH)


def may_name_branch(user: Any, name: str) -> bool:
    """
    Whether a person may give a branch this name. Those of protected and of public
    branches are kept even while no branch has them: what such a branch holds is
    taken for reviewed, and shown to visitors. Case does not matter, as a name that
    differs by case alone would be in the way of the one that is meant.
    """
    if user.has_perm(MERGE_BRANCH):
        return True
    kept = (*protected_branches(), *public_branches())
    return name.lower() not in {other.lower() for other in kept}


def create_groups() -> list[str]:
    """
    Make the groups “Editors” (who edit on branches of their own) and
    “Maintainers” (who may do everything here), if they are missing, and give
    them their permissions. Permissions that they have besides stay. Returns
    the groups' names.
    """
    from django.contrib.auth.models import Group, Permission
    from django.db.models import Q

    rows = Q(content_type__app_label__in=options().apps)
    console = Q(content_type__app_label="versioning", codename__isnull=False)
    names = {
        "Editors": rows | (console & Q(codename__in=["view_history", "create_branch"])),
        "Maintainers": rows | console,
    }
    for name, wanted in names.items():
        group, _ = Group.objects.get_or_create(name=name)
        group.permissions.add(*Permission.objects.filter(wanted))
    return list(names)

"""Signing in to this site."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Permission


class AskingOnceBackend(ModelBackend):
    """
    Django’s own, which asks for a person’s permissions and for their groups’ in
    two statements; every page asks, so here they are one. The answer is the same.
    """

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        asks = user_obj.is_active and not user_obj.is_anonymous and obj is None
        if asks and not user_obj.is_superuser and not hasattr(user_obj, "_perm_cache"):
            own, groups = (
                permissions.values_list("content_type__app_label", "codename")
                for permissions in (
                    user_obj.user_permissions.order_by(),
                    Permission.objects.filter(group__in=user_obj.groups.all()),
                )
            )
            # A union, as Dolt answers one WHERE with both in it, joined by OR, with
            # permissions that nobody gave. Kept where Django keeps it, for as long
            # as the person’s object lives.
            found = own.union(groups.order_by())
            user_obj._perm_cache = {f"{app}.{name}" for app, name in found}
        known: set[str] = super().get_all_permissions(user_obj, obj)
        return known

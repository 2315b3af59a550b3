"""Signing in to this site."""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.backends import ModelBackend
from django.db.models import F
from django.http import HttpRequest

_shows_a_page = ContextVar("_shows_a_page", default=True)


def asking_once(get_response: Callable[[HttpRequest], Any]) -> Any:
    """
    Middleware, before Django’s for authentication: says to the backend whether a
    page is to be shown. Most of what is sent are votes, which need no permission.
    """

    def middleware(request: HttpRequest) -> Any:
        token = _shows_a_page.set(request.method != "POST")
        try:
            return get_response(request)
        finally:
            _shows_a_page.reset(token)

    return middleware


class AskingOnceBackend(ModelBackend):
    """
    Django’s own, which asks for the person who is signed in, for their permissions
    and for their groups’ in three statements; every page asks, so here they are one.
    The answers are the same.
    """

    def get_user(self, user_id: Any) -> Any:
        if not _shows_a_page.get():
            return super().get_user(user_id)
        person = get_user_model()._default_manager.filter(pk=user_id)
        own, groups = (
            person.annotate(
                _app=F(f"{through}__content_type__app_label"),
                _codename=F(f"{through}__codename"),
            )
            for through in ("user_permissions", "groups__permissions")
        )
        # The person once for each permission, and once if there is none. A union,
        # as Dolt answers one WHERE with both in it, joined by OR, with permissions
        # that nobody gave.
        found: list[Any] = list(own.union(groups))
        if not found or not self.user_can_authenticate(user := found[0]):
            return None
        if not user.is_superuser:
            # Kept where Django keeps it, for as long as the person’s object lives.
            user._perm_cache = {
                f"{one._app}.{one._codename}" for one in found if one._codename
            }
        return user

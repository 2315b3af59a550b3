"""Django’s admin, for models whose tables are branched."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.db import transaction
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern

from versioning import addresses, conf, permissions, policies
from versioning.decorators import of_active_branch, versioned
from versioning.place import Place
from versioning.unit_of_work import current_unit, describe


class VersionedAdmin(admin.ModelAdmin):
    """
    A ``ModelAdmin`` that shows the visitor’s active branch, and saves there:
    each form that is sent, an action or an editable list too, is one commit.

    Its pages name the branch, and a form of a page that was made on another
    one is refused. Who reads the history gets an object’s own, cell by cell,
    behind “History”. A template of a page with a form of its own, as of an
    action that asks first, needs ``{% branch_fields %}`` in it.
    """

    change_form_template = "versioning/admin/change_form.html"
    change_list_template = "versioning/admin/change_list.html"
    delete_confirmation_template = "versioning/admin/delete.html"
    delete_selected_confirmation_template = "versioning/admin/delete_selected.html"
    object_history_template = "versioning/admin/object_history.html"

    def get_urls(self) -> list[URLPattern]:
        urls = super().get_urls()
        for url in urls:
            of_active_branch(versioned(url.callback))
        return urls

    def history_view(
        self,
        request: HttpRequest,
        object_id: str,
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """What became of the object, for those who may read it; else Django’s own."""
        row = self.get_object(request, unquote(object_id))
        if (
            row is not None
            and request.user.has_perm(permissions.VIEW_HISTORY)
            and self.has_view_or_change_permission(request, row)
        ):
            return HttpResponseRedirect(
                addresses.history_of(row, _place(request).branch)
            )
        return super().history_view(request, object_id, extra_context)

    def get_view_on_site_url(self, obj: Model | None = None) -> str | None:
        if obj is None or self.view_on_site is not True:
            return super().get_view_on_site_url(obj)
        return _own_page(obj)

    def get_inline_instances(
        self, request: HttpRequest, obj: Model | None = None
    ) -> list[Any]:
        found: list[Any] = super().get_inline_instances(request, obj)
        for inline in found:
            if inline.view_on_site is True:
                inline.view_on_site = _own_page
        return found

    def get_list_select_related(self, request: HttpRequest) -> Any:
        """
        Of the relations that the list shows, those in the same database: no join
        reaches into the other one, as for a row’s author.
        """
        given: Any = super().get_list_select_related(request)
        if given is not False:
            return given
        apps = conf.options().apps
        fields: list[Any] = list(self.opts.fields)
        relations = {
            field.name
            for field in fields
            if field.is_relation and field.related_model._meta.app_label in apps
        }
        return [name for name in self.get_list_display(request) if name in relations]

    # On a protected branch, who may not edit there may look.

    def has_add_permission(self, request: HttpRequest) -> bool:
        return _place(request).can_edit and super().has_add_permission(request)

    def has_change_permission(
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        return _place(request).can_edit and super().has_change_permission(request, obj)

    def has_delete_permission(
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        return _place(request).can_edit and super().has_delete_permission(request, obj)

    # Django's own log is in the other database, which a unit of work that fails, or
    # is repeated, does not take back: it is written once the rows are.

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        self._say(request, "Add", obj)
        _once_written(partial(super().log_addition, request, _Logged.of(obj), message))

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        self._say(request, "Change", obj)
        _once_written(partial(super().log_change, request, _Logged.of(obj), message))

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        objects = list(queryset)
        for obj in objects:
            self._say(request, "Delete", obj)
        logged: Any = [_Logged.of(obj) for obj in objects]
        _once_written(partial(super().log_deletions, request, logged))

    def _say(self, request: Any, verb: str, obj: Model) -> None:
        """
        Name it in the commit’s message, which everybody reads: by its key where
        something that its name may quote is hidden from some. Of several, how
        many there are.
        """
        unit = current_unit()
        of, said = vars(request).get("_versioned_admin", (None, []))
        if of is not unit:  # a unit that is repeated begins anew
            said = []
        said = [*said, obj]
        request._versioned_admin = unit, said
        if len(said) > 1:
            describe(f"{verb} {len(said)} {self.opts.verbose_name_plural}")
        else:
            quotable = policies.quotable_tables(self.model)
            name = obj.pk if any(map(policies.hidden_of, quotable)) else f"“{obj}”"
            describe(f"{verb} {self.opts.verbose_name} {name}")


@dataclass(frozen=True, slots=True)
class _Logged:
    """What Django logs of an object, as it was then."""

    pk: Any
    text: str
    _meta: Any

    @classmethod
    def of(cls, obj: Model) -> Any:
        return cls(obj.pk, str(obj), obj._meta)

    def __str__(self) -> str:
        return self.text


def _once_written(log: Callable[[], Any]) -> None:
    def write() -> None:  # with a name, by which Django tells what failed
        log()

    transaction.on_commit(write, using=conf.connection().alias, robust=True)


def _own_page(obj: Model) -> str | None:
    """Where an object is shown. Django’s way there asks the other database for it."""
    find = getattr(obj, "get_absolute_url", None)
    return str(find()) if find else None


def _place(request: HttpRequest) -> Place:
    place: Place = request.versioning  # type: ignore[attr-defined]
    return place

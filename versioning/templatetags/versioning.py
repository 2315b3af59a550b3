"""``{% load versioning %}``: what an app's own templates need of versions."""

import uuid
from typing import Any

from django import template
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.html import format_html
from django.utils.safestring import SafeString

from versioning import addresses, permissions
from versioning.place import BRANCH_FIELD, TOKEN_FIELD

register = template.Library()


@register.simple_tag(takes_context=True)
def branch_fields(context: dict[str, Any]) -> SafeString | str:
    """
    Hidden fields for a form that writes: the branch that the page was made
    on, so that a switch in another tab is noticed, and a one-time token, so
    that the form counts once however often it arrives.
    """
    place = context.get("versioning")
    if place is None:
        return ""
    return format_html(
        '<input type="hidden" name="{}" value="{}">'
        '<input type="hidden" name="{}" value="{}">',
        BRANCH_FIELD,
        place.branch,
        TOKEN_FIELD,
        uuid.uuid4(),
    )


@register.simple_tag(takes_context=True)
def row_history(
    context: dict[str, Any],
    row: models.Model,
    label: str = "History",
    *,
    named: bool = False,
) -> SafeString | str:
    """
    A link to the history of an object of a versioned app, on the branch or in
    the state that the page shows; nothing for those who may not read history.
    ``named``, it reads as the object does, for a list of several.
    """
    place, user = context.get("versioning"), context.get("user")
    if place is None or user is None or not user.has_perm(permissions.VIEW_HISTORY):
        return ""
    ref = place.state.name if place.state else place.branch
    url = addresses.history_of(row, ref)
    if named:
        return format_html(
            '<a class="row-history" href="{}">'
            '<span class="visually-hidden">{} of </span>{}</a>',
            url,
            label,
            row,
        )
    return format_html(
        '<a class="row-history" href="{}">{}<span class="visually-hidden"> of {}'
        "</span></a>",
        url,
        label,
        row,
    )


@register.inclusion_tag("versioning/_receipt.html", takes_context=True)
def receipt(context: dict[str, Any]) -> dict[str, Any]:
    """The receipt that ``?receipt=TOKEN`` names, or nothing."""
    from versioning import receipt_view

    request = context["request"]
    found = None
    if token := request.GET.get("receipt"):
        try:
            found = receipt_view.show(uuid.UUID(token))
        except (ValueError, ValidationError):
            found = None
    return {name: context.get(name) for name in ("versioning", "perms", "user")} | {
        "receipt": found
    }

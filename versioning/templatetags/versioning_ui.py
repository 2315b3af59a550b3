"""``{% load versioning_ui %}``: the small parts that every page of the console uses."""

from collections.abc import Sequence
from html import escape
from typing import Any

from django import template
from django.templatetags.static import static
from django.urls import get_script_prefix, reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
def start_url() -> str:
    """Where the site begins, also where it is served below a path of its own."""
    return get_script_prefix()


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """
    A drawing from the sprite ``versioning/icons.svg``, by its id.

    Decoration beside words unless ``label`` gives it words of its own.
    """
    named = (
        f'role="img" aria-label="{escape(label)}"' if label else 'aria-hidden="true"'
    )
    drawing = f"{static('versioning/icons.svg')}#{name}"
    return SafeString(
        f'<svg class="icon icon--{escape(name)}" width="16" height="16" {named}>'
        f'<use href="{escape(drawing)}"></use></svg>'
    )


@register.simple_tag(takes_context=True)
def nav_link(
    context: dict[str, Any], view: str, label: str, also: str = "", key: str = ""
) -> SafeString:
    """
    A link of the main navigation: ``view`` is a URL's name with its namespace.

    It is marked as the current place on that page and on those that ``also``
    names: URL names of the same namespace, separated by spaces, or ``*`` for
    all of it. ``key`` is the letter that goes there after a g.
    """
    url = reverse(view)
    namespace, _, name = view.rpartition(":")
    match = getattr(context.get("request"), "resolver_match", None)
    here = ""
    if match is not None and match.namespace == namespace:
        if match.url_name == name:
            here = "page"
        elif also == "*" or match.url_name in also.split():
            here = "true"
    current = format_html(' aria-current="{}"', here) if here else ""
    going = format_html(' data-go="{}"', key) if key else ""
    return format_html('<a href="{}"{}{}>{}</a>', url, current, going, label)


@register.simple_tag
def hash_chip(hash: str, url: str = "") -> SafeString:
    """
    The short form of a commit's hash with a button that copies the full one.

    ``url`` makes it a link to there.
    """
    full, short = escape(hash), escape(hash[:7])
    text = f'<code title="{full}">{short}</code>'
    if url:
        text = f'<a href="{escape(url)}" title="{full}">{short}</a>'
    button = copy_button(hash, f"Copy the full hash of {hash[:7]}")
    return SafeString(f'<span class="hash">{text}{button}</span>')


@register.simple_tag
def copy_button(text: str, label: str = "") -> SafeString:
    """
    A button that copies a text, the name that stands before it unless ``label``
    says what. Not to be seen without JavaScript.
    """
    said = escape(label or f"Copy the name {text}")
    return SafeString(
        f'<button type="button" class="hash__copy" data-copy="{escape(text)}" '
        f'aria-label="{said}">{icon("copy")}</button>'
    )


@register.inclusion_tag("versioning/_live.html")
def live(
    *seen: str, all: str = "", heads: Sequence[str] = (), at: str = ""
) -> dict[str, str]:
    """
    Where the page says that it has gone stale: ``{% live name head … %}`` for
    branches and the hashes that it shows as their heads, ``all`` for the
    fingerprint of all branches (``versioning.live``). ``heads`` are branches
    that all have the head ``at``. Pairs without a hash are left out.
    """
    pairs = [*zip(seen[::2], seen[1::2], strict=True), *((name, at) for name in heads)]
    query = [
        (key, value)
        for name, head in pairs
        if name and head
        for key, value in (("branch", name), ("head", head))
    ]
    if all:
        query.append(("all", all))
    return {"query": urlencode(query)}

"""``{% load versioning_ui %}``: the small parts that every page of the console uses."""

from typing import Any

from django import template
from django.templatetags.static import static
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """
    A drawing from the sprite ``versioning/icons.svg``, by its id.

    Decoration beside words unless ``label`` gives it words of its own.
    """
    named = (
        format_html('role="img" aria-label="{}"', label)
        if label
        else SafeString('aria-hidden="true"')
    )
    return format_html(
        '<svg class="icon icon--{}" width="16" height="16" {}>'
        '<use href="{}#{}"></use></svg>',
        name,
        named,
        static("versioning/icons.svg"),
        name,
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


@register.inclusion_tag("versioning/_hash.html")
def hash_chip(hash: str, url: str = "") -> dict[str, str]:
    """
    The short form of a commit's hash with a button that copies the full one.

    ``url`` makes it a link to there.
    """
    return {"hash": hash, "short": hash[:7], "url": url}


@register.inclusion_tag("versioning/_live.html")
def live(*seen: str, all: str = "") -> dict[str, str]:
    """
    Where the page says that it has gone stale: ``{% live name head … %}`` for
    branches and the hashes that it shows as their heads, ``all`` for the
    fingerprint of all branches (``versioning.live``). Pairs without a hash are
    left out.
    """
    pairs = zip(seen[::2], seen[1::2], strict=True)
    query = [
        (key, value)
        for name, head in pairs
        if name and head
        for key, value in (("branch", name), ("head", head))
    ]
    if all:
        query.append(("all", all))
    return {"query": urlencode(query)}

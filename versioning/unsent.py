"""
What somebody sent who was signed out by then, or to a branch that was gone: kept
until they are in again, or have made another branch.

In the session, which signing in leaves as it is; of one person, the form that
came last.
"""

from django.http import HttpRequest
from django.urls import reverse

from versioning import pages
from versioning.http import came_from
from versioning.pages import Resend

SESSION_KEY = "versioning_unsent"
MOST = 50_000  # characters


def keep(request: HttpRequest, *, gone: str = "") -> str:
    """
    Keep the form that was sent, to a branch that is ``gone`` if any is named; the
    address that offers it again, or "" if nothing was typed, or more than is kept.
    """
    form = pages.typed(request)
    if form is None or not form.typed or form.files:
        return ""
    if sum(len(name) + len(value) for name, value in form.fields) > MOST:
        return ""
    request.session[SESSION_KEY] = {
        "url": form.url,
        "fields": form.fields,
        "page": came_from(request),
        "gone": gone,
    }
    return reverse("versioning:unsent")


def kept(request: HttpRequest) -> Resend | None:
    """The form that was kept for this person."""
    found = request.session.get(SESSION_KEY)
    if found is None:
        return None
    return pages.sent_again(request, found["url"], found["fields"])


def kept_for_another_branch(request: HttpRequest, branch: str) -> Resend | None:
    """The same, to be sent to a branch; "" shows it without a way to send it."""
    found = request.session.get(SESSION_KEY)
    if found is None:
        return None
    label = f"Send it to {branch}" if branch else ""
    return pages.sent_again(request, found["url"], found["fields"], label, branch)


def gone(request: HttpRequest) -> str:
    """The branch that the kept form was sent to, if it was gone by then."""
    return str(request.session.get(SESSION_KEY, {}).get("gone", ""))


def page_of(request: HttpRequest) -> str:
    """The address of the page that the kept form was on, "" if that is not known."""
    return str(request.session.get(SESSION_KEY, {}).get("page", ""))

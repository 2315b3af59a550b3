"""
Errors as pages of the site, in one place.

Each says what happened, that nothing was lost, and what to do next.
"""

import logging
import uuid
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.template import loader
from django.urls import reverse
from django.utils.http import urlencode

from versioning import permissions, schema_state
from versioning.backends import errors, is_unavailable
from versioning.branches import deletion_of
from versioning.conf import connection
from versioning.models import Receipt
from versioning.place import BRANCH_FIELD, SWITCH_FIELD, TOKEN_FIELD

_log = logging.getLogger(__name__)

NOTHING_WRITTEN = "Nothing was written."
_CARRIED = frozenset({BRANCH_FIELD, SWITCH_FIELD, TOKEN_FIELD, "next", "seen"})
_NEVER_REPEATED = frozenset(
    {"csrfmiddlewaretoken", "password", BRANCH_FIELD, SWITCH_FIELD}
)
# "said:choice:5" holds what people read for the value 5 of the field "choice".
_SAID = "said:"
# Of Django's forms and formsets.
_INITIAL = "initial-"
_HIDDEN = ("_FORMS", "-id")


@dataclass(frozen=True, slots=True)
class Action:
    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Resend:
    """A form that sends again what the person had typed."""

    label: str
    url: str
    fields: Sequence[tuple[str, str]]
    csrf: str  # for a page that is rendered without a request
    files: Sequence[str] = ()  # names of those that no page can send again
    said: Sequence[tuple[str, str]] | None = None  # what is told of the fields

    @property
    def typed(self) -> list[tuple[str, str]]:
        """What the person typed, without what the form carries by itself."""
        if self.said is not None:
            return [*self.said]
        before = {
            name.removeprefix(_INITIAL): value
            for name, value in self.fields
            if name.startswith(_INITIAL)
        }
        words = {name: value for name, value in self.fields if name.startswith(_SAID)}
        return [
            (_spoken(name), words.get(f"{_SAID}{name}:{value}", value))
            for name, value in self.fields
            if value
            # A browser writes a date and its time otherwise than they came.
            and value.replace("T", " ") != before.get(name, "").replace("T", " ")
            and name not in _CARRIED
            and not name.startswith((_INITIAL, _SAID))
            and not name.endswith(_HIDDEN)
        ]


def _spoken(name: str) -> str:
    """A field’s name as people read it: “choices-0-text” is “Choices 1 text”."""
    parts = name.replace("_", " ").split("-")
    words = " ".join(str(int(p) + 1) if p.isdecimal() else p for p in parts)
    return words[:1].upper() + words[1:]


def page(
    request: HttpRequest,
    status: int,
    title: str,
    explanation: str,
    *,
    saved: str = NOTHING_WRITTEN,
    actions: Sequence[Action] = (),
    **context: Any,
) -> HttpResponse:
    """
    An error page: the project’s own template (“409.html”), or the console’s.
    ``saved`` says what became of the person’s work.
    """
    html = loader.select_template([f"{status}.html", "versioning/error.html"]).render(
        {
            "title": title,
            "explanation": explanation,
            "saved": saved,
            "actions": actions,
            **context,
        },
        request,
    )
    return HttpResponse(html, status=status)


def page_for(request: HttpRequest, error: BaseException) -> HttpResponse | None:
    """The page for an error that this package or the engine raised, else None."""
    match error:
        case errors.EngineBusy() | errors.SerializationFailure():
            return unavailable(
                request,
                "Many people are writing at this moment",
                "Your turn did not come in time.",
            )
        case errors.EngineUnavailable():
            return unavailable(request)
        case errors.BranchNotFound():
            if request.method in ("GET", "HEAD"):
                return not_found(request, str(error))
            return branch_gone(request, error.branch)
        case errors.UnknownRef() | errors.UnknownTable():
            return not_found(request, str(error))
        case errors.BranchMoved():
            return page(
                request,
                409,
                "The branch has moved on",
                f"{error} Look at what is new, then decide again.",
                actions=[Action("Branches", reverse("versioning:branches"))],
            )
        case errors.UncommittedRows():
            return page(
                request,
                409,
                "Somebody’s rows are not committed yet",
                f"{error} They have to be committed first; any edit on that branch "
                "does so.",
                actions=[Action("Branches", reverse("versioning:branches"))],
            )
        case errors.ConflictsRemain():
            return unfinished_merge(request)
        case errors.ReadOnlyState():
            return read_only(request)
        case errors.CannotBeShown():
            _log.error("%s: %s", request.path, error.__cause__)
            return page(
                request,
                409,
                "This can’t be shown",
                str(error),
                saved="Nothing is lost.",
                actions=[Action("Branches", reverse("versioning:branches"))],
            )
        case DatabaseError() if is_unavailable(error):
            return unavailable(request)
        case DatabaseError():
            return other_schema(request)
    return None


def unavailable(
    request: HttpRequest,
    title: str = "The database can’t be reached",
    explanation: str = "It may be restarting. Nothing is wrong with your browser, and "
    "what is stored is safe. Try again in a moment.",
) -> HttpResponse:
    """
    503. Rendered without a request, as neither session nor user can be asked.
    What was typed stays in the page; a form's token makes sending it again
    safe, even if the first try was written after all.
    """
    html = loader.select_template(["503.html", "versioning/unavailable.html"]).render(
        {
            "title": title,
            "explanation": explanation,
            "saved": "If you sent a form, send it again below: it counts once, "
            "even if it had arrived."
            if request.method == "POST"
            and TOKEN_FIELD in request.POST
            and not request.FILES
            else NOTHING_WRITTEN
            if request.method == "POST"
            else "",
            "resend": _resend(request, "Send it again"),
            "path": request.get_full_path(),
        },
    )
    response = HttpResponse(html, status=503)
    response["Retry-After"] = "5"
    response["Cache-Control"] = "no-store"
    return response


def not_found(request: HttpRequest, explanation: str) -> HttpResponse:
    return page(
        request,
        404,
        "Not found",
        explanation,
        saved=NOTHING_WRITTEN if request.method == "POST" else "",
        actions=[Action("Branches", reverse("versioning:branches"))]
        if _may_look_around(request)
        else [],
        resend=_resend(request, None),
    )


def _may_look_around(request: HttpRequest) -> bool:
    user: Any = getattr(request, "user", None)  # none before the middleware ran
    return user is not None and user.has_perm(permissions.VIEW_HISTORY)


def bad_request(request: HttpRequest, explanation: str) -> HttpResponse:
    return page(
        request,
        400,
        "That address or form doesn’t make sense",
        explanation,
        resend=_resend(request, None),
    )


def not_allowed(request: HttpRequest, allowed: str) -> HttpResponse:
    """405. ``allowed`` is the ``Allow`` header: methods, with commas."""
    response = page(
        request,
        405,
        "Nothing to see at this address",
        "It only takes what a button of this site sends, so it can’t be opened, "
        "reloaded or shared."
        if "POST" in allowed
        else "It can only be looked at: nothing can be sent to it.",
        actions=[Action("Branches", reverse("versioning:branches"))],
        resend=_resend(request, None),
    )
    response["Allow"] = allowed
    return response


def bad_token(request: HttpRequest) -> HttpResponse:
    return bad_request(
        request,
        "The form’s one-time token is damaged. Open the page again and send it anew.",
    )


def forbidden(request: HttpRequest, permission: str) -> HttpResponse:
    """403 for a signed-in person, in words: what they would need to be allowed."""
    return page(
        request,
        403,
        "You may not do this",
        f"Your account isn’t allowed to {permissions.meaning(permission)}. "
        "A maintainer can do it for you, or give you that permission.",
        resend=_resend(request, None),
    )


def protected_branch(request: Any, branch: str) -> HttpResponse:
    return page(
        request,
        403,
        f"“{branch}” is protected",
        f"Edits of “{branch}” come by a merge. Switch to another branch, or make "
        "one, and edit there.",
        actions=[Action("Branches", reverse("versioning:branches"))],
        resend=_resend(request, None),
    )


def unfinished_merge(request: Any) -> HttpResponse:
    """409: another client left a merge on the branch, and nothing can be committed."""
    branch = request.versioning.branch
    where = f"{reverse('versioning:branch-working')}?{urlencode({'name': branch})}"
    return page(
        request,
        409,
        f"A merge was left unfinished on “{branch}”",
        "Another program began it and left values unsettled, so nothing can be "
        "saved there. Who may merge into the branch can discard that merge; then "
        "this can be sent again.",
        actions=[Action("What was left there", where)]
        if _may_look_around(request)
        else [],
        resend=_resend(request, "Send it again", branch),
    )


def read_only(request: HttpRequest) -> HttpResponse:
    return page(
        request,
        409,
        "This state is for reading only",
        "You were looking at another branch or an earlier commit. Go back to your "
        "own branch to write.",
        actions=[Action("Back", request.path)],
        resend=_resend(request, None),
    )


def branch_gone(
    request: Any,
    branch: str,
    *,
    takes_it: Callable[[str], bool] | None = None,
    kept_at: str = "",
) -> HttpResponse:
    """
    409, also where the branch is there and not for this person to see any more.
    ``takes_it(name)`` says whether a branch would take what was sent, which may
    be kept at an address for a branch that is yet to be made. Without, it is not known.
    """
    place = request.versioning
    home = place.default_branch
    if takes_it is None:
        at_home, others = True, []
    else:
        at_home = takes_it(home)
        others = [b.name for b in place.branches if b.name != home and takes_it(b.name)]
    actions = []
    if kept_at:
        actions.append(Action("Make a branch for it", _to_make(branch, kept_at)))
    if request.user.has_perm(permissions.VIEW_HISTORY):
        actions.append(Action("Branches", reverse("versioning:branches")))
    if permissions.may_see_branch(request.user, branch):
        title = f"The branch “{branch}” is gone"
        why = "Somebody deleted or renamed it while you were on it."
    else:
        title = f"You may no longer see “{branch}”"
        why = "Your permissions were changed while you were on that branch."
    return page(
        request,
        409,
        title,
        f"{why} Choose where to go on; what you typed is below.",
        actions=actions,
        resend=_resend(
            request, f"Send it to {home}" if at_home else None, home, switches=True
        ),
        resend_to=_resend(request, "Send it there", switches=True) if others else None,
        branches=others,
        switch_to=[home],
    )


def _to_make(branch: str, then: str) -> str:
    """Where a branch is made in the place of one that is gone, as that was."""
    gone = deletion_of(branch)
    query = {"at": gone.head} if gone else {}
    return f"{reverse('versioning:branch-create')}?{urlencode(query | {'next': then})}"


def stale_tab(request: Any, form_branch: str) -> HttpResponse:
    """409: the form was made on one branch, and the session is on another."""
    active = request.versioning.branch
    return page(
        request,
        409,
        "You have switched branches since",
        f"This form was opened on “{form_branch}”, but you are on “{active}” now, "
        "perhaps from another tab. "
        + (
            "Choose where it belongs."
            if request.method == "POST"
            else "Switch to where it belongs, and send it from there."
        ),
        resend=_resend(
            request, f"Send it to {form_branch}", form_branch, switches=True
        ),
        or_resend=_resend(request, f"Send it to {active} instead", active),
    )


def sent_before(request: Any, receipt: Receipt) -> HttpResponse:
    """409: the form was saved, and is here again with something else in it."""
    where = reverse("versioning:receipt", args=[receipt.token])
    return page(
        request,
        409,
        "This form was sent before",
        "It was saved then, and is filled in otherwise now. Send it once more if that "
        "is to be saved as well.",
        saved="What you sent now is not written yet.",
        actions=[Action("What was saved", where)],
        resend=_resend(
            request,
            "Save this, too",
            request.POST.get(BRANCH_FIELD),
            anew=True,
        ),
    )


def other_schema(request: Any) -> HttpResponse | None:
    """
    A page for a database error that comes from a state whose tables differ
    from the code's; None if they do not differ, so that it is an error indeed.
    """
    place = request.versioning
    # A unit of work that failed has left the branch by now.
    at = connection().bound(place.branch) if place.state is None else nullcontext()
    with at:
        difference = schema_state.difference()
    if difference is None:
        return None
    home = place.default_branch
    is_elsewhere = place.state is not None or place.branch != home
    return page(
        request,
        409,
        *_of_other_schema(request, difference),
        saved="Nothing is wrong with the data.",
        actions=[Action("Branches", reverse("versioning:branches"))]
        if _may_look_around(request)
        else [],
        migrate=_branch_to_migrate(request, difference),
        switch_to=[home] if is_elsewhere else [],
        resend=_resend(request, None),
    )


def _of_other_schema(
    request: Any, difference: schema_state.Difference
) -> tuple[str, str]:
    """What is the matter with the state at hand, and what can be done: title, text."""
    place = request.versioning
    name = place.branch if place.state is None else place.state.short
    missing, unknown = ", ".join(difference.missing), ", ".join(difference.unknown)
    if unknown:
        text = "Its tables are of another version of the code than the one that runs"
        text += f" here, so its pages can’t be shown. It has {unknown} besides"
        return (
            f"“{name}” has other tables than the application",
            f"{text}, and lacks {missing}." if missing else f"{text}.",
        )
    text = (
        f"The application has got new tables or columns since, and “{name}” has "
        f"not, so its pages can’t be shown. It lacks {missing}."
    )
    if not _branch_to_migrate(request, difference):
        is_fixed = place.state is not None and place.state.is_commit
        text += (
            " A commit stays as it is: make a branch of it to bring that up to date."
            if is_fixed
            else " A maintainer can bring it up to date."
        )
    return f"“{name}” is behind the application", text


def _branch_to_migrate(request: Any, difference: schema_state.Difference) -> str:
    """The branch that a button can bring up to date, or ""."""
    place = request.versioning
    if difference.unknown or (place.state is not None and place.state.is_commit):
        return ""
    branch = str(place.state.name if place.state is not None else place.branch)
    return branch if permissions.may_merge_into(request.user, branch) else ""


def _resend(
    request: HttpRequest,
    label: str | None,
    branch: str | None = None,
    *,
    switches: bool = False,
    anew: bool = False,
) -> Any:
    """
    What was typed, to be shown; with a label also a button to send it again.
    To a ``branch`` that is not the active one only if it ``switches`` to that;
    ``anew``, as another form than the one that came. A browser gives no file a
    second time: a form with files is not sent again from here.
    """
    if request.method != "POST":
        return None
    try:
        posted = request.POST
    except (SuspiciousOperation, OSError):  # too many fields, or a cut-off upload
        return None
    fields = [
        (name, value)
        for name, values in posted.lists()
        for value in values
        if name not in _NEVER_REPEATED and "password" not in name
    ]
    if branch:
        fields.append((BRANCH_FIELD, branch))
    if switches:
        fields.append((SWITCH_FIELD, "1"))
    if anew:
        fields = [(name, value) for name, value in fields if name != TOKEN_FIELD]
        fields.append((TOKEN_FIELD, str(uuid.uuid4())))
    files = [str(f.name) for _, given in request.FILES.lists() for f in given]
    return Resend(
        "" if files else label or "",
        request.get_full_path(),
        fields,
        get_token(request),
        files,
    )


def sent_again(
    request: HttpRequest,
    url: str,
    fields: Sequence[tuple[str, str]],
    label: str = "Send it",
    branch: str = "",
) -> Resend:
    """A form of ``typed()``, for a page of another request; to a ``branch``, if any."""
    pairs = [
        (name, branch if branch and name == BRANCH_FIELD else value)
        for name, value in fields
    ]
    return Resend(label, url, pairs, get_token(request))


def typed(request: HttpRequest) -> Resend | None:
    """A form that was sent, as far as a page can send it again later."""
    branch = request.POST.get(BRANCH_FIELD)
    found: Resend | None = _resend(
        request, "Send it", branch, switches=branch is not None
    )
    return found

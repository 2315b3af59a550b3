"""
The branch under every page, and one commit for every request that writes.

Goes last in ``MIDDLEWARE``: it needs the session, the user and the messages,
and CSRF tokens are checked before it runs a view.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from io import BytesIO
from typing import Any, NoReturn

from asgiref.sync import async_to_sync, iscoroutinefunction
from django.apps import apps
from django.conf import settings
from django.contrib import messages
from django.core.handlers.base import BaseHandler
from django.db import DatabaseError
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
    QueryDict,
)
from django.urls import reverse
from django.utils.cache import patch_cache_control, patch_vary_headers

from versioning import (
    conf,
    names,
    pages,
    permissions,
    receipts,
    unsent,
    visibility,
)
from versioning.access import ask_to_sign_in
from versioning.backends.errors import (
    BranchNotFound,
    SerializationFailure,
    UnknownRef,
    WriteOutsideBranch,
)
from versioning.http import form_of
from versioning.merging.hiding import sweep_all
from versioning.models import Receipt
from versioning.place import BRANCH_FIELD, SWITCH_FIELD, TOKEN_FIELD, Place, State
from versioning.unit_of_work import Unit, on_branch, opened_by

_log = logging.getLogger(__name__)

SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
ATTEMPTS = 4  # of a unit that met another's commit


def belongs_to_versioned_app(view: Any) -> bool:
    """Whether a view is written in one of the apps whose tables are branched."""
    while isinstance(view, partial):
        view = view.func
    module = getattr(getattr(view, "view_class", view), "__module__", "") or ""
    return any(
        module == name or module.startswith(f"{name}.")
        for name in (apps.get_app_config(label).name for label in conf.options().apps)
    )


def is_versioned(view: Any) -> bool:
    return is_marked(view, "versioned") or belongs_to_versioned_app(view)


def is_marked(view: Any, mark: str) -> bool:
    """Whether a view is, or one that it gives some arguments."""
    while not hasattr(view, mark) and isinstance(view, partial):
        view = view.func
    return bool(getattr(view, mark, False))


class VersioningMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], Any]):
        self.get_response = get_response
        self._swept = False

    def __call__(self, request: HttpRequest) -> Any:
        connection = conf.connection()
        request.versioning = Place(request)  # type: ignore[attr-defined]
        response = None
        try:
            if not self._swept:
                self._sweep()
            # A view whose request is no unit has no branch to write to.
            with visibility.shown_to(request.user), opened_by(_refuse_unit):
                response = self.get_response(request)
                if isinstance(response, HttpResponseNotAllowed):
                    response = pages.not_allowed(request, response["Allow"])
                _keep_from_others(request, response)
        finally:
            if response is not None and response.streaming:
                _unbind_when_closed(response, connection)
            else:
                connection.unbind()
        return response

    def _sweep(self) -> None:
        """Once a process, before its first page: see ``sweep_all()``."""
        self._swept = True
        try:
            sweep_all()
        except DatabaseError:
            _log.warning("What a killed merge may have left was not looked for.")

    def process_view(
        self,
        request: HttpRequest,
        view: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> HttpResponse | None:
        versioned = is_versioned(view)
        unsafe = request.method not in SAFE
        shows_states = versioned and not getattr(view, "of_active_branch", False)
        try:
            if shows_states and _names_a_state(request):
                if unsafe:
                    return pages.read_only(request)
                if answer := _open_state(request):
                    return answer
            if versioned and unsafe:
                return _run_unit(request, view, args, kwargs)
            if not getattr(view, "of_no_branch", False):
                _arrive(request)
        except Exception as error:
            if page := pages.page_for(request, error):
                return page
            raise
        return None

    def process_exception(
        self, request: HttpRequest, error: Exception
    ) -> HttpResponse | None:
        return pages.page_for(request, error)


def _refuse_unit() -> NoReturn:
    raise WriteOutsideBranch


def _keep_from_others(request: HttpRequest, response: Any) -> None:
    """
    Have caches know that a page is of a branch: which one it is, the session says,
    for the same cookie now this and now that.
    """
    patch_vary_headers(response, ["Cookie"])
    if settings.SESSION_COOKIE_NAME in request.COOKIES:
        patch_cache_control(response, private=True)


def _unbind_when_closed(response: Any, connection: Any) -> None:
    close = response.close

    def close_and_unbind() -> None:
        try:
            close()
        finally:
            connection.unbind()

    response.close = close_and_unbind


def _arrive(request: Any) -> None:
    """Bind to the active branch; say so, once, if it can’t be the one chosen."""
    place: Place = request.versioning
    if place.state is not None:
        return
    if place.gone:
        lost = place.gone
        place.switch(place.default_branch)
        why = (
            f"The branch “{lost}” is gone."
            if permissions.may_see_branch(request.user, lost)
            else f"You may no longer see “{lost}”."
        )
        messages.warning(request, f"{why} You are on {place.branch} now.")
    conf.connection().bind(None if place._chosen is None else place.branch)


def _names_a_state(request: HttpRequest) -> bool:
    return bool(request.GET.get("branch") or request.GET.get("at"))


def _open_state(request: Any) -> HttpResponse | None:
    """Honour ``?branch=`` and ``?at=``: show that state, for reading only."""
    branch, at = request.GET.get("branch"), request.GET.get("at")
    user = request.user
    if not user.has_perm(permissions.VIEW_HISTORY) and (
        at or branch not in permissions.public_branches()
    ):
        if not user.is_authenticated:
            return ask_to_sign_in(request)
        return pages.forbidden(request, permissions.VIEW_HISTORY)
    repository = conf.repository()
    query = request.GET.copy()
    for name in ("branch", "at"):
        query.pop(name, None)
    back = request.path + (f"?{query.urlencode()}" if query else "")
    if at:
        try:
            name = repository.commit(at).hash
        except UnknownRef as error:
            return pages.page_for(request, error)
        conf.connection().bind(at=name)
    else:
        if names.is_hidden(branch):
            raise BranchNotFound(branch)
        name = repository.branch(branch).name
        conf.connection().bind(name)
    request.versioning.state = State(name, bool(at), back)
    return None


def _run_unit(request: Any, view: Any, args: Any, kwargs: Any) -> HttpResponse:
    """Run a view as one unit of work on the active branch."""
    may_edit = partial(_may_edit, request.user, view)
    # As Django does for a view that no middleware calls: ATOMIC_REQUESTS, coroutines.
    view = BaseHandler().make_view_atomic(view)
    if iscoroutinefunction(view):
        view = async_to_sync(view)
    # The whole body, before any lock: a slow upload delays only itself.
    posted = form_of(request)
    if request.content_type != "multipart/form-data":  # which is read by now
        _ = request.body
    if refusal := _find_branch(request, posted, may_edit):
        return refusal
    receipt = None
    if text := posted.get(TOKEN_FIELD):
        try:
            token = receipts.parse_token(text)
        except ValueError:
            return pages.bad_token(request)
        request.versioning.digest = receipts.digest_of(request)
        receipt = receipts.intend(
            token,
            branch=request.versioning.branch,
            path=request.path,
            digest=request.versioning.digest,
            repository=conf.repository(),
        )
        if refusal := _on_one_branch(request, posted, receipt):
            return refusal
    for attempt in range(1, ATTEMPTS + 1):
        said = _messages_so_far(request)
        try:
            return _attempt_unit(request, view, args, kwargs, receipt)
        except SerializationFailure:
            if attempt == ATTEMPTS:
                raise
            del request._messages._queued_messages[said:]
            _rewind(request)
    raise AssertionError("unreachable")


def _may_edit(user: Any, view: Any, branch: str) -> bool:
    return is_marked(view, "open_to_all") or permissions.may_edit_branch(user, branch)


def _find_branch(
    request: Any, posted: QueryDict, may_edit: Callable[[str], bool]
) -> HttpResponse | None:
    """Be on the branch that a form is for; a page if that can’t be, or may not."""
    place: Place = request.versioning
    wanted = posted.get(BRANCH_FIELD)
    if not request.user.is_authenticated and (
        not may_edit(place.branch)
        or not (
            wanted in (None, "", place.branch)
            or permissions.may_see_branch(request.user, wanted)
        )
    ):
        # First, as who is signed out has no branch, and the form's is not gone.
        return ask_to_sign_in(request)
    gone = place.gone
    if wanted and SWITCH_FIELD in posted and (gone or wanted != place.branch):
        gone = _go_along(place, wanted)
    elif wanted and wanted != place.branch and not gone:
        return pages.stale_tab(request, wanted)
    if gone:
        may_make = wanted and request.user.has_perm(permissions.CREATE_BRANCH)
        kept_at = unsent.keep(request, gone=gone) if may_make else ""
        return pages.branch_gone(request, gone, takes_it=may_edit, kept_at=kept_at)
    if not may_edit(place.branch):
        return pages.protected_branch(request, place.branch)
    return None


def _on_one_branch(
    request: Any, posted: QueryDict, receipt: Receipt
) -> HttpResponse | None:
    """
    See to it that a form that was sent on another branch before counts once; a
    page if it counted there, or if it does not say that it is for this one now.
    """
    place: Place = request.versioning
    if receipt.branch == place.branch:
        return None
    repository = conf.repository()
    try:
        head = repository.head(receipt.branch)
    except BranchNotFound:  # this may be the same, by another name
        head = repository.head(place.branch)
    done = receipts.find_commit(receipt, repository, head=head)
    if done:
        return _already_done(request, receipt, done)
    if posted.get(BRANCH_FIELD) != place.branch:
        return pages.stale_tab(request, receipt.branch)
    receipts.take_along(receipt, repository, place.branch)
    return None


def _rewind(request: Any) -> None:
    """Have a view that is run again read what was sent from its beginning."""
    for _, files in request.FILES.lists():
        for file in files:
            file.seek(0)
    if hasattr(request, "_body"):
        request._stream = BytesIO(request.body)


def _go_along(place: Place, branch: str) -> str | None:
    """Switch to a form's branch; stay, and return its name, if that is gone."""
    before = place.branch
    place.switch(branch)
    if gone := place.gone:
        place.switch(before)
    return gone


def _messages_so_far(request: Any) -> int:
    """So that a unit that is repeated says what it did once."""
    return len(request._messages._queued_messages)


class _DoneAlready(Exception):
    """A form that came again; ``args`` are the hash of its commit."""


def _attempt_unit(
    request: Any, view: Any, args: Any, kwargs: Any, receipt: Any
) -> HttpResponse:
    place: Place = request.versioning
    opened: list[Unit] = []

    @contextmanager
    def open_unit() -> Iterator[Unit]:
        if opened:
            raise RuntimeError("A request has one unit of work.")
        with on_branch(
            place.branch, author=request.user, message=f"Change through {request.path}"
        ) as unit:
            opened.append(unit)
            place.unit = unit
            if receipt:
                _require_new(receipt, unit)
            yield unit

    try:
        if is_marked(view, "opens_unit"):
            _arrive(request)
            with opened_by(open_unit):
                response = view(request, *args, **kwargs)
        else:
            with open_unit() as unit:
                response = view(request, *args, **kwargs)
                if response.status_code >= 400:
                    unit.roll_back()
    except _DoneAlready as done:
        return _already_done(request, receipt, *done.args)
    _arrive(request)  # for what is rendered, or streamed, later
    for unit in opened:
        if receipt and unit.commit:
            receipts.fulfil(
                receipt,
                commit=unit.commit,
                location=response.get("Location", ""),
                digest=place.digest,
            )
    return response


def _require_new(receipt: Any, unit: Unit) -> None:
    """Let the unit's commit carry the form's token; ``_DoneAlready`` if one does."""
    done = receipts.find_commit(receipt, conf.repository(), head=unit.head_before)
    if done:
        raise _DoneAlready(done)
    unit.trailers[receipts.TRAILER] = str(receipt.token)
    unit.is_unique = True


def _already_done(request: Any, receipt: Any, commit: str) -> HttpResponse:
    if not receipt.commit:
        receipts.fulfil(receipt, commit=commit, location="")
    if receipt.digest not in ("", request.versioning.digest):
        return pages.sent_before(request, receipt)
    messages.info(request, "This had arrived already, so it counted once.")
    url = receipt.location or reverse("versioning:receipt", args=[receipt.token])
    response = HttpResponseRedirect(url)
    response.status_code = 303
    return response

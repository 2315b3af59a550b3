"""Vote, read results, edit. What is a commit and where is the middleware's."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.core.signing import BadSignature, Signer
from django.db.models import F, Q, QuerySet, Sum
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.html import format_html
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_safe

import versioning
from polls.forms import MAX_CHOICES, PollForm, empty_row
from polls.models import Choice, Question
from polls.results import tally
from versioning.access import needs
from versioning.http import page_or_part, whole_number
from versioning.permissions import VIEW_HISTORY
from versioning.place import TOKEN_FIELD

PAGE = 20
WAITING = 5
_signer = Signer(salt="polls.index")


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Published questions, newest first; ``?q=`` searches, ``?after=`` goes on."""
    search = request.GET.get("q", "").strip()
    questions = Question.objects.published().prefetch_related("choices")
    if search:
        questions = questions.filter(
            Q(text__icontains=search) | Q(details__icontains=search)
        )
    if after := request.GET.get("after"):
        published, pk = _read_cursor(after)
        questions = questions.filter(
            Q(published__lt=published) | Q(published=published, pk__lt=pk)
        )
    found = list(questions[: PAGE + 1])
    more = _cursor(found[PAGE - 1]) if len(found) > PAGE else None
    context = {
        "questions": found[:PAGE],
        "search": search,
        "more": more,
        "is_first": not after,
        "waiting": _waiting(request) if not after and not search else [],
    }
    return page_or_part(request, "polls/index.html", "list", context)


def _waiting(request: HttpRequest) -> list[Question]:
    """For editors: the questions next to open, which the list leaves out."""
    if not request.user.has_perm("polls.change_question"):
        return []
    waiting = Question.objects.filter(published__gt=timezone.now())
    return list(waiting.order_by("published", "pk")[:WAITING])


def _cursor(question: Question) -> str:
    return _signer.sign(f"{question.published.isoformat()} {question.pk}")


def _find(request: Any, questions: QuerySet[Question], pk: int) -> Question:
    """One of them. ``Http404`` with what a reader can do who has its address."""
    try:
        return questions.get(pk=pk)
    except Question.DoesNotExist as error:
        state = request.versioning.state
        where = state.short if state else request.versioning.branch
        raise Http404(
            f"There is no such poll on {where}. It may be on another branch, have "
            "been deleted, or not be open yet."
        ) from error


def _read_cursor(text: str) -> tuple[Any, int]:
    try:
        published, pk = _signer.unsign(text).split(" ")
    except BadSignature as error:
        raise BadRequest("This address is damaged.") from error
    return parse_datetime(published), int(pk)


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    question = _find(request, Question.objects.published(), pk)
    return render(request, "polls/detail.html", {"question": question})


@require_http_methods(["GET", "HEAD", "POST"])
@versioning.open_to_all
@versioning.opens_unit
def vote(request: HttpRequest, pk: int) -> HttpResponse:
    """
    Count one vote; the form's token makes it count once.

    A GET, as by reloading the page of a vote that failed, leads to the form.
    """
    if request.method != "POST":
        _find(request, Question.objects.published(), pk)
        return redirect("polls:detail", pk)
    token = request.POST.get(TOKEN_FIELD)
    if not token:
        raise BadRequest("The form has no one-time token.")
    choice = _chosen(pk, request.POST.get("choice", ""))
    if choice is None or not _count(choice):
        question = _find(request, Question.objects.published(), pk)
        return render(
            request,
            "polls/detail.html",
            {"question": question, "problem": "Choose one of the answers first."},
            status=422,
        )
    url = reverse("polls:results", args=[pk])
    return see_other(f"{url}?receipt={token}")


def _chosen(question: int, given: str) -> Choice | None:
    try:
        pk = whole_number(given)
    except BadRequest:
        return None
    offered = Choice.objects.of_published().select_related("question")
    return offered.filter(pk=pk, question=question).first()


def _count(choice: Choice) -> bool:
    """Whether the choice was still there to be voted for."""
    there = Choice.objects.filter(pk=choice.pk)
    with versioning.unit():
        versioning.describe(
            f"Vote for “{choice}” in “{choice.question}”",
            kind="vote",
            about=str(choice.question),
        )
        return there.update(votes=F("votes") + 1) == 1


@require_safe
def results(request: HttpRequest, pk: int) -> HttpResponse:
    question = _find(request, Question.objects.published(), pk)
    rows = tally(question.choices.all())
    context = {
        "question": question,
        "rows": rows,
        "total": sum(row.choice.votes for row in rows),
    }
    return render(request, "polls/results.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@needs("polls.add_question")
def create(request: HttpRequest) -> HttpResponse:
    return _edit(request, Question())


@require_http_methods(["GET", "HEAD", "POST"])
@needs("polls.change_question")
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    return _edit(request, _find(request, Question.objects.all(), pk))


def _edit(request: HttpRequest, question: Question) -> HttpResponse:
    if request.method != "POST":
        return _form(request, PollForm(question))
    try:
        poll = PollForm(question, request.POST)
    except ValueError as error:
        raise BadRequest(str(error)) from error
    if "add" in request.POST:
        has_room = poll.add_row()
        return _form(request, poll, status=200 if has_room else 422)
    if poll.is_stale:
        poll.rebase()
        return _form(request, poll, status=409)
    if not poll.is_valid():
        return _form(request, poll, status=422)
    if poll.has_changed:
        versioning.describe(poll.save())
        _say(request, "Saved")
    else:
        messages.info(request, "Nothing was changed.")
    is_open = Question.objects.published().filter(pk=question.pk).exists()
    return see_other(
        reverse("polls:detail", args=[question.pk])
        if is_open
        else reverse("polls:index")
    )


def _say(request: Any, what: str) -> None:
    """Tell where it was done and what is next, once there is a commit of it."""
    place = request.versioning

    def say(commit: str) -> None:
        said = f"{what} on {place.branch}."
        if request.user.has_perm(VIEW_HISTORY):
            said = format_html(
                '{} on {}, as <a href="{}">commit {}</a>.',
                what,
                place.branch,
                reverse("versioning:commit", args=[commit]),
                commit[:7],
            )
            if not place.is_default:
                said += format_html(
                    ' <a href="{}?{}">Compare {} with {}</a>',
                    reverse("versioning:compare"),
                    urlencode({"from": place.default_branch, "to": place.branch}),
                    place.branch,
                    place.default_branch,
                )
        messages.success(request, said)

    versioning.after_commit(say)


def _form(request: HttpRequest, poll: PollForm, *, status: int = 200) -> HttpResponse:
    context = {"poll": poll, "question": poll.question, "max_choices": MAX_CHOICES}
    return render(request, "polls/form.html", context, status=status)


@require_safe
@needs("polls.change_question", "polls.add_question")
def choice_row(request: HttpRequest) -> HttpResponse:
    """
    One more empty row for the form, for HTMX, or why there is none; with
    ``?drop``, nothing.
    """
    if "drop" in request.GET:
        return HttpResponse()
    try:
        row = empty_row(request.GET.get("choices-TOTAL_FORMS", ""))
    except ValueError as error:
        raise BadRequest(str(error)) from error
    context: dict[str, Any] = {"max_choices": MAX_CHOICES}
    if row is None:
        context["is_full"] = True
        return render(request, "polls/form.html#added", context, status=422)
    context |= {"choice": row.form, "total": row.number}
    context["is_full"] = row.number == MAX_CHOICES
    return render(request, "polls/form.html#added", context)


@require_http_methods(["GET", "HEAD", "POST"])
@needs("polls.delete_question")
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    question = _find(request, Question.objects.all(), pk)
    total = question.choices.aggregate(total=Sum("votes"))["total"] or 0
    if request.method == "POST":
        versioning.describe(f"Delete “{question}”")
        _say(request, f"“{question}” is deleted")
        question.delete()
        return see_other(reverse("polls:index"))
    return render(request, "polls/delete.html", {"question": question, "total": total})


def see_other(url: str) -> HttpResponse:
    """A redirect after a form that was taken: 303, so that it is read with GET."""
    response = HttpResponseRedirect(url)
    response.status_code = 303
    return response

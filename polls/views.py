"""Vote, read results, edit. What is a commit and where is the middleware's."""

from typing import Any

from django.core.exceptions import BadRequest
from django.core.signing import BadSignature, Signer
from django.db.models import F, Q, Sum
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_GET, require_http_methods, require_POST

import versioning
from polls.forms import MAX_CHOICES, ChoiceFormSet, QuestionForm
from polls.models import Choice, Question
from versioning.access import needs
from versioning.http import page_or_part
from versioning.place import TOKEN_FIELD

PAGE = 20
_signer = Signer(salt="polls.index")


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """Published questions, newest first; ``?q=`` searches, ``?after=`` goes on."""
    search = request.GET.get("q", "").strip()
    questions = Question.objects.published().annotate(total=Sum("choices__votes"))
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
    context = {"questions": found[:PAGE], "search": search, "more": more}
    return page_or_part(request, "polls/index.html", "list", context)


def _cursor(question: Question) -> str:
    return _signer.sign(f"{question.published.isoformat()} {question.pk}")


def _read_cursor(text: str) -> tuple[Any, int]:
    try:
        published, pk = _signer.unsign(text).split(" ")
    except BadSignature as error:
        raise BadRequest("This address is damaged.") from error
    return parse_datetime(published), int(pk)


@require_GET
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    question = get_object_or_404(Question.objects.published(), pk=pk)
    return render(request, "polls/detail.html", {"question": question})


@require_POST
@versioning.open_to_all
def vote(request: HttpRequest, pk: int) -> HttpResponse:
    """Count one vote; the form's token makes it count once."""
    question = get_object_or_404(Question.objects.published(), pk=pk)
    token = request.POST.get(TOKEN_FIELD)
    if not token:
        raise BadRequest("The form has no one-time token.")
    given = request.POST.get("choice", "")
    choice = question.choices.filter(pk=given).first() if given.isdecimal() else None
    if choice is None:
        return render(
            request,
            "polls/detail.html",
            {"question": question, "problem": "Choose one of the answers first."},
            status=422,
        )
    Choice.objects.filter(pk=choice.pk, question=question).update(votes=F("votes") + 1)
    versioning.describe(f"Vote for “{choice}” in “{question}”")
    url = reverse("polls:results", args=[question.pk])
    return see_other(f"{url}?receipt={token}")


@require_GET
def results(request: HttpRequest, pk: int) -> HttpResponse:
    question = get_object_or_404(Question.objects.published(), pk=pk)
    choices = list(question.choices.order_by("-votes", "pk"))
    total = sum(choice.votes for choice in choices)
    rows = [
        (choice, round(100 * choice.votes / total) if total else 0)
        for choice in choices
    ]
    return render(
        request,
        "polls/results.html",
        {"question": question, "rows": rows, "total": total},
    )


@require_http_methods(["GET", "POST"])
@needs("polls.add_question")
def create(request: HttpRequest) -> HttpResponse:
    return _edit(request, Question())


@require_http_methods(["GET", "POST"])
@needs("polls.change_question")
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    return _edit(request, get_object_or_404(Question, pk=pk))


def _edit(request: HttpRequest, question: Question) -> HttpResponse:
    is_new = question.pk is None
    if request.method == "GET":
        form = QuestionForm(instance=question)
        choices = ChoiceFormSet(instance=question, prefix="choices")
        return _form(request, form, choices)
    form = QuestionForm(request.POST, instance=question)
    if "add" in request.POST:
        choices = ChoiceFormSet(_one_more(request), instance=question, prefix="choices")
        return _form(request, form, choices, status=422, quiet=True)
    choices = ChoiceFormSet(request.POST, instance=question, prefix="choices")
    stale = form.is_stale
    if stale or not (form.is_valid() and choices.is_valid()):
        return _form(request, form, choices, status=409 if stale else 422, stale=stale)
    question = form.save_changes()
    choices.instance = question
    choices.save()
    what = [str(name) for name in form.changed_data if name != "seen"]
    if choices.has_changed():
        what.append("choices")
    versioning.describe(
        f"Add “{question}”" if is_new else f"Edit “{question}”: {', '.join(what)}"
    )
    return see_other(
        reverse("polls:detail", args=[question.pk])
        if question in Question.objects.published()
        else reverse("polls:index")
    )


def _one_more(request: HttpRequest) -> Any:
    """The form's data with room for one more choice."""
    data = request.POST.copy()
    count = data.get("choices-TOTAL_FORMS", "0")
    if count.isdecimal() and int(count) < MAX_CHOICES:
        data["choices-TOTAL_FORMS"] = str(int(count) + 1)
    return data


def _form(
    request: HttpRequest,
    form: QuestionForm,
    choices: Any,
    *,
    status: int = 200,
    stale: bool = False,
    quiet: bool = False,
) -> HttpResponse:
    current = None
    if stale:
        # What is there now, beside what was typed; sending again is a decision.
        current = Question.objects.get(pk=form.instance.pk)
        data: Any = request.POST.copy()
        data["seen"] = form.initial["seen"]
        form.data = data
    context = {
        "form": form,
        "choices": choices,
        "current": current,
        "question": form.instance,
        "quiet": quiet,
    }
    return render(request, "polls/form.html", context, status=status)


@require_GET
@needs("polls.change_question")
def choice_row(request: HttpRequest) -> HttpResponse:
    """One more empty row for the form, for HTMX."""
    count = request.GET.get("choices-TOTAL_FORMS", "")
    if not count.isdecimal() or int(count) >= MAX_CHOICES:
        raise BadRequest(f"A question has {MAX_CHOICES} choices at most.")
    empty = ChoiceFormSet(prefix="choices").empty_form
    empty.prefix = f"choices-{int(count)}"
    context = {"choice": empty, "total": int(count) + 1}
    return render(request, "polls/form.html#added", context)


@require_http_methods(["GET", "POST"])
@needs("polls.delete_question")
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    question = get_object_or_404(Question, pk=pk)
    if request.method == "POST":
        versioning.describe(f"Delete “{question}”")
        question.delete()
        return see_other(reverse("polls:index"))
    total = question.choices.aggregate(total=Sum("votes"))["total"] or 0
    return render(request, "polls/delete.html", {"question": question, "total": total})


def see_other(url: str) -> HttpResponse:
    """A redirect after a form that was taken: 303, so that it is read with GET."""
    response = HttpResponseRedirect(url)
    response.status_code = 303
    return response

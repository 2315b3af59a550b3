from django.db.models import F
from django.http import HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

import versioning
from polls.models import Choice, Question


@require_GET
def index(request):
    return render(request, "polls/index.html", {"questions": Question.objects.published()})


@require_GET
def detail(request, pk):
    question = get_object_or_404(Question.objects.published(), pk=pk)
    return render(request, "polls/detail.html", {"question": question})


@require_POST
@versioning.open_to_all
def vote(request, pk):
    question = get_object_or_404(Question.objects.published(), pk=pk)
    choice = get_object_or_404(Choice, pk=request.POST.get("choice"), question=question)
    Choice.objects.filter(pk=choice.pk).update(votes=F("votes") + 1)
    versioning.describe(f"Vote for “{choice}” in “{question}”")
    url = reverse("polls:results", args=[pk])
    response = HttpResponseRedirect(f"{url}?receipt={request.POST.get('versioning_token','')}")
    response.status_code = 303
    return response


@require_GET
def results(request, pk):
    question = get_object_or_404(Question, pk=pk)
    return render(request, "polls/results.html", {"question": question})


@require_http_methods(["GET", "POST"])
def create(request):
    return render(request, "polls/index.html")


choice_row = edit = create


@require_http_methods(["GET", "POST"])
def delete(request, pk):
    question = get_object_or_404(Question, pk=pk)
    if request.method == "POST":
        question.delete()
        response = HttpResponseRedirect("/")
        response.status_code = 303
        return response
    return render(request, "polls/index.html")

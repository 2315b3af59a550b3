from django.forms import modelform_factory
from django.shortcuts import get_object_or_404, redirect, render  # noqa: F401
from django.views.decorators.http import require_POST  # noqa: F401

from recipes.models import Recipe


def show(request, pk):
    recipe = get_object_or_404(Recipe, pk=pk)
    form = modelform_factory(Recipe, fields=["title"])(instance=recipe)
    return render(request, "recipes/recipe.html", {"form": form})


# README.md goes on here.

"""A question and its choices, in one form."""

import hashlib
import json
from typing import Any

from django import forms
from django.forms import BaseInlineFormSet, inlineformset_factory

from polls.models import Choice, Question

MIN_CHOICES = 2
MAX_CHOICES = 20


class QuestionForm(forms.ModelForm):
    """``seen`` says which version of the question the form was opened on."""

    seen = forms.CharField(widget=forms.HiddenInput, required=False)

    class Meta:
        model = Question
        fields = ["text", "details", "published"]
        widgets = {
            "text": forms.TextInput(attrs={"autocomplete": "off"}),
            "details": forms.Textarea(attrs={"rows": 3}),
            "published": forms.DateTimeInput(
                attrs={"type": "datetime-local", "step": "1"},
                format="%Y-%m-%dT%H:%M:%S",
            ),
        }

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.initial["seen"] = fingerprint(self.instance)
        # The browser's field knows no fractions of a second: without this a
        # question that nobody rescheduled would count as changed.
        self.initial["published"] = self.instance.published.replace(microsecond=0)

    @property
    def is_stale(self) -> bool:
        """Whether somebody changed the question since the form was opened."""
        sent = self.data.get(self.add_prefix("seen"), "")
        return bool(self.instance.pk) and sent != fingerprint(self.instance)

    def save_changes(self) -> Question:
        """Write only what was changed, so that rows merge cell by cell."""
        if self.instance.pk is None:
            question: Question = self.save()
            return question
        if names := [name for name in self.changed_data if name != "seen"]:
            self.instance.save(update_fields=names)
        return self.instance


class ChoiceForm(forms.ModelForm):
    class Meta:
        model = Choice
        fields = ["text"]
        widgets = {"text": forms.TextInput(attrs={"autocomplete": "off"})}


class BaseChoices(BaseInlineFormSet):
    def save_existing(self, form: Any, obj: Any, commit: bool = True) -> Any:
        """Never writes the votes, which may have gone up meanwhile."""
        form.instance.save(update_fields=["text"])
        return form.instance


ChoiceFormSet = inlineformset_factory(
    Question,
    Choice,
    form=ChoiceForm,
    formset=BaseChoices,
    extra=0,
    min_num=MIN_CHOICES,
    validate_min=True,
    max_num=MAX_CHOICES,
    validate_max=True,
    can_delete=True,
)


def fingerprint(question: Question) -> str:
    """A short text that differs when a question or its choices' texts differ."""
    if question.pk is None:
        return ""
    state = Question.objects.get(pk=question.pk)
    rows = state.choices.order_by("pk").values_list("pk", "text")
    parts = [state.text, state.details, state.published.isoformat(), list(rows)]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]

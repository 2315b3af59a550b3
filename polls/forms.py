"""
A question and its choices, in one form.

Each field carries the value that it was opened with, so that a save can tell
what this person changed from what somebody else changed meanwhile, and writes
nothing but the former: rows then merge cell by cell.
"""

import datetime as dt
import hashlib
import json
import unicodedata
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms import BaseInlineFormSet, inlineformset_factory
from django.http import QueryDict
from django.utils import formats, timezone

from polls.models import Choice, Question

MIN_CHOICES = 2
MAX_CHOICES = 20
PREFIX = "choices"
TOO_MANY = "A question has %(num)d choices at most."

#: The fields as a commit's message names them.
_WORDS = {"text": "question", "details": "details", "published": "date"}


class LinesField(forms.CharField):
    """A text of several lines. Browsers send the end of each as two characters."""

    def to_python(self, value: Any) -> str:
        return str(super().to_python(value)).replace("\r\n", "\n")


class QuestionForm(forms.ModelForm):
    """``seen`` says which version of the question the form was opened on."""

    seen = forms.CharField(widget=forms.HiddenInput, required=False)

    class Meta:
        model = Question
        fields = ["text", "details", "published"]
        field_classes = {"details": LinesField}
        help_texts = {"published": "People can vote from then on."}
        error_messages = {
            "text": {"required": "The question is missing."},
            "published": {"required": "Say from when on people can vote."},
        }
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
        for name in self.Meta.fields:
            self.fields[name].show_hidden_initial = True
        self.initial["seen"] = fingerprint(self.instance)
        # The browser's field knows no fractions of a second: without this a
        # question that nobody rescheduled would count as changed.
        self.initial["published"] = self.instance.published.replace(microsecond=0)

    def clean_published(self) -> dt.datetime:
        """Refuse a moment that is in no year of the zone that it is kept in."""
        moment: dt.datetime = self.cleaned_data["published"]
        try:
            moment.astimezone(dt.UTC)
        except OverflowError as error:
            raise ValidationError("Choose a date nearer to today.") from error
        return moment

    @property
    def changed_names(self) -> list[str]:
        """What this person changed, as field names."""
        return [name for name in self.changed_data if name in self.Meta.fields]


class ChoiceForm(forms.ModelForm):
    class Meta:
        model = Choice
        fields = ["text"]
        widgets = {"text": forms.TextInput(attrs={"autocomplete": "off"})}

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["text"].show_hidden_initial = True


class BaseChoices(BaseInlineFormSet):
    default_error_messages = {
        "too_few_forms": "A question needs at least %(num)d choices.",
        "too_many_forms": TOO_MANY,
    }

    def add_fields(self, form: Any, index: int | None) -> None:
        """Of several choices without a text, each says which it is."""
        super().add_fields(form, index)
        if index is not None:
            empty = f"Choice {index + 1} has no text yet."
            form.fields["text"].error_messages["required"] = empty

    def clean(self) -> None:
        """
        Refuse two choices that read alike. The engines don't agree on which
        texts are equal (case, accents), so it is decided here, as the more
        careful one does. And choices that are said to be there and are not, or not
        of this question, as no page of ours sends them.
        """
        super().clean()
        if any(form.instance.pk is None for form in self.initial_forms):
            raise ValidationError("These choices are not of this question.")
        seen = set()
        for form in self.forms:
            if form in self.deleted_forms:
                continue
            text = form.cleaned_data.get("text", "") if form.is_valid() else ""
            if text and (key := _folded(text)) in seen:
                form.add_error("text", "This question has that choice already.")
            elif text:
                seen.add(key)

    def save(self, commit: bool = True) -> Any:
        """
        A choice may take a text that another gives up, as where two trade theirs:
        it is given up first, as no two may have the same, not even for a moment.
        """
        going = set(self.deleted_forms)
        changed = [form for form in self.forms if form.has_changed()]
        wanted = {_folded(f.cleaned_data["text"]) for f in changed if f not in going}
        for form in self.initial_forms:
            is_free = form in going or "text" in form.changed_data
            if is_free and _folded(form.initial["text"]) in wanted:
                given_up = Choice.objects.filter(pk=form.instance.pk)
                given_up.update(text=uuid.uuid4().hex)
        return super().save(commit)

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


@dataclass(frozen=True, slots=True)
class Change:
    """
    What somebody else did to a field or a choice since the form was opened; None
    is no choice. ``yours`` is what this person made of it, "" if nothing else.
    """

    name: str
    was: str | None
    now: str | None
    yours: str = ""


class PollForm:
    """
    The form of a question and the forms of its choices, as one.

    Raises ``ValueError``, with a sentence, for data that no page of ours sends.
    """

    def __init__(self, question: Question, data: QueryDict | None = None):
        self.question = question
        self.is_new = question._state.adding
        self.show_errors = data is not None
        self.is_rebased = False
        self.meanwhile: list[Change] = []  # what others did, where it is rebased
        self._data = data or QueryDict()
        self._bind(data)
        if self.choices.is_bound and not self.choices.management_form.is_valid():
            raise ValueError("The form’s count of choices is damaged.")

    def _bind(self, data: QueryDict | None) -> None:
        self.fields = QuestionForm(data, instance=self.question)
        self.choices = ChoiceFormSet(data, instance=self.question, prefix=PREFIX)

    @property
    def is_stale(self) -> bool:
        """Whether somebody changed the question since the form was opened."""
        sent = self.fields.data.get("seen", "")
        return not self.is_new and sent != fingerprint(self.question)

    def is_valid(self) -> bool:
        # Both, so that everything wrong is said at once.
        return all([self.fields.is_valid(), self.choices.is_valid()])

    @property
    def has_changed(self) -> bool:
        """Whether there is anything to save."""
        changed = self.fields.changed_names or self.choices.has_changed()
        return bool(self.is_new or changed)

    @property
    def is_full(self) -> bool:
        """Whether there is no room for another choice."""
        return bool(self.choices.total_form_count() >= MAX_CHOICES)

    def add_row(self) -> bool:
        """
        Show one more empty choice, if there is room, else say that there is
        none; nothing else is checked yet.
        """
        has_room = not self.is_full
        data = self._data.copy()
        if has_room:
            count = self.choices.total_form_count() + 1
            data[f"{PREFIX}-TOTAL_FORMS"] = str(count)
        self._bind(data)
        self._forget_errors()
        if not has_room:
            self.show_errors = True
            self.choices.non_form_errors().append(TOO_MANY % {"num": MAX_CHOICES})
        return has_room

    def _forget_errors(self) -> None:
        self.show_errors = False
        for form in (self.fields, *self.choices.forms):
            form.errors.clear()
        self.choices.non_form_errors().clear()

    def rebase(self) -> None:
        """
        Put what this person changed on top of what is there now, and show it
        without saving: to send it again is to decide.
        """
        data = self._data.copy()
        current = Question.objects.get(pk=self.question.pk)
        fresh = QuestionForm(instance=current)
        meanwhile = [*self._changed_fields(fresh), *self._changed_choices(current)]
        touched = set(self.fields.changed_names)
        for name in ("seen", *QuestionForm.Meta.fields):
            now = fresh[name].field.widget.format_value(fresh[name].value()) or ""
            if name not in touched:
                data[name] = now
            data[f"initial-{name}"] = now
        rows = self._rebased_rows(current)
        data[f"{PREFIX}-INITIAL_FORMS"] = str(current.choices.count())
        data[f"{PREFIX}-TOTAL_FORMS"] = str(len(rows))
        for number, row in enumerate(rows):
            for name, value in row.items():
                data.setlist(f"{PREFIX}-{number}-{name}", [value] if value else [])
            data[f"initial-{PREFIX}-{number}-text"] = row["was"]
        self._bind(data)
        self._forget_errors()
        self.is_rebased = True
        self.meanwhile = meanwhile

    def _changed_fields(self, fresh: QuestionForm) -> Iterator[Change]:
        touched = self.fields.changed_names
        for name in QuestionForm.Meta.fields:
            was, now, sent = (
                _in_words(fresh.fields[name], value)
                for value in (
                    _opened_with(self.fields, name),
                    fresh[name].value(),
                    self.fields[name].data,
                )
            )
            if was != now:
                yours = sent if name in touched and sent != now else ""
                yield Change(str(fresh[name].label), was, now, yours)

    def _changed_choices(self, current: Question) -> Iterator[Change]:
        here = {str(choice.pk): choice.text for choice in current.choices.all()}
        for form in self.choices.initial_forms:
            was, sent = _opened_with(form, "text"), form["text"].data or ""
            now = here.pop(form["id"].data or "", None)
            if was != now:
                is_yours = "text" in form.changed_data and sent != now
                yield Change("Choice", was, now, sent if is_yours else "")
        for text in here.values():
            yield Change("Choice", None, text)

    def _rebased_rows(self, current: Question) -> list[dict[str, str]]:
        """
        The choices that there are, reworded and marked for removal as this
        person did, then those that the person added, or changed and somebody
        else removed.
        """
        here = {str(choice.pk): choice for choice in current.choices.all()}
        rows = {
            key: {"id": key, "text": choice.text, "was": choice.text, "DELETE": ""}
            for key, choice in here.items()
        }
        added = []
        for form in self.choices.forms:
            key, text = form["id"].data or "", form["text"].data or ""
            is_changed = "text" in form.changed_data
            is_removed = bool(form["DELETE"].data)
            if key in rows:
                rows[key] |= {"text": text} if is_changed else {}
                rows[key] |= {"DELETE": "on"} if is_removed else {}
            elif is_changed and not is_removed:
                added.append({"id": "", "text": text, "was": "", "DELETE": ""})
        return [*rows.values(), *added]

    def save(self) -> str:
        """Write what was changed. Returns it in words, for the commit."""
        names = self.fields.changed_names
        if self.is_new:
            self.fields.save()
        elif names:
            self.question.save(update_fields=names)
        self.choices.instance = self.question
        self.choices.save()
        if self.is_new:
            return f"Add “{self.question}”"
        what = [_WORDS[name] for name in names]
        what += [f"choice “{choice}” added" for choice in self.choices.new_objects]
        what += [
            f"choice “{choice}” reworded" for choice, _ in self.choices.changed_objects
        ]
        what += [
            f"choice “{choice}” removed" for choice in self.choices.deleted_objects
        ]
        return f"Edit “{self.question}”: {', '.join(what)}"


@dataclass(frozen=True, slots=True)
class Row:
    form: Any
    number: int  # from 1, as the page counts


def empty_row(count: str) -> Row | None:
    """
    An empty choice after ``count`` others, if there is room for it. Raises
    ``ValueError``, with a sentence, if that is no number.
    """
    if not count.isdecimal() or len(count) > 3:
        raise ValueError("The form’s count of choices is damaged.")
    number = int(count) + 1
    if number > MAX_CHOICES:
        return None
    form = ChoiceFormSet(prefix=PREFIX).empty_form
    form.prefix = f"{PREFIX}-{number - 1}"
    form.fields["text"].widget.attrs["data-focus"] = True
    return Row(form, number)


def _opened_with(form: Any, name: str) -> str:
    """The value that a form's field had when its page was opened."""
    return str(form.data.get(form.add_initial_prefix(name)) or "")


def _in_words(field: forms.Field, value: Any) -> str:
    """What a field holds, as its form sends it or as it is stored."""
    with suppress(ValidationError):  # else it is as it was typed
        value = field.to_python(value)
    if isinstance(value, dt.datetime):
        return formats.date_format(timezone.localtime(value), "j F Y, H:i:s")
    return str(value or "")


def fingerprint(question: Question) -> str:
    """A short text that differs when a question or its choices' texts differ."""
    if question._state.adding:
        return ""
    state = Question.objects.get(pk=question.pk)
    rows = state.choices.order_by("pk").values_list("pk", "text")
    parts = [state.text, state.details, state.published.isoformat(), list(rows)]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def _folded(text: str) -> str:
    """A text without case and accents."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(sign for sign in apart if not unicodedata.combining(sign))

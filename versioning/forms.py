"""Forms of the console's branches, tags and log, and of a comparison's states."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.utils import timezone

from versioning import names
from versioning.branches import Loss
from versioning.log_filter import LogFilter

REF_LENGTH = 500  # branches made elsewhere may have long names


class RefInput(forms.TextInput):
    """A text field that offers what a page’s ``<datalist id="refs">`` names."""

    def __init__(self) -> None:
        super().__init__(
            {
                "list": "refs",
                "autocomplete": "off",
                "autocapitalize": "off",
                "spellcheck": "false",
            }
        )


#: Why a branch can't have a name, as a sentence; None if it can.
Refusal = Callable[[str], str | None]


class BranchNameField(forms.CharField):
    """The name of a branch to be: each thing wrong with it has its sentence."""

    def __init__(self, refusal: Refusal, **kwargs: Any):
        self.refusal = refusal
        super().__init__(
            max_length=REF_LENGTH,  # ``names`` says it better, and counts
            error_messages={"required": "A branch needs a name."},
            widget=forms.TextInput(
                {
                    "autocomplete": "off",
                    "autocapitalize": "off",
                    "spellcheck": "false",
                }
            ),
            **kwargs,
        )

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {**super().widget_attrs(widget), "maxlength": str(names.MAX_LENGTH)}

    def validate(self, value: str) -> None:
        super().validate(value)
        if reason := self.refusal(value):
            raise forms.ValidationError(reason, code="refused")


class BranchCreateForm(forms.Form):
    at = forms.CharField(
        label="Begin at",
        max_length=REF_LENGTH,
        widget=RefInput,
        help_text="A branch, a tag, or a commit by its hash: 7 characters are enough.",
        error_messages={"required": "Say where the branch begins."},
    )
    switch = forms.BooleanField(label="Switch to it", required=False, initial=True)

    def __init__(self, *args: Any, refusal: Refusal, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["name"] = BranchNameField(
            refusal,
            label="Name",
            help_text=f"{names.MAY_HOLD}: summer, fix/typo.",
        )
        self.order_fields(["name", "at", "switch"])


class BranchRenameForm(forms.Form):
    name = forms.CharField(max_length=REF_LENGTH, widget=forms.HiddenInput)

    def __init__(self, *args: Any, refusal: Refusal, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["to"] = BranchNameField(refusal, label="New name")


class BranchDeleteForm(forms.Form):
    """
    Asks for the name of each branch that would take unmerged work with it.

    Its fields are ``typed_0``, ``typed_1`` … in the order of ``losses``.
    """

    def __init__(self, *args: Any, losses: Sequence[Loss], **kwargs: Any):
        super().__init__(*args, **kwargs)
        self._expected: dict[str, str] = {}
        for number, loss in enumerate(losses):
            if loss.is_any:
                name = f"typed_{number}"
                self._expected[name] = loss.branch.name
                self.fields[name] = forms.CharField(
                    label="Type the branch’s name to delete it all the same",
                    required=False,
                    strip=False,
                    widget=forms.TextInput(
                        {
                            "autocomplete": "off",
                            "autocapitalize": "off",
                            "spellcheck": "false",
                        }
                    ),
                )

    def clean(self) -> None:
        for field, name in self._expected.items():
            if self.cleaned_data.get(field) != name:
                self.add_error(
                    field,
                    f"To delete “{name}” with all that only it holds, type its name.",
                )

    def field_for(self, number: int) -> forms.BoundField | None:
        """The field of the branch with this place in ``losses``, if it has one."""
        name = f"typed_{number}"
        return self[name] if name in self.fields else None


class CommitRowsForm(forms.Form):
    """What a commit of rows that nobody committed says."""

    message = forms.CharField(
        max_length=200,
        label="What the commit says",
        initial="Rows written from outside",
        error_messages={"required": "Say what these rows are."},
        widget=forms.TextInput({"autocomplete": "off"}),
    )

    def clean_message(self) -> str:
        message = str(self.cleaned_data["message"])
        if not message.isprintable():
            raise forms.ValidationError("A message is one line of text.")
        return message


class DiscardRowsForm(forms.Form):
    """To discard rows that nobody committed, one types the branch's name."""

    typed = forms.CharField(
        required=False,
        strip=False,
        label="Type the branch’s name to discard them",
        widget=forms.TextInput(
            {"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false"}
        ),
    )

    def __init__(self, *args: Any, branch: str, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self._branch = branch

    def clean_typed(self) -> str:
        typed = str(self.cleaned_data["typed"])
        if typed != self._branch:
            raise forms.ValidationError(
                f"To discard what nobody committed on “{self._branch}”, type its name."
            )
        return typed


class CompareForm(forms.Form):
    """Two refs. Sent by GET, so that what is compared stands in the address."""

    to = forms.CharField(max_length=REF_LENGTH, widget=RefInput, label="To")
    dots = forms.ChoiceField(
        choices=[("3", "since they parted"), ("2", "directly")],
        required=False,
        widget=forms.HiddenInput,
    )

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        # A field called “from” can’t be written as an attribute of the class.
        self.fields["from"] = forms.CharField(
            max_length=REF_LENGTH, widget=RefInput, label="From"
        )
        self.order_fields(["from", "to", "dots"])


class TagForm(forms.Form):
    """A tag to be. That its name is free, the service says."""

    name = forms.CharField(
        label="Name",
        max_length=REF_LENGTH,
        help_text=f"{names.MAY_HOLD}: v1.0, before-the-move.",
        error_messages={"required": "A tag needs a name."},
        widget=forms.TextInput(
            {
                "autocomplete": "off",
                "autocapitalize": "off",
                "spellcheck": "false",
                "maxlength": names.MAX_LENGTH,
            }
        ),
    )
    at = forms.CharField(
        label="Stands at",
        max_length=REF_LENGTH,
        widget=RefInput,
        help_text=(
            "A branch, another tag, or a commit by its hash: 7 characters are enough."
        ),
        error_messages={"required": "Say which commit the tag is for."},
    )
    message = forms.CharField(
        label="Message",
        required=False,
        max_length=1000,
        help_text="What this state is, for whoever finds it later.",
        widget=forms.Textarea({"rows": 3}),
    )


class LogForm(forms.Form):
    """Which commits the log lists. Sent by GET, so that it stands in the address."""

    q = forms.CharField(
        label="Text or hash",
        required=False,
        max_length=200,
        widget=forms.TextInput(
            {"type": "search", "placeholder": "a word of its message, or ab12cd3"}
        ),
    )
    author = forms.CharField(label="By", required=False, max_length=200)
    table = forms.ChoiceField(label="Changed", required=False)
    fold = forms.ChoiceField(choices=[("no", "no")], required=False)

    def __init__(self, *args: Any, tables: Sequence[tuple[str, str]], **kwargs: Any):
        super().__init__(*args, **kwargs)
        # A field called “from” can’t be written as an attribute of the class.
        for name, label in (("from", "From"), ("to", "Until")):
            self.fields[name] = forms.DateField(
                label=label,
                required=False,
                widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
                error_messages={"invalid": "A day looks like 2026-05-31."},
            )
        field = self.fields["table"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", "anything"), *tables]
        field.error_messages["invalid_choice"] = "There is no table “%(value)s” here."

    def clean(self) -> None:
        since, until = (self.cleaned_data.get(name) for name in ("from", "to"))
        if since and until and until < since:
            self.add_error("to", "This day is before that of “From”.")

    def wanted(self) -> LogFilter:
        """What a valid form asks for; days are the reader’s."""
        given = self.cleaned_data
        return LogFilter(
            text=given["q"],
            author=given["author"],
            since=_midnight(given["from"]),
            until=_midnight(_day_after(given["to"])),
            table=given["table"],
        )


def _day_after(day: date | None) -> date | None:
    """None after the last day of the calendar, too: no commit is of a later one."""
    return None if day is None or day == date.max else day + timedelta(days=1)


def _midnight(day: date | None) -> datetime | None:
    return timezone.make_aware(datetime.combine(day, time())) if day else None

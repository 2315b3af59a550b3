"""
Decisions as a form sends them: ``take:COLUMN``, and ``value:COLUMN`` with what
stood there before as ``had:COLUMN``, or in a form of mends as ``was:COLUMN``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import DatabaseError, models

from versioning.backends.repository import ConflictRow
from versioning.conf import connection
from versioning.merging.resolution import WHOLE_ROW, Choice, Take
from versioning.merging.validation import rule_failed
from versioning.values import TableValues
from versioning.visibility import require_shown

_TAKE = "take:"
_VALUE = "value:"
_HAD = "had:"
_WAS = "was:"
_SHOWN = "shown:"


_EITHER = (
    "You typed this and something else was chosen. It is chosen now: press “Keep "
    "these decisions” for it, or choose anew."
)


LISTED = 300  # choices


class ChoicesInvalid(ValueError):
    """What was typed can't be taken; ``errors`` says why, by column."""

    def __init__(self, errors: Mapping[str, str], typed: Mapping[str, str]):
        super().__init__("; ".join(errors.values()))
        self.errors = errors
        self.typed = typed


def read(
    row: ConflictRow, posted: Mapping[str, Any], *, by_script: bool = False
) -> dict[str, Choice | None]:
    """
    The decisions about one row that a form carries, by column; None takes a
    decision back. Raises ``ChoicesInvalid`` for a value that the column's
    field refuses, ``ValueError`` for what no form of ours sends, and
    ``PermissionDenied`` for a hidden column.

    What is typed is chosen with that, where nothing else is. ``by_script`` says
    that the form does so itself: else a value that was typed while something
    else stayed chosen is ``ChoicesInvalid``, too, as either may be meant.
    """
    choices: dict[str, Choice | None] = {}
    errors: dict[str, str] = {}
    typed: dict[str, str] = {}
    values = TableValues(row.table, connection())
    answers = {
        column: str(Take.VALUE)
        for column in _by_column(posted, _VALUE)
        if _is_new(column, posted)
    } | _by_column(posted, _TAKE)
    require_shown(row.table, answers)
    for column, answer in answers.items():
        if not answer:
            choices[column] = None
            continue
        take = Take(answer)
        if take is not Take.VALUE:
            choices[column] = Choice(take)
            if not by_script and _is_new(column, posted):
                typed[column] = _plain(posted[_VALUE + column])
                errors[column] = _EITHER
            continue
        if _VALUE + column not in posted:  # of a list, of which nothing is chosen yet
            errors[column] = "Choose one."
            continue
        typed[column] = _plain(posted[_VALUE + column])
        try:
            value = _cleaned(values, column, typed[column])
            choices[column] = Choice(Take.VALUE, value)
        except ValidationError as error:
            errors[column] = " ".join(error.messages)
    if errors:
        raise ChoicesInvalid(errors, typed)
    return choices


def shown(posted: Mapping[str, Any]) -> dict[str, str]:
    """Which decisions the form showed: ``Decision.stamp`` by column."""
    return _by_column(posted, _SHOWN)


def read_mends(row: ConflictRow, posted: Mapping[str, Any]) -> dict[str, Choice | None]:
    """
    What a form wants mended in a row of the result: ``take`` for the row as a
    whole, "" to leave it; ``value:COLUMN`` where it is not ``was:COLUMN``, as
    the form had it. Raises as ``read()``.
    """
    choices: dict[str, Choice | None] = {}
    errors: dict[str, str] = {}
    typed: dict[str, str] = {}
    values = TableValues(row.table, connection())
    answer = str(posted.get("take", ""))
    choices[WHOLE_ROW] = Choice(Take(answer)) if answer else None
    for column, given in _by_column(posted, _VALUE).items():
        text = _plain(given)
        typed[column] = text
        if text == _plain(posted.get(_WAS + column, "")):
            continue
        try:
            choices[column] = Choice(Take.VALUE, _cleaned(values, column, text))
        except ValidationError as error:
            errors[column] = " ".join(error.messages)
    if errors:
        raise ChoicesInvalid(errors, typed)
    return choices


def typed(posted: Mapping[str, Any]) -> dict[str, str]:
    """The texts that somebody typed into a form of either kind, by column."""
    texts = {}
    for column, given in _by_column(posted, _VALUE).items():
        text = _plain(given)
        take, was = posted.get(_TAKE + column), posted.get(_WAS + column)
        if was is None:
            is_typed = take == Take.VALUE or _is_new(column, posted)
        else:
            is_typed = text != _plain(was)
        if is_typed:
            texts[column] = text
    return texts


def _by_column(posted: Mapping[str, Any], prefix: str) -> dict[str, str]:
    return {
        name.removeprefix(prefix): str(posted[name])
        for name in posted
        if name.startswith(prefix)
    }


def _is_new(column: str, posted: Mapping[str, Any]) -> bool:
    """Whether something stands beside a column's choices that did not before."""
    text = _plain(posted.get(_VALUE + column, ""))
    return text not in ("", _plain(posted.get(_HAD + column, "")))


def _plain(text: Any) -> str:
    """As it was before a browser ended its lines for the wire."""
    return str(text).replace("\r\n", "\n")


def _cleaned(values: TableValues, column: str, text: str) -> Any:
    """What the driver takes to store a typed text. Raises ``ValidationError``."""
    field = values.field(column)
    if field is None:
        raise ValueError(f"Nothing can be typed for {column}.")
    form_field = typing_field(field)
    if form_field is None:
        raise ValueError(f"Nothing can be typed for {column}.")
    try:
        if isinstance(field, models.JSONField):
            _require_json(text)
        value = form_field.clean(text)
        if not text and field.null:
            value = None
        elif isinstance(field, models.ForeignKey):
            value = _key_field(field).to_python(value)
        elif value is None and isinstance(field, models.JSONField) and field.null:
            value = models.Value(None, field)  # the document “null”
        else:
            value = field.clean(value, None)
        return values.to_driver(column, value)
    except (ValidationError, DatabaseError):
        raise
    except Exception as error:  # a mistake of the application's own
        raise ValidationError(rule_failed(error, values.table)) from error


def _require_json(text: str) -> None:
    """
    Raises ``ValidationError`` for what Python takes for JSON and others do not:
    NaN, and numbers beyond all that there are.
    """

    def refuse(number: str) -> None:
        raise ValidationError(f"JSON has no number “{number}”.")

    def finite(number: str) -> None:
        if math.isinf(float(number)):
            refuse(number)

    try:
        json.loads(text, parse_constant=refuse, parse_float=finite)
    except json.JSONDecodeError:
        return  # which the form's field says in its own words
    except ValueError as error:
        raise ValidationError("A number in it is too long.") from error
    except RecursionError as error:
        raise ValidationError("This is nested too deep.") from error


def typing_field(field: models.Field[Any, Any]) -> forms.Field | None:
    """
    The form field that reads what a person types for a model field; None
    where nothing sensible can be typed, such as bytes and files.

    For a reference to another row that is the row's key: which rows there
    will be is known only of the result.
    """
    if isinstance(field, models.BinaryField | models.FileField):
        return None
    if isinstance(field, models.ForeignKey):
        key = _key_field(field).formfield(required=not field.null)
        return key or forms.IntegerField(required=not field.null)
    if isinstance(field, models.BooleanField) and not field.choices:
        return _YesOrNo(required=not field.null)
    form_field = field.formfield(required=not (field.blank or field.null))
    if isinstance(form_field, forms.CharField):
        form_field.strip = False
    return form_field


def texts_to_choose(field: models.Field[Any, Any]) -> dict[str, str]:
    """
    What can be typed for a field with choices, and how that is called; {} for any
    other field, and for more choices than a list is good for.
    """
    form_field = typing_field(field)
    if not isinstance(form_field, forms.ChoiceField) or (
        len(field.flatchoices) > LISTED
    ):
        return {}
    none = {} if form_field.required else {"": "none"}
    return none | {
        "" if value is None else str(value): str(label)
        for value, label in field.flatchoices
    }


def _key_field(field: models.ForeignKey[Any, Any]) -> Any:
    """The field whose values a foreign key holds: that of a key which is one, too."""
    target: Any = field.target_field
    return _key_field(target) if isinstance(target, models.ForeignKey) else target


class _YesOrNo(forms.Field):
    """A boolean in words, as pages show it; forms have checkboxes for it."""

    _WORDS = {"yes": True, "true": True, "1": True}
    _WORDS |= {"no": False, "false": False, "0": False}

    def to_python(self, value: Any) -> bool | None:
        word = str(value).strip().lower()
        if value and word not in self._WORDS:
            raise ValidationError("Enter Yes or No.")
        return self._WORDS.get(word)

    def prepare_value(self, value: Any) -> Any:
        return {True: "Yes", False: "No"}.get(value, value)

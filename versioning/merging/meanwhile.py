"""
Two people at one row of a draft: nobody overwrites what they have not seen.

A form says which decisions it showed, ``Decision.shown_as`` by column. What a
person left as it was shown is not theirs: it is neither kept anew under their
name nor able to overwrite anything.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from versioning.backends.errors import VersioningError
from versioning.merging.resolution import Choice
from versioning.models import Decision, answer_of
from versioning.values import encode

Wanted = Mapping[str, Choice | None]  # by column; None takes a decision back
Shown = Mapping[str, str]  # by column: ``Decision.shown_as``, or only its stamp


class DecidedMeanwhile(VersioningError):
    """
    Somebody else decided about the row since the form was made.

    ``others`` holds what they decided, by column, and None where they took
    back what the form showed; ``wanted``, what was to be kept and is not.
    """

    def __init__(self, others: Mapping[str, Decision | None], wanted: Wanted):
        super().__init__("Somebody else decided about this row meanwhile.")
        self.others = others
        self.wanted = wanted


def answer(choice: Choice | None) -> str:
    """As ``Decision.answer``; "" for none."""
    return "" if choice is None else answer_of(choice.take, encode(choice.value))


def touched(wanted: Wanted, shown: Shown) -> dict[str, Choice | None]:
    """What a form wants otherwise than it showed it."""
    return {
        column: choice
        for column, choice in wanted.items()
        if answer(choice) != shown.get(column, "").partition(" ")[2]
        or (choice is None and column in shown)
    }


def still_to_keep(
    made: Mapping[str, Decision], wanted: Wanted
) -> dict[str, Choice | None]:
    """Without what is decided alike already: that stays whose it is."""
    return {
        column: choice
        for column, choice in wanted.items()
        if column not in made
        or made[column].outdated
        or made[column].answer != answer(choice)
    }


def require_seen(
    made: Mapping[str, Decision],
    columns: Iterable[str],
    wanted: Wanted,
    shown: Shown,
    user: Any,
) -> None:
    """Raise ``DecidedMeanwhile`` if the form did not show these ``columns`` so."""
    others: dict[str, Decision | None] = {}
    for column in columns:
        seen = shown.get(column, "").partition(" ")[0]
        decision = made.get(column)
        if decision is None:
            if seen:
                others[column] = None
        elif decision.decided_by_id != user.pk and decision.stamp != seen:
            others[column] = decision
    if others:
        raise DecidedMeanwhile(others, wanted)

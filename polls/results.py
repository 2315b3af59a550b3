"""Votes as shares."""

from collections.abc import Iterable
from dataclasses import dataclass

from polls.models import Choice


@dataclass(frozen=True, slots=True)
class Result:
    choice: Choice
    percent: int  # of all votes, rounded
    width: str  # the same with a decimal, as an attribute of SVG takes it: "33.3%"
    leads: bool  # nobody has more votes, and there are some


def tally(choices: Iterable[Choice]) -> list[Result]:
    """What each choice got, most votes first; equal ones in the voters' order."""
    ranked = sorted(choices, key=lambda choice: (-choice.votes, choice.pk))
    total = sum(choice.votes for choice in ranked)
    most = max((choice.votes for choice in ranked), default=0)
    return [
        Result(
            choice,
            percent=round(100 * choice.votes / total) if total else 0,
            width=f"{100 * choice.votes / total:.1f}%" if total else "0%",
            leads=0 < choice.votes == most,
        )
        for choice in ranked
    ]

"""What somebody chose for a cell or a row, in words and with its value."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from versioning.merging import choices
from versioning.merging.resolution import WHOLE_ROW, Choice, Take
from versioning.merging.sources import parse
from versioning.presentation.cells import HIDDEN, Shown, show
from versioning.presentation.conflicts import Names
from versioning.values import TableValues, decode
from versioning.visibility import hidden_among

#: A version of a row that is not there, as ``drafts.seen()`` has it.
_NO_ROW: dict[str, Any] = {"row": None}


@dataclass(frozen=True, slots=True)
class Said:
    """A choice: ``shown`` is the value that it makes, where it is one of a cell."""

    words: str
    shown: Shown | None


def said(
    values: TableValues, column: str, choice: Choice, seen: list[Any], names: Names
) -> Said:
    """
    A choice for a column of the table, or for the row (``WHOLE_ROW``);
    ``seen`` is what it was made on, as ``drafts.seen()`` gives it.
    """
    base, ours, theirs = (shown_of(values, column, encoded) for encoded in seen)
    match choice.take:
        case Take.OURS:
            return Said(f"{_fate(column, seen[1])}as on {names.ours}", ours)
        case Take.THEIRS:
            return Said(f"{_fate(column, seen[2])}as on {names.theirs}", theirs)
        case Take.BASE:
            return Said("as it was before", base)
        case Take.SUM:
            return Said("both counted", None)
        case Take.BOTH:
            return Said("both rows kept", None)
        case Take.DROP:
            return Said("left out", None)
    return Said("typed", shown_value(values, column, choice.value))


def _fate(column: str, encoded: Any) -> str:
    """What becomes of a row by a choice about the whole of it."""
    if column != WHOLE_ROW:
        return ""
    return "deleted, " if encoded == _NO_ROW else "kept, "


def row_states(seen: list[Any]) -> tuple[str, str, str]:
    """What a whole row was in each of the versions that a decision was made on."""
    base, *sides = seen
    if base == _NO_ROW:
        ours, theirs = ("none" if one == _NO_ROW else "added" for one in sides)
        return "none", ours, theirs

    def state(side: Any) -> str:
        if side == _NO_ROW:
            return "deleted"
        return "as before" if side == base else "changed"

    return "there", state(sides[0]), state(sides[1])


def shown_of(values: TableValues, column: str, encoded: Any) -> Shown | None:
    """One of a decision's three values; None for a whole row, or where none was."""
    if column == WHOLE_ROW or "value" not in encoded:
        return None
    return shown_value(values, column, decode(encoded["value"]))


def shown_value(values: TableValues, column: str, raw: Any) -> Shown:
    if hidden_among(values.table, [column]):
        return HIDDEN
    return show(values.to_field(column, raw), values.field(column), raw=raw)


def column_name(values: TableValues, column: str) -> str:
    """What a decision is about: a column's name, or the row."""
    return "The row" if column == WHOLE_ROW else values.column_name(column)


def typed_texts(posted: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What somebody typed into a form about a row: columns by name, and texts."""
    values = TableValues(str(posted.get("table", "")))
    typed = choices.typed(posted)
    return [(column_name(values, column), text) for column, text in typed.items()]


def chosen_texts(posted: Mapping[str, Any]) -> list[tuple[str, str]]:
    """All that somebody chose in a form about a row: columns by name, in words."""
    ours, theirs = posted.get("target", ""), parse(posted.get("source", "")).label
    words = {
        Take.OURS: f"as on {ours}",
        Take.THEIRS: f"as on {theirs}",
        Take.BASE: "as it was before",
        Take.SUM: "both counted",
        Take.BOTH: "both rows kept",
        Take.DROP: "left out",
    }
    values = TableValues(str(posted.get("table", "")))
    chosen = [
        (column_name(values, name.removeprefix("take:")), words[Take(take)])
        for name, take in posted.items()
        if name.startswith("take:") and take in {*words}
    ]
    whole = posted.get("row") or posted.get("take")
    if whole in {*words}:
        about = "The whole row" if posted.get("scope", "row") == "row" else "All of it"
        chosen = [(about, words[Take(whole)])]
    return chosen + typed_texts(posted)

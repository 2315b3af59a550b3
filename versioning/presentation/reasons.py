"""
Why rows break a rule, in words that the reader may read.

What a model or an invariant says is the application’s own text, and may quote
any column of the row, and of what that inherits from or points to: it is not
shown to whom one of those is hidden from.
"""

from collections.abc import Collection, Sequence

from versioning.values import table_name
from versioning.visibility import hidden_among, may_quote_hidden

BREAKS_HIDDEN = "It breaks a rule about a column that is hidden from you."
_UNSAID = "The reason can’t be shown, as it may hold what you may not see."
_BREAKS_SOME = f"It breaks a rule of its table. {_UNSAID}"


def of_row(
    table: str, reasons: Sequence[str], columns: Collection[str] = ()
) -> tuple[str, ...]:
    """What is said against a row; ``columns`` are those that it is about, if known."""
    if not reasons or not may_quote_hidden(table):
        return tuple(reasons)
    return (BREAKS_HIDDEN if hidden_among(table, columns) else _BREAKS_SOME,)


def of_what_it_bears_on(table: str, reason: str) -> str:
    """What is said of a row of ``table`` that another one belongs to."""
    if may_quote_hidden(table):
        return f"What was done with it breaks a rule of {table_name(table)}. {_UNSAID}"
    return f"What was done with it breaks a rule: {reason}"

"""Tables of a merge of which somebody who decides may see no row."""

from collections.abc import Iterable

from versioning.backends.repository import MergeSides
from versioning.conf import repository
from versioning.visibility import withholds_rows


def withheld(sides: MergeSides, tables: Iterable[str]) -> frozenset[str]:
    """
    Those of the tables whose rows are told apart by what is hidden from the
    reader. Nothing is decided there but by those who may see it.
    """
    at_hand = repository()
    return frozenset(
        table
        for table in set(tables)
        if withholds_rows(
            at_hand, [(table, at) for at in (sides.base, sides.ours, sides.theirs)]
        )
    )

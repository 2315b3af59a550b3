"""
A draft's decisions about one table, for more rows than a page shows.

Which rows it decides about is read once, as a hash and numbers for each; what
it decides, for the rows at hand. By primary key, as Dolt takes a second for
a thousand hashes in an index of several columns, and 10 ms for these.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from versioning import policies
from versioning.backends.repository import ConflictRow, MergeSides
from versioning.merging import deciding, drafts, preview
from versioning.merging.locking import while_open
from versioning.merging.resolution import Choice, RowResolution, Take, resolve
from versioning.merging.withheld import withheld
from versioning.models import Decision, MergeDraft
from versioning.values import decode
from versioning.visibility import shown_among

AT_ONCE = 500  # decisions read by one statement


class TableDecisions:
    """Without a draft nothing is decided."""

    def __init__(self, draft: MergeDraft | None, table: str):
        self._counters = policies.counters_of(table)
        self._numbers: dict[str, list[int]] = defaultdict(list)  # by the key's hash
        if draft is not None:
            made = draft.decisions.filter(table=table, mends=False)
            for digest, number in made.values_list("key_hash", "pk").iterator():
                self._numbers[digest].append(number)

    def resolve(self, rows: Sequence[ConflictRow]) -> list[RowResolution]:
        """The rows as ``drafts.judge()`` has them, in their order."""
        digests = [drafts.key_hash(row.key) for row in rows]
        made = self._made(
            [number for digest in digests for number in self._numbers.get(digest, ())]
        )
        return [
            resolve(
                row,
                {
                    column: Choice(Take(take), decode(value))
                    for column, take, value, seen in made.get(digest, ())
                    if seen == drafts.seen(row, column)
                },
                self._counters,
            )
            for row, digest in zip(rows, digests, strict=True)
        ]

    def _made(self, numbers: Sequence[int]) -> dict[str, list[tuple[Any, ...]]]:
        """(column, take, value, seen) of decisions, by their key's hash."""
        found: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
        for digest, *decision in self._read(numbers):
            found[digest].append(tuple(decision))
        return found

    @staticmethod
    def _read(numbers: Sequence[int]) -> Iterator[tuple[Any, ...]]:
        for start in range(0, len(numbers), AT_ONCE):
            yield from Decision.objects.filter(
                pk__in=numbers[start : start + AT_ONCE]
            ).values_list("key_hash", "column", "take", "value", "seen")


def decide_pending(
    draft: MergeDraft,
    pages: Iterable[Sequence[ConflictRow]],
    take: Take,
    user: Any,
    *,
    page: str = "",
) -> int:
    """
    Settle every cell that still needs a decision by taking one branch's side.

    ``pages`` are rows in conflict, those of a page of one table. ``take`` is
    ``OURS`` or ``THEIRS``, ``page`` as for ``deciding.decide()``. Decisions
    already made stay, and so do counters' sums; hidden columns are left to those
    who may see them. Returns how many decisions were made. Raises ``DraftClosed``
    as soon as the draft is.
    """
    if take not in (Take.OURS, Take.THEIRS):
        raise ValueError(take)
    made = 0
    for rows in pages:
        if not rows:
            continue
        with while_open(draft):
            # Asked anew for each page: others may decide meanwhile.
            decided = TableDecisions(draft, rows[0].table)
            settled = []
            for row, resolution in zip(rows, decided.resolve(rows), strict=True):
                asked = shown_among(row.table, deciding.pending(resolution))
                if choices := dict.fromkeys(asked, Choice(take)):
                    settled.append((row, choices))
                    made += len(choices)
            deciding.store(draft, settled, user, page=page)
    return made


def decide_rest(
    draft: MergeDraft,
    sides: MergeSides,
    take: Take,
    user: Any,
    *,
    table: str = "",
    page: str = "",
) -> int:
    """
    ``decide_pending()`` for all rows of the merge that are in conflict, or those
    of one table, that the reader may see. Raises as that and as ``preview.preview()``.
    """
    found = preview.preview(draft.target, sides)
    tables = [t.table for t in found.conflicts if table in ("", t.table)]
    unseen = withheld(sides, tables)
    tables = [table for table in tables if table not in unseen]
    pages = preview.each_conflict_page(draft.target, sides, tables)
    return decide_pending(draft, pages, take, user, page=page)

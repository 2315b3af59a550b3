"""A merge of a branch that is no more: what became of it, and of the merge."""

from collections.abc import Collection
from dataclasses import dataclass

from versioning import branches
from versioning.merging import endings, sources
from versioning.models import DeletedBranch, MergeDraft

RECORDS = 5


@dataclass(frozen=True, slots=True)
class GoneBranch:
    name: str
    deletion: DeletedBranch | None  # None if it went, or goes, by another name


@dataclass(frozen=True, slots=True)
class GoneMerge:
    """``records`` are of merges of these two, open ones too, the latest first."""

    branches: tuple[GoneBranch, ...]
    records: tuple[MergeDraft, ...]


def gone_merge(source: str, target: str, there: Collection[str]) -> GoneMerge:
    """
    What is known of a merge that lacks a branch. ``source`` is as ``sources``
    writes it; ``there`` are the names of the branches that there are.
    """
    given = sources.parse(source)
    names = dict.fromkeys([given.name, target] if given.is_merge else [target])
    records = tuple(MergeDraft.objects.filter(source=source, target=target)[:RECORDS])
    for record in records:
        endings.found_landed(record)
    return GoneMerge(
        tuple(
            GoneBranch(name, branches.deletion_of(name))
            for name in names
            if name not in there
        ),
        records,
    )

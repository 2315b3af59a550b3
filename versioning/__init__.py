"""
Branches, diffs and merges for a Django project's own tables.

What a project needs of this package is here; everything else is inside.
"""

from versioning.decorators import open_to_all, opens_unit, versioned
from versioning.kinds import register_kind
from versioning.policies import register
from versioning.unit_of_work import Unit, after_commit, describe, on_branch, unit

__all__ = [
    "Unit",
    "after_commit",
    "describe",
    "on_branch",
    "open_to_all",
    "opens_unit",
    "register",
    "register_kind",
    "unit",
    "versioned",
]

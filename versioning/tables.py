"""Lists as tables."""

from collections.abc import Sequence
from typing import Any

import django_tables2 as tables

from versioning.branches import BranchChoice


class BranchTable(tables.Table):
    """
    Branches in an order that the reader chooses.

    The columns give the heads and the order; what stands in the cells is in
    ``versioning/branches.html``.
    """

    select = tables.Column("Select", empty_values=(), orderable=False)
    name = tables.Column("Branch")
    changed = tables.Column(
        "Last change", accessor="branch__date", initial_sort_descending=True
    )
    ahead = tables.Column(
        "Ahead and behind", order_by=("ahead", "behind"), initial_sort_descending=True
    )
    actions = tables.Column("Actions", empty_values=(), orderable=False)

    class Meta:
        row_attrs = {"aria-current": lambda record: record.is_active and "true"}

    def __init__(
        self, data: Sequence[BranchChoice], *, may_delete: bool, **kwargs: Any
    ):
        excluded = () if may_delete else ("select",)
        super().__init__(data=data, exclude=excluded, **kwargs)

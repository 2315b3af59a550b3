"""Lists as tables."""

from collections.abc import Sequence
from typing import Any

import django_tables2 as tables

from versioning.branches import BranchChoice


class BranchTable(tables.Table):
    """Branches with their last change, and what may be done with each."""

    select = tables.TemplateColumn(
        template_name="versioning/branches.html#select",
        verbose_name="Select",
        orderable=False,
    )
    name = tables.TemplateColumn(
        template_name="versioning/branches.html#name", verbose_name="Branch"
    )
    changed = tables.TemplateColumn(
        template_name="versioning/branches.html#changed",
        verbose_name="Last change",
        accessor="branch__date",
        initial_sort_descending=True,
    )
    ahead = tables.TemplateColumn(
        template_name="versioning/branches.html#counts",
        verbose_name="Ahead and behind",
        order_by=("ahead", "behind"),
        initial_sort_descending=True,
    )
    actions = tables.TemplateColumn(
        template_name="versioning/branches.html#actions",
        verbose_name="Actions",
        orderable=False,
    )

    class Meta:
        template_name = "versioning/branches.html#table"
        row_attrs = {
            "aria-current": lambda record: "true" if record.is_active else None
        }

    def __init__(
        self, data: Sequence[BranchChoice], *, may_delete: bool, **kwargs: Any
    ):
        excluded = () if may_delete else ("select",)
        super().__init__(data=data, exclude=excluded, **kwargs)

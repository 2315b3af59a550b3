"""One writer of a draft at a time, and none once the draft is closed."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction

from versioning.backends.errors import VersioningError
from versioning.conf import repository
from versioning.models import MergeDraft, Revision


class DraftClosed(VersioningError):
    """
    The draft takes no decision: it was set aside or has landed since it was
    looked at, or it is landing at this moment. ``draft`` says which.
    """

    def __init__(self, draft: MergeDraft):
        super().__init__(f"“{draft}” is not being settled any more.")
        self.draft = draft


@contextmanager
def alone(draft: MergeDraft) -> Iterator[None]:
    """
    One writer of a draft at a time, in a transaction; not reentrant. A lock by
    name, as Dolt locks no rows; the embedded engine's transactions wait for
    one another by themselves.
    """
    with repository().write_lock(f"draft {draft.pk}"), transaction.atomic():
        yield


@contextmanager
def one_begins(source: str, target: str) -> Iterator[None]:
    """The same for whoever begins the draft of a pair of branches."""
    with repository().write_lock(f"draft of {source} {target}"), transaction.atomic():
        yield


@contextmanager
def while_open(draft: MergeDraft) -> Iterator[None]:
    """As ``alone()``. Raises ``DraftClosed`` if the draft takes no decision now."""
    with alone(draft):
        look_again(draft)
        if draft.is_closed:
            raise DraftClosed(draft)
        yield


def begin_revision(draft: MergeDraft, user: Any, page: str) -> int:
    """
    The number of the draft's next revision, which is ``user``'s, of a form of the
    ``page``; within ``while_open()``, before what is decided changes.
    """
    draft.revision += 1
    draft.save(update_fields=["revision"])
    Revision.objects.create(draft=draft, number=draft.revision, made_by=user, page=page)
    return draft.revision


def look_again(draft: MergeDraft) -> None:
    """Read anew how a draft stands. Within ``alone()`` nobody changes that."""
    draft.refresh_from_db(
        fields=[
            "state",
            "revision",
            "commit",
            "landed_by_name",
            "landed_at",
            "abandoned_by_name",
            "abandoned_at",
        ]
    )

"""Moving a branch to a merge that was built and checked: all of it or nothing."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from versioning import trailers
from versioning.backends.repository import MergeSides, Repository
from versioning.conf import connection as versioned_connection
from versioning.merging import endings, sources
from versioning.merging.candidate import candidate
from versioning.merging.hiding import lock_key, sweep
from versioning.merging.rehearsal import require_head
from versioning.models import MergeDraft
from versioning.moving import move
from versioning.unit_of_work import author_of

LOCK_TIMEOUT = 20.0  # seconds


@contextmanager
def alone_on(target: str) -> Iterator[None]:
    """
    Keep other landings and all writers off a branch. In this order, as a landing
    takes its two locks: the other way round two would wait for each other.

    Raises ``EngineBusy`` if another landing goes on for long.
    """
    repository = versioned_connection().repository
    with (
        repository.landing_lock(lock_key(target), timeout=LOCK_TIMEOUT),
        repository.without_writers(target, timeout=LOCK_TIMEOUT),
    ):
        yield


def land(
    source: str,
    target: str,
    sides: MergeSides,
    draft: MergeDraft | None,
    user: Any,
    *,
    alone: bool = False,
) -> str:
    """
    Merge ``sides.theirs`` into branch ``target`` with a draft's decisions, and
    return the merge commit's hash.

    ``source`` is what the message says of theirs: a branch, or as ``sources``
    writes a commit; ``alone`` within ``alone_on()`` the target. Raises
    ``BranchMoved`` if the target's head is not ``sides.ours`` when it is to
    move, ``UncommittedRows``, what ``candidate()`` and ``endings.landing()``
    raise, and ``EngineBusy`` if another landing on the target goes on for long.
    The target has the whole merge, or is untouched.
    """
    connection = versioned_connection()
    repository = connection.repository
    with (
        nullcontext()
        if alone
        else repository.landing_lock(lock_key(target), timeout=LOCK_TIMEOUT)
    ):
        sweep(target)
        require_head(repository, target, sides.ours)
        seen = 0 if draft is None else draft.revision
        with candidate(
            target,
            sides,
            draft,
            author=author_of(user),
            message=message(repository, source, target, draft),
        ) as built:
            record = (
                nullcontext()
                if draft is None
                else endings.landing(draft, built.commit, user, seen=seen)
            )
            # No unit is under way then: Dolt would merge the two of them, and take
            # equal votes for one.
            with (
                nullcontext()
                if alone
                else repository.write_lock(target, timeout=LOCK_TIMEOUT),
                record,
                connection.bound(target),
                connection.writing(),
            ):
                move(target, before=sides.ours, to=built.commit)
            return built.commit


def message(
    repository: Repository, source: str, target: str, draft: MergeDraft | None
) -> str:
    """The commit's message: what was brought in, and how much was decided."""
    given = sources.parse(source)
    commit = None if given.is_merge else repository.commit(given.name)
    subject, lines = sources.message(given, target, commit)
    if draft is not None:
        lines.append(f"{trailers.MERGE_RECORD}: {draft.pk}")
    subject = trailers.one_line(subject)  # it may quote what another client wrote
    parts = (subject, _decided(draft) if draft else "", "\n".join(lines))
    return "\n\n".join(part for part in parts if part)


def _decided(draft: MergeDraft) -> str:
    """How much was decided by how many, in a sentence; "" for nothing."""
    made = draft.decisions.filter(outdated=False)
    mended = made.filter(mends=True).values("table", "key_hash").distinct()
    total = {"cells": made.filter(mends=False).count(), "rows": mended.count()}
    parts = [
        f"{total[name]} {one if total[name] == 1 else many}"
        for name, one, many in (
            ("cells", "value decided", "values decided"),
            ("rows", "row mended", "rows mended"),
        )
        if total[name]
    ]
    if not parts:
        return ""
    # Two people may have one name; whose account is gone has no other.
    people = made.values("decided_by", "decided_by_name").distinct().count()
    return f"{' and '.join(parts)} by {people} {'person' if people == 1 else 'people'}."

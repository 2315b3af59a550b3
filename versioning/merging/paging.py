"""Rows in conflict, a part at a time, each part by a question of its own."""

from collections.abc import Callable, Generator

from versioning.backends.repository import ConflictRow


def in_parts(
    ask: Callable[..., list[ConflictRow]], *, at_once: int
) -> Generator[list[ConflictRow], None, None]:
    """
    All rows that ``ask`` gives, in lists of at most ``at_once``. It takes
    ``since`` and ``limit`` as ``Repository.conflicts()`` does.
    """
    rows = ask(since=None, limit=at_once + 1)
    while rows:
        yield (part := rows[:at_once])
        more = len(rows) > at_once
        rows = ask(since=part[-1].key, limit=at_once + 1) if more else []

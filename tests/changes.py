"""Something done at each change that a piece of work makes to a database, in turn."""

import re
from collections.abc import Callable
from typing import Any

from versioning.backends.binding import is_write

#: What changes no row, and yet what others see: locks, and transactions.
_ALSO = re.compile(
    r"\s*(set|release|savepoint|rollback|select (get_lock|release_lock)\()",
    re.IGNORECASE,
)


def is_change(sql: str) -> bool:
    """
    Whether a statement may change something. To stop before one that only reads
    is to stop after the one before it.
    """
    return is_write(sql) or _ALSO.match(sql) is not None


def at_change(number: int, when: str, deed: Callable[[], None]) -> Callable[..., Any]:
    """
    An execute wrapper that does a deed ``when``, "before" or "after", the change
    with that number.
    """
    done = 0

    def wrapper(execute: Any, sql: str, *args: Any) -> Any:
        nonlocal done
        counts = is_change(sql)
        done += counts
        is_due = counts and done == number
        if is_due and when == "before":
            deed()
        try:
            return execute(sql, *args)
        finally:  # also where the engine says no, which may be caught
            if is_due and when == "after":
                deed()

    return wrapper

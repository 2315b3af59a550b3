"""The site, saying with each answer how long the engine merged for it."""

import time
from collections.abc import Iterable
from typing import Any

from config.wsgi import application as site
from versioning.conf import connection

HEADER = "Server-Timing"


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """``Server-Timing: merge;dur=…``, in milliseconds."""
    spent = 0.0

    def clock(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal spent
        start = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            if "dolt_merge(" in sql:
                spent += (time.perf_counter() - start) * 1000

    def answer(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
        timing = (HEADER, f"merge;dur={spent:.3f}")
        return start_response(status, [*headers, timing], *error)

    with connection().execute_wrapper(clock):
        return site(environ, answer)

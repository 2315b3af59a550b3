"""A landing, with what its checks take by themselves. Within a site's process."""

import gc
from contextlib import ExitStack
from typing import Any
from unittest import mock

from tests.bench.figures import timed
from versioning.merging import candidate, drafts, gathering, landing, result


def land() -> dict[str, float]:
    """
    Land the open draft of ``summer`` into main; milliseconds. In a process that
    has shown the merge, as a site's has.
    """
    gathering.open_screen("summer", "main")
    gc.freeze()  # as deploy/gunicorn.conf.py does
    draft = drafts.open_draft("summer", "main")
    assert draft is not None
    spent = {"validation": 0.0}

    def counted(function: Any) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            found: list[Any] = []
            spent["validation"] += timed(
                lambda: found.append(function(*args, **kwargs))
            )
            return found[0]

        return call

    with ExitStack() as stack:
        for module, name in ((candidate, "_check"), (result, "faults")):
            original = getattr(module, name)
            stack.enter_context(mock.patch.object(module, name, counted(original)))
        spent["landing"] = timed(
            lambda: landing.land("summer", "main", drafts.sides_of(draft), draft, None)
        )
    return spent

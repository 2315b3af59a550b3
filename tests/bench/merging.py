"""Landings, with what their checks take by themselves. Within a site's process."""

import gc
import json
from contextlib import ExitStack
from typing import Any
from unittest import mock

from django.contrib.auth import get_user_model

from tests.bench.figures import timed
from versioning.conf import repository
from versioning.merging import (
    bulk,
    candidate,
    drafts,
    gathering,
    landing,
    result,
)
from versioning.merging.resolution import Take

COUNT = 5


def land() -> None:
    """
    Print how long it takes to merge ``summer`` into as many branches like main,
    and what of that is validation, in milliseconds.
    """
    gc.freeze()  # as deploy/gunicorn.conf.py does
    print(json.dumps([_landed(f"main-{n}") for n in range(COUNT)]))


def _landed(target: str) -> dict[str, float]:
    draft, sides = _decided(target)
    gathering.open_screen("summer", target)  # as who presses Merge has
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
            lambda: landing.land("summer", target, sides, draft, draft.created_by)
        )
    return spent


def _decided(target: str) -> tuple[Any, Any]:
    """A draft that takes theirs in each conflict, and the states that it is of."""
    repository().create_branch(target, repository().head("main"))
    sides = gathering.current_sides(repository(), "summer", target)
    assert sides is not None
    user = get_user_model().objects.get(username="max")
    draft = drafts.begin("summer", target, sides, user)
    bulk.decide_rest(draft, sides, Take.THEIRS, user)
    return draft, sides

"""Landings, with what their checks take by themselves. Within a site's process."""

import gc
import json
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any
from unittest import mock

from django.contrib.auth import get_user_model

from tests.bench import reference
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


def land(keys: Sequence[int]) -> None:
    """
    Print how long it takes to merge ``summer`` into as many branches like main,
    what of that is validation, and in turns with that how long the engine takes
    to update the questions with these keys, and to merge with the same values:
    milliseconds, as JSON.
    """
    gc.freeze()  # as deploy/gunicorn.conf.py does
    print(json.dumps([(*_landed(n), *_by_engine(n, keys)) for n in range(COUNT)]))


def _by_engine(number: int, keys: Sequence[int]) -> tuple[float, float]:
    updated, merged = f"updated-{number}", f"merged-{number}"
    for branch in (updated, merged):
        repository().create_branch(branch, repository().head("main"))
    return reference.updated(updated, keys), reference.merged(merged)


def _landed(number: int) -> tuple[float, float]:
    target = f"main-{number}"
    draft, sides = _decided(target)
    gathering.open_screen("summer", target)  # as who presses Merge has
    validation = 0.0

    def counted(function: Any) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal validation
            found: list[Any] = []
            validation += timed(lambda: found.append(function(*args, **kwargs)))
            return found[0]

        return call

    with ExitStack() as stack:
        for module, name in ((candidate, "_check"), (result, "faults")):
            original = getattr(module, name)
            stack.enter_context(mock.patch.object(module, name, counted(original)))
        took = timed(
            lambda: landing.land("summer", target, sides, draft, draft.created_by)
        )
    return took, validation


def _decided(target: str) -> tuple[Any, Any]:
    """A draft that takes theirs in each conflict, and the states that it is of."""
    repository().create_branch(target, repository().head("main"))
    sides = gathering.current_sides(repository(), "summer", target)
    assert sides is not None
    user = get_user_model().objects.get(username="max")
    draft = drafts.begin("summer", target, sides, user)
    bulk.decide_rest(draft, sides, Take.THEIRS, user)
    return draft, sides

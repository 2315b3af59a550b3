"""How long a vote holds what other writers wait for. Within a site's process."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Any
from unittest import mock

from django.test import Client

from tests.bench.figures import WARM_UP
from tests.bench.person import hidden_fields
from versioning import middleware

COUNT = 40
PATH = "/polls/1000/vote/"


def held() -> None:
    """
    Vote alone; print how long each unit of work was open, as JSON in
    milliseconds. That is the lock with its taking and giving back.
    """
    took: list[float] = []
    original = middleware.on_branch

    @contextmanager
    def watched(*args: Any, **kwargs: Any) -> Iterator[Any]:
        start = perf_counter()
        with original(*args, **kwargs) as unit:
            yield unit
        took.append((perf_counter() - start) * 1000)

    voter = Client(HTTP_HOST="localhost", SERVER_NAME="localhost")
    with mock.patch.object(middleware, "on_branch", watched):
        for _ in range(WARM_UP + COUNT):
            form = voter.get("/polls/1000/").content.decode()
            answer = voter.post(PATH, {**hidden_fields(form, PATH), "choice": "1001"})
            assert answer.status_code == 303
    print(json.dumps(took[WARM_UP:]))

"""How long a vote holds what other writers wait for. Within a site's process."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Any
from unittest import mock

from django.test import Client

from tests.bench import reference
from tests.bench.figures import WARM_UP
from tests.bench.person import hidden_fields
from versioning.conf import repository

COUNT = 40
PATH = "/polls/1000/vote/"


def held() -> None:
    """
    Vote alone, in turns with the engine; print how long the votes of each held
    the branch's lock, as JSON in milliseconds: from when it is given to when it
    is given back.
    """
    took: list[float] = []
    kind = type(repository())
    original = kind.write_lock

    @contextmanager
    def watched(*args: Any, **kwargs: Any) -> Iterator[None]:
        with original(*args, **kwargs):
            start = perf_counter()
            yield
            took.append((perf_counter() - start) * 1000)

    voter = Client(HTTP_HOST="localhost", SERVER_NAME="localhost")
    with mock.patch.object(kind, "write_lock", watched):
        for _ in range(WARM_UP + COUNT):
            form = voter.get("/polls/1000/").content.decode()
            answer = voter.post(PATH, {**hidden_fields(form, PATH), "choice": "1001"})
            assert answer.status_code == 303
            with reference.on("main") as cursor, repository().write_lock("main"):
                reference.vote(cursor)
    print(json.dumps([took[2 * WARM_UP :: 2], took[2 * WARM_UP + 1 :: 2]]))

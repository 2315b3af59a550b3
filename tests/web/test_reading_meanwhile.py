"""Pages are read while somebody writes: none waits until they are done."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.addresses import PATHS, POST_ONLY, Things, make_things

#: A preview merges, in a transaction of its own, so it waits its turn.
MERGES = frozenset({"versioning:merge", "versioning:merge-rows"})


@pytest.fixture
def things(repository) -> Things:
    return make_things()


@pytest.fixture
def somebody_writes(things, other_connection) -> Iterator[None]:
    """Another connection has written to a branch and not ended its transaction."""
    begins: Any = {"force_begin_transaction_with_broken_autocommit": True}
    with other_connection.bound(things.branch), other_connection.writing():
        other_connection.set_autocommit(False, **begins)
        with other_connection.cursor() as cursor:
            cursor.execute("UPDATE polls_choice SET votes = 1234")
        yield
        other_connection.rollback()
        other_connection.set_autocommit(True)


def test_every_page_is_read_meanwhile(maintainer, things, somebody_writes):
    late = []
    for name in sorted(PATHS.keys() - POST_ONLY - MERGES):
        answer = maintainer.get(things.path(name))
        if answer.streaming:
            list(answer.streaming_content)
        if answer.status_code == 503:
            late.append(name)
    assert not late
    assert "1234" not in maintainer.get(f"/polls/{things.question}/results/").text


def test_a_kept_connection_is_checked_meanwhile(
    repository, connection, somebody_writes
):
    with connection.bound("main"):
        assert repository.tables()
        assert connection.is_usable()
    assert repository.default_branch() == "main"

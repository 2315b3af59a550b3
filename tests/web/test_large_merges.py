"""Where the engine takes long to merge, the page is there before its result."""

import re
from html import unescape

import pytest
from django.db.models import F

import versioning
from polls.models import Choice
from tests.web import seen
from tests.web.test_drafts_together import HTMX
from tests.web.test_merges import URL, about, decide, pins
from tests.web.test_queries import A_TABLE, DEFAULT, VERSIONED, asked
from versioning.merging import preview


@pytest.fixture
def is_slow(repository, heaven, monkeypatch):
    """Whether the engine is one that takes long with tables that are large."""
    monkeypatch.setattr(preview, "READ_AT_ONCE", 1)
    return repository.features.merges_read_whole_tables


def merges(found):
    return [sql for sql in found.versioned if "dolt_merge(" in sql]


AWAITED = "Finding out what this merge would do."


def test_the_page_is_there_before_the_merge(maintainer, is_slow):
    maintainer.get("/log/")  # the process has looked for what a crash left
    with asked() as found:
        page = maintainer.get(URL)
    words = seen.main(page)
    assert "Merge summer into main 1 commit" in words
    assert (AWAITED in words) is is_slow
    assert ("1 value changed on both branches" in words) is not is_slow
    assert len(merges(found)) == (0 if is_slow else 1)
    if is_slow:
        # How many rows it has is asked of the one table that changed.
        assert len(found.versioned) <= VERSIONED + A_TABLE, "\n".join(found.versioned)
        assert len(found.default) <= DEFAULT
        (address,) = re.findall(r'hx-get="([^"]*)" hx-trigger="load"', page.text)
        assert unescape(address) == URL


def test_its_result_comes_after_it(maintainer, is_slow):
    maintainer.get(URL)
    part = maintainer.get(URL, headers=HTMX)
    assert part.text.strip().startswith('<div id="merge" class="merge">')
    assert "1 value changed on both branches" in seen.text(part)
    with asked() as found:
        page = maintainer.get(URL)
    assert "1 value changed on both branches" in seen.main(page)
    assert not merges(found)


def test_without_a_script_one_can_wait_for_it(maintainer, is_slow):
    page = maintainer.get(URL)
    if is_slow:
        page = maintainer.get(seen.links(page)["look again"])
    assert "1 value changed on both branches" in seen.main(page)


def test_with_small_tables_nobody_waits(repository, maintainer, heaven):
    assert "1 value changed on both branches" in seen.main(maintainer.get(URL))


def test_after_a_decision_nobody_waits(repository, maintainer, heaven, is_slow):
    answer = decide(maintainer, pins(repository) | about(heaven, take__text="ours"))
    assert "1 of 1 settled" in seen.main(maintainer.get(answer["Location"]))


def test_a_branch_that_moved_is_looked_at_anew(repository, maintainer, is_slow):
    maintainer.get(URL, headers=HTMX)
    with versioning.on_branch("summer", message="Meanwhile"):
        Choice.objects.update(votes=F("votes") + 1)
    words = seen.main(maintainer.get(URL))
    assert (AWAITED in words) is is_slow


def test_nobody_waits_for_what_is_there_already(repository, maintainer, is_slow):
    repository.create_branch("same", repository.head("main"))
    with versioning.on_branch("main", message="Meanwhile"):
        Choice.objects.update(votes=F("votes") + 1)
    words = seen.main(maintainer.get("/merge/?source=same&target=main"))
    assert "main has it all already" in words


def test_what_is_undone_is_no_merge_of_the_engine(repository, maintainer, is_slow):
    fields = {"source": f"revert {repository.head('main')}", "target": "main"}
    words = seen.main(maintainer.get("/merge/", fields))
    assert "Nothing is in the way. 1 row changes." in words

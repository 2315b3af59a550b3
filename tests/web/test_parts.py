"""What holds of many pages: whole or a part, empty lists, links to be copied."""

import pytest

from tests.addresses import PATHS, make_things
from tests.web import seen

#: Those whose links HTMX repeats.
WITH_PARTS = (
    "polls:index",
    "versioning:branches",
    "versioning:branch-working-rows",
    "versioning:log",
    "versioning:compare",
    "versioning:compare-table",
    "versioning:row-history",
    "versioning:merge",
    "versioning:merge-rows",
)


@pytest.mark.parametrize("name", WITH_PARTS)
def test_no_cache_gives_a_part_for_a_page(maintainer, name):
    path = make_things().path(name)
    assert name in PATHS
    page = maintainer.get(path)
    part = maintainer.get(path, headers={"HX-Request": "true"})
    assert "<html" in page.content.decode()
    assert "<html" not in part.content.decode()
    for answer in (page, part):
        assert answer.status_code == 200
        assert "HX-Request" in answer["Vary"]


def test_lists_that_are_empty_say_what_will_be_there_and_how_to_begin(
    maintainer, repository
):
    merges = maintainer.get("/merges/")
    assert "No merge waits for decisions" in seen.main(merges)
    assert "Nothing was merged here yet" in seen.main(merges)
    assert seen.links(merges)["Make a branch first"] == "/branches/new/"
    branches = maintainer.get("/branches/")
    assert seen.links(branches)["Make a branch"] == "/branches/new/"


def test_the_link_to_two_commits_can_be_copied_whole(editor, repository):
    head = repository.head("main")
    page = editor.get("/compare/?from=main&to=main").content.decode()
    query = f"from={head}&amp;to={head}&amp;dots=3"
    assert f'data-copy="http://testserver/compare/?{query}"' in page

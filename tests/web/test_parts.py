"""What holds of many pages: whole or a part, empty lists, links to be copied."""

import html
import re
from urllib.parse import urljoin, urlsplit

from django.urls import resolve

from tests.addresses import PARTS, PATHS, POST_ONLY, make_things
from tests.web import seen

_HX_GET = re.compile(r'hx-get="([^"]*)"')


def test_no_cache_gives_a_part_for_a_page(owner):
    things = make_things()
    in_parts, led_to = set(), {}
    for name in sorted(PATHS.keys() - POST_ONLY - PARTS):
        path = things.path(name)
        page = owner.get(path)
        part = owner.get(path, headers={"HX-Request": "true"})
        if page.status_code != 200:
            continue
        assert "<html" in page.text, name
        if "<html" not in part.text:
            in_parts.add(name)
            assert part.status_code == 200, name
            for answer in (page, part):
                assert "HX-Request" in answer["Vary"], name
        for link in _HX_GET.findall(page.text):
            address = urlsplit(urljoin(path, html.unescape(link))).path
            led_to[resolve(address).view_name] = name
    # Whatever HTMX is led to answers it with a part.
    assert led_to
    assert led_to.keys() - PARTS <= in_parts, led_to


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

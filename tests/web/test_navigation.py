"""The main navigation says where a page belongs."""

import re

from tests.addresses import PARTS, PATHS, POST_ONLY, make_things

#: What is about the site, or an answer to a form that may have been sent anywhere.
NOWHERE = {"versioning:how", "versioning:receipt"}

SECTIONS = {
    "Polls": "polls:",
    "Branches": "versioning:branch",
    "Log": "versioning:(log|commit|search|row-history|tag)",
    "Compare": "versioning:compare",
    "Merges": "versioning:(merge|decided)",
}


def test_each_page_belongs_somewhere(owner):
    things = make_things()
    found = {}
    for name in PATHS.keys() - POST_ONLY - PARTS - NOWHERE:
        if ":" not in name:
            continue
        html = owner.get(things.path(name)).text
        links = re.findall(r'aria-current="(?:page|true)"[^>]*>(\w+)</a>', html)
        found[name] = [label for label in links if label in SECTIONS]
    expected = {
        name: [label for label, names in SECTIONS.items() if re.match(names, name)]
        for name in found
    }
    assert found == expected

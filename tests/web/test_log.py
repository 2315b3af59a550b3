"""The log: a branch's commits, page by page."""

import re

import pytest

from tests.web import seen
from versioning import history


def commits_on(response):
    """Hashes of the commits that a page of the log lists, in their order."""
    html = response.content.decode()
    return re.findall(r'class="commit__subject" href="/commits/(\w+)/"', html)


def test_the_active_branch_from_its_head_down(editor, repository, add):
    first = add("main", "Tea or coffee?")
    second = add("main", "Cat or dog?")
    response = editor.get("/log/")
    page = seen.main(response)
    assert "Log of main" in page
    assert commits_on(response)[:2] == [second, first]
    assert page.index("Add “Cat or dog?”") < page.index("Add “Tea or coffee?”")
    assert "Erin Editor, just now" in page
    assert "This is where the history begins." in page
    fitting = seen.main(editor.get("/log/?q=dog"))
    assert "No older commit fits." in fitting
    assert "history begins" not in fitting


def test_another_branch_by_its_name(editor, repository, add):
    repository.create_branch("summer", repository.head("main"))
    add("summer", "Lake or pool?")
    add("main", "Tea or coffee?")
    page = seen.main(editor.get("/log/?branch=summer"))
    assert "Log of summer" in page
    assert "Lake or pool?" in page
    assert "Tea or coffee?" not in page


def test_what_is_named_as_where_rows_are_found(editor, repository, add, monkeypatch):
    monkeypatch.setattr(history, "PAGE", 1)
    repository.create_branch("summer", repository.head("main"))
    add("summer", "Lake or pool?")
    add("main", "Tea or coffee?")
    page = editor.get("/log/?ref=summer")
    assert "Log of summer" in seen.main(page)
    assert "Lake or pool?" in seen.main(page)
    assert "branch=summer&" in seen.links(page)["Older commits"]
    assert "Log of main" in seen.main(editor.get("/log/?ref=summer&branch=main"))
    unknown = editor.get("/log/?ref=nowhere")
    assert unknown.status_code == 404
    assert "There is no" in seen.main(unknown)


def test_a_merge_shows_both_parents_and_has_two_lanes(editor, repository, add, merge):
    repository.create_branch("summer", repository.head("main"))
    theirs = add("summer", "Lake or pool?")
    ours = add("main", "Tea or coffee?")
    merged = merge("summer", "main")
    response = editor.get("/log/")
    page = seen.main(response)
    assert f"merge of {ours[:7]}" in page
    assert f"and {theirs[:7]}" in page
    listed = commits_on(response)
    assert listed[0] == merged
    assert {ours, theirs} < set(listed)
    assert 'width="32"' in response.content.decode()


def test_lines_part_at_the_commit_that_they_have_in_common(
    editor, repository, add, merge
):
    """Each in its own colour, from the one end to the other."""
    parted = repository.head("main")
    repository.create_branch("summer", parted)
    theirs = add("summer", "Lake or pool?")
    ours = add("main", "Tea or coffee?")
    merged = merge("summer", "main")
    html = editor.get("/log/").content.decode()
    drawn = {
        hash: sorted(re.findall(r'class="graph__line (lane-\d)" d="([^"]*)"', row))
        for row in html.split('<li class="commit">')[1:]
        for hash in re.findall(r'class="commit__subject" href="/commits/(\w+)/"', row)
    }
    down = "V4000"
    assert drawn[merged] == [
        ("lane-0", f"M8 23{down}"),
        ("lane-1", f"M8 23C8 42 24 27 24 46{down}"),
    ]
    assert ("lane-1", f"M24 23{down}") in drawn[theirs]
    assert ("lane-0", f"M8 23{down}") in drawn[ours]
    assert ("lane-1", "M24 0C24 19 8 4 8 23") in drawn[parted]
    assert all("lane-1" not in line for line in drawn[parted][:-1])


def test_a_page_goes_on_from_lines_that_part_further_down(
    editor, repository, add, merge
):
    repository.create_branch("summer", repository.head("main"))
    made = [add("main", "Main")]
    made += [add("summer", f"Summer {number}") for number in range(history.PAGE - 2)]
    made.append(merge("summer", "main"))
    first = editor.get("/log/?branch=main&fold=no")
    assert sorted(commits_on(first)) == sorted(made)
    second = editor.get(
        "/log/" + seen.links(first)["Older commits"].partition("/log/")[2]
    )
    assert second.status_code == 200
    assert 'class="graph__line lane-1" d="M24 0C24 19 8 4 8 23"' in second.text


def test_trailers_stay_out_of_the_list(editor, add):
    add("main", "Tea or coffee?", "Add a poll\n\nVote-Token: 1f0c")
    assert "Vote-Token" not in seen.main(editor.get("/log/"))


def test_pages_list_each_commit_once_whoever_commits_meanwhile(
    editor, repository, add, merge
):
    repository.create_branch("summer", repository.head("main"))
    made = [add("summer", f"Summer {number}") for number in range(30)]
    made += [add("main", f"Main {number}") for number in range(30)]
    made.append(merge("summer", "main"))
    whole = repository.log([repository.head("main")], limit=100)
    listed: list[str] = []
    url: str | None = "/log/?branch=main"
    while url:
        page = editor.get(url)
        listed += commits_on(page)
        add("main", f"Meanwhile {len(listed)}")
        url = seen.links(page).get("Older commits")
    assert sorted(listed) == sorted(commit.hash for commit in whole)
    assert set(made) < set(listed)
    place = {hash: number for number, hash in enumerate(listed)}
    for commit in whole:
        assert all(place[commit.hash] < place[parent] for parent in commit.parents)


@pytest.mark.parametrize("query", ["", "&fold=no", "&q=merge"])
def test_pages_go_on_below_more_lines_than_an_address_tells_of(
    editor, repository, add, merge, monkeypatch, query
):
    monkeypatch.setattr(history, "LANES", 3)
    monkeypatch.setattr(history, "PAGE", 4)
    monkeypatch.setattr(history, "SCANNED", 5)
    add("main", "Base")
    names = [f"a{number}" for number in range(8)]
    for name in names:
        repository.create_branch(name, repository.head("main"))
        add(name, name)
    for name in names:
        merge(name, "main")
    whole = repository.log([repository.head("main")], limit=100)
    listed: list[str] = []
    url: str | None = f"/log/?branch=main{query}"
    pages = 0
    while url:
        page = editor.get(url)
        assert page.status_code == 200
        pages += 1
        listed += commits_on(page)
        links = seen.links(page)
        url = links.get("Older commits") or links.get("Look further back")
        add("main", "Meanwhile")
    assert pages > 3
    wanted = "Merge" if "merge" in query else ""
    assert listed == [commit.hash for commit in whole if wanted in commit.message]


@pytest.mark.parametrize(
    "after", ["x", "main", "0" * 31, "0" * 32, "0" * 40, "'; DROP TABLE x", ",,,"]
)
def test_a_damaged_cursor_is_a_400(editor, after):
    response = editor.get("/log/", {"after": after})
    assert response.status_code == 400
    assert "Traceback" not in response.content.decode()


def test_a_branch_that_is_not_there_is_said_in_the_form_that_named_it(editor, add):
    add("main", "Tea or coffee?")
    response = editor.get("/log/?branch=nowhere&q=coffee")
    assert response.status_code == 404
    assert "There is no branch, tag or commit “nowhere”." in seen.main(response)
    page = response.content.decode()
    assert 'name="branch" value="nowhere"' in page
    assert 'name="q" value="coffee"' in page
    assert "Tea or coffee?" not in seen.main(response)  # main's log is not asked


@pytest.mark.parametrize("length", [7, 12])
def test_a_commit_by_the_beginning_of_its_hash(
    editor, repository, add, monkeypatch, length
):
    monkeypatch.setattr(history, "PAGE", 1)
    first = add("main", "Tea or coffee?")
    add("main", "Cat or dog?")
    response = editor.get(f"/log/?branch={first[:length]}")
    assert commits_on(response) == [first]
    assert f"Log of {first[:7]}" in seen.main(response)
    older = seen.links(response)["Older commits"]
    assert f"branch={first}&" in older  # which other commits can't make ambiguous
    assert editor.get(f"/log/?branch={first[:6]}").status_code == 404
    repository.create_branch(first[:length], repository.head("main"))
    named = editor.get(f"/log/?branch={first[:length]}")
    assert commits_on(named) == [repository.head("main")]


def test_a_beginning_that_several_hashes_have_is_said(
    editor, repository, add, monkeypatch
):
    hashes = [add("main", "Tea or coffee?"), add("main", "Cat or dog?")]
    monkeypatch.setattr(
        type(repository), "with_prefix", lambda *args, **options: hashes
    )
    response = editor.get("/log/?branch=4a1113c")
    assert response.status_code == 404
    assert (
        "The hashes of several commits begin with “4a1113c”. Give more of the one that "
        "you mean."
    ) in seen.main(response)
    assert 'name="branch" value="4a1113c"' in response.content.decode()


def test_htmx_gets_the_commits_alone(editor, add):
    add("main", "Tea or coffee?")
    part = editor.get("/log/", headers={"HX-Request": "true"})
    assert part.content.decode().lstrip().startswith('<section id="commits"')
    assert "Tea or coffee?" in seen.text(part)

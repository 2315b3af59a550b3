"""Tags: listed, made, used as refs, deleted."""

import pytest

import versioning
from polls.models import Question
from tests.contract import hostile
from tests.web import seen
from tests.web.test_log import commits_on


def test_no_tags_yet(editor):
    page = seen.main(editor.get("/tags/"))
    assert "No tags yet" in page


def test_a_commit_is_tagged_from_its_page_and_named_wherever_it_shows(
    editor, repository, erin
):
    head = repository.head("main")
    commit = editor.get(f"/commits/{head}/")
    form_url = seen.links(commit)["Tag it"]
    assert head in editor.get(form_url).content.decode()
    response = editor.post(
        form_url, {"name": "v1.0", "at": head, "message": "As shown.\r\nTwice."}
    )
    assert (response.status_code, response["Location"]) == (303, f"/commits/{head}/")
    tag = repository.tag("v1.0")
    assert (tag.hash, tag.message) == (head, "As shown.\nTwice.")
    assert tag.tagger.name == "edith"
    assert "Tagged tag v1.0" in seen.main(editor.get(f"/commits/{head}/")).replace(
        "Tagged v1.0", "Tagged tag v1.0"
    )
    listing = editor.get("/tags/")
    assert "v1.0" in seen.main(listing)
    assert "As shown. Twice. edith, just now" in seen.main(listing)
    with versioning.on_branch("main", author=erin, message="Go on"):
        Question.objects.create(text="x")
    log = editor.get("/log/?branch=v1.0")
    assert "Log of v1.0" in seen.main(log)
    assert commits_on(log)[0] == head
    assert "v1.0" in seen.links(editor.get("/log/?branch=main"))
    compared = seen.main(editor.get("/compare/?from=v1.0&to=main"))
    assert "What main changed since it parted from v1.0" in compared
    made = editor.post("/branches/new/", {"name": "from-tag", "at": "v1.0"})
    assert made.status_code == 303
    assert repository.head("from-tag") == head


@pytest.mark.parametrize(
    ("name", "at", "said"),
    [
        ("", "main", "A tag needs a name."),
        ("a b", "main", "a space is none of them"),
        ("-D", "main", "not with “-”"),
        ("HEAD", "main", "can’t be a tag"),
        ("main", "main", "There is a branch “main”"),
        ("MAIN", "main", "There is a branch “MAIN”"),
        ("Taken", "main", "There is already a tag “taken”"),
        ("new", "nowhere", "There is no branch, tag or commit “nowhere”."),
        ("new", "pollard/candidate/x", "There is no branch"),
    ],
)
def test_a_tag_that_is_not_made_says_why(editor, repository, erin, name, at, said):
    repository.create_tag("taken", "main", message="", author=erin)
    response = editor.post("/tags/new/", {"name": name, "at": at})
    assert response.status_code == 422
    assert said in seen.main(response)
    assert [tag.name for tag in repository.tags()] == ["taken"]


@pytest.mark.parametrize("name", hostile.BRANCHES)
def test_hostile_tags_made_outside_are_listed_linked_and_deleted(
    maintainer, repository, erin, name
):
    head = repository.head("main")
    repository.create_tag(name, head, message="<b>", author=erin)
    listing = maintainer.get("/tags/")
    assert "<b>" not in listing.content.decode()
    for url in seen.addresses(listing):
        if url.startswith(("/log/?", "/compare/", "/commits/", "/tags/delete/")):
            assert maintainer.get(url).status_code == 200, url
    page = maintainer.get("/log/?branch=main")
    assert page.status_code == 200
    [delete] = [u for u in seen.addresses(listing) if u.startswith("/tags/delete/")]
    response = maintainer.post("/tags/delete/", {"name": name, "hash": head})
    assert response.status_code == 303
    assert repository.tags() == []
    assert maintainer.get(delete).status_code == 404


def test_a_tag_that_stands_elsewhere_by_now_is_not_deleted(
    maintainer, repository, erin
):
    before = repository.head("main")
    with versioning.on_branch("main", author=erin, message="Go on") as unit:
        Question.objects.create(text="x")
    repository.create_tag("shown", "main", message="", author=erin)
    form = {"name": "shown", "hash": before}
    response = maintainer.post("/tags/delete/", form)
    assert response.status_code == 409
    assert "stands for another commit by now" in seen.main(response)
    assert repository.tag("shown").hash == unit.commit
    assert maintainer.post("/tags/delete/", {"name": "shown"}).status_code == 400


def test_who_may_not_makes_and_deletes_none(editor, nobody, repository, erin):
    head = repository.head("main")
    made = nobody.post("/tags/new/", {"name": "x", "at": "main"})
    assert made.status_code == 403
    repository.create_tag("shown", head, message="", author=erin)
    gone = editor.post("/tags/delete/", {"name": "shown", "hash": head})
    assert gone.status_code == 403
    assert "Delete…" not in seen.main(editor.get("/tags/"))
    assert [tag.name for tag in repository.tags()] == ["shown"]


def test_the_list_goes_on_after_a_name(editor, repository, erin, monkeypatch):
    monkeypatch.setattr("versioning.views.tags.PAGE", 2)
    for name in "abcde":
        repository.create_tag(name, "main", message=f"Tag {name}.", author=erin)
    first = editor.get("/tags/")
    repository.delete_tag("b")
    repository.create_tag("bb", "main", message="Tag bb.", author=erin)
    second = editor.get(seen.links(first)["More tags"])
    page = seen.main(second)
    assert "Tag bb." in page
    assert "Tag c." in page
    assert "Tag d." not in page

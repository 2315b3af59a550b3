"""What became of a branch that was merged, and the way to delete it."""

import pytest

import versioning
from polls.models import Question
from tests.web import seen
from tests.web.fields import forms, press_merge

SUMMER = {"source": "summer", "target": "main"}


@pytest.fixture
def summer(repository, add):
    repository.create_branch("summer", repository.head("main"))
    add("summer", "Lake or pool?")
    return "summer"


def row_of(client, name):
    """What the list of branches says of one: its cell of ahead and behind."""
    page = client.get("/branches/", {"q": name})
    words = seen.main(page)
    return words[words.index("just now", words.index("Branch Last change")) :]


def test_a_branch_that_was_merged_says_so_until_it_has_more(maintainer, summer, add):
    assert "1 ahead, 0 behind" in row_of(maintainer, summer)
    press_merge(maintainer, SUMMER)
    assert "merged 1 behind" in row_of(maintainer, summer)
    assert "0 ahead" not in row_of(maintainer, summer)
    add(summer, "Tent or hut?")
    assert "1 ahead, 1 behind" in row_of(maintainer, summer)
    assert "merged" not in row_of(maintainer, summer)


def test_a_branch_without_a_change_of_its_own_is_not_called_merged(
    maintainer, repository, summer, add
):
    press_merge(maintainer, SUMMER)
    # At the very commit that was merged, and nobody merged it.
    repository.create_branch("autumn", repository.head(summer))
    assert "nothing of its own, 1 behind" in row_of(maintainer, "autumn")
    assert "merged" not in row_of(maintainer, "autumn")
    repository.create_branch("winter", repository.head("main"))
    assert "even" in row_of(maintainer, "winter")
    add("main", "Tea or coffee?")
    assert "nothing of its own, 1 behind" in row_of(maintainer, "winter")


def test_a_merge_that_was_undone_is_no_reason_to_call_a_branch_merged(
    maintainer, repository, summer
):
    press_merge(maintainer, SUMMER)
    landed = repository.head("main")
    press_merge(maintainer, {"source": f"revert {landed}", "target": "main"})
    assert "nothing of its own, 2 behind" in row_of(maintainer, summer)
    assert "Delete summer…" not in seen.links(maintainer.get(f"/commits/{landed}/"))


def test_what_was_merged_can_be_deleted_from_where_the_merge_led(
    maintainer, repository, summer
):
    press_merge(maintainer, SUMMER)
    commit = maintainer.get(f"/commits/{repository.head('main')}/")
    record = maintainer.get(seen.links(commit)["Who decided what"])
    for page in (commit, record, maintainer.get("/merge/", SUMMER)):
        assert seen.links(page)["Delete summer…"] == "/branches/delete/?name=summer"
    page = maintainer.get("/branches/delete/?name=summer")
    assert "Nothing is lost: other branches have all its commits." in seen.main(page)


def test_who_is_on_the_branch_is_led_off_it_to_delete_it(
    maintainer, repository, summer
):
    maintainer.post("/branches/switch/", {"name": summer})
    press_merge(maintainer, SUMMER)
    page = maintainer.get(f"/commits/{repository.head('main')}/")
    assert "Switch to main and delete summer…" in seen.main(page)
    (form,) = (one for one in forms(page) if one.action == "/branches/switch/")
    answer = maintainer.post(form.action, form.fields | {"name": "main"})
    assert answer["Location"] == "/branches/delete/?name=summer"
    assert "Delete “summer”?" in seen.main(maintainer.get(answer["Location"]))


def test_no_deletion_is_offered_that_would_lose_something_or_is_not_allowed(
    maintainer, editor, repository, summer
):
    press_merge(maintainer, SUMMER)
    url = f"/commits/{repository.head('main')}/"
    assert "delete summer" not in seen.main(editor.get(url)).lower()
    with versioning.on_branch(summer, message="Ask on"):
        Question.objects.create(text="Tent or hut?")
    assert "delete summer" not in seen.main(maintainer.get(url)).lower()


def test_a_protected_branch_is_not_offered_to_be_deleted(
    maintainer, repository, summer, settings
):
    settings.VERSIONING = settings.VERSIONING | {"PROTECTED_BRANCHES": ["main", summer]}
    press_merge(maintainer, SUMMER)
    page = maintainer.get(f"/commits/{repository.head('main')}/")
    assert "delete summer" not in seen.main(page).lower()

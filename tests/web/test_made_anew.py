"""Merges into a branch that was deleted, and made anew under its name."""

import pytest

from tests.web import seen
from tests.web.fields import press_merge
from versioning.models import MergeDraft

MERGE = {"source": "feature", "target": "staging"}


@pytest.fixture
def staging(repository, add):
    """``staging()``: that branch, made anew where it began."""
    start = add("main", "Base")
    repository.create_branch("feature", start)
    add("feature", "New")
    repository.create_branch("staging", start)

    def again(at=start):
        repository.delete_branch("staging")
        repository.create_branch("staging", at)

    return again


def test_it_takes_the_same_merge_again(repository, maintainer, staging):
    press_merge(maintainer, MERGE)
    before = repository.head("staging")
    staging()
    press_merge(maintainer, MERGE)
    merged = repository.commit(repository.head("staging"))
    assert merged.hash != before
    assert merged.parents[1] == repository.head("feature")


def test_an_undo_that_went_with_it_is_not_told_of(repository, maintainer, staging):
    press_merge(maintainer, MERGE)
    merged = repository.head("staging")
    press_merge(maintainer, {"source": f"revert {merged}", "target": "staging"})
    record = MergeDraft.objects.get(source="feature")
    assert "undone" in seen.main(maintainer.get(f"/merges/{record.pk}/"))
    assert "undone" in seen.main(maintainer.get("/merge/", MERGE))
    staging(merged)
    assert "undone" not in seen.main(maintainer.get(f"/merges/{record.pk}/"))
    assert "undone" not in seen.main(maintainer.get("/merge/", MERGE))


def test_its_new_name_is_not_that_of_what_was_there_before(
    repository, maintainer, staging
):
    press_merge(maintainer, MERGE)
    merged = repository.head("staging")
    record = MergeDraft.objects.get(source="feature")
    staging()
    renaming = {"name": "staging", "to": "live"}
    assert maintainer.post("/branches/rename/", renaming).status_code == 303
    assert "feature into staging" in seen.main(maintainer.get(f"/merges/{record.pk}/"))
    press_merge(maintainer, {"source": "feature", "target": "live"})
    assert repository.head("live") != merged


def test_an_undo_is_found_beside_one_of_a_branch_that_had_the_name(
    repository, maintainer, staging
):
    press_merge(maintainer, MERGE)
    merged = repository.head("staging")
    for name in ("staging", "live"):  # and live’s is the later one
        if name == "live":
            repository.create_branch(name, merged)
        press_merge(maintainer, {"source": f"revert {merged}", "target": name})
    repository.delete_branch("live")
    renaming = {"name": "staging", "to": "live"}
    assert maintainer.post("/branches/rename/", renaming).status_code == 303
    page = seen.main(maintainer.get("/merge/", MERGE | {"target": "live"}))
    assert "the merge was undone" in page

"""Deleting branches, with what would be lost; and having them back."""

import pytest
from django.contrib.auth.models import Permission

from polls.models import Question
from tests.web import seen
from tests.web.conftest import signed_in
from versioning import permissions
from versioning.models import DeletedBranch

# Names that other clients of the database can make, and this console would not.
HOSTILE = ["x'--", "-D", "a@b", "a%b", "<b>", 'a"b', "n" * 300, "a;b", "a&b=c#d", "a+b"]


def names(repository):
    return [branch.name for branch in repository.branches()]


@pytest.fixture
def merged(repository):
    """A branch that has nothing of its own."""
    repository.create_branch("merged", repository.head("main"))
    return "merged"


@pytest.fixture
def summer(repository, add):
    """A branch with two commits that no other has."""
    repository.create_branch("summer", repository.head("main"))
    add("summer", "Ice cream or cake?")
    add("summer", "Lake or pool?")
    return "summer"


def delete(client, repository, *branches, **typed):
    heads = [repository.head(branch) for branch in branches]
    return client.post(
        "/branches/delete/", {"name": list(branches), "head": heads, **typed}
    )


def test_a_branch_without_work_of_its_own_goes_at_a_press(
    maintainer, repository, merged
):
    page = seen.main(maintainer.get("/branches/delete/?name=merged"))
    assert "Nothing is lost: other branches have all its commits." in page
    assert "Delete merged" in page
    response = delete(maintainer, repository, merged)
    assert response.status_code == 303
    assert names(repository) == ["main"]


def test_what_would_be_lost_is_said_and_the_name_is_asked_for(
    maintainer, repository, summer
):
    page = seen.main(maintainer.get("/branches/delete/?name=summer"))
    assert "2 commits that no other branch has would be lost:" in page
    assert "Add “Ice cream or cake?”" in page
    assert "Type the branch’s name to delete it all the same" in page
    for typed in ("", "Summer", "summer "):
        response = delete(maintainer, repository, summer, typed_0=typed)
        assert response.status_code == 422
        assert "To delete “summer” with all that only it holds, type its name." in (
            seen.main(response)
        )
        assert names(repository) == ["main", "summer"]
    assert delete(maintainer, repository, summer, typed_0="summer").status_code == 303
    assert names(repository) == ["main"]


def test_what_another_branch_has_is_not_lost(maintainer, repository, summer, add):
    repository.create_branch("autumn", repository.head(summer))
    add(summer, "Sun or shade?")
    page = seen.main(maintainer.get("/branches/delete/?name=summer"))
    assert "1 commit that no other branch has would be lost:" in page
    assert "Sun or shade?" in page
    assert "Ice cream" not in page
    both = seen.main(maintainer.get("/branches/delete/?name=summer&name=autumn"))
    assert "3 commits that no other branch has would be lost:" in both
    assert "2 commits that no other branch has would be lost:" in both


def test_a_deletion_can_be_undone(maintainer, repository, summer):
    head = repository.head(summer)
    response = delete(maintainer, repository, summer, typed_0="summer")
    page = maintainer.get(response["Location"])
    assert "“summer” is deleted. It was at" in seen.text(page)
    assert "Undo the deletion of summer" in seen.text(page)
    status = page.content.decode().partition('role="status"')[2].partition("<main")[0]
    assert status.count("is deleted") == 1
    record = DeletedBranch.objects.get()
    back = maintainer.post("/branches/restore/", {"deleted": record.pk})
    assert back.status_code == 303
    assert repository.head("summer") == head
    assert "“summer” is back, with all that was committed on it." in seen.text(
        maintainer.get("/branches/")
    )
    assert not DeletedBranch.objects.exists()


def test_an_undo_promises_no_rows_that_nobody_committed(
    maintainer, repository, summer, stranger, connection
):
    stranger.execute("summer", "UPDATE polls_question SET text = 'Left'")
    delete(maintainer, repository, summer, typed_0="summer")
    record = DeletedBranch.objects.get()
    maintainer.post("/branches/restore/", {"deleted": record.pk})
    with connection.bound("summer"):
        assert not Question.objects.filter(text="Left").exists()
    page = seen.text(maintainer.get("/branches/"))
    assert "“summer” is back, with all that was committed on it." in page
    assert "as it was" not in page


def test_a_branch_that_a_crash_left_there_is_not_to_be_brought_back(
    maintainer, repository, summer, merged
):
    delete(maintainer, repository, merged)
    # As the server leaves it that dies before the branch goes.
    left = DeletedBranch.objects.create(name=summer, head=repository.head(summer))
    page = seen.main(maintainer.get("/branches/"))
    assert "Branches deleted lately (1)" in page
    repository.delete_branch(summer, expected_head=left.head)
    page = seen.main(maintainer.get("/branches/"))
    assert "Branches deleted lately (2)" in page


def test_who_deleted_a_branch_is_named_when_the_account_is_gone(
    maintainer, editor, repository, summer, django_user_model
):
    delete(maintainer, repository, summer, typed_0="summer")
    django_user_model.objects.filter(username="mo").delete()
    assert DeletedBranch.objects.get().deleted_by is None
    allowed = Permission.objects.filter(codename="delete_branch")
    django_user_model.objects.get(username="edith").user_permissions.add(*allowed)
    assert "deleted just now by mo Bring back" in seen.main(editor.get("/branches/"))


def test_an_undo_does_not_overwrite_a_new_branch_of_that_name(
    maintainer, repository, summer
):
    delete(maintainer, repository, summer, typed_0="summer")
    repository.create_branch("summer", repository.head("main"))
    maintainer.post("/branches/restore/", {"deleted": DeletedBranch.objects.get().pk})
    assert repository.head("summer") == repository.head("main")
    page = seen.text(maintainer.get("/branches/"))
    assert "can’t be brought back. There is already a branch “summer”." in page


def test_an_undo_does_not_take_the_name_of_a_tag(maintainer, repository, summer):
    delete(maintainer, repository, summer, typed_0="summer")
    form = {"name": "Summer", "at": "main", "message": ""}
    assert maintainer.post("/tags/new/", form).status_code == 303
    maintainer.post("/branches/restore/", {"deleted": DeletedBranch.objects.get().pk})
    assert names(repository) == ["main"]
    page = seen.text(maintainer.get("/branches/"))
    said = "There is a tag “Summer”, which the branch could not be told from."
    assert f"“summer” can’t be brought back. {said}" in page
    assert "deleted just now by mo Bring back" in page


def test_who_may_not_merge_brings_no_protected_branch_back(
    maintainer, repository, summer, django_user_model, settings
):
    delete(maintainer, repository, summer, typed_0="summer")
    settings.VERSIONING = settings.VERSIONING | {
        "PROTECTED_BRANCHES": ["main", "summer"]
    }
    allowed = (permissions.VIEW_HISTORY, permissions.DELETE_BRANCH)
    dee = signed_in(django_user_model, "dee", allowed)
    fields = {"deleted": DeletedBranch.objects.get().pk}
    dee.post("/branches/restore/", fields)
    assert names(repository) == ["main"]
    page = seen.text(dee.get("/branches/"))
    said = "“summer” is kept for a protected or public branch"
    assert f"“summer” can’t be brought back. {said}" in page
    maintainer.post("/branches/restore/", fields)
    assert names(repository) == ["main", "summer"]


@pytest.mark.parametrize("number", ["", "x", "-1", "99999"])
def test_an_undo_of_nothing(maintainer, number):
    response = maintainer.post("/branches/restore/", {"deleted": number})
    assert response.status_code == (404 if number == "99999" else 400)


def test_a_branch_that_moved_meanwhile_stays(maintainer, repository, summer, add):
    seen_head = repository.head(summer)
    add(summer, "Sun or shade?")
    response = maintainer.post(
        "/branches/delete/",
        {"name": summer, "head": seen_head, "typed_0": "summer"},
    )
    assert response.status_code == 409
    page = seen.main(response)
    assert "“summer” has moved on since you looked, so nothing was deleted." in page
    assert "3 commits that no other branch has would be lost:" in page
    assert f'value="{repository.head(summer)}"' in response.content.decode()
    assert names(repository) == ["main", "summer"]
    assert not DeletedBranch.objects.exists()


def test_several_go_together_or_not_at_all(maintainer, repository, summer, merged, add):
    seen_heads = [repository.head(merged), repository.head(summer)]
    add(summer, "Sun or shade?")
    form = {"name": [merged, summer], "head": seen_heads, "typed_1": "summer"}
    assert maintainer.post("/branches/delete/", form).status_code == 409
    assert names(repository) == ["main", "merged", "summer"]
    response = delete(maintainer, repository, merged, summer, typed_1="summer")
    page = maintainer.get(response["Location"])
    for branch in (merged, summer):
        assert f"“{branch}” is deleted." in seen.text(page)
    assert seen.text(page).count("Undo") == 2
    assert names(repository) == ["main"]


@pytest.mark.parametrize(
    ("branch", "reason"),
    [
        ("main", "This is the default branch; it stays what it is."),
        ("merged", "You are on this branch. Switch to another one to delete it."),
    ],
)
def test_a_branch_that_stays(maintainer, repository, merged, branch, reason):
    maintainer.post("/branches/switch/", {"name": merged})
    page = maintainer.get("/branches/delete/", {"name": branch})
    assert reason in seen.main(page)
    assert "Delete main" not in seen.main(page).replace("Delete “main”?", "")
    response = delete(maintainer, repository, branch)
    assert response.status_code == 409
    assert reason in seen.main(response)
    assert names(repository) == ["main", "merged"]


def test_a_protected_branch_stays(maintainer, repository, merged, settings):
    settings.VERSIONING = settings.VERSIONING | {
        "PROTECTED_BRANCHES": ["main", "merged"]
    }
    assert delete(maintainer, repository, merged).status_code == 409
    page = seen.main(maintainer.get("/branches/"))
    assert "This branch is protected; it stays what it is." in page


def test_a_branch_that_is_not_there(maintainer, repository):
    assert maintainer.get("/branches/delete/?name=nowhere").status_code == 404
    head = repository.head("main")
    response = maintainer.post("/branches/delete/", {"name": "nowhere", "head": head})
    assert response.status_code == 404


@pytest.mark.parametrize("head", ["", "main", "x" * 32, "' OR 1"])
def test_a_form_without_its_commits(maintainer, repository, merged, head):
    form = {"name": merged, "head": head}
    assert maintainer.post("/branches/delete/", form).status_code == 400
    assert names(repository) == ["main", "merged"]


def test_nothing_chosen_leads_back_to_the_list(maintainer):
    response = maintainer.get("/branches/delete/")
    assert (response.status_code, response["Location"]) == (303, "/branches/")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_made_elsewhere_breaks_nothing(maintainer, repository, add, name):
    repository.create_branch(name, repository.head("main"))
    add(name, "Lake or pool?")
    head = repository.head(name)
    listed = maintainer.get("/branches/")
    assert name in seen.main(listed)
    assert "<b>" not in listed.content.decode()
    for url in seen.addresses(listed):
        if url.startswith("/") and "accounts" not in url:
            assert maintainer.get(url).status_code == 200, url
    log = maintainer.get("/log/", {"branch": name})
    assert f"Log of {name}" in seen.main(log)
    compared = maintainer.get("/compare/", {"from": "main", "to": name})
    assert "Lake or pool?" in seen.main(compared)
    assert maintainer.post("/branches/switch/", {"name": name}).status_code == 303
    assert name in seen.text(maintainer.get("/branches/"))
    maintainer.post("/branches/switch/", {"name": "main"})
    renamed = maintainer.post("/branches/rename/", {"name": name, "to": "plain"})
    assert renamed.status_code == 303
    assert repository.head("plain") == head
    repository.rename_branch("plain", name)
    assert delete(maintainer, repository, name, typed_0=name).status_code == 303
    assert names(repository) == ["main"]
    maintainer.post("/branches/restore/", {"deleted": DeletedBranch.objects.get().pk})
    assert repository.head(name) == head


def test_an_editor_deletes_nothing(editor, repository, merged):
    assert editor.get("/branches/delete/?name=merged").status_code == 403
    assert delete(editor, repository, merged).status_code == 403
    assert names(repository) == ["main", "merged"]
    response = editor.get("/branches/")
    assert not [url for url in seen.addresses(response) if "delete" in url]


@pytest.mark.parametrize(
    "url",
    ["/branches/", "/branches/new/", "/branches/rename/?name=main", "/log/",
     "/branches/delete/?name=main", "/compare/", "/compare/rows/"],
)  # fmt: skip
def test_the_console_is_for_those_who_may(client, nobody, url):
    response = client.get(url)
    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/?next=")
    assert nobody.get(url).status_code == 403

"""The list of branches; making, switching and renaming them."""

import pytest
from django.contrib.auth.models import Permission

import versioning
from polls.models import Question
from tests.web import seen
from versioning.backends.errors import BranchNotFound
from versioning.place import SESSION_KEY


def branch_names(repository):
    return [branch.name for branch in repository.branches()]


def add_question(branch, text, author):
    with versioning.on_branch(branch, author=author, message=f"Add “{text}”"):
        return Question.objects.create(text=text)


@pytest.fixture
def summer(repository, erin):
    """A branch that is two commits ahead of main and one behind."""
    repository.create_branch("summer", repository.head("main"))
    add_question("summer", "Ice cream or cake?", erin)
    add_question("summer", "Lake or pool?", erin)
    add_question("main", "Tea or coffee?", erin)
    return "summer"


# The list ---------------------------------------------------------------------


def test_each_branch_with_its_last_change(maintainer, summer):
    page = seen.main(maintainer.get("/branches/"))
    assert "2 branches" in page
    assert "Add “Lake or pool?” Erin Editor, just now" in page
    assert "2 ahead, 1 behind" in page
    assert "main you are here default protected Add “Tea or coffee?”" in page


def test_why_a_branch_stays_is_said_before_anybody_tries(maintainer, summer):
    maintainer.post("/branches/switch/", {"name": summer})
    response = maintainer.get("/branches/")
    page = seen.main(response)
    assert "This is the default branch; it stays what it is." in page
    active = "You are on this branch. Switch to another one to rename or delete it."
    assert active in page
    assert "/branches/delete/?name=summer" not in seen.addresses(response)


def test_no_reason_is_said_for_what_somebody_may_not_do_anyway(
    editor, django_user_model, summer
):
    editor.post("/branches/switch/", {"name": summer})
    page = seen.main(editor.get("/branches/"))
    assert "You are on this branch. Switch to another one to rename it." in page
    assert "delete it" not in page
    django_user_model.objects.get(username="edith").user_permissions.remove(
        Permission.objects.get(codename="create_branch")
    )
    page = seen.main(editor.get("/branches/"))
    assert "You are on this branch" not in page
    assert "stays what it is" not in page


def test_landings_own_branches_are_neither_shown_nor_counted(
    maintainer, repository, summer
):
    repository.create_branch(f"{repository.CANDIDATES}1", repository.head("main"))
    response = maintainer.get("/branches/")
    assert "2 branches" in seen.main(response)
    assert "pollard/candidate" not in response.content.decode()
    assert maintainer.get("/log/?branch=pollard/candidate/1").status_code == 404
    assert maintainer.get("/compare/?to=pollard/candidate/1").status_code == 404
    answer = maintainer.post("/branches/switch/", {"name": "pollard/candidate/1"})
    assert answer.status_code == 404
    new = {"name": "autumn", "at": "pollard/candidate/1"}
    answer = maintainer.post("/branches/new/", new)
    assert answer.status_code == 422
    assert "There is no branch “pollard/candidate/1”." in seen.main(answer)
    assert "autumn" not in branch_names(repository)


def test_a_branch_can_be_found_by_a_part_of_its_name(maintainer, repository, summer):
    repository.create_branch("winter", repository.head("main"))
    page = seen.main(maintainer.get("/branches/?q=SUM"))
    assert "1 of 3 branches has “SUM” in its name" in page
    assert "Lake or pool?" in page
    assert "winter" not in page


def test_the_list_goes_on_after_fifty(maintainer, repository):
    for number in range(60):
        repository.create_branch(f"b{number:02}", repository.head("main"))
    first = maintainer.get("/branches/?sort=name")
    assert "61 branches" in seen.main(first)
    more = seen.links(first)["More branches"]
    second = maintainer.get("/branches/" + more)
    shown = [
        [name for name in ["main", *(f"b{n:02}" for n in range(60))]
         if f"/log/?branch={name}" in seen.addresses(page)]
        for page in (first, second)
    ]  # fmt: skip
    assert shown[0] == ["b00", *(f"b{n:02}" for n in range(1, 50))]
    assert shown[1] == ["main", *(f"b{n:02}" for n in range(50, 60))]
    assert maintainer.get("/branches/?after=nobody").status_code == 400


def test_the_list_can_be_ordered(maintainer, repository, summer):
    repository.create_branch("a", repository.head("main"))
    listed = seen.addresses(maintainer.get("/branches/?sort=-name"))
    order = [listed.index(f"/log/?branch={name}") for name in ("summer", "main", "a")]
    assert order == sorted(order)
    assert maintainer.get("/branches/?sort=nothing").status_code == 200


def test_htmx_gets_the_list_alone(maintainer, summer):
    part = maintainer.get("/branches/?q=sum", headers={"HX-Request": "true"})
    assert part.content.decode().lstrip().startswith('<div id="branches"')
    assert "HX-Request" in part["Vary"]


# Making -----------------------------------------------------------------------


def test_a_branch_begins_where_another_is(editor, repository, summer):
    page = seen.main(editor.get("/branches/new/"))
    assert "New branch" in page
    response = editor.post(
        "/branches/new/", {"name": "autumn", "at": summer, "switch": "on"}
    )
    assert (response.status_code, response["Location"]) == (303, "/branches/")
    assert repository.head("autumn") == repository.head(summer)
    assert editor.session[SESSION_KEY] == "autumn"
    assert "You are on the new branch “autumn” now." in seen.text(
        editor.get("/branches/")
    )


def test_a_branch_begins_at_a_commit_and_nobody_is_moved(editor, repository, summer):
    earlier = repository.commit(repository.head(summer)).parents[0]
    page = editor.get(f"/branches/new/?at={earlier}")
    assert f'value="{earlier}"' in page.content.decode()
    editor.post("/branches/new/", {"name": "autumn", "at": earlier})
    assert repository.head("autumn") == earlier
    assert SESSION_KEY not in editor.session


def test_a_branch_begins_at_a_commit_by_the_hash_that_pages_show(
    editor, repository, summer, erin
):
    repository.create_tag("v1.0", "main", message="", author=erin)
    form = editor.get("/branches/new/")
    said = "A branch, a tag, or a commit by its hash: 7 characters are enough."
    assert said in seen.main(form)
    assert '<option value="v1.0">' in form.content.decode()
    earlier = repository.commit(repository.head(summer)).parents[0]
    response = editor.post("/branches/new/", {"name": "autumn", "at": earlier[:7]})
    assert response.status_code == 303
    assert repository.head("autumn") == earlier


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "A branch needs a name."),
        ("x'--", "“'” is none of them"),
        ("-D", "A name begins with a letter or a digit, not with “-”."),
        ("a b", "a space is none of them"),
        ("summer", "There is already a branch “summer”."),
        ("Summer", "There is already a branch “summer”, which differs only by case."),
        ("pollard/candidate/9", "kept for the system’s own use"),
        ("x" * 64, "A name has 63 characters at most; this one has 64."),
        ("<b>", "“<” is none of them"),
        ("a\x00b", "the character U+0000 is none of them"),
    ],
)
def test_a_name_that_can_not_be_given(editor, repository, summer, name, sentence):
    before = branch_names(repository)
    response = editor.post("/branches/new/", {"name": name, "at": "main"})
    assert response.status_code == 422
    assert sentence in seen.main(response)
    assert branch_names(repository) == before


def assert_refused(repository, client, name, said):
    """Neither a new branch nor summer gets the name, and what was typed stays."""
    for url, fields in (
        ("/branches/new/", {"name": name, "at": "summer"}),
        ("/branches/rename/", {"name": "summer", "to": name}),
    ):
        response = client.post(url, fields)
        assert response.status_code == 422
        assert said in seen.main(response)
        assert f'value="{name}"' in response.content.decode()
    assert branch_names(repository) == ["main", "summer"]


@pytest.mark.parametrize("name", ["v1.0", "V1.0"])
def test_a_tags_name_can_not_be_given(editor, repository, summer, erin, name):
    repository.create_tag("v1.0", "main", message="", author=erin)
    said = "There is a tag “v1.0”, which the branch could not be told from."
    assert_refused(repository, editor, name, said)


@pytest.mark.parametrize("kept", ["PROTECTED_BRANCHES", "PUBLIC_BRANCHES"])
@pytest.mark.parametrize("name", ["release", "Release"])
def test_a_name_that_is_kept_for_who_may_merge(
    editor, maintainer, repository, summer, settings, kept, name
):
    settings.VERSIONING = settings.VERSIONING | {kept: ["main", "release"]}
    said = (
        f"“{name}” is kept for a protected or public branch, so only people who may "
        "merge can give a branch this name."
    )
    assert_refused(repository, editor, name, said)
    response = maintainer.post("/branches/new/", {"name": name, "at": summer})
    assert response.status_code == 303
    assert branch_names(repository) == sorted([name, "main", "summer"])


def test_a_branch_that_has_a_tags_name_gets_another(editor, repository, summer, erin):
    """As other clients can name one."""
    repository.create_tag("summer", "main", message="", author=erin)
    response = editor.post("/branches/rename/", {"name": summer, "to": "autumn"})
    assert response.status_code == 303
    assert branch_names(repository) == ["autumn", "main"]


def test_a_start_that_does_not_exist(editor, repository):
    response = editor.post("/branches/new/", {"name": "autumn", "at": "nowhere"})
    assert response.status_code == 422
    assert "There is no branch, tag or commit “nowhere”." in seen.main(response)
    assert 'value="autumn"' in response.content.decode()
    assert branch_names(repository) == ["main"]


# Switching --------------------------------------------------------------------


def test_switching_keeps_the_page(editor, summer):
    response = editor.post(
        "/branches/switch/", {"name": summer, "next": "/log/?branch=main"}
    )
    assert (response.status_code, response["Location"]) == (303, "/log/?branch=main")
    assert editor.session[SESSION_KEY] == summer


@pytest.mark.parametrize(
    "elsewhere", ["https://example.org/", "//example.org", "javascript:alert(1)", ""]
)
def test_switching_leads_to_no_other_site(editor, summer, elsewhere):
    response = editor.post("/branches/switch/", {"name": summer, "next": elsewhere})
    assert response["Location"] == "/"


def test_a_branch_that_is_not_there_can_not_be_switched_to(editor):
    response = editor.post("/branches/switch/", {"name": "nowhere"})
    assert response.status_code == 404
    assert "There is no branch “nowhere” to switch to." in seen.text(response)
    assert SESSION_KEY not in editor.session


def test_a_get_never_switches(editor, summer):
    assert editor.get(f"/branches/switch/?name={summer}").status_code == 405


def test_a_visitor_stays_on_the_public_branches(client, summer):
    assert client.post("/branches/switch/", {"name": summer}).status_code == 404
    assert client.post("/branches/switch/", {"name": "main"}).status_code == 303


# Renaming ---------------------------------------------------------------------


def test_a_branch_gets_another_name(editor, repository, summer):
    head = repository.head(summer)
    assert "Rename “summer”" in seen.main(editor.get("/branches/rename/?name=summer"))
    response = editor.post("/branches/rename/", {"name": summer, "to": "late-summer"})
    assert response.status_code == 303
    assert repository.head("late-summer") == head
    with pytest.raises(BranchNotFound):
        repository.head(summer)


@pytest.mark.parametrize("path", ["/branches/new/", "/tags/new/"])
def test_the_hint_names_all_that_a_name_may_hold(editor, repository, path):
    refused = editor.post(path, {"name": "two words", "at": "main"})
    said = seen.main(refused)
    for kind in ("digits", "dots", "dashes", "underscores", "slashes"):
        assert said.count(kind) == 2  # in the hint, and in what is said of the name


def test_a_branch_may_change_the_case_of_its_name(editor, repository, summer):
    response = editor.post("/branches/rename/", {"name": summer, "to": "Summer"})
    assert response.status_code == 303
    assert branch_names(repository) == ["Summer", "main"]


@pytest.mark.parametrize(
    ("to", "sentence"),
    [("main", "There is already a branch “main”."), ("a..b", "two dots in a row")],
)
def test_a_new_name_that_can_not_be_given(editor, repository, summer, to, sentence):
    response = editor.post("/branches/rename/", {"name": summer, "to": to})
    assert response.status_code == 422
    assert sentence in seen.main(response)
    assert branch_names(repository) == ["main", "summer"]


def test_the_default_branch_keeps_its_name(editor, repository):
    page = seen.main(editor.get("/branches/rename/?name=main"))
    assert "This is the default branch; it stays what it is." in page
    response = editor.post("/branches/rename/", {"name": "main", "to": "trunk"})
    assert response.status_code == 422
    assert branch_names(repository) == ["main"]


def test_the_branch_in_use_keeps_its_name(editor, repository, summer):
    editor.post("/branches/switch/", {"name": summer})
    response = editor.post("/branches/rename/", {"name": summer, "to": "autumn"})
    assert response.status_code == 422
    assert "You are on this branch" in seen.main(response)
    assert branch_names(repository) == ["main", "summer"]


def test_a_branch_that_is_gone_can_not_be_renamed(editor):
    assert editor.get("/branches/rename/?name=nowhere").status_code == 404
    response = editor.post("/branches/rename/", {"name": "nowhere", "to": "here"})
    assert response.status_code == 404

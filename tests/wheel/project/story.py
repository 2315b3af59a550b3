"""
Run in the new project, after README.md's steps: branches, edits, diffs and
merges by Python, then each page of the console by HTTP.

    python story.py SCRIPT

SCRIPT holds the example under “Scripts”, as it stands there.
"""

import os
import re
import sys
from decimal import Decimal
from pathlib import Path

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "cookbook.settings"
django.setup()

from django.contrib.auth.models import Group, User  # noqa: E402
from django.test import Client  # noqa: E402
from django.urls import reverse  # noqa: E402
from recipes.models import Recipe, Step, Tag  # noqa: E402

from versioning import branches, diffs, on_branch  # noqa: E402
from versioning.backends.repository import ChangeKind  # noqa: E402
from versioning.conf import connection, repository  # noqa: E402
from versioning.merging import deciding, drafts, preview  # noqa: E402
from versioning.merging.landing import land  # noqa: E402
from versioning.merging.resolution import Choice, Take  # noqa: E402

RECIPE, STEP, TAGS = "recipes_recipe", "recipes_step", "recipes_recipe_tags"


def main() -> None:
    ana = User.objects.create_user("ana", "ana@example.org", first_name="Ana")
    ana.groups.add(Group.objects.get(name="Maintainers"))
    write_recipes(ana)
    branches.create(repository(), "summer", at="main")
    run_readme_script(ana)
    edit_both_sides(ana)
    read_the_diff()
    visitor = Client(SERVER_NAME="localhost")
    visitor.force_login(ana)
    open_every_page(visitor)
    merge(ana)
    use_the_form(visitor)
    use_the_admin(visitor, ana)
    print("The story is told.")


def write_recipes(ana: User) -> None:
    with on_branch(author=ana, message="First recipes"):
        soup = Recipe.objects.create(
            title="Tomato soup",
            price=Decimal("4.50"),
            facts={"vegan": True, "minutes": 20},
            likes=3,
            cook=ana,
        )
        soup.tags.add(Tag.objects.create(name="quick"))
        Step.objects.create(recipe=soup, number=1, text="Chop")
        Step.objects.create(recipe=soup, number=2, text="Boil")
        Recipe.objects.create(title="Bread", price=None, note="")


def run_readme_script(user: User) -> None:
    """With the names that the text before it gives."""
    names = {"user": user, "Recipe": Recipe}
    exec(compile(Path(sys.argv[1]).read_text(), "README.md", "exec"), names)
    commit = repository().commit(names["unit"].commit)
    assert commit.message == "Import the recipes", commit
    assert (commit.author.name, commit.author.email) == ("Ana", "ana@example.org")
    assert repository().head("summer") == commit.hash
    with connection().bound("summer"):
        assert Recipe.objects.count() == 3
    assert Recipe.objects.count() == 2


def edit_both_sides(ana: User) -> None:
    with on_branch("summer", author=ana, message="Make it a cold soup"):
        soup = Recipe.objects.get(title="Tomato soup")
        soup.title, soup.price, soup.note = "Gazpacho", Decimal("5.25"), ""
        soup.likes += 2
        soup.save()
        soup.tags.add(Tag.objects.create(name="summer"))
        soup.steps.get(number=2).delete()
    with on_branch(author=ana, message="Say more about the soup"):
        soup = Recipe.objects.get(title="Tomato soup")
        soup.title = "Tomato soup with basil"
        soup.facts = {"vegan": True, "minutes": 25}
        soup.likes += 4
        soup.save()


def read_the_diff() -> None:
    base = repository().merge_base(*heads())
    overview = diffs.overview(repository(), base, repository().head("summer"))
    counts = {table.table: table.rows for table in overview.tables}
    assert counts == {RECIPE: 2, STEP: 1, TAGS: 1, "recipes_tag": 1}, counts
    (removed,) = repository().diff_rows(STEP, base, repository().head("summer"))
    assert (removed.kind, removed.after) == (ChangeKind.REMOVED, None)
    assert removed.before["text"] == "Boil"


def heads() -> tuple[str, str]:
    return repository().head("main"), repository().head("summer")


def merge(ana: User) -> None:
    sides = preview.sides_of(repository(), *heads())
    found = preview.preview("main", sides)
    assert found.required == 1, found  # the title; the likes are summed
    (page,) = preview.each_conflict_page("main", sides, [RECIPE])
    (row,) = page
    draft = drafts.begin("summer", "main", sides, ana)
    deciding.decide(draft, row, {"title": Choice(Take.THEIRS)}, ana)
    commit = repository().commit(land("summer", "main", sides, draft, ana))
    assert commit.parents == (sides.ours, sides.theirs)
    soup = Recipe.objects.get(title="Gazpacho")
    assert (soup.price, soup.note, soup.likes) == (Decimal("5.25"), "", 9)
    assert soup.facts == {"vegan": True, "minutes": 25}
    assert soup.cook == ana
    assert sorted(tag.name for tag in soup.tags.all()) == ["quick", "summer"]
    assert [step.text for step in soup.steps.all()] == ["Chop"]
    bread = Recipe.objects.get(title="Bread")
    assert (bread.price, bread.note) == (None, "")
    assert Recipe.objects.filter(title="Soup").count() == 1


def open_every_page(visitor: Client) -> None:
    merging = {"source": "summer", "target": "main"}
    comparing = {"from": "main", "to": "summer", "dots": "3"}
    pages = {
        "branches": {},
        "branch-create": {},
        "branch-rename": {"name": "summer"},
        "branch-delete": {"name": "summer"},
        "log": {"branch": "summer"},
        "compare": comparing,
        "compare-table": comparing | {"table": RECIPE},
        "merges": {},
        "merge": merging,
        "merge-rows": merging | {"table": TAGS},
        "how": {},
    }
    shown = {
        name: get(visitor, reverse(f"versioning:{name}"), query)
        for name, query in pages.items()
    }
    head = repository().head("summer")
    shown["commit"] = get(visitor, reverse("versioning:commit", args=[head]))
    for name, words in {
        "branches": "summer",
        "log": "Make it a cold soup",
        "commit": "Gazpacho",
        "compare-table": "Recipe “Gazpacho”",
        "merge": "Tomato soup with basil",
    }.items():
        assert words in shown[name], f"{name} lacks {words}:\n{shown[name]}"
    assert "Cook’s own page" in shown["log"], "the project's base.html is not used"


def use_the_form(visitor: Client) -> None:
    bread = Recipe.objects.get(title="Bread")
    page = get(visitor, bread.get_absolute_url())
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page))
    assert fields["versioning_branch"] == "main"
    for _ in range(2):  # pressed twice
        answer = visitor.post(
            reverse("rename", args=[bread.pk]), fields | {"title": "Rye bread"}
        )
        assert answer.status_code in (302, 303), answer
    assert repository().branch("main").message.startswith("Rename “Rye bread”")
    assert (
        sum(
            commit.subject == "Rename “Rye bread”"
            for commit in repository().log([repository().head("main")], limit=10)
        )
        == 1
    )
    before = repository().head("main")
    stale = fields | {"versioning_branch": "summer", "versioning_token": ""}
    answer = visitor.post(reverse("rename", args=[bread.pk]), stale | {"title": "X"})
    assert answer.status_code == 409, answer
    assert repository().head("main") == before


def use_the_admin(visitor: Client, ana: User) -> None:
    User.objects.filter(pk=ana.pk).update(is_staff=True, is_superuser=True)
    visitor.post(reverse("versioning:branch-switch"), {"name": "summer"})
    with connection().bound("summer"):
        soup = Recipe.objects.get(title="Gazpacho")
    url = reverse("admin:recipes_recipe_delete", args=[soup.pk])
    page = get(visitor, url)
    assert "This will be deleted on summer." in page, page
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page))
    answer = visitor.post(url, fields)
    assert answer.status_code == 302, answer
    assert repository().branch("summer").message.startswith("Delete recipe “Gazpacho”")
    with connection().bound("summer"):
        assert not Recipe.objects.filter(pk=soup.pk).exists()
    assert Recipe.objects.filter(pk=soup.pk).exists()


def get(visitor: Client, url: str, query: dict[str, str] | None = None) -> str:
    answer = visitor.get(url, query)
    assert answer.status_code == 200, f"{url} {query}: {answer.status_code}"
    return answer.content.decode()


if __name__ == "__main__":
    main()

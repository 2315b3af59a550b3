"""A site may write its numbers as its language does: those that machines read stay."""

import re
from html.parser import HTMLParser

import pytest

import versioning
from polls.models import Question
from tests.addresses import PARTS, PATHS, POST_ONLY, make_things
from tests.web import seen
from tests.web.fields import forms
from versioning.merging.records import PAGE
from versioning.models import DeletedBranch, MergeDraft

#: What people read, or hear.
WORDS = frozenset({"title", "aria-label", "data-label", "alt", "placeholder"})
MANY = 12_345
LONG = "word " * 20_000
#: Fields whose value is another each time.
TOKENS = frozenset({"csrfmiddlewaretoken", "versioning_token"})
#: What a form saw of a draft: the last part is another for each page.
SEEN = re.compile(r"^(\S+ \d+ )[\w-]{16}$")
MOMENT = re.compile(r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d$")


class _Attributes(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if dict(attrs).get("name") not in TOKENS:
            self.found += [(tag, *one) for one in attrs if one[0] not in WORDS]


def attributes(page):
    reader = _Attributes()
    reader.feed(page.content.decode())
    reader.close()
    # A form for a new question proposes that it opens now.
    return [
        (*where, SEEN.sub(r"\1", MOMENT.sub("now", value or "")))
        for *where, value in reader.found
    ]


@pytest.fixture
def in_german(settings, monkeypatch):
    """``in_german()``: from then on, numbers are written as 1.2.3,4."""

    def begin():
        # Each digit by itself: else no number below a thousand would tell.
        monkeypatch.setattr("django.conf.locale.de.formats.NUMBER_GROUPING", 1)
        settings.LANGUAGE_CODE = "de"
        settings.USE_THOUSAND_SEPARATOR = True

    return begin


def word(branch, author, text):
    with versioning.on_branch(branch, author=author, message=f"Word on {branch}"):
        Question.objects.filter(pk__gte=MANY).update(text=text, details=LONG + branch)


@pytest.fixture
def paths(repository, erin):
    """The pages of the site by name, and some that hold much; keys are long."""
    before = repository.head("main")
    with versioning.on_branch("main", author=erin, message="Begin far on"):
        Question.objects.bulk_create(
            Question(pk=MANY + n, text="How?", details=LONG) for n in range(12)
        )
        Question.objects.get(pk=MANY).choices.create(pk=MANY, text="The first")
    base = repository.head("main")
    repository.create_branch("summer", base)
    for branch in ("main", "summer"):
        word(branch, erin, f"How of {branch}?")
    things = make_things()
    MergeDraft.objects.update(revision=77)
    decided = MergeDraft.objects.get(pk=things.record).decisions.get()
    for n in range(PAGE):
        decided.pk, decided.key_hash = MANY + n, str(n)
        decided.save(force_insert=True)
    gone = DeletedBranch.objects.create(pk=1234, name="gone", head=before)
    cell = f"table=polls_question&column=details&key=[{MANY}]"
    found = {
        name: things.path(name) for name in sorted(PATHS.keys() - POST_ONLY - PARTS)
    }
    return found | {
        "a deletion": f"/branches/?deleted={gone.pk}",
        "a merge of a branch that is gone": "/merge/?source=gone&target=main",
        "a large merge": "/merge/?source=summer&target=main&cards=all",
        "a long value": f"/compare/value/?from={before}&to=main&dots=2&{cell}",
        "a long value of a merge": f"/merge/value/?source=summer&target=main&{cell}"
        f"&base={base}&ours={repository.head('main')}"
        f"&theirs={repository.head('summer')}",
    }


def test_each_page_keeps_them_in_addresses_fields_and_drawings(owner, paths, in_german):
    plain = {name: owner.get(path) for name, path in paths.items()}
    in_german()
    wrong = {}
    for name, path in paths.items():
        page = owner.get(path)
        assert page.status_code == plain[name].status_code, name
        pairs = zip(attributes(plain[name]), attributes(page), strict=True)
        if found := [pair for pair in pairs if pair[0] != pair[1]]:
            wrong[name] = found
    assert wrong == {}


def test_the_deletion_of_a_branch_is_undone(owner, repository, in_german, paths):
    head = DeletedBranch.objects.get(name="gone").head
    in_german()
    (undo, *_) = (
        form
        for form in forms(owner.get(paths["a deletion"]))
        if form.action == "/branches/restore/"
    )
    assert owner.post(undo.action, undo.fields).status_code == 303
    assert repository.head("gone") == head


@pytest.mark.parametrize("name", ["a long value", "a long value of a merge"])
def test_a_long_value_is_read_on(owner, in_german, paths, name):
    in_german()
    (further,) = [
        url
        for words, url in seen.links(owner.get(paths[name])).items()
        if words.startswith("Read on from character 5.0.0.0.0")
    ]
    assert owner.get(further).status_code == 200

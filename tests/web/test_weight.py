"""How many bytes a page takes over the wire, with everything that it asks for."""

import gzip
import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

import versioning
from polls.models import Choice, Question
from versioning.merging.preview import sides_of
from versioning.values import key_text

FIRST_LOAD = 100_000  # bytes, with styles, script and icons
PART = 20_000

ZIPPED = {"Accept-Encoding": "gzip"}
HTMX = {"HX-Request": "true", **ZIPPED}


@pytest.fixture
def questions(repository) -> list[Question]:
    """Rows enough to fill every list, all in conflict with a branch."""
    made = []
    with versioning.on_branch("main", message="Ask a lot"):
        for number in range(60):
            question = Question.objects.create(
                text=f"What shall question {number} be about?", details="Look. " * 20
            )
            Choice.objects.create(question=question, text="The sky", votes=number)
            made.append(question)
    repository.create_branch("summer", repository.head("main"))
    for branch in ("main", "summer"):
        for number in range(30):
            with versioning.on_branch(branch, message=f"Count to {number} on {branch}"):
                Choice.objects.update(votes=1000 + number)
        with versioning.on_branch(branch, message=f"Reword on {branch}"):
            Question.objects.update(text=f"What, on {branch}?")
    return made


def weight(page: bytes) -> int:
    """Of the files that a page loads, as the site sends them: compressed."""
    names = set(re.findall(r'(?:href|src)="/static/([^"#?]+)', page.decode()))
    assert any(name.endswith(".css") for name in names)
    total = 0
    for name in names:
        path = finders.find(name)
        assert path, name
        total += len(gzip.compress(Path(path).read_bytes(), 9))
    return total


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/branches/",
        "/log/",
        "/compare/?from=main&to=summer&dots=2",
        "/compare/rows/?from=main&to=summer&dots=2&table=polls_question",
        "/merge/?source=summer&target=main",
        "/how-this-works/",
    ],
)
def test_a_first_load_is_light(path: str, questions, maintainer: Client):
    sent = maintainer.get(path, headers=ZIPPED)
    assert sent.status_code == 200
    assert sent["Content-Encoding"] == "gzip"
    page = gzip.decompress(sent.content)
    assert len(sent.content) + weight(page) < FIRST_LOAD


@pytest.mark.parametrize(
    "path",
    [
        "/log/",
        "/compare/rows/?from=main&to=summer&dots=2&table=polls_question",
        "/merge/?source=summer&target=main",
        "/?q=what",
    ],
)
def test_a_part_is_lighter(path: str, questions, maintainer: Client):
    part = maintainer.get(path, headers=HTMX)
    assert part.status_code == 200
    assert b"<html" not in gzip.decompress(part.content)
    assert len(part.content) < PART


def test_the_answer_to_a_choice_is_light(
    repository, questions: list[Question], maintainer: Client
):
    sides = sides_of(repository, repository.head("main"), repository.head("summer"))
    assert sides is not None
    posted = {
        **{"source": "summer", "target": "main", "scope": "row"},
        **{"base": sides.base, "ours": sides.ours, "theirs": sides.theirs},
        **{"table": "polls_question", "key": key_text((questions[0].pk,))},
        "take:text": "theirs",
    }
    answer = maintainer.post("/merge/decide/", posted, headers=HTMX)
    assert answer.status_code == 200
    assert "1 of 60 settled" in gzip.decompress(answer.content).decode()
    assert len(answer.content) < PART

"""The list of polls, a poll, its results: what people find there."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

import versioning
from polls.models import Choice, Question
from polls.views import PAGE
from tests.web import seen

INDEX = reverse("polls:index")


def ask(text, votes=(1, 0), *, ago=timedelta(days=1), details=""):
    """A question from ``ago`` with a choice per number of votes, on main."""
    with versioning.on_branch("main", message=f"Add “{text}”"):
        question = Question.objects.create(
            text=text, details=details, published=timezone.now() - ago
        )
        for number, count in enumerate(votes, 1):
            question.choices.create(text=f"Choice {number}", votes=count)
    return question


def titles(response):
    return [question.text for question in response.context["questions"]]


def test_the_list_is_newest_first(repository, client):
    ask("Middle", ago=timedelta(days=2))
    ask("Oldest", ago=timedelta(days=3))
    ask("Newest", ago=timedelta(days=1))
    response = client.get(INDEX)
    assert titles(response) == ["Newest", "Middle", "Oldest"]
    page = seen.main(response)
    assert page.index("Newest") < page.index("Middle") < page.index("Oldest")


def test_the_list_leaves_out_what_nobody_can_vote_on(repository, client):
    ask("Open")
    ask("Tomorrow", ago=timedelta(days=-1))
    ask("Without choices", votes=())
    response = client.get(INDEX)
    assert titles(response) == ["Open"]


@pytest.mark.parametrize("view", ["detail", "vote", "results"])
@pytest.mark.parametrize(
    ("votes", "ago"), [((1, 2), timedelta(days=-1)), ((), timedelta(days=1))]
)
def test_what_nobody_can_vote_on_is_not_found(repository, client, view, votes, ago):
    question = ask("Hidden words", votes, ago=ago)
    response = client.get(reverse(f"polls:{view}", args=[question.pk]), follow=True)
    assert response.status_code == 404
    assert "Hidden words" not in response.content.decode()


@pytest.mark.parametrize("pk", [0, 12345, 10**30])
def test_a_poll_that_is_not_there_is_not_found(repository, client, pk):
    assert client.get(reverse("polls:detail", args=[pk])).status_code == 404


def test_the_list_says_what_will_be_there(repository, client):
    page = seen.main(client.get(INDEX))
    assert "There are no polls yet" in page


def test_a_search_looks_into_text_and_details(repository, client):
    ask("Which band?", details="On Friday evening")
    ask("Which cake?", details="With the BAND’s coffee")
    ask("Which tent?")
    assert titles(client.get(INDEX, {"q": "band"})) == ["Which cake?", "Which band?"]
    assert titles(client.get(INDEX, {"q": "tent"})) == ["Which tent?"]


@pytest.mark.parametrize("search", ["%", "_", "'", '"; --', "<b>"])
def test_a_search_takes_signs_as_they_are(repository, client, search):
    ask("Plain words")
    response = client.get(INDEX, {"q": search})
    assert response.status_code == 200
    assert titles(response) == []
    assert f"“{search}”" in seen.main(response)


def test_pages_go_on_where_the_last_one_ended(repository, client):
    made = timezone.now() - timedelta(days=1)
    with versioning.on_branch("main", message="Add many"):
        questions = Question.objects.bulk_create(
            # Many of the same moment: the key has to tell them apart.
            Question(text=f"Number {n:03}", published=made - timedelta(hours=n // 30))
            for n in range(2 * PAGE + 5)
        )
        for question in Question.objects.all():
            question.choices.create(text="Yes")
    first = client.get(INDEX)
    shown = titles(first)
    # Somebody asks meanwhile: a page that counts rows would repeat one.
    ask("Meanwhile", ago=timedelta(0))
    response = first
    while more := response.context["more"]:
        response = client.get(INDEX, {"after": more})
        shown += titles(response)
    assert len(shown) == len(questions)
    assert sorted(shown) == sorted(question.text for question in questions)
    assert "Meanwhile" not in shown


@pytest.mark.parametrize("cursor", ["x", "2026-01-01 1", "a:b:c", "\x00"])
def test_a_damaged_cursor_is_a_bad_request(repository, client, cursor):
    assert client.get(INDEX, {"after": cursor}).status_code == 400


def test_htmx_gets_the_list_alone(repository, client):
    ask("What’s up?")
    part = client.get(INDEX, headers={"HX-Request": "true"})
    assert "What’s up?" in part.content.decode()
    assert "<html" not in part.content.decode()
    assert "HX-Request" in part["Vary"]
    restored = client.get(
        INDEX,
        headers={"HX-Request": "true", "HX-History-Restore-Request": "true"},
    )
    assert "<html" in restored.content.decode()


def test_results_say_votes_and_shares(repository, client):
    question = ask("What’s up?", votes=(3, 12, 0))
    page = seen.main(client.get(reverse("polls:results", args=[question.pk])))
    assert "15 votes" in page
    assert page.index("Choice 2") < page.index("Choice 1") < page.index("Choice 3")
    for words in ("12 votes 80 %", "3 votes 20 %", "0 votes 0 %"):
        assert words in page


def test_results_without_a_vote_say_so(repository, client):
    question = ask("What’s up?", votes=(0, 0))
    page = seen.main(client.get(reverse("polls:results", args=[question.pk])))
    assert "Nobody has voted yet" in page


def test_text_is_never_markup(repository, client):
    question = ask("<script>alert(1)</script>", details="<b>bold</b>")
    for view in ("detail", "results"):
        page = client.get(reverse(f"polls:{view}", args=[question.pk]))
        assert "<script>alert" not in page.content.decode()
        assert "<b>bold" not in page.content.decode()


def test_a_state_for_reading_has_no_forms(repository, maintainer):
    question = ask("What’s up?", votes=(3, 12))
    then = repository.head("main")
    with versioning.on_branch("main", message="Vote"):
        Choice.objects.filter(question=question).update(votes=50)
    address = reverse("polls:detail", args=[question.pk])
    page = maintainer.get(address, {"at": then})
    assert 'type="radio"' not in page.content.decode()
    assert "nobody can vote here" in seen.main(page)
    results = seen.main(
        maintainer.get(reverse("polls:results", args=[question.pk]), {"at": then})
    )
    assert "15 votes" in results


def test_the_first_steps_offer_what_can_still_be_done(
    repository, maintainer, add, merge, settings
):
    settings.DEMO = True
    for branch in ("food-stalls", "fireworks"):
        repository.create_branch(branch, repository.head("main"))
        add(branch, f"What of {branch}?")
    page = maintainer.get(reverse("polls:index"))
    assert "Merge fireworks into main" in seen.links(page)
    assert "what Erin prepared on food-stalls" in seen.links(page)
    merge("fireworks", "main")
    page = maintainer.get(reverse("polls:index"))
    assert "Merge fireworks into main" not in seen.links(page)
    assert "what Erin prepared on food-stalls" in seen.links(page)
    assert "Vote in a poll" in seen.links(page)

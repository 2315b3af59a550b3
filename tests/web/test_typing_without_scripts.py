"""A value typed beside a conflict's choices, where no script picks it."""

import pytest

import versioning
from polls.models import Choice
from tests.web import seen
from tests.web.fields import Form, fields, forms
from tests.web.test_merges import URL, land, pins
from versioning.backends.repository import Author
from versioning.models import Decision

ERIN = Author("Erin Editor", "erin@example.org")
DECIDE = "/merge/decide/"
TYPED = "The firmament\nabove"
EITHER = "You typed this and something else was chosen."


def card(page) -> Form:
    (found,) = (
        form
        for form in forms(page)
        if form.action == DECIDE and form.fields.get("scope") == "row"
    )
    return found


@pytest.fixture
def send(maintainer, heaven):
    """``send(page, …)``: the card's form as the page has it, with these filled in."""

    def send(page=None, *, headers=None, **filled):
        found = card(page or maintainer.get(URL)).fields
        given = {name.replace("__", ":"): text for name, text in filled.items()}
        return maintainer.post(DECIDE, found | given, headers=headers)

    return send


def made() -> list[tuple[str, str | None]]:
    of_the_text = Decision.objects.filter(column="text")
    return list(of_the_text.values_list("take", "value"))


def test_it_is_chosen_where_nothing_else_is(repository, maintainer, heaven, send):
    assert send(value__text=TYPED).status_code == 303
    assert made() == [("value", TYPED)]
    shown = fields(maintainer.get(URL))["seen"]  # by the page that comes then
    assert land(maintainer, pins(repository) | {"seen": shown}).status_code == 303
    heaven.refresh_from_db()
    assert heaven.text == TYPED


def test_nothing_typed_and_nothing_chosen_is_nothing(send):
    assert send(value__text="").status_code == 303
    assert made() == []


@pytest.mark.parametrize(("again", "kept"), [("value", TYPED), ("theirs", None)])
def test_it_is_asked_about_where_something_else_stays_chosen(send, again, kept):
    send(take__text="ours")
    answer = send(value__text=TYPED)
    assert answer.status_code == 422
    assert EITHER in seen.main(answer)
    assert made() == [("ours", None)]
    shown = card(answer).fields
    assert (shown["take:text"], shown["value:text"]) == ("value", TYPED)
    assert send(answer, take__text=again).status_code == 303
    assert made() == [(again, kept)]


def test_what_was_typed_before_is_left_for_something_else(maintainer, send):
    send(value__text=TYPED)
    assert send(take__text="theirs").status_code == 303
    assert made() == [("theirs", None)]
    assert card(maintainer.get(URL)).fields["value:text"] == ""


def test_a_button_of_the_row_says_what_is_meant(send):
    assert send(value__text=TYPED, row="theirs").status_code == 303
    assert made() == [("theirs", None)]


def test_a_script_picks_what_is_typed_by_itself(send):
    htmx = {"HX-Request": "true"}
    send(take__text="ours")
    answer = send(take__text="theirs", value__text=TYPED, headers=htmx)
    assert answer.status_code == 200
    assert made() == [("theirs", None)]


def test_it_is_shown_where_the_row_has_changed(maintainer, heaven, send):
    page = maintainer.get(URL)
    with versioning.on_branch("main", author=ERIN, message="Word"):
        Choice.objects.filter(pk=heaven.pk).update(text="The vault")
    answer = send(page, value__text=TYPED)
    assert answer.status_code == 409
    assert "What you had typed Choice The firmament" in seen.main(answer)
    assert made() == []

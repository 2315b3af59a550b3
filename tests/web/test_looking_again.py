"""Decisions whose values have changed since: seen again, with one press or none."""

import re
from html import unescape

import pytest

import versioning
from polls.models import Choice, Question
from tests.web import seen
from tests.web.test_drafts_together import HTMX
from tests.web.test_mending import form as mend_form
from tests.web.test_mending import mend
from tests.web.test_merges import URL, about, decide, land, pins
from versioning.merging import preview
from versioning.models import Decision
from versioning.values import key_text


@pytest.fixture
def change(repository, erin):
    """``change(branch, choice, text=…)``: in a commit of its own."""

    def commit(branch, choice, **values):
        with versioning.on_branch(branch, author=erin, message="Change"):
            Choice.objects.filter(pk=choice.pk).update(**values)

    return commit


def shown(page, choice):
    """What the choice's form says that it showed."""
    html = unescape(page.content.decode())
    key = key_text((choice.pk,))
    card = html.partition(f'name="key" value="{key}"')[2].partition("</form>")[0]
    return dict(re.findall(r'name="(shown:[^"]*)" value="([^"]*)"', card))


def again(client, repository, choice, column, **extra):
    """Press “Choose the same again” on the page as it is now."""
    page = client.get(URL)
    assert "Choose the same again" in seen.main(page)
    fields = pins(repository) | about(choice) | shown(page, choice)
    return decide(client, fields | {"again": column}, **extra)


def taken():
    return [(d.column, d.take, d.value) for d in Decision.objects.order_by("column")]


def test_old_values_stand_beside_the_new_ones(repository, maintainer, heaven, change):
    decide(maintainer, pins(repository) | about(heaven, take__text="theirs"))
    change("summer", heaven, text="All skies")
    words = seen.main(maintainer.get(URL))
    assert "Look again. mo decided this just now, when the values were others." in words
    assert (
        "Then Now "
        "Before The sky the same main Heaven the same summer Skies All skies "
        "mo chose: Skies as on summer" in words
    )
    assert "0 of 1 settled" in words
    assert "1 decision to look at again" in words


def test_what_another_look_found_already_is_judged_anew_too(
    repository, maintainer, heaven, change
):
    decide(maintainer, pins(repository) | about(heaven, take__text="theirs"))
    change("summer", heaven, text="All skies")
    heads = repository.head("main"), repository.head("summer")
    sides = preview.sides_of(repository, *heads)
    assert sides is not None
    preview.preview("main", sides)
    words = seen.main(maintainer.get(URL))
    assert "0 of 1 settled" in words
    assert "1 decision to look at again" in words


@pytest.mark.parametrize("extra", [{}, {"headers": HTMX}])
def test_the_same_is_chosen_again_from_where_it_is(
    repository,
    maintainer,
    ida,
    heaven,
    change,
    extra,
):
    decide(ida, pins(repository) | about(heaven, take__text="theirs"))
    change("main", heaven, text="Paradise")
    answer = again(maintainer, repository, heaven, "text", **extra)
    assert answer.status_code == (200 if extra else 303)
    twice = pins(repository) | about(heaven) | {"again": "text"}
    assert decide(maintainer, twice, **extra).status_code == answer.status_code
    assert taken() == [("text", "theirs", None)]
    assert Decision.objects.get().decided_by_name == "mo"
    page = maintainer.get(URL)
    words = seen.main(page)
    assert "1 of 1 settled" in words
    assert "Look again" not in words
    (of_page,) = set(re.findall(r'name="seen" value="([^"]*)"', page.content.decode()))
    assert land(maintainer, pins(repository) | {"seen": of_page}).status_code == 303
    assert Choice.objects.get(pk=heaven.pk).text == "Skies"


def test_a_value_that_is_on_no_side_any_more_is_kept_as_typed(
    repository,
    maintainer,
    heaven,
    change,
):
    decide(maintainer, pins(repository) | about(heaven, take__text="theirs"))
    change("summer", heaven, text="All skies")
    said = "No side has this value any more; it would be kept as a value of its own."
    assert said in seen.main(maintainer.get(URL))
    assert again(maintainer, repository, heaven, "text").status_code == 303
    assert taken() == [("text", "value", "Skies")]
    assert "1 of 1 settled" in seen.main(maintainer.get(URL))


def test_a_value_that_is_on_the_other_side_now_is_taken_from_there(
    repository,
    maintainer,
    heaven,
    change,
):
    decide(maintainer, pins(repository) | about(heaven, take__text="theirs"))
    change("main", heaven, text="Skies")
    change("summer", heaven, text="All skies")
    assert again(maintainer, repository, heaven, "text").status_code == 303
    assert taken() == [("text", "ours", None)]


def test_a_typed_value_is_typed_again(repository, maintainer, heaven, change):
    given = about(heaven, take__text="value", value__text="The firmament")
    decide(maintainer, pins(repository) | given)
    change("main", heaven, text="Paradise")
    words = seen.main(maintainer.get(URL))
    assert "mo chose: The firmament typed" in words
    assert "No side has this value" not in words
    assert again(maintainer, repository, heaven, "text").status_code == 303
    assert taken() == [("text", "value", "The firmament")]


def test_a_count_that_was_decided_asks_again_beside_the_sum(
    repository,
    maintainer,
    heaven,
    change,
):
    """The sum counts meanwhile, so nothing is missing; yet it is not silent."""
    given = about(heaven, take__text="ours", take__votes="ours")
    decide(maintainer, pins(repository) | given)
    assert "conflict--settled" in maintainer.get(URL).content.decode()
    change("summer", heaven, votes=9)
    page = maintainer.get(URL)
    assert "conflict--settled" not in page.content.decode()
    words = seen.main(page)
    assert "1 of 1 settled" in words
    assert "Before 5 the same main 6 the same summer 7 9 mo chose: 6 as on" in words
    assert "Leave both counted" in words
    assert again(maintainer, repository, heaven, "votes").status_code == 303
    assert taken()[1] == ("votes", "ours", None)
    change("summer", heaven, votes=10)
    page = maintainer.get(URL)
    fields = pins(repository) | about(heaven, take__votes="sum") | shown(page, heaven)
    assert decide(maintainer, fields).status_code == 303
    assert taken()[1] == ("votes", "sum", None)
    assert "Look again" not in seen.main(maintainer.get(URL))


@pytest.fixture
def deleted(repository, maintainer, heaven, erin, change):
    """Summer deletes the row that main changed; it is decided to stay."""
    with versioning.on_branch("summer", author=erin, message="Delete"):
        Choice.objects.filter(pk=heaven.pk).delete()
    fields = pins(repository) | about(heaven) | {"take:": "ours"}
    assert decide(maintainer, fields).status_code == 303
    change("main", heaven, text="Seventh heaven")
    return heaven


def test_a_row_that_was_to_stay_stays_with_what_changed_in_it(
    repository, maintainer, deleted
):
    words = seen.main(maintainer.get(URL))
    # Not the votes: they are as they were.
    assert "Then Now Choice Heaven Seventh heaven mo chose: kept, as" in words
    assert again(maintainer, repository, deleted, "").status_code == 303
    assert taken() == [("", "ours", None)]
    assert "1 of 1 settled" in seen.main(maintainer.get(URL))


def test_what_does_not_mean_the_same_any_more_is_not_offered(
    repository, maintainer, erin, deleted
):
    """Now it is main that deleted the row, and “main” means to delete it."""
    with versioning.on_branch("main", author=erin, message="Delete"):
        Choice.objects.filter(pk=deleted.pk).delete()
    with versioning.on_branch("summer", author=erin, message="Bring back"):
        Choice.objects.create(
            pk=deleted.pk,
            question_id=deleted.question_id,
            text="Blue",
        )
    page = maintainer.get(URL)
    words = seen.main(page)
    assert "This can’t be chosen again, as the row stands otherwise now." in words
    assert "Choose the same again" not in words
    fields = pins(repository) | about(deleted) | shown(page, deleted) | {"again": ""}
    assert decide(maintainer, fields).status_code == 400
    assert Decision.objects.get().outdated


def test_both_rows_are_kept_again(repository, maintainer, erin, heaven):
    for branch in ("main", "summer"):
        with versioning.on_branch(branch, author=erin, message="Ask"):
            Question.objects.create(pk=7000, text=f"On {branch}?", details=branch)
    row = {"scope": "row", "table": "polls_question", "key": key_text((7000,))}
    decide(maintainer, pins(repository) | row | {"row": "both"})
    with versioning.on_branch("summer", author=erin, message="Reword"):
        Question.objects.filter(pk=7000).update(text="In summer?", details="Soon.")
    page = maintainer.get(URL)
    html = unescape(page.content.decode()).partition('value="[7000]"')[2]
    stamps = dict(re.findall(r'name="(shown:[^"]*)" value="([^"]*)"', html))
    decide(maintainer, pins(repository) | row | stamps | {"again": "text"})
    assert {(take, value) for _, take, value in taken()} == {("both", None)}
    assert not Decision.objects.filter(outdated=True).exists()
    assert "Both are kept" in seen.main(maintainer.get(URL))


def test_what_somebody_decided_meanwhile_is_not_overwritten(
    repository,
    maintainer,
    ida,
    heaven,
    change,
):
    decide(maintainer, pins(repository) | about(heaven, take__text="theirs"))
    change("main", heaven, text="Paradise")
    page = maintainer.get(URL)
    fields = pins(repository) | about(heaven) | shown(page, heaven)
    decide(ida, fields | {"take:text": "ours"})
    answer = decide(maintainer, fields | {"again": "text"})
    assert answer.status_code == 409
    words = seen.main(answer)
    assert "ida decided about this row meanwhile. So nothing was chosen again." in words
    assert "Take mine after all" not in words
    assert taken() == [("text", "ours", None)]


def test_there_is_nothing_to_choose_again_where_nothing_was_chosen(
    repository,
    maintainer,
    heaven,
):
    for column in ("text", "votes", "id", "nothing"):
        fields = pins(repository) | about(heaven) | {"again": column}
        assert decide(maintainer, fields).status_code == 400
    assert not Decision.objects.exists()


# No longer needed -------------------------------------------------------------


def test_a_decision_about_a_row_that_is_in_no_conflict_is_no_longer_needed(
    repository,
    maintainer,
    heaven,
    change,
):
    decide(maintainer, pins(repository) | about(heaven, take__text="theirs"))
    change("main", heaven, text="Skies", votes=7)
    page = maintainer.get(URL)
    words = seen.main(page)
    assert "to look at again" not in words
    assert "Look again" not in words
    assert (
        "1 decision no longer needed The values have changed since, and nothing is "
        "asked there any more. So these change nothing. "
        "Choice “Skies” of “What’s up?”, Choice: Skies as on summer, by mo" in words
    )
    change("main", heaven, text="Heaven", votes=6)  # and it is again
    words = seen.main(maintainer.get(URL))
    assert "no longer needed" not in words
    assert "1 of 1 settled" in words


def test_a_decision_about_a_cell_that_is_not_asked_is_no_longer_needed(
    repository,
    maintainer,
    heaven,
    change,
):
    """The row is still in conflict, for its votes."""
    given = about(heaven, take__text="theirs", take__votes="ours")
    decide(maintainer, pins(repository) | given)
    old = pins(repository)
    change("main", heaven, text="Skies")
    answer = land(maintainer, old)
    assert answer.status_code == 409
    words = seen.main(answer)
    assert "the same as before; 1 is no longer needed." in words
    assert "1 decision no longer needed" in words
    assert "Look again" not in words
    assert land(maintainer, pins(repository)).status_code == 303
    head = repository.commit(repository.head("main"))
    assert "1 value decided by 1 person." in head.message
    assert Choice.objects.get(pk=heaven.pk).votes == 6


def test_what_was_mended_in_a_row_that_is_whole_again_is_no_longer_needed(
    repository,
    maintainer,
    orphan,
    change,
    erin,
):
    mend(maintainer, mend_form(repository, "polls_choice", orphan.pk, take="drop"))
    with versioning.on_branch("main", author=erin, message="Ask again"):
        Question.objects.create(pk=orphan.question_id, text="What’s up?")
    old = pins(repository)
    change("summer", orphan, text="Many stars")
    words = seen.main(land(maintainer, old))
    assert "the same as before; 1 is no longer needed." in words
    assert "1 decision no longer needed" in words
    assert "Choice “Many stars” of “What’s up?”, The row: left out, by mo" in words
    assert "Mended" not in words
    assert land(maintainer, pins(repository)).status_code == 303
    assert Choice.objects.get(pk=orphan.pk).text == "Many stars"


def test_what_was_mended_in_a_row_that_is_still_broken_is_mended_again(
    repository,
    maintainer,
    ida,
    orphan,
    change,
):
    mend(ida, mend_form(repository, "polls_choice", orphan.pk, take="drop"))
    change("summer", orphan, text="Many stars")
    page = maintainer.get(URL)
    words = seen.main(page)
    assert "Look again. ida mended this just now, when the row was another." in words
    assert "The row: left out Choose the same again" in words
    assert "2 rows still to mend" in words
    fields = mend_form(repository, "polls_choice", orphan.pk, again="")
    stamps = dict(
        re.findall(r'name="(shown:[^"]*)" value="([^"]*)"', str(page.content))
    )
    assert mend(maintainer, fields | stamps).status_code == 303
    assert taken() == [("", "drop", None)]
    assert "still to mend" not in seen.main(maintainer.get(URL))
    assert mend(maintainer, fields).status_code == 303  # a second press
    other = fields | {"again": "text"}
    assert mend(maintainer, other).status_code == 400

"""Rows of a merge's result that break a rule, mended on the merge page."""

import re

import pytest
from django.db import transaction
from django.urls import reverse

import versioning
from polls.models import Choice, Question
from tests.web import seen
from tests.web.fields import forms, press_merge
from tests.web.test_drafts_together import again
from versioning.merging import candidate, memory, trial
from versioning.merging.preview import sides_of
from versioning.models import Decision
from versioning.presentation import mends
from versioning.presentation.mends import mend_anchor
from versioning.values import key_text

URL = "/merge/?source=summer&target=main"
MEND = "versioning:merge-mend"
HTMX = {"HX-Request": "true"}


def form(repository, table, pk, **fields):
    sides = sides_of(repository, repository.head("main"), repository.head("summer"))
    assert sides is not None
    return {
        "source": "summer",
        "target": "main",
        "base": sides.base,
        "ours": sides.ours,
        "theirs": sides.theirs,
        "table": table,
        "key": key_text((pk,)),
        **{name.replace("__", ":"): value for name, value in fields.items()},
    }


def with_words_for_a_number(repository, choice):
    return form(
        repository,
        "polls_choice",
        choice.pk,
        take="",
        value__question_id="the first one",
        was__question_id=str(choice.question_id),
    )


def mend(client, fields, **extra):
    return client.post(reverse("versioning:merge-mend"), fields, **extra)


def test_rows_are_named_with_the_reason_in_words(repository, maintainer, orphan):
    page = maintainer.get(URL)
    words = seen.main(page)
    assert "2 rows of the result would break a rule" in words
    assert "Question points to Question “What’s up?”, which will not be there." in words
    assert (
        "It was deleted on main, and this points to it: Choice “Stars” of “What’s up?”."
        in words
    )
    assert "Keep it as on summer" in words
    assert "Not ready yet 2 rows still to mend" in words
    assert "Nothing to decide" not in words
    assert "Leave it out, and mend what points to it" in words
    assert "Change its values below" in words
    assert "Leave it as it is" not in words
    assert b"disabled" in page.content


def test_what_a_row_points_to_is_chosen_by_name(repository, maintainer, orphan, erin):
    with versioning.on_branch("main", author=erin, message="Ask"):
        # Not one with the key of the row that is gone: that would be pointed to.
        other, one, two = (
            Question.objects.create(pk=orphan.question_id + number, text=text)
            for number, text in enumerate(
                ("Tea or coffee?", "Once more?", "Once more?"), start=1
            )
        )
    page = maintainer.get(URL).content.decode()
    assert 'value="" selected disabled hidden>choose another</option>' in page
    (offered,) = re.findall(
        r'<select id="mend-[^>]*question_id".*?</select>', page, re.S
    )
    listed = re.findall(r'<option value="(\d*)"( selected)?>(.*?)</option>', offered)
    assert listed == [
        (str(one.pk), "", f"Once more? ({one.pk})"),
        (str(two.pk), "", f"Once more? ({two.pk})"),
        (str(other.pk), "", "Tea or coffee?"),
    ]
    answer = mend(
        maintainer,
        form(
            repository,
            "polls_choice",
            orphan.pk,
            take="",
            value__question_id=str(other.pk),
            was__question_id=str(orphan.question_id),
        ),
        follow=True,
    )
    assert f'<option value="{other.pk}" selected>' in answer.content.decode()


def test_what_comes_with_the_merge_can_be_pointed_to_as_well(
    repository, maintainer, orphan, erin
):
    new = orphan.question_id + 1
    with versioning.on_branch("summer", author=erin, message="Ask"):
        Question.objects.create(pk=new, text="Tea or coffee?")
    page = maintainer.get(URL).text
    assert f'<option value="{new}">Tea or coffee?</option>' in page
    chosen = form(
        repository,
        "polls_choice",
        orphan.pk,
        take="",
        value__question_id=str(new),
        was__question_id=str(orphan.question_id),
    )
    assert mend(maintainer, chosen).status_code == 303
    press_merge(maintainer, {"source": "summer", "target": "main"})
    assert Choice.objects.get().question.text == "Tea or coffee?"


@pytest.mark.parametrize("extra", [{}, {"headers": HTMX}])
def test_to_mend_a_row_by_nothing_is_answered(repository, maintainer, orphan, extra):
    was = str(orphan.question_id)
    sent = form(
        repository,
        "polls_choice",
        orphan.pk,
        take="",
        value__question_id=was,
        was__question_id=was,
    )
    answer = mend(maintainer, sent, **extra)
    assert answer.status_code == 422
    assert answer.text.count("Nothing was chosen for this row") == 1
    where = mend_anchor("polls_choice", key_text((orphan.pk,)))
    (card,) = re.findall(rf'<article id="{where}".*?</article>', answer.text, re.S)
    assert re.search(r"data-focus>Nothing was chosen for this row", card)
    assert "Nothing was merged" not in answer.text
    assert "2 rows still to mend" in answer.text
    assert not Decision.objects.exists()
    again = mend(maintainer, sent | {"take": "drop"}, **extra)
    assert again.status_code in (200, 303)
    assert Decision.objects.count() == 1


def test_of_too_many_to_choose_from_the_number_is_typed(
    maintainer, orphan, erin, monkeypatch
):
    monkeypatch.setattr(mends, "OFFERED", 1)
    with versioning.on_branch("main", author=erin, message="Ask"):
        Question.objects.create(pk=orphan.question_id + 1, text="Tea or coffee?")
    page = maintainer.get(URL).content.decode()
    assert f'name="value:question_id" value="{orphan.question_id}"' not in page
    with versioning.on_branch("main", author=erin, message="Ask"):
        Question.objects.create(pk=orphan.question_id + 2, text="Once more?")
    page = maintainer.get(URL).content.decode()
    assert f'name="value:question_id" value="{orphan.question_id}"' in page
    assert f"{orphan.question_id} is “What’s up?”" in page


def test_what_is_not_chosen_is_called_by_what_becomes_of_the_row(
    repository, maintainer, orphan
):
    mend(
        maintainer,
        form(repository, "polls_question", orphan.question_id, take="theirs"),
    )
    mend(
        maintainer,
        form(
            repository,
            "polls_choice",
            orphan.pk,
            take="",
            value__text="Moons",
            was__text="Stars",
        ),
    )
    words = seen.main(maintainer.get(URL))
    assert "As the merge makes it" in words
    assert "With the values below" in words
    assert "All is mended Nothing changes before you press the button." in words


def test_nothing_is_chosen_for_anybody(maintainer, orphan):
    page = maintainer.get(URL)
    cards = [form for form in forms(page) if form.action == reverse(MEND)]
    assert len(cards) == 2
    for card in cards:
        assert "" in card.offered["take"]
        assert "take" not in card.fields
        assert card.fields.get("value:question_id", "") == ""


@pytest.mark.usefixtures("enough_choices")
def test_a_row_for_which_something_was_chosen_is_told_from_others(
    repository, maintainer, orphan
):
    keep = form(repository, "polls_question", orphan.question_id, take="theirs")
    assert mend(maintainer, keep).status_code == 303
    words = seen.main(maintainer.get(URL))
    assert "Question “What’s up?” still breaks a rule" in words
    assert "Choice “Stars” of “What’s up?” to mend" in words


def test_rows_to_mend_are_said_beside_decisions_that_are_missing(
    repository, maintainer, orphan, erin
):
    for branch in ("main", "summer"):
        with versioning.on_branch(branch, author=erin, message="Ask"):
            Question.objects.create(pk=7000, text=f"Where in {branch}?")
    words = seen.main(maintainer.get(URL))
    assert re.search(
        r"0 of 2 settled 2 decisions still missing, 2 rows to mend\.", words
    )


def test_a_row_is_mended_at_once_and_landed(repository, maintainer, orphan):
    parent = orphan.question_id
    answer = mend(
        maintainer,
        form(repository, "polls_question", parent, take="theirs"),
        headers=HTMX,
    )
    assert answer.status_code == 200
    assert answer["HX-Retarget"] == "#merge"
    words = answer.content.decode()
    assert "<html" not in words
    assert "still to mend" not in words
    assert not re.search(r"<button[^>]* disabled", words)
    landed = maintainer.post(
        reverse("versioning:merge-land"), form(repository, "", parent)
    )
    assert landed.status_code == 303
    assert Choice.objects.get().question.text == "What’s up?"


def test_without_a_script_it_leads_back_to_the_row(repository, maintainer, orphan):
    answer = mend(maintainer, form(repository, "polls_choice", orphan.pk, take="drop"))
    assert answer.status_code == 303
    where = mend_anchor("polls_choice", key_text((orphan.pk,)))
    assert answer["Location"].endswith(f"#{where}")
    page = maintainer.get(URL)
    assert where in page.content.decode()
    assert "by mo" in seen.main(page)
    back = form(repository, "polls_choice", orphan.pk, clear="1")
    assert mend(maintainer, back).status_code == 303
    assert not Decision.objects.exists()
    assert "2 rows still to mend" in seen.main(maintainer.get(URL))


def test_what_can_not_be_typed_is_said_at_its_field(repository, maintainer, orphan):
    answer = mend(maintainer, with_words_for_a_number(repository, orphan))
    assert answer.status_code == 422
    assert "Enter a whole number." in seen.main(answer)
    assert "the first one" in answer.content.decode()
    assert not Decision.objects.exists()


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"take": "base"}, 400),
        ({"take": "ours"}, 400),  # main has no such row
        ({"take": "everything"}, 400),
        ({"value__nothing": "x"}, 400),
        ({"table": "auth_user"}, 404),
        ({"table": "dolt_log"}, 404),
        ({"key": "no key"}, 400),
        ({"key": "[123456]"}, 404),
        ({"base": "x"}, 400),
    ],
)
def test_a_damaged_form_is_refused(repository, maintainer, orphan, fields, status):
    given = form(repository, "polls_choice", orphan.pk)
    given |= {name.replace("__", ":"): value for name, value in fields.items()}
    assert mend(maintainer, given).status_code == status
    assert not Decision.objects.exists()


@pytest.mark.parametrize("is_touched", [False, True])
def test_a_branch_that_moved_is_said(repository, maintainer, orphan, erin, is_touched):
    """What was pressed is kept if the row is what it was."""
    fields = form(repository, "polls_choice", orphan.pk, take="drop")
    with versioning.on_branch("summer", author=erin, message="Meanwhile"):
        if is_touched:
            Choice.objects.update(text="Planets")
        else:
            Question.objects.create(text="More?")
    answer = mend(maintainer, fields)
    words = seen.main(answer)
    assert answer.status_code == 409
    assert "summer moved while you were deciding" in words
    assert ("What you chose is kept" in words) is not is_touched
    assert Decision.objects.exists() is not is_touched


def test_a_branch_that_moved_apart_from_the_merge_is_no_hindrance(
    repository, maintainer, orphan, erin
):
    fields = form(repository, "polls_choice", orphan.pk, take="drop")
    with versioning.on_branch("main", author=erin, message="Ask more"):
        Question.objects.create(text="More?")
    assert mend(maintainer, fields).status_code == 303
    assert Decision.objects.get().take == "drop"


def test_a_decision_that_breaks_a_rule_is_said_once_all_are_made(
    repository, maintainer, erin
):
    with versioning.on_branch("main", author=erin, message="Ask"):
        question = Question.objects.create(text="What’s up?")
        sky = Choice.objects.create(question=question, text="The sky")
        Choice.objects.create(question=question, text="The clouds")
    repository.create_branch("summer", repository.head("main"))
    for branch in ("main", "summer"):
        with versioning.on_branch(branch, author=erin, message="Reword"):
            Choice.objects.filter(pk=sky.pk).update(text=f"The sky of {branch}")
    fields = form(
        repository,
        "polls_choice",
        sky.pk,
        scope="row",
        take__text="value",
        value__text="The clouds",
    )
    answer = maintainer.post(reverse("versioning:merge-decide"), fields, headers=HTMX)
    assert answer.status_code == 200
    assert answer["HX-Retarget"] == "#merge"
    words = answer.content.decode()
    assert "<strong>2 rows</strong> of the result would break a rule" in words
    assert "Another row has the same question and choice" in words
    refused = maintainer.post(reverse("versioning:merge-land"), fields)
    assert refused.status_code == 422
    fields |= {"value:text": "Heaven", "faults": "1"}
    answer = maintainer.post(reverse("versioning:merge-decide"), fields, headers=HTMX)
    assert "would break a rule" not in answer.content.decode()
    landed = maintainer.post(reverse("versioning:merge-land"), fields)
    assert landed.status_code == 303
    assert Choice.objects.get(pk=sky.pk).text == "Heaven"


def shown(page):
    """The stamps that the first card of a page carries."""
    return dict(re.findall(r'name="(shown:[^"]*)" value="([^"]*)"', page))


def test_a_row_that_was_kept_stays_so_when_it_is_mended(repository, maintainer, erin):
    """Its card says nothing of what was decided about the row as a whole."""
    with versioning.on_branch("main", author=erin, message="Ask"):
        poll = Question.objects.create(text="What’s up?")
        sky = Choice.objects.create(question=poll, text="The sky")
    repository.create_branch("summer", repository.head("main"))
    with versioning.on_branch("summer", author=erin, message="Reword"):
        Choice.objects.update(text="Heaven")
    with versioning.on_branch("main", author=erin, message="Replace"):
        Choice.objects.all().delete()
        Choice.objects.create(question=poll, text="Heaven")
    row = {"scope": "row", "take:": "theirs"}
    maintainer.post(
        reverse("versioning:merge-decide"),
        form(repository, "polls_choice", sky.pk) | row,
    )
    page = maintainer.get(URL)
    (card,) = [
        found
        for found in forms(page)
        if found.action == reverse("versioning:merge-mend")
        and found.fields["key"] == key_text((sky.pk,))
    ]
    assert mend(maintainer, card.fields).status_code == 303  # as it is
    assert mend(maintainer, card.fields | {"value:text": "Skies"}).status_code == 303
    made = {(d.column, d.take) for d in Decision.objects.all()}
    assert made == {("", "theirs"), ("text", "value")}
    assert "1 of 1 settled" in seen.main(maintainer.get(URL))
    press_merge(maintainer, {"source": "summer", "target": "main"})
    with versioning.on_branch("main", author=erin):
        assert {c.text for c in Choice.objects.all()} == {"Heaven", "Skies"}


@pytest.mark.parametrize("extra", [{}, {"headers": HTMX}])
def test_a_mend_is_not_overwritten_unseen(
    repository,
    maintainer,
    ida,
    orphan,
    extra,
):
    drop = form(repository, "polls_choice", orphan.pk, take="drop")
    another = orphan.question_id + 1000  # however far keys have counted
    typed = form(
        repository,
        "polls_choice",
        orphan.pk,
        take="",
        value__question_id=str(another),
        was__question_id=str(orphan.question_id),
    )
    assert mend(ida, drop).status_code == 303
    answer = mend(maintainer, typed, **extra)
    assert answer.status_code == 409
    words = seen.text(answer)
    assert "ida decided about this row meanwhile." in words
    assert f"Question You chose: {another} typed" in words
    assert "The row ida decided: left out" in words
    assert [(d.take, str(d.decided_by)) for d in Decision.objects.all()] == [
        ("drop", "ida")
    ]
    left = mend(maintainer, again(answer, leave="1"), **extra)
    assert b"You chose" not in left.content
    assert Decision.objects.count() == 1
    assert mend(maintainer, again(answer), **extra).status_code in (200, 303)
    made = [(d.column, d.take, str(d.decided_by)) for d in Decision.objects.all()]
    assert made == [("question_id", "value", "mo")]


def test_a_mend_is_not_taken_back_unseen(
    repository,
    maintainer,
    ida,
    orphan,
):
    mend(ida, form(repository, "polls_choice", orphan.pk, take="drop"))
    before = shown(maintainer.get(URL).content.decode())
    assert before
    mend(ida, form(repository, "polls_choice", orphan.pk, take="theirs", **before))
    back = form(repository, "polls_choice", orphan.pk, clear="1") | before
    answer = mend(maintainer, back)
    assert answer.status_code == 409
    assert (
        "The row You chose: no decision ida decided: kept, as on summer"
        in seen.main(answer)
    )
    assert Decision.objects.get().take == "theirs"
    assert mend(maintainer, again(answer)).status_code == 303
    assert not Decision.objects.exists()


def test_a_mend_that_was_seen_can_be_changed(
    repository,
    maintainer,
    ida,
    orphan,
):
    mend(ida, form(repository, "polls_choice", orphan.pk, take="drop"))
    page = maintainer.get(URL).content.decode()
    fields = form(repository, "polls_choice", orphan.pk, take="theirs") | shown(page)
    assert mend(maintainer, fields).status_code == 303
    assert [(d.take, str(d.decided_by)) for d in Decision.objects.all()] == [
        ("theirs", "mo")
    ]


def test_a_count_that_may_not_be_is_said_and_typed_anew(repository, maintainer, erin):
    """Both sides take votes away, more of them than there are."""
    with versioning.on_branch("main", author=erin, message="Ask"):
        question = Question.objects.create(text="What’s up?")
        sky = Choice.objects.create(question=question, text="The sky", votes=5)
    repository.create_branch("summer", repository.head("main"))
    for branch, votes in (("main", 2), ("summer", 1)):
        with versioning.on_branch(branch, author=erin, message="Count again"):
            Choice.objects.filter(pk=sky.pk).update(votes=votes)
    page = maintainer.get(URL)
    words = seen.main(page)
    assert "1 row of the result would break a rule" in words
    assert "Votes is not what the table allows." in words
    assert b'value="-2"' in page.content
    fields = form(
        repository, "polls_choice", sky.pk, take="", value__votes="0", was__votes="-2"
    )
    refused = maintainer.post(reverse("versioning:merge-land"), fields)
    assert refused.status_code == 422
    assert mend(maintainer, fields).status_code == 303
    landed = maintainer.post(reverse("versioning:merge-land"), fields)
    assert landed.status_code == 303
    assert Choice.objects.get().votes == 0


def test_more_faults_than_a_page_holds_are_counted(
    repository, maintainer, orphan, monkeypatch, erin
):
    with versioning.on_branch("summer", author=erin, message="More"):
        Choice.objects.create(question_id=orphan.question_id, text="Moons")
    monkeypatch.setattr(trial, "SHOWN", 1)
    memory.forget()
    page = maintainer.get(URL)
    words = seen.main(page)
    assert "3 rows of the result would break a rule. The first are below" in words
    assert "3 rows still to mend" in words
    assert page.content.count(b'class="badge badge--conflict">to mend<') == 2
    last = mend(maintainer, form(repository, "polls_choice", orphan.pk, take="drop"))
    assert last.status_code == 303
    words = seen.main(maintainer.get(URL))
    assert "2 rows of the result would break a rule. Each is below" in words


def test_more_faults_than_can_be_mended_are_said_and_nothing_lands(
    repository, maintainer, orphan, monkeypatch, erin
):
    with versioning.on_branch("summer", author=erin, message="More"):
        Choice.objects.create(question_id=orphan.question_id, text="Moons")
    for module in (trial, candidate):
        monkeypatch.setattr(module, "VIOLATIONS_LISTED", 1)
    memory.forget()
    page = maintainer.get(URL)
    words = seen.main(page)
    assert "Too many rows of the result would break a rule" in words
    assert "Settle it on summer or main, then look again." in words
    assert b"disabled" in page.content
    head = repository.head("main")
    fields = form(repository, "", 0)
    assert maintainer.post(reverse("versioning:merge-land"), fields).status_code == 422
    assert repository.head("main") == head


@pytest.mark.parametrize("extra", [{}, {"headers": HTMX}])
def test_a_clash_about_a_row_that_has_no_card_any_more_is_said(
    repository,
    maintainer,
    ida,
    orphan,
    extra,
):
    """Ida takes back what I saw, and mends what the row points to instead."""
    mend(ida, form(repository, "polls_choice", orphan.pk, take="drop"))
    before = shown(maintainer.get(URL).content.decode())
    mend(ida, form(repository, "polls_choice", orphan.pk, clear="1") | before)
    mend(ida, form(repository, "polls_question", orphan.question_id, take="theirs"))
    where = mend_anchor("polls_choice", key_text((orphan.pk,)))
    assert where not in maintainer.get(URL).content.decode()
    mine = form(
        repository,
        "polls_choice",
        orphan.pk,
        take="",
        value__text="Moons",
        was__text="Stars",
        **{"shown__": before["shown:"]},
    )
    answer = mend(maintainer, mine, **extra)
    assert answer.status_code == 409
    words = seen.text(answer)
    assert "Choice “Stars” of “What’s up?” Nothing is wrong with this row" in words
    assert "Somebody took a decision about this row back meanwhile." in words
    assert "Choice You chose: Moons typed" in words
    assert "The decision you saw was taken back." in words
    assert mend(maintainer, again(answer), **extra).status_code in (200, 303)
    decision = Decision.objects.get(table="polls_choice")
    assert (decision.value, decision.decided_by_name) == ("Moons", "mo")


def test_what_can_not_be_typed_is_said_where_there_is_no_card(
    repository, maintainer, orphan
):
    mend(
        maintainer,
        form(repository, "polls_question", orphan.question_id, take="theirs"),
    )
    answer = mend(maintainer, with_words_for_a_number(repository, orphan))
    assert answer.status_code == 422
    said = "One of the values can’t be taken: Enter a whole number."
    assert said in seen.main(answer)


@pytest.fixture
def twice(repository, maintainer, erin, connection):
    """One question on both sides, both kept, though its text may be there once."""
    with (
        connection.bound("main"),
        connection.writing(),
        transaction.atomic(using="versioned", durable=True),
        connection.cursor() as cursor,
    ):
        cursor.execute("CREATE UNIQUE INDEX asked_once ON polls_question (text)")
        connection.repository.commit_all("Ask once", erin)
    repository.create_branch("summer", repository.head("main"))
    for side in ("main", "summer"):
        with versioning.on_branch(side, author=erin, message=f"Ask on {side}"):
            Question.objects.create(pk=7000, text="What’s up?", details=side)
    fields = form(repository, "polls_question", 7000, scope="row", row="both")
    assert maintainer.post(reverse("versioning:merge-decide"), fields).status_code in (
        200,
        303,
    )
    return 7001


def test_the_copy_of_a_row_of_which_both_are_kept_is_mended(
    repository, maintainer, twice
):
    words = seen.main(maintainer.get(URL))
    assert "2 rows of the result would break a rule" in words
    answer = mend(
        maintainer,
        form(
            repository,
            "polls_question",
            twice,
            take="",
            value__text="What else?",
            was__text="What’s up?",
        ),
    )
    assert answer.status_code == 303
    words = seen.main(maintainer.get(URL))
    assert "would break a rule" not in words
    answer = mend(maintainer, form(repository, "polls_question", twice, take="drop"))
    assert answer.status_code == 303
    assert Decision.objects.filter(mends=True, take="drop").count() == 1


def test_a_row_that_is_nowhere_is_not_found(repository, maintainer, twice):
    fields = form(repository, "polls_question", 7002, take="drop")
    assert mend(maintainer, fields).status_code == 404

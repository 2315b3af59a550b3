"""The merge page: look, decide, land; and what it refuses."""

import re

import pytest
from django.urls import reverse

import versioning
from polls.models import Choice, Question
from tests.web import seen
from tests.web.fields import forms, press_merge
from versioning.merging.preview import sides_of
from versioning.models import Decision, MergeDraft
from versioning.presentation.conflicts import anchor
from versioning.values import key_text

URL = "/merge/?source=summer&target=main"


def pins(repository, source="summer", target="main"):
    sides = sides_of(repository, repository.head(target), repository.head(source))
    assert sides is not None
    return {
        "source": source,
        "target": target,
        "base": sides.base,
        "ours": sides.ours,
        "theirs": sides.theirs,
    }


def about(choice, **decisions):
    return {
        "scope": "row",
        "table": "polls_choice",
        "key": key_text((choice.pk,)),
        **{name.replace("__", ":"): value for name, value in decisions.items()},
    }


def decide(client, fields, **headers):
    return client.post(reverse("versioning:merge-decide"), fields, **headers)


def land(client, fields):
    return client.post(reverse("versioning:merge-land"), fields)


@pytest.mark.parametrize("row", ["value", "base", "sum", "drop", "none"])
def test_a_row_is_answered_only_as_its_buttons_do(repository, maintainer, sky, row):
    fields = pins(repository) | about(sky, row=row)
    assert decide(maintainer, fields).status_code == 400
    assert not Decision.objects.exists()


def test_the_page_shows_what_will_happen_before_anything_is_pressed(
    repository, maintainer, heaven
):
    head = repository.head("main")
    page = maintainer.get(URL)
    words = seen.main(page)
    assert "Merge summer into main" in words
    assert "1 value changed on both branches" in words
    assert "Choice “Heaven” of “What’s up?”" in words
    assert "5 + 1 + 2 = 8" in words
    assert "0 of 1 settled" in words
    assert "1 decision still missing" in words
    assert b"disabled" in page.content
    assert repository.head("main") == head
    assert not MergeDraft.objects.exists()


def test_a_decision_is_kept_and_the_page_goes_on_from_it(
    repository, maintainer, heaven
):
    response = decide(maintainer, pins(repository) | about(heaven, take__text="theirs"))
    assert response.status_code == 303
    where = anchor("polls_choice", key_text((heaven.pk,)))
    assert response["Location"] == f"{URL}#{where}"
    words = seen.main(maintainer.get(URL))
    assert "1 of 1 settled" in words
    assert "Skies" in words
    decision = Decision.objects.get()
    assert (decision.column, decision.take) == ("text", "theirs")
    assert str(decision.decided_by) == "mo"


def test_htmx_gets_the_card_and_the_bar(repository, maintainer, heaven):
    response = decide(
        maintainer,
        pins(repository) | about(heaven, take__text="ours"),
        headers={"HX-Request": "true"},
    )
    words = seen.text(response)
    assert response.status_code == 200
    assert b"<html" not in response.content
    assert b'hx-swap-oob="true"' in response.content
    assert "1 of 1 settled" in words
    assert "by mo" in words


@pytest.mark.parametrize("extra", [{}, {"headers": {"HX-Request": "true"}}])
def test_one_decision_is_taken_back(repository, maintainer, erin, heaven, extra):
    for branch in ("main", "summer"):
        with versioning.on_branch(branch, author=erin, message="Reword both"):
            Question.objects.update(text=f"On {branch}?")
    decide(maintainer, pins(repository) | {"scope": "all", "take": "theirs"})
    page = maintainer.get(URL)
    assert "2 of 2 settled" in seen.main(page)
    assert "is-complete" in page.text
    (card,) = (
        form
        for form in forms(page)
        if form.fields.get("table") == "polls_choice"
        and form.fields["key"] == key_text((heaven.pk,))
    )
    assert card.fields["take:text"] == "theirs"
    assert 'name="back" value="text">Take it back</button>' in page.text
    answer = decide(maintainer, card.fields | {"back": "text"}, **extra)
    assert answer.status_code == (200 if extra else 303)
    left = maintainer.get(URL)
    assert "1 of 2 settled" in seen.main(left)
    assert "is-complete" not in left.text
    assert Decision.objects.get().table == "polls_question"


def test_to_keep_both_is_taken_back_at_once(repository, maintainer, erin):
    repository.create_branch("summer", repository.head("main"))
    for branch in ("main", "summer"):
        with versioning.on_branch(branch, author=erin, message="Ask"):
            Question.objects.create(pk=7000, text=f"{branch}?", details=branch)
    row = {"scope": "row", "table": "polls_question", "key": "[7000]"}
    decide(maintainer, pins(repository) | row | {"row": "both"})
    assert Decision.objects.count() > 1
    page = maintainer.get(URL)
    assert page.text.count('name="back"') == 1
    (card,) = (form for form in forms(page) if form.fields.get("scope") == "row")
    decide(maintainer, card.fields | {"back": "text"})
    assert not Decision.objects.exists()


def test_all_can_be_set_aside_once_something_is_decided(repository, maintainer, heaven):
    aside = "Set the decisions aside…"
    assert aside not in seen.main(maintainer.get(URL))
    answer = decide(
        maintainer,
        pins(repository) | about(heaven, take__text="ours"),
        headers={"HX-Request": "true"},
    )
    assert seen.text(answer).count(aside) == 1
    assert '<p id="merge-aside" hx-swap-oob="true">' in answer.text


def test_what_is_decided_is_merged(repository, maintainer, heaven):
    decide(
        maintainer,
        pins(repository)
        | about(heaven, take__text="value", value__text="The firmament"),
    )
    head = repository.head("main")
    response = land(maintainer, pins(repository))
    commit = repository.commit(repository.head("main"))
    assert response.status_code == 303
    assert response["Location"] == reverse("versioning:commit", args=[commit.hash])
    assert commit.parents == (head, repository.head("summer"))
    assert commit.message == (
        "Merge summer into main\n\n1 value decided by 1 person.\n\n"
        f"Merge-Record: {MergeDraft.objects.get().pk}"
    )
    heaven.refresh_from_db()
    assert (heaven.text, heaven.votes) == ("The firmament", 8)
    assert "has it all already" in seen.main(maintainer.get(URL))
    merges = seen.main(maintainer.get(reverse("versioning:merges")))
    assert "summer into main 1 decision, by mo" in merges


def test_no_cache_keeps_the_page_of_a_merge(maintainer, heaven):
    assert "no-store" in maintainer.get(URL)["Cache-Control"]


def test_who_has_brackets_in_their_name_can_merge(
    repository, maintainer, add, django_user_model
):
    django_user_model.objects.filter(username="mo").update(first_name="Mo (Sales)")
    repository.create_branch("spring", repository.head("main"))
    add("spring", "Tulips or daffodils?")
    press_merge(maintainer, {"source": "spring", "target": "main"})
    assert repository.commit(repository.head("main")).author.name == "Mo [Sales]"


def test_a_value_that_the_field_refuses_is_said_and_kept_in_the_field(
    repository, maintainer, heaven
):
    response = decide(
        maintainer,
        pins(repository) | about(heaven, take__text="value", value__text="x" * 201),
        headers={"HX-Request": "true"},
    )
    assert response.status_code == 422
    assert "at most 200 characters" in seen.text(response)
    assert b"x" * 201 in response.content
    assert not Decision.objects.exists()


def test_lines_that_are_typed_end_as_those_of_the_row_do(
    repository, maintainer, erin, heaven
):
    """A browser sends them with other ends."""
    question = Question.objects.get()
    for branch in ("main", "summer"):
        with versioning.on_branch(branch, author=erin, message=f"Explain on {branch}"):
            Question.objects.update(details=f"One\ntwo\n{branch}")
    decide(maintainer, pins(repository) | about(heaven, take__text="ours"))
    typed = {"take:details": "value", "value:details": "One\r\ntwo\r\nboth"}
    of_question = {"table": "polls_question", "key": key_text((question.pk,))}
    decide(maintainer, pins(repository) | {"scope": "row"} | of_question | typed)
    assert land(maintainer, pins(repository)).status_code == 303
    question.refresh_from_db()
    assert question.details == "One\ntwo\nboth"


@pytest.mark.parametrize(
    ("ours", "theirs", "marked"),
    [
        ("Bring a towel.", "Bring a coat.", {"towel", "coat"}),
        ("Heaven.", "Skies.", set()),  # all of it would be, which says nothing
    ],
)
def test_words_that_differ_are_marked_where_they_are_chosen(
    repository, maintainer, erin, heaven, ours, theirs, marked
):
    for branch, details in (("main", ours), ("summer", theirs)):
        with versioning.on_branch(branch, author=erin, message=f"Explain on {branch}"):
            Question.objects.update(details=details)
    html = maintainer.get(URL).content.decode()
    assert set(re.findall("<mark>(.*?)</mark>", html)) == marked


def test_what_is_decided_goes_along_with_a_branch_that_is_renamed(
    repository, maintainer, heaven
):
    decide(maintainer, pins(repository) | about(heaven, take__text="theirs"))
    form = {"name": "summer", "to": "autumn"}
    assert maintainer.post("/branches/rename/", form).status_code == 303
    words = seen.main(maintainer.get("/merge/?source=autumn&target=main"))
    assert "1 of 1 settled" in words
    listed = seen.main(maintainer.get(reverse("versioning:merges")))
    assert "autumn into main 1 of 1 settled" in listed
    assert "deleted" not in listed
    assert land(maintainer, pins(repository, "autumn")).status_code == 303
    heaven.refresh_from_db()
    assert heaven.text == "Skies"


def test_a_renamed_branch_does_not_take_over_what_was_decided_about_another(
    repository, maintainer, heaven
):
    """One of the new name that is gone, and can be had back."""
    decide(maintainer, pins(repository) | about(heaven, take__text="theirs"))
    of_summer = MergeDraft.objects.get()
    repository.create_branch("autumn", repository.head("summer"))
    of_autumn = pins(repository, "autumn") | about(heaven, take__text="ours")
    decide(maintainer, of_autumn)
    repository.delete_branch("autumn")
    form = {"name": "summer", "to": "autumn"}
    assert maintainer.post("/branches/rename/", form).status_code == 303
    of_summer.refresh_from_db()
    assert (of_summer.source, of_summer.decisions.get().take) == ("summer", "theirs")
    assert MergeDraft.objects.filter(source="autumn").count() == 1


def test_nothing_lands_while_a_decision_is_missing(repository, maintainer, heaven):
    head = repository.head("main")
    response = land(maintainer, pins(repository))
    assert response.status_code == 422
    assert "Decisions are still missing" in seen.main(response)
    assert repository.head("main") == head


@pytest.mark.parametrize("name", ["merge-land", "merge-decide", "merge-mend"])
def test_an_address_that_an_answer_left_in_the_browser_leads_to_the_merges(
    repository, maintainer, heaven, name
):
    assert land(maintainer, pins(repository)).status_code == 422
    page = maintainer.get(reverse(f"versioning:{name}"), follow=True)
    assert page.redirect_chain == [("/merges/", 302)]
    assert f'href="{URL.replace("&", "&amp;")}"' in page.content.decode()
    assert maintainer.put(reverse(f"versioning:{name}")).status_code == 405


def test_a_branch_that_moved_makes_it_a_409(repository, maintainer, erin, heaven):
    decide(maintainer, pins(repository) | about(heaven, take__text="ours"))
    old = pins(repository)
    with versioning.on_branch("summer", author=erin, message="Meanwhile"):
        Question.objects.update(details="Meanwhile")
    head = repository.head("main")
    response = land(maintainer, old)
    words = seen.main(response)
    assert response.status_code == 409
    assert "summer moved while you were deciding" in words
    assert "1 of 1 settled" in words  # the decision still stands
    assert repository.head("main") == head
    assert land(maintainer, pins(repository)).status_code == 303


def test_a_decision_on_other_values_is_to_be_looked_at_again(
    repository, maintainer, erin, heaven
):
    decide(maintainer, pins(repository) | about(heaven, take__text="theirs"))
    with versioning.on_branch("summer", author=erin, message="Reword again"):
        Choice.objects.filter(pk=heaven.pk).update(text="All skies")
    words = seen.main(maintainer.get(URL))
    assert "0 of 1 settled" in words
    assert "1 decision to look at again" in words
    assert "Look again. mo decided this just now, when the values were others" in words


def test_all_that_is_left_can_be_taken_from_one_side(
    repository, maintainer, erin, heaven
):
    for branch in ("main", "summer"):
        with versioning.on_branch(branch, author=erin, message="Reword both"):
            Question.objects.update(text=f"On {branch}?")
    decide(maintainer, pins(repository) | about(heaven, take__text="ours"))
    response = decide(maintainer, pins(repository) | {"scope": "all", "take": "theirs"})
    assert response.status_code == 303
    assert land(maintainer, pins(repository)).status_code == 303
    heaven.refresh_from_db()
    assert (heaven.text, heaven.votes) == ("Heaven", 8)
    assert Question.objects.get().text == "On summer?"


def test_what_one_side_changed_beside_a_conflict_is_shown_with_what_it_was(
    repository, maintainer, erin
):
    with versioning.on_branch("main", author=erin, message="Ask"):
        Question.objects.create(text="What’s up?", details="Look up at night.")
    repository.create_branch("summer", repository.head("main"))
    for branch, details in (("main", "Look up at night."), ("summer", "Look up now.")):
        with versioning.on_branch(branch, author=erin, message="Reword"):
            Question.objects.update(text=f"On {branch}?", details=details)
    page = maintainer.get(URL)
    words = seen.main(page)
    assert "Details Look up at night. → Look up now. changed on summer only" in words
    assert "2 other values, the same on both ID" in words
    assert re.search(r"<del[^>]*>at night</del>", page.text)


@pytest.mark.parametrize(("answer", "left"), [("ours", 1), ("theirs", 0)])
def test_a_row_that_one_side_deleted(
    repository, maintainer, erin, heaven, answer, left
):
    with versioning.on_branch("summer", author=erin, message="Delete"):
        Choice.objects.filter(pk=heaven.pk).delete()
    words = seen.main(maintainer.get(URL))
    assert "Changed on main, deleted on summer." in words
    assert "1 decision to make: both branches changed the same, or one" in words
    assert "changed on both branches in two ways" not in words
    assert "Choice The sky → Heaven changed on main only" in words
    assert "Votes 5 → 6 changed on main only" in words
    assert "Keep it, as on main" in words
    assert "Delete it, as on summer" in words
    decide(maintainer, pins(repository) | about(heaven, **{"take:": answer}))
    assert land(maintainer, pins(repository)).status_code == 303
    assert Choice.objects.filter(pk=heaven.pk).count() == left


def test_a_second_press_leads_to_what_the_first_one_made(
    repository, maintainer, heaven
):
    decide(maintainer, pins(repository) | about(heaven, take__text="ours"))
    fields = pins(repository)
    first = land(maintainer, fields)
    head = repository.head("main")
    second = land(maintainer, fields)
    assert (second.status_code, second["Location"]) == (303, first["Location"])
    assert repository.head("main") == head


def test_rows_that_merge_by_themselves_are_shown_as_they_will_be(
    repository, maintainer, erin, heaven
):
    with versioning.on_branch("summer", author=erin, message="Add"):
        Question.objects.create(text="New in summer")
    assert "Questions polls_question + 1 added" in seen.main(
        maintainer.get(URL)
    ).replace("+1", "+ 1")
    rows = maintainer.get("/merge/rows/?source=summer&target=main&table=polls_question")
    assert "New in summer" in seen.main(rows)


@pytest.mark.parametrize("count", [20, 21])
def test_few_rows_are_on_the_page_and_many_a_press_away(
    repository, maintainer, erin, heaven, count
):
    repository.create_branch("autumn", repository.head("main"))
    with versioning.on_branch("autumn", author=erin, message="Add"):
        question = Question.objects.create(text="New in autumn")
        for number in range(count - 2):
            Choice.objects.create(question=question, text=f"Answer {number}")
        Choice.objects.filter(pk=heaven.pk).update(text="Heaven above")
    page = maintainer.get("/merge/?source=autumn&target=main")
    words = seen.main(page)
    opened = page.text.count('<details class="diff-table" open>')
    if count == 20:
        assert opened == 2
        assert "+ Question “New in autumn” added" in words
        assert "Choice Heaven Heaven above" in words
        assert "Show " not in words
    else:
        assert opened == 0
        assert "Heaven above" not in words
        assert "Show 1 row" in words
        assert "Show 20 rows" in words


def test_what_is_taken_over_is_shown_with_its_rows(
    repository, maintainer, erin, heaven
):
    repository.create_branch("autumn", repository.head("main"))
    with versioning.on_branch("autumn", author=erin, message="Word it"):
        Choice.objects.filter(pk=heaven.pk).update(text="Heaven above")
    taken = f"/merge/?source=pick+{repository.head('autumn')}&target=main"
    words = seen.main(maintainer.get(taken))
    assert "What changes Choices polls_choice ~ 1 changed" in words
    assert "Choice Heaven Heaven above" in words


def test_a_result_that_breaks_a_rule_is_shown_and_blocks(
    repository, maintainer, erin, heaven
):
    with versioning.on_branch("summer", author=erin, message="Add"):
        Choice.objects.create(question_id=heaven.question_id, text="Stars")
    with versioning.on_branch("main", author=erin, message="Add"):
        Choice.objects.create(question_id=heaven.question_id, text="Stars")
    page = maintainer.get(URL)
    words = seen.main(page)
    assert "2 rows of the result would break a rule" in words
    assert "Choice “Stars” of “What’s up?”" in words
    assert "Another row has the same" in words
    decide(maintainer, pins(repository) | about(heaven, take__text="ours"))
    head = repository.head("main")
    assert land(maintainer, pins(repository)).status_code == 422
    assert repository.head("main") == head


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"key": "x"}, 400),
        ({"key": "[999999]"}, 404),
        ({"key": '[{"$":"int"}]'}, 400),
        ({"table": "auth_user"}, 404),
        ({"take:text": "everything"}, 400),
        ({"take:id": "ours"}, 400),
        ({"take:votes": "value", "value:votes": "many"}, 422),
        ({"base": "x"}, 400),
        ({"ours": "0" * 32}, 409),
        ({"scope": "all", "take": "value"}, 400),
        ({"source": "nowhere"}, 409),
    ],
)
def test_a_form_that_was_touched_decides_nothing(
    repository, maintainer, heaven, fields, status
):
    given = pins(repository) | about(heaven, take__text="ours") | fields
    assert decide(maintainer, given).status_code == status
    assert not Decision.objects.exists()


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("source=nowhere&target=main", 404),
        ("source=summer&target=nowhere", 404),
        ("source=pollard/candidate/x&target=main", 404),
        ("source=summer&target=main&from=polls_choice:x", 400),
    ],
)
def test_an_address_that_leads_nowhere(maintainer, heaven, query, status):
    assert maintainer.get(f"/merge/?{query}").status_code == status


def test_an_editor_sees_and_does_not_merge(repository, editor, heaven):
    page = editor.get(URL)
    assert "Merging is for maintainers" in seen.main(page)
    assert "A maintainer decides what main will have" in seen.main(page)
    link = "http://testserver/merge/?source=summer&amp;target=main"
    assert f'data-copy="{link}"' in page.content.decode()
    head = repository.head("main")
    assert (
        decide(editor, pins(repository) | about(heaven, take__text="ours")).status_code
        == 403
    )
    assert land(editor, pins(repository)).status_code == 403
    assert repository.head("main") == head


@pytest.mark.parametrize(
    ("take", "text", "details"),
    [("ours", "on main", "main"), ("theirs", "on summer", "summer")],
)
def test_one_answer_for_a_whole_row(
    repository, maintainer, erin, heaven, take, text, details
):
    question = Question.objects.get()
    for branch in ("main", "summer"):
        with versioning.on_branch(branch, author=erin, message=f"Ask on {branch}"):
            Question.objects.update(text=f"on {branch}", details=branch)
    words = seen.main(maintainer.get(URL))
    assert "The whole row Take main Take summer" in words
    assert "Keep both" not in words
    fields = pins(repository) | {
        "scope": "row",
        "table": "polls_question",
        "key": key_text((question.pk,)),
        "row": take,
    }
    assert decide(maintainer, fields).status_code == 303
    assert "2 of 3 settled" in seen.main(maintainer.get(URL))
    decide(maintainer, pins(repository) | about(heaven, take__text="ours"))
    assert land(maintainer, pins(repository)).status_code == 303
    question.refresh_from_db()
    assert (question.text, question.details) == (text, details)


def test_both_of_two_rows_under_one_key_are_kept(repository, maintainer, erin, heaven):
    for branch in ("main", "summer"):
        with versioning.on_branch(branch, author=erin, message=f"Ask on {branch}"):
            Question.objects.create(pk=7000, text=f"Asked on {branch}?")
    assert "Keep both" in seen.main(maintainer.get(URL))
    fields = pins(repository) | {
        "scope": "row",
        "table": "polls_question",
        "key": key_text((7000,)),
        "row": "both",
    }
    answer = decide(maintainer, fields, headers={"HX-Request": "true"})
    assert "Both are kept; that of summer gets a new key" in answer.content.decode()
    decide(maintainer, pins(repository) | about(heaven, take__text="ours"))
    assert land(maintainer, pins(repository)).status_code == 303
    kept = Question.objects.filter(text__startswith="Asked").order_by("pk")
    assert [q.text for q in kept] == ["Asked on main?", "Asked on summer?"]
    fields = pins(repository) | about(heaven) | {"row": "both"}
    assert decide(maintainer, fields).status_code in (400, 404)


def test_what_was_before_is_offered_where_there_was_such_a_column(
    repository, maintainer, stranger
):
    """Not in one that was called otherwise."""
    make = "CREATE TABLE things (id int PRIMARY KEY, a varchar(9), b varchar(9))"
    stranger.execute("main", make, commit="Make")
    add = "INSERT INTO things VALUES (1, NULL, 'b'), (2, NULL, NULL)"
    stranger.execute("main", add, commit="Add")
    repository.create_branch("summer", repository.head("main"))
    here, there = "a = 'A', b = 'B'", "a = 'x', b = 'y'"
    change = "UPDATE things SET {} WHERE id = 1"
    stranger.execute("main", change.format(here), commit="Change")
    stranger.execute("summer", change.format(there), commit="Change")
    rename = "ALTER TABLE things RENAME COLUMN a TO c"
    stranger.execute("summer", rename, commit="Rename")
    page = maintainer.get(URL)
    asked = [form for form in forms(page) if "take:c" in form.offered]
    if not repository.features.knows_what_was_renamed:
        assert not asked
        return
    (form,) = asked
    assert form.offered == {
        "take:c": ["ours", "theirs"],
        "take:b": ["ours", "theirs", "base"],
    }
    for take in form.offered["take:c"]:
        sent = {**form.fields, "take:c": take, "take:b": "base"}
        assert maintainer.post(form.action, sent).status_code == 303

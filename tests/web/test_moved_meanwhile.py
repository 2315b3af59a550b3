"""A branch moves between a merge's page and what is pressed on it."""

import pytest
from django.db.models import F

import versioning
from polls.models import Choice, Question
from tests.web import seen
from tests.web.fields import fields
from tests.web.test_mending import form, mend
from tests.web.test_merges import URL, about, decide, land, pins
from versioning.backends.errors import EngineBusy
from versioning.merging.hiding import lock_key
from versioning.models import Decision, MergeDraft
from versioning.views import landing

HTMX = {"HX-Request": "true"}
COUNT = "UPDATE polls_choice SET votes = {} WHERE id = {}"


@pytest.fixture
def elsewhere(repository, erin, heaven):
    """``elsewhere()``: a vote on main for what the merge does not touch."""
    other = Choice.objects.exclude(pk=heaven.pk).get()

    def vote():
        with versioning.on_branch("main", author=erin, message="Vote"):
            Choice.objects.filter(pk=other.pk).update(votes=3)
        return repository.head("main")

    return vote


def change(erin, branch, choice, **values):
    with versioning.on_branch(branch, author=erin, message="Meanwhile"):
        Choice.objects.filter(pk=choice.pk).update(**values)


# Decisions ---------------------------------------------------------------------


@pytest.mark.parametrize(("headers", "status"), [({}, 303), (HTMX, 200)])
def test_a_choice_is_taken_if_what_came_is_apart_from_the_merge(
    repository, maintainer, heaven, elsewhere, headers, status
):
    """Nothing on the page is of before, so nobody is interrupted."""
    old = pins(repository)
    elsewhere()
    fields = old | about(heaven, take__text="theirs")
    assert decide(maintainer, fields, headers=headers).status_code == status
    assert Decision.objects.get().take == "theirs"
    assert "1 of 1 settled" in seen.main(maintainer.get(URL))


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_choice_is_kept_if_its_row_stayed_as_it_was(
    repository, maintainer, erin, heaven, headers
):
    old = pins(repository)
    change(erin, "summer", Choice.objects.exclude(pk=heaven.pk).get(), votes=4)
    head = repository.head("summer")
    answer = decide(
        maintainer, old | about(heaven, take__text="theirs"), headers=headers
    )
    words = seen.text(answer)
    assert answer.status_code == 409
    assert "summer moved while you were deciding" in words
    assert "1 commit came to summer: see what changed there" in words
    assert f"from={old['theirs']}&amp;to={head}&amp;dots=2".encode() in answer.content
    assert "What you chose is kept" in words
    assert "1 of 1 settled" in words
    assert Decision.objects.get().take == "theirs"
    assert land(maintainer, pins(repository)).status_code == 303
    heaven.refresh_from_db()
    assert (heaven.text, heaven.votes) == ("Skies", 8)


@pytest.mark.parametrize("branch", ["main", "summer"])
def test_a_choice_about_a_row_that_changed_is_not_kept(
    repository, maintainer, erin, heaven, branch
):
    old = pins(repository)
    change(erin, branch, heaven, text="Up")
    answer = decide(maintainer, old | about(heaven, take__text="theirs"))
    assert answer.status_code == 409
    assert "what you pressed last was not kept" in seen.main(answer)
    assert "Earlier decisions" not in seen.main(answer)
    assert not Decision.objects.exists()


@pytest.mark.parametrize(("headers", "status"), [({}, 303), (HTMX, 200)])
def test_a_choice_is_taken_if_somebody_voted_for_its_row(
    repository, maintainer, erin, heaven, headers, status
):
    """Counts add up, and on a branch that people vote on they never rest."""
    old = pins(repository)
    change(erin, "main", heaven, votes=F("votes") + 14)
    fields = old | about(heaven, take__text="theirs")
    assert decide(maintainer, fields, headers=headers).status_code == status
    assert Decision.objects.get().take == "theirs"


@pytest.mark.parametrize("take", ["ours", "theirs", "value"])
def test_a_choice_about_a_count_that_changed_is_not_kept(
    repository, maintainer, erin, heaven, take
):
    old = pins(repository)
    change(erin, "main", heaven, votes=F("votes") + 14)
    chosen = about(heaven, take__votes=take, value__votes="3")
    assert decide(maintainer, old | chosen).status_code == 409
    assert not Decision.objects.exists()


def test_what_is_left_is_not_decided_at_once_on_a_page_of_before(
    repository, maintainer, erin, heaven
):
    old = pins(repository)
    change(erin, "summer", Choice.objects.exclude(pk=heaven.pk).get(), votes=4)
    fields = old | about(heaven) | {"scope": "all", "take": "theirs"}
    answer = decide(maintainer, fields)
    assert answer.status_code == 409
    assert "what you pressed last was not kept" in seen.main(answer)
    assert not Decision.objects.exists()


def test_what_is_left_is_decided_at_once_if_what_came_is_apart(
    repository, maintainer, heaven, elsewhere
):
    old = pins(repository)
    elsewhere()
    assert (
        decide(maintainer, old | {"scope": "all", "take": "theirs"}).status_code == 303
    )
    assert Decision.objects.get().take == "theirs"


@pytest.mark.parametrize("key", ['"x"', "[1, 2]", "[null]", "{}", ""])
def test_a_damaged_key_on_a_page_of_before_decides_nothing(
    repository, maintainer, erin, heaven, key
):
    old = pins(repository)
    change(erin, "summer", Choice.objects.exclude(pk=heaven.pk).get(), votes=4)
    answer = decide(maintainer, old | about(heaven, take__text="ours") | {"key": key})
    assert answer.status_code in (404, 409)
    assert not Decision.objects.exists()


# Landing -----------------------------------------------------------------------


def test_a_merge_lands_on_a_target_that_moved_on_apart_from_it(
    repository, maintainer, heaven, elsewhere
):
    """Else nobody could merge into a branch on which people vote all the time."""
    decide(maintainer, pins(repository) | about(heaven, take__text="theirs"))
    old = pins(repository)
    head = elsewhere()
    answer = land(maintainer, old)
    assert answer.status_code == 303
    commit = repository.commit(repository.head("main"))
    assert commit.parents == (head, old["theirs"])
    assert list(Choice.objects.order_by("text").values_list("text", "votes")) == [
        ("Skies", 8),
        ("The clouds", 3),
    ]
    said = seen.text(maintainer.get(answer["Location"]))
    assert "main had taken in 1 commit, which changed none of its rows but " in said
    assert MergeDraft.objects.get().ours == head


def test_a_second_press_leads_to_what_the_first_one_merged(
    repository, maintainer, heaven, elsewhere
):
    decide(maintainer, pins(repository) | about(heaven, take__text="theirs"))
    old = pins(repository)
    elsewhere()
    first, second = land(maintainer, old), land(maintainer, old)
    assert second.status_code == 303
    assert second["Location"] == first["Location"]


@pytest.mark.parametrize("branch", ["main", "summer"])
def test_a_merge_whose_own_rows_changed_is_looked_at_first(
    repository, maintainer, erin, heaven, branch
):
    decide(maintainer, pins(repository) | about(heaven, take__text="theirs"))
    old = pins(repository)
    change(erin, branch, heaven, text="Up")
    head = repository.head("main")
    answer = land(maintainer, old)
    assert answer.status_code == 409
    assert f"1 commit came to {branch}" in seen.main(answer)
    assert repository.head("main") == head


def test_a_merge_lands_with_the_votes_that_came_for_its_rows(
    repository, maintainer, erin, heaven
):
    decide(maintainer, pins(repository) | about(heaven, take__text="theirs"))
    old = pins(repository)
    change(erin, "main", heaven, votes=F("votes") + 14)
    answer = land(maintainer, old)
    assert answer.status_code == 303
    heaven.refresh_from_db()
    assert (heaven.text, heaven.votes) == ("Skies", 8 + 14)
    said = seen.text(maintainer.get(answer["Location"]))
    assert "1 commit, which changed none of its rows but counts." in said


@pytest.mark.parametrize("is_seen_by_others", [False, True])
def test_a_count_that_was_typed_is_not_passed_over_for_a_vote(
    repository, maintainer, ida, erin, heaven, is_seen_by_others
):
    typed = about(heaven, take__text="theirs", take__votes="value", value__votes="77")
    assert decide(maintainer, pins(repository) | typed).status_code == 303
    old = pins(repository)
    change(erin, "main", heaven, votes=F("votes") + 14)
    if is_seen_by_others:
        ida.get(URL)
    head = repository.head("main")
    answer = land(maintainer, old)
    assert answer.status_code == 409
    assert "Look again" in seen.main(answer)
    assert repository.head("main") == head


def test_a_row_that_somebody_voted_for_is_not_deleted_unseen(
    repository, maintainer, erin, heaven
):
    with versioning.on_branch("summer", author=erin, message="Delete"):
        Choice.objects.exclude(pk=heaven.pk).delete()
    decide(maintainer, pins(repository) | about(heaven, take__text="theirs"))
    old = pins(repository)
    other = Choice.objects.exclude(pk=heaven.pk).get()
    change(erin, "main", other, votes=F("votes") + 1)
    assert land(maintainer, old).status_code == 409
    assert Choice.objects.filter(pk=other.pk).exists()


def test_a_merge_that_would_break_a_rule_by_now_changes_nothing(
    repository, maintainer, erin, add
):
    """The poll that a new choice belongs to goes, which no row of the merge is."""
    add("main", "What’s up?")
    question = Question.objects.get()
    repository.create_branch("summer", repository.head("main"))
    with versioning.on_branch("summer", author=erin, message="Add"):
        Choice.objects.create(question_id=question.pk, text="Stars")
    old = pins(repository)
    with versioning.on_branch("main", author=erin, message="Delete"):
        Question.objects.all().delete()
    head = repository.head("main")
    answer = land(maintainer, old)
    assert answer.status_code == 422
    assert "would break a rule" in seen.main(answer)
    assert repository.head("main") == head


def moves_while_it_is_built(monkeypatch, elsewhere, times):
    """The target moves that often between the three hashes and the landing."""
    land, again = landing.land, iter(range(times))

    def slowly(*args, **options):
        if next(again, None) is not None:
            elsewhere()
        return land(*args, **options)

    monkeypatch.setattr(landing, "land", slowly)


@pytest.fixture
def keep_voting(repository, erin, heaven):
    """As ``elsewhere()``, another vote each time."""
    other = Choice.objects.exclude(pk=heaven.pk).get()
    numbers = iter(range(1, 10))
    return lambda: change(erin, "main", other, votes=next(numbers))


def test_a_target_that_moves_while_the_merge_is_built_is_merged_into_anew(
    repository, maintainer, heaven, keep_voting, monkeypatch
):
    decide(maintainer, pins(repository) | about(heaven, take__text="theirs"))
    moves_while_it_is_built(monkeypatch, keep_voting, landing.TRIES - 1)
    old = pins(repository)
    assert land(maintainer, old).status_code == 303
    assert repository.commit(repository.head("main")).parents[1] == old["theirs"]
    assert sorted(Choice.objects.values_list("votes", flat=True)) == [2, 8]


def test_who_keeps_writers_off_has_kept_other_landings_off_before(
    repository, maintainer, heaven, keep_voting, monkeypatch, other_connection
):
    """Which take the two locks in this order, and would wait for its own."""
    decide(maintainer, pins(repository) | about(heaven, take__text="theirs"))
    land_it, tries = landing.land, []

    def slowly(*args, alone, **options):
        tries.append(alone)
        if alone:
            other = other_connection.repository
            with (
                pytest.raises(EngineBusy),
                other.landing_lock(lock_key("main"), timeout=0),
            ):
                raise AssertionError("another landing could begin")
        else:
            keep_voting()
        return land_it(*args, alone=alone, **options)

    monkeypatch.setattr(landing, "land", slowly)
    assert land(maintainer, pins(repository)).status_code == 303
    assert tries == [False, False, True]


def test_a_target_that_never_rests_is_said_to_have_moved(
    repository, maintainer, heaven, stranger, monkeypatch
):
    """As another program writes to it, which waits for nobody."""
    other = Choice.objects.exclude(pk=heaven.pk).get()
    numbers = iter(range(1, 10))

    def write():
        stranger.execute("main", COUNT.format(next(numbers), other.pk), commit="Count")

    decide(maintainer, pins(repository) | about(heaven, take__text="theirs"))
    moves_while_it_is_built(monkeypatch, write, landing.TRIES)
    answer = land(maintainer, pins(repository))
    assert answer.status_code == 409
    assert "3 commits came to main" in seen.main(answer)
    assert "1 of 1 settled" in seen.main(answer)
    heaven.refresh_from_db()
    assert heaven.text == "Heaven"


def test_a_choice_of_ones_own_that_comes_along_is_merged(
    repository, maintainer, heaven, monkeypatch
):
    """As of a field that was left by pressing the button."""
    decide(maintainer, pins(repository) | about(heaven, take__text="theirs"))
    shown = fields(maintainer.get(URL))["seen"]
    land_it = landing.land
    tries: list[tuple[object, ...]] = []

    def slowly(*args, **options):
        if not tries:
            chosen = about(heaven, take__text="value", value__text="The stars")
            decide(maintainer, pins(repository) | chosen | {"seen": shown})
        tries.append(args)
        return land_it(*args, **options)

    monkeypatch.setattr(landing, "land", slowly)
    answer = land(maintainer, pins(repository) | {"seen": shown})
    assert answer.status_code == 303
    assert len(tries) == 2
    heaven.refresh_from_db()
    assert heaven.text == "The stars"


def test_rows_that_nobody_committed_are_said_when_it_is_pressed(
    repository, maintainer, heaven, stranger
):
    """What the merge does was found out before, and is remembered."""
    decide(maintainer, pins(repository) | about(heaven, take__text="theirs"))
    assert "1 of 1 settled" in seen.main(maintainer.get(URL))
    old = pins(repository)
    stranger.execute("main", "UPDATE polls_question SET details = 'Mine'")
    answer = land(maintainer, old)
    assert answer.status_code == 409
    assert "Rows on main are not committed yet" in seen.main(answer)
    assert repository.head("main") == old["ours"]


def test_a_row_to_mend_that_changed_is_not_mended_unseen(
    repository, maintainer, erin, heaven
):
    """The merge does not touch the row; what it brings is in its way."""
    add = Choice.objects.create
    with versioning.on_branch("main", author=erin, message="Add"):
        here = add(pk=8001, question_id=heaven.question_id, text="Rain")
    with versioning.on_branch("summer", author=erin, message="Add"):
        add(pk=8002, question_id=heaven.question_id, text="Rain")
    sent = form(
        repository, "polls_choice", here.pk, value__text="Heavy rain", was__text="Rain"
    )
    change(erin, "main", here, votes=7)
    answer = mend(maintainer, sent)
    words = seen.main(answer)
    assert answer.status_code == 409
    assert "what you pressed last was not kept" in words
    assert "What you had typed Choice Heavy rain" in words
    assert not Decision.objects.exists()
    again = form(
        repository, "polls_choice", here.pk, value__text="Heavy rain", was__text="Rain"
    )
    assert mend(maintainer, again).status_code == 303

"""Projects in other zones than UTC, and those that keep none."""

from datetime import UTC, datetime

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

import versioning
from polls.models import Question
from tests.addresses import PATHS, POST_ONLY, make_things
from tests.engines import ENGINE
from tests.web import seen
from tests.web.fields import press_merge
from tests.web.test_typing_without_scripts import DECIDE, card
from versioning.merging import bulk, drafts, endings, preview
from versioning.merging.landing import land
from versioning.merging.resolution import Take
from versioning.models import MergeDraft

#: Dolt takes the first moment of year 1 for no date.
EDGES = [("Asia/Kolkata", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC))]
if ENGINE == "doltlite":
    EDGES.append(("America/New_York", datetime(1, 1, 1, tzinfo=UTC)))
ZONES = ["America/New_York", "Asia/Kolkata"]


@pytest.fixture(params=ZONES)
def zone(request, settings):
    settings.TIME_ZONE = request.param


@pytest.fixture(params=ZONES)
def no_zones(request, settings):
    settings.TIME_ZONE = request.param
    settings.USE_TZ = False


def refused(client):
    things = make_things()
    answers = {
        name: client.get(things.path(name)).status_code
        for name in PATHS.keys() - POST_ONLY
    }
    return {name: code for name, code in answers.items() if code >= 400}


def test_each_page_is_there(zone, owner):
    assert refused(owner) == {}


def test_each_page_is_there_without_zones(no_zones, owner):
    assert refused(owner) == {}


def test_a_page_says_once_in_which_zone_its_times_are(zone, owner, client, settings):
    things = make_things()
    for name in ("versioning:commit", "versioning:row-history", "polls:detail"):
        words = seen.text(owner.get(things.path(name)))
        assert words.count(f"Times are in {settings.TIME_ZONE}") == 1
    assert "Times are in" not in seen.text(client.get("/"))  # where none is shown


@pytest.mark.parametrize(("name", "when"), EDGES)
def test_a_moment_that_no_year_of_the_zone_has(name, when, owner, repository, settings):
    settings.TIME_ZONE = name
    with versioning.on_branch(message="Ask"):
        question = Question.objects.create(text="When?")
    repository.create_branch("summer", repository.head("main"))
    change_both(when, datetime(2027, 1, 1, tzinfo=UTC))
    for path in (
        f"/commits/{repository.head('main')}/",
        "/merge/?source=summer&target=main",
        f"/rows/history/?table=polls_question&key=[{question.pk}]",
    ):
        assert f"{when:%H:%M:%S}" in seen.main(owner.get(path)), path


COMMIT = "CALL" if ENGINE == "dolt" else "SELECT"


@pytest.mark.parametrize(
    ("name", "when", "said"),
    [
        ("Asia/Kolkata", "9999-12-31T23:59:59", "31 Dec 9999"),
        ("America/New_York", "0001-01-01", "1 Jan 0001"),
        ("Asia/Kolkata", "2999-12-31T23:59:59", "1 Jan 3000"),
    ],
)
def test_the_moment_of_a_commit_may_be_any(
    name, when, said, owner, connection, repository, settings
):
    """Of a client whose clock, or ``--date``, is far off."""
    settings.TIME_ZONE = name
    with connection.bound("main"), connection.writing(), connection.cursor() as cursor:
        cursor.execute(
            f"{COMMIT} dolt_commit('--allow-empty', '-m', 'Far off', '--date', %s)",
            [when],
        )
        cursor.fetchall()
    for path in ("/log/", "/branches/", f"/commits/{repository.head('main')}/"):
        page = seen.main(owner.get(path))
        assert "Far off" in page, path
        assert said in page, path


def test_a_moment_that_was_typed_stays_as_more_is_decided(zone, owner, repository):
    with versioning.on_branch(message="Ask"):
        Question.objects.create(text="When?")
    repository.create_branch("summer", repository.head("main"))
    for branch, month in (("main", 3), ("summer", 4)):
        with versioning.on_branch(branch, message="Ask anew"):
            published = datetime(2026, month, 1, tzinfo=UTC)
            Question.objects.update(text=f"When in {month}?", published=published)
    typed = "2026-12-24 18:30:00"
    page = owner.get("/merge/?source=summer&target=main")
    for more in (
        {"take:published": "value", "value:published": typed},
        {"take:text": "ours"},
        {"take:text": "theirs"},
    ):
        assert owner.post(DECIDE, card(page).fields | more).status_code == 303
        page = owner.get("/merge/?source=summer&target=main")
        assert card(page).fields["value:published"] == typed
        assert "Will be 24 December 2026, 18:30:00" in seen.main(page)
    press_merge(owner, {"source": "summer", "target": "main"})
    landed = timezone.localtime(Question.objects.get().published)
    assert f"{landed:%Y-%m-%d %H:%M:%S}" == typed


def change_both(ours, theirs):
    for branch, moment in (("main", ours), ("summer", theirs)):
        with versioning.on_branch(branch, message="Ask when"):
            Question.objects.update(published=moment)


def test_a_merge_without_zones_whose_process_died_is_found(no_zones, owner, repository):
    with versioning.on_branch(message="Ask"):
        Question.objects.create(text="When?")
    repository.create_branch("summer", repository.head("main"))
    change_both(datetime(2026, 1, 1), datetime(2027, 1, 1))  # noqa: DTZ001
    user = get_user_model().objects.get(username="olga")
    sides = preview.sides_of(
        repository, repository.head("main"), repository.head("summer")
    )
    assert sides
    draft = drafts.begin("summer", "main", sides, user)
    assert bulk.decide_rest(draft, sides, Take.THEIRS, user) == 1
    hash = land("summer", "main", sides, draft, user)
    draft.state, draft.landed_at = MergeDraft.State.OPEN, None
    draft.save()
    assert endings.found_landed(draft)
    draft.refresh_from_db()
    made = repository.commit(hash).date
    assert draft.landed_at == timezone.localtime(made).replace(tzinfo=None)
    assert "just now" in seen.main(owner.get(f"/merges/{draft.pk}/"))

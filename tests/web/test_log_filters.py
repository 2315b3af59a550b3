"""The log, filtered, searched and folded."""

import uuid

import pytest

import versioning
from polls.models import Choice, Question
from tests.web import seen
from tests.web.test_log import commits_on
from versioning import history
from versioning.backends.repository import Author

MAX = Author("Max Okafor", "max@example.org")


@pytest.fixture
def poll(repository, erin):
    with versioning.on_branch("main", author=erin, message="Ask"):
        question = Question.objects.create(text="What’s up?")
        question.choices.create(text="The sky")
    return question


@pytest.fixture
def vote(client):
    """Vote through the site, as a visitor does; the commit’s hash."""

    def vote(question, browser=client):
        choice = Choice.objects.get(question=question)
        answer = browser.post(
            f"/polls/{question.pk}/vote/",
            {"choice": choice.pk, "versioning_token": str(uuid.uuid4())},
        )
        assert answer.status_code == 303
        return versioning.conf.repository().head("main")

    return vote


def on_main(author, message):
    with versioning.on_branch("main", author=author, message=message) as unit:
        Question.objects.create(text=message)
    return unit.commit


# Filters -----------------------------------------------------------------------


def test_filters_by_text_author_date_and_table_add_up(editor, erin, poll, vote):
    by_max = on_main(MAX, "Add a Tea poll\n\nBody: coffee")
    by_erin = on_main(erin, "Add a tea set")
    voted = vote(poll)

    def listed(**given):
        response = editor.get("/log/", given)
        assert response.status_code == 200
        assert "graph__line" not in response.content.decode()
        return commits_on(response)

    assert listed(q="TEA") == [by_erin, by_max]
    assert listed(q="coffee") == [by_max]
    assert listed(q="tea", author="okafor") == [by_max]
    assert listed(author="max@example") == [by_max]
    assert listed(table="polls_choice")[0] == voted
    assert by_max not in listed(table="polls_choice")
    assert listed(table="polls_question", q="tea") == [by_erin, by_max]
    assert listed(table="polls_choice", q="tea") == []
    assert listed(q="sky") == [voted]
    for not_read in ("form-token", "kind: "):
        assert listed(q=not_read) == []
    day = versioning.conf.repository().commit(by_max).date.date()
    assert listed(q="tea", **{"from": str(day), "to": str(day)}) == [by_erin, by_max]
    assert listed(q="tea", to=f"{day.year - 1}-01-01") == []
    assert listed(q="tea", **{"from": f"{day.year + 1}-01-01"}) == []


def test_a_page_looks_through_so_many_and_offers_to_go_on(
    editor, erin, poll, monkeypatch
):
    monkeypatch.setattr(history, "SCANNED", 4)
    monkeypatch.setattr(history, "PAGE", 2)
    tea = on_main(erin, "Tea first")
    for number in range(6):
        on_main(MAX, f"Other {number}")
    response = editor.get("/log/?branch=main&author=erin&q=tea")
    page = seen.main(response)
    assert "No commits of the 4 looked at fit. There are older ones." in page
    url = seen.links(response)["Look further back"]
    assert "author=erin" in url
    assert "q=tea" in url
    on_main(erin, "Tea meanwhile")
    response = editor.get(url)
    assert commits_on(response) == [tea]
    assert "1 commit of the 4 looked at fits" in seen.main(response)


def test_a_full_page_goes_on_at_the_next_that_fits(editor, erin, poll, monkeypatch):
    monkeypatch.setattr(history, "PAGE", 2)
    made = [on_main(erin, f"Tea {number}") for number in range(5)]
    listed: list[str] = []
    url: str | None = "/log/?branch=main&q=tea"
    while url:
        response = editor.get(url)
        assert len(commits_on(response)) <= 2
        listed += commits_on(response)
        on_main(erin, "Tea meanwhile")
        url = seen.links(response).get("Older commits")
    assert listed == made[::-1]


def test_a_filter_finds_what_came_by_a_merge(editor, repository, add, merge):
    repository.create_branch("summer", repository.head("main"))
    theirs = [add("summer", f"Lake {number}") for number in range(3)]
    for number in range(3):
        add("main", f"Street {number}")
    merged = merge("summer", "main")
    response = editor.get("/log/?branch=main&q=lake")
    assert commits_on(response) == theirs[::-1]
    changed = commits_on(editor.get("/log/?branch=main&table=polls_question"))
    assert merged in changed  # against its first parent
    assert set(theirs) < set(changed)


@pytest.mark.parametrize("given", ["from=yesterday", "to=2026-02-30", "table=nope"])
def test_a_filter_that_makes_no_sense_is_said(editor, given):
    response = editor.get(f"/log/?{given}")
    assert response.status_code == 422
    page = seen.main(response)
    assert "A day looks like 2026-05-31." in page or "no table “nope”" in page
    assert commits_on(response) == []


@pytest.mark.parametrize("text", ["%", "_", "'; --", "<b>", "\\", "Ä"])
def test_any_text_can_be_looked_for(editor, poll, text):
    response = editor.get("/log/", {"q": text, "author": text})
    assert response.status_code == 200
    assert commits_on(response) == []
    assert "<b>" not in response.content.decode()


def test_the_calendar_has_a_first_and_a_last_day(editor, poll):
    for given in ("from=0001-01-01", "to=9999-12-31", "from=0001-01-01&to=9999-12-31"):
        assert commits_on(editor.get(f"/log/?branch=main&{given}"))
    for given in ("from=9999-12-31", "to=0001-01-01"):
        assert commits_on(editor.get(f"/log/?branch=main&{given}")) == []


# Hashes ------------------------------------------------------------------------


def test_the_beginning_of_a_hash_leads_to_its_commit(editor, poll):
    head = versioning.conf.repository().head("main")
    for length in (12, len(head)):
        response = editor.get("/log/", {"q": head[:length].upper()})
        assert response.status_code == 302
        assert response["Location"] == f"/commits/{head}/"
    response = editor.get("/log/", {"q": head[:3]})
    assert response.status_code == 200


def test_letters_that_begin_a_hash_and_stand_in_a_message_lead_to_both(
    editor, erin, repository, monkeypatch
):
    made = on_main(erin, "Name a cafe")
    monkeypatch.setattr(
        type(repository), "with_prefix", lambda *args, **options: [made]
    )
    response = editor.get("/log/?q=cafe")
    assert commits_on(response) == [made]
    assert f"This commit’s hash begins with “cafe”: {made[:7]}" in seen.main(response)


def test_a_number_that_begins_a_hash_is_found_in_messages(editor, erin):
    while (made := on_main(erin, "Anything"))[:4].isalpha():
        pass
    start = made[:4]
    assert editor.get(f"/log/?q={start}")["Location"] == f"/commits/{made}/"
    budget = on_main(erin, f"Budget of {start}")
    response = editor.get(f"/log/?q={start}")
    assert commits_on(response) == [budget]
    assert f"This commit’s hash begins with “{start}”: {made[:7]}" in seen.main(
        response
    )


def test_a_page_that_did_not_look_at_all_messages_offers_the_commit_beside_them(
    editor, erin, monkeypatch
):
    made = on_main(erin, "Anything")
    budget = on_main(erin, f"Budget of {made[:4]}")
    on_main(erin, "Something later")
    monkeypatch.setattr(history, "SCANNED", 1)
    response = editor.get(f"/log/?q={made[:4]}")
    assert f"This commit’s hash begins with “{made[:4]}”" in seen.main(response)
    older = editor.get(seen.links(response)["Look further back"])
    assert commits_on(older) == [budget]


# Runs --------------------------------------------------------------------------


def test_a_run_of_votes_is_one_line_that_opens(editor, erin, poll, vote):
    other = on_main(erin, "Another question?")
    votes = [vote(poll) for _ in range(4)]
    votes.append(vote(poll, editor))
    last = on_main(erin, "After the votes")
    response = editor.get("/log/")
    page = seen.main(response)
    assert "5 votes on 1 question, by edith and visitors" in page
    assert commits_on(response)[:7] == [last, *votes[::-1], other]
    html = response.content.decode()
    assert html.count("<details>") == 1
    inside = html.partition("<details>")[2].partition("</details>")[0]
    assert [hash in inside for hash in (*votes, last, other)] == [True] * 5 + [
        False
    ] * 2
    unfolded = editor.get(seen.links(response)["List every commit by itself"])
    assert commits_on(unfolded)[:7] == commits_on(response)[:7]
    assert "5 votes" not in seen.main(unfolded)


def test_people_are_counted_and_two_votes_are_no_run(
    editor, maintainer, nobody, erin, poll, vote
):
    for browser in (editor, maintainer, nobody):
        vote(poll, browser)
    on_main(erin, "Between")
    vote(poll)
    vote(poll)
    page = seen.main(editor.get("/log/"))
    assert "3 votes on 1 question, by 3 people" in page
    assert "2 votes" not in page


def test_a_branch_or_a_tag_in_a_run_stays_visible(editor, repository, erin, poll, vote):
    votes = [vote(poll) for _ in range(8)]
    repository.create_branch("summer", votes[3])
    repository.create_tag("noon", votes[3], message="", author=erin)
    response = editor.get("/log/")
    page = seen.main(response)
    assert page.count("4 votes on 1 question") == 2
    second = page.rpartition("4 votes on 1 question")[2]
    assert "summer" in second.partition("Vote for")[0]
    assert "noon" in second.partition("Vote for")[0]


def test_a_long_run_opens_to_its_first_votes_and_leads_to_the_rest(
    editor, repository, erin, poll, vote
):
    votes = [vote(poll) for _ in range(13)][::-1]
    response = editor.get("/log/?branch=main")
    assert "13 votes on 1 question, by visitors" in seen.main(response)
    assert commits_on(response)[:10] == votes[:10]
    assert votes[10] not in commits_on(response)
    vote(poll)
    rest = editor.get(seen.links(response)["The other 3, one by one"])
    assert commits_on(rest)[:3] == votes[10:]


def test_runs_count_as_lines_of_a_page_and_pages_list_all(
    editor, repository, erin, poll, vote, monkeypatch
):
    monkeypatch.setattr(history, "PAGE", 3)
    whole = []
    for number in range(4):
        whole += [vote(poll) for _ in range(3)]
        whole.append(on_main(erin, f"Between {number}"))
    start = [commit.hash for commit in repository.log([whole[-1]], limit=100)]
    listed: list[str] = []
    url: str | None = "/log/?branch=main"
    pages = 0
    while url:
        response = editor.get(url)
        listed += commits_on(response)
        vote(poll)
        pages += 1
        url = seen.links(response).get("Older commits")
    assert listed == start
    assert pages == -(-(8 + len(start) - 16) // 3)  # runs, between, and before


def test_what_an_app_says_is_kept_in_one_line_each(editor, repository, erin):
    with versioning.on_branch("main", author=erin) as unit:
        Question.objects.create(text="x")
        versioning.describe("Vote", kind="vote", about="Two\n\nlines  of it")
    message = repository.commit(unit.commit).message
    assert message == "Vote\n\nKind: vote\nAbout: Two lines of it"


def test_days_in_the_wrong_order_are_no_filter(editor, poll):
    given = {"from": "2026-05-31", "to": "2026-05-01"}
    page = seen.main(editor.get("/log/", given))
    assert "Until: This day is before that of “From”." in page
    assert "No commit fits" not in page
    assert "isn’t right yet" not in seen.main(
        editor.get("/log/", given | {"to": "2026-05-31"})
    )

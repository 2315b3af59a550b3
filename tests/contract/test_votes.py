"""Votes by HTTP, through several processes: each counts, and each counts once."""

import json
import re
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlencode, urlsplit

import pytest

from tests.site import Site

DYING = "tests.dying:application"

VOTERS = 8
VOTES_EACH = 50

ASK = """
import json
from polls.models import Question
from versioning import on_branch
with on_branch(message="Ask"):
    question = Question.objects.create(text="How often?")
    choice = question.choices.create(text="Often")
print(json.dumps([question.pk, choice.pk]))
"""

COUNT = """
import json
from polls.models import Choice
from versioning.conf import repository
repository = repository()
commits, place = [], repository.head("main")
while (commit := repository.commit(place)).message.startswith("Vote for “Often”"):
    commits.append(place)
    [place] = commit.parents
left = repository.uncommitted()
print(json.dumps([Choice.objects.get(pk={choice}).votes, len(commits), bool(left)]))
"""


class Voter:
    """A browser that stays at one poll, over a connection that it keeps."""

    def __init__(self, site: Site, question: int):
        self.address = urlsplit(site.url).netloc
        self.path = f"/polls/{question}/"
        self.connection = HTTPConnection(self.address, timeout=60)
        self.connection.request("GET", self.path)
        answer = self.connection.getresponse()
        page = answer.read().decode()
        self.cookie = (answer.getheader("Set-Cookie") or "").partition(";")[0]
        self.csrf = _field(page, "csrfmiddlewaretoken")

    def vote(self, choice: int, token: str) -> int:
        """The answer's code; 0 if the connection broke before there was one."""
        fields = {
            "csrfmiddlewaretoken": self.csrf,
            "versioning_token": token,
            "choice": choice,
        }
        headers = {
            "Cookie": self.cookie,
            "Content-Type": "application/x-www-form-urlencoded",
        }
        try:
            self.connection.request(
                "POST", f"{self.path}vote/", urlencode(fields), headers
            )
            answer = self.connection.getresponse()
            answer.read()
            return answer.status
        except (HTTPException, ConnectionError):
            self.connection.close()
            return 0

    def close(self) -> None:
        self.connection.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Site(tmp_path_factory.mktemp("site"), application=DYING) as site:
        yield site


@pytest.fixture
def ids(site: Site) -> tuple[int, int]:
    """Ids of a question and of its only choice, without votes."""
    question, choice = json.loads(site.run(ASK))
    return question, choice


def count(site: Site, choice: int) -> tuple[int, int, bool]:
    """Votes of the choice; commits of them; whether something is uncommitted."""
    votes, commits, left = json.loads(site.run(COUNT.format(choice=choice)))
    return votes, commits, left


def test_votes_at_once_all_count_and_are_a_commit_each(
    site: Site, ids: tuple[int, int]
):
    question, choice = ids

    def vote_many(_: int) -> list[int]:
        voter = Voter(site, question)
        try:
            return [voter.vote(choice, str(uuid.uuid4())) for _ in range(VOTES_EACH)]
        finally:
            voter.close()

    with ThreadPoolExecutor(VOTERS) as pool:
        answers = [
            code for codes in pool.map(vote_many, range(VOTERS)) for code in codes
        ]

    cast = VOTERS * VOTES_EACH
    assert answers == [303] * cast
    assert count(site, choice) == (cast, cast, False)


@pytest.mark.parametrize("moment", ["receipt", "answer"])
def test_a_vote_whose_process_died_and_that_is_sent_again_counts_once(
    moment: str, site: Site, ids: tuple[int, int]
):
    question, choice = ids
    voter, token = Voter(site, question), str(uuid.uuid4())
    order = site.folder / "die"
    order.write_text(moment)

    assert voter.vote(choice, token) == 0
    assert not order.exists(), "the process ended for another reason"
    assert count(site, choice) == (1, 1, False)

    assert voter.vote(choice, token) == 303
    assert count(site, choice) == (1, 1, False)
    assert voter.vote(choice, str(uuid.uuid4())) == 303
    assert count(site, choice) == (2, 2, False)
    voter.close()


def _field(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]+)"', page)
    assert found, f"no field {name} in the form"
    return found[1]

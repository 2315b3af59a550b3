"""A merge begun before the site's processes ended, and finished by somebody else."""

import json
import re
import urllib.request
from collections.abc import Callable, Iterator
from html import unescape
from http.cookiejar import CookieJar
from urllib.parse import urlencode

import pytest

from tests.site import Site

PART = """
import json
from django.contrib.auth.models import Group, User
from polls.models import Choice, Question
from versioning import branches, on_branch
from versioning.conf import repository
ida = User.objects.create_user("ida", password="ida-demo")
ida.groups.set(Group.objects.filter(name="Maintainers"))
with on_branch(message="Ask"):
    question = Question.objects.create(text="Where?")
    gone = Question.objects.create(text="When?")
    bridge = question.choices.create(text="At the bridge")
    mill = question.choices.create(text="At the mill")
for name in ("noon", "sunday"):
    branches.create(repository(), name, at=repository().head("main"))
    with on_branch(name, message=f"Word it for {name}"):
        Choice.objects.filter(pk=bridge.pk).update(text=f"Under the bridge, {name}")
        Choice.objects.filter(pk=mill.pk).update(text=f"Behind the mill, {name}")
with on_branch("sunday", message="Offer a time"):
    early = Choice.objects.create(question_id=gone.pk, text="Early")
with on_branch("noon", message="Ask less"):
    Question.objects.get(pk=gone.pk).delete()
print(json.dumps([bridge.pk, mill.pk, early.pk]))
"""

RESULT = """
import json
from polls.models import Choice
from versioning.conf import connection
from versioning.models import MergeDraft
with connection().bound("noon"):
    texts = list(Choice.objects.filter(pk__in={pks}).values_list("text", flat=True))
(draft,) = MergeDraft.objects.all()
print(json.dumps([sorted(texts), draft.state, draft.created_by_name]))
"""

MERGE = "/merge/?source=sunday&target=noon"


class Person:
    """Somebody who is signed in, with a browser that knows no JavaScript."""

    def __init__(self, site: Site, name: str):
        self._site = site
        jar = urllib.request.HTTPCookieProcessor(CookieJar())
        self._open = urllib.request.build_opener(jar).open
        form = self.form("/accounts/login/", "username")
        given = {"username": name, "password": f"{name}-demo"}
        assert "Sign out" in self.send("/accounts/login/", form | given)

    def get(self, path: str) -> str:
        """The page, without the white space between its words."""
        with self._open(self._site.url + path, timeout=60) as answer:
            return " ".join(unescape(answer.read().decode()).split())

    def send(self, path: str, fields: dict[str, str]) -> str:
        """Send a form; the page that it leads to."""
        data = urlencode(fields).encode()
        with self._open(self._site.url + path, data, timeout=60) as answer:
            return " ".join(unescape(answer.read().decode()).split())

    def form(self, path: str, about: str) -> dict[str, str]:
        """The hidden fields of the first form of a page that has this in it."""
        for form in re.findall(r"<form.*?</form>", self.get(path)):
            if about in form:
                found = re.findall(r'type="hidden" name="([^"]*)" value="(.*?)">', form)
                return dict(found)
        raise AssertionError(f"{path} has no form about {about}")


@pytest.fixture
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Site(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.mark.parametrize("end", [Site.stop, Site.kill], ids=["stopped", "killed"])
def test_what_was_decided_is_taken_up_by_somebody_else_after_a_restart(
    site: Site, end: Callable[[Site], None]
):
    bridge, mill, early = json.loads(site.run(PART))
    max_ = Person(site, "max")
    card = max_.form(MERGE, f'name="key" value="[{bridge}]"')
    max_.send("/merge/decide/", card | {"take:text": "theirs"})
    card = max_.form(MERGE, f'name="key" value="[{early}]"')
    shown = max_.send("/merge/mend/", card | {"take": "drop"})
    assert "1 of 2 settled" in shown

    before = site.process
    end(site)
    assert site.get("/")[0] == 0
    site.start()
    assert site.process is not before

    ida = Person(site, "ida")
    listed = ida.get("/merges/")
    assert 'sunday into noon</a> <p class="soft small">1 of 2 settled, ' in listed
    assert "begun by Max Okafor" in listed
    shown = ida.get(MERGE)
    assert "by Max Okafor, <time" in shown
    assert "Under the bridge, sunday" in shown
    card = ida.form(MERGE, f'name="key" value="[{mill}]"')
    shown = ida.send("/merge/decide/", card | {"take:text": "ours"})
    assert "2 of 2 settled" in shown
    assert "still to mend" not in shown
    landed = ida.send("/merge/land/", ida.form(MERGE, "Merge sunday into noon"))
    assert "sunday is merged into noon." in landed

    texts, state, begun_by = json.loads(
        site.run(RESULT.format(pks=[bridge, mill, early]))
    )
    assert texts == ["Behind the mill, noon", "Under the bridge, sunday"]
    assert (state, begun_by) == ("landed", "Max Okafor")
    (record,) = set(re.findall(r'href="(/merges/[0-9a-f-]{36}/)"', landed))
    decisions = ida.get(record)
    for who, what in (("Max Okafor", "as on sunday"), ("ida", "as on noon")):
        assert re.search(rf"{what}</span></td> <td [^>]*>{who}, <time", decisions)
    assert "left out, to mend the row" in decisions

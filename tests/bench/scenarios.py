"""What is measured: each a site of its own, seeded, asked over HTTP."""

import json
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from tests.bench.figures import Figure, median, percentile, timed, times
from tests.bench.person import Person, hidden_fields
from tests.engines import ENGINE
from tests.site import ROOT, Site

COUNT = 25  # requests of each page
CHANGED = 100  # rows on the branch


@contextmanager
def _site(*seeds: str) -> Iterator[Site]:
    """A site with what the calls ``seeds`` of ``tests.bench.seeds`` make."""
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        Site(Path(folder), application="tests.bench.wsgi:application") as site,
    ):
        site.stop()
        for seed in seeds:
            site.run(f"from tests.bench import seeds; seeds.{seed}")
        site.start()
        yield site


def _person(site: Site) -> Person:
    person = Person(site.url)
    person.sign_in("max", "max-demo")
    return person


def _head(site: Site, branch: str) -> str:
    return site.run(
        f"from versioning.conf import repository; print(repository().head({branch!r}))"
    )


def _reference(site: Site, ours: str, theirs: str) -> dict[str, list[float]]:
    found: dict[str, list[float]] = json.loads(
        site.run(
            f"from tests.bench import reference; reference.take({ours!r}, {theirs!r})"
        )
    )
    return found


# Tables of two sizes ------------------------------------------------------------


class Taken(NamedTuple):
    """Milliseconds that a page took, and the engine for the same."""

    page: Sequence[float]
    engine: Sequence[float]
    whole: Sequence[float] = ()  # with what comes after the page by itself
    merging: Sequence[float] = ()  # of that, the engine's own merge


def tables(small: int = 1_000, large: int = 1_000_000) -> Iterator[Figure]:
    """The same pages over a small table and a large one, beside the engine."""
    found = {rows: _pages(rows) for rows in (small, large)}
    for name in found[small]:
        least, most = found[small][name], found[large][name]
        group = f"{name}, {CHANGED} rows of {large:,} changed"
        yield Figure(group, "median", median(most.page), "ms")
        yield Figure(group, "p95", percentile(most.page, 95), "ms", at_most=150)
        yield Figure(
            group, f"against {small:,} rows", median(most.page) / median(least.page),
            "times", at_most=1.3,
        )  # fmt: skip
        if most.whole:
            yield Figure(group, "with its result", median(most.whole), "ms")
            yield Figure(group, "of that, dolt_merge()", median(most.merging), "ms")
        yield Figure(group, "the engine's own SQL", median(most.engine), "ms")
        yield Figure(group, "more than the engine", _more(most), "ms", at_most=30)


def _more(took: Taken) -> float:
    """
    Beside the merge of the very request where there is one: of more than a
    second, the same takes a tenth longer at one time than at another.
    """
    if took.whole:
        pairs = zip(took.whole, took.merging, strict=True)
        return median([whole - merging for whole, merging in pairs])
    return median(took.page) - median(took.engine)


def _pages(rows: int) -> dict[str, Taken]:
    with _site(f"polls({rows})", f"branch('bench', {CHANGED})") as site:
        person = _person(site)
        ours, theirs = _head(site, "main"), _head(site, "bench")
        pages = {
            "compare": "/compare/?from=main&to=bench&dots=3",
            "commit": f"/commits/{theirs}/",
            "branches": "/branches/",
            "log": "/log/?branch=main",
        }
        found = {
            name: times(_getting(person, url), COUNT) for name, url in pages.items()
        }
        looks = [_first_merge(person) for _ in range(COUNT // 3)]
        page, whole, merging = zip(*looks, strict=True)
        found["vote"] = times(_voting(person), COUNT)
        engine = _reference(site, ours, theirs)
        taken = {name: Taken(took, engine[name]) for name, took in found.items()}
        return taken | {"merge": Taken(page, engine["merge"], whole, merging)}


def _getting(person: Person, url: str, *, part: bool = False) -> Callable[[], object]:
    return lambda: person.get(url, part=part)


def _voting(person: Person) -> Callable[[], object]:
    """Votes that are cast and answered; their forms are fetched beforehand."""
    forms = iter([_vote_form(person) for _ in range(COUNT + 10)])

    def vote() -> None:
        form, fields = next(forms)
        person.post("/polls/1000/vote/", {**fields, "choice": "1001"}, form=form)

    return vote


def _vote_form(person: Person) -> tuple[str, dict[str, str]]:
    form = person.get("/polls/1000/")
    return form, hidden_fields(form, "/polls/1000/vote/")


def _vote(person: Person) -> None:
    form, fields = _vote_form(person)
    person.post("/polls/1000/vote/", {**fields, "choice": "1001"}, form=form)


def _first_merge(person: Person) -> tuple[float, float, float]:
    """
    A merge page that nobody has looked at, as the branch has moved since: until
    it is there, until what the merge would do is, which may come after it, and
    for how long of that the engine merged.
    """
    _vote(person)
    url = "/merge/?source=bench&target=main"
    pages: list[str] = []
    page = timed(lambda: pages.append(person.get(url)))
    merging = person.merging
    if "is-awaited" not in pages[0]:
        return page, page, merging
    rest = timed(_getting(person, url, part=True))
    return page, page + rest, merging + person.merging


# Long histories and many branches ---------------------------------------------------


def history(commits: int = 20_000, page: int = 200) -> Iterator[Figure]:
    with _site("polls(1000)", f"commits({commits})") as site:
        person = _person(site)
        first = "/log/?branch=main"
        url = first
        for _ in range(page - 1):
            url = _older(person.get(url))
        one = times(_getting(person, first), COUNT)
        far = times(_getting(person, url), COUNT)
        moved = [_after_a_vote(person, first) for _ in range(COUNT // 3)]
        group = f"log of {commits:,} commits"
        yield Figure(group, "page 1", median(one), "ms")
        yield Figure(group, "page 1, just after a vote", median(moved), "ms")
        yield Figure(group, f"page {page}", median(far), "ms")
        yield Figure(
            group, f"page {page} against page 1", median(far) / median(one), "times",
            at_most=1.3,
        )  # fmt: skip


def _after_a_vote(person: Person, url: str) -> float:
    """A page that nobody has looked at since the branch's head is another one."""
    _vote(person)
    return timed(_getting(person, url))


def _older(page: str) -> str:
    found = re.search(r'href="([^"]*[?&;]after=[^"]*)"', page)
    assert found, "The log has no older page."
    url = found[1].replace("&amp;", "&")
    return url if url.startswith("/") else f"/log/{url}"


def many_branches(few: int = 10, many: int = 200) -> Iterator[Figure]:
    found = {}
    for count in (few, many):
        with _site("polls(10000)", f"branches({count})") as site:
            person = _person(site)
            url = "/branches/"
            first = timed(_getting(person, url))
            found[count] = (first, times(_getting(person, url), COUNT))
    group = "branches"
    yield Figure(group, f"{few} branches", median(found[few][1]), "ms")
    yield Figure(group, f"{many} branches", median(found[many][1]), "ms")
    yield Figure(group, f"{many} branches, the first time", found[many][0], "ms")
    yield Figure(
        group, f"{many} against {few}",
        median(found[many][1]) / median(found[few][1]), "times", at_most=3,
    )  # fmt: skip


# Votes ------------------------------------------------------------------------------

_ENGINE_CLIENT = (
    "import django; django.setup(); from tests.bench import reference; "
    "reference.votes({seconds}, {client})"
)
FORMS = 150  # that each person opens beforehand


def votes(clients: int = 4, seconds: float = 5.0) -> Iterator[Figure]:
    """People who press Vote at once; their forms are open already."""
    with _site("polls(1000)") as site:
        people = [_person(site) for _ in range(clients)]
        took: list[list[float]] = [[] for _ in people]

        def vote(number: int) -> None:
            person, poll = people[number], 1000 + number
            path, choice = f"/polls/{poll}/vote/", str(1000 + number * 10)
            forms = [person.get(f"/polls/{poll}/") for _ in range(FORMS)]
            everybody.wait()
            for form in forms:
                fields = {**hidden_fields(form, path), "choice": choice}
                took[number].append(
                    timed(lambda: person.post(path, fields, form=form))  # noqa: B023
                )

        everybody = threading.Barrier(clients + 1)
        threads = [threading.Thread(target=vote, args=[n]) for n in range(clients)]
        for thread in threads:
            thread.start()
        everybody.wait()
        start = time.perf_counter()
        for thread in threads:
            thread.join()
        whole = time.perf_counter() - start
        engine = _engine_votes(site, clients, seconds)
        group = f"votes of {clients} people at once"
        rate = clients * FORMS / whole
        engines_rate = sum(len(held) for held in engine) / seconds
        yield Figure(group, "votes", rate, "a second", at_least=100)
        yield Figure(
            group, "one vote", median([t for each in took for t in each]), "ms"
        )
        yield Figure(group, "the engine's own", engines_rate, "a second")
        yield Figure(
            group, "share of a third of the engine's", 3 * rate / engines_rate, "times",
            at_least=1 if ENGINE == "dolt" else None,
        )  # fmt: skip
        site.stop()
        ours = json.loads(site.run("from tests.bench import voting; voting.held()"))
        [alone] = _engine_votes(site, 1, seconds)
        group = "a vote alone"
        yield Figure(group, "holds the lock", median(ours), "ms")
        yield Figure(group, "the engine holds it", median(alone), "ms")
        yield Figure(
            group, "against the engine", median(ours) / median(alone), "times",
            at_most=2,
        )  # fmt: skip


def _engine_votes(site: Site, clients: int, seconds: float) -> list[list[float]]:
    running = [
        subprocess.Popen(
            [sys.executable, "-c", _ENGINE_CLIENT.format(seconds=seconds, client=n)],
            cwd=ROOT,
            env=site.settings,
            stdout=subprocess.PIPE,
            text=True,
        )
        for n in range(clients)
    ]
    return [json.loads(client.communicate()[0]) for client in running]


# Files of any size ------------------------------------------------------------------


def export(rows: int = 1_000_000) -> Iterator[Figure]:
    """A difference of every row, as a file; how much memory the site takes."""
    with _site(f"polls({rows})", "branch_of_all('bench')") as site:
        person = _person(site)
        address = "/compare/export/?from=main&to=bench&table=polls_choice"
        before = _most_memory(site)
        group = f"export of {rows:,} changed rows"
        yield Figure(group, "a process before", before, "MB")
        for kind in ("csv", "sql"):
            start = time.perf_counter()
            size = person.drain(f"{address}&format={kind}")
            took = time.perf_counter() - start
            yield Figure(group, f"{kind.upper()}, {size / 1e6:.0f} MB", took, "s")
        yield Figure(
            group, "the most that a process took", _most_memory(site), "MB",
            at_most=200,
        )  # fmt: skip


def _most_memory(site: Site) -> float:
    """The most that a process of the site ever had in memory, in MB."""
    assert site.process is not None
    found = []
    for status in Path("/proc").glob("[0-9]*/status"):
        text = status.read_text()
        if f"PPid:\t{site.process.pid}\n" in text:
            found.append(int(re.search(r"VmHWM:\s+(\d+)", text)[1]) / 1024)  # type: ignore[index]
    return max(found)


# Merges with many conflicts ---------------------------------------------------------


def conflicts(few: int = 10, page: int = 50, many: int = 1000) -> Iterator[Figure]:
    found = {count: _merging(count) for count in (few, page, many)}
    group = f"merge with {many:,} conflicts"
    for name in ("first page, nobody looked yet", "first page", "one choice"):
        yield Figure(group, name, found[many][name], "ms")
        for other in (few, page):
            yield Figure(
                group, f"{name}, against {other} conflicts",
                found[many][name] / found[other][name], "times", at_most=1.5,
            )  # fmt: skip
    took = found[many]
    yield Figure(group, "all at once", took["bulk"], "ms")
    yield Figure(group, "landing", took["landing"], "ms")
    yield Figure(group, "of that, validation", took["validation"], "ms")
    yield Figure(group, "the same updates, raw", took["raw"], "ms")
    yield Figure(
        group, "landing without validation, against raw",
        (took["landing"] - took["validation"]) / took["raw"], "times", at_most=3,
    )  # fmt: skip
    yield Figure(group, "the merge with the same values, raw", took["engine"], "ms")
    yield Figure(
        group, "landing without validation, against that",
        (took["landing"] - took["validation"]) / took["engine"], "times",
    )  # fmt: skip


LOOKS = 7  # at a merge that nobody has looked at

#: So that nobody has looked at the merge as it is then.
_MOVE = """
from versioning import on_branch
from polls.models import Choice
with on_branch(message="Meanwhile"):
    choice = Choice.objects.first()
    choice.votes += 1
    choice.save()
"""

_MERGE = """
from tests.bench import reference
reference.merging("polls_question", "text")
"""

_LAND = """
from tests.bench import merging
merging.land()
"""


def _merging(count: int) -> dict[str, float]:
    with _site(f"conflicts({count})") as site:
        person = _person(site)
        url = f"/merge/?source={quote('summer')}&target=main"
        looks = []
        for _ in range(LOOKS):
            looks.append(timed(_getting(person, url)))
            site.run(_MOVE)
        found = {"first page, nobody looked yet": median(looks)}
        found["first page"] = median(times(_getting(person, url), COUNT))
        page = person.get(url)
        fields = _card_fields(page)
        choices = iter(("ours", "theirs") * COUNT)

        def choose() -> None:
            person.post(
                "/merge/decide/",
                {**fields, "take:text": next(choices)},
                form=page,
                part=True,
            )

        found["one choice"] = median(times(choose, COUNT))
        rest = {**hidden_fields(page, "/merge/decide/"), "take": "theirs"}
        found["bulk"] = timed(lambda: person.post("/merge/decide/", rest, form=page))
        keys = f"range(50_000, {50_000 + count})"
        site.stop()
        found["engine"] = median(json.loads(site.run(_MERGE)))
        landings = json.loads(site.run(_LAND))
        for name in ("landing", "validation"):
            found[name] = median([landing[name] for landing in landings])
        raw = json.loads(
            site.run(f"from tests.bench import reference; reference.updates({keys})")
        )
        found["raw"] = median(raw)
        return found


def _card_fields(page: str) -> dict[str, str]:
    """The hidden fields of the first card, without what was shown of decisions."""
    fields = hidden_fields(page, "/merge/decide/", after="conflict-card")
    return {name: value for name, value in fields.items() if ":" not in name}


ALL: dict[str, Callable[[], Iterator[Figure]]] = {
    "tables": tables,
    "history": history,
    "branches": many_branches,
    "votes": votes,
    "conflicts": conflicts,
    "export": export,
}

"""What is measured: each a site of its own, seeded, asked over HTTP."""

import json
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import NamedTuple

from tests.bench.figures import Figure, in_turns, median, percentile, timed
from tests.bench.person import Person, hidden_fields
from tests.engines import ENGINE
from tests.site import ROOT, Site

COUNT = 25  # requests of each page
CHANGED = 100  # rows on the branch
LOOKS = 8  # at a merge that nobody has looked at


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

PAGES = {
    "compare": "/compare/?from=main&to=bench&dots=3",
    "commit": "/commits/{head}/",
    "branches": "/branches/",
    "log": "/log/?branch=main",
}


class Taken(NamedTuple):
    """Milliseconds that a page took, and the engine for the same."""

    page: Sequence[float]
    engine: Sequence[float]
    whole: Sequence[float] = ()  # with what comes after the page by itself
    merging: Sequence[float] = ()  # of that, the engine's own merge


def tables(small: int = 1_000, large: int = 1_000_000) -> Iterator[Figure]:
    """The same pages over a small table and a large one, beside the engine."""
    for name, (least, most) in _pages(small, large).items():
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


def _pages(*sizes: int) -> dict[str, list[Taken]]:
    """What each page takes of tables of these sizes, in turns."""
    with ExitStack() as stack:
        sites = [
            stack.enter_context(_site(f"polls({rows})", f"branch('bench', {CHANGED})"))
            for rows in sizes
        ]
        people = [_person(site) for site in sites]
        heads = [(_head(site, "main"), _head(site, "bench")) for site in sites]
        found = {
            name: in_turns(
                [
                    _getting(person, url.format(head=theirs))
                    for person, (_, theirs) in zip(people, heads, strict=True)
                ],
                COUNT,
            )
            for name, url in PAGES.items()
        }
        looks = [[_first_merge(person) for person in people] for _ in range(LOOKS)]
        found["vote"] = in_turns([_voting(person) for person in people], COUNT)
        engines = [
            _reference(site, *both) for site, both in zip(sites, heads, strict=True)
        ]
    taken = {
        name: [
            Taken(took, engine[name])
            for took, engine in zip(of_page, engines, strict=True)
        ]
        for name, of_page in found.items()
    }
    taken["merge"] = [
        Taken(page, engine["merge"], whole, merging)
        for (page, whole, merging), engine in zip(
            (zip(*of_site, strict=True) for of_site in zip(*looks, strict=True)),
            engines,
            strict=True,
        )
    ]
    return taken


def _getting(person: Person, url: str, *, part: bool = False) -> Callable[[], object]:
    return lambda: person.get(url, part=part)


def _voting(person: Person) -> Callable[[], object]:
    """Votes that are cast and answered; their forms are fetched beforehand."""
    forms = iter([_vote_form(person) for _ in range(2 * COUNT)])

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
        one, far = in_turns([_getting(person, first), _getting(person, url)], COUNT)
        moved = [_after_a_vote(person, first) for _ in range(LOOKS)]
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
    with ExitStack() as stack:
        looks = []
        for count in (few, many):
            site = stack.enter_context(_site("polls(10000)", f"branches({count})"))
            looks.append(_getting(_person(site), "/branches/"))
        _, first = (timed(look) for look in looks)
        least, most = (median(took) for took in in_turns(looks, COUNT))
    group = "branches"
    yield Figure(group, f"{few} branches", least, "ms")
    yield Figure(group, f"{many} branches", most, "ms")
    yield Figure(group, f"{many} branches, the first time", first, "ms")
    yield Figure(group, f"{many} against {few}", most / least, "times", at_most=3)


# Votes ------------------------------------------------------------------------------

_ENGINE_CLIENT = (
    "import django; django.setup(); from tests.bench import reference; "
    "reference.votes({seconds}, {client})"
)
ROUNDS = 3  # of people, then of the engine alone
FORMS = 50  # that each person opens before a round


def votes(clients: int = 4, seconds: float = 4.0) -> Iterator[Figure]:
    """People who press Vote at once; their forms are open already."""
    with _site("polls(1000)") as site:
        people = [_person(site) for _ in range(clients)]
        whole, count, took = 0.0, 0, list[float]()
        for _ in range(ROUNDS):
            spent, cast = _vote_at_once(people)
            whole += spent
            took += cast
            count += sum(len(held) for held in _engine_votes(site, clients, seconds))
        group = f"votes of {clients} people at once"
        rate, engines_rate = len(took) / whole, count / (ROUNDS * seconds)
        yield Figure(group, "votes", rate, "a second", at_least=100)
        yield Figure(group, "one vote", median(took), "ms")
        yield Figure(group, "the engine's own", engines_rate, "a second")
        yield Figure(
            group, "share of a third of the engine's", 3 * rate / engines_rate, "times",
            at_least=1 if ENGINE == "dolt" else None,
        )  # fmt: skip
        site.stop()
        ours, alone = json.loads(
            site.run("from tests.bench import voting; voting.held()")
        )
        group = "a vote alone"
        yield Figure(group, "holds the lock", median(ours), "ms")
        yield Figure(group, "the engine holds it", median(alone), "ms")
        yield Figure(
            group, "against the engine", median(ours) / median(alone), "times",
            at_most=2,
        )  # fmt: skip


def _vote_at_once(people: Sequence[Person]) -> tuple[float, list[float]]:
    """How many seconds all take together, and milliseconds each vote took."""
    everybody = threading.Barrier(len(people) + 1)

    def vote(number: int) -> list[float]:
        person, poll = people[number], 1000 + number
        path, choice = f"/polls/{poll}/vote/", str(1000 + number * 10)
        forms = [person.get(f"/polls/{poll}/") for _ in range(FORMS)]
        everybody.wait()
        return [
            timed(
                partial(
                    person.post,
                    path,
                    {**hidden_fields(form, path), "choice": choice},
                    form=form,
                )
            )
            for form in forms
        ]

    with ThreadPoolExecutor(len(people)) as pool:
        voting = [pool.submit(vote, number) for number in range(len(people))]
        everybody.wait()
        start = time.perf_counter()
        took = [each for voted in voting for each in voted.result()]
        return time.perf_counter() - start, took


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


MERGE = "/merge/?source=summer&target=main"

#: So that nobody has looked at the merge as it is then.
_MOVE = """
from versioning import on_branch
from polls.models import Choice
with on_branch(message="Meanwhile"):
    choice = Choice.objects.first()
    choice.votes += 1
    choice.save()
"""


def conflicts(few: int = 10, page: int = 50, many: int = 1000) -> Iterator[Figure]:
    counts = (few, page, many)
    with ExitStack() as stack:
        sites = [stack.enter_context(_site(f"conflicts({count})")) for count in counts]
        people = [_person(site) for site in sites]
        pages = [_getting(person, MERGE) for person in people]
        looks = []
        for _ in range(LOOKS):
            looks.append([timed(look) for look in pages])
            for site in sites:
                site.run(_MOVE)
        found: dict[str, Sequence[Sequence[float]]] = {
            "first page, nobody looked yet": list(zip(*looks, strict=True)),
            "first page": in_turns(pages, COUNT),
            "one choice": in_turns([_choosing(person) for person in people], COUNT),
        }
        group = f"merge with {many:,} conflicts"
        for name, took in found.items():
            *others, most = (median(of_site) for of_site in took)
            yield Figure(group, name, most, "ms")
            for count, other in zip((few, page), others, strict=True):
                yield Figure(
                    group, f"{name}, against {count} conflicts", most / other, "times",
                    at_most=1.5,
                )  # fmt: skip
        yield Figure(group, "all at once", timed(_deciding_all(people[-1])), "ms")
        for site in sites:
            site.stop()
        keys = f"range(50_000, {50_000 + many})"
        landings = json.loads(
            sites[-1].run(f"from tests.bench import merging; merging.land({keys})")
        )
    landing, validation, raw, engine = (
        median(took) for took in zip(*landings, strict=True)
    )
    yield Figure(group, "landing", landing, "ms")
    yield Figure(group, "of that, validation", validation, "ms")
    yield Figure(group, "the same updates, raw", raw, "ms")
    yield Figure(
        group, "landing without validation, against raw",
        (landing - validation) / raw, "times", at_most=3,
    )  # fmt: skip
    yield Figure(group, "the merge with the same values, raw", engine, "ms")
    yield Figure(
        group, "landing without validation, against that",
        (landing - validation) / engine, "times",
    )  # fmt: skip


def _choosing(person: Person) -> Callable[[], object]:
    """Choices about the first row of a merge, another one each time."""
    page = person.get(MERGE)
    fields = _card_fields(page)
    choices = cycle(("ours", "theirs"))

    def choose() -> None:
        chosen = {**fields, "take:text": next(choices)}
        person.post("/merge/decide/", chosen, form=page, part=True)

    return choose


def _deciding_all(person: Person) -> Callable[[], object]:
    page = person.get(MERGE)
    rest = {**hidden_fields(page, "/merge/decide/"), "take": "theirs"}
    return lambda: person.post("/merge/decide/", rest, form=page)


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

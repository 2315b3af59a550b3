"""
Every address of the site, for tests that leave none out.

``PATHS`` is written by hand, one path for each name in the URL configuration;
``names()`` asks the configuration itself.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.test import Client
from django.urls import URLResolver, get_resolver

MAIN = "main"

#: A path by the name of its URL; in braces, what ``Things`` holds.
PATHS = {
    "polls:index": "/",
    "polls:create": "/polls/new/",
    "polls:choice-row": "/polls/choice-row/?choices-TOTAL_FORMS=3",
    "polls:detail": "/polls/{question}/",
    "polls:vote": "/polls/{question}/vote/",
    "polls:results": "/polls/{question}/results/?receipt={token}",
    "polls:edit": "/polls/{question}/edit/",
    "polls:delete": "/polls/{question}/delete/",
    "versioning:branches": "/branches/",
    "versioning:branch-create": "/branches/new/",
    "versioning:branch-switch": "/branches/switch/",
    "versioning:branch-rename": "/branches/rename/?name={branch}",
    "versioning:branch-delete": "/branches/delete/?name={branch}",
    "versioning:branch-restore": "/branches/restore/",
    "versioning:branch-migrate": "/branches/migrate/",
    "versioning:branch-working": "/branches/working/?name={branch}",
    "versioning:branch-working-rows": (
        "/branches/working/rows/?name={dirty}&table=polls_choice"
    ),
    "versioning:branch-working-commit": "/branches/working/commit/",
    "versioning:branch-working-discard": "/branches/working/discard/",
    "versioning:live": "/live/?branch=main&head={commit}",
    "versioning:log": "/log/",
    "versioning:commit": "/commits/{commit}/",
    "versioning:tags": "/tags/",
    "versioning:tag-create": "/tags/new/?at={commit}",
    "versioning:tag-delete": "/tags/delete/?name={tag}",
    "versioning:search": "/search/?q=which&ref={branch}",
    "versioning:compare": "/compare/?from=main&to={branch}&dots=3",
    "versioning:compare-table": (
        "/compare/rows/?from=main&to={branch}&dots=2&table=polls_choice"
    ),
    "versioning:row-history": "/rows/history/?table=polls_question&key=[{question}]",
    "versioning:compare-export": (
        "/compare/export/?from=main&to={branch}&format=csv&table=polls_choice"
    ),
    "versioning:compare-value": (
        "/compare/value/?from=main&to={branch}&dots=2&table=polls_question"
        "&column=text&key=[{question}]"
    ),
    "versioning:merges": "/merges/",
    "versioning:merge-record": "/merges/{record}/",
    "versioning:decided-value": "/merges/{record}/values/{decision}/",
    "versioning:merge": "/merge/?source={branch}&target=main",
    "versioning:merge-rows": (
        "/merge/rows/?source={branch}&target=main&table=polls_choice"
    ),
    "versioning:merge-value": (
        "/merge/value/?source={branch}&target=main&base={base}&ours={commit}"
        "&theirs={head}&table=polls_question&column=text&key=[{question}]"
    ),
    "versioning:merge-decide": "/merge/decide/",
    "versioning:merge-land": "/merge/land/",
    "versioning:merge-abandon": "/merges/{record}/set-aside/",
    "versioning:merge-mend": "/merge/mend/",
    "versioning:receipt": "/receipts/{token}/",
    "versioning:unsent": "/unsent/",
    "versioning:how": "/how-this-works/",
    "login": "/accounts/login/",
    "logout": "/accounts/logout/",
    "password_change": "/accounts/password/",
    "password_change_done": "/accounts/password/done/",
    "healthz": "/healthz",
}

#: What a form is sent to, and GET is not for.
POST_ONLY = frozenset(
    {
        "polls:vote",
        "versioning:branch-switch",
        "versioning:branch-restore",
        "versioning:merge-decide",
        "versioning:merge-land",
        "versioning:merge-mend",
        "versioning:branch-migrate",
        "versioning:branch-working-commit",
        "versioning:branch-working-discard",
        "logout",
    }
)

#: Answers that are no pages: a piece of a form, a file, a line for a probe.
PARTS = frozenset(
    {"polls:choice-row", "versioning:compare-export", "versioning:live", "healthz"}
)


@dataclass(frozen=True)
class Things:
    """What the paths lead to, in one database."""

    question: int  # with votes, on the default branch
    commit: str  # that of a vote for it
    token: str  # that of the form which it came by
    branch: str  # where the question is worded anew, and so it is on main
    head: str  # that branch's, a hash
    base: str  # where it parted from main, a hash
    tag: str  # at the default branch's head
    record: str  # id of the draft of merging that branch, with a decision
    decision: int  # its number
    dirty: str  # a branch with a choice's votes that nobody committed

    def path(self, name: str) -> str:
        return PATHS[name].format_map(vars(self))


def names() -> list[str]:
    """The names of all URLs, with their namespaces."""
    return sorted(_names(get_resolver(), ""))


def make_things(*, are_long: bool = False) -> Things:
    """
    Write what the paths lead to: a question, a vote for it that came through
    the site, a branch that merges with main in parts by itself. If they
    ``are_long``, names and texts are as long as may be, in one word.
    """
    from polls.models import Question
    from versioning import branches, on_branch, tags
    from versioning.conf import repository
    from versioning.unit_of_work import OUTSIDE

    name = uuid.uuid4().hex[:6]

    def named(text: str) -> str:
        return f"{text}{name}".ljust(63, "w") if are_long else f"{text}-{name}"

    def worded(text: str) -> str:
        return text.replace(" ", "").ljust(200, "w") if are_long else text

    with on_branch(message="Ask"):
        question = Question.objects.create(text=worded(f"Which one, {name}?"))
        for text in ("The first", "The second", "The third"):
            question.choices.create(text=worded(text))
    branch = named("things")
    base = repository().head(MAIN)
    branches.create(repository(), branch, at=base)
    _word(branch, question, worded(f"Which one shall it be, {name}?"), "A third one")
    _word(MAIN, question, worded(f"Which one is it, {name}?"))
    token = str(uuid.uuid4())
    choice = question.choices.all()[0].pk
    answer = Client(SERVER_NAME="localhost").post(
        f"/polls/{question.pk}/vote/", {"choice": choice, "versioning_token": token}
    )
    assert answer.status_code == 303, answer.content.decode()
    tag = named("shown")
    tags.create(repository(), tag, at=MAIN, message="As shown.", author=OUTSIDE)
    record, decision = _decide(branch)
    dirty = _leave_uncommitted(named("dirty"), worded("The first"))
    here, there = repository().head(MAIN), repository().head(branch)
    return Things(
        question=question.pk,
        commit=here,
        token=token,
        branch=branch,
        head=there,
        base=base,
        tag=tag,
        record=record,
        decision=decision,
        dirty=dirty,
    )


def _leave_uncommitted(branch: str, choice: str) -> str:
    """Write votes to a new branch as a client does that knows nothing of commits."""
    from polls.models import Choice
    from versioning import branches
    from versioning.conf import connection, repository

    branches.create(repository(), branch, at=repository().head(MAIN))
    with connection().bound(branch), connection().writing():
        Choice.objects.filter(text=choice).update(votes=77)
    return branch


def _decide(source: str) -> tuple[str, int]:
    from versioning.conf import repository
    from versioning.merging import bulk, drafts, preview
    from versioning.merging.resolution import Take

    heads = repository().head(MAIN), repository().head(source)
    sides = preview.sides_of(repository(), *heads)
    assert sides is not None
    draft = drafts.begin(source, MAIN, sides, None)
    bulk.decide_rest(draft, sides, Take.OURS, None)
    return str(draft.pk), draft.decisions.get().pk


def _word(branch: str, question: Any, text: str, third: str = "") -> None:
    from polls.models import Question
    from versioning import on_branch

    with on_branch(branch, message=f"Word it for {branch}"):
        Question.objects.filter(pk=question.pk).update(text=text)
        if third:
            question.choices.filter(text__contains="third").update(text=third)


def _names(resolver: Any, namespace: str) -> Iterator[str]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            inner = pattern.namespace
            if inner == "admin":  # Django’s own pages; see tests/web/test_admin.py
                continue
            yield from _names(pattern, f"{namespace}{inner}:" if inner else namespace)
        else:
            yield f"{namespace}{pattern.name}"

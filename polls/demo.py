"""
The story that a newcomer finds: a town asks about its summer festival.

Max keeps the polls; Erin prepares changes on branches. ``food-stalls`` and
``flea-market`` merge into the default branch by themselves, votes on both
sides included. ``fireworks`` does not: a question was worded anew on both
sides, a count went up on both, and one choice was deleted here and voted for
there.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import F
from django.utils import timezone

from polls.models import Choice, Question
from versioning import branches, describe, on_branch
from versioning.conf import repository


@dataclass(frozen=True)
class Poll:
    text: str
    votes: dict[str, int]  # by choice, in the order that voters see
    details: str = ""


#: Newest first, as the list shows them.
POLLS = (
    Poll(
        "Which band should open the festival?",
        {
            "The Tin Whistlers": 41,
            "Brass on Wheels": 37,
            "Marta and the Moths": 22,
            "The school choir": 9,
        },
        "Each of them has said yes to Friday at six. One can open; all may play.",
    ),
    Poll(
        "When should the fireworks start?",
        {"At 22:00": 63, "At 22:30": 48, "At 23:00": 17},
        "They last twelve minutes. The buses wait for the last of them.",
    ),
    Poll(
        "Which dish is missing from the food stalls?",
        {
            "Dumplings": 27,
            "Grilled cheese": 24,
            "Lentil curry": 18,
            "Fish rolls": 15,
            "Potato pancakes": 33,
        },
        "Sausages, ice cream and flatbread are settled.",
    ),
    Poll(
        "When should the flea market be?",
        {
            "Saturday morning": 38,
            "Saturday afternoon": 11,
            "Sunday morning": 35,
        },
        "It needs the whole of Mill Lane, so that only one of them will do.",
    ),
    Poll(
        "Where should the children’s tent stand?",
        {"By the river": 34, "Behind the library": 29, "On the school lawn": 12},
        "It is open from ten to five, with shade and a tap nearby.",
    ),
    Poll(
        "Which film should the open-air night show?",
        {
            "The Kid": 14,
            "Some Like It Hot": 31,
            "My Neighbour Totoro": 46,
            "Local Hero": 19,
        },
        "It begins at dusk on Thursday. Bring a blanket.",
    ),
    Poll(
        "What should the old mill be used for?",
        {
            "A second stage": 21,
            "Workshops": 26,
            "An exhibition about the town": 25,
            "Leave it in peace": 8,
        },
    ),
    Poll(
        "What should a drink’s deposit be?",
        {"Nothing": 12, "One euro": 44, "Two euros": 30},
        "Last year four hundred cups went home with somebody.",
    ),
    Poll(
        "Should dogs be welcome on the green?",
        {"Yes": 29, "On a lead": 58, "Not during the concerts": 33, "No": 11},
    ),
    Poll(
        "How long should the music play on Saturday?",
        {"Until 23:00": 40, "Until midnight": 43, "Until one": 16},
        "The town hall allows any of these, once a year.",
    ),
    Poll(
        "What colour should this year’s poster be?",
        {"Poppy red": 18, "Moss green": 24, "Sky blue": 24, "Sunflower yellow": 20},
    ),
    Poll(
        "How will you come?",
        {"On foot": 71, "By bicycle": 52, "By bus": 23, "By car": 14},
        "So that we know how many racks, buses and meadows it takes.",
    ),
)

FIREWORKS = "When should the fireworks start?"
FLEA_MARKET = "When should the flea market be?"
FOOD = "Which dish is missing from the food stalls?"


def tell(erin: Any, max_: Any) -> None:
    """
    Write the story into an empty versioned database, commit by commit.

    ``erin`` and ``max_`` are users, the authors of what is not a vote.
    """
    _open_polls(max_)
    start = repository().head(repository().default_branch())
    for name in ("food-stalls", "fireworks", "flea-market"):
        branches.create(repository(), name, at=start)
    _prepare_food_stalls(erin)
    _prepare_fireworks(erin)
    _prepare_flea_market(max_)
    _go_on(max_)


def _open_polls(author: Any) -> None:
    now = timezone.now()
    with on_branch(author=author, message="Open twelve polls about the festival"):
        # Oldest first, so that ids grow with time.
        for days, poll in reversed(list(enumerate(POLLS))):
            _open(poll, published=now - timedelta(days=days, hours=2))
    with on_branch(author=author, message="Add the votes from the slips of paper"):
        for poll in POLLS:
            for text, votes in poll.votes.items():
                _choice(poll.text, text).update(votes=votes)


def _open(poll: Poll, *, published: Any) -> None:
    question = Question.objects.create(
        text=poll.text, details=poll.details, published=published
    )
    for text in poll.votes:
        question.choices.create(text=text)


def _prepare_food_stalls(author: Any) -> None:
    breakfast = Poll(
        "What should the Sunday breakfast cost?",
        {"What people give": 0, "Five euros": 0, "Eight euros, with cake": 0},
        "Two hundred people came last year, and the bread was gone by nine.",
    )
    with on_branch("food-stalls", author=author, message="Ask about the breakfast"):
        _open(breakfast, published=timezone.now())
    with on_branch("food-stalls", author=author, message="Say where the stalls are"):
        _question(FOOD).update(
            details="Sausages, ice cream and flatbread are settled. All stalls "
            "stand along the river this year."
        )


def _prepare_fireworks(author: Any) -> None:
    branch = "fireworks"
    with on_branch(branch, author=author, message="Word it for families"):
        _question(FIREWORKS).update(
            text="When should the fireworks start, so that children can watch?"
        )
    with on_branch(branch, author=author, message="Drop 23:00, which is too late"):
        _choice_of_fireworks("At 23:00").delete()
    for _ in range(2):
        _vote(branch, _choice_of_fireworks("At 22:30"))


def _prepare_flea_market(author: Any) -> None:
    branch = "flea-market"
    with on_branch(branch, author=author, message="Say until when to sign up"):
        _question(FLEA_MARKET).update(
            details="It needs the whole of Mill Lane, so that only one of them will "
            "do. Sign up for a table until the first of June."
        )
    _vote(branch, _choice(FLEA_MARKET, "Sunday morning"))


def _go_on(author: Any) -> None:
    """What happens on the default branch meanwhile."""
    _vote(None, _choice(FIREWORKS, "At 22:30"))
    _vote(None, _choice(POLLS[0].text, "Brass on Wheels"))
    with on_branch(author=author, message="Say which evening the fireworks are on"):
        _question(FIREWORKS).update(text="When should Saturday’s fireworks start?")
    for text in ("At 22:30", "At 23:00", "At 22:30"):
        _vote(None, _choice_of_fireworks(text))
    for _ in range(2):
        _vote(None, _choice(FLEA_MARKET, "Sunday morning"))


def _vote(branch: str | None, choice: Any) -> None:
    with on_branch(branch):
        voted = choice.select_related("question").get()
        describe(
            f"Vote for “{voted}” in “{voted.question}”",
            kind="vote",
            about=str(voted.question),
        )
        choice.update(votes=F("votes") + 1)


def _question(text: str) -> Any:
    return Question.objects.filter(text=text)


def _choice(question: str, text: str) -> Any:
    return Choice.objects.filter(question__text=question, text=text)


def _choice_of_fireworks(text: str) -> Any:
    """By the choice alone: the question is worded differently by then."""
    return Choice.objects.filter(question__text__contains="fireworks", text=text)

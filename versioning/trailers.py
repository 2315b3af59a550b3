"""Lines "Name: value" at the end of a commit's message that Pollard reads again."""

import re

from versioning.kinds import ABOUT, KIND

MERGE_RECORD = "Merge-Record"  # the id of the draft that became this merge
PICKED_FROM = "Picked-From"  # the commit that this one was taken from
MADE_BY = "Made-By"  # who made that one, be it by another that was taken over
REVERTS = "Reverts"  # the commit that this one undoes
FORM_TOKEN = "Form-Token"  # a form's, which counts once
COMMITTED_BY = "Committed-By"  # who committed rows that somebody else had left
UNIT = "Unit"  # tells apart what would be one commit

_OURS = frozenset(
    {
        MERGE_RECORD,
        PICKED_FROM,
        MADE_BY,
        REVERTS,
        FORM_TOKEN,
        COMMITTED_BY,
        UNIT,
        KIND,
        ABOUT,
    }
)

#: What they say is nothing that people look for.
OF_MACHINES = frozenset({MERGE_RECORD, FORM_TOKEN, UNIT, KIND})

_LINE_END = re.compile(r"\r\n?")
#: Signs that no engine takes in a message, or that some readers end a line at.
_NOT_IN_A_MESSAGE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")


def as_text(message: str) -> str:
    """
    A message as a commit can hold it: it may quote what somebody typed. Lines
    end as on Unix, and none is read as one of ours; other control characters
    become spaces.
    """
    cleaned = _NOT_IN_A_MESSAGE.sub(" ", _LINE_END.sub("\n", message))
    subject, *body = cleaned.strip().split("\n")
    return "\n".join([subject, *map(_as_text, body)])


def one_line(text: str) -> str:
    """The same as a subject, or as what a trailer says: in a single line."""
    return " ".join(as_text(text).split())


def without_machines(message: str) -> str:
    """A commit's message without the lines that are for machines alone."""
    subject, *body = message.split("\n")
    kept = [line for line in body if line.partition(": ")[0] not in OF_MACHINES]
    return "\n".join([subject, *kept])


def _as_text(line: str) -> str:
    return f" {line}" if line.partition(":")[0] in _OURS else line

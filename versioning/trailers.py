"""Lines "Name: value" at the end of a commit's message that Pollard reads again."""

MERGE_RECORD = "Merge-Record"  # the id of the draft that became this merge
PICKED_FROM = "Picked-From"  # the commit that this one was taken from
REVERTS = "Reverts"  # the commit that this one undoes
FORM_TOKEN = "Form-Token"  # a form's, which counts once
COMMITTED_BY = "Committed-By"  # who committed rows that somebody else had left
UNIT = "Unit"  # tells apart what would be one commit

_OURS = frozenset({MERGE_RECORD, PICKED_FROM, REVERTS, FORM_TOKEN, COMMITTED_BY, UNIT})


def as_text(message: str) -> str:
    """
    A message none of whose lines is read as one of ours: it may quote what
    somebody typed.
    """
    subject, *body = message.split("\n")
    return "\n".join([subject, *map(_as_text, body)])


def _as_text(line: str) -> str:
    return f" {line}" if line.partition(":")[0] in _OURS else line

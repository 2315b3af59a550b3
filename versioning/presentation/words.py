"""Which words of a text changed, and which of its blanks must be made visible."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

_TOKENS = re.compile(r"\w+|[^\S\n]+|\n|[^\w\s]")
#: Above this product of token counts the middle counts as changed as a whole.
_LARGE = 400_000
#: Texts that share less than this are marked whole: confetti helps nobody.
_ALIKE = 0.3

_BLANKS = {" ": "·", "\t": "⇥", "\n": "↵", "\r": "␍", "\u00a0": "⍽"}


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of text; ``blank`` ones are white space made visible."""

    text: str
    changed: bool = False
    blank: bool = False


def mark(
    before: str, after: str, *, outer: bool = True
) -> tuple[tuple[Segment, ...], tuple[Segment, ...]]:
    """
    Both texts cut where they differ, by whole words. ``outer`` tells whether
    blanks before the first word are to be seen; changed ones always are, and
    those behind the last.
    """
    old, new = _TOKENS.findall(before), _TOKENS.findall(after)
    head = common_start(old, new)
    tail = common_start(old[head:][::-1], new[head:][::-1])
    middle_old, middle_new = old[head : len(old) - tail], new[head : len(new) - tail]
    changes_old, changes_new = _changed(middle_old, middle_new)
    return (
        _segments(old, [False] * head + changes_old + [False] * tail, outer),
        _segments(new, [False] * head + changes_new + [False] * tail, outer),
    )


def plain(text: str, *, outer: bool = True) -> tuple[Segment, ...]:
    """A text with nothing to compare it to; its outer blanks are made visible."""
    if text and text == text.strip():  # as nearly all are
        return (Segment(text),)
    return _segments([text], [False], outer) if text else ()


def common_start(one: Sequence[str], other: Sequence[str]) -> int:
    """How many tokens, or lines, both begin with."""
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        count += 1
    return count


def _changed(old: list[str], new: list[str]) -> tuple[list[bool], list[bool]]:
    """For each token of either side, whether the other side lacks it."""
    all_old, all_new = [True] * len(old), [True] * len(new)
    if not old or not new or len(old) * len(new) > _LARGE:
        return all_old, all_new
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    if matcher.ratio() < _ALIKE:
        return all_old, all_new
    for block in matcher.get_matching_blocks():
        # A lone blank between changed words would only break up the marking.
        if "".join(old[block.a : block.a + block.size]).strip():
            all_old[block.a : block.a + block.size] = [False] * block.size
            all_new[block.b : block.b + block.size] = [False] * block.size
    return all_old, all_new


def _segments(
    tokens: Sequence[str], changed: Sequence[bool], outer: bool = True
) -> tuple[Segment, ...]:
    """Neighbours of one kind joined; blanks shown where they would be lost."""
    runs: list[tuple[str, bool]] = []
    for token, is_changed in zip(tokens, changed, strict=True):
        if runs and runs[-1][1] == is_changed:
            runs[-1] = (runs[-1][0] + token, is_changed)
        else:
            runs.append((token, is_changed))
    segments: list[Segment] = []
    for number, (text, is_changed) in enumerate(runs):
        first, last = outer and number == 0, number == len(runs) - 1
        segments += _with_blanks(text, is_changed, first, last)
    return tuple(segments)


def _with_blanks(
    text: str, changed: bool, first: bool, last: bool
) -> Iterator[Segment]:
    if not text.strip():
        if changed or first or last:
            yield Segment(visible(text), changed, blank=True)
        else:
            yield Segment(text)
        return
    leading = text[: len(text) - len(text.lstrip())] if first else ""
    trailing = text[len(text.rstrip()) :] if last else ""
    if leading:
        yield Segment(visible(leading), changed, blank=True)
    yield Segment(text[len(leading) : len(text) - len(trailing)], changed)
    if trailing:
        yield Segment(visible(trailing), changed, blank=True)


def visible(blanks: str) -> str:
    """White space as signs that can be seen and counted."""
    return "".join(_BLANKS.get(character, "□") for character in blanks)

"""``{% load versioning_history %}``: times, cells and the history's drawing."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Any

from django import template
from django.urls import reverse
from django.utils import formats, translation
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.timesince import timesince

from versioning import addresses
from versioning.graph import GraphRow
from versioning.merging.screen import Screen
from versioning.models import Decision
from versioning.moments import aware, local
from versioning.presentation.cells import Kind, Shown
from versioning.presentation.conflicts import Card
from versioning.presentation.lines import LineKind, TextLine
from versioning.presentation.words import Segment

register = template.Library()

# In pixels. The node stands beside the first line of a commit's text.
LANE = 16
NODE = 23
BEND = 46  # where a line that changes its lane has arrived
FAR = 4000  # beyond the end of any row, which cuts the lines off
COLOURS = 6  # --lane-0 … --lane-5
_RECENT = dt.timedelta(days=30)


@register.simple_tag
def moment(when: dt.datetime) -> SafeString:
    """A time as people say it, with the exact time on hover; in English, as is all."""
    here = local(aware(when))
    age = dt.datetime.now(dt.UTC) - here
    with translation.override("en"):
        if abs(age) < dt.timedelta(minutes=1):
            said = "just now"
        elif dt.timedelta() < age < _RECENT:
            said = f"{timesince(when, depth=1)} ago"
        else:
            said = formats.date_format(here, "j M Y")
        exact = formats.date_format(here, "l, j F Y, H:i:s") + f" {here.tzname()}"
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', here.isoformat(), exact, said
    )


# Cells ------------------------------------------------------------------------
#
# Written here, not in a template: a cell keeps its white space, so a template's
# own line breaks would show.


@register.simple_tag
def cell(shown: Shown | None, side: str = "", url: str = "") -> SafeString:
    """
    A value. ``side`` is "old" or "new" where its changed words are to be
    marked, "either" where neither side came first, "found" where those are what
    was looked for; None is a cell that is not there. ``url`` is a page with the
    whole of a value that is too long for this one.
    """
    if shown is None:
        return format_html('<span class="visually-hidden">{}</span>', "nothing")
    match shown.kind:
        case Kind.NULL | Kind.HIDDEN:
            return format_html(
                '<span class="null" title="{}">{}</span>', shown.raw, shown.text
            )
        case Kind.EMPTY:
            return format_html('<span class="blank">{}</span>', shown.text)
        case Kind.BLANK:
            return format_html(
                '<span class="visually-hidden">{0}</span>'
                '<span class="space" title="{0}" aria-hidden="true">{1}</span>',
                shown.raw,
                shown.text,
            )
    if shown.datetime:
        return format_html(
            '<time datetime="{}" title="{}">{}</time>',
            shown.datetime,
            shown.raw,
            shown.text,
        )
    if shown.is_cut:
        count = f"{len(shown.text):,} characters"
        link = format_html(' <a href="{}">Show all</a>', url) if url else ""
        return format_html(
            '{} <span class="soft">{}</span>{}', shown.opening, count, link
        )
    if shown.kind is Kind.BYTES:
        return format_html('{} <span class="soft">({})</span>', shown.text, shown.raw)
    if shown.long:
        return format_html(
            '<details class="fold"><summary>{}</summary>{}</details>',
            shown.opening,
            marked(shown, side),
        )
    if shown.raw:
        return format_html('<span title="{}">{}</span>', shown.raw, marked(shown, side))
    return marked(shown, side)


@register.simple_tag
def merge_cell(
    shown: Shown | None, screen: Screen, card: Card, column: str, side: str = ""
) -> Any:
    """
    A value on a card of a merge; one that is too long, with a page of its own.
    ``side`` as for ``cell``.
    """
    url = ""
    if shown is not None and shown.is_cut and screen.sides is not None:
        start = addresses.merged_value(screen.source, screen.target, screen.sides)
        url = addresses.of_cell(start, card.table, card.key, column)
    return cell(shown, side, url)


@register.simple_tag
def decided_cell(shown: Shown | None, decision: Decision, column: str = "") -> Any:
    """
    A value that a decision was made on, or that it takes; ``column`` is for one
    about a row as a whole.
    """
    url = ""
    if shown is not None and shown.is_cut and (column or decision.column):
        url = reverse("versioning:decided-value", args=[decision.draft_id, decision.pk])
        if not decision.column:
            url += f"?{urlencode({'column': column})}"
    return cell(shown, "", url)


@register.simple_tag
def marked(shown: Shown, side: str = "") -> SafeString:
    """The text of a value, its changed words and lost blanks marked."""
    if not shown.segments:
        return SafeString(escape(shown.text))
    return _segments(shown.segments, side)


_SIGNS = {
    LineKind.REMOVED: ("−", "removed: ", "old"),
    LineKind.ADDED: ("+", "added: ", "new"),
    LineKind.SAME: ("", "", ""),
}


def text_lines(lines: Sequence[TextLine | None], url: str = "") -> SafeString:
    """
    Lines of a text, changed ones with their sign; gaps say how many lines. ``url``
    is a page with the whole of it.
    """
    return format_html(
        '<ul role="list" class="lines">{}</ul>',
        format_html_join("", "{}", ((_text_line(line, url),) for line in lines)),
    )


def _text_line(line: TextLine | None, url: str) -> SafeString:
    if line is None:
        return SafeString('<li class="lines__none" aria-hidden="true"></li>')
    if line.kind is LineKind.GAP:
        return format_html(
            '<li class="lines__gap">{} line{} not shown</li>',
            line.count,
            "" if line.count == 1 else "s",
        )
    if line.kind is LineKind.CUT:
        link = format_html(' <a href="{}">Show all</a>', url) if url else ""
        return format_html(
            '<li class="lines__gap">{} more line{}, changed ones among them, not '
            "shown{}</li>",
            line.count,
            "" if line.count == 1 else "s",
            link,
        )
    sign, words, side = _SIGNS[line.kind]
    return format_html(
        '<li class="lines__{}"><span class="lines__sign" aria-hidden="true">{}</span>'
        '<span class="visually-hidden">{}</span><span>{}</span></li>',
        line.kind,
        sign,
        words,
        _segments(line.segments, side),
    )


_MARKS = {"old": "del", "new": "ins", "either": "mark", "found": "mark"}


def _segments(segments: Sequence[Segment], side: str) -> SafeString:
    """By hand, as a page holds hundreds: ``format_html()`` takes ten times as long."""
    return SafeString("".join(_segment(segment, side) for segment in segments))


def _segment(segment: Segment, side: str) -> str:
    tag = _MARKS.get(side) if segment.changed else None
    text = escape(segment.text)
    if tag is None and not segment.blank:
        return text
    classes = ' class="space"' if segment.blank else ""
    return f"<{tag or 'span'}{classes}>{text}</{tag or 'span'}>"


# The drawing ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the drawing: an SVG path and the number of its colour."""

    path: str
    colour: int


@register.inclusion_tag("versioning/_graph.html")
def graph_row(row: GraphRow, lanes: int) -> dict[str, object]:
    """
    One commit's part of the drawing, ``lanes`` wide.

    Lines run beyond the row's lower edge and are cut off there, so that they
    meet the next row's however tall the text makes this one.
    """
    lines = [Line(f"M{_x(lane)} 0V{FAR}", lane % COLOURS) for lane in row.passing]
    if row.entered:
        lines.append(Line(f"M{_x(row.lane)} 0V{NODE}", row.lane % COLOURS))
    lines += [Line(_meet(lane, row.lane), lane % COLOURS) for lane in row.joining]
    for number, lane in enumerate(row.parents):
        # A line has its own colour to its end, as to its beginning.
        colour = lane if number else row.lane
        lines.append(Line(_bend(row.lane, lane), colour % COLOURS))
    return {
        "row": row,
        "lines": lines,
        "x": _x(row.lane),
        "y": NODE,
        "width": lanes * LANE,
        "height": BEND,
        "colour": row.lane % COLOURS,
        "run_x": _x(row.lane) - 5,
    }


@register.inclusion_tag("versioning/_graph.html")
def graph_run(row: GraphRow, lanes: int) -> dict[str, object]:
    """The drawing of a run's own line: its first commit's, with a long dot."""
    return {**graph_row(row, lanes), "is_run": True, "run_y": NODE - 8}


@register.inclusion_tag("versioning/_graph.html")
def graph_gap(row: GraphRow, lanes: int) -> dict[str, object]:
    """Lines that go on beside a text about commits that are not listed."""
    drawn = graph_row(replace(row, entered=True), lanes)
    return {**drawn, "is_gap": True}


def _x(lane: int) -> int:
    return lane * LANE + LANE // 2


def _bend(start: int, end: int) -> str:
    """From a node down to a lane's place and straight on."""
    if start == end:
        return f"M{_x(start)} {NODE}V{FAR}"
    return (
        f"M{_x(start)} {NODE}"
        f"C{_x(start)} {BEND - 4} {_x(end)} {NODE + 4} {_x(end)} {BEND}V{FAR}"
    )


def _meet(start: int, end: int) -> str:
    """From above, in a lane, to a node in another."""
    return f"M{_x(start)} 0C{_x(start)} {NODE - 4} {_x(end)} 4 {_x(end)} {NODE}"

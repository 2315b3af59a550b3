import pytest

from versioning.backends.errors import BadCursor
from versioning.history import Cursor, Message

ONE = "0123456789abcdefghijklmnopqrstuv"
TWO = "v" * 32


def test_a_message_of_one_line() -> None:
    assert Message.parse("Vote") == Message("Vote", "", ())


def test_trailers_are_told_from_the_body() -> None:
    message = Message.parse(
        "Vote for “The sky”\n\nFirst: not a trailer, as text follows.\nIndeed.\n\n"
        "Vote-Token: 1f0c\nSource: summer"
    )
    assert message.subject == "Vote for “The sky”"
    assert message.body == "First: not a trailer, as text follows.\nIndeed."
    assert message.trailers == (("Vote-Token", "1f0c"), ("Source", "summer"))


def test_trailers_without_a_body() -> None:
    message = Message.parse("Vote\n\nVote-Token: 1f0c\n")
    assert (message.body, message.trailers) == ("", (("Vote-Token", "1f0c"),))


def test_a_last_paragraph_of_prose_is_no_trailer() -> None:
    message = Message.parse("Vote\n\nVote-Token: 1f0c\nand more")
    assert message.body == "Vote-Token: 1f0c\nand more"
    assert message.trailers == ()


@pytest.mark.parametrize(
    "end", ["\x0b", "\x0c", "\x1c", "\x1e", "\x85", "\u2028", "\u2029"]
)
def test_what_else_may_end_a_line_ends_no_trailer(end: str) -> None:
    said = f"one{end}Reverts: {ONE}"
    assert Message.parse(f"Vote\n\nAbout: {said}").trailers == (("About", said),)


def test_a_line_that_a_blank_marks_as_text_is_no_trailer() -> None:
    message = Message.parse(f"Add a poll\n Reverts: {ONE}")
    assert (message.body, message.trailers) == (f"Reverts: {ONE}", ())


def test_an_empty_message_is_named() -> None:
    assert Message.parse(" \n").subject == "(no message)"


def test_a_cursor_keeps_its_gaps_and_lines_that_go_to_one_commit() -> None:
    cursor = Cursor((ONE, None, TWO, ONE))
    assert str(cursor) == f"{ONE},,{TWO},{ONE}"
    assert Cursor.parse(str(cursor)) == cursor
    further = Cursor((ONE, None, TWO), past=300)
    assert str(further) == f"{ONE},,{TWO}~300"
    assert Cursor.parse(str(further)) == further


@pytest.mark.parametrize(
    "text",
    [
        "",
        ",",
        "main",
        ONE[:-1],
        f"{ONE};{TWO}",
        f"{ONE},main",
        f"{ONE}~x",
        ",".join([""] * 65),
    ],
)
def test_a_damaged_cursor_is_refused(text: str) -> None:
    with pytest.raises(BadCursor):
        Cursor.parse(text)

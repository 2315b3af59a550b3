"""What somebody typed, as a commit's message can quote it."""

import pytest

from versioning import trailers
from versioning.history import Message


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("One line\r\nand another", "One line\nand another"),
        ("One line\rand another\r", "One line\nand another"),
        ("The\x0bsky", "The sky"),
        ("\0The\x01sky\x7f", "The sky"),
        ("The\u2028sky\u2029is\x85blue", "The sky is blue"),
        ("a\tb", "a\tb"),
        ("", ""),
    ],
)
def test_a_message_holds_no_control_character(typed: str, kept: str) -> None:
    assert trailers.as_text(typed) == kept
    assert trailers.one_line(typed) == " ".join(kept.split())


@pytest.mark.parametrize("name", ["Reverts", "Form-Token", "Unit", "Kind", "About"])
@pytest.mark.parametrize(
    "end", ["\n", "\n\n", "\r", "\r\n\r\n", "\n\nA: b\x0b", "\u2029"]
)
def test_a_message_quotes_no_trailer_of_ours(name: str, end: str) -> None:
    message = trailers.as_text(f"Add “Tea?{end}{name}: x")
    told = Message.parse(message).trailers
    assert name not in dict(told)
    assert f"{name}: x" not in message.splitlines()

"""What somebody typed, as a commit's message can quote it."""

import pytest

from versioning import trailers


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

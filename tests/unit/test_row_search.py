"""What was found is marked where it stands."""

import pytest

from versioning.row_search import AROUND, _excerpt


@pytest.mark.parametrize(
    ("value", "text", "marked"),
    [
        ("Straße, Maßstab, Fuß: needle here", "needle", "needle"),
        ("Straße, Maßstab", "STRASSE", "Straße"),
        ("Fuß", "ss", "ß"),
        ("Fuß", "s", "ß"),
        ("ﬃ ŉ İ: Needle", "nEEDLE", "Needle"),
        ("needle needle", "needle", "needle"),
        ("The sky", "the", "The"),
    ],
)
def test_what_was_found_is_marked_whatever_the_case(value, text, marked):
    shown = _excerpt(value, text)
    assert [part.text for part in shown.segments if part.changed] == [marked]
    assert "".join(part.text for part in shown.segments) == value


def test_what_is_far_from_it_is_left_out():
    shown = _excerpt("ß" * 100 + "needle" + "ß" * 100, "needle")
    sides = "ß" * AROUND
    assert [p.text for p in shown.segments] == [f"…{sides}", "needle", f"{sides}…"]

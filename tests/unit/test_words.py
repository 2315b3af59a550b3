import pytest

from versioning.presentation.words import Segment, mark, plain


def changed(segments: tuple[Segment, ...]) -> list[str]:
    return [segment.text for segment in segments if segment.changed]


def whole(segments: tuple[Segment, ...]) -> str:
    return "".join(segment.text for segment in segments)


def test_only_the_words_that_differ_are_marked() -> None:
    old, new = mark(
        "What is the colour of the sky?", "What was the colour of the evening sky?"
    )
    assert changed(old) == ["is"]
    assert changed(new) == ["was", " evening"]
    assert whole(old) == "What is the colour of the sky?"


def test_a_word_is_marked_whole() -> None:
    old, new = mark("The colour is blue", "The colours is blue")
    assert changed(old) == ["colour"]
    assert changed(new) == ["colours"]


def test_words_of_any_script_are_words() -> None:
    old, new = mark("Die Größe zählt hier", "Die Höhe zählt hier")
    assert changed(old) == ["Größe"]
    assert changed(new) == ["Höhe"]


def test_texts_that_share_next_to_nothing_are_marked_whole() -> None:
    old, new = mark("Tea, please", "Coffee for everybody in the house")
    assert changed(old) == ["Tea, please"]
    assert changed(new) == ["Coffee for everybody in the house"]


def test_equal_texts_have_no_mark() -> None:
    old, new = mark("The same", "The same")
    assert changed(old) == []
    assert changed(new) == []


def test_a_blank_that_was_added_can_be_seen() -> None:
    old, new = mark("The sky", "The sky ")
    assert changed(old) == []
    assert new == (Segment("The sky"), Segment("·", changed=True, blank=True))


def test_a_tab_differs_from_a_space_in_sight() -> None:
    old, new = mark("a b", "a\tb")
    assert Segment("·", changed=True, blank=True) in old
    assert Segment("⇥", changed=True, blank=True) in new


def test_blanks_within_a_text_stay_as_they_are() -> None:
    assert plain("two words") == (Segment("two words"),)


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("", ()),
        (" a", (Segment("·", blank=True), Segment("a"))),
        ("a\n", (Segment("a"), Segment("↵", blank=True))),
        ("\u00a0a", (Segment("⍽", blank=True), Segment("a"))),
    ],
)
def test_outer_blanks_can_be_seen(text: str, segments: tuple[Segment, ...]) -> None:
    assert plain(text) == segments


def test_a_huge_text_is_marked_in_time() -> None:
    words = [f"word{number}" for number in range(20_000)]
    before = " ".join(words)
    after = " ".join([*words[:5_000], "other", *words[5_001:15_000], *words[15_100:]])
    old, new = mark(before, after)
    assert whole(old) == before
    assert whole(new) == after
    assert changed(new)[0].startswith("other")
    assert old[0] == Segment(" ".join(words[:5_000]) + " ")

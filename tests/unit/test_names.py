import pytest

from versioning import names


@pytest.mark.parametrize(
    "name",
    ["a", "summer", "feature/vote-count", "2026.11", "A_b-c.d/e", "x" * 63, "0/1"],
)
def test_a_plain_name_is_taken(name: str) -> None:
    assert names.refusal(name) is None


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "A branch needs a name."),
        ("x" * 64, "A name has 63 characters at most; this one has 64."),
        ("two words", "a space is none of them"),
        ("tab\there", "the character U+0009 is none of them"),
        ("x'--", "“'” is none of them"),
        ("a@b", "“@” is none of them"),
        ("a%b", "“%” is none of them"),
        ("<b>", "“<” is none of them"),
        ("sommer-grüße", "“ü” is none of them"),
        ("-D", "not with “-”"),
        ("/a", "not with “/”"),
        (".a", "not with “.”"),
        ("_a", "not with “_”"),
        ("a/", "can’t end in “/”"),
        ("a.", "can’t end in “.”"),
        ("a//b", "two slashes in a row"),
        ("a..b", "two dots in a row"),
        ("a/.b", "begin with a dot"),
        ("a.lock/b", "end in “.lock”"),
        ("a/b.LOCK", "end in “.lock”"),
        ("HEAD", "“HEAD” has a meaning of its own"),
        ("Working", "“Working” has a meaning of its own"),
        ("staged", "“staged” has a meaning of its own"),
        ("0123456789abcdefghijklmnopqrstuv", "looks like the hash of a commit"),
        ("0123456789" * 4, "looks like the hash of a commit"),
        ("pollard/candidate/1", "begin with “pollard/”"),
        ("Pollard/mine", "begin with “pollard/”"),
        ("dolt_rebase_main", "begin with “dolt_rebase_”"),
    ],
)
def test_each_refusal_says_what_is_wrong(name: str, sentence: str) -> None:
    refusal = names.refusal(name)
    assert refusal is not None
    assert sentence in refusal
    assert refusal.endswith(".")


def test_a_name_is_given_once() -> None:
    assert names.refusal("summer", ["main", "summer"]) == (
        "There is already a branch “summer”."
    )


def test_names_that_differ_by_case_alone_count_as_one() -> None:
    assert names.refusal("Summer", ["main", "summer"]) == (
        "There is already a branch “summer”, which differs only by case."
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0123456789abcdefghijklmnopqrstuv", True),
        ("0123456789abcdef" * 2 + "01234567", True),
        ("0123456789abcdef", False),
        ("0123456789abcdefghijklmnopqrstuV", False),
        ("", False),
        ("0123456789abcdefghijklmnopqrstuv\n", False),
    ],
)
def test_is_hash(text: str, expected: bool) -> None:
    assert names.is_hash(text) is expected


def test_landings_own_branches_are_hidden() -> None:
    assert names.is_hidden("pollard/candidate/7f")
    assert not names.is_hidden("pollard")

"""Texts that are the same to who looks for one."""

import pytest

from versioning.backends.spelling import folded, folded_signs, readable


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Été", "ete"),
        ("ÄRGER", "ärger"),
        ("Straße", "STRASSE"),
        ("Ελλάδα", "ΕΛΛΑΔΑ"),
        ("e\u0301", "é"),
        ("\u0301", "\u0301"),
        ("", ""),
    ],
)
def test_case_and_accents_make_no_difference(one, other):
    assert folded(one) == folded(other)


@pytest.mark.parametrize(("one", "other"), [("か", "が"), ("क", "कि"), ("o", "ø")])
def test_what_makes_another_letter_does(one, other):
    assert folded(one) != folded(other)


@pytest.mark.parametrize("text", ["Straße", "e\u0301t", "İ", "plain", "\u0301", ""])
def test_each_sign_becomes_its_part_of_the_whole(text):
    signs = folded_signs(text)
    assert len(signs) == len(text)
    assert "".join(signs) == folded(text)


@pytest.mark.parametrize(
    ("document", "shown"),
    [
        (r'{"a": "Zo\u00eb"}', '{"a": "Zoë"}'),
        (r'"\ud83d\ude00"', '"😀"'),
        (r'"\ud83d"', r'"\ud83d"'),
        (r'"\\u00eb"', r'"\\u00eb"'),
        (r'"a\nb"', r'"a\nb"'),
    ],
)
def test_a_document_reads_as_it_was_written(document, shown):
    assert readable(document) == shown

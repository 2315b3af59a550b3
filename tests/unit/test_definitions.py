"""What is read from a table's definition where no pragma tells it."""

import pytest

from versioning.backends.doltlite.definitions import checks_in, index_in
from versioning.backends.sql.rules import columns_in


@pytest.mark.parametrize(
    ("definition", "checks"),
    [
        ("CREATE TABLE t (a int)", []),
        ('CREATE TABLE t ("n" int CHECK("n" >= 0))', [("", '"n" >= 0')]),
        (
            "CREATE TABLE t (a int, CONSTRAINT low CHECK (a < (b + 1)), "
            'CONSTRAINT "an ""odd"" one" check (a <> \') CHECK (x\'))',
            [("low", "a < (b + 1)"), ('an "odd" one', "a <> ') CHECK (x'")],
        ),
        ("CREATE TABLE t (a text DEFAULT 'CHECK (b)', \"check\" int)", []),
        ("CREATE TABLE t ([check (a)] int, CONSTRAINT [x] CHECK (1))", [("x", "1")]),
    ],
)
def test_checks_are_found(definition, checks):
    assert list(checks_in(definition)) == checks


def test_columns_of_a_check_are_those_outside_its_texts():
    clause = "`low` < high AND word <> 'word other' AND \"a b\" > 0"
    assert columns_in(clause, ["other", "high", "low", "hi"]) == ("high", "low")


@pytest.mark.parametrize(
    ("definition", "parts", "where"),
    [
        ("CREATE UNIQUE INDEX i ON t (a)", ["a"], ""),
        ('CREATE UNIQUE INDEX "i(" ON "t" ("a,b" DESC, b)', ['"a,b"', "b"], ""),
        (
            "create unique index i on t(a collate nocase asc, lower(b, 'x)') DESC)",
            ["a", "lower(b, 'x)')"],
            "",
        ),
        (
            "CREATE UNIQUE INDEX IF NOT EXISTS i ON t ((a + (b)), c COLLATE [b c]) "
            "WHERE (a > 1) AND c <> ')'",
            ["(a + (b))", "c"],
            "(a > 1) AND c <> ')'",
        ),
        ("CREATE UNIQUE INDEX [where (] ON t (a)\nwhere\n  b", ["a"], "b"),
    ],
)
def test_an_index_is_taken_apart(definition, parts, where):
    assert index_in(definition) == (parts, where)

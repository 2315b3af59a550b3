"""What may be there only once, by rules in the tables' definitions, after a merge."""

from itertools import product

import pytest
from django.db import IntegrityError

from tests.engines import ENGINE
from versioning.backends.errors import MergeBlocked
from versioning.merging import preview

RULES = {"none": (), "a": ("a",), "b": ("b",), "both": ("a", "b"), "turned": ("b", "a")}
CREATE = "CREATE TABLE {} (id integer PRIMARY KEY, a varchar(9), b integer{})"
ROWS = "INSERT INTO things VALUES (1, 'a1', 1), (2, 'a2', 2), (3, 'a3', 3)"
FIND = "SELECT id FROM things WHERE {} = %s"
ALIKE = "UPDATE things SET {} = 7"
#: What each side does to rows that an index holds, and what they become.
WORK = {
    "changed": (
        ("UPDATE things SET a = 'x', b = 8 WHERE id = 1",),
        ("UPDATE things SET a = 'y', b = 9 WHERE id = 2",),
        [(1, "x", 8), (2, "y", 9), (3, "a3", 3)],
    ),
    "added": (
        ("INSERT INTO things VALUES (4, 'x', 8)",),
        ("INSERT INTO things VALUES (5, 'y', 9)",),
        [(1, "a1", 1), (2, "a2", 2), (3, "a3", 3), (4, "x", 8), (5, "y", 9)],
    ),
    "deleted": (
        ("DELETE FROM things WHERE id = 1",),
        ("DELETE FROM things WHERE id = 2",),
        [(3, "a3", 3)],
    ),
}


def create(name, rule):
    return CREATE.format(name, "".join(f", UNIQUE ({column})" for column in rule))


def to(rule, before):
    """Statements that give the table these rules, as Django gives them."""
    if rule == before:
        return []
    if ENGINE == "doltlite":
        return [
            create("new__things", rule),
            "INSERT INTO new__things SELECT * FROM things",
            "DROP TABLE things",
            "ALTER TABLE new__things RENAME TO things",
        ]
    return [
        *(f"ALTER TABLE things DROP INDEX {c}" for c in before if c not in rule),
        *(f"ALTER TABLE things ADD UNIQUE {c} ({c})" for c in rule if c not in before),
    ]


@pytest.mark.parametrize("work_done", WORK)
@pytest.mark.parametrize(("ours", "theirs"), list(product(RULES, repeat=2)))
def test_each_index_finds_what_is_there(
    repository, connection, write, work, rows, ours, theirs, work_done
):
    before = RULES["a"]
    here, there, result = WORK[work_done]
    write("main", create("things", before), ROWS)
    repository.create_branch("summer", repository.head("main"))
    write("main", *to(RULES[ours], before), *here)
    write("summer", *to(RULES[theirs], before), *there)
    merge = work()
    if not repository.features.merges_other_unique_rules and (
        theirs not in ("a", ours)  # they have others than before, and than the target
    ):
        blocked = preview.preview("main", merge.sides).blocked
        assert "different rules about which values of “things”" in blocked
        with pytest.raises(MergeBlocked, match="different rules"):
            merge.land()
        return
    merge.land()
    assert rows("main", "SELECT id, a, b FROM things ORDER BY id") == result
    for number, *held in result:
        for column, value in zip("ab", held, strict=True):
            assert rows("main", FIND.format(column), [value]) == [(number,)]
    if len(result) > 1:
        one, two = set(RULES[ours]), set(RULES[theirs])
        for column in (one & two) | ((one | two) - set(before)):
            with pytest.raises(IntegrityError):
                write("main", ALIKE.format(column))
    if ENGINE == "doltlite":
        assert rows("main", "PRAGMA integrity_check") == [("ok",)]

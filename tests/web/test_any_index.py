"""
Any merge of a table whose indexes the sides may change, made on its page: what
lands has each row and each index that one side made, and no pair of rows that a
unique one forbids; what is found by an index is what is there.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import pytest
from hypothesis import assume, given, note, settings
from hypothesis import strategies as st

from tests import engines
from tests.afresh import ON_AN_ENGINE, begin_afresh
from tests.web.test_any_shape import (
    DELETE,
    INSERT,
    UPDATE,
    literal,
    one_of_both,
    settle,
)

EXAMPLES = 15
COLUMNS = ("a", "b")
VALUES = (None, "", "x", "X", "z", "é")
COLUMNS_INDEXED = (("a",), ("b",), ("a", "b"), ("b", "a"))
ROWS = "SELECT id, a, b FROM things ORDER BY id"
WIDEN = "ALTER TABLE {table} ADD COLUMN {name} varchar(9)"
CREATE = "CREATE {unique}INDEX {name} ON things ({columns})"
DROP = {
    "doltlite": "DROP INDEX {name}",
    "dolt": "DROP INDEX {name} ON things",
}[engines.ENGINE]
USING = {
    "doltlite": "SELECT id FROM things INDEXED BY {name} WHERE {where} ORDER BY id",
    "dolt": "SELECT id FROM things FORCE INDEX ({name}) WHERE {where} ORDER BY id",
}[engines.ENGINE]
LISTED = {
    "doltlite": 'SELECT i.name, i."unique", c.name '
    "FROM pragma_index_list('things') i, pragma_index_info(i.name) c "
    "WHERE i.origin = 'c' ORDER BY i.name, c.seqno",
    "dolt": "SELECT index_name, non_unique = 0, column_name FROM "
    "information_schema.statistics WHERE table_name = 'things' AND "
    "table_schema = database() AND index_name <> 'PRIMARY' "
    "ORDER BY index_name, seq_in_index",
}[engines.ENGINE]

Row = dict[str, str | None]
Columns = tuple[str, ...]


def name_of(columns: Columns) -> str:
    return "_".join(["by", *columns])


@dataclass
class State:
    rows: dict[int, Row] = field(default_factory=dict)
    # Whether it is unique, by columns: an engine tells indexes apart by these,
    # and another by their names.
    indexes: dict[Columns, bool] = field(default_factory=dict)

    def copy(self) -> "State":
        rows = {key: dict(row) for key, row in self.rows.items()}
        return State(rows, dict(self.indexes))

    @property
    def is_allowed(self) -> bool:
        return not any(
            all(one[c] == other[c] is not None for c in columns)
            for columns, unique in self.indexes.items()
            if unique
            for one, other in combinations(self.rows.values(), 2)
        )


class Side:
    """Changes a state as its indexes allow, and says by which statements."""

    def __init__(
        self, state: State, unique: Sequence[Columns], draw: Any, more: str = ""
    ):
        self.state = state.copy()
        self.sql: list[str] = []
        self._more = more  # a column that it may add, in no index
        self._unique = unique  # which indexes are, where there are any
        self._draw = draw

    def change(self, at_most: int, *, indexes: bool) -> None:
        kinds = [self._insert, self._update, self._update, self._delete]
        if indexes:
            kinds += [self._add, self._add, self._drop, self._widen]
        for _ in range(self._draw(st.integers(0, at_most))):
            before, said = self.state.copy(), len(self.sql)
            self._one_of(kinds)()
            if not self.state.is_allowed:
                self.state = before
                del self.sql[said:]

    def _one_of(self, some: Any) -> Any:
        return self._draw(st.sampled_from(list(some)))

    def _say(self, sql: str, **of_it: Any) -> None:
        self.sql.append(sql.format(table="things", **of_it))

    def _insert(self) -> None:
        if free := [key for key in range(1, 7) if key not in self.state.rows]:
            key = self._one_of(free)
            row = {name: self._one_of(VALUES) for name in COLUMNS}
            self.state.rows[key] = row
            values = ", ".join([str(key), *map(literal, row.values())])
            self._say(INSERT, names=", ".join(["id", *COLUMNS]), values=values)

    def _update(self) -> None:
        if self.state.rows:
            key, name = self._one_of(self.state.rows), self._one_of(COLUMNS)
            value = self._one_of(VALUES)
            self.state.rows[key][name] = value
            self._say(UPDATE, name=name, value=literal(value), key=key)

    def _delete(self) -> None:
        if self.state.rows:
            key = self._one_of(self.state.rows)
            del self.state.rows[key]
            self._say(DELETE, key=key)

    def _add(self) -> None:
        if free := [c for c in COLUMNS_INDEXED if c not in self.state.indexes]:
            columns = self._one_of(free)
            unique = columns in self._unique
            self.state.indexes[columns] = unique
            self._say(
                CREATE,
                unique="UNIQUE " if unique else "",
                name=name_of(columns),
                columns=", ".join(columns),
            )

    def _widen(self) -> None:
        if self._more:
            self._say(WIDEN, name=self._more)
            self._more = ""

    def _drop(self) -> None:
        if self.state.indexes:
            columns = self._one_of(self.state.indexes)
            del self.state.indexes[columns]
            self._say(DROP, name=name_of(columns))


@dataclass
class Oracle:
    base: State
    ours: State
    theirs: State
    answers: dict[int, dict[str, str]] = field(default_factory=dict)

    @property
    def may_be_blocked(self) -> bool:
        """Whether the sides' indexes are other than one another's."""
        return self.ours.indexes != self.theirs.indexes

    def check_undecided(self, words: str) -> None:
        assert "to mend" in words
        assert not self.result().is_allowed

    def result(self) -> State:
        sides = self.base, self.ours, self.theirs
        found = State()
        for columns in COLUMNS_INDEXED:
            unique = one_of_both(*(side.indexes.get(columns) for side in sides))
            if unique is not None:
                found.indexes[columns] = unique
        for key in range(1, 7):
            row = self._row(key, *(side.rows.get(key) for side in sides))
            if row is not None:
                found.rows[key] = row
        return found

    def _row(
        self, key: int, base: Row | None, ours: Row | None, theirs: Row | None
    ) -> Row | None:
        offered = {"base": base, "ours": ours, "theirs": theirs}
        answers = self.answers.get(key, {})
        if "" in answers:
            return offered[answers[""]]
        if ours is None or theirs is None or (base is None and ours == theirs):
            return one_of_both(base, ours, theirs)
        return {
            name: (offered[answers[name]] or {}).get(name)
            if name in answers
            else one_of_both(base[name] if base else object(), ours[name], theirs[name])
            for name in COLUMNS
        }


@pytest.mark.usefixtures("db")
def test_what_lands_is_what_the_indexes_say(
    engine, repository, maintainer, write, connection
):
    def asked(sql: str) -> list[tuple[Any, ...]]:
        with connection.bound("main"), connection.cursor() as cursor:
            cursor.execute(sql)
            return [tuple(row) for row in cursor.fetchall()]

    def check(state: State) -> None:
        rows = [(key, *row.values()) for key, row in sorted(state.rows.items())]
        assert asked(ROWS) == rows
        listed: dict[str, tuple[bool, Columns]] = {}
        for name, unique, column in asked(LISTED):
            before = listed[name][1] if name in listed else ()
            listed[name] = (bool(unique), (*before, column))
        assert listed == {
            name_of(columns): (unique, columns)
            for columns, unique in state.indexes.items()
        }
        for columns in state.indexes:
            for row in state.rows.values():
                asked_for = " AND ".join(
                    f"{c} IS NULL" if row[c] is None else f"{c} = {literal(row[c])}"
                    for c in columns
                )
                keys = [
                    (key,)
                    for key, other in sorted(state.rows.items())
                    if all(other[c] == row[c] for c in columns)
                ]
                sql = USING.format(name=name_of(columns), where=asked_for)
                assert asked(sql) == keys, sql

    @settings(ON_AN_ENGINE, max_examples=EXAMPLES)
    @given(data=st.data())
    def merge(data: st.DataObject) -> None:
        draw = data.draw
        unique = draw(st.lists(st.sampled_from(COLUMNS_INDEXED), unique=True))
        begun = Side(State(), unique, draw)
        begun.change(6, indexes=True)
        ours, theirs = (Side(begun.state, unique, draw, more) for more in "cd")
        changed = draw(st.sampled_from(["ours", "theirs", "both", "neither"]))
        ours.change(4, indexes=changed in ("ours", "both"))
        theirs.change(4, indexes=changed in ("theirs", "both"))
        assume(ours.sql and theirs.sql)
        note(f"{begun.sql}\n{ours.sql}\n{theirs.sql}")
        begin_afresh(engine)
        create = "CREATE TABLE things (id int PRIMARY KEY, a varchar(9), b varchar(9))"
        write("main", create, *begun.sql)
        repository.create_branch("summer", repository.head("main"))
        write("main", *ours.sql)
        write("summer", *theirs.sql)
        oracle = Oracle(begun.state, ours.state, theirs.state)
        landing = settle(maintainer, oracle, draw)
        if landing is None:
            check(ours.state)
            return
        answer = maintainer.post(landing.action, landing.fields)
        assert answer.status_code == 303, answer.content.decode()
        found = oracle.result()
        assert found.is_allowed
        check(found)

    merge()

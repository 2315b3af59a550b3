"""
Any merge of a table that the sides may define anew, made on its page: what
lands has every value that either side set, under the column that it is of; or
nothing lands, and the page says why.

The oracle follows columns by what they hold, not by name, and rows by key.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

import pytest
from hypothesis import assume, given, note, settings
from hypothesis import strategies as st

from tests.afresh import ON_AN_ENGINE, begin_afresh
from tests.web import seen
from tests.web.fields import Form, forms
from versioning.values import key_from_outside

URL = "/merge/?source=summer&target=main"
DECIDE, LAND = "/merge/decide/", "/merge/land/"
EXAMPLES = 15
NAMES = ("a", "b", "c", "d")
BEGUN = 2  # columns, the first of these
VALUES = (None, "", "x", "X", "z")

INSERT = "INSERT INTO {table} ({names}) VALUES ({values})"
UPDATE = "UPDATE {table} SET {name} = {value} WHERE id = {key}"
DELETE = "DELETE FROM {table} WHERE id = {key}"
ADD = "ALTER TABLE {table} ADD COLUMN {name} varchar(9) DEFAULT {value}"
DROP = "ALTER TABLE {table} DROP COLUMN {name}"
RENAME = "ALTER TABLE {table} RENAME COLUMN {before} TO {name}"
RENAME_TABLE = "ALTER TABLE {table} RENAME TO {name}"
SELECT = "SELECT * FROM {table} ORDER BY id"

Row = dict[int, str | None]  # by column's number


@dataclass
class State:
    """A table: its columns' names by number, and its rows by key."""

    name: str
    columns: dict[int, str]
    rows: dict[int, Row] = field(default_factory=dict)
    defaults: dict[int, str | None] = field(default_factory=dict)

    def copy(self) -> "State":
        rows = {key: dict(row) for key, row in self.rows.items()}
        return replace(
            self, columns=dict(self.columns), rows=rows, defaults=dict(self.defaults)
        )

    def listed(self) -> tuple[set[str], list[dict[str, Any]]]:
        """Its columns, and its rows by key."""
        return {"id", *self.columns.values()}, [
            {"id": key, **{name: row[n] for n, name in self.columns.items()}}
            for key, row in sorted(self.rows.items())
        ]

    def by_name(self) -> "State":
        """
        As it is if a new column with the name of one that is gone passes for it,
        and for nothing but its name if that was changed since.
        """
        found = self.copy()
        for number, name in self.columns.items():
            known = NAMES.index(name)
            may_be = number > known or number >= BEGUN
            if may_be and known not in found.columns:
                found.columns[known] = found.columns.pop(number)
                for row in found.rows.values():
                    row[known] = row.pop(number)
                found.defaults[known] = found.defaults.get(number)
        return found


def literal(value: str | None) -> str:
    return "NULL" if value is None else f"'{value}'"


class Side:
    """Changes a state, and says by which statements."""

    def __init__(self, state: State, first_new: int, draw: Any):
        self.state = state.copy()
        self.sql: list[str] = []
        self._next = first_new
        self._draw = draw

    def begin(self) -> None:
        for _ in range(3):
            self._insert()

    def change(self, is_shaped: bool) -> None:
        kinds = [self._insert, self._update, self._update, self._delete]
        if is_shaped:
            kinds += [self._drop, self._rename, self._add, self._rename_table]
        for _ in range(self._draw(st.integers(0, 4))):
            self._one_of(kinds)()

    def _one_of(self, some: Iterable[Any]) -> Any:
        return self._draw(st.sampled_from(list(some)))

    def _say(self, sql: str, **of_it: Any) -> None:
        self.sql.append(sql.format(table=self.state.name, **of_it))

    def _insert(self) -> None:
        free = [key for key in range(1, 6) if key not in self.state.rows]
        if free:
            key = self._one_of(free)
            row = {number: self._one_of(VALUES) for number in self.state.columns}
            self.state.rows[key] = row
            names = ", ".join(["id", *self.state.columns.values()])
            values = ", ".join([str(key), *map(literal, row.values())])
            self._say(INSERT, names=names, values=values)

    def _update(self) -> None:
        if self.state.rows:
            key = self._one_of(self.state.rows)
            number = self._one_of(self.state.columns)
            value = self._one_of(VALUES)
            self.state.rows[key][number] = value
            name = self.state.columns[number]
            self._say(UPDATE, name=name, value=literal(value), key=key)

    def _delete(self) -> None:
        if self.state.rows:
            key = self._one_of(self.state.rows)
            del self.state.rows[key]
            self._say(DELETE, key=key)

    def _drop(self) -> None:
        if len(self.state.columns) > 1:
            number = self._one_of(self.state.columns)
            self._say(DROP, name=self.state.columns.pop(number))
            self.state.defaults.pop(number, None)
            for row in self.state.rows.values():
                del row[number]

    def _rename(self) -> None:
        if free := self._free_names():
            number, name = self._one_of(self.state.columns), self._one_of(free)
            self._say(RENAME, before=self.state.columns[number], name=name)
            self.state.columns[number] = name

    def _rename_table(self) -> None:
        name = {"things": "stuff", "stuff": "things"}[self.state.name]
        self._say(RENAME_TABLE, name=name)
        self.state.name = name

    def _add(self) -> None:
        if free := self._free_names():
            name = self._one_of(free)
            # A row without a value for what was called so gets none for this either.
            default = None if name in NAMES[:2] else self._one_of([None, "new"])
            number = self._number_for(name)
            self.state.columns[number] = name
            self.state.defaults[number] = default
            for row in self.state.rows.values():
                row[number] = default
            self._say(ADD, name=name, value=literal(default))

    def _number_for(self, name: str) -> int:
        """Columns added under one name are one, as nobody could tell them apart."""
        number = NAMES.index(name)
        if number in self.state.columns:  # renamed since
            self._next += 1
            return self._next
        return number

    def _free_names(self) -> list[str]:
        return [name for name in NAMES if name not in self.state.columns.values()]


class Impossible(Exception):
    """What no table can hold: nothing may land."""


def one_of_both(base: Any, ours: Any, theirs: Any) -> Any:
    if ours == theirs or theirs == base:
        return ours
    if ours == base:
        return theirs
    raise Impossible


def _readings(state: State) -> list[State]:
    by_name = state.by_name()
    return [state] if by_name.columns == state.columns else [state, by_name]


@dataclass
class Oracle:
    base: State
    ours: State
    theirs: State
    may_be_blocked: bool  # as a side redefined the table, be it to what it was
    answers: dict[int, dict[str, str]] = field(default_factory=dict)

    def check_undecided(self, words: str) -> None:
        """Where nothing is left to decide, and the merge can't land."""
        raise AssertionError(words)

    def results(self) -> Iterator[State]:
        """
        What may land. Of a column with the name of another that is gone, an
        engine may know which it was before, or take it for that one.
        """
        for ours, theirs in product(*map(_readings, (self.ours, self.theirs))):
            with suppress(Impossible):
                yield replace(self, ours=ours, theirs=theirs)._result()

    def _result(self) -> State:
        base, ours, theirs = self.base, self.ours, self.theirs
        found = State(one_of_both(base.name, ours.name, theirs.name), {})
        kept = [
            number
            for number in {**base.columns, **ours.columns, **theirs.columns}
            if all(number in side.columns for side in (ours, theirs))
            or number not in base.columns
        ]
        for number in kept:
            names = [s.columns.get(number) for s in (base, ours, theirs)]
            if None in names[1:]:  # new on one side
                found.columns[number] = names[1] or names[2] or ""
            else:
                found.columns[number] = one_of_both(*names)
        found.defaults = ours.defaults | theirs.defaults
        if len(set(found.columns.values())) < len(found.columns):
            raise Impossible
        for key in sorted({*base.rows, *ours.rows, *theirs.rows}):
            row = self._row(key, found)
            if row is not None:
                found.rows[key] = row
        return found

    def _row(self, key: int, into: State) -> Row | None:
        base, ours, theirs = (
            s.rows.get(key) for s in (self.base, self.ours, self.theirs)
        )
        answers = self.answers.get(key, {})
        if "" in answers:
            row = {"ours": ours, "theirs": theirs}[answers[""]]
            return None if row is None else self._whole(base, row, into)
        if ours is None or theirs is None:
            if base is None:
                row = ours or theirs
                return None if row is None else self._whole(base, row, into)
            there = theirs if ours is None else ours
            if there is None or self._same(there, base):
                return None
            raise Impossible  # nobody was asked
        found: Row = {}
        for number in into.columns:
            found[number] = self._cell(number, base, ours, theirs, answers, into)
        self._lose_nothing(base, ours, into)
        self._lose_nothing(base, theirs, into)
        return found

    def _same(self, row: Row, base: Row) -> bool:
        return all(row[number] == base[number] for number in row if number in base)

    def _lose_nothing(self, base: Row | None, row: Row, into: State) -> None:
        for number, value in row.items():
            if number not in into.columns:
                before = base.get(number) if base else None
                if value not in (before, None, ""):
                    raise Impossible

    def _whole(self, base: Row | None, row: Row, into: State) -> Row:
        self._lose_nothing(base, row, into)
        return {n: row.get(n, into.defaults.get(n)) for n in into.columns}

    def _cell(
        self,
        number: int,
        base: Row | None,
        ours: Row,
        theirs: Row,
        answers: dict[str, str],
        into: State,
    ) -> str | None:
        default = into.defaults.get(number)
        was = None if base is None else base.get(number, default)
        here, there = ours.get(number, default), theirs.get(number, default)
        offered = {"ours": here, "theirs": there, "base": was}
        for side in (self.base, self.ours, self.theirs):
            if take := answers.get(side.columns.get(number, "")):
                return offered[take]
        if number not in ours:
            return there
        if number not in theirs:
            return here
        was_called, here_called, there_called = (
            side.columns.get(number) for side in (self.base, self.ours, self.theirs)
        )
        is_renamed = here_called != there_called
        if base is None and is_renamed and not (here and there):
            # Of a new row, nobody misses what is empty.
            return here or there or (here if here_called != was_called else there)
        return one_of_both(object() if base is None else was, here, there)


def settle(client: Any, oracle: Any, draw: Any) -> Form | None:
    """
    The form that lands the merge, with what was drawn in the oracle's ``answers``;
    None if the page says that nothing can, which the oracle looks at.
    """
    for _ in range(30):
        page = client.get(URL)
        assert page.status_code == 200, page.content.decode()
        found = forms(page)
        landing = [form for form in found if form.action == LAND]
        if not landing:
            words = seen.main(page)
            note(words)
            if "has it all already" not in words:
                assert "can’t be merged as they are" in words
                assert oracle.may_be_blocked
            return None
        if landing[0].can_be_sent:
            return landing[0]
        asked = [
            f for f in found if f.action == DECIDE and f.fields.get("scope") == "row"
        ]
        waiting = [f for f in asked if not f.offered.keys() <= f.fields.keys()]
        if not waiting:
            words = seen.main(page)
            note(words)
            oracle.check_undecided(words)
            return None
        form = waiting[0]
        (key,) = key_from_outside(form.fields["key"])
        sent = dict(form.fields)
        for name, values in form.offered.items():
            sent[name] = draw(st.sampled_from(values))
            oracle.answers.setdefault(key, {})[name.removeprefix("take:")] = sent[name]
        note(f"{key}: {oracle.answers[key]}")
        assert client.post(form.action, sent).status_code == 303
    raise AssertionError("no end in sight")


@pytest.mark.usefixtures("db")
def test_what_lands_is_what_both_sides_set(
    engine, repository, maintainer, write, connection
):
    def table(name: str) -> tuple[set[str], list[dict[str, Any]]]:
        with connection.bound("main"), connection.cursor() as cursor:
            cursor.execute(SELECT.format(table=name))
            names = [column[0] for column in cursor.description]
            rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        return set(names), rows

    def check(*possible: State) -> None:
        assert possible
        assert table(possible[0].name) in [state.listed() for state in possible]

    @settings(ON_AN_ENGINE, max_examples=EXAMPLES)
    @given(data=st.data())
    def merge(data: st.DataObject) -> None:
        draw = data.draw
        begun = Side(State("things", {0: "a", 1: "b"}), 2, draw)
        begun.begin()
        shaped = draw(st.sampled_from(["ours", "theirs", "both", "neither"]))
        ours, theirs = Side(begun.state, 10, draw), Side(begun.state, 20, draw)
        ours.change(shaped in ("ours", "both"))
        theirs.change(shaped in ("theirs", "both"))
        assume(ours.sql and theirs.sql)
        note(f"{begun.sql}\n{ours.sql}\n{theirs.sql}")
        begin_afresh(engine)
        create = "CREATE TABLE things (id int PRIMARY KEY, a varchar(9), b varchar(9))"
        write("main", create, *begun.sql)
        repository.create_branch("summer", repository.head("main"))
        write("main", *ours.sql)
        write("summer", *theirs.sql)
        is_reshaped = any("ALTER" in sql for sql in ours.sql + theirs.sql)
        oracle = Oracle(begun.state, ours.state, theirs.state, is_reshaped)
        landing = settle(maintainer, oracle, draw)
        if landing is None:
            check(ours.state)
            return
        answer = maintainer.post(landing.action, landing.fields)
        assert answer.status_code == 303, answer.content.decode()
        check(*oracle.results())

    merge()

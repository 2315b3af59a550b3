"""
Any two states of any history: what is listed as different is what a reading of
both whole states finds, whoever asks for it by pages or as a stream, and the
exported SQL makes the one of the other.
"""

from collections import Counter
from contextlib import suppress
from typing import Any

import pytest
from django.db import DatabaseError
from hypothesis import given, note, settings
from hypothesis import strategies as st

from tests.afresh import ON_AN_ENGINE, begin_afresh
from tests.engines import ENGINE
from versioning.backends.equality import same
from versioning.backends.repository import ChangeKind, Key, Row, RowChange
from versioning.merging.paging import in_parts

DOLT = ENGINE == "dolt"
EXAMPLES = 12
TABLES = ("things", "stuff", "Order By")
COLUMNS = ("a", "b", "B c", "key")
INTEGERS = (0, 1, -1, 2, 2**53 + 1)
TEXTS = ("", " ", "x", "X", "é", 'it\'s \\ "%s"\n😀', "0x41")
BLOB = "longblob" if DOLT else "blob"
#: By how a column is declared; what a side may put there.
KINDS: dict[str, tuple[Any, ...]] = {
    "bigint": INTEGERS,
    "varchar(40)": TEXTS,
    "bigint NOT NULL DEFAULT 7": INTEGERS,
    "varchar(40) NOT NULL DEFAULT 'd'": TEXTS,
    "double precision": (0.0, 0.1, -1.5, 1e22),
    BLOB: (b"", b"\x00\xff'", b"x"),
}
#: How a new table's rows are told apart, and by what.
KEYS = {
    "id bigint NOT NULL PRIMARY KEY, {a}": ["id"],
    "id varchar(20) NOT NULL PRIMARY KEY, {a}": ["id"],
    "id bigint NOT NULL, part varchar(9) NOT NULL, {a}, PRIMARY KEY (part, id)": [
        "id",
        "part",
    ],
    "{a}": [],
}
VALUES = (*INTEGERS, *TEXTS)

SELECT = "SELECT * FROM {table}"
INSERT = "INSERT INTO {table} ({names}) VALUES ({marks})"
UPDATE = "UPDATE {table} SET {column} = %s WHERE {where}"
DELETE = "DELETE FROM {table} WHERE {where}"
COPY = "INSERT INTO {new} ({columns}) SELECT {columns} FROM {table}"
INDEX = "CREATE {}INDEX {} ON {} ({})"


class History:
    """Does something to tables by a statement each; the commits that came of it."""

    def __init__(self, connection: Any, write: Any, draw: Any):
        self._connection = connection
        self._repository = connection.repository
        self._write = write
        self._draw = draw
        self.commits = [self._repository.head("main")]

    def one_of(self, some: Any) -> Any:
        return self._draw(st.sampled_from(list(some)))

    def step(self) -> None:
        tables = [
            t for t in self._repository.tables(at=self.commits[-1]) if t in TABLES
        ]
        if not tables:
            self._make()
            return
        table = self.one_of(tables)
        act = self.one_of(
            [self._insert] * 4
            + [self._update] * 4
            + [self._delete, self._delete]
            + [self._add, self._drop, self._rename, self._rename_table, self._index]
            + [self._retype, self._rekey]
            + [lambda _: self._make(), self._drop_table]
        )
        act(table)

    def _do(self, sql: str, params: Any = None) -> None:
        """Nothing comes of what the engine refuses, as a value that is taken."""
        self._do_all((sql, params))

    def _do_all(self, *statements: Any) -> None:
        note(statements)
        with suppress(DatabaseError):
            if commit := self._write("main", *statements):
                self.commits.append(commit)
                note(commit)

    def _quoted(self, name: str) -> str:
        return str(self._connection.ops.quote_name(name))

    def _columns(self, table: str) -> list[str]:
        return list(self._repository.columns(table, self.commits[-1]))

    def _free(self, table: str) -> list[str]:
        taken = self._columns(table)
        return [name for name in COLUMNS if name not in taken]

    def _make(self) -> None:
        name = self._quoted(self.one_of(TABLES))
        kind = self.one_of(KINDS)
        key = self.one_of(KEYS).format(a=f"a {kind}")
        self._do(f"CREATE TABLE {name} ({key})")

    def _insert(self, table: str) -> None:
        columns = self._columns(table)
        names = ", ".join(map(self._quoted, columns))
        marks = ", ".join(["%s"] * len(columns))
        sql = INSERT.format(table=self._quoted(table), names=names, marks=marks)
        self._do(sql, [self._value() for _ in columns])

    def _value(self) -> Any:
        return self.one_of([None, *VALUES])

    def _update(self, table: str) -> None:
        column = self._quoted(self.one_of(self._columns(table)))
        where, params = self._where(table)
        sql = UPDATE.format(table=self._quoted(table), column=column, where=where)
        self._do(sql, [self._value(), *params])

    def _delete(self, table: str) -> None:
        where, params = self._where(table)
        self._do(DELETE.format(table=self._quoted(table), where=where), params)

    def _where(self, table: str) -> tuple[str, list[Any]]:
        """One row, by its key, if it has one."""
        rows = whole(self._connection, table, self.commits[-1])
        primary = self._repository.primary_key(table, self.commits[-1])
        if not rows or not primary:
            return self.one_of(["1 = 1", "a IS NULL", "a = 1", "a = 'x'"]), []
        row = self.one_of(rows)
        where = " AND ".join(f"{self._quoted(c)} = %s" for c in primary)
        return where, [row[column] for column in primary]

    def _add(self, table: str) -> None:
        if free := self._free(table):
            name, kind = self.one_of(free), self.one_of(KINDS)
            self._alter(table, f"ADD COLUMN {self._quoted(name)} {kind}")

    def _drop(self, table: str) -> None:
        columns = self._columns(table)
        if len(columns) > 1:
            self._alter(table, f"DROP COLUMN {self._quoted(self.one_of(columns))}")

    def _rename(self, table: str) -> None:
        if free := self._free(table):
            old, new = self.one_of(self._columns(table)), self.one_of(free)
            self._alter(
                table, f"RENAME COLUMN {self._quoted(old)} TO {self._quoted(new)}"
            )

    def _retype(self, table: str) -> None:
        column, kind = self.one_of(self._columns(table)), self.one_of(KINDS)
        if DOLT and kind == BLOB and column in self._primary(table):
            return  # which it takes here, and in no table that is made so
        if DOLT:
            self._alter(table, f"MODIFY COLUMN {self._quoted(column)} {kind}")
        else:
            self._remake(table, self._primary(table), {column: kind})

    def _rekey(self, table: str) -> None:
        columns = self._columns(table)
        key = self._draw(st.lists(st.sampled_from(columns), max_size=2, unique=True))
        if not DOLT:
            self._remake(table, key, {})
            return
        parts = ["DROP PRIMARY KEY"] if self._primary(table) else []
        if key:
            parts.append(f"ADD PRIMARY KEY ({', '.join(map(self._quoted, key))})")
        if parts:
            self._alter(table, ", ".join(parts))

    def _primary(self, table: str) -> list[str]:
        return list(self._repository.primary_key(table, self.commits[-1]))

    def _remake(self, table: str, key: list[str], kinds: dict[str, str]) -> None:
        """As Django's migrations do where a table can't be altered in place."""
        defined = self._defined(table)
        parts = [
            f"{self._quoted(name)} {kinds.get(name, rest)}"
            for name, rest in defined.items()
        ]
        if key:
            parts.append(f"PRIMARY KEY ({', '.join(map(self._quoted, key))})")
        name, new = self._quoted(table), self._quoted(f"new__{table}")
        columns = ", ".join(map(self._quoted, defined))
        self._do_all(
            f"CREATE TABLE {new} ({', '.join(parts)})",
            COPY.format(new=new, columns=columns, table=name),
            f"DROP TABLE {name}",
            f"ALTER TABLE {new} RENAME TO {name}",
        )

    def _defined(self, table: str) -> dict[str, str]:
        """DoltLite's columns, as one makes a table with them."""
        with (
            self._connection.bound(at=self.commits[-1]),
            self._connection.cursor() as cursor,
        ):
            cursor.execute(f"PRAGMA table_info({self._quoted(table)})")
            return {
                name: " ".join(
                    [
                        kind,
                        "NOT NULL" if filled else "",
                        "" if default is None else f"DEFAULT {default}",
                    ]
                )
                for _, name, kind, filled, default, _ in cursor.fetchall()
            }

    def _rename_table(self, table: str) -> None:
        self._alter(table, f"RENAME TO {self._quoted(self.one_of(TABLES))}")

    def _alter(self, table: str, what: str) -> None:
        self._do(f"ALTER TABLE {self._quoted(table)} {what}")

    def _index(self, table: str) -> None:
        column = self.one_of(self._columns(table))
        name, *of = map(self._quoted, (f"by {table} {column}", table, column))
        sql = INDEX.format(self.one_of(["UNIQUE ", ""]), name, *of)
        self._do(sql)

    def _drop_table(self, table: str) -> None:
        self._do(f"DROP TABLE {self._quoted(table)}")


def whole(connection: Any, table: str, at: str) -> list[Row]:
    with connection.bound(at=at), connection.cursor() as cursor:
        cursor.execute(SELECT.format(table=connection.ops.quote_name(table)))
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def plain(row: Row | None) -> Any:
    return None if row is None else tuple(sorted(row.items()))


def alike(one: Row, other: Row) -> bool:
    return one.keys() == other.keys() and all(same(one[c], other[c]) for c in one)


def found_by_reading(states: list[list[Row]], primary: Key) -> Counter[Any]:
    """(kind, before, after) of rows that differ, however often."""
    if not primary:
        return less_what_both_have(*(Counter(map(plain, rows)) for rows in states))
    by_key = [{tuple(row[c] for c in primary): row for row in rows} for rows in states]
    found: Counter[Any] = Counter()
    for key in by_key[0].keys() | by_key[1].keys():
        old, new = (rows.get(key) for rows in by_key)
        if old is None:
            found[ChangeKind.ADDED, None, plain(new)] += 1
        elif new is None:
            found[ChangeKind.REMOVED, plain(old), None] += 1
        elif not alike(old, new):
            found[ChangeKind.CHANGED, plain(old), plain(new)] += 1
    return found


def less_what_both_have(old: Counter[Any], new: Counter[Any]) -> Counter[Any]:
    return all_of(old - new, new - old)


def all_of(old: Counter[Any], new: Counter[Any]) -> Counter[Any]:
    """Where no row of one state is the same row in the other."""
    return Counter(
        {
            **{(ChangeKind.REMOVED, row, None): n for row, n in old.items()},
            **{(ChangeKind.ADDED, None, row): n for row, n in new.items()},
        }
    )


def by_what_they_hold(changes: list[RowChange]) -> Counter[Any]:
    """Of rows without a key: DoltLite knows which of them were changed."""
    return less_what_both_have(
        Counter(plain(c.before) for c in changes if c.before is not None),
        Counter(plain(c.after) for c in changes if c.after is not None),
    )


def as_found(changes: list[RowChange]) -> Counter[Any]:
    return Counter((c.kind, plain(c.before), plain(c.after)) for c in changes)


@pytest.mark.usefixtures("db")
def test_what_differs_is_what_both_states_hold(engine, connection, write, run):
    repository = connection.repository

    def counted(table: str, before: str, after: str) -> Counter[Any]:
        found: Counter[Any] = Counter()
        for stat in repository.diff_stat(before, after):
            if stat.table == table:
                found[ChangeKind.ADDED] = stat.rows_added
                found[ChangeKind.REMOVED] = stat.rows_removed
                found[ChangeKind.CHANGED] = stat.rows_changed
        return found

    def check(table: str, before: str, after: str) -> None:
        listed = list(repository.diff_rows(table, before, after))
        paged = [
            change
            for page in in_parts(
                lambda since, limit: list(
                    repository.diff_rows(table, before, after, since=since, limit=limit)
                ),
                at_once=2,
            )
            for change in page
        ]
        assert paged == listed
        streamed = list(repository.stream_changes(table, before, after))
        replaced = {c.table: c for c in repository.key_changes(before, after)}
        if table in replaced:
            assert listed == []
            old = whole(connection, replaced[table].old_table, before)
            new = whole(connection, table, after)
            rows = (Counter(map(plain, state)) for state in (old, new))
            assert as_found(streamed) == all_of(*rows)
            return
        assert as_found(streamed) == as_found(listed)
        if all(table in repository.tables(at=at) for at in (before, after)):
            keys = {repository.primary_key(table, at) for at in (before, after)}
            columns = {
                tuple(sorted(repository.columns(table, at))) for at in (before, after)
            }
            if len(keys) == len(columns) == 1:
                states = [whole(connection, table, at) for at in (before, after)]
                (primary,) = keys
                found = as_found(listed) if primary else by_what_they_hold(listed)
                assert found == found_by_reading(states, primary)
                assert counted(table, before, after) == Counter(c.kind for c in listed)

    def replay(before: str, after: str) -> None:
        script = "\n".join(repository.stream_sql(before, after, without={}))
        repository.create_branch("replay", before)
        run("replay", script)
        made = repository.head("replay")
        assert repository.schema_changes(made, after) == [], script
        assert repository.tables(at=made) == repository.tables(at=after)
        for table in TABLES:
            if table in repository.tables(at=after):
                read = (whole(connection, table, at) for at in (made, after))
                one, other = (Counter(map(plain, rows)) for rows in read)
                assert one == other, script

    @settings(ON_AN_ENGINE, max_examples=EXAMPLES)
    @given(data=st.data())
    def differ(data: st.DataObject) -> None:
        begin_afresh(engine)
        history = History(connection, write, data.draw)
        for _ in range(data.draw(st.integers(3, 14))):
            history.step()
        before, after = history.one_of(history.commits), history.one_of(history.commits)
        note(f"{before} → {after}")
        changes = [
            *repository.diff_summary(before, after),
            *repository.key_changes(before, after),
        ]
        tables = {t for at in (before, after) for t in repository.tables(at=at)}
        former = {c.old_table for c in changes if c.old_table != c.table}
        for table in sorted((tables - former) & set(TABLES)):
            check(table, before, after)
        replay(before, after)

    differ()

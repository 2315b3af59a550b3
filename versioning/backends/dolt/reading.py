"""Reading on a Dolt SQL server: commits, tables as of a commit, diffs."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db import DatabaseError

from versioning.backends.repository import (
    Author,
    ChangeKind,
    Commit,
    Key,
    Row,
    TableChange,
)
from versioning.backends.sql import SqlRepository
from versioning.backends.sql.constraints import Part, UniqueIndex
from versioning.backends.sql.row_history import Asked
from versioning.backends.sql.siblings import LeftOut, left_out
from versioning.backends.sql.statements import Table, utc
from versioning.backends.sql.tables import Diff, Schema

_CUT = re.compile(r"between commits (\w+) and \w+ due to primary key set change")
_HASH = re.compile(r"[0-9a-v]{32}\Z")
_PRIMARY_KEY = re.compile(r"^\s*PRIMARY KEY \((.*)\)[^)]*$", re.M)
_LOG = "SELECT commit_hash, committer, email, date, message, parents FROM dolt_log"
_DEFINED = re.compile(r"^  `((?:[^`]|``)*)` (.*)$", re.M)  # a line a column
# In no text, as a default or a comment is.
_GENERATED = re.compile(r"^(?:[^'\n]|'(?:[^'\\]|\\.)*')* GENERATED ALWAYS AS ", re.M)
_NAME = re.compile(r"`((?:[^`]|``)*)`")
_QUOTED = r"`(?:[^`]|``)*`"
_FOREIGN_KEY = re.compile(  # a line a key
    rf"^  CONSTRAINT ({_QUOTED}) FOREIGN KEY \(({_QUOTED}(?:,{_QUOTED})*)\) "
    rf"REFERENCES ({_QUOTED}) \(({_QUOTED}(?:,{_QUOTED})*)\)",
    re.M,
)
_BEHIND_TYPE = re.compile(
    r" (?:NOT NULL|NULL|DEFAULT|AUTO_INCREMENT|COMMENT|GENERATED|ON UPDATE)\b"
)
_INTEGER = re.compile(r"(?P<size>tiny|small|medium|big|)int\b")
_SIZED = re.compile(r"(?P<kind>\w+)(?:\((?P<sizes>[\d,]+)\))?(?P<rest>.*)")
_TEXTS = ("text", "mediumtext", "longtext")
_BITS = {"tiny": 8, "small": 16, "medium": 24, "": 32, "big": 64}


class Reading(SqlRepository):
    def _quote(self, name: str) -> str:
        return "`" + name.replace("`", "``") + "`"

    # Place -------------------------------------------------------------------

    @property
    def _database(self) -> str:
        return str(self.connection.settings_dict["NAME"])

    def _place(self) -> str:
        settings = self.connection.settings_dict
        return f"{settings['HOST']}:{settings['PORT']}/{self._database}"

    def _use_base(self) -> None:
        self._execute(f"USE {self._name(self._database)}")

    @contextmanager
    def _history(self) -> Iterator[None]:
        """
        Ask from the base database: at a commit, logs and diffs are refused to
        a user who is no administrator, and merge bases to everybody.
        """
        at = self.connection.binding.at
        if at is None:
            yield
            return
        self._use_base()
        try:
            yield
        finally:
            self._execute(f"USE {self._name(self._database, '/', at)}")

    # Commits -----------------------------------------------------------------

    def is_hash(self, text: str) -> bool:
        return _HASH.match(text) is not None

    def _log(self, start: str, limit: int) -> list[Commit]:
        return self._log_from([start], limit)

    def _log_from(self, starts: Sequence[str], limit: int) -> list[Commit]:
        marks = ", ".join(["%s"] * len(starts))
        return self._read_commits(
            f"{_LOG}({marks}, '--parents') LIMIT {int(limit)}", starts
        )

    def _log_where(
        self, within: str, where: str, params: Sequence[str]
    ) -> list[Commit]:
        sql = f"{_LOG}(%s, '--parents') WHERE {where}"
        return self._read_commits(sql, [within, *params])

    def _each(self, hashes: Sequence[str]) -> list[Commit]:
        one = f"({_LOG}(%s, '--parents') LIMIT 1)"
        return self._read_commits(" UNION ALL ".join([one] * len(hashes)), hashes)

    def _read_commits(self, sql: str, params: Sequence[str]) -> list[Commit]:
        with self._history():
            rows = self._fetch(sql, params)
        return self._meet(
            [
                Commit(
                    hash,
                    Author(name, email),
                    utc(date),
                    message,
                    tuple(part for part in (parents or "").split(", ") if part),
                )
                for hash, name, email, date, message, parents in rows
            ]
        )

    def with_prefix(self, prefix: str, *, limit: int) -> list[str]:
        """The engine's own table has what branches lead to; of tags, we look."""
        found = super().with_prefix(prefix, limit=limit)
        if found or not (tags := {tag.hash for tag in self.tags()}):
            return found
        heads = {branch.head for branch in self.branches()}
        beyond = self.beyond(heads, tags).values()
        more = {hash for some in beyond for hash in some if hash.startswith(prefix)}
        return sorted(more)[:limit]

    def _engines_base(self, one: str, other: str) -> str | None:
        try:
            found = self._value("SELECT dolt_merge_base(%s, %s)", [one, other])
        except DatabaseError as error:
            if "no common ancestor" in str(error):
                return None
            raise
        return None if found is None else str(found)

    # Tables ------------------------------------------------------------------

    def _tables(self) -> list[str]:
        rows = self._fetch("SHOW FULL TABLES WHERE table_type = 'BASE TABLE'")
        return sorted(row[0] for row in rows if not self._own(row[0]))

    def _read_schema(self, at: str | None) -> Schema:
        """
        ``SHOW CREATE TABLE`` tells of one table at a time, and what differs from
        a state without tables tells of all.
        """
        if at is not None:
            self._known(at)
        empty = self._always("empty", ask=self._empty_state)
        if not empty:
            return self._read_each(at)
        with self._history():
            rows = self._fetch(
                "SELECT to_table_name, to_create_statement "
                "FROM dolt_schema_diff(%s, %s)",
                [empty, at or "WORKING"],
            )
        return {
            table: (text,)
            for table, text in rows
            if not self._own(table) and text[:12].upper() == "CREATE TABLE"
        }

    def _empty_state(self) -> str:
        """
        The hash of the first commit, which the server makes itself, without
        tables; "" if there is none like that, as in a shallow clone.
        """
        rows = self._fetch(
            "SELECT commit_hash FROM dolt_commit_ancestors WHERE parent_hash IS NULL"
        )
        for (hash,) in rows:
            if not self._fetch("SHOW TABLES AS OF %s", [hash]):
                return str(hash)
        return ""

    def _read_each(self, at: str | None) -> Schema:
        if at is None:
            return {table: self._shown(table, None) for table in self._tables()}
        rows = self._fetch("SHOW TABLES AS OF %s", [at])
        return {
            row[0]: self._shown(row[0], at) for row in rows if not self._own(row[0])
        }

    def _shown(self, table: str, at: str | None) -> tuple[str]:
        source, params = self._as_of(table, at)
        row = self._one(f"SHOW CREATE TABLE {source}", params)
        assert row is not None
        return (str(row[1]),)

    def _columns(self, table: str, at: str | None) -> list[str]:
        defined = _defined_in(self._create_statement(table, at))
        return [name for name, rest in defined if not _GENERATED.search(rest)]

    def _generated(self, table: str, at: str | None) -> frozenset[str]:
        statement = self._create_statement(table, at)
        if not _GENERATED.search(statement):
            return frozenset()
        defined = _defined_in(statement)
        return frozenset(name for name, rest in defined if _GENERATED.search(rest))

    def column_definitions(self, table: str, at: str) -> dict[str, str]:
        self._require_table(table, at)
        return {
            name: rest.removesuffix(",")
            for name, rest in _defined_in(self._create_statement(table, at))
        }

    def _primary_key(self, table: str, at: str | None) -> Key:
        return _key_in(self._create_statement(table, at))

    def _defined_key(self, table: str, at: str | None, definition: str) -> Key:
        return _key_in(definition)

    def _key_kinds(
        self, table: str, at: str | None, definition: str = ""
    ) -> Sequence[tuple[str, str]]:
        definition = definition or self._create_statement(table, at)
        rests = dict(_defined_in(definition))
        return [(name, _type_in(rests[name])) for name in _key_in(definition)]

    def _create_statement(self, table: str, at: str | None) -> str:
        known = self._shown(table, at) if self._is_open(at) else self._schema(at)[table]
        return str(known[0])

    def _table_of_state(self, table: str) -> str:
        return f"{self._name(table)} AS OF %s"

    def _as_of(self, table: str, at: str | None) -> tuple[str, list[Any]]:
        if at is None:
            return self._name(table), []
        return self._table_of_state(table), [at]

    def _read_at(self, at: str, table: str, where: str, params: Sequence[Any]) -> Table:
        return self._ask_at(at, table, f"SELECT * FROM {{}} WHERE {where}", params)

    def _ask_at(self, at: str, table: str, sql: str, params: Sequence[Any]) -> Table:
        source, first = self._as_of(table, at)
        return self._table(sql.replace("{}", source, 1), [*first, *params])

    def _summary(self, before: str, after: str) -> list[TableChange]:
        """
        Without what the engine takes for a change of schema: where the next
        key of an AUTO_INCREMENT stands, also in tables that nobody wrote to.
        """
        found = super()._summary(before, after)
        if not any(change.schema_changed for change in found):
            return found
        altered = {new or old for old, new, *_ in self._definitions(before, after)}
        exact = [
            replace(change, schema_changed=change.table in altered) for change in found
        ]
        return [
            change
            for change in exact
            if change.data_changed
            or change.schema_changed
            or change.kind is not ChangeKind.CHANGED
        ]

    def _ask_stat(self, *which: str) -> list[tuple[Any, ...]]:
        before, after, *one = which
        at = None if after == "WORKING" else after
        there = set(self.tables(at))
        changed = [
            change.table
            for change in self._summary(before, after)
            if change.data_changed
        ]
        fatal = [t for t in changed if t in there and self._kills(t, at)]
        if one or not fatal:
            return super()._ask_stat(*which)
        found = [self._count(table, before, after, at) for table in fatal]
        for table in changed:
            if table not in fatal:
                found += super()._ask_stat(before, after, table)
        return found

    def _kills(self, table: str, at: str | None) -> bool:
        """
        Whether ``dolt_diff_stat()`` ends the server where a row of the table has
        changed: it does if a VIRTUAL column has others behind it.
        """
        statement = self._create_statement(table, at)
        if not _GENERATED.search(statement):
            return False
        return any(
            _GENERATED.search(rest) and " STORED" not in rest
            for _, rest in _defined_in(statement)[:-1]
        )

    def _count(
        self, table: str, before: str, after: str, at: str | None
    ) -> tuple[Any, ...]:
        """What ``dolt_diff_stat()`` would say of a table."""
        earlier = self._head() if before == "HEAD" else before
        common: set[str] = set()
        if table in self.tables(earlier):
            common |= {*self._columns(table, at)} & {*self._columns(table, earlier)}
        ends = (
            [self._name(end, column) for end in ("to_", "from_")]
            for column in sorted(common)
        )
        differ = " + ".join(f"(NOT {exactly_same(*names)})" for names in ends)
        with self._history():
            kinds = self._fetch(
                f"SELECT diff_type, count(*), sum({differ or 0}) "
                "FROM dolt_diff(%s, %s, %s) GROUP BY diff_type",
                [before, after, table],
            )
            rows = self._value(
                f"SELECT count(*) FROM {self._name(table)} AS OF %s", [after]
            )
        counts = {kind: (int(count), int(cells or 0)) for kind, count, cells in kinds}
        none = 0, 0
        added, removed = (counts.get(kind, none)[0] for kind in ("added", "removed"))
        changed, cells = counts.get("modified", none)
        return table, added, removed, changed, cells, rows - added + removed, rows

    def _diff(self, diff: Diff, tail: str, params: Sequence[Any]) -> Table:
        with self._history():
            return self._table(*self._diff_sql(diff, tail, params))

    def _diff_sql(
        self, diff: Diff, tail: str, params: Sequence[Any]
    ) -> tuple[str, list[Any]]:
        sql = f"SELECT * FROM dolt_diff(%s, %s, %s){tail}"
        return sql, [diff.before, diff.after, diff.table, *params]

    def _way(self, diff: Diff, where: str, params: Sequence[Any], limit: int) -> Table:
        sql = (
            f"SELECT * FROM {self._name('dolt_diff_', diff.table)} AS OF %s "
            f"WHERE {where} ORDER BY to_commit_date DESC LIMIT {int(limit)}"
        )
        with self._history():
            found = self._table(sql, [diff.after, *params])
            self._always("cut", diff.table, diff.after, ask=self._ask_cut)
        return found

    def _ask_cut(self) -> str:
        """
        The commit at which the last way ended, "" if it went through all: Dolt
        says by a warning that it compares no table with one of another key.
        """
        if self.connection.connection.warning_count():
            for _, _, words in self._fetch("SHOW WARNINGS"):
                if cut := _CUT.search(words):
                    return cut[1]
        return ""

    def _left_out(self, diff: Diff, key: Key, row: Row | None, asked: Asked) -> LeftOut:
        """See ``siblings``. Of what is below a table with another key none is told."""
        ancestry = self._ancestry(diff.after, ordered=True)
        cut = self._peek("cut", diff.table, diff.after)
        below = ancestry.reached(cut) if cut else set()
        commits = (one for one in ancestry.descent(diff.after) if one[0] not in below)
        return left_out(
            commits,
            dict(ancestry.depth_first(diff.after, until=cut)),
            key,
            row,
            asked.steps,
            since=asked.since.timestamp() if asked.since else None,
            # Of the columns that the engine’s own steps have.
            look_up=lambda at: self._row_as_of(diff, at, key),
        )

    def _reads_as_written(self, diff: Diff, at: str) -> bool:
        """
        What the type of now does not hold is rounded, or missing, in
        ``dolt_diff_<table>``: text that is no number, where it has become one.
        """
        then, now = (
            dict(_defined_in(self._create_statement(diff.table, one)))
            for one in (at, diff.after)
        )
        return all(
            holds_all(_type_in(now[column]), _type_in(rest))
            for column, rest in then.items()
            if column in now
        )

    # Constraints ---------------------------------------------------------------

    def _foreign_key_columns(
        self, at: str | None
    ) -> Iterable[tuple[str, Any, str, str, str | None]]:
        # The server's own list of them has a renamed column's former name.
        at = at or self.connection.binding.at
        schema = self._read_schema(None) if self._is_open(at) else self._schema(at)
        return _foreign_key_columns_in(schema)

    def _unique_indexes(self) -> Iterable[tuple[str, UniqueIndex]]:
        # Expressions are parsed in CREATE INDEX, and no index is made of them.
        rows = self._fetch(
            "SELECT table_name, index_name, column_name, sub_part "
            "FROM information_schema.statistics WHERE table_schema = DATABASE() "
            "AND non_unique = 0 AND index_name <> 'PRIMARY' "
            "ORDER BY table_name, index_name, seq_in_index"
        )
        for (table, _), of_index in groupby(rows, key=itemgetter(0, 1)):
            columns = {column: length for _, _, column, length in of_index}
            parts = tuple(
                Part(f"left({self._name(c)}, {length})" if length else self._name(c))
                for c, length in columns.items()
            )
            yield table, UniqueIndex(parts, tuple(columns))

    def _check_clauses(self) -> Iterable[tuple[str, str, str]]:
        return self._fetch(
            "SELECT t.table_name, c.constraint_name, c.check_clause "
            "FROM information_schema.check_constraints c "
            "JOIN information_schema.table_constraints t "
            "ON t.constraint_schema = c.constraint_schema "
            "AND t.constraint_name = c.constraint_name "
            "WHERE c.constraint_schema = DATABASE() "
            "ORDER BY t.table_name, c.constraint_name"
        )

    def _required_columns(self) -> Iterable[tuple[str, str]]:
        return self._fetch(
            "SELECT table_name, column_name FROM information_schema.columns "
            "WHERE table_schema = DATABASE() AND is_nullable = 'NO' "
            "ORDER BY table_name, ordinal_position"
        )

    def _ranges(self, table: str) -> Mapping[str, tuple[int, int]]:
        """
        Of integers. In an UPDATE the engine wraps those below the range of an
        unsigned column, to four thousand millions, and cuts those above.
        """
        found = {}
        for column, kind, *_ in self._fetch(f"SHOW COLUMNS FROM {self._name(table)}"):
            if integer := _INTEGER.match(kind):
                size = 2 ** _BITS[integer["size"]]
                lowest = 0 if "unsigned" in kind else -size // 2
                found[column] = (lowest, lowest + size - 1)
        return found


def exactly_same(one: str, other: str) -> str:
    """
    A condition that two columns, given as SQL, hold the same; NULL is the same
    as NULL. To a collation, words that differ by case or accents are, too.
    """
    return f"CAST({one} AS BINARY) <=> CAST({other} AS BINARY)"


def _defined_in(definition: str) -> list[tuple[str, str]]:
    """Columns in order, with the rest of their lines."""
    found = _DEFINED.findall(definition)
    return [(name.replace("``", "`"), rest) for name, rest in found]


def _type_in(rest: str) -> str:
    """A column's type, of the rest of its line; its collation belongs to it."""
    return _BEHIND_TYPE.split(rest.removesuffix(","), maxsplit=1)[0]


def holds_all(type: str, other: str) -> bool:
    """Whether a column of a type takes all that one of another type can hold."""
    if type == other:
        return True
    one, two = _SIZED.fullmatch(type), _SIZED.fullmatch(other)
    if one and two and one["rest"] == two["rest"]:
        sizes, others = (
            [int(size) for size in (found["sizes"] or "").split(",") if size]
            for found in (one, two)
        )
        match one["kind"], two["kind"]:
            case "varchar", "varchar":
                return sizes >= others
            case "decimal", "decimal":
                (digits, places), (fewer, lesser) = sizes, others
                return places >= lesser and digits - places >= fewer - lesser
            case kind, "varchar" if kind in _TEXTS:
                return True
            case kind, other_kind if kind in _TEXTS and other_kind in _TEXTS:
                return _TEXTS.index(kind) >= _TEXTS.index(other_kind)
    large, small = _INTEGER.match(type), _INTEGER.match(other)
    return bool(
        large
        and small
        and ("unsigned" in type) == ("unsigned" in other)
        and _BITS[large["size"]] >= _BITS[small["size"]]
    )


def _foreign_key_columns_in(
    schema: Schema,
) -> Iterator[tuple[str, str, str, str, str]]:
    for table, (statement,) in sorted(schema.items()):
        for found in _FOREIGN_KEY.findall(statement):
            (name,), columns, (parent,), to = map(names_in, found)
            for column, parent_column in zip(columns, to, strict=True):
                yield table, name, column, parent, parent_column


def _key_in(definition: str) -> Key:
    match = _PRIMARY_KEY.search(definition)
    return () if match is None else names_in(match[1])


def names_in(quoted: str) -> tuple[str, ...]:
    """The names in a list of them, as a definition has it."""
    return tuple(name.replace("``", "`") for name in _NAME.findall(quoted))

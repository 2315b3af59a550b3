"""Finding commits and rows, in the SQL that both engines take."""

import json
import re
from collections.abc import Collection, Sequence

from versioning.backends.repository import Key, Row
from versioning.backends.sql.statements import batches
from versioning.backends.sql.tables import Tables

_PREFIX = re.compile("[0-9a-v]{4,40}")  # of either engine’s hashes


class Searching(Tables):
    def with_prefix(self, prefix: str, *, limit: int) -> list[str]:
        if not _PREFIX.fullmatch(prefix):
            raise ValueError(f"No hash begins with “{prefix}”.")
        rows = self._fetch(
            "SELECT DISTINCT commit_hash FROM dolt_commit_ancestors "
            f"WHERE commit_hash LIKE %s ORDER BY commit_hash LIMIT {int(limit)}",
            [f"{prefix}%"],
        )
        return [row[0] for row in rows]

    def tables_changed(self, hashes: Sequence[str]) -> dict[str, frozenset[str]]:
        found: dict[str, set[str]] = {hash: set() for hash in hashes}
        for batch in batches(hashes):
            marks = ", ".join(["%s"] * len(batch))
            with self._history():
                rows = self._fetch(
                    "SELECT commit_hash, table_name FROM dolt_diff "
                    f"WHERE commit_hash IN ({marks})",
                    batch,
                )
            for hash, table in rows:
                if not self._own(table):
                    found[hash].add(table)
        return {hash: frozenset(tables) for hash, tables in found.items()}

    def search_rows(
        self,
        table: str,
        columns: Sequence[str],
        text: str,
        *,
        at: str,
        since: Key | None = None,
        limit: int,
        scanned: int,
        documents: Collection[str] = (),
    ) -> tuple[list[Row], Key | None]:
        self._known(at)
        primary = self.primary_key(table, at)
        if not primary:
            raise ValueError(f"“{table}” has no primary key to page by.")
        there = set(self._columns(table, at))
        columns = [column for column in columns if column in there]
        if not columns:
            return [], None
        keys = [self._name(column) for column in primary]
        after, params = self._key_after(keys, since) if since else ("1 = 1", [])
        order = ", ".join(keys)
        window = f"SELECT * FROM {{}} WHERE {after} ORDER BY {order}"
        parts = [
            self._finding(column, spelled, column in documents)
            for column in columns
            for spelled in {text, *([_escaped(text)] if column in documents else [])}
        ]
        holds = " OR ".join(condition for condition, _ in parts)
        read = self._ask_at(
            at,
            table,
            f"SELECT * FROM ({window} LIMIT {int(scanned)}) AS scanned "
            f"WHERE {holds} ORDER BY {order} LIMIT {int(limit) + 1}",
            [*params, *(part for _, part in parts)],
        )
        found = self._as_rows(table, at, read)
        if len(found) > limit:
            last = found[limit - 1]
            return found[:limit], tuple(last[column] for column in primary)
        # The last row of the window, if the table goes on after it.
        _, ends = self._ask_at(
            at,
            table,
            f"SELECT {order} FROM {{}} WHERE {after} "
            f"ORDER BY {order} LIMIT 2 OFFSET {int(scanned) - 1}",
            params,
        )
        return found, tuple(ends[0]) if len(ends) > 1 else None

    def _finding(self, column: str, text: str, is_document: bool) -> tuple[str, str]:
        """A condition that a column holds a text, and its parameter."""
        like = self.connection.operators["icontains"].partition(" ESCAPE ")[0]
        return f"{self._name(column)} {like} ESCAPE '!'", _pattern(text)


def _escaped(text: str) -> str:
    """As JSON writes it within a text: its quotes and ends of lines are two signs."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _pattern(text: str) -> str:
    """Of a text anywhere, with what has a meaning in a pattern escaped."""
    return "%" + re.sub("[!%_]", lambda match: f"!{match[0]}", text) + "%"

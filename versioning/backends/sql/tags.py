"""Tags, in the SQL that both engines take."""

from typing import Any

from django.db import OperationalError

from versioning.backends.errors import (
    InvalidTagName,
    TagExists,
    TagMoved,
    TagNotFound,
)
from versioning.backends.repository import Author, Tag
from versioning.backends.sql.history import History
from versioning.backends.sql.statements import utc

_TAGS = "SELECT tag_name, tag_hash, tagger, email, date, message FROM dolt_tags"

# How either engine says it: part of its text, and the error that it is.
_SAID = (
    ("already exists", TagExists),
    ("valid user tag name", InvalidTagName),
    ("invalid tag name", InvalidTagName),
    ("tag name required", InvalidTagName),
    ("Invalid dataset ID", InvalidTagName),
    ("tag not found", TagNotFound),
)


class Tags(History):
    def tags(self) -> list[Tag]:
        found = [_tag(row) for row in self._fetch(_TAGS)]
        self._met.update(tag.hash for tag in found)
        return sorted(found, key=lambda tag: tag.name)

    def tag(self, name: str) -> Tag:
        for row in self._fetch(f"{_TAGS} WHERE tag_name = %s", [name]):
            if row[0] == name:  # whatever the collation calls equal
                return _tag(row)
        raise TagNotFound(name)

    def create_tag(self, name: str, at: str, *, message: str, author: Author) -> None:
        self._outside_atomic()
        by = self._check_author(author)
        self._check_message(message)
        start = self.resolve(at)
        # The engines tell names apart by case; an address or a reader may not.
        if any(tag.name.lower() == name.lower() for tag in self.tags()):
            raise TagExists(name)
        self._tag_call(name, "-m", message, "--author", by, "--", name, start)

    def delete_tag(self, name: str, *, expected: str | None = None) -> str:
        self._outside_atomic()
        found = self.tag(name).hash
        if expected is not None and found != expected:
            raise TagMoved(name, expected, found)
        self._tag_call(name, "-d", "--", name)
        return found

    def _tag_call(self, name: str, *args: str) -> None:
        """``dolt_tag`` with these arguments, its errors by type for ``name``."""
        try:
            self._execute(self._call("dolt_tag", len(args)), args)
        except OperationalError as error:
            text = str(error.args[-1]) if error.args else ""
            for sign, kind in _SAID:
                if sign in text:
                    raise kind(name) from error
            raise


def _tag(row: tuple[Any, ...]) -> Tag:
    name, hash, tagger, email, date, message = row
    return Tag(name, hash, Author(tagger, email), utc(date), message or "")

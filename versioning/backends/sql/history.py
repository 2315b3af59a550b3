"""Branches and commits, in the SQL that both engines take."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from django.db import OperationalError

from versioning.backends.errors import (
    BranchExists,
    BranchIsDefault,
    BranchMoved,
    BranchNotFound,
    EngineError,
    UnknownRef,
)
from versioning.backends.repository import Author, Branch, Commit
from versioning.backends.sql.statements import Statements, batches, utc

_BRANCHES = (
    "SELECT name, hash, latest_committer, latest_committer_email, "
    "latest_commit_date, latest_commit_message, dirty FROM dolt_branches"
)


REMEMBERED = 50  # commits between two, at most


class History(Statements):
    # Branches ----------------------------------------------------------------

    def branches(self) -> list[Branch]:
        found = [_branch(row) for row in self._fetch(_BRANCHES)]
        self._met.update(branch.head for branch in found)
        return sorted(found, key=lambda branch: branch.name)

    def branch(self, name: str) -> Branch:
        for row in self._fetch(f"{_BRANCHES} WHERE name = %s", [name]):
            if row[0] == name:  # whatever the collation calls equal
                return _branch(row)
        raise BranchNotFound(name)

    def head(self, branch: str) -> str:
        found = self._named("dolt_branches", "name", "hash", branch)
        if found is None:
            raise BranchNotFound(branch)
        self._note_commit(found)
        if self.connection.binding.branch == branch:
            self._always("head", None, ask=lambda: found)  # as ``_head()`` asks
        return found

    def new_commits(self, seen: Mapping[str, str]) -> dict[str, int | None]:
        marks = ", ".join(["%s"] * len(seen))
        sql = f"SELECT name, hash FROM dolt_branches WHERE name IN ({marks})"
        heads = dict(self._fetch(sql, list(seen))) if seen else {}
        found: dict[str, int | None] = {
            name: None for name, hash in seen.items() if heads.get(name) != hash
        }
        told = [n for n in found if n in heads and self.is_hash(seen[n])]
        if not told:
            return found
        one = "(SELECT count(*) FROM dolt_log(%s))"
        ranges = [f"{seen[name]}..{heads[name]}" for name in told]
        try:
            with self._history():
                counts = self._one(f"SELECT {', '.join([one] * len(told))}", ranges)
        except OperationalError as error:
            if isinstance(error, EngineError):
                raise
            return found  # one of them is no commit's hash
        return found | dict(zip(told, map(int, counts or ()), strict=True))

    def create_branch(self, name: str, at: str) -> None:
        self._outside_atomic()
        start = self.resolve(at)
        self._refuse_taken(name)
        self._branch_call(name, "--", name, start)

    def rename_branch(self, old: str, new: str) -> None:
        self._outside_atomic()
        self.head(old)
        self._refuse_default(old)
        self._refuse_taken(new, but=old)
        self._leave_branch(old)
        # By force: connections that idle on it do not keep its name.
        self._branch_call(new, "-m", "-f", "--", old, new)

    def delete_branch(self, name: str, *, expected_head: str | None = None) -> str:
        self._outside_atomic()
        self._refuse_default(name)
        self._leave_branch(name)
        # A commit that came after the look at the head would go with the branch.
        alone = nullcontext() if expected_head is None else self._without_writers(name)
        with alone:
            head = self.head(name)
            if expected_head is not None and head != expected_head:
                raise BranchMoved(name, expected_head, head)
            self._branch_call(name, "-D", "--", name)
        return head

    def _without_writers(self, branch: str) -> AbstractContextManager[Any]:
        """Keep writers off a branch, for a block that may delete it."""
        return self.without_writers(branch)

    def _leave_branch(self, name: str) -> None:
        if self.connection.binding.branch == name:
            self.connection.unbind()

    def _refuse_taken(self, name: str, *, but: str = "") -> None:
        for branch in self.branches():
            if branch.name.lower() == name.lower() and branch.name != but:
                raise BranchExists(name)

    def _refuse_default(self, name: str) -> None:
        if name == self.default_branch():
            raise BranchIsDefault(name)

    def _require_head(self, branch: str, expected: str) -> None:
        found = self.head(branch)
        if found != expected:
            raise BranchMoved(branch, expected, found)

    def _require_bound(self, branch: str) -> None:
        if (self.connection.binding.branch or self.default_branch()) != branch:
            raise ValueError(f"The connection isn’t bound to “{branch}”.")

    @abstractmethod
    def _branch_call(self, name: str, *args: str) -> None:
        """``dolt_branch`` with these arguments, its errors by type for ``name``."""

    # Refs --------------------------------------------------------------------

    def _named(self, table: str, column: str, hash: str, name: str) -> str | None:
        for found, value in self._fetch(
            f"SELECT {column}, {hash} FROM {table} WHERE {column} = %s", [name]
        ):
            if found == name:  # whatever the collation calls equal
                return str(value)
        return None

    def resolve(self, ref: str) -> str:
        found = self._named("dolt_branches", "name", "hash", ref) or self._named(
            "dolt_tags", "tag_name", "tag_hash", ref
        )
        if found is None:
            self._known(ref)
            return ref
        self._note_commit(found)
        return found

    # Commits -----------------------------------------------------------------

    def _meet(self, commits: Sequence[Commit]) -> list[Commit]:
        """Commits that were read: they exist, and so do their parents."""
        for commit in commits:
            self._met.update((commit.hash, *commit.parents))
        return list(commits)

    @abstractmethod
    def _log(self, start: str, limit: int) -> list[Commit]:
        """
        The commits of a hash or of a range ``a..b``, children before parents;
        the hashes are known to exist.
        """

    @abstractmethod
    def _log_from(self, starts: Sequence[str], limit: int) -> list[Commit]:
        """``log()`` for several hashes that are known to exist."""

    def commit(self, hash: str) -> Commit:
        if not self.is_hash(hash):
            raise UnknownRef(hash)
        try:
            found = self._log(hash, 1)
        except OperationalError as error:
            if isinstance(error, EngineError):
                raise
            raise UnknownRef(hash) from error
        # Not so where a branch is called like a hash.
        if not found or found[0].hash != hash:
            raise UnknownRef(hash)
        return found[0]

    def commits(self, hashes: Sequence[str]) -> list[Commit]:
        self._known(*hashes)
        found = {
            commit.hash: commit
            for batch in batches(hashes)
            # Dolt takes no UNION of one part.
            for commit in (
                self._each(batch) if len(batch) > 1 else self._log(batch[0], 1)
            )
        }
        return [found[hash] for hash in hashes]

    @abstractmethod
    def _each(self, hashes: Sequence[str]) -> list[Commit]:
        """The commits with these hashes, which exist, in any order."""

    def log(self, starts: Sequence[str], *, limit: int) -> list[Commit]:
        once = list(dict.fromkeys(starts))
        self._known(*once)
        return self._log_from(once, limit) if once and limit > 0 else []

    def commits_between(
        self, exclude: str, include: str, *, limit: int
    ) -> list[Commit]:
        self._known(exclude, include)
        if (whole := self._peek("between", exclude, include)) is not None:
            return list(whole[:limit])
        found = self._log(f"{exclude}..{include}", limit)
        if len(found) < min(limit, REMEMBERED):
            self._always("between", exclude, include, ask=lambda: tuple(found))
        return found

    def commits_saying(
        self, texts: Sequence[str], exclude: str, include: str
    ) -> list[Commit]:
        self._known(exclude, include)
        where = " OR ".join(["message LIKE %s"] * len(texts))
        patterns = [f"%{text}%" for text in texts]

        def ask() -> tuple[Commit, ...]:
            return tuple(self._log_where(f"{exclude}..{include}", where, patterns))

        return list(self._always("saying", *texts, exclude, include, ask=ask))


def _branch(row: tuple[Any, ...]) -> Branch:
    name, head, author, email, date, message, dirty = row
    return Branch(name, head, Author(author, email), utc(date), message, bool(dirty))

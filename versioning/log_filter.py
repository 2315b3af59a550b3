"""Which commits of a log are asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from versioning.backends.repository import Commit, Repository
from versioning.trailers import without_machines


@dataclass(frozen=True, slots=True)
class LogFilter:
    """
    All that is given has to fit. Texts are parts, whatever their case; the
    times are aware, ``since`` included and ``until`` not.
    """

    text: str = ""  # of the message, as people read it
    author: str = ""  # of the name or the address
    since: datetime | None = None
    until: datetime | None = None
    table: str = ""  # changed, against the first parent

    @property
    def is_any(self) -> bool:
        """Whether anything is asked for at all."""
        return self != EVERY

    def take(self, repository: Repository, commits: Sequence[Commit]) -> set[str]:
        """Hashes of those of ``commits`` that fit."""
        fitting = [commit.hash for commit in commits if self._fits(commit)]
        if not self.table:
            return set(fitting)
        changed = repository.tables_changed(fitting)
        return {hash for hash in fitting if self.table in changed[hash]}

    def _fits(self, commit: Commit) -> bool:
        by = f"{commit.author.name} <{commit.author.email}>"
        return (
            self.text.casefold() in without_machines(commit.message).casefold()
            and self.author.casefold() in by.casefold()
            and (self.since is None or commit.date >= self.since)
            and (self.until is None or commit.date < self.until)
        )


EVERY = LogFilter()

"""
Test cases for a project's own tests: each test begins with the branches that
its class began with, and ends with them.

Engines can't take a commit back by a rollback, so the versioned database is put
back by its branches, and Django's transactions are for the other ones.
"""

from dataclasses import dataclass
from typing import Any

from django import test
from django.core.management import call_command
from django.db import transaction

from versioning.backends.repository import Tag
from versioning.conf import connection, options
from versioning.merging import memory


@dataclass(frozen=True)
class Branches:
    """What the branches and tags of the versioned database are at."""

    heads: dict[str, str]  # hashes by name
    tags: dict[str, Tag]  # by name

    @classmethod
    def now(cls) -> "Branches":
        repository = connection().repository
        return cls(
            heads={branch.name: branch.head for branch in repository.branches()},
            tags={tag.name: tag for tag in repository.tags()},
        )

    def put_back(self) -> None:
        """
        Bring each branch back to where it was, and its rows; what came since is
        gone, and what nobody committed, too.
        """
        versioned = connection()
        versioned.unbind()
        memory.forget()
        repository = versioned.repository
        tags = {tag.name: tag for tag in repository.tags()}
        for name, tag in tags.items():
            if self.tags.get(name) != tag:
                repository.delete_tag(name)
        found = {branch.name: branch for branch in repository.branches()}
        for name in found.keys() - self.heads.keys():
            repository.delete_branch(name)
        for name, head in self.heads.items():
            branch = found.get(name)
            if branch is None:
                repository.create_branch(name, head)
            elif branch.head != head or branch.dirty:
                with (
                    versioned.bound(name),
                    versioned.writing(),
                    transaction.atomic(using=versioned.alias),
                ):
                    repository.reset(head)
        for name, tag in self.tags.items():
            if tags.get(name) != tag:
                repository.create_tag(
                    name, tag.hash, message=tag.message, author=tag.tagger
                )
        versioned.unbind()


class VersionedMixin:
    """
    For a test case of Django's, before it: branches and commits are real in its
    tests, and don't outlive them.

    Rows of versioned models are written by ``on_branch()``, as in a script, in
    ``setUpTestData()`` too, or by the views under test.
    """

    databases: Any = "__all__"
    fixtures: Any
    _kept: Branches

    @classmethod
    def setUpClass(cls) -> None:
        cls.addClassCleanup(Branches.now().put_back)  # type: ignore[attr-defined]
        if cls.fixtures:
            call_command(
                "loaddata", *cls.fixtures, verbosity=0, database=options().database
            )
        super().setUpClass()  # type: ignore[misc]
        cls._kept = Branches.now()

    def run(self, result: Any = None) -> Any:
        self.addCleanup(self._kept.put_back)  # type: ignore[attr-defined]
        return super().run(result)  # type: ignore[misc]

    @classmethod
    def _databases_names(cls, include_mirrors: bool = True) -> list[str]:
        """Those that Django rolls back, or flushes."""
        names = super()._databases_names(include_mirrors)  # type: ignore[misc]
        return [name for name in names if name != options().database]


class VersionedTestCase(VersionedMixin, test.TestCase):
    """Django's ``TestCase``, with branches."""


class VersionedTransactionTestCase(VersionedMixin, test.TransactionTestCase):
    """Django's ``TransactionTestCase``, with branches."""

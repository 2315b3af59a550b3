"""The polls with more migrations than they have: what an application becomes."""

import importlib
import sys
from pathlib import Path
from typing import Any

from django.core.management import call_command

from polls import migrations as written

#: Operations, as a migration's source has them.
MOOD = "migrations.AddField('question', 'mood', models.IntegerField(null=True))"
NO_DETAILS = "migrations.RemoveField('question', 'details')"


def length(of: int) -> str:
    """The operation that gives the question's text another length."""
    return (
        "migrations.AlterField('question', 'text', "
        f"models.CharField('question', max_length={of}))"
    )


_MODULE = """\
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("polls", {before!r})]
    operations = [{operations}]
"""


class Code:
    """
    The migrations of the polls, as the code has them: at first those of the
    application, copied into a folder that is a package. Names "0002_mood".
    """

    def __init__(self, folder: Path, settings: Any):
        self.folder = folder
        self._settings = settings
        (folder / "__init__.py").touch()
        for path in Path(written.__path__[0]).glob("0*.py"):
            (folder / path.name).write_text(path.read_text())
        self._publish()

    def add(self, name: str, *operations: str) -> str:
        """Add a migration after the last one; "polls.0002_mood"."""
        before = sorted(path.stem for path in self.folder.glob("0*.py"))[-1]
        (self.folder / f"{name}.py").write_text(
            _MODULE.format(before=before, operations=", ".join(operations))
        )
        self._publish()
        return f"polls.{name}"

    def squash(self, name: str) -> str:
        """One migration in place of all, whose files are gone; "polls.0001_all"."""
        replaced = sorted(path.stem for path in self.folder.glob("0*.py"))
        first = (self.folder / f"{replaced[0]}.py").read_text()
        for one in replaced:
            (self.folder / f"{one}.py").unlink()
        pairs = [("polls", one) for one in replaced]
        (self.folder / f"{name}.py").write_text(f"{first}\n    replaces = {pairs!r}\n")
        self._publish()
        return f"polls.{name}"

    def remove(self, name: str) -> None:
        """Go back to code that lacks a migration."""
        (self.folder / f"{name}.py").unlink()
        self._publish()

    def migrate(self, branch: str, to: str = "") -> None:
        """Bring a branch to a migration, or to the last one."""
        where = [to] if to else []
        call_command(
            "migrate", "polls", *where, database="versioned", branch=branch, verbosity=0
        )

    def forget(self) -> None:
        """Take its modules out of memory."""
        for name in [name for name in sys.modules if name.startswith(self.folder.name)]:
            del sys.modules[name]

    def _publish(self) -> None:
        self.forget()
        importlib.invalidate_caches()
        self._settings.MIGRATION_MODULES = {"polls": self.folder.name}

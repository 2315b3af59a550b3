"""What the commands that write to the versioned database have in common."""

from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from versioning.backends.repository import Author
from versioning.conf import options
from versioning.unit_of_work import schema_change

AUTHOR = Author("manage.py", "manage.py@pollard.invalid")


def add_branch_argument(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--branch",
        help="Branch of the versioned database to work on (default: its default).",
    )


@contextmanager
def committed(given: dict[str, Any], message: str) -> Iterator[None]:
    """Run a command's work as one commit, if it is for the versioned database."""
    if given["database"] != options().database:
        yield
        return
    with schema_change(given["branch"], author=AUTHOR, message=message):
        yield

"""
The folder that ``make run`` keeps its data in, and ``make reset``, which
deletes what is in it. Run by itself, this file is the latter.
"""

import fcntl
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

ROOT = Path(__file__).resolve().parent.parent


class InUse(Exception):
    """A site runs on the folder; ``str()`` says so."""


class DataFolder:
    """POLLARD_DATA_DIR, or ``var`` in the checkout."""

    #: All that the site and its engines write there. Anything else in a folder
    #: that somebody named is theirs, and stays.
    CONTENTS = ("console.db*", ".console.db*", "data.db*", ".data.db*", "dolt")

    def __init__(self, path: Path):
        self.path = path

    @classmethod
    def from_environment(cls) -> Self:
        named = os.environ.get("POLLARD_DATA_DIR")
        return cls(Path(named).absolute() if named else ROOT / "var")

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Keep ``reset()`` away. Any number of sites may share a folder."""
        with self._locked(shared=True):
            yield

    def reset(self) -> list[Path]:
        """
        Delete the data and return what was deleted.

        Raises ``InUse`` while a site runs on it.
        """
        if not self.path.is_dir():
            return []
        with self._locked(shared=False):
            doomed = sorted(
                path for name in self.CONTENTS for path in self.path.glob(name)
            )
            for path in doomed:
                if path.is_dir():
                    shutil.rmtree(path)
                else:
                    path.unlink()
        return doomed

    @contextmanager
    def _locked(self, *, shared: bool) -> Iterator[None]:
        self.path.mkdir(parents=True, exist_ok=True)
        folder = os.open(self.path, os.O_RDONLY)
        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        try:
            fcntl.flock(folder, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(folder)
            raise InUse(
                f"Pollard is running on {self.path}: stop it first (Ctrl-C)."
            ) from None
        try:
            yield
        finally:
            os.close(folder)


def main() -> None:
    folder = DataFolder.from_environment()
    try:
        deleted = folder.reset()
    except InUse as reason:
        sys.exit(str(reason))
    for path in deleted:
        print(f"Deleted {path}")
    print("The next “make run” begins with fresh demo data.")
    if server := os.environ.get("POLLARD_DOLT_HOST"):
        print(f"The databases on {server} were not touched.")


if __name__ == "__main__":
    main()

"""
The project's own Python environment: ``.venv``, filled from ``requirements/``.

    python3 tools/environment.py base

Only the standard library is needed.
"""

import fcntl
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"

#: What `pip install` needs from the machine, where a wheel is not enough.
NEEDS = {
    "dolt": (
        "mysqlclient, which talks to a Dolt server, is built on this machine: "
        "it needs a C compiler and MySQL's client headers (Debian: apt-get install "
        "build-essential pkg-config python3-dev default-libmysqlclient-dev; "
        "macOS: brew install mysql-client pkg-config)."
    ),
}


class CannotInstall(Exception):
    """Something is missing on this machine; ``str()`` is one sentence about it."""


def ensure(*names: str) -> Path:
    """
    Make ``.venv`` if it is missing, and install ``requirements/<name>.txt`` for
    each name unless just that file was installed before. Returns the path of
    the environment's Python. Two at once wait for each other.

    Raises ``CannotInstall``.
    """
    with _alone():
        _create()
        for name in names:
            _install(name)
    return python_path()


def python_path() -> Path:
    return VENV / "bin" / "python"


def _create() -> None:
    if _works() and not _another_python_was_asked_for():
        return
    try:
        import ensurepip  # noqa: F401
        import venv
    except ImportError:
        raise CannotInstall(
            "Python's venv module is missing (Debian: apt-get install python3-venv)."
        ) from None
    print("Making the environment .venv", flush=True)
    venv.create(VENV, clear=True, with_pip=True, symlinks=True)


def _works() -> bool:
    """Whether ``.venv`` is whole: not half made, its Python not uninstalled."""
    asked = [str(python_path()), "-c", "import pip"]
    try:
        return subprocess.run(asked, capture_output=True).returncode == 0
    except OSError:
        return False


def _another_python_was_asked_for() -> bool:
    """
    Whether PYTHON was named, and isn't the one that ``.venv`` was made with.
    Unnamed, whatever ``python3`` means today leaves an environment alone.
    """
    if not os.environ.get("POLLARD_PYTHON_NAMED"):
        return False
    asked = [str(python_path()), "-c", "import sys; print(sys.base_prefix)"]
    made_with = subprocess.run(asked, capture_output=True, text=True).stdout.strip()
    return made_with != sys.base_prefix


def _install(name: str) -> None:
    wanted = ROOT / "requirements" / f"{name}.txt"
    fingerprint = hashlib.sha256(wanted.read_bytes()).hexdigest()
    stamp = VENV / f".installed-{name}"
    if stamp.exists() and stamp.read_text() == fingerprint:
        return
    print(f"Installing requirements/{name}.txt", flush=True)
    pip = [str(python_path()), "-m", "pip", "install", "--quiet", "--no-input"]
    pip += ["--disable-pip-version-check", "--require-hashes", "-r", str(wanted)]
    done = subprocess.run(pip, cwd=ROOT, capture_output=name in NEEDS, text=True)
    if done.returncode:
        if name in NEEDS:
            log = VENV / f"install-{name}.log"
            log.write_text(done.stdout + done.stderr)
            raise CannotInstall(f"{NEEDS[name]} What pip said is in {log}.")
        raise CannotInstall(f"pip could not install requirements/{name}.txt.")
    stamp.write_text(fingerprint)


@contextmanager
def _alone() -> Iterator[None]:
    """One process at a time: the checkout's own folder is the lock."""
    folder = os.open(ROOT, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


if __name__ == "__main__":
    try:
        ensure(*sys.argv[1:])
    except CannotInstall as missing:
        sys.exit(str(missing))

"""
``make dolt``: build the Dolt server that ``tools/dolt/go.mod`` pins into the
user's cache folder, outside the checkout. Does nothing if it is there.

Takes about three minutes when Go has not compiled it before.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from dolt_server import VERSION, cache_path

MODULE = Path(__file__).resolve().parent / "dolt"
PACKAGE = "github.com/dolthub/dolt/go/cmd/dolt"


class CannotBuild(Exception):
    """``str()`` is one sentence that says what this machine lacks."""


def main() -> None:
    target = cache_path()
    if os.access(target, os.X_OK):
        print(f"Dolt {VERSION} is there: {target}")
        return
    _check_tools()
    print(f"Building Dolt {VERSION} (three minutes the first time)", flush=True)
    began = time.monotonic()
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        built = Path(scratch) / "dolt"
        _build(built)
        _check_version(built)
        built.replace(target)  # whole or not at all
    print(f"Built in {time.monotonic() - began:.0f} s: {target}")


def _check_tools() -> None:
    if shutil.which("go") is None:
        raise CannotBuild(
            "Dolt is built with Go, which was not found: install Go 1.25 or newer "
            "(https://go.dev/dl), or set POLLARD_DOLT to a dolt that you have."
        )
    compiler = shutil.which(os.environ.get("CC") or "cc")
    if compiler is None:
        raise CannotBuild(
            "Dolt needs a C compiler, and there is none "
            "(Debian: apt-get install build-essential)."
        )
    probe = subprocess.run(
        [compiler, "-E", "-x", "c", "-"],
        input="#include <unicode/uregex.h>\n",
        capture_output=True,
        text=True,
    )
    if probe.returncode:
        raise CannotBuild(
            "Dolt needs the headers of ICU, which were not found "
            "(Debian: apt-get install libicu-dev)."
        )


def _build(output: Path) -> None:
    command = ["go", "build", "-trimpath", "-buildvcs=false"]
    command += ["-tags=icu_static,netgo", "-o", str(output), PACKAGE]
    environment = {**os.environ, "CGO_ENABLED": "1"}
    if subprocess.run(command, cwd=MODULE, env=environment).returncode:
        raise CannotBuild("Go could not build Dolt: what it said is above.")


def _check_version(dolt: Path) -> None:
    with tempfile.TemporaryDirectory() as home:
        asked = subprocess.run(
            [dolt, "version"],
            cwd=home,
            env={**os.environ, "DOLT_ROOT_PATH": home},
            capture_output=True,
            text=True,
        )
    if f"dolt version {VERSION}" not in asked.stdout:
        raise CannotBuild(
            f"tools/dolt/go.mod gave “{asked.stdout.strip()}”, not {VERSION}."
        )


if __name__ == "__main__":
    try:
        main()
    except CannotBuild as reason:
        sys.exit(str(reason))

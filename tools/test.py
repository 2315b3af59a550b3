"""
``make test``: the whole suite on the embedded engine, and again on a Dolt
server where a ``dolt`` is found; the browser's part where Chromium is found.

What was left out is said in the last line. POLLARD_REQUIRE=dolt,browser makes
leaving one out a failure. Arguments go to pytest (``make test ARGS="-k name"``).
"""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import environment
from dolt_server import DoltServerError, find_dolt

NAMES = {"doltlite": "DoltLite", "dolt": "Dolt"}
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

_COLOUR = re.compile(rb"\x1b\[[0-9;]*m")
_SUMMARY = re.compile(r"^(?:=+ )?(\d+ [a-z].* in [\d.]+s.*?|no tests ran.*?)(?: =+)?$")
_NOTHING_COLLECTED = 5


@dataclass(frozen=True)
class Outcome:
    """What pytest said of one engine: its exit code and its closing line."""

    engine: str
    code: int
    summary: str

    @property
    def passed(self) -> bool:
        return self.code in (0, _NOTHING_COLLECTED)


def main() -> int:
    python = environment.ensure("test")
    left_out: dict[str, str] = {}  # what, in the words of POLLARD_REQUIRE: why
    engines = ["doltlite"]
    if reason := _why_no_dolt():
        left_out["dolt"] = reason
    else:
        engines.append("dolt")
    browser = find_browser(python)
    if browser is None:
        left_out["browser"] = (
            "no Chromium was found; install one, or run "
            ".venv/bin/playwright install chromium"
        )
    required = set(filter(None, os.environ.get("POLLARD_REQUIRE", "").split(",")))
    if missing := required & left_out.keys():
        for name in sorted(missing):
            print(f"POLLARD_REQUIRE names {name}, but {left_out[name]}.")
        return 1
    outcomes = [_run(python, engine, browser) for engine in engines]
    print()
    for outcome in outcomes:
        print(f"{NAMES[outcome.engine]}: {outcome.summary}")
    if left_out:
        said = "; ".join(f"{name} ({reason})" for name, reason in left_out.items())
        print(f"Left out: {said}.")
    return 0 if all(outcome.passed for outcome in outcomes) else 1


def _why_no_dolt() -> str | None:
    try:
        if find_dolt() is None:
            return "no dolt was found; “make dolt” builds one"
        environment.ensure("dolt")
    except (DoltServerError, environment.CannotInstall) as reason:
        return str(reason).rstrip(".")
    return None


def find_browser(python: Path) -> Path | None:
    """The Chromium to test with: this machine's, or Playwright's own."""
    for name in BROWSERS:
        if found := shutil.which(name):
            return Path(found)
    asked = subprocess.run(
        [
            python,
            "-c",
            "from playwright.sync_api import sync_playwright\n"
            "with sync_playwright() as p: print(p.chromium.executable_path)",
        ],
        capture_output=True,
        text=True,
    )
    own = asked.stdout.strip()
    return Path(own) if own and os.access(own, os.X_OK) else None


def _run(python: Path, engine: str, browser: Path | None) -> Outcome:
    command = [str(python), "-m", "pytest", "-n", "2", *sys.argv[1:]]
    if sys.stdout.isatty():
        command += ["--color=yes"]
    settings = {**os.environ, "POLLARD_ENGINE": engine, "PYTHONUNBUFFERED": "1"}
    if browser is None:
        command += ["--ignore=tests/browser"]
    else:
        settings["POLLARD_CHROMIUM"] = str(browser)
    print(f"\n{NAMES[engine]}", flush=True)
    process = subprocess.Popen(
        command, cwd=environment.ROOT, env=settings, stdout=subprocess.PIPE
    )
    printed = _echo(process)
    return Outcome(engine, process.wait(), _closing_line(printed))


def _echo(process: subprocess.Popen[bytes]) -> bytes:
    """Pass on what the process prints, as it comes, and return all of it."""
    assert process.stdout is not None
    pieces = []
    while piece := os.read(process.stdout.fileno(), 65536):
        sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
        pieces.append(piece)
    return b"".join(pieces)


def _closing_line(printed: bytes) -> str:
    """pytest's last line, without its rulers: “12 passed in 3.4s”."""
    for line in reversed(_COLOUR.sub(b"", printed).decode().splitlines()):
        if found := _SUMMARY.match(line):
            return found[1]
    return "pytest ended before its summary"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except environment.CannotInstall as missing:
        sys.exit(str(missing))
    except KeyboardInterrupt:
        sys.exit(130)

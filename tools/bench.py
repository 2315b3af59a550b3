"""
``make bench``: how long the site takes beside the raw engine, on each engine.

Writes ``docs/performance.json`` and, from it, ``docs/performance.md``. Names
measure only these (``make bench ARGS="votes"``) and write nothing.
"""

import datetime as dt
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import environment
from dolt_server import find_dolt

NAMES = {"doltlite": "DoltLite", "dolt": "Dolt"}
DOCS = environment.ROOT / "docs"


def main() -> int:
    python = environment.ensure("test")
    engines = ["doltlite"]
    if find_dolt() is not None:
        environment.ensure("dolt")
        engines.append("dolt")
    results = {engine: _measure(python, engine) for engine in engines}
    if sys.argv[1:]:
        return 0
    found = {
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "machine": _machine(),
        "engines": results,
    }
    (DOCS / "performance.json").write_text(json.dumps(found, indent=1) + "\n")
    (DOCS / "performance.md").write_text(page(found))
    return 0


def _measure(python: Path, engine: str) -> list[dict[str, Any]]:
    print(f"\n{NAMES[engine]}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "figures.json"
        subprocess.run(
            [python, "-m", "tests.bench", "--out", out, *sys.argv[1:]],
            cwd=environment.ROOT,
            env={**os.environ, "POLLARD_ENGINE": engine},
            check=True,
        )
        figures: list[dict[str, Any]] = json.loads(out.read_text())
        return figures


def _machine() -> str:
    cores = os.cpu_count()
    return f"{cores} cores, {platform.system()}, Python {platform.python_version()}"


def page(found: dict[str, Any]) -> str:
    """``docs/performance.md``, of the results."""
    lines = [
        "# How long it takes",
        "",
        f"Measured by `make bench` on {found['date']}; {found['machine']}. The site "
        "runs under gunicorn and is asked over HTTP; the engine is asked in its own "
        "words, in the same run (`tests/bench/reference.py`). Machines differ, and "
        "this one may have been busy: look at the ratios.",
        "",
        "Where an engine is slow by itself, so is the page, but for a merge: DoltLite "
        "goes through whole tables for one, and with large ones the page is there "
        "before the merge’s result. What was found is remembered until a branch "
        "moves. What a merge’s page takes more than the engine is measured beside the "
        "`dolt_merge()` of the same request.",
    ]
    engines = found["engines"]
    groups = dict.fromkeys(f["group"] for figures in engines.values() for f in figures)
    for group in groups:
        lines += [
            "",
            f"## {group[:1].upper() + group[1:]}",
            "",
            f"| | {' | '.join(NAMES[engine] for engine in engines)} | goal |",
            f"|---|{'---:|' * len(engines)}---|",
        ]
        by_engine = {
            engine: {f["name"]: f for f in figures if f["group"] == group}
            for engine, figures in engines.items()
        }
        names = dict.fromkeys(name for named in by_engine.values() for name in named)
        for name in names:
            of_name = [named.get(name) for named in by_engine.values()]
            cells = " | ".join(_cell(figure) for figure in of_name)
            goal = next(filter(None, map(_goal, filter(None, of_name))), "")
            lines.append(f"| {name} | {cells} | {goal} |")
    return "\n".join(lines) + "\n"


def _cell(figure: dict[str, Any] | None) -> str:
    if figure is None:
        return "–"
    text = f"{figure['value']:,.{0 if figure['value'] >= 100 else 1}f}"
    if figure["unit"] == "times":
        text = f"{figure['value']:.2f}"
    text = f"{text} {figure['unit']}"
    return f"**{text}**, missed" if figure["holds"] is False else text


def _goal(figure: dict[str, Any]) -> str:
    if figure["at_most"] is not None:
        return f"at most {figure['at_most']:g}"
    if figure["at_least"] is not None:
        return f"at least {figure['at_least']:g}"
    return ""


if __name__ == "__main__":
    try:
        sys.exit(main())
    except environment.CannotInstall as missing:
        sys.exit(str(missing))

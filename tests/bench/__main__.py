"""``python -m tests.bench [--out FILE] [NAME …]``: measure on POLLARD_ENGINE."""

import argparse
import json
import os
import sys
from pathlib import Path

os.environ.setdefault("POLLARD_ENGINE", "doltlite")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "tools"))

from tests.bench import scenarios  # after the tools are on the path
from tests.bench.figures import Figure

VERDICTS = {None: "", True: "holds", False: "MISSED"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="a file for the figures, as JSON")
    parser.add_argument("names", nargs="*", choices=[[], *scenarios.ALL], default=[])
    given = parser.parse_args()
    figures: list[Figure] = []
    for name in given.names or scenarios.ALL:
        print(f"\n{name}", flush=True)
        for figure in scenarios.ALL[name]():
            figures.append(figure)
            print(_line(figure), flush=True)
    if given.out:
        given.out.write_text(json.dumps([figure.as_json() for figure in figures]))


def _line(figure: Figure) -> str:
    bound = ""
    if figure.at_most is not None:
        bound = f"at most {figure.at_most:g}"
    if figure.at_least is not None:
        bound = f"at least {figure.at_least:g}"
    return (
        f"  {figure.group + ': ' + figure.name:<76} {figure.value:9.2f} "
        f"{figure.unit:<9} {bound:<14} {VERDICTS[figure.holds]}"
    )


if __name__ == "__main__":
    main()

"""
Pin ``requirements/*.txt`` from ``pyproject.toml``, each version with the hashes
of all its files, so that an install is the same on every machine.

UPGRADE=1 takes the newest versions that ``pyproject.toml`` allows; otherwise
what is pinned stays as far as it can. Run by ``make requirements``.
"""

import os
import subprocess
import sys

from environment import CannotInstall, ensure

#: File to extras. The first holds every version but those that others add, so
#: that no two files disagree.
FILES = {
    "dev": ["site", "test", "dev"],
    "test": ["site", "test"],
    "base": ["site"],
    "dolt": ["site", "dolt"],
}


def main() -> int:
    uv = ensure("dev").parent / "uv"
    for name, extras in FILES.items():
        command = [str(uv), "pip", "compile", "--quiet", "pyproject.toml"]
        command += ["--universal", "--python-version=3.11", "--generate-hashes"]
        command += ["--no-annotate", "--no-header"]
        command += [f"--extra={extra}" for extra in extras]
        command += [f"--output-file=requirements/{name}.txt"]
        if name != "dev":
            command += ["--constraint=requirements/dev.txt"]
        if os.environ.get("UPGRADE"):
            command += ["--upgrade"]
        if failed := subprocess.run(command).returncode:
            return failed
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except CannotInstall as missing:
        sys.exit(str(missing))

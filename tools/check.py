"""
``make check``: Django's own checks on the settings as a deployment has them,
and that the migrations say all that the models say.
"""

import os
import secrets
import subprocess
import sys
import tempfile

from environment import ROOT, CannotInstall, ensure

COMMANDS = (
    ["check", "--deploy", "--fail-level=WARNING"],
    ["makemigrations", "--check", "--dry-run"],
)


def main() -> int:
    python = ensure("base")
    with tempfile.TemporaryDirectory() as data:
        deployed = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("POLLARD_")
        } | {
            "POLLARD_SECRET_KEY": secrets.token_urlsafe(48),
            "POLLARD_ALLOWED_HOSTS": "polls.example.org",
            "POLLARD_DATA_DIR": data,
        }
        return max(
            subprocess.run(
                [python, "manage.py", *command], cwd=ROOT, env=deployed
            ).returncode
            for command in COMMANDS
        )


if __name__ == "__main__":
    try:
        sys.exit(main())
    except CannotInstall as missing:
        sys.exit(str(missing))

"""
The whole site as it is deployed: gunicorn's processes on databases of their own.

For what only real processes show: two workers at once, a browser in front, a
process that dies in the middle of a request.
"""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path
from typing import Self

from dolt_server import HOST, DoltServer, free_port

from tests.engines import ENGINE

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 60.0  # seconds
_PREPARATIONS = (
    ["migrate", "--verbosity=0"],
    ["migrate", "--verbosity=0", "--database=versioned"],
    ["demo"],
)
_SETUP = "import sys, django; django.setup(); exec(sys.stdin.read())"


class SiteError(Exception):
    """The site could not be prepared or started; ``str()`` holds what it said."""


class Site:
    """
    The demo's polls, branches and people, served at ``url``.

    ``folder`` takes the embedded engine's files and the log. On Dolt, ``server``
    gets databases under a new name; without it, a server of the site's own.
    ``application`` is what gunicorn serves.
    """

    def __init__(
        self,
        folder: Path,
        *,
        server: DoltServer | None = None,
        application: str = "config.wsgi:application",
    ):
        self.folder = folder
        self.application = application
        self.log = folder / "site.log"
        port = free_port()
        self.url = f"http://{HOST}:{port}"
        self.process: subprocess.Popen[bytes] | None = None
        self.settings = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "POLLARD_DATA_DIR": str(folder),
            "POLLARD_DEMO": "1",
            "POLLARD_BIND": f"{HOST}:{port}",
            "PYTHONUNBUFFERED": "1",
        }
        self.settings.pop("DJANGO_ALLOW_ASYNC_UNSAFE", None)
        self._own_server: DoltServer | None = None
        if ENGINE == "dolt":
            if server is None:
                # Not the run's: while a database is made, a transaction that
                # another worker begins there fails.
                server = self._own_server = DoltServer(folder / "dolt")
                server.start()
            self.settings |= _new_database(server)

    def __enter__(self) -> Self:
        for command in _PREPARATIONS:
            self._python("manage.py", *command)
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        if self._own_server is not None:
            self._own_server.stop()

    def start(self) -> None:
        """Start the processes, and wait until both databases answer."""
        gunicorn = [
            sys.executable,
            "-m",
            "gunicorn",
            "--config=deploy/gunicorn.conf.py",
        ]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*gunicorn, self.application],
                cwd=ROOT,
                env=self.settings,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # so that kill() reaches all of them
            )
        try:
            self.wait()
        except BaseException:
            self.kill()
            raise

    def stop(self) -> None:
        """End the processes as a deployment would, with requests finished."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(30)
            self.process = None
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End all processes at once, with nothing finished, flushed or closed."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def run(self, code: str) -> str:
        """Run Python in the site's environment; what it prints, stripped."""
        return self._python("-c", _SETUP, given=code).strip()

    def get(self, path: str) -> tuple[int, str]:
        """A visitor's GET: the answer's code and text; 0 and why, if none came."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError as error:
            return 0, str(error)

    def wait(self, *, path: str = "/healthz", status: int = 200) -> None:
        """Until a GET is answered so; ``SiteError`` after ``PATIENCE`` seconds."""
        deadline = time.monotonic() + PATIENCE
        while (answer := self.get(path))[0] != status:
            if self.process is None or self.process.poll() is not None:
                raise SiteError(f"The site ended:\n{self.log.read_text()}")
            if time.monotonic() > deadline:
                raise SiteError(f"{path}: {answer}\n{self.log.read_text()}")
            time.sleep(0.05)

    # ---------------------------------------------------------------------------

    def _python(self, *arguments: str, given: str = "") -> str:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=self.settings,
            input=given,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise SiteError(done.stderr)
        return done.stdout


def _new_database(server: DoltServer) -> dict[str, str]:
    name = f"site_{uuid.uuid4().hex[:12]}"
    server.create_database(name)
    return server.settings(name)

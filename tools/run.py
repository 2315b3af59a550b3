"""
``make run``: the whole site on this machine, with demo data, until Ctrl-C.

Chosen by the environment: POLLARD_ENGINE (``doltlite`` or ``dolt``), PORT,
POLLARD_DATA_DIR. With ``dolt``, a server is started in the data folder, unless
POLLARD_DOLT_HOST names one that runs already.
"""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import ExitStack

import environment
from datafolder import DataFolder, InUse
from dolt_server import DoltServer, DoltServerError

HOST = "127.0.0.1"
DATABASE = "pollard"


class CannotRun(Exception):
    """``str()`` is one sentence that says why, and what to do."""


def main() -> int:
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, _interrupt)
    engine = os.environ.get("POLLARD_ENGINE") or "doltlite"
    if engine not in ("doltlite", "dolt"):
        raise CannotRun(f"POLLARD_ENGINE is doltlite or dolt, not “{engine}”.")
    port = _port()
    python = str(environment.ensure("dolt" if engine == "dolt" else "base"))
    folder = DataFolder.from_environment()
    with ExitStack() as running:
        running.enter_context(folder.in_use())
        settings = {
            **os.environ,
            "POLLARD_ENGINE": engine,
            "POLLARD_DEMO": "1",
            "POLLARD_DATA_DIR": str(folder.path),
            "POLLARD_BIND": f"{HOST}:{port}",
            "PYTHONUNBUFFERED": "1",
        }
        if engine == "dolt":
            settings |= _dolt(running, folder)
        for command in _PREPARATIONS:
            done = subprocess.run(
                [python, "manage.py", *command], cwd=environment.ROOT, env=settings
            )
            if done.returncode:
                return done.returncode  # it has said why itself
        return _serve(python, settings, port)


_PREPARATIONS = (
    ["migrate", "--verbosity=0"],
    ["migrate", "--verbosity=0", "--database=versioned"],
    ["demo"],
)


def _dolt(running: ExitStack, folder: DataFolder) -> dict[str, str]:
    """Settings of the server that the environment names, or of a new one."""
    if named := os.environ.get("POLLARD_DOLT_HOST"):
        port = int(os.environ.get("POLLARD_DOLT_PORT", "3306"))
        if not _listens(named, port):
            raise CannotRun(
                f"No server answers at {named}:{port}, which POLLARD_DOLT_HOST names: "
                "start it, or unset POLLARD_DOLT_HOST and one is started here."
            )
        return {}
    try:
        server = DoltServer(folder.path / "dolt")
        running.enter_context(server)
        server.create_database(DATABASE)
    except DoltServerError as error:
        raise CannotRun(str(error)) from error
    return server.settings(DATABASE)


def _serve(python: str, settings: dict[str, str], port: int) -> int:
    gunicorn = [python, "-m", "gunicorn", "--config=deploy/gunicorn.conf.py"]
    # An interrupt at the terminal is for this process, which ends that one.
    process = subprocess.Popen(
        gunicorn, cwd=environment.ROOT, env=settings, start_new_session=True
    )
    try:
        if _answers(process, f"http://{HOST}:{port}/healthz"):
            _welcome(port)
        return process.wait()
    except KeyboardInterrupt:
        print("\nStopping. The data is kept: “make reset” starts over.", flush=True)
        return 0
    finally:
        process.terminate()
        process.wait()


def _answers(process: subprocess.Popen[bytes], url: str) -> bool:
    """Wait until the site answers; False if its process ended instead."""
    while process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return True
        except urllib.error.HTTPError as error:
            raise CannotRun(
                f"The site started, but {url} says {error.code}."
            ) from error
        except OSError:
            time.sleep(0.1)
    return False


def _welcome(port: int) -> None:
    print(
        f"\nPollard is at http://{HOST}:{port}"
        "\n  vote without an account, or sign in as"
        "\n  erin, password erin-demo (an editor)"
        "\n  max, password max-demo (a maintainer)"
        "\nCtrl-C stops it.\n",
        flush=True,
    )


def _port() -> int:
    given = os.environ.get("PORT") or "8000"
    if not given.isdecimal() or not 0 < int(given) < 65536:
        raise CannotRun(f"PORT is a number from 1 to 65535, not “{given}”.")
    if _listens(HOST, int(given)):
        raise CannotRun(
            f"Something listens on port {given} already: stop it, or choose another "
            f"one, as in “make run PORT={(int(given) + 1) % 65536}”."
        )
    return int(given)


def _listens(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=5):
            return True
    except OSError:
        return False


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (CannotRun, InUse, environment.CannotInstall) as reason:
        sys.exit(str(reason))
    except KeyboardInterrupt:
        sys.exit(130)

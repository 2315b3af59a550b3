"""
A real ``dolt sql-server`` in a folder of its own, for tests, demos and benchmarks.

    python tools/dolt_server.py --data DIR [--port N] [--name pollard]

runs one in the foreground until it is interrupted. As a module::

    with DoltServer(data) as server:
        server.create_database("pollard")

Only the standard library and the ``dolt`` binary are needed.
"""

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

VERSION = "1.83.2"
HOST = "127.0.0.1"

#: By database: see deploy/dolt/init/databases.sh.
COLLATIONS = {"{}": "utf8mb4_0900_bin", "{}_console": "utf8mb4_0900_ai_ci"}
#: What the application may do in its databases. Less than this breaks it:
#: Django's migrations need the first line, Dolt's procedures ``EXECUTE``.
GRANTS = (
    "SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, REFERENCES, EXECUTE"
)


class DoltServerError(Exception):
    """The server could not be found, started or asked; ``str()`` says why."""


def find_dolt() -> Path | None:
    """
    The ``dolt`` binary: ``POLLARD_DOLT``, then PATH, then the cache that
    ``make dolt`` fills. None if there is none.

    Raises ``DoltServerError`` if ``POLLARD_DOLT`` names no program.
    """
    if named := os.environ.get("POLLARD_DOLT"):
        found = shutil.which(named)
        if found is None:
            raise DoltServerError(f"POLLARD_DOLT names no program: {named}")
        return Path(found)
    if found := shutil.which("dolt"):
        return Path(found)
    cached = cache_path()
    return cached if os.access(cached, os.X_OK) else None


def cache_path() -> Path:
    """Where ``make dolt`` puts the binary, outside the checkout."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "pollard" / f"dolt-{VERSION}"


def free_port() -> int:
    """A TCP port of this machine that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


class DoltServer:
    """
    One server process over the folder ``data``, listening on this machine only.

    Its root user has no password and its settings live in ``data``, so that
    the person's own Dolt configuration is neither read nor written.
    """

    def __init__(
        self,
        data: Path,
        *,
        port: int | None = None,
        user: str = "pollard",
        password: str = "pollard",
        dolt: Path | None = None,
        statistics: bool = True,
    ):
        self.data = Path(data).resolve()
        self.port = port or free_port()
        self.user = user
        self.password = password
        self.statistics = statistics
        program = dolt or find_dolt()
        if program is None:
            raise DoltServerError(
                "No dolt was found: run “make dolt”, or set POLLARD_DOLT to its path."
            )
        self.program = program
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    # Life ----------------------------------------------------------------------

    def start(self, *, timeout: float = 30.0) -> None:
        """Start the process and wait, ``timeout`` seconds, until it answers."""
        if self.process is not None:
            raise DoltServerError("The server runs already.")
        databases = self.data / "databases"
        databases.mkdir(parents=True, exist_ok=True)
        self._configure()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    self.program,
                    "sql-server",
                    f"--host={HOST}",
                    f"--port={self.port}",
                    f"--data-dir={databases}",
                    "--loglevel=warning",
                ],
                cwd=databases,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # An interrupt at the terminal is for the caller, who stops us.
                start_new_session=True,
            )
        try:
            self._wait(time.monotonic() + timeout)
        except BaseException:
            self.stop()
            raise

    def stop(self, *, timeout: float = 20.0) -> None:
        """Ask the process to end, and end it if it doesn't within ``timeout`` s."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def kill(self) -> None:
        """End the process as a crash would, with nothing flushed or closed."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def restart(self) -> None:
        """Stop if running, and start again on the same port with the same data."""
        self.stop()
        self.start()

    @property
    def log(self) -> Path:
        return self.data / "server.log"

    # Databases -----------------------------------------------------------------

    def create_database(self, name: str) -> None:
        """
        Make the databases ``<name>`` and ``<name>_console`` and the application
        user that may use them. Does nothing to those that are there.
        """
        user = f"{_text(self.user)}@'%'"
        statements = [
            f"CREATE USER IF NOT EXISTS {user} IDENTIFIED BY {_text(self.password)}"
        ]
        for database, collation in COLLATIONS.items():
            database = database.format(name)
            statements += [
                f"CREATE DATABASE IF NOT EXISTS {_name(database)} "
                f"CHARACTER SET utf8mb4 COLLATE {collation}",
                f"GRANT {GRANTS} ON {_name(database)}.* TO {user}",
            ]
        self.sql("; ".join(statements))

    def drop_database(self, name: str) -> None:
        self.sql(
            f"DROP DATABASE IF EXISTS {_name(name)}; "
            f"DROP DATABASE IF EXISTS {_name(f'{name}_console')}"
        )

    def sql(self, statements: str) -> str:
        """Run statements as root and return what the client prints."""
        done = self._client(statements)
        if done.returncode:
            raise DoltServerError(done.stderr.strip() or done.stdout.strip())
        return done.stdout

    def settings(self, name: str) -> dict[str, str]:
        """The environment that points the application at database ``name``."""
        return {
            "POLLARD_ENGINE": "dolt",
            "POLLARD_DOLT_HOST": HOST,
            "POLLARD_DOLT_PORT": str(self.port),
            "POLLARD_DOLT_USER": self.user,
            "POLLARD_DOLT_PASSWORD": self.password,
            "POLLARD_DOLT_DATABASE": name,
        }

    # ---------------------------------------------------------------------------

    def _environment(self) -> dict[str, str]:
        # Dolt leaves an empty file in the folder for temporary ones at each start.
        scratch = self.data / "tmp"
        scratch.mkdir(parents=True, exist_ok=True)
        return {
            **os.environ,
            "DOLT_ROOT_PATH": str(self.data),
            "TMPDIR": str(scratch),
        }

    def _configure(self) -> None:
        config = self.data / ".dolt" / "config_global.json"
        if config.exists():
            return
        config.parent.mkdir(parents=True, exist_ok=True)
        settings = {
            "metrics.disabled": "true",
            "versioncheck.disabled": "true",
            "user.name": "pollard",
            "user.email": "pollard@localhost",
        }
        if not self.statistics:
            # Statistics are taken in the background and found by an index's name.
            # Until they are taken anew, a query of a table that was made again
            # with other columns in that index fails, or loses its connection.
            settings["sqlserver.global.dolt_stats_enabled"] = "0"
        config.write_text(json.dumps(settings) + "\n")

    def _client(self, statements: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [
                self.program,
                f"--host={HOST}",
                f"--port={self.port}",
                "--no-tls",
                "--user=root",
                "--password",  # not "--password=": that takes the next word
                "",
                "sql",
                "--result-format=csv",
                f"--query={statements}",
            ],
            cwd=self.data,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )

    def _wait(self, deadline: float) -> None:
        """Until the port is open and then until a statement is answered."""
        reason = "the port stayed closed"
        while time.monotonic() < deadline:
            assert self.process is not None
            if self.process.poll() is not None:
                raise DoltServerError(f"The server ended: see {self.log}")
            if self._listens():
                done = self._client("SELECT 1")
                if done.returncode == 0:
                    return
                reason = done.stderr.strip()
            time.sleep(0.02)
        raise DoltServerError(f"The server did not answer in time: {reason}")

    def _listens(self) -> bool:
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex((HOST, self.port)) == 0


def _name(identifier: str) -> str:
    return "`" + identifier.replace("`", "``") + "`"


def _text(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0].strip())
    parser.add_argument("--data", type=Path, required=True, help="folder of its own")
    parser.add_argument("--port", type=int, default=3306)
    parser.add_argument("--name", default="pollard", help="database to make")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with DoltServer(options.data, port=options.port) as server:
            server.create_database(options.name)
            for name, value in server.settings(options.name).items():
                print(f"{name}={value}", flush=True)
            assert server.process is not None
            server.process.wait()
    except KeyboardInterrupt:
        pass
    except DoltServerError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()

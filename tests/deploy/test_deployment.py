"""
What ``compose.yaml`` does, step by step, against a real Dolt server: the image's
init script, its health check, the migrations, the site with a deployment's
settings. The very files that the containers mount are run.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import dolt_server
import pytest
from dolt_server import HOST, DoltServer, DoltServerError

from tests.site import ROOT, Site

INIT = "deploy/dolt/init/databases.sh"
USABLE = "deploy/dolt/usable.sh"
MIGRATE = "deploy/migrate.sh"
PASSWORD = 'it\'s \\ a "pass" $word`'  # everything that a shell or SQL could trip over


@pytest.fixture
def server(tmp_path: Path) -> Iterator[DoltServer]:
    """An empty one, as on a new volume."""
    with DoltServer(tmp_path / "server") as server:
        yield server


@pytest.fixture
def settings(server: DoltServer, tmp_path: Path) -> dict[str, str]:
    """The environment that ``compose.yaml`` gives its containers."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "dolt").symlink_to(server.program)
    (programs / "python").symlink_to(sys.executable)
    return {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "TMPDIR": str(tmp_path),
        "DOLT_ROOT_PATH": str(tmp_path),
        "DOLT_ROOT_PASSWORD": "",
        "VIRTUAL_ENV": sys.prefix,
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "POLLARD_ENGINE": "dolt",
        "POLLARD_SECRET_KEY": "a key for this test alone, long enough to pass checks",
        "POLLARD_ALLOWED_HOSTS": "polls.example.org,127.0.0.1",
        "POLLARD_DOLT_HOST": HOST,
        "POLLARD_DOLT_PORT": str(server.port),
        "POLLARD_DOLT_USER": "polls",
        "POLLARD_DOLT_PASSWORD": PASSWORD,
        "POLLARD_DOLT_DATABASE": "festival",
    }


def run(script: str, settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ROOT / script], cwd=ROOT, env=settings, capture_output=True, text=True
    )


def succeed(script: str, settings: dict[str, str]) -> None:
    done = run(script, settings)
    assert done.returncode == 0, done.stdout + done.stderr


def grants(server: DoltServer, user: str, database: str) -> set[str]:
    """What a user may do in a database, as the server lists it."""
    said = server.sql(f"SHOW GRANTS FOR '{user}'@'%'")
    (found,) = re.findall(rf"GRANT ([A-Z, ]+) ON `{database}`\.\*", said)
    return set(found.split(", "))


def as_the_user(server: DoltServer, settings: dict[str, str], sql: str) -> str:
    client = [
        str(server.program),
        f"--host={HOST}",
        f"--port={server.port}",
        "--no-tls",
    ]
    client += ["--user=polls", "--use-db=festival", "sql", f"--query={sql}"]
    done = subprocess.run(
        client,
        env={**settings, "DOLT_CLI_PASSWORD": PASSWORD},
        capture_output=True,
        text=True,
    )
    return done.stderr


def test_the_server_is_usable_once_it_is_initialised_and_not_before(server, settings):
    assert run(USABLE, settings).returncode != 0
    succeed(INIT, settings)
    succeed(USABLE, settings)
    succeed(INIT, settings)  # on a volume that has it all
    succeed(USABLE, settings)


def test_databases_compare_text_as_django_expects(server, settings):
    succeed(INIT, settings)
    said = server.sql(
        "SELECT schema_name, default_collation_name FROM information_schema.schemata "
        "WHERE schema_name LIKE 'festival%' ORDER BY 1"
    )
    assert said.split()[1:] == [
        "festival,utf8mb4_0900_bin",
        "festival_console,utf8mb4_0900_ai_ci",
    ]


def test_the_user_may_do_its_work_and_nothing_else(server, settings):
    succeed(INIT, settings)
    server.create_database("tested")  # how the whole suite's user is made
    for database in ("festival", "festival_console"):
        assert grants(server, "polls", database) == grants(server, "pollard", "tested")
    assert as_the_user(server, settings, "SELECT 1") == ""
    # (Making databases is not among these: Dolt 1.83.2 lets whoever may CREATE
    # tables in one database make another one.)
    for forbidden in (
        "SELECT user FROM mysql.user",
        "DROP DATABASE tested",
        "CREATE TABLE tested.another (id int)",
        "CREATE USER another IDENTIFIED BY 'x'",
        "SELECT 1 FROM tested.any_table",
        "GRANT ALL ON *.* TO 'polls'@'%'",
    ):
        assert as_the_user(server, settings, forbidden), f"was allowed: {forbidden}"


def test_the_server_is_the_version_that_is_tested():
    compose = (ROOT / "compose.yaml").read_text()
    assert f"image: dolthub/dolt-sql-server:{dolt_server.VERSION}\n" in compose
    for script in (INIT.rpartition("/")[0], USABLE, MIGRATE):
        assert script in compose


def test_the_site_starts_answers_and_comes_back_with_the_server(
    server, settings, tmp_path
):
    succeed(INIT, settings)
    succeed(MIGRATE, settings)
    head = server.sql("SELECT hash FROM festival.dolt_branches")
    succeed(MIGRATE, settings)  # before every new version
    assert server.sql("SELECT hash FROM festival.dolt_branches") == head
    assert "polls_question" in server.sql("SHOW TABLES FROM festival")
    assert "auth_user" in server.sql("SHOW TABLES FROM festival_console")

    site = Site(tmp_path, server=server)
    site.settings = settings | {"POLLARD_BIND": site.settings["POLLARD_BIND"]}
    site.start()
    try:
        assert site.get("/healthz")[0] == 200
        server.stop()
        site.wait(status=503)
        server.start()
        site.wait(status=200)
    finally:
        site.stop()


def test_the_root_of_the_server_needs_its_password(server, settings):
    server.sql("ALTER USER 'root'@'localhost' IDENTIFIED BY 'secret'")
    assert run(INIT, settings).returncode != 0
    succeed(INIT, settings | {"DOLT_ROOT_PASSWORD": "secret"})
    with pytest.raises(DoltServerError):
        server.sql("SELECT 1")

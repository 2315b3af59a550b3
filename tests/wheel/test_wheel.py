"""
A wheel of ``versioning`` is built and installed into a new project, README.md's
section “Add it to your own project” is followed to the letter, and the app is
used there by people and by code.
"""

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from dolt_server import DoltServer
from packaging.requirements import Requirement

from tests.engines import ENGINE
from tests.site import ROOT

HERE = Path(__file__).parent
BASE = """\
{% extends "versioning/base.html" %}
{% block nav %}<a href="/">Cook’s own page</a>{% endblock %}
"""


def test_a_project_follows_the_readme(wheel: Path, tmp_path: Path) -> None:
    project = Project(tmp_path, wheel)
    with project.databases():
        project.follow_the_readme()
        said = project.python("story.py", "script.py")
        project.run_its_tests()
    assert said.endswith("The story is told.\n")


def test_the_wheel_holds_the_whole_app_and_nothing_else(wheel: Path) -> None:
    held = {
        name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name
    }
    tracked = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "versioning").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert held == tracked


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, as a build leaves files beside what it builds."""
    folder = tmp_path_factory.mktemp("build")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(
        ROOT / "versioning",
        folder / "versioning",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
    run(*pip, "--no-build-isolation", "--wheel-dir", folder / "dist", folder)
    (built,) = (folder / "dist").glob("*.whl")
    return built


class Project:
    """``django-admin startproject``, and an app ``recipes`` in it."""

    def __init__(self, folder: Path, wheel: Path):
        self.folder = folder / "cookbook"
        self.venv = folder / "venv"
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("POLLARD_", "DJANGO_", "PYTEST_", "PYTHON"))
        }
        self._install(wheel)
        self.folder.mkdir()
        self.python("-m", "django", "startproject", "cookbook", ".")
        shutil.copytree(HERE / "project", self.folder, dirs_exist_ok=True)

    def _install(self, wheel: Path) -> None:
        """
        Into an environment that has what the wheel asks for and no more. Those
        packages are links to this environment's, so that no index is asked.
        """
        extra = "dolt" if ENGINE == "dolt" else ""
        venv.create(self.venv, with_pip=False, symlinks=True)
        (site_packages,) = self.venv.glob("lib/python*/site-packages")
        for name in wanted_by(wheel, extra):
            link_distribution(name, site_packages)
        pip = [sys.executable, "-m", "pip", "--python", str(self.venv / "bin/python")]
        wanted = f"{wheel}[{extra}]" if extra else wheel
        run(*pip, "install", "--quiet", "--no-index", wanted)

    def databases(self) -> "Databases":
        return Databases(self)

    def follow_the_readme(self) -> None:
        settings = readme("Settings", "python")
        boot, common, server = settings
        own = self._file("cookbook/settings.py").read_text()
        if ENGINE == "doltlite":
            self._write("cookbook/settings.py", boot + own + common)
        else:
            self._write("cookbook/settings.py", own + common + server)
            self._append("cookbook/settings.py", SERVER_FROM_ENVIRONMENT)
        urls, *_ = readme("URLs and templates", "python")
        self._append("cookbook/urls.py", urls)
        (page,) = readme("URLs and templates", "django")
        self._write("templates/versioning/page.html", page)
        self._write("templates/base.html", BASE)
        (form,) = readme("Forms", "django")
        self._write("templates/recipes/recipe.html", form)
        (admin,) = readme("The admin", "python")
        self._write("recipes/admin.py", admin)
        view, _ = readme("Views", "python")
        self._append("recipes/views.py", view)
        (policies,) = readme("What merges how", "python")
        self._write("recipes/versioned.py", policies)
        (tests,) = readme("Tests", "python")
        self._write("recipes/tests.py", tests)
        (script,) = readme("Scripts", "python")
        self._write("script.py", script)
        self.python("manage.py", "makemigrations", "recipes")
        (commands,) = readme("Databases", "sh")
        for command in commands.splitlines():
            python, *arguments = command.partition("#")[0].split()
            assert python == "python"
            self.python(*arguments)
        self.python("manage.py", "check", "--fail-level=WARNING")

    def run_its_tests(self) -> None:
        """As its team does, and on DoltLite also in several processes."""
        self.python("manage.py", "test", "--noinput", "--shuffle")
        if ENGINE == "doltlite":
            self.python("manage.py", "test", "--noinput", "--parallel=2")
        left = [path.name for path in self.folder.iterdir() if "test_" in path.name]
        assert left == [], "the tests’ databases are still there"

    def python(self, *arguments: str) -> str:
        return run(
            self.venv / "bin/python",
            *arguments,
            folder=self.folder,
            environment=self.environment,
        )

    def _file(self, name: str) -> Path:
        return self.folder / name

    def _write(self, name: str, text: str) -> None:
        self._file(name).parent.mkdir(parents=True, exist_ok=True)
        self._file(name).write_text(text)

    def _append(self, name: str, text: str) -> None:
        self._write(name, self._file(name).read_text() + "\n\n" + text)


#: Where the test's server is; README.md's names an imagined one.
SERVER_FROM_ENVIRONMENT = """
import os
for each in DATABASES.values():
    each["PORT"] = int(os.environ["RECIPES_PORT"])
    each["PASSWORD"] = "recipes"
"""


class Databases:
    """What the project's settings expect to be there: on Dolt, a server."""

    def __init__(self, project: Project):
        self.project = project
        self.server: DoltServer | None = None

    def __enter__(self) -> None:
        if ENGINE == "dolt":
            self.server = DoltServer(
                self.project.folder / "dolt", user="recipes", password="recipes"
            )
            self.server.start()
            self.server.create_database("recipes")
            self.server.sql("GRANT ALL ON *.* TO 'recipes'@'%'")  # for test databases
            self.project.environment["RECIPES_PORT"] = str(self.server.port)

    def __exit__(self, *_: object) -> None:
        if self.server:
            self.server.stop()


def readme(heading: str, language: str) -> list[str]:
    """The code of a language under a heading of README.md, block by block."""
    text = (ROOT / "README.md").read_text()
    section = text.partition("## Add it to your own project")[2].split("\n## ")[0]
    part = section.partition(f"\n### {heading}\n")[2].partition("\n### ")[0]
    found = re.findall(rf"^```{language}\n(.*?)^```$", part, re.M | re.S)
    assert found, f"README.md has no {language} under “{heading}”"
    return found


def wanted_by(wheel: Path, extra: str) -> Iterator[str]:
    """Names of what a wheel needs, directly or through others."""
    (found,) = importlib.metadata.distributions(path=[str(wheel)])
    waiting = list(found.requires or [])
    known: set[str] = set()
    while waiting:
        needed = Requirement(waiting.pop())
        if needed.marker and not needed.marker.evaluate({"extra": extra}):
            continue
        if needed.name.lower() not in known:
            known.add(needed.name.lower())
            yield needed.name
            waiting += importlib.metadata.requires(needed.name) or []


def link_distribution(name: str, site_packages: Path) -> None:
    """Link what a distribution put at the top of this environment's packages."""
    distribution = importlib.metadata.distribution(name)
    for entry in {file.parts[0] for file in distribution.files or ()}:
        original = Path(str(distribution.locate_file(entry)))
        if entry not in ("..", "__pycache__") and original.exists():
            (site_packages / entry).symlink_to(original)


def run(
    *command: str | Path,
    folder: Path = ROOT,
    environment: dict[str, str] | None = None,
) -> str:
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout

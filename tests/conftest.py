"""Databases for tests: real engines, made for the run, fresh for each test."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import models, transaction

import versioning
from polls.models import Question
from tests import engines
from tests.exceptions import EXCEPTIONS
from tests.schemas import Code
from versioning import policies
from versioning.merging import memory

# An example takes as long as the machine lets it.
hypothesis.settings.register_profile("pollard", deadline=None)
hypothesis.settings.load_profile("pollard")


def pytest_configure() -> None:
    # Hundreds of tests sign somebody in; none is about how hard a password is.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


_POLICY = policies.for_model(Question)


@pytest.fixture(autouse=True)
def _any_number_of_choices(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The questions of most tests have a choice or none: what they are about is
    merges. Tests of the rule, or of what it costs, ask for ``enough_choices``.
    """
    policy = replace(_POLICY, invariants=())
    found: dict[Any, Any] = {**policies._policies, Question: policy}
    monkeypatch.setattr(policies, "_policies", found)


@pytest.fixture
def enough_choices(
    monkeypatch: pytest.MonkeyPatch, _any_number_of_choices: None
) -> None:
    """The rule for how many choices a question has, as the site has it."""
    found: dict[Any, Any] = {**policies._policies, Question: _POLICY}
    monkeypatch.setattr(policies, "_policies", found)


@pytest.fixture(scope="session")
def engine(django_db_blocker: Any) -> Iterator[Any]:
    """The engine with both databases migrated, and a state to come back to."""
    with django_db_blocker.unblock():
        call_command("migrate", database="default", verbosity=0)
        call_command("migrate", database="versioned", verbosity=0)
        at_hand = engines.engine()
        at_hand.keep()
        yield at_hand


@pytest.fixture
def db(engine: Any) -> Iterator[None]:
    """
    Fresh databases: ``versioned`` as it was migrated, ``default`` in a
    transaction that is rolled back. In place of pytest-django's own, which
    would put ``versioned`` into a transaction too, where nothing can commit.
    """
    engine.reset()
    memory.forget()
    with transaction.atomic(using="default"):
        yield
        transaction.set_rollback(True, using="default")
    engines.connection().unbind()
    engines.connection().close()


@pytest.fixture
def connection(db: None) -> Any:
    """The connection to the versioned database."""
    return engines.connection()


@pytest.fixture
def repository(connection: Any) -> Any:
    return connection.repository


@pytest.fixture
def other_connection(db: None) -> Iterator[Any]:
    """A connection of our own kind, as another worker of the site has it."""
    first = engines.connection()
    other = first.__class__(first.settings_dict, "versioned")
    yield other
    other.close()


@pytest.fixture
def stranger(engine: Any, db: None) -> engines.Stranger:
    """Another client of the database, which takes none of our locks."""
    found: engines.Stranger = engine
    return found


@pytest.fixture
def code(
    db: None, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Code]:
    """The polls' migrations, to which a test adds some."""
    folder = tmp_path / f"later_{uuid.uuid4().hex}"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))
    found = Code(folder, settings)
    yield found
    found.forget()


# No test is left out unseen ---------------------------------------------------


@pytest.fixture
def new_model(connection: Any) -> Iterator[Callable[..., Any]]:
    """
    ``new_model(name, base=Model, **fields)``: a model of the polls, and its table
    on main, without constraints but for the key.
    """
    made: list[Any] = []

    def make(name: str, /, base: Any = models.Model, **fields: Any) -> Any:
        meta = type("Meta", (), {"app_label": "polls"})
        attributes = {"__module__": "polls.models", "Meta": meta, **fields}
        model: Any = type(name, (base,), attributes)
        made.append(model)
        apps.clear_cache()
        with versioning.on_branch("main", message=f"Define {name}"):
            columns = [
                _column(field, connection)
                for field in model._meta.local_concrete_fields
            ]
            key = ", ".join(str(field.column) for field in model._meta.pk_fields)
            parts = ", ".join([*columns, f"PRIMARY KEY ({key})"])
            with connection.cursor() as cursor:
                cursor.execute(f"CREATE TABLE {model._meta.db_table} ({parts})")
        return model

    yield make
    for model in made:
        del apps.all_models["polls"][model._meta.model_name]
        policies._policies.pop(model, None)
    apps.clear_cache()


def _column(field: Any, connection: Any) -> str:
    column = f"{field.column} {field.db_type(connection)}"
    if not field.generated:
        return column
    expression, _ = field.generated_sql(connection)
    return f"{column} GENERATED ALWAYS AS ({expression}) STORED"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        name = item.nodeid.partition("[")[0]
        if reason := EXCEPTIONS[engines.ENGINE].get(name):
            item.add_marker(pytest.mark.skip(reason=f"allowed: {reason}"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    report = yield
    if report.skipped and not str(report.longrepr).count("allowed: "):
        report.outcome = "failed"
        report.longrepr = (
            f"{item.nodeid} skipped itself: {report.longrepr}. A test that an engine "
            "can't pass stands in tests/exceptions.py with its reason."
        )
    return report

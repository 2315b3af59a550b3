"""Many histories in one test, each from the beginning."""

from typing import Any

from hypothesis import HealthCheck, settings

from versioning.merging import memory
from versioning.models import MergeDraft

#: For tests on an engine, whose examples take as long as they take.
ON_AN_ENGINE = settings(suppress_health_check=list(HealthCheck), print_blob=True)


def begin_afresh(engine: Any) -> None:
    """The databases as they were migrated, and nothing remembered of merges."""
    engine.reset()
    memory.forget()
    MergeDraft.objects.all().delete()

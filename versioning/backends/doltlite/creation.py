"""Databases that are made for tests."""

from pathlib import Path

from django.db.backends.sqlite3 import creation

from versioning.backends.doltlite.repository import LOCK_FILES


class DatabaseCreation(creation.DatabaseCreation):
    """Django's own, in a file: no branch of a database in memory can be opened."""

    def _get_test_db_name(self) -> str:
        settings = self.connection.settings_dict
        name = settings["TEST"]["NAME"]
        if name and not self.is_in_memory_db(name):
            return str(name)
        path = Path(settings["NAME"])
        return str(path.with_name(f"test_{path.name}"))

    def _destroy_test_db(self, test_database_name: str, verbosity: int) -> None:
        super()._destroy_test_db(test_database_name, verbosity)  # type: ignore[misc]
        path = Path(test_database_name)
        path.with_name(f".{path.name}-lock").unlink(missing_ok=True)  # the engine's
        for kind in LOCK_FILES:
            for ours in path.parent.glob(f"{path.name}.{kind}"):
                ours.unlink(missing_ok=True)

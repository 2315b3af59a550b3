"""Django's schema editor for SQLite, on DoltLite."""

from typing import Any

from django.db import DatabaseError
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.sqlite3.schema import DatabaseSchemaEditor


class SchemaEditor(DatabaseSchemaEditor):
    def __exit__(self, exc_type: Any, exc_value: Any, traceback: Any) -> None:
        """
        Django's own leaves its transaction open where rows point to nothing, and
        the connection is of no use from then on.
        """
        leave = BaseDatabaseSchemaEditor.__exit__
        try:
            self.connection.check_constraints()
        except DatabaseError as error:
            exc_value = exc_value or error
            leave(self, type(exc_value), exc_value, exc_value.__traceback__)
            raise exc_value from None
        else:
            leave(self, exc_type, exc_value, traceback)
        finally:
            self.connection.enable_constraint_checking()

"""Django's schema editor for MySQL, where the server is another."""

from collections.abc import Sequence
from typing import Any

from django.db.backends.mysql.schema import DatabaseSchemaEditor
from django.db.models import ForeignKey

_Editor: Any = DatabaseSchemaEditor  # it has more methods than its stubs have


class SchemaEditor(_Editor):
    def _create_missing_fk_index(
        self, model: Any, *, fields: Sequence[str], expressions: Any = None
    ) -> None:
        """
        Called before an index of ``fields`` goes. Dolt ties a foreign key to the
        index that it found when the key was made, and commits nothing once that is
        gone, whatever others there are: so the key is made anew afterwards.
        """
        super()._create_missing_fk_index(model, fields=fields, expressions=expressions)
        field: Any = model._meta.get_field(fields[0]) if fields else None
        if not isinstance(field, ForeignKey):
            return
        for name in self._constraint_names(model, [field.column], foreign_key=True):
            self.execute(self._delete_fk_sql(model, name))
            suffix = "_fk_%(to_table)s_%(to_column)s"
            self.deferred_sql.append(self._create_fk_sql(model, field, suffix))

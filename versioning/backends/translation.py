"""Engine errors as types, wherever they come from: the ORM's statements too."""

from types import TracebackType
from typing import Any

from django.db import DatabaseError
from django.db.utils import DatabaseErrorWrapper


class TranslatingErrorWrapper(DatabaseErrorWrapper):
    """
    Django's wrapper around a driver's errors, followed by the backend's own
    translation: ``connection.translate_error()`` returns a type of
    ``backends.errors``, or None to leave Django's error as it is.
    """

    wrapper: Any

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            super().__exit__(kind, error, traceback)
        except DatabaseError as django_error:
            translated = self.wrapper.translate_error(django_error)
            if translated is None:
                raise
            raise translated from error


class TranslatesErrors:
    """Mixin for a ``DatabaseWrapper``, before Django's own class."""

    @property
    def wrap_database_errors(self) -> Any:
        return TranslatingErrorWrapper(self)

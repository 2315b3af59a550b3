"""Where a page of rows goes on, as text in an address."""

from django.core import signing

from versioning import values
from versioning.backends.errors import BadCursor
from versioning.backends.repository import Key


def sign_key(table: str, key: Key) -> str:
    """A primary key as text for an address, which only this site can have made."""
    return _signer(table).sign_object([values.encode(part) for part in key])


def unsign_key(table: str, text: str) -> Key:
    """The key that ``sign_key()`` was given for this table. Raises ``BadCursor``."""
    try:
        parts = _signer(table).unsign_object(text)
        return tuple(values.decode(part) for part in parts)
    except (signing.BadSignature, ValueError, TypeError) as error:
        raise BadCursor from error


def _signer(table: str) -> signing.Signer:
    return signing.Signer(salt=f"versioning.cursor.{table}")

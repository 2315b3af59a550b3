"""When two values of a driver are the same to a database."""

import math
from typing import Any

_PLAIN = frozenset({str, int, bytes})  # of one type, they are what they look like


def same(one: Any, other: Any) -> bool:
    """
    Whether a column of a database would hold the same for two driver values.

    NULL is no empty text and text is no number; 1 is True and 1.0, and 1.50 is
    1.5, as the drivers give either for one stored value.
    """
    if (kind := type(one)) is type(other) and kind in _PLAIN:
        return bool(one == other)
    if one is None or other is None:
        return one is other
    one, other = plain_bytes(one), plain_bytes(other)
    if isinstance(one, float) and isinstance(other, float) and math.isnan(one):
        return math.isnan(other)
    try:
        return bool(one == other)
    except TypeError:  # an aware and a naive time
        return False


def plain_bytes(value: Any) -> Any:
    """Bytes, whichever of their types a driver gave; any other value as it is."""
    return bytes(value) if isinstance(value, (memoryview, bytearray)) else value


def alike(one: object, other: object) -> bool:
    """Whether two columns, which may be of different types, hold the same."""
    if same(one, other):
        return True
    if one is None or other is None or type(one) is type(other):
        return False
    return str(one) == str(other)

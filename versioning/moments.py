"""Moments in time, whether the project keeps time zones or not (``USE_TZ``)."""

import datetime as dt

from django.conf import settings
from django.utils import timezone


def aware(moment: dt.datetime) -> dt.datetime:
    """
    A commit's moment, or one of the console's own tables: those hold it without
    its zone where the project keeps none.
    """
    if timezone.is_aware(moment):
        return moment
    return timezone.make_aware(moment, timezone.get_default_timezone())


def stored(moment: dt.datetime) -> dt.datetime:
    """An aware moment, as a ``DateTimeField`` takes it."""
    if settings.USE_TZ:
        return moment
    return timezone.make_naive(moment, timezone.get_default_timezone())


def local(moment: dt.datetime) -> dt.datetime:
    """An aware moment in the reader's zone; as it is, if that has no such year."""
    try:
        return timezone.localtime(moment)
    except OverflowError:
        return moment

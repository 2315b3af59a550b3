"""How pages say when something happened."""

import datetime as dt
import re
from typing import Any

import pytest
from django.utils import formats, timezone, translation

from versioning.templatetags.versioning_history import moment


@pytest.fixture
def translated(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A project that is translated, as this one is not."""
    settings.USE_I18N = True
    found: Any = translation
    monkeypatch.setattr(found, "_trans", type(found._trans)())
    formats.reset_format_cache()
    yield
    formats.reset_format_cache()


@pytest.mark.usefixtures("translated")
@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize(
    ("age", "said"),
    [
        (dt.timedelta(seconds=5), "just now"),
        (dt.timedelta(minutes=38, seconds=5), "38\xa0minutes ago"),
        (dt.timedelta(days=400), r"\d\d? (?:[A-Z][a-z]+) \d{4}"),
    ],
)
def test_in_english_as_the_rest_of_them(language: str, age: dt.timedelta, said: str):
    when = timezone.now() - age
    with translation.override("en"):
        expected = moment(when)
    with translation.override(language):
        assert moment(when) == expected
    assert re.search(f">{said}</time>", expected)

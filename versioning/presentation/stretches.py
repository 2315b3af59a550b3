"""Texts too long for one page, a stretch of each at a time."""

from collections.abc import Sequence

PART = 50_000  # characters of each text that one page shows


def stretch(
    texts: Sequence[str | None], start: int
) -> tuple[list[str | None], int | None]:
    """
    What one page shows of each text, from the character ``start`` on, and where
    the next page begins; None on the last.
    """
    end = start + PART
    longest = max(len(text or "") for text in texts)
    shown = [text if text is None else text[start:end] for text in texts]
    return shown, end if longest > end else None

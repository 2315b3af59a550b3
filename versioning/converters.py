"""URL path converters."""


class HashConverter:
    """The full hash of a commit: 32 characters on Dolt, 40 on DoltLite."""

    regex = "[0-9a-v]{32}|[0-9a-f]{40}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value

"""URL path converters."""


class HashConverter:
    """
    The hash of a commit, 32 characters on Dolt and 40 on DoltLite, or as much of
    its beginning as pages show.
    """

    regex = "[0-9a-v]{7,40}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value

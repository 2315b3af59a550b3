"""Names that the console would never make, and that the engines take."""

BRANCHES = [
    "x'--",
    "-D",
    "--",
    "a@b",
    "a%b",
    "%s",
    'a"b',
    "a`b",
    "a;drop",
    "a/b.c",
    "n" * 300,
]

#: Names that both engines refuse.
INVALID = ["", " ", "two words", "a..b", "a~1", "a^", "a:b", "-", "a.lock", "é", "a\nb"]

"""
Tests that an engine can't pass, each with its reason: by engine, then by the
test's id without its parameters. Any other skip fails the run.
"""

EXCEPTIONS: dict[str, dict[str, str]] = {
    "doltlite": {},
    "dolt": {},
}

#: Violations of a merge that the engine is asked for: with more, nothing lands.
VIOLATIONS_LISTED = 1000

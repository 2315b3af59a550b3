"""
How long the site takes, beside the raw engine in the same run (``make bench``).

No tests: machines differ, and this one may be busy. What counts are ratios,
between two sizes of the same thing, or between the site and the engine asked
in its own words (``reference.py``).
"""

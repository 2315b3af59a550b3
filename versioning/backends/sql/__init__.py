"""
What both engines' repositories share: the same SQL, spelled in two dialects.

``statements`` asks, ``history`` knows branches and commits (``ancestry`` who
descends from whom), ``tables`` rows and diffs, ``merging`` the working set and
a merge in it, ``constraints`` whether rows keep them.
"""

from versioning.backends.sql.constraints import Constraints
from versioning.backends.sql.history import History
from versioning.backends.sql.merging import Merging


class SqlRepository(History, Merging, Constraints):
    """All but what each engine spells in its own way."""

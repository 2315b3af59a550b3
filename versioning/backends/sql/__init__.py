"""
What both engines' repositories share: the same SQL, spelled in two dialects.

``statements`` asks (``facts`` keep what never changes), ``history`` knows
branches and commits, ``descent`` and ``ancestry`` which descend from which,
``tags`` their names, ``tables`` rows and diffs,
``row_history`` what became of one row, ``discards`` what merges did not take of
it and ``trails`` how far back that can be told, ``searching`` finds commits and
rows,
``merging`` knows the working set and a merge in it, ``constraints`` whether
rows keep them, ``export`` writes whatever differs as SQL.
"""

from versioning.backends.sql.constraints import Constraints
from versioning.backends.sql.export import Exporting
from versioning.backends.sql.merging import Merging
from versioning.backends.sql.searching import Searching
from versioning.backends.sql.tags import Tags
from versioning.backends.sql.trails import Trails


class SqlRepository(Tags, Searching, Merging, Trails, Constraints, Exporting):
    """All but what each engine spells in its own way."""

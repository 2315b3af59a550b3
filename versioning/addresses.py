"""
The addresses of a row's history, and of single cells' pages, where long values
are shown in full.

A page that shows many cells puts the beginning together once, and the rest for
each value that it cuts.
"""

from urllib.parse import urlencode

from django.db.models import Model
from django.urls import reverse

from versioning import values
from versioning.backends.repository import Commit, MergeSides

LONGEST = 4000  # characters; gunicorn's own limit is for a line around it


def history_of(row: Model, ref: str) -> str:
    """The history of an object of a versioned app, from a branch, tag or hash."""
    query = {
        "table": row._meta.db_table,
        "key": values.key_text(values.key_of(row)),
        "ref": ref,
    }
    return f"{reverse('versioning:row-history')}?{urlencode(query)}"


def compared_value(old: str, new: str, dots: int = 2) -> str:
    """The beginning, for a comparison of two branches, tags or hashes."""
    ends = {"from": old, "to": new, "dots": str(dots)}
    return f"{reverse('versioning:compare-value')}?{urlencode(ends)}"


def value_of_commit(commit: Commit) -> str:
    """The beginning, for what a commit did; "" for the first of all."""
    return compared_value(commit.parents[0], commit.hash) if commit.parents else ""


def merged_value(source: str, target: str, sides: MergeSides) -> str:
    """The beginning, for a merge of three hashes, by the names of what is merged."""
    pins = {"base": sides.base, "ours": sides.ours, "theirs": sides.theirs}
    query = urlencode({"source": source, "target": target, **pins})
    return f"{reverse('versioning:merge-value')}?{query}"


def of_cell(start: str, table: str, key: str, column: str) -> str:
    """
    The page of one cell, from the beginning of its address; ``key`` as
    ``values.key_text()`` writes it. "" where there is none to begin with, or where
    servers take no address of that length.
    """
    query = {"table": table, "key": key, "column": column}
    address = f"{start}&{urlencode(query)}" if start else ""
    return address if len(address) <= LONGEST else ""

"""Marks on views, read by the middleware."""

from collections.abc import Callable
from typing import Any, TypeVar

View = TypeVar("View", bound=Callable[..., Any])


def versioned(view: View) -> View:
    """
    Make each unsafe request to this view one unit of work on the active branch.

    Views of the apps in ``VERSIONING["APPS"]`` are so without it.
    """
    view.versioned = True  # type: ignore[attr-defined]
    return view


def open_to_all(view: View) -> View:
    """
    Let anybody write through this view, on protected branches too.

    For what the public does: voting. Still one unit of work, on a branch that
    the visitor may see.
    """
    view.open_to_all = True  # type: ignore[attr-defined]
    return view


def opens_unit(view: View) -> View:
    """
    Let a view open its unit of work itself, by ``versioning.unit()``, so that
    others wait for what it writes, and not for what it reads before.

    For what is written all the time. What was read may have changed by then:
    the write has to be right whatever came in between.
    """
    view.opens_unit = True  # type: ignore[attr-defined]
    return view


def of_no_branch(view: View) -> View:
    """
    Answer without going to the active branch, as a view does whose answer is
    the same on every one: that saves its questions.
    """
    view.of_no_branch = True  # type: ignore[attr-defined]
    return view


def of_active_branch(view: View) -> View:
    """
    Show the active branch and no other state: ``?branch=`` and ``?at=`` are the
    view’s own parameters, as those of the admin’s lists are names of fields.
    """
    view.of_active_branch = True  # type: ignore[attr-defined]
    return view

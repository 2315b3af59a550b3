"""
Load DoltLite in place of SQLite, before anything imports ``sqlite3``.

Imported first by ``manage.py``, ``config.wsgi`` and the tests (with pytest's
``-p``). DoltLite's own bootstrap re-executes a process in which ``sqlite3``
was loaded first, and leaves a mark in the environment so as to do it once; a
child process inherits the mark, skips the bootstrap and works on stock SQLite
without a word. So the mark is removed on both sides of the import, and the
engine is asked what it is.
"""

import os
import sys

_MARK = "_DOLTLITE_BOOTSTRAPPED"


def load() -> None:
    """
    Make ``sqlite3`` speak DoltLite in this process.

    Raises ``SystemExit`` with one sentence and a way out where it can't: a
    Python whose SQLite is linked in statically, or ``sqlite3`` loaded before.
    """
    if "sqlite3" not in sys.modules:
        os.environ.pop(_MARK, None)
        try:
            import doltlite  # noqa: F401
        except ImportError as error:
            raise SystemExit(_way_out(str(error))) from error
        except Exception as error:  # DoltliteLoadError is not importable by then
            raise SystemExit(_way_out(str(error))) from error
    os.environ.pop(_MARK, None)

    import sqlite3

    connection = sqlite3.connect(":memory:")
    try:
        engine = connection.execute("SELECT doltlite_engine()").fetchone()[0]
    except sqlite3.OperationalError as error:
        raise SystemExit(_way_out(str(error))) from error
    finally:
        connection.close()
    if engine != "prolly":
        raise SystemExit(_way_out(f"its engine is “{engine}”"))


def _way_out(reason: str) -> str:
    return (
        f"This Python can't load DoltLite ({reason.strip()}): use a Python whose "
        "sqlite3 is a shared library, such as your system's or python.org's "
        "(PYTHON=/usr/bin/python3 make run), or a Dolt server "
        "(make run POLLARD_ENGINE=dolt)."
    )

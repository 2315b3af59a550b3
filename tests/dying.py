"""
The site's application, in a process that dies at a moment that a test chooses.

A file ``die`` in the data folder names the moment; it is gone afterwards:

- "receipt": the commit is made, its receipt is not kept yet;
- "answer": the receipt is kept, the answer is not sent yet.

For gunicorn alone: to import this is to put it in place.
"""

import os
import signal
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from config.wsgi import application as site
from versioning import receipts

_fulfil = receipts.fulfil


def _die_if_it_is(moment: str) -> None:
    order = Path(os.environ["POLLARD_DATA_DIR"]) / "die"
    if order.exists() and order.read_text() == moment:
        order.unlink()
        os.kill(os.getpid(), signal.SIGKILL)


def _fulfil_or_die(*args: Any, **kwargs: Any) -> None:
    _die_if_it_is("receipt")
    _fulfil(*args, **kwargs)


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    answer: Iterable[bytes] = site(environ, start_response)
    if environ["REQUEST_METHOD"] == "POST":
        _die_if_it_is("answer")
    return answer


receipts.fulfil = _fulfil_or_die

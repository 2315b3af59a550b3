"""
How the site is served, on a laptop (``make run``) and in the container.

Threads, because a vote waits its turn on the branch's lock and an upload may
stall: neither may keep a whole worker from everybody else.
"""

import gc
from typing import Any

from environs import Env

env = Env()

bind = env.str("POLLARD_BIND", "127.0.0.1:8000")
wsgi_app = "config.wsgi:application"
worker_class = "gthread"
workers = env.int("POLLARD_WORKERS", 2)
threads = env.int("POLLARD_THREADS", 16)
timeout = 60  # seconds without a sign of life from a worker, not per request
graceful_timeout = 20
keepalive = 5
# Long enough for a shared link with its filters, short enough for a probe.
limit_request_line = 8190
accesslog = "-" if env.bool("POLLARD_ACCESS_LOG", False) else None
loglevel = "warning"
reload = env.bool("POLLARD_DEBUG", False)


def post_worker_init(worker: Any) -> None:
    """The code itself is no garbage: to look at it anew takes 20 ms each time."""
    gc.freeze()

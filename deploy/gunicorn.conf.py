"""
How the site is served, on a laptop (``make run``) and in the container.

Threads, because a vote waits its turn on the branch's lock and an upload may
stall: neither may keep a whole worker from everybody else.
"""

import os

bind = os.environ.get("POLLARD_BIND", "127.0.0.1:8000")
wsgi_app = "config.wsgi:application"
worker_class = "gthread"
workers = int(os.environ.get("POLLARD_WORKERS", "2"))
threads = int(os.environ.get("POLLARD_THREADS", "16"))
timeout = 60  # seconds without a sign of life from a worker, not per request
graceful_timeout = 20
keepalive = 5
# Long enough for a shared link with its filters, short enough for a probe.
limit_request_line = 8190
accesslog = "-" if os.environ.get("POLLARD_ACCESS_LOG") else None
loglevel = "warning"
reload = os.environ.get("POLLARD_DEBUG", "") not in ("", "0", "false", "False")

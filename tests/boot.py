"""
Loaded by pytest before any other plugin (``-p tests.boot``).

Points the settings at databases that are made for this run alone, and loads
the engine: DoltLite has to be there before anything imports ``sqlite3``, and a
Dolt server before the settings name its port.
"""

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path

WORKER = os.environ.get("PYTEST_XDIST_WORKER", "main")
NAME = f"test_{WORKER}"
ENGINE = os.environ.setdefault("POLLARD_ENGINE", "doltlite")

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tools"))

os.environ["POLLARD_DEMO"] = "1"
os.environ["POLLARD_SECRET_KEY"] = "a key for tests alone, long enough to pass checks"
os.environ["POLLARD_DATA_DIR"] = folder = tempfile.mkdtemp(prefix="pollard-test-")
atexit.register(shutil.rmtree, folder, ignore_errors=True)

if ENGINE == "doltlite":
    from versioning.backends.doltlite import boot

    boot.load()
else:
    from dolt_server import DoltServer

    if "POLLARD_TEST_SERVER" not in os.environ:
        # Each test makes its tables anew, with names that others have used.
        server = DoltServer(Path(folder) / "dolt", statistics=False)
        server.start()
        atexit.register(server.stop)
        os.environ["POLLARD_TEST_SERVER"] = f"{server.port} {server.data}"
    port, data = os.environ["POLLARD_TEST_SERVER"].split(" ", 1)
    server = DoltServer(Path(data), port=int(port))
    server.create_database(NAME)
    os.environ |= server.settings(NAME)

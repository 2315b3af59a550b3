"""
``make screenshot``: take the README's picture of the conflict screen anew, from
the demo's own site in a real browser.
"""

import os
import sys
import tempfile
from pathlib import Path

import environment

PICTURE = environment.ROOT / "docs" / "conflict.png"
CONFLICT = "/merge/?source=fireworks&target=main"


def main() -> int:
    """Run the second half under the environment's Python, which has a browser."""
    if os.environ.get("POLLARD_SCREENSHOT") != "1":
        python = str(environment.ensure("test"))
        settings = {
            **os.environ,
            "POLLARD_SCREENSHOT": "1",
            "POLLARD_ENGINE": "doltlite",
            "PYTHONPATH": f"{environment.ROOT}:{environment.ROOT / 'tools'}",
        }
        os.execve(python, [python, __file__], settings)
    sys.path.insert(0, str(environment.ROOT))
    from playwright.sync_api import sync_playwright
    from test import find_browser

    from tests.site import Site

    chromium = find_browser(environment.python_path())
    if chromium is None:
        sys.exit("No Chromium was found: install one, and try again.")
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with (
        tempfile.TemporaryDirectory() as folder,
        Site(Path(folder)) as site,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(
            executable_path=str(chromium), args=arguments
        )
        page = browser.new_page(
            viewport={"width": 1120, "height": 1060}, color_scheme="light"
        )
        page.goto(f"{site.url}/accounts/login/")
        page.fill("input[name=username]", "max")
        page.fill("input[name=password]", "max-demo")
        page.press("input[name=password]", "Enter")
        page.wait_for_url("**/branches/")
        page.goto(site.url + CONFLICT)
        page.screenshot(path=PICTURE)
        browser.close()
    print(f"{PICTURE.relative_to(environment.ROOT)}: {PICTURE.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())

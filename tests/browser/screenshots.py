"""`make screenshots`: pictures of the operational page on the demo, in real processes and a real Chromium.

Not a test: the pictures are for the documents, and to be looked at.
"""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from cockpit.config import ROOT
from ingest.gateway import access
from tests.conftest import FLAGS, chromium_path
from tests.processes import Processes, configuration, environment, running, until

Picture = tuple[str, dict[str, Any], str]  # name, options of the browser, language

PICTURES: tuple[Picture, ...] = (
    ("light-1440-pt", {"color_scheme": "light", "viewport": {"width": 1440, "height": 1000}}, "pt"),
    ("dark-1440-en", {"color_scheme": "dark", "viewport": {"width": 1440, "height": 1000}}, "en"),
    ("light-390-en", {"color_scheme": "light", "viewport": {"width": 390, "height": 844}}, "en"),
    ("dark-390-pt", {"color_scheme": "dark", "viewport": {"width": 390, "height": 844}}, "pt"),
)
STATES = PICTURES[0]
DRAWN = '[data-kpi="events_today"][data-value]'


@contextmanager
def demo(processes: Processes) -> Iterator[None]:
    """The simulated shop, with an hour of history sent first."""
    config = processes.config
    key = config.run_dir / "demo.key"
    key.write_text(access.add_key(config.keys_path, "demo", "secret"))
    command = [sys.executable, "-m", "ingest", "demo", "--seed", "1", "--key-file", str(key)]
    with subprocess.Popen(command, cwd=ROOT, env=environment(config)) as child:
        try:
            until(lambda: len((processes.snapshot() or {"minutes": []})["minutes"]) >= 60, 120, "an hour of history")
            yield
        finally:
            child.terminate()
            child.wait(20)


def take(browser: Browser, processes: Processes, picture: Picture, folder: Path) -> None:
    name, options, language = picture
    with browser.new_context(**options) as context:
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{processes.config.screens_port}/operational?lang={language}")
        page.wait_for_selector(DRAWN, state="attached", timeout=60_000)
        page.wait_for_timeout(6_000)  # a few ticks, so that the charts are drawn
        page.screenshot(path=folder / f"operational-{name}.png", full_page=True)


def stale(browser: Browser, processes: Processes, folder: Path) -> None:
    """An open page whose warehouse is killed."""
    _, options, language = STATES
    with browser.new_context(**options) as context:
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{processes.config.screens_port}/operational?lang={language}")
        page.wait_for_selector(DRAWN, state="attached", timeout=60_000)
        page.wait_for_timeout(6_000)
        processes.kill("warehouse")
        page.wait_for_timeout(6_000)
        page.screenshot(path=folder / "operational-stale.png", full_page=True)


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as run_dir, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=list(FLAGS))
        with running(configuration(Path(run_dir)), "gateway", "warehouse", "screens") as processes:
            take(browser, processes, ("empty", STATES[1], STATES[2]), folder)
            with demo(processes):
                for picture in PICTURES:
                    take(browser, processes, picture, folder)
                stale(browser, processes, folder)
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))

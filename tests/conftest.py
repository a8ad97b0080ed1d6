"""What tests of several folders share: a real Chromium, and whether to measure."""

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings
from playwright.sync_api import Browser, Page, sync_playwright
from xdist.scheduler import LoadScopeScheduling

# No deadline per example: a loaded machine is no bug. The timeout of each test stays.
settings.register_profile("cockpit", deadline=None)
settings.load_profile("cockpit")

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",  # root, in a container
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


# With two workers: what mostly waits for browsers and processes is done by one, the rest by the other.
WAITING = ("browser", "integration", "ui")


class ByFile(LoadScopeScheduling):  # type: ignore[misc]  # xdist ships no types
    """Modules stay whole: their fixtures are made once. (xdist's own groups do nothing under pytest 9.2.)"""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.split("::", maxsplit=1)[0]
        return "waiting" if path.split("/")[1] in WAITING else path


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    return ByFile(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What waits comes first, since nothing can be done beside it at the end."""
    items.sort(key=lambda item: item.nodeid.split("/")[1] not in WAITING)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--measure", action="store_true", help="print what was measured, and hold it against its limits")


def chromium_path() -> str | None:
    """The Chromium of this machine, if it has one."""
    return next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for a module's tests; each test has a context of its own.

    Not for the session: as long as Playwright runs, no other test of this process could start an event loop.
    """
    path = chromium_path()
    if path is None:
        pytest.skip(f"no Chromium: none of {', '.join(CHROMIUM_NAMES)} is on the PATH")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A tab of a Portuguese browser, as wide as a laptop."""
    context = chromium.new_context(viewport={"width": 1440, "height": 1000}, locale="pt-BR")
    yield context.new_page()
    context.close()

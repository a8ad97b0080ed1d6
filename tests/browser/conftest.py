"""Real screens on a free port, with a feed whose numbers the test chooses."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import msgspec
import pytest
from playwright.sync_api import Page, WebSocket, expect

from cockpit.config import Config, shared_token
from cockpit.kpis.live import Snapshot
from tests.browser.feed import Feed, lively
from tests.browser.warehouse import History
from tests.processes import Processes, configuration, running

expect.set_options(timeout=15_000)  # a loaded machine draws late

Make = Callable[[int, bool], Snapshot]


def shop(seq: int, full: bool) -> Snapshot:  # noqa: FBT001 - the shape of Make
    return lively(seq, full=full)


@dataclass
class Cockpit:
    processes: Processes
    feed: Feed
    history: History
    config: Config = field(init=False)

    def __post_init__(self) -> None:
        self.config = self.processes.config

    def url(self, path: str = "operational") -> str:
        return f"http://127.0.0.1:{self.config.screens_port}/{path}"


@pytest.fixture(scope="session")
def screens(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    config = configuration(tmp_path_factory.mktemp("screens"))
    with running(config, "screens") as processes:
        yield processes


@pytest.fixture
def cockpit(screens: Processes) -> Iterator[Cockpit]:
    """Screens, and a lively shop in place of the warehouse."""
    token = shared_token(screens.config)
    feed = Feed(screens.config.feed_port, token, shop)
    feed.start()
    with History(screens.config.flight_port, token) as history:
        yield Cockpit(screens, feed, history)
    feed.stop()


def replace(snapshot: Snapshot, **changes: object) -> Snapshot:
    return msgspec.structs.replace(snapshot, **changes)


class Witness:
    """What a tab says: errors of the console, and frames that Streamlit sends (each rerun sends some)."""

    # Streamlit itself looks for its server below a deep link first, and finds it one level up.
    EXPECTED = ("/_stcore/health", "/_stcore/host-config")

    def __init__(self, page: Page) -> None:
        self.errors: list[str] = []
        self.frames: list[object] = []
        page.on("console", lambda message: self._heard(message.type, message.text, message.location["url"]))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("websocket", self._count)

    def _heard(self, kind: str, text: str, url: str) -> None:
        if kind == "error" and not url.endswith(self.EXPECTED):
            self.errors.append(f"{text} ({url})")

    def _count(self, socket: WebSocket) -> None:
        if "/_stcore/stream" in socket.url:
            socket.on("framereceived", lambda frame: self.frames.append(frame))  # noqa: PLW0108 - Playwright marks the function


@pytest.fixture
def witness(page: Page) -> Witness:
    return Witness(page)

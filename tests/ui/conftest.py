from collections.abc import Iterator
from pathlib import Path

import pytest

from cockpit.ui import services
from ingest.ports import free_ports


@pytest.fixture
def nobody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A run directory of its own, and a port of Flight that nobody listens on."""
    monkeypatch.setenv("COCKPIT_RUN_DIR", str(tmp_path))
    monkeypatch.setenv("COCKPIT_FLIGHT_PORT", str(free_ports(1)[0]))
    services.config.cache_clear()
    services.secret.cache_clear()
    yield
    services.config.cache_clear()
    services.secret.cache_clear()
